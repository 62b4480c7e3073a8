"""The sweep: announcing what time alone brings about, once each, however late it runs.

A body's mark (``swept_through``) is the last local day that is announced. A run goes on from it to the body's
today, a page a transaction, and moves the mark as it goes; it may be killed at any moment, run on several
machines at once, or not run for years. The day of the mark itself is gone through once more with the next
day: a decision that was being recorded over midnight may have come too late for the first pass.

Whatever a decision brought to a day that had begun when it was recorded, its own event has told.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from registry.domain.announcements import EXPIRY_NOTICES, Announcement, announcements_on
from registry.domain.localtime import ONE_DAY, day_begins, local_date
from registry.domain.timeline import Timeline
from registry.domain.vocabulary import SubjectKind, Turning
from registry.errors import Invalid
from registry.store import documents
from registry.store import sweep as store
from registry.store.database import order_events
from registry.store.events import Event, add_events, announced
from registry.store.records import load_records
from registry.store.runs import SWEEP, note_run
from registry.store.sweep import Candidate, StoredEntry, Stretch, SweptBody

from .booked_checks import drop_passed
from .changed_answers import turned_answers
from .look_up import believed_answers, get_body

INSTANT = timedelta(microseconds=1)

PAGE = 1000
"""Candidates, or lapses, in one transaction."""

Begin = Callable[[], AbstractContextManager[Connection]]
"""Begins a transaction that writes."""


@dataclass(slots=True)
class Swept:
    """What a run did for one body."""

    code: str
    through: date
    announced: int = 0
    resolved: int = 0


@dataclass(frozen=True, slots=True)
class _Due:
    """An announcement and whom it concerns. ``authorization_id`` is ``None`` for the registration."""

    announcement: Announcement
    registration_id: str
    authorization_id: str | None
    number: str

    @property
    def type(self) -> str:
        kind = SubjectKind.REGISTRATION if self.authorization_id is None else SubjectKind.AUTHORIZATION
        return f"{kind.value}.{self.announcement.turning.value}"

    @property
    def subject_id(self) -> str:
        return self.authorization_id or self.registration_id

    @property
    def key(self) -> str:
        return f"{self.type}:{self.subject_id}:{self.announcement.day.isoformat()}"


@dataclass(slots=True)
class _Run:
    """How far a run has come with one body."""

    body_id: str
    at: datetime
    on: date | None
    place: tuple[date, str] | None = None
    swept: Swept | None = None


def sweep(begin: Begin, *, at: datetime, on: date | None = None) -> Iterator[Swept]:
    """Announce, body after body, what the days through today brought, and resolve lapses that are over.

    :param begin: begins a transaction; a run is many.
    :param at: the present instant (UTC).
    :param on: go no further than this local day; it must have come in every body's zone.
    :raises registry.errors.Invalid: ``on`` lies in the future of some body.
    """
    with begin() as tx:
        ids = store.body_ids(tx)
    for body_id in ids:
        run = _Run(body_id, at, on)
        while _announce_page(begin, run):
            pass
        while _resolve_page(begin, run):
            pass
        if run.swept is not None:
            yield run.swept
    if on is None:
        with begin() as tx:
            note_run(tx, SWEEP, at)


def _announce_page(begin: Begin, run: _Run) -> bool:
    """One transaction; tells whether there is more to do."""
    with begin() as tx:
        body = store.claim_body(tx, run.body_id)
        if body is None:
            return False
        today = _last_day(body, run)
        run.swept = run.swept or Swept(body.code, body.swept_through)
        if body.swept_through >= today:
            return False
        place = max(run.place or (date.min, ""), (body.swept_through, ""))
        order_events(tx)
        stretch = Stretch(body.id, place, today)
        page, is_last = store.candidates(tx, stretch, EXPIRY_NOTICES, PAGE)
        run.swept.announced += add_events(tx, list(_events(tx, body, page, run.at)))
        through = today if is_last else page[-1].day - ONE_DAY
        store.note_swept(tx, body.id, through)
        run.place = None if is_last else (page[-1].day, page[-1].subject_id)
        run.swept.through = max(run.swept.through, through)
        return not is_last


def _last_day(body: SweptBody, run: _Run) -> date:
    today = local_date(run.at, body.zone)
    if run.on is not None and run.on > today:
        raise Invalid(f"{run.on} has not come yet where {body.code} is: there it is {today}.")
    return run.on or today


def _resolve_page(begin: Begin, run: _Run) -> bool:
    if run.swept is None:
        return False
    with begin() as tx:
        body = store.claim_body(tx, run.body_id)
        if body is None:
            return False
        today = _last_day(body, run)
        resolved = store.resolve_ended(tx, body.id, today, at=run.at, limit=PAGE)
        drop_passed(tx, body.id, today)
    run.swept.resolved += resolved
    return resolved == PAGE


def _events(tx: Connection, body: SweptBody, page: Sequence[Candidate], at: datetime) -> Iterator[Event]:
    entries = store.entries_of(tx, (candidate.registration_id for candidate in page))
    told = list(_not_told(tx, body, list(_due(entries, page))))
    known = get_body(tx, body.code)
    for one in told:
        announcement, entry = one.announcement, entries[one.registration_id]
        data = _data(one)
        if announcement.days_left is None:
            answers = turned_answers(believed_answers(entry.answers, entry.document, known), announcement.day)
            data |= {"answers": answers} if answers else {}
        yield Event(
            one.type,
            body.id,
            one.registration_id,
            announcement.day,
            at,
            one.authorization_id,
            announcement.begun_by,
            data,
            one.key,
        )


def _data(due: _Due) -> dict[str, Any]:
    announcement = due.announcement
    data: dict[str, Any] = {
        "number": due.number,
        "was": announcement.was.value,
        "is": announcement.is_.value,
    }
    if announcement.term_through is not None:
        data["through"] = announcement.term_through.isoformat()
    if announcement.days_left is not None:
        data["days_left"] = announcement.days_left
    return data


def _due(entries: Mapping[str, StoredEntry], page: Sequence[Candidate]) -> Iterator[_Due]:
    """What the stored entries say that the candidates' days bring."""
    for candidate in page:
        entry = entries.get(candidate.registration_id)
        if entry is None:
            continue
        document = json.loads(entry.document)
        authorization_id = _authorization_of(candidate)
        for announcement in announcements_on(timeline_in(document, authorization_id), candidate.day):
            yield _Due(announcement, candidate.registration_id, authorization_id, document["number"])


def _authorization_of(candidate: Candidate) -> str | None:
    return None if candidate.subject_id == candidate.registration_id else candidate.subject_id


def timeline_in(document: dict[str, Any], authorization_id: str | None) -> Timeline:
    """The timeline of a registration, or of one of its authorizations, in its stored entry."""
    spans = document["registration"]
    if authorization_id is not None:
        spans = next((a["spans"] for a in document["authorizations"] if a["id"] == authorization_id), [])
    return documents.timeline_of(spans)


def _not_told(tx: Connection, body: SweptBody, due: Sequence[_Due]) -> Iterator[_Due]:
    """What no decision's own event has told: all that was bound to come when its day began, in order."""
    if not due:
        return
    days = Stretch(body.id, (due[0].announcement.day, ""), due[-1].announcement.day)
    decided = store.decided_on(tx, (one.registration_id for one in due), days)
    doubtful = [one for one in due if _is_doubtful(one, body, decided)]
    known = announced(tx, [one.key for one in doubtful])
    foreseen = {one.key: one for one in _foreseen(tx, body, [d for d in doubtful if d.key not in known])}
    plain = {one.key for one in due}.difference(one.key for one in doubtful)
    for one in due:
        if one.key in plain:
            yield one
        elif one.key in foreseen:
            yield foreseen[one.key]


def _is_doubtful(due: _Due, body: SweptBody, decided: set[tuple[str, date]]) -> bool:
    """Whether it takes all the decisions to tell that it was bound to come, and by which of them."""
    announcement = due.announcement
    if announcement.day <= body.swept_through:
        return True
    begins = announcement.turning is not Turning.EXPIRING
    return begins and (due.subject_id, announcement.day) in decided


def _foreseen(tx: Connection, body: SweptBody, due: Sequence[_Due]) -> Iterator[_Due]:
    """Those that were bound to come by what was recorded before their day began, with what began them."""
    by_registration: dict[str, list[_Due]] = defaultdict(list)
    for one in due:
        by_registration[one.registration_id].append(one)
    for record in load_records(tx, list(by_registration)):
        for one in by_registration[record.id]:
            day, subject = one.announcement.day, one.authorization_id
            foreseen = record.timeline(subject, day_begins(day, body.zone) - INSTANT)
            if any(a.turning is one.announcement.turning for a in announcements_on(foreseen, day)):
                turning = announcements_on(record.timeline(subject), day)
                same = (a for a in turning if a.turning is one.announcement.turning)
                yield replace(one, announcement=next(same, one.announcement))
