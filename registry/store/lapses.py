"""Reading lapses page by page, and what registrars note on them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    Select,
    and_,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.sql import ColumnElement

from registry.clock import new_id
from registry.domain.vocabulary import LapseKind, LapseState, NameKind
from registry.errors import Stale

from . import tables
from .bulk import among

t = tables.lapses
CHANGED = "This lapse was changed by someone else in the meantime; read it again."


class Order(StrEnum):
    """How a list of lapses may be sorted; within the same, by first day."""

    FIRST_DAY = "first_day"
    NUMBER = "number"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class StoredLapse:
    """A lapse with what registrars noted on it.

    :param ended_by: the decision whose effect ends it; ``resolved_by`` the one on record as its resolution.
    :param noticed_at: when what was recorded first led to it, or led to it again; ``None`` where not known.
    :param assigned_to: whom it is left to, as the audit names them.
    :param version: counts what registrars did to it.
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
    noticed_at: datetime | None
    assigned_to: str | None
    version: int

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


Since = tuple[date, datetime]
"""A local day, and the instant (UTC) at which it began."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lapses of a body are asked for.

    :param today: the body's present day, which the states depend on.
    :param first: the first day on which a lapse may begin; ``last`` the last; ``None`` for no bound.
    :param assigned_to: left to this principal; :data:`NOBODY`: to nobody.
    :param new_since: begun by today, and on this local day or later or known since this instant (UTC) only.
    """

    today: date
    kind: LapseKind | None = None
    first: date | None = None
    last: date | None = None
    state: LapseState | None = None
    assigned_to: str | None = None
    new_since: Since | None = None


NOBODY = ""
"""Of whom lapses are assigned to, in a filter."""


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
    if wanted.assigned_to is not None:
        yield t.c.assigned_to == wanted.assigned_to if wanted.assigned_to else t.c.assigned_to.is_(None)
    if wanted.new_since is not None:
        yield is_new(wanted.today, wanted.new_since)
    if after is not None:
        yield tuple_(since, t.c.id) > tuple_(*after)


def is_new(today: date, since: Since) -> ColumnElement[bool]:
    """Whether a lapse runs today, and did not before a day: it began then, or was not known of till then."""
    first_day, instant = since
    return and_(in_running(today), t.c.since <= today, or_(t.c.since >= first_day, t.c.noticed_at >= instant))


def in_running(today: date) -> ColumnElement[bool]:
    """Whether a lapse is not over on a body's present day."""
    return and_(t.c.resolved_at.is_(None), or_(t.c.until.is_(None), t.c.until >= today))


def in_state(state: LapseState, today: date) -> ColumnElement[bool]:
    """:func:`registry.domain.lapses.state_of`, for the index to find by; a test holds the two equal."""
    if state is LapseState.RESOLVED:
        return or_(t.c.resolved_at.is_not(None), t.c.until < today)
    running = in_running(today)
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
        row["noticed_at"],
        row["assigned_to"],
        row["version"],
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
    tx: Connection, seen: StoredLapse, *, at: datetime | None, by: str | None, note: str | None
) -> None:
    """Write (or, with ``None``, take away) that a registrar has seen a lapse.

    :raises registry.errors.Stale: somebody else has changed it since it was read.
    """
    _change(tx, seen, {"acknowledged_at": at, "acknowledged_by": by, "note": note})


def assign(tx: Connection, seen: StoredLapse, to: str | None) -> None:
    """Leave a lapse to somebody, or (``None``) to nobody.

    :raises registry.errors.Stale: somebody else has changed it since it was read.
    """
    _change(tx, seen, {"assigned_to": to})


def _change(tx: Connection, seen: StoredLapse, values: Mapping[str, Any]) -> None:
    same = (t.c.id == seen.id) & (t.c.version == seen.version)
    if tx.execute(update(t).where(same).values(version=t.c.version + 1, **values)).rowcount != 1:
        raise Stale(CHANGED)


@dataclass(frozen=True, slots=True)
class LapseNote:
    """What a registrar wrote about a lapse."""

    id: str
    lapse_id: str
    text: str
    recorded_at: datetime
    recorded_by: str


def add_note(tx: Connection, seen: StoredLapse, text: str, *, by: str, at: datetime) -> None:
    """Write a note about a lapse.

    :raises registry.errors.Stale: somebody else has changed it since it was read.
    """
    _change(tx, seen, {})
    row = {"id": new_id(), "lapse_id": seen.id, "registration_id": seen.registration_id, "text": text}
    tx.execute(insert(tables.lapse_notes), [{**row, "recorded_at": at, "recorded_by": by}])


def list_notes(connection: Connection, lapse_ids: Sequence[str]) -> dict[str, list[LapseNote]]:
    """The notes on these lapses, by lapse, in the order in which they were written."""
    n = tables.lapse_notes
    columns = (n.c.id, n.c.lapse_id, n.c.text, n.c.recorded_at, n.c.recorded_by)
    found: dict[str, list[LapseNote]] = {}
    statement = select(*columns).where(among(connection, n.c.lapse_id, lapse_ids)).order_by(n.c.id)
    for row in connection.execute(statement):
        found.setdefault(row.lapse_id, []).append(LapseNote(*row))
    return found


def count_notes(connection: Connection, lapse_ids: Sequence[str]) -> dict[str, int]:
    """How many notes there are, by lapse."""
    n = tables.lapse_notes
    statement = select(n.c.lapse_id, func.count()).where(among(connection, n.c.lapse_id, lapse_ids))
    return {row[0]: row[1] for row in connection.execute(statement.group_by(n.c.lapse_id))}


def find_lapses(tx: Connection, lapse_ids: Sequence[str], *, to_change: bool = False) -> list[StoredLapse]:
    """Those of these lapses that are there, by identifier; ``to_change`` holds them."""
    statement: Select[Any] = select(t).where(among(tx, t.c.id, lapse_ids)).order_by(t.c.id)
    if to_change:
        statement = statement.with_for_update()
    return [_stored(row) for row in tx.execute(statement).mappings()]


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many lapses of a body stand how, today."""

    open: int
    acknowledged: int
    new: int


def count_queue(connection: Connection, body_id: str, today: date, new_since: Since) -> QueueCounts:
    """How many lapses have begun and are not over: unseen, seen, and new; at most so many are counted."""
    first_day, instant = new_since
    own, begun = t.c.body_id == body_id, t.c.since <= today

    def bounded(*conditions: ColumnElement[bool]) -> int:
        counted = select(t.c.id).where(own, begun, in_running(today), *conditions).limit(MOST_COUNTED)
        return int(connection.execute(select(func.count()).select_from(counted.subquery())).scalar_one())

    recent = bounded(t.c.since >= first_day)
    noticed = bounded(t.c.noticed_at >= instant, t.c.since < first_day)
    seen = t.c.acknowledged_at
    return QueueCounts(
        bounded(seen.is_(None)), bounded(seen.is_not(None)), min(recent + noticed, MOST_COUNTED)
    )


MOST_COUNTED = 10_000
"""Lapses of a kind that are counted; nobody works through more."""


def are_more_than(connection: Connection, body_id: str, wanted: Filter, most: int) -> bool:
    """Whether more lapses of a body fit than so many; no further are they counted."""
    condition = true() if wanted.state is None else in_state(wanted.state, wanted.today)
    fitting = select(t.c.id).where(t.c.body_id == body_id, condition, *_bounds(wanted, None, t.c.since))
    counted = select(func.count()).select_from(fitting.limit(most + 1).subquery())
    return int(connection.execute(counted).scalar_one()) > most


SortPlace = tuple[str, str]
"""Where a lapse stands in a list by number or name: what it is sorted by, and its identifier."""


def sorted_page(
    connection: Connection,
    body_id: str,
    wanted: Filter,
    order: Order,
    after: SortPlace | None,
    limit: int,
    *,
    down: bool = False,
) -> list[tuple[str, StoredLapse]]:
    """The lapses of a body in an order of choice, each with what it is sorted by.

    :param down: the last one first.
    """
    key, source = _sorted_by(order)
    condition = true() if wanted.state is None else in_state(wanted.state, wanted.today)
    bounds = list(_bounds(wanted, None, t.c.since))
    by = tuple_(key, t.c.id)
    if after is not None:
        dated = order is Order.FIRST_DAY
        place = tuple_(date.fromisoformat(after[0]) if dated else after[0], after[1])
        bounds.append(by < place if down else by > place)
    statement = select(key.label("sorted_by"), *t.c).select_from(source)
    statement = statement.where(t.c.body_id == body_id, condition, *bounds)
    order_by = (key.desc(), t.c.id.desc()) if down else (key, t.c.id)
    rows = connection.execute(statement.order_by(*order_by).limit(limit)).mappings()
    return [(str(row["sorted_by"]), _stored(row)) for row in rows]


def _sorted_by(order: Order) -> tuple[ColumnElement[Any], Any]:
    r, n = tables.registrations, tables.practitioner_names
    held = t.join(r, r.c.id == t.c.registration_id)
    if order is Order.NUMBER:
        return r.c.number_key, held
    if order is Order.NAME:
        current = and_(n.c.kind == NameKind.PUBLISHED, n.c.ended_at.is_(None))
        published = and_(n.c.practitioner_id == r.c.practitioner_id, current)
        family = func.coalesce(n.c.family, n.c.full_name, "")
        return func.lower(family + " " + func.coalesce(n.c.given, "")), held.join(n, published, isouter=True)
    return t.c.since, t
