"""Who works for a body, read from the keys and from those who came with tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, or_, select

from . import tables
from .bulk import among
from .console_tables import console_sessions

k, p, c = tables.api_keys, tables.principals, console_sessions


def keys_in_force(connection: Connection, body_id: str, role: str, at: datetime) -> Sequence[Row[str, str]]:
    """The keys of a role and a body that are good at an instant (UTC): ``id`` and ``label``."""
    good = or_(k.c.expires_at.is_(None), k.c.expires_at > at)
    of_body = (k.c.body_id == body_id) & (k.c.role == role) & k.c.revoked_at.is_(None)
    return connection.execute(select(k.c.id, k.c.label).where(of_body, good)).all()


def signed_in_since(
    connection: Connection, body_id: str, role: str, since: datetime
) -> Sequence[Row[str, str]]:
    """Who of a role and a body signed in to the console since an instant (UTC): ``id`` and ``label``."""
    of_body = (c.c.body_id == body_id) & (c.c.role == role) & (c.c.seen_at >= since)
    let_in = select(c.c.principal_id, c.c.label).join(p, p.c.id == c.c.principal_id)
    return connection.execute(let_in.where(of_body, p.c.blocked_at.is_(None)).distinct()).all()


def labels(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """What the principals with these identifiers are called."""
    by_key = select(k.c.id, k.c.label).where(among(connection, k.c.id, ids))
    by_link = select(c.c.principal_id, c.c.label).where(among(connection, c.c.principal_id, ids)).distinct()
    by_token = select(p.c.id, p.c.subject).where(among(connection, p.c.id, ids), p.c.subject.is_not(None))
    return {
        row[0]: row[1] for statement in (by_token, by_link, by_key) for row in connection.execute(statement)
    }
