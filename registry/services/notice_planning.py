"""Which notices a body's day calls for: queued once each, or noted as passed over, or cancelled.

A body's mark says which local day is planned for and which event was the newest. On a new day everything near
the end of a term is looked at; on the same day, only what events tell of. A run may be killed anywhere, and
several may run at once: what is queued is unique by its key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.notices import (
    THRESHOLDS,
    TOLD_OF_SUSPENSION,
    NoticeKind,
    NoticeState,
    suspension_notice,
    term_notice,
    threshold_on,
)
from registry.domain.timeline import Timeline
from registry.store import notices as store
from registry.store.contacts import recipients_of
from registry.store.notices import Key, Mark, NewNotice, StoredNotice, Subject
from registry.store.records import Body
from registry.store.sweep import StoredEntry, entries_of

from .sweep import timeline_in

Begin = Callable[[], AbstractContextManager[Connection]]
"""Begins a transaction that writes."""

PAGE = 1000
"""Subjects, or events, in one transaction."""

HORIZON = timedelta(days=max(THRESHOLDS))


@dataclass(slots=True)
class Planned:
    """What a run did for one body."""

    code: str
    queued: int = 0
    cancelled: int = 0


def plan(begin: Begin, body: Body, *, at: datetime) -> Planned:
    """Queue what a body's present day calls for, and cancel what it does not call for any more.

    :param begin: begins a transaction; a run is several.
    :param at: the present instant (UTC).
    """
    today, planned = local_date(at, body.zone), Planned(body.code)
    with begin() as tx:
        mark, newest = store.find_mark(tx, body.id), store.newest_seq(tx)
    if mark is None or mark.planned_on < today:
        _plan_day(begin, body, mark, today, planned, at)
        with begin() as tx:
            planned.queued += store.put(tx, list(_digests(tx, body, today)), at=at)
            store.note_mark(tx, body.id, Mark(today, newest))
    elif mark.after_seq < newest:
        _plan_touched(begin, body, mark, newest, planned, at)
    return planned


def _plan_day(
    begin: Begin, body: Body, mark: Mark | None, today: date, planned: Planned, at: datetime
) -> None:
    """Everything that a new day calls for, with what the days since the last one would have."""
    first = today if mark is None else mark.planned_on
    begun = today - TOLD_OF_SUSPENSION if mark is None else max(first, today - TOLD_OF_SUSPENSION)
    for find, bounds, make in (
        (store.ending_between, (first, today + HORIZON), _of_terms),
        (store.beginning_between, (begun, today), _of_suspensions),
    ):
        place: Subject | None = None
        while True:
            with begin() as tx:
                page = find(tx, body.id, *bounds, place, PAGE)
                planned.queued += store.put(tx, _new(tx, make(tx, body, page, today)), at=at)
            if len(page) < PAGE:
                break
            place = page[-1]
    with begin() as tx:
        planned.cancelled += _settle(tx, store.queued_of(tx, body.id), today, at)


def _plan_touched(begin: Begin, body: Body, mark: Mark, newest: int, planned: Planned, at: datetime) -> None:
    """What events since the mark call for."""
    seq, today = mark.after_seq, local_date(at, body.zone)
    while seq < newest:
        with begin() as tx:
            ids, seq = store.touched_since(tx, body.id, seq, newest, PAGE)
            ending = [one for one in store.spans_of(tx, ids) if today <= one.day <= today + HORIZON]
            planned.queued += store.put(tx, _new(tx, _of_terms(tx, body, ending, today)), at=at)
            on_day = store.subjects_of(tx, ids, today)
            planned.queued += store.put(tx, _new(tx, _of_suspensions(tx, body, on_day, today)), at=at)
            planned.cancelled += _settle(tx, store.queued_of(tx, body.id, ids), today, at)
            store.note_mark(tx, body.id, Mark(today, seq))


def _new(tx: Connection, wanted: Iterable[NewNotice]) -> list[NewNotice]:
    """Those of which nothing is kept yet."""
    found = list(wanted)
    known = store.known_keys(tx, (one.key for one in found))
    return [one for one in found if one.key not in known]


def _of_terms(tx: Connection, body: Body, page: Sequence[Subject], today: date) -> Iterator[NewNotice]:
    for subject, timeline in _timelines(tx, page):
        found = term_notice(timeline, today, subject.day)
        if found is None:
            continue
        for threshold in (*found.passed, *(() if found.threshold is None else (found.threshold,))):
            is_due = threshold == found.threshold
            yield NewNotice(
                Key(NoticeKind.TERM_ENDS, subject.subject_id, subject.day, threshold),
                body.id,
                subject.registration_id,
                subject.authorization_id,
                NoticeState.QUEUED if is_due else NoticeState.PASSED_OVER,
            )


def _of_suspensions(tx: Connection, body: Body, page: Sequence[Subject], today: date) -> Iterator[NewNotice]:
    for subject, timeline in _timelines(tx, page):
        since = suspension_notice(timeline, today)
        if since is not None:
            yield NewNotice(
                Key(NoticeKind.SUSPENDED, subject.subject_id, since),
                body.id,
                subject.registration_id,
                subject.authorization_id,
            )


def _timelines(tx: Connection, page: Sequence[Subject]) -> Iterator[tuple[Subject, Timeline]]:
    entries = entries_of(tx, {subject.registration_id for subject in page})
    documents = {id_: json.loads(entry.document) for id_, entry in entries.items()}
    for subject in page:
        if subject.registration_id in documents:
            yield subject, timeline_in(documents[subject.registration_id], subject.authorization_id)


def _digests(tx: Connection, body: Body, today: date) -> Iterator[NewNotice]:
    for recipient in recipients_of(tx, body.id):
        yield NewNotice(Key(NoticeKind.DIGEST, recipient.id, today), body.id)


def _settle(tx: Connection, queued: Sequence[StoredNotice], today: date, at: datetime) -> int:
    """Settle what is queued and not due any more; how many."""
    entries = entries_of(tx, (one.registration_id for one in queued if one.registration_id is not None))
    settled = 0
    for one in queued:
        state = still_due(one, entries, today)
        if state is not None:
            settled += store.settle(tx, one, {"state": state, "settled_at": at})
    return settled


def still_due(one: StoredNotice, entries: Mapping[str, StoredEntry], today: date) -> NoticeState | None:
    """``None`` for a message that is still due on a local day; else what becomes of it.

    It is passed over where its time has gone by, and cancelled where the register does not call for it any
    more: a term was extended, a suspension is over.
    """
    if one.key.kind is NoticeKind.DIGEST:
        return None if one.key.day == today else NoticeState.PASSED_OVER
    entry = entries.get(one.registration_id or "")
    if entry is None:
        return NoticeState.CANCELLED
    timeline = timeline_in(json.loads(entry.document), one.authorization_id)
    if one.key.kind is NoticeKind.SUSPENDED:
        return None if suspension_notice(timeline, today) == one.key.day else NoticeState.CANCELLED
    if term_notice(timeline, today, one.key.day) is None:
        return NoticeState.CANCELLED
    return None if threshold_on(today, one.key.day) == one.key.threshold else NoticeState.PASSED_OVER
