"""Lapses as registrars work through them: what is amiss, what is coming, who has seen to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from operator import attrgetter

from sqlalchemy import Connection

from registry.domain.lapses import state_of
from registry.domain.localtime import ONE_DAY, day_begins, local_date
from registry.domain.notices import NOT_REACHED
from registry.domain.vocabulary import AmendmentSubject, LapseKind, LapseState
from registry.errors import Conflict, Invalid, NotFound, RegistryError, Stale
from registry.store import entries
from registry.store import lapses as store
from registry.store.amendments import Subject, add_amendment
from registry.store.lapses import Filter, Holder, LapseNote, Order, QueueCounts, Since, SortPlace, StoredLapse
from registry.store.notices import StoredNotice, reached
from registry.store.records import Body, body_of, find_body

MOST_SORTED = 10_000
"""Lapses that are sorted by whom they are about."""


@dataclass(frozen=True, slots=True)
class LapseQuestion:
    """Which lapses are asked for.

    :param body_id: of one body; ``None`` for all.
    :param first: lapses that begin on this local day or later; ``last``: or earlier.
    :param within_days: those that are coming within so many days.
    :param assigned_to: left to this principal; ``""``: to nobody.
    :param new: only those that the queue did not hold before yesterday (:func:`yesterday`).
    """

    body_id: str | None = None
    kind: LapseKind | None = None
    first: date | None = None
    last: date | None = None
    state: LapseState | None = None
    within_days: int | None = None
    assigned_to: str | None = None
    new: bool = False


def yesterday(today: date, zone: str) -> Since:
    """The day before a body's present one, and when it began: what came since then is new."""
    before = today - ONE_DAY
    return before, day_begins(before, zone)


@dataclass(frozen=True, slots=True)
class LapseItem:
    """A lapse on a body's present day.

    :param days_until: days until it begins; ``None`` once it has begun.
    :param days_amiss: days that it has lasted so far, today included; ``None`` while it is coming.
    :param notice: of a term that ends, the notice nearest to its end that was to be sent, if any.
    :param resolved_by: of a resolved one, the decision that ended it or took it away, where one did.
    :param is_new: whether the queue did not hold it before yesterday.
    """

    lapse: StoredLapse
    body: Body
    holder: Holder
    state: LapseState
    today: date
    days_until: int | None
    days_amiss: int | None
    resolved_by: str | None
    is_new: bool = False
    notice: StoredNotice | None = None

    @property
    def not_reached(self) -> bool:
        """Whether nobody can say that the holder was told that the term ends."""
        return self.notice is not None and self.notice.state in NOT_REACHED


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
    _refuse_backwards(question)
    bodies = _bodies(connection, question.body_id)
    found: list[StoredLapse] = []
    for body in bodies:
        wanted = _filter(question, local_date(at, body.zone), body)
        found.extend(store.page_of_lapses(connection, body.id, wanted, after, limit))
    found.sort(key=attrgetter("place"))
    return list(_items(connection, found[:limit], bodies, at))


def _refuse_backwards(question: LapseQuestion) -> None:
    if question.first is not None and question.last is not None and question.first > question.last:
        detail = f"Give a day from {question.first} on."
        raise Invalid(f"to: {detail}", [{"parameter": "to", "detail": detail}])


def sort_lapses(
    connection: Connection,
    question: LapseQuestion,
    order: Order,
    *,
    after: SortPlace | None,
    limit: int,
    at: datetime,
    down: bool = False,
) -> list[tuple[SortPlace, LapseItem]]:
    """Lapses of one body in an order of the reader's choice, each with its place in it.

    :param down: the last one first.
    :param after: the place of the last one seen; ``None`` for the beginning.
    :param at: the present instant (UTC).
    :raises registry.errors.Invalid: ``first`` lies after ``last``, or no body is named.
    """
    _refuse_backwards(question)
    if question.body_id is None:
        raise Invalid("Say of which body: only the lapses of one can be sorted.")
    bodies = _bodies(connection, question.body_id)
    wanted = _filter(question, local_date(at, bodies[0].zone), bodies[0])
    if order is Order.FIRST_DAY and not down:  # along the indexes of the states
        place = None if after is None else (date.fromisoformat(after[0]), after[1])
        along = store.page_of_lapses(connection, bodies[0].id, wanted, place, limit)
        items = _items(connection, along, bodies, at)
        return [((item.lapse.since.isoformat(), item.lapse.id), item) for item in items]
    found = store.sorted_page(connection, bodies[0].id, wanted, order, after, limit, down=down)
    items = _items(connection, [lapse for _, lapse in found], bodies, at)
    return [((key, item.lapse.id), item) for (key, _), item in zip(found, items, strict=True)]


def are_too_many_to_sort(connection: Connection, question: LapseQuestion, *, at: datetime) -> bool:
    """Whether so many lapses of one body fit that they are shown by their first day alone.

    What they are sorted by otherwise is read for each of them: a page would take longer the more there are.

    :param at: the present instant (UTC).
    """
    (body,) = _bodies(connection, question.body_id)
    wanted = _filter(question, local_date(at, body.zone), body)
    return store.are_more_than(connection, body.id, wanted, MOST_SORTED)


def count_queue(connection: Connection, body: Body, *, at: datetime) -> QueueCounts:
    """How many of a body's lapses wait for somebody, were seen, and are new since yesterday."""
    today = local_date(at, body.zone)
    return store.count_queue(connection, body.id, today, yesterday(today, body.zone))


def _bodies(connection: Connection, body_id: str | None) -> list[Body]:
    if body_id is None:
        return [body_of(row) for row in entries.all_bodies(connection)]
    body = find_body(connection, body_id)
    if body is None:
        raise NotFound(f"No body is kept under the identifier {body_id}.")
    return [body]


def _filter(question: LapseQuestion, today: date, body: Body) -> Filter:
    first, last = question.first, question.last
    if question.within_days is not None:
        tomorrow = today + timedelta(days=1)
        horizon = today + timedelta(days=question.within_days)
        first = tomorrow if first is None else max(first, tomorrow)
        last = horizon if last is None else min(last, horizon)
    new_since = yesterday(today, body.zone) if question.new else None
    return Filter(today, question.kind, first, last, question.state, question.assigned_to, new_since)


def _items(
    connection: Connection, found: Sequence[StoredLapse], bodies: Iterable[Body], at: datetime
) -> Iterator[LapseItem]:
    by_id = {body.id: body for body in bodies}
    holders = store.holders(connection, (lapse.registration_id for lapse in found))
    notices = reached(connection, {term for term in map(_term, found) if term is not None})
    for lapse in found:
        body, term = by_id[lapse.body_id], _term(lapse)
        item = _item(lapse, body, holders[lapse.registration_id], local_date(at, body.zone))
        yield item if term is None else replace(item, notice=notices.get(term))


def _term(lapse: StoredLapse) -> tuple[str, date] | None:
    """Of a lapse that the end of a term brings, whose and when."""
    if lapse.kind not in (LapseKind.REGISTRATION_LAPSED, LapseKind.AUTHORIZATION_LAPSED):
        return None
    through = lapse.why.get("term_through")
    subject = lapse.authorization_id or lapse.registration_id
    return (subject, date.fromisoformat(through)) if through else None


def _item(lapse: StoredLapse, body: Body, holder: Holder, today: date) -> LapseItem:
    state = state_of(
        (lapse.since, lapse.until),
        today,
        resolved=lapse.resolved_at is not None,
        acknowledged=lapse.acknowledged_at is not None,
    )
    begun = lapse.since <= today
    first_day, instant = yesterday(today, body.zone)
    recent = lapse.since >= first_day or (lapse.noticed_at is not None and lapse.noticed_at >= instant)
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
        is_new=begun and recent and state is not LapseState.RESOLVED,
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
    store.note_acknowledgement(tx, lapse, at=at, by=by, note=note)
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
    store.note_acknowledgement(tx, lapse, at=None, by=None, note=None)
    return get_lapse(tx, lapse.id, at=at)


def assign_lapse(tx: Connection, item: LapseItem, to: str | None, *, by: str, at: datetime) -> LapseItem:
    """Leave a lapse to somebody of the body, or (``None``) to nobody. Whom it was left to before is kept.

    :param item: as held in this transaction.
    :param to: as the audit names them; whether they are of the body is the caller's to see.
    :raises registry.errors.Conflict: it is resolved.
    """
    if item.lapse.assigned_to == to:
        return item
    if item.state is LapseState.RESOLVED:
        raise Conflict("This lapse is resolved; there is nothing left to do about it.")
    told = {"lapse": {"id": item.lapse.id, "kind": item.lapse.kind.value}}
    subject = Subject(AmendmentSubject.REGISTRATION, item.lapse.registration_id)
    changed = {"assigned_to": ({**told, "to": item.lapse.assigned_to}, {**told, "to": to})}
    store.assign(tx, item.lapse, to)
    add_amendment(tx, subject, changed, reason=None, by=by, at=at)
    return get_lapse(tx, item.lapse.id, at=at)


def note_on_lapse(tx: Connection, item: LapseItem, text: str, *, by: str, at: datetime) -> LapseItem:
    """Write a note about a lapse, whatever has become of it. It is never changed.

    :param item: as held in this transaction.
    """
    store.add_note(tx, item.lapse, text, by=by, at=at)
    return get_lapse(tx, item.lapse.id, at=at)


def list_notes(connection: Connection, item: LapseItem) -> list[LapseNote]:
    """What was written about a lapse, in the order in which it was."""
    return store.list_notes(connection, [item.lapse.id]).get(item.lapse.id, [])


def require_seen(item: LapseItem, version: int) -> LapseItem:
    """The same, if it is as the caller saw it.

    :raises registry.errors.Stale: somebody has changed it since.
    """
    if item.lapse.version != version:
        raise Stale(store.CHANGED)
    return item


@dataclass(frozen=True, slots=True)
class Missed:
    """A lapse of several that nothing was done about, and why."""

    lapse_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class BulkDone:
    """What came of a wish about many lapses at once."""

    done: tuple[LapseItem, ...]
    missed: tuple[Missed, ...]


def acknowledge_lapses(
    tx: Connection, body_id: str, seen: Mapping[str, int], note: str | None, *, by: str, at: datetime
) -> BulkDone:
    """Note that a registrar has seen each of these lapses of a body.

    What another has changed since it was seen, or is not there any more, is left as it is and told of; it
    keeps none of the others from being acknowledged.

    :param seen: the version that the registrar saw, by lapse.
    """
    return _with_each(tx, body_id, seen, at, lambda item: acknowledge_lapse(tx, item, note, by=by, at=at))


def assign_lapses(
    tx: Connection, body_id: str, seen: Mapping[str, int], to: str | None, *, by: str, at: datetime
) -> BulkDone:
    """Leave each of these lapses of a body to somebody, or to nobody; as :func:`acknowledge_lapses` does."""
    return _with_each(tx, body_id, seen, at, lambda item: assign_lapse(tx, item, to, by=by, at=at))


def _with_each(
    tx: Connection,
    body_id: str,
    seen: Mapping[str, int],
    at: datetime,
    act: Callable[[LapseItem], LapseItem],
) -> BulkDone:
    stored = store.find_lapses(tx, sorted(seen), to_change=True)
    own = {lapse.id: lapse for lapse in stored if lapse.body_id == body_id}
    done, missed = [], []
    for item in list(_items(tx, list(own.values()), _bodies(tx, body_id), at)):
        try:
            done.append(act(require_seen(item, seen[item.lapse.id])))
        except RegistryError as error:
            missed.append(Missed(item.lapse.id, error.detail))
    gone = sorted(seen.keys() - own.keys())
    missed += [Missed(id_, "It is not there any more; it may have been averted.") for id_ in gone]
    return BulkDone(tuple(done), tuple(missed))


def find_lapses(
    connection: Connection, body_id: str, lapse_ids: Sequence[str], *, at: datetime
) -> list[LapseItem]:
    """Those of these lapses that are there and the body's."""
    found = [one for one in store.find_lapses(connection, lapse_ids) if one.body_id == body_id]
    return list(_items(connection, found, _bodies(connection, body_id), at))


def count_notes(connection: Connection, items: Sequence[LapseItem]) -> dict[str, int]:
    """How many notes there are, by lapse."""
    return store.count_notes(connection, [item.lapse.id for item in items])
