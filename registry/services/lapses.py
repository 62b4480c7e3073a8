"""Lapses as registrars work through them: what is amiss, what is coming, who has seen to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter

from sqlalchemy import Connection

from registry.domain.lapses import state_of
from registry.domain.localtime import local_date
from registry.domain.vocabulary import AmendmentSubject, LapseKind, LapseState
from registry.errors import Conflict, Invalid, NotFound
from registry.store import entries
from registry.store import lapses as store
from registry.store.amendments import Subject, add_amendment
from registry.store.lapses import Filter, Holder, StoredLapse
from registry.store.records import Body, body_of, find_body


@dataclass(frozen=True, slots=True)
class LapseQuestion:
    """Which lapses are asked for.

    :param body_id: of one body; ``None`` for all.
    :param first: lapses that begin on this local day or later; ``last``: or earlier.
    :param within_days: those that are coming within so many days.
    """

    body_id: str | None = None
    kind: LapseKind | None = None
    first: date | None = None
    last: date | None = None
    state: LapseState | None = None
    within_days: int | None = None


@dataclass(frozen=True, slots=True)
class LapseItem:
    """A lapse on a body's present day.

    :param days_until: days until it begins; ``None`` once it has begun.
    :param days_amiss: days that it has lasted so far, today included; ``None`` while it is coming.
    :param resolved_by: of a resolved one, the decision that ended it or took it away, where one did.
    """

    lapse: StoredLapse
    body: Body
    holder: Holder
    state: LapseState
    today: date
    days_until: int | None
    days_amiss: int | None
    resolved_by: str | None


def list_lapses(
    connection: Connection,
    question: LapseQuestion,
    *,
    after: tuple[date, str] | None,
    limit: int,
    at: datetime,
) -> list[LapseItem]:
    """Lapses by their first day; of several bodies, each by its own calendar.

    :param after: the place (first day, identifier) of the last one seen; ``None`` for the beginning.
    :param at: the present instant (UTC).
    :raises registry.errors.NotFound: there is no such body.
    :raises registry.errors.Invalid: ``first`` lies after ``last``.
    """
    if question.first is not None and question.last is not None and question.first > question.last:
        detail = f"Give a day from {question.first} on."
        raise Invalid(f"to: {detail}", [{"parameter": "to", "detail": detail}])
    bodies = _bodies(connection, question.body_id)
    found: list[StoredLapse] = []
    for body in bodies:
        wanted = _filter(question, local_date(at, body.zone))
        found.extend(store.page_of_lapses(connection, body.id, wanted, after, limit))
    found.sort(key=attrgetter("place"))
    return list(_items(connection, found[:limit], bodies, at))


def _bodies(connection: Connection, body_id: str | None) -> list[Body]:
    if body_id is None:
        return [body_of(row) for row in entries.all_bodies(connection)]
    body = find_body(connection, body_id)
    if body is None:
        raise NotFound(f"No body is kept under the identifier {body_id}.")
    return [body]


def _filter(question: LapseQuestion, today: date) -> Filter:
    first, last = question.first, question.last
    if question.within_days is not None:
        tomorrow = today + timedelta(days=1)
        horizon = today + timedelta(days=question.within_days)
        first = tomorrow if first is None else max(first, tomorrow)
        last = horizon if last is None else min(last, horizon)
    return Filter(today, question.kind, first, last, question.state)


def _items(
    connection: Connection, found: Sequence[StoredLapse], bodies: Iterable[Body], at: datetime
) -> Iterator[LapseItem]:
    by_id = {body.id: body for body in bodies}
    holders = store.holders(connection, (lapse.registration_id for lapse in found))
    for lapse in found:
        body = by_id[lapse.body_id]
        yield _item(lapse, body, holders[lapse.registration_id], local_date(at, body.zone))


def _item(lapse: StoredLapse, body: Body, holder: Holder, today: date) -> LapseItem:
    state = state_of(
        (lapse.since, lapse.until),
        today,
        resolved=lapse.resolved_at is not None,
        acknowledged=lapse.acknowledged_at is not None,
    )
    begun = lapse.since <= today
    last = today if lapse.until is None else min(lapse.until, today)
    return LapseItem(
        lapse,
        body,
        holder,
        state,
        today,
        days_until=None if begun else (lapse.since - today).days,
        days_amiss=(last - lapse.since).days + 1 if begun else None,
        resolved_by=(lapse.resolved_by or lapse.ended_by) if state is LapseState.RESOLVED else None,
    )


def get_lapse(connection: Connection, lapse_id: str, *, at: datetime, to_change: bool = False) -> LapseItem:
    """One lapse.

    :param to_change: hold it until the transaction ends.
    :raises registry.errors.NotFound: there is none.
    """
    lapse = store.find_lapse(connection, lapse_id, to_change=to_change)
    if lapse is None:
        raise NotFound(f"No lapse is kept under the identifier {lapse_id}; it may have been averted.")
    return next(_items(connection, [lapse], _bodies(connection, lapse.body_id), at))


def acknowledge_lapse(
    tx: Connection, item: LapseItem, note: str | None, *, by: str, at: datetime
) -> LapseItem:
    """Note that a registrar has seen a lapse, begun or coming. The same again changes nothing.

    :param item: as held in this transaction.
    :raises registry.errors.Conflict: it is resolved, or was acknowledged by another or in other words.
    """
    lapse = item.lapse
    if lapse.acknowledged_at is not None:
        if (lapse.acknowledged_by, lapse.note) == (by, note):
            return item
        raise Conflict("This lapse was acknowledged already; reopen it to note something else.")
    if item.state is LapseState.RESOLVED:
        raise Conflict("This lapse is resolved; there is nothing to acknowledge.")
    store.note_acknowledgement(tx, lapse.id, at=at, by=by, note=note)
    return get_lapse(tx, lapse.id, at=at)


def reopen_lapse(tx: Connection, item: LapseItem, *, by: str, at: datetime) -> LapseItem:
    """Take an acknowledgement back; what it said is kept with the corrections of the registration.

    :param item: as held in this transaction; one that nobody acknowledged is left as it is.
    """
    lapse = item.lapse
    if lapse.acknowledged_at is None:
        return item
    noted = {"by": lapse.acknowledged_by, "at": lapse.acknowledged_at.isoformat(), "note": lapse.note}
    told = {"lapse": {"id": lapse.id, "kind": lapse.kind.value, "since": lapse.since.isoformat(), **noted}}
    subject = Subject(AmendmentSubject.REGISTRATION, lapse.registration_id)
    add_amendment(tx, subject, {"acknowledgement": (told, None)}, reason=None, by=by, at=at)
    store.note_acknowledgement(tx, lapse.id, at=None, by=None, note=None)
    return get_lapse(tx, lapse.id, at=at)
