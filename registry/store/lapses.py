"""Reading lapses page by page, and what registrars note on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, func, or_, select, true, tuple_, update
from sqlalchemy.sql import ColumnElement

from registry.domain.vocabulary import LapseKind, LapseState, NameKind

from . import tables

t = tables.lapses


@dataclass(frozen=True, slots=True)
class StoredLapse:
    """A lapse with what registrars noted on it.

    :param ended_by: the decision whose effect ends it; ``resolved_by`` the one on record as its resolution.
    """

    id: str
    body_id: str
    kind: LapseKind
    registration_id: str
    authorization_id: str | None
    since: date
    until: date | None
    why: Mapping[str, str]
    ended_by: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    resolved_at: datetime | None
    resolved_by: str | None

    @property
    def place(self) -> tuple[date, str]:
        """Where it stands in a list."""
        return (self.since, self.id)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose registration a lapse concerns. ``name`` is the published one, withheld or not."""

    number: str
    practitioner_id: str
    name: str | None
    withheld: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lapses of a body are asked for.

    :param today: the body's present day, which the states depend on.
    :param first: the first day on which a lapse may begin; ``last`` the last; ``None`` for no bound.
    """

    today: date
    kind: LapseKind | None = None
    first: date | None = None
    last: date | None = None
    state: LapseState | None = None


Place = tuple[date, str]
"""Where a lapse stands in a list: its first day, and its identifier."""

UNINDEXED = func.coalesce(t.c.since, t.c.until)
"""The first day (never null), in a form that no index is in the order of."""


def page_of_lapses(
    connection: Connection, body_id: str, wanted: Filter, after: Place | None, limit: int
) -> list[StoredLapse]:
    """The lapses of a body after a place, by their first day."""
    found: list[StoredLapse] = []
    for condition, since in _ways(wanted):
        statement = select(t).where(t.c.body_id == body_id, condition, *_bounds(wanted, after, since))
        page = connection.execute(statement.order_by(since, t.c.id).limit(limit))
        found.extend(_stored(row) for row in page.mappings())
    return sorted(found, key=attrgetter("place"))[:limit]


def _ways(wanted: Filter) -> Iterator[tuple[ColumnElement[bool], ColumnElement[date]]]:
    """The conditions on the state, each with an index of its own, and how to order by; no lapse meets two."""
    if wanted.state is None:
        yield true(), t.c.since
    elif wanted.state is LapseState.RESOLVED:
        yield t.c.resolved_at.is_not(None), t.c.since
        # What the sweep has not closed yet, a day's at most: found by the last day, not along the first.
        yield and_(t.c.resolved_at.is_(None), t.c.until < wanted.today), UNINDEXED
    else:
        yield in_state(wanted.state, wanted.today), t.c.since


def _bounds(wanted: Filter, after: Place | None, since: ColumnElement[date]) -> Iterator[ColumnElement[bool]]:
    if wanted.kind is not None:
        yield t.c.kind == wanted.kind
    if wanted.first is not None:
        yield since >= wanted.first
    if wanted.last is not None:
        yield since <= wanted.last
    if after is not None:
        yield tuple_(since, t.c.id) > tuple_(*after)


def in_state(state: LapseState, today: date) -> ColumnElement[bool]:
    """:func:`registry.domain.lapses.state_of`, for the index to find by; a test holds the two equal."""
    if state is LapseState.RESOLVED:
        return or_(t.c.resolved_at.is_not(None), t.c.until < today)
    running = and_(t.c.resolved_at.is_(None), or_(t.c.until.is_(None), t.c.until >= today))
    if state is LapseState.COMING:
        return and_(running, t.c.since > today)
    seen = t.c.acknowledged_at
    return and_(
        running, t.c.since <= today, seen.is_(None) if state is LapseState.OPEN else seen.is_not(None)
    )


def find_lapse(connection: Connection, lapse_id: str, *, to_change: bool = False) -> StoredLapse | None:
    """One lapse; ``to_change`` holds it until the transaction ends."""
    statement: Select[Any] = select(t).where(t.c.id == lapse_id)
    if to_change:
        statement = statement.with_for_update()
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _stored(row)


def _stored(row: RowMapping) -> StoredLapse:
    return StoredLapse(
        row["id"],
        row["body_id"],
        LapseKind(row["kind"]),
        row["registration_id"],
        row["authorization_id"],
        row["since"],
        row["until"],
        json.loads(row["why"]),
        row["ended_by"],
        row["acknowledged_at"],
        row["acknowledged_by"],
        row["note"],
        row["resolved_at"],
        row["resolved_by"],
    )


def holders(connection: Connection, registration_ids: Iterable[str]) -> dict[str, Holder]:
    """Whose these registrations are, by registration."""
    r, p, n = tables.registrations, tables.practitioners, tables.practitioner_names
    published = and_(n.c.practitioner_id == p.c.id, n.c.kind == NameKind.PUBLISHED, n.c.ended_at.is_(None))
    statement = (
        select(r.c.id, r.c.number, p.c.id.label("practitioner_id"), n.c.full_name, p.c.withheld)
        .join(p, p.c.id == r.c.practitioner_id)
        .join(n, published, isouter=True)
        .where(r.c.id.in_(set(registration_ids)))
    )
    return {
        row.id: Holder(row.number, row.practitioner_id, row.full_name, row.withheld)
        for row in connection.execute(statement)
    }


def note_acknowledgement(
    tx: Connection, lapse_id: str, *, at: datetime | None, by: str | None, note: str | None
) -> None:
    """Write (or, with ``None``, take away) that a registrar has seen a lapse."""
    seen = {"acknowledged_at": at, "acknowledged_by": by, "note": note}
    tx.execute(update(t).where(t.c.id == lapse_id).values(seen))
