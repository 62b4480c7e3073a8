"""API keys as they are kept: never the key itself, only its hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Executable, Row, Select, and_, insert, or_, select, update
from sqlalchemy.exc import OperationalError

from . import tables

KEYS = tables.api_keys
NOTED_EVERY = timedelta(minutes=1)


def _selected() -> Select[Any]:
    codes = tables.bodies
    return select(KEYS, codes.c.code.label("body_code")).join(
        codes, codes.c.id == KEYS.c.body_id, isouter=True
    )


def find_by_prefix(connection: Connection, prefix: str) -> Row[Any] | None:
    """The key with this prefix, in force or not."""
    return connection.execute(_selected().where(KEYS.c.prefix == prefix)).one_or_none()


def find_key(connection: Connection, key_id: str) -> Row[Any] | None:
    """The key with this identifier, in force or not."""
    return connection.execute(_selected().where(KEYS.c.id == key_id)).one_or_none()


def list_keys(
    connection: Connection, *, body_id: str | None, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Keys by identifier, of one body or of all, those after ``after``."""
    wanted = _selected().order_by(KEYS.c.id).limit(limit)
    if body_id is not None:
        wanted = wanted.where(KEYS.c.body_id == body_id)
    if after is not None:
        wanted = wanted.where(KEYS.c.id > after)
    return connection.execute(wanted).all()


def add_key(tx: Connection, row: dict[str, Any]) -> None:
    """Keep a new key, and that it may own something."""
    tx.execute(insert(tables.principals), {"id": row["id"], "created_at": row["created_at"]})
    tx.execute(insert(KEYS), row)


def revoke(tx: Connection, key_id: str, *, by: str, at: datetime) -> bool:
    """End a key for good; whether it had not been revoked before."""
    standing = (KEYS.c.id == key_id) & KEYS.c.revoked_at.is_(None)
    return tx.execute(update(KEYS).where(standing).values(revoked_at=at, revoked_by=by)).rowcount == 1


def rotate(
    tx: Connection,
    key_id: str,
    secret_hash: str,
    *,
    last_rotated_at: datetime | None,
    until: datetime,
    by: str,
    at: datetime,
) -> bool:
    """Put a new secret in the place of the present one, which becomes the previous one.

    :param last_rotated_at: of the key as it was read.
    :param until: when the previous secret ends.
    :returns: whether the key was as it was read, and not revoked.
    """
    same = and_(
        KEYS.c.id == key_id,
        KEYS.c.revoked_at.is_(None),
        KEYS.c.rotated_at.is_(None) if last_rotated_at is None else KEYS.c.rotated_at == last_rotated_at,
    )
    values = {"secret_hash": secret_hash, "previous_hash": KEYS.c.secret_hash, "previous_until": until}
    changed = tx.execute(update(KEYS).where(same).values(**values, rotated_at=at, rotated_by=by))
    return changed.rowcount == 1


def note_use(connection: Connection, key_id: str, at: datetime) -> None:
    """Note when a key was last used, once a minute at most, and only if nobody has to be waited for.

    :param connection: in autocommit: a note is no reason to hold up a request.
    """
    due = or_(KEYS.c.last_used_at.is_(None), KEYS.c.last_used_at < at - NOTED_EVERY)
    note = update(KEYS).where(KEYS.c.id == key_id, due).values(last_used_at=at)
    note_if_free(connection, note)


def note_if_free(connection: Connection, note: Executable, values: Mapping[str, Any] | None = None) -> None:
    """Change what is only a note, if nobody has to be waited for.

    :param connection: in autocommit.
    :param values: of the statement's parameters.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(note, values)
        return
    patience = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    try:
        with suppress(OperationalError):
            connection.execute(note, values)
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={int(patience)}")
