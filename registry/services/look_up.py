"""What the register answers in public: one read model, which JSON, HTML and every other form only render."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from math import ceil
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from registry.domain.localtime import day_ends, local_date
from registry.domain.names import number_key
from registry.domain.timeline import Span, Timeline
from registry.domain.verdict import (
    AuthorizationTimeline,
    Question,
    Standings,
    Verdict,
    give_verdict,
    is_yes,
    never_registered,
)
from registry.domain.vocabulary import Mode, Technique
from registry.errors import Invalid, NotFound
from registry.store import documents, ready_answers
from registry.store.database import age_of, known_as_of
from registry.store.entries import (
    BodyAndEntry,
    all_bodies,
    entries_of_practitioner,
    entry_by_number,
    lone_entry_by_number,
    resolve_practitioner,
)
from registry.store.ready_answers import Said
from registry.store.records import Body, body_of, find_registration, load_record

LONGEST_KEPT = 60
"""Seconds after which no public answer is given any more from a cache: a suspension shows by then."""

WHOLE = 1
"""Caches count whole seconds, and use what they keep through the end of the last (RFC 9111, section 4.2)."""


def longest_kept(age: float) -> int:
    """For how many seconds an answer may be kept, so that it is never older than :data:`LONGEST_KEPT`.

    :param age: of what was read for it, in seconds.
    """
    return max(0, LONGEST_KEPT - WHOLE - ceil(age))


def seconds_kept(at: datetime, zone: str, *, today: bool, age: float = 0.0) -> int:
    """For how many seconds an answer may be kept: one for "today" not beyond the body's midnight.

    :param at: the instant (UTC) at which the answer was given.
    :param age: of what was read for it, in seconds.
    """
    most = longest_kept(age)
    if not today:
        return most
    left = day_ends(local_date(at, zone), zone) - at
    return max(0, min(most, int(left.total_seconds()) - WHOLE))


@dataclass(frozen=True, slots=True)
class PublishedTraining:
    """Training that the body publishes. ``hours`` are clock hours, theory and practice together."""

    title: str
    provider: str | None
    techniques: tuple[Technique, ...]
    completed_on: date
    hours: float
    approved: bool


@dataclass(frozen=True, slots=True)
class PublishedAuthorization:
    """One authorization as it stands on the day asked for; ``techniques`` are all that it covers."""

    id: str
    span: Span
    techniques: tuple[Technique, ...]


@dataclass(frozen=True, slots=True)
class PublicEntry:
    """What the public may see of a registration. ``name`` and what else identifies is ``None`` if withheld.

    :param on: the local day that spans are given for.
    :param as_of: the instant (UTC) until which all that was recorded is in it.
    :param never_registered: whether the body, by all that is known, registered nobody by this number.
    """

    body: Body
    id: str
    number: str
    practitioner_id: str
    withheld: bool
    name: str | None
    former_names: tuple[str, ...]
    languages: tuple[str, ...]
    city: str | None
    on: date
    as_of: datetime
    registration: Span
    authorizations: tuple[PublishedAuthorization, ...]
    trainings: tuple[PublishedTraining, ...]
    never_registered: bool
    etag: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer to "may this person needle?", technique by technique, according to one body.

    :param on: the local day, in the body's zone, that the answer is for.
    :param known_at: what was known at this instant (UTC) was asked for; ``None`` for now.
    :param at: the instant (UTC) at which the answer was given: it decides what "today" is.
    :param as_of: the instant (UTC) until which all that was recorded is in the answer: not after ``at``.
    :param today: whether the day was left to the body's calendar; the answer then ends with it.
    """

    body: Body
    number: str
    practitioner_id: str | None
    name: str | None
    withheld: bool
    on: date
    mode: Mode
    known_at: datetime | None
    at: datetime
    as_of: datetime
    today: bool
    verdicts: tuple[Verdict, ...]

    @property
    def authorized(self) -> bool:
        """Whether every technique asked about is authorized."""
        return all(verdict.authorized for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Found:
    """A body, and what is stored of one of its numbers: read once, answered from many times.

    :param answers: the verdicts kept ready beside the entry, where there are any.
    :param age: how many seconds ago all that was recorded is in it for certain.
    """

    body: Body
    entry: str | None
    answers: str | None = None
    age: float = 0.0

    def fingerprint(self, *question: object) -> str:
        """Changes whenever an answer to ``question`` may have changed."""
        parts = (self.body.code, self.body.version, *question)
        seen = blake2b((self.entry or "").encode(), digest_size=12)
        seen.update(repr(parts).encode())
        return seen.hexdigest()


def find(connection: Connection, code: str, number: str) -> Found:
    """What is stored of a body's number.

    :raises registry.errors.NotFound: there is no such body.
    """
    return _found(entry_by_number(connection, code, number_key(number)), code, age_of(connection))


def find_alone(code: str, number: str) -> Found:
    """The same as :func:`find`, where nothing else is asked: as quickly as it can be read."""
    row, age = lone_entry_by_number(code, number_key(number))
    return _found(row, code, age)


def _found(row: BodyAndEntry | None, code: str, age: float) -> Found:
    if row is None:
        raise NotFound(f"No body is kept under the code {code}; GET /v1/bodies lists them.")
    return Found(body_of(row), row.entry, row.answers, age)


def standings_of(document: dict[str, Any], body: Body) -> Standings:
    """What a verdict rests on, from a stored entry."""
    return Standings(
        documents.timeline_of(document["registration"]),
        tuple(
            AuthorizationTimeline(a["id"], documents.timeline_of(a["spans"]))
            for a in document["authorizations"]
        ),
        body.rules,
    )


def believed_answers(kept: str | None, entry: str, body: Body) -> str:
    """The answers kept ready beside a stored entry; made afresh where there are none by the rules of now."""
    if kept is not None and ready_answers.by_these_rules(kept, body.rules):
        return kept
    document = orjson.loads(entry)
    return ready_answers.to_text(ready_answers.stated_of(document), standings_of(document, body))


def verify(
    found: Found,
    number: str,
    *,
    techniques: tuple[Technique, ...],
    mode: Mode,
    on: date | None,
    at: datetime,
) -> Verification:
    """Answer from what is stored, as known now.

    :param on: a local day in the body's zone; ``None`` for the body's today.
    :param at: the present instant (UTC).
    """
    document: dict[str, Any] = {} if found.entry is None else orjson.loads(found.entry)
    day = on or local_date(at, found.body.zone)
    questions = [Question(technique, day, mode) for technique in techniques]
    return Verification(
        found.body,
        document.get("number", number),
        document.get("practitioner"),
        document.get("name"),
        document.get("withheld", False),
        day,
        mode,
        None,
        at,
        known_as_of(at, found.age),
        on is None,
        tuple(_verdicts(found, document, questions)),
    )


def _verdicts(found: Found, document: dict[str, Any], questions: list[Question]) -> Iterator[Verdict]:
    """What was kept ready when the entry was written, if by the rules of now; else given afresh."""
    rules = found.body.rules
    if found.answers is None or not ready_answers.by_these_rules(found.answers, rules):
        standings = standings_of(document, found.body) if document else Standings(None, (), rules)
        yield from (give_verdict(question, standings) for question in questions)
        return
    ready, day = ready_answers.of_text(found.answers), questions[0].on
    spans = document["registration"]
    registration = documents.span_on(spans, day) if spans else None
    for question in questions:
        text, through = ready.on(question.technique, day.isoformat())
        yield _ready_verdict(question, ready_answers.said(text), through, registration, document)


def _ready_verdict(
    question: Question, said: Said, through: str, registration: Span | None, document: dict[str, Any]
) -> Verdict:
    resting_on = (document["authorizations"][place] for place in said.resting_on)
    return Verdict(
        question,
        said.outcome,
        is_yes(said.outcome, question.mode),
        said.reasons,
        registration,
        tuple((a["id"], documents.span_on(a["spans"], question.on)) for a in resting_on),
        said.conditions,
        said.excluded_regions,
        date.fromisoformat(through) if through else None,
    )


def verify_as_known(
    connection: Connection,
    found: Found,
    number: str,
    *,
    techniques: tuple[Technique, ...],
    mode: Mode,
    on: date | None,
    known_at: datetime,
    at: datetime,
) -> Verification:
    """Answer as the register would have answered at an earlier instant, from the decisions known then.

    :param known_at: an instant (UTC), not after ``at``.
    :raises registry.errors.Invalid: ``known_at`` lies in the future.
    """
    if known_at > at:
        raise Invalid(
            "What will be known cannot be told.", [{"parameter": "known_at", "detail": "is in the future"}]
        )
    id_ = find_registration(connection, found.body.id, number_key(number))
    record = None if id_ is None else load_record(connection, id_)
    standings = Standings(None, (), found.body.rules) if record is None else record.standings(known_at)
    day = on or local_date(known_at, found.body.zone)
    questions = (Question(technique, day, mode) for technique in techniques)
    return Verification(
        found.body,
        number if record is None else record.number,
        None if record is None else record.person.id,
        None if record is None else record.person.published_name,
        record is not None and record.person.withheld,
        day,
        mode,
        known_at,
        at,
        known_as_of(at, found.age),
        on is None,
        tuple(give_verdict(question, standings) for question in questions),
    )


def get_entry(found: Found, number: str, *, on: date | None, at: datetime) -> PublicEntry:
    """The public entry of a registration.

    :raises registry.errors.NotFound: the body never registered this number.
    """
    if found.entry is None:
        raise NotFound(f"{found.body.name} never registered the number {number}.")
    entry = entry_of(found.body, found.entry, on=on, at=at, age=found.age)
    if entry.never_registered:
        raise NotFound(f"{found.body.name} never registered the number {number}.")
    return entry


def entry_of(body: Body, stored: str, *, on: date | None, at: datetime, age: float = 0.0) -> PublicEntry:
    """A stored entry as the public sees it on a local day (``None`` for the body's today).

    :param age: of what was read, in seconds.
    """
    document = orjson.loads(stored)
    standings = standings_of(document, body)
    day = on or local_date(at, body.zone)
    registration = standings.registration or Timeline()
    return PublicEntry(
        body,
        document["id"],
        document["number"],
        document["practitioner"],
        document["withheld"],
        document.get("name"),
        tuple(document.get("former", ())),
        tuple(document.get("languages", ())),
        document.get("city"),
        day,
        known_as_of(at, age),
        registration.on(day),
        tuple(_published_authorizations(standings, body, day)),
        tuple(_published_training(t) for t in document.get("trainings", ())),
        never_registered(registration),
        Found(body, stored).fingerprint("entry", day),
    )


def _published_authorizations(
    standings: Standings, body: Body, day: date
) -> Iterator[PublishedAuthorization]:
    rules = body.rules.on(day)
    for authorization in standings.authorizations:
        span = authorization.timeline.on(day)
        shown = span if span.scope is not None else next(authorization.timeline.after(day), span)
        if shown.scope is not None:
            covered = tuple(sorted(rules.covered(shown.scope.techniques)))
            yield PublishedAuthorization(authorization.id, span, covered)


def _published_training(document: dict[str, Any]) -> PublishedTraining:
    return PublishedTraining(
        document["title"],
        document["provider"],
        tuple(map(Technique, document["techniques"])),
        date.fromisoformat(document["completed_on"]),
        document["hours"],
        document["approved"],
    )


@dataclass(frozen=True, slots=True)
class PublicPractitioner:
    """A person with every registration; they are never collapsed to one standing."""

    id: str
    asked_id: str
    withheld: bool
    name: str | None
    languages: tuple[str, ...]
    entries: tuple[PublicEntry, ...]

    @property
    def etag(self) -> str:
        """Changes whenever what is shown may have changed."""
        parts = "".join(entry.etag for entry in self.entries)
        return blake2b(f"{self.id}{self.withheld}{parts}".encode(), digest_size=12).hexdigest()


def get_practitioner(connection: Connection, practitioner_id: str, *, at: datetime) -> PublicPractitioner:
    """A person by identifier; one that was merged into another resolves to that other.

    :raises registry.errors.NotFound: there is no such person.
    """
    person = resolve_practitioner(connection, practitioner_id)
    rows = [] if person is None else entries_of_practitioner(connection, person.id)
    if person is None or not rows:
        raise NotFound(f"No practitioner is kept under the identifier {practitioner_id}.")
    entries = tuple(_entry_row(row, at, age_of(connection)) for row in rows)
    return PublicPractitioner(
        person.id, practitioner_id, person.withheld, entries[0].name, entries[0].languages, entries
    )


def _entry_row(row: Row[Any], at: datetime, age: float) -> PublicEntry:
    return entry_of(body_of(row), row.entry, on=None, at=at, age=age)


def list_bodies(connection: Connection) -> list[Body]:
    """Every body, by code."""
    return [body_of(row) for row in all_bodies(connection)]


def get_body(connection: Connection, code: str) -> Body:
    """A body by its code.

    :raises registry.errors.NotFound: there is none.
    """
    found = next((body for body in list_bodies(connection) if body.code == code), None)
    if found is None:
        raise NotFound(f"No body is kept under the code {code}; GET /v1/bodies lists them.")
    return found
