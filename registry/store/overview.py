"""How many registrations and authorizations of a body begin and cease to stand how, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, and_, exists, func, select

from registry.domain.vocabulary import LapseKind, Standing, SubjectKind

from . import tables
from .import_tables import ImportState, import_rejects, imports

s, t = tables.spans, tables.lapses
LAPSES = {
    SubjectKind.REGISTRATION: LapseKind.REGISTRATION_LAPSED,
    SubjectKind.AUTHORIZATION: LapseKind.AUTHORIZATION_LAPSED,
}
COMPARED = (ImportState.PREVIEWED, ImportState.APPLIED)


@dataclass(frozen=True, slots=True)
class Turn:
    """A local day from which so many more (or fewer) of a kind stand so."""

    kind: SubjectKind
    standing: Standing
    day: date
    more: int


def beginnings(connection: Connection, body_id: str) -> Iterator[Turn]:
    """How many begin to stand how, by day; the days in order within a kind and a standing."""
    count = func.count().label("number")
    group = (s.c.subject_kind, s.c.standing, s.c.first_day)
    statement = select(*group, count).where(s.c.body_id == body_id).group_by(*group).order_by(*group)
    for kind, standing, day, number in connection.execute(statement):
        yield Turn(SubjectKind(kind), Standing(standing), day, number)


def endings(connection: Connection, body_id: str) -> Iterator[Turn]:
    """How many stand how for the last time, by that day; ``more`` is below zero."""
    count = func.count().label("number")
    group = (s.c.subject_kind, s.c.standing, s.c.last_day)
    known = and_(s.c.body_id == body_id, s.c.last_day.is_not(None))
    statement = select(*group, count).where(known).group_by(*group).order_by(*group)
    for kind, standing, day, number in connection.execute(statement):
        yield Turn(SubjectKind(kind), Standing(standing), day, -number)


def coming_lapses(connection: Connection, body_id: str, first: date, last: date) -> Iterator[Turn]:
    """How many registrations and authorizations lapse, by the day from which they are lapsed.

    What has not begun is not resolved either: a lapse that is averted is taken away.

    :param first: a local day after the body's today.
    """
    count = func.count().label("number")
    for kind, lapse in LAPSES.items():
        ahead = (t.c.body_id == body_id, t.c.kind == lapse, t.c.since.between(first, last))
        statement = select(t.c.since, count).where(*ahead).group_by(t.c.since).order_by(t.c.since)
        for day, number in connection.execute(statement):
            yield Turn(kind, Standing.LAPSED, day, number)


def imports_with_rejects(connection: Connection, body_id: str, since: datetime) -> int:
    """How many imports of a body, received since an instant (UTC), were compared and have rejected rows."""
    rejected = exists().where(import_rejects.c.import_id == imports.c.id)
    wanted = and_(imports.c.body_id == body_id, imports.c.received_at >= since)
    statement = (
        select(func.count()).select_from(imports).where(wanted, imports.c.state.in_(COMPARED), rejected)
    )
    return connection.execute(statement).scalar_one()
