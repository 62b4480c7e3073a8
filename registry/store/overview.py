"""How many registrations and authorizations of a body begin and cease to stand how, day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Select, and_, exists, func, select

from registry.domain.vocabulary import LapseKind, Standing, SubjectKind

from . import tables
from .import_tables import ImportState, import_rejects, imports

s, t = tables.spans, tables.lapses
LAPSES = {
    SubjectKind.REGISTRATION: LapseKind.REGISTRATION_LAPSED,
    SubjectKind.AUTHORIZATION: LapseKind.AUTHORIZATION_LAPSED,
}
COUNT = func.count().label("number")
COMPARED = (ImportState.PREVIEWED, ImportState.APPLIED)


Turns = Mapping[tuple[SubjectKind, Standing], Sequence[tuple[date, int]]]
"""By kind and standing: from which local days so many more of them stand so, in the order of the days."""


def beginnings(connection: Connection, body_id: str) -> Turns:
    """How many begin to stand how, by day."""
    group = (s.c.subject_kind, s.c.standing, s.c.first_day)
    return _turns(connection, select(*group, COUNT).where(s.c.body_id == body_id).group_by(*group), group)


def endings(connection: Connection, body_id: str) -> Turns:
    """How many stand how for the last time, by that day."""
    group = (s.c.subject_kind, s.c.standing, s.c.last_day)
    known = and_(s.c.body_id == body_id, s.c.last_day.is_not(None))
    return _turns(connection, select(*group, COUNT).where(known).group_by(*group), group)


def _turns(connection: Connection, statement: Select[Any], group: Iterable[Column[Any]]) -> Turns:
    found: dict[tuple[str, str], list[tuple[date, int]]] = defaultdict(list)
    for kind, standing, day, number in connection.execute(statement.order_by(*group)).all():
        found[kind, standing].append((day, number))
    return {(SubjectKind(kind), Standing(standing)): turns for (kind, standing), turns in found.items()}


def coming_lapses(connection: Connection, body_id: str, first: date, last: date) -> Turns:
    """How many registrations and authorizations lapse, by the day from which they are lapsed.

    What has not begun is not resolved either: a lapse that is averted is taken away.

    :param first: a local day after the body's today.
    """
    found = {}
    for kind, lapse in LAPSES.items():
        ahead = (t.c.body_id == body_id, t.c.kind == lapse, t.c.since.between(first, last))
        statement = select(t.c.since, COUNT).where(*ahead).group_by(t.c.since).order_by(t.c.since)
        rows = connection.execute(statement).all()
        found[kind, Standing.LAPSED] = [(day, number) for day, number in rows]
    return found


def imports_with_rejects(connection: Connection, body_id: str, since: datetime) -> int:
    """How many imports of a body, received since an instant (UTC), were compared and have rejected rows."""
    rejected = exists().where(import_rejects.c.import_id == imports.c.id)
    wanted = and_(imports.c.body_id == body_id, imports.c.received_at >= since)
    statement = (
        select(func.count()).select_from(imports).where(wanted, imports.c.state.in_(COMPARED), rejected)
    )
    return connection.execute(statement).scalar_one()
