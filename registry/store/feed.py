"""Reading the feed: every event, in the one order in which they were numbered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select, union

from . import tables
from .roster_tables import roster_members

b, e, r, m = tables.bodies, tables.events, tables.registrations, roster_members


def newest_event(connection: Connection) -> tuple[int, str]:
    """The number and the identifier of the newest event; ``(0, "")`` while there is none."""
    row = connection.execute(select(e.c.seq, e.c.id).order_by(e.c.seq.desc()).limit(1)).one_or_none()
    return (0, "") if row is None else (row.seq, row.id)


def event_id(connection: Connection, seq: int) -> str | None:
    """The identifier of the event of that number."""
    return connection.execute(select(e.c.id).where(e.c.seq == seq)).scalar_one_or_none()


def events_between(
    connection: Connection, after: int, through: int, limit: int, roster_id: str | None = None
) -> list[Row[Any]]:
    """Events by number, after one and through another; of those whom a roster names, or of all.

    :param through: the newest event when the reading began, read before: what is committed meanwhile is left
        to the next reading.
    """
    statement: Select[Any] = (
        select(e, b.c.code.label("body_code"))
        .join(b, b.c.id == e.c.body_id)
        .where(e.c.seq > after, e.c.seq <= through)
        .order_by(e.c.seq)
        .limit(limit)
    )
    if roster_id is not None:
        statement = statement.where(_concerns(roster_id))
    return list(connection.execute(statement))


def _concerns(roster_id: str) -> Any:
    """A member's registration: the one that bears the number, or bore it when it was put down.

    What concerns no registration concerns all members of its body.
    """
    on_roster = m.c.roster_id == roster_id
    numbered = and_(r.c.body_id == m.c.body_id, r.c.number_key == m.c.number_key)
    own = union(
        select(r.c.id).join(m, numbered).where(on_roster),
        select(m.c.registration_id).where(on_roster, m.c.registration_id.is_not(None)),
    )
    of_body = select(m.c.body_id).where(on_roster)
    return or_(e.c.registration_id.in_(own), and_(e.c.registration_id.is_(None), e.c.body_id.in_(of_body)))
