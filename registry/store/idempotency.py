"""The requests that were made under an ``Idempotency-Key``, and what they were answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from . import tables

KEPT = timedelta(hours=48)
KEYS = tables.idempotency_keys


def _named(principal: str, key: str) -> Any:
    return (KEYS.c.principal == principal) & (KEYS.c.key == key)


def begin(tx: Connection, row: dict[str, Any]) -> bool:
    """Note that a request is running; whether it is the first under its key."""
    inserting: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[tx.dialect.name]
    statement = inserting(KEYS).values(row).on_conflict_do_nothing().returning(KEYS.c.key)
    return tx.execute(statement).one_or_none() is not None


def find(tx: Connection, principal: str, key: str) -> Row[Any] | None:
    """The request under a key, running or answered."""
    return tx.execute(select(KEYS).where(_named(principal, key))).one_or_none()


def take_over(tx: Connection, row: Row[Any], *, lease: str, at: datetime) -> bool:
    """Go on in place of a request that never ended; whether nobody else did."""
    same = _named(row.principal, row.key) & (KEYS.c.lease == row.lease) & KEYS.c.response.is_(None)
    return tx.execute(update(KEYS).where(same).values(lease=lease, begun_at=at)).rowcount == 1


def keep(tx: Connection, principal: str, key: str, *, lease: str, response: str) -> bool:
    """Keep the answer, in the transaction of the change; whether the request still holds its key."""
    own = _named(principal, key) & (KEYS.c.lease == lease)
    return tx.execute(update(KEYS).where(own).values(response=response)).rowcount == 1


def release(tx: Connection, principal: str, key: str, *, lease: str) -> None:
    """Forget a request that changed nothing, so that its key may be used again.

    One that is answered is kept: it may have been recorded although nobody learned that it was.
    """
    own = _named(principal, key) & (KEYS.c.lease == lease) & KEYS.c.response.is_(None)
    tx.execute(delete(KEYS).where(own))


def forget(tx: Connection, at: datetime) -> None:
    """Forget the requests that began longer than :data:`KEPT` before an instant (UTC)."""
    tx.execute(delete(KEYS).where(KEYS.c.begun_at < at - KEPT))
