"""Sessions of the console and links to sign in with, as they are kept: never a secret, only its hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, update

from .console_tables import console_links, console_sessions
from .keys import note_if_free
from .tables import bodies, principals

LINKS, SESSIONS = console_links, console_sessions
IN_FORCE = SESSIONS.c.ended_at.is_(None)


def add_link(tx: Connection, row: dict[str, Any]) -> None:
    """Keep a link."""
    tx.execute(insert(LINKS).values(row))


def find_link(connection: Connection, secret_hash: str) -> Row[Any] | None:
    """A link, used or not, with its holder (``subject``, ``blocked_at``) and its body's code."""
    wanted = (
        select(LINKS, principals.c.subject, principals.c.blocked_at, bodies.c.code.label("body_code"))
        .join(principals, principals.c.id == LINKS.c.principal_id)
        .join(bodies, bodies.c.id == LINKS.c.body_id, isouter=True)
        .where(LINKS.c.secret_hash == secret_hash)
    )
    return connection.execute(wanted).one_or_none()


def use_link(tx: Connection, link_id: str, at: datetime) -> bool:
    """Use a link up.

    :returns: whether nobody had, and it had not expired.
    """
    is_good = (LINKS.c.id == link_id) & LINKS.c.used_at.is_(None) & (LINKS.c.expires_at > at)
    return tx.execute(update(LINKS).where(is_good).values(used_at=at)).rowcount == 1


def add_session(tx: Connection, row: dict[str, Any]) -> None:
    """Keep a session."""
    tx.execute(insert(SESSIONS).values(row))


def _selected() -> Select[Any]:
    at_body = bodies.alias("at_bodies")
    return (
        select(
            SESSIONS,
            principals.c.blocked_at,
            principals.c.issuer,
            bodies.c.code.label("body_code"),
            at_body.c.code.label("at_body_code"),
        )
        .join(principals, principals.c.id == SESSIONS.c.principal_id)
        .join(bodies, bodies.c.id == SESSIONS.c.body_id, isouter=True)
        .join(at_body, at_body.c.id == SESSIONS.c.at_body_id, isouter=True)
    )


def find_session(connection: Connection, secret_hash: str) -> Row[Any] | None:
    """A session, ended or not."""
    return connection.execute(_selected().where(SESSIONS.c.secret_hash == secret_hash)).one_or_none()


def sessions_of(
    connection: Connection, principal_id: str, *, at: datetime, idle_since: datetime
) -> Sequence[Row[Any]]:
    """Those that somebody is signed in by, the one last seen first."""
    wanted = _selected().where(
        SESSIONS.c.principal_id == principal_id,
        IN_FORCE,
        SESSIONS.c.ends_at > at,
        SESSIONS.c.seen_at > idle_since,
    )
    return connection.execute(wanted.order_by(SESSIONS.c.seen_at.desc(), SESSIONS.c.id)).all()


def note_seen(connection: Connection, session_id: str, *, address: str | None, at: datetime) -> None:
    """Note when a session was last seen, if nobody has to be waited for.

    :param connection: in autocommit.
    """
    of = (SESSIONS.c.id == session_id) & (SESSIONS.c.seen_at < at)
    note_if_free(connection, update(SESSIONS).where(of).values(seen_at=at, address=address))


def move_to_body(tx: Connection, session_id: str, body_id: str) -> None:
    """Note which body's affairs somebody is at who may see to those of any."""
    tx.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(at_body_id=body_id))


def end_session(tx: Connection, session_id: str, *, principal_id: str, at: datetime) -> bool:
    """End one.

    :returns: whether it was one of theirs and had not ended.
    """
    of = (SESSIONS.c.id == session_id) & (SESSIONS.c.principal_id == principal_id) & IN_FORCE
    return tx.execute(update(SESSIONS).where(of).values(ended_at=at)).rowcount == 1


def end_sessions_of(tx: Connection, principal_id: str, *, at: datetime) -> int:
    """End all that somebody is signed in by; how many there were."""
    of = (SESSIONS.c.principal_id == principal_id) & IN_FORCE
    return tx.execute(update(SESSIONS).where(of).values(ended_at=at)).rowcount


def forget_ended(tx: Connection, *, before: datetime) -> None:
    """Let go what ended, one way or another, before an instant."""
    tx.execute(delete(SESSIONS).where(or_(SESSIONS.c.ends_at < before, SESSIONS.c.ended_at < before)))
    tx.execute(delete(LINKS).where(LINKS.c.expires_at < before))
