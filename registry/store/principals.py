"""Who may own something: keys, and those who come with tokens, by issuer and subject."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update
from sqlalchemy.dialects import postgresql, sqlite

from .console_tables import console_sessions
from .tables import api_keys, principals

p = principals


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Somebody who came with a token. Instants are UTC.

    :param blocked_at: since when none of their tokens is taken; ``None``: they are.
    """

    id: str
    issuer: str
    subject: str
    created_at: datetime
    blocked_at: datetime | None
    blocked_by: str | None


def _selected() -> Select[Any]:
    columns = (p.c.id, p.c.issuer, p.c.subject, p.c.created_at, p.c.blocked_at, p.c.blocked_by)
    return select(*columns).where(p.c.issuer.is_not(None))


def _holder_of(row: Row[Any] | None) -> TokenHolder | None:
    return None if row is None else TokenHolder(*tuple(row))


def find_holder(connection: Connection, issuer: str, subject: str) -> TokenHolder | None:
    """Who an issuer names so, if they came before."""
    named = _selected().where(p.c.issuer == issuer, p.c.subject == subject)
    return _holder_of(connection.execute(named).one_or_none())


def find_holder_by_id(connection: Connection, holder_id: str) -> TokenHolder | None:
    """Whoever came with a token and is known here by an identifier."""
    return _holder_of(connection.execute(_selected().where(p.c.id == holder_id)).one_or_none())


def list_holders(connection: Connection, *, after: str | None, limit: int) -> Sequence[TokenHolder]:
    """Those who came with tokens, by identifier, after ``after``."""
    wanted = _selected().order_by(p.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(p.c.id > after)
    return [TokenHolder(*row) for row in connection.execute(wanted)]


def labels_of(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """What principals are called, by identifier: keys by their label, people as they last signed in."""
    keys = select(api_keys.c.id, api_keys.c.label).where(api_keys.c.id.in_(ids))
    held = select(p.c.id, p.c.subject).where(p.c.id.in_(ids), p.c.subject.is_not(None))
    s = console_sessions
    seen = select(s.c.principal_id, s.c.label).where(s.c.principal_id.in_(ids)).order_by(s.c.created_at)
    return {row[0]: row[1] for statement in (keys, held, seen) for row in connection.execute(statement)}


def keep_holder(tx: Connection, holder_id: str, issuer: str, subject: str, at: datetime) -> None:
    """Remember who came, unless somebody else just did."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    row = {"id": holder_id, "issuer": issuer, "subject": subject, "created_at": at}
    tx.execute(insert(p).values(row).on_conflict_do_nothing(index_elements=["issuer", "subject"]))


def block(tx: Connection, holder_id: str, *, by: str | None, at: datetime | None) -> bool:
    """Take no token of theirs from now on, or, where ``at`` is ``None``, take them again.

    :returns: whether that is a change.
    """
    is_so = p.c.blocked_at.is_(None) if at is not None else p.c.blocked_at.is_not(None)
    of = (p.c.id == holder_id) & p.c.issuer.is_not(None) & is_so
    return tx.execute(update(p).where(of).values(blocked_at=at, blocked_by=by)).rowcount == 1
