"""Reading the feed: every event, in the one order in which they were numbered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, or_, select, union

from . import tables
from .roster_tables import roster_members, rosters

b, e, r, m, o = tables.bodies, tables.events, tables.registrations, roster_members, rosters


def newest_event(connection: Connection) -> tuple[int, str]:
    """The number and the identifier of the newest event; ``(0, "")`` while there is none."""
    row = connection.execute(select(e.c.seq, e.c.id).order_by(e.c.seq.desc()).limit(1)).one_or_none()
    return (0, "") if row is None else (row.seq, row.id)


def event_id(connection: Connection, seq: int) -> str | None:
    """The identifier of the event of that number."""
    return connection.execute(select(e.c.id).where(e.c.seq == seq)).scalar_one_or_none()


def events_between(
    connection: Connection,
    after: int,
    through: int,
    limit: int,
    *,
    reader_id: str,
    roster_id: str | None = None,
) -> list[Row[Any]]:
    """What the holder of a key may see, by number, after one and through another.

    :param through: the newest event when the reading began, read before: what is committed meanwhile is left
        to the next reading.
    :param roster_id: only what concerns those whom it names, and what nobody but the reader may see.
    """
    seen = or_(e.c.audience.is_(None), e.c.audience == reader_id)
    statement = _events().where(e.c.seq > after, e.c.seq <= through, seen).order_by(e.c.seq).limit(limit)
    if roster_id is not None:
        statement = statement.where(or_(e.c.audience == reader_id, _concerns(roster_id)))
    return list(connection.execute(statement))


def every_event_between(connection: Connection, after: int, through: int, limit: int) -> list[Row[Any]]:
    """Events by number, after one and through another, whoever may see them."""
    between = e.c.seq > after, e.c.seq <= through
    return list(connection.execute(_events().where(*between).order_by(e.c.seq).limit(limit)))


def events_of_ids(connection: Connection, ids: Sequence[str]) -> list[Row[Any]]:
    """Events by their identifiers, whoever may see them, in the order of the feed."""
    return list(connection.execute(_events().where(e.c.id.in_(ids)).order_by(e.c.seq)))


def rosters_concerned(
    connection: Connection, after: int, through: int, roster_ids: Sequence[str]
) -> set[tuple[str, int]]:
    """Which events between two numbers concern which of these rosters: :func:`_concerns` for many at once."""
    between = and_(e.c.seq > after, e.c.seq <= through)
    numbered = and_(m.c.body_id == r.c.body_id, m.c.number_key == r.c.number_key)
    chosen = m.c.roster_id.in_(roster_ids)
    registered = select(m.c.roster_id, e.c.seq).join_from(e, r, r.c.id == e.c.registration_id)
    put_down = select(m.c.roster_id, e.c.seq).join_from(e, m, m.c.registration_id == e.c.registration_id)
    follows_body = exists().where(m.c.roster_id == o.c.id, m.c.body_id == e.c.body_id)
    of_body = select(o.c.id, e.c.seq).join_from(e, o, and_(o.c.id.in_(roster_ids), follows_body))
    found = union(
        registered.join(m, numbered).where(between, chosen),
        put_down.where(between, chosen),
        of_body.where(between, e.c.registration_id.is_(None)),
    )
    return {(roster_id, seq) for roster_id, seq in connection.execute(found)}


def _events() -> Select[Any]:
    return select(e, b.c.code.label("body_code")).join(b, b.c.id == e.c.body_id, isouter=True)


def _concerns(roster_id: str) -> ColumnElement[bool]:
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


def first_event_after(connection: Connection, seq: int) -> datetime | None:
    """When the event was recorded that follows a number (UTC)."""
    statement = select(e.c.occurred_at).where(e.c.seq > seq).order_by(e.c.seq).limit(1)
    return connection.execute(statement).scalar_one_or_none()
