"""A person's file as the timeline picture needs it: lanes of bars and marks, with what is said of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from registry.domain.decisions import Scope
from registry.domain.timeline import Span, Timeline
from registry.services.person_files import KnownTraining, PersonFile, RegistrationFile
from registry.store.records import RecordedDecision

from .timeline_picture import Bar, Lane, Mark, Picture
from .words import DECIDED, as_words, techniques_in_words


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table beneath the picture; ``id`` is where the picture's link leads."""

    id: str
    lane: str
    what: str
    first_day: date
    last_day: date | None
    detail: str
    undone: bool = False
    decision_id: str = ""


def picture_of(file: PersonFile, name: str, today: date, on: date | None) -> Picture:
    """What is drawn of a person.

    :param name: whose years they are.
    """
    asked = on is not None and on != today
    return Picture(
        "years",
        f"The years of {name}",
        "A bar for each time through which a registration or an authorization stood alike, a mark for each "
        "decision and each training. The table beneath says the same.",
        [lane for lane, _ in _lanes(file)],
        today,
        "today",
        on if asked else None,
        "the day asked about",
        "Point at a bar or a mark, or go to it with the Tab key, and read it here.",
    )


def lines_of(file: PersonFile) -> list[Line]:
    """The same as a table: in order of their first days within each lane."""
    return [line for _, lines in _lanes(file) for line in lines]


def _lanes(file: PersonFile) -> Iterator[tuple[Lane, list[Line]]]:
    for registration in file.registrations:
        record = registration.record
        timeline = registration.standings.registration or Timeline()
        yield _lane(f"{record.body.code} {record.number}: registration", timeline, registration, None)
        for authorization in registration.standings.authorizations:
            what = authorization_name(authorization.timeline)
            name = f"{record.body.code} {record.number}: {what}"
            yield _lane(name, authorization.timeline, registration, authorization.id)
    if file.trainings:
        yield _training_lane(file.trainings)


def authorization_name(timeline: Timeline) -> str:
    """What an authorization is for, by the techniques that it names last."""
    named = next((s.scope.techniques for s in reversed(timeline.spans) if s.scope is not None), frozenset())
    return techniques_in_words(named) or "authorization"


def _lane(
    name: str, timeline: Timeline, file: RegistrationFile, authorization_id: str | None
) -> tuple[Lane, list[Line]]:
    subject = authorization_id or file.record.id
    spans = [span for span in timeline.spans if span.term_from is not None]
    bars = [_bar(f"span-{subject}-{place}", name, span) for place, span in enumerate(spans)]
    decisions = sorted(file.about(authorization_id), key=lambda one: one.decision.order)
    marks = [_mark(name, one, file.voided) for one in decisions]
    lines = [Line(b.id, name, b.word, b.first_day, b.last_day, b.detail) for b in bars]
    told = zip(marks, decisions, strict=True)
    lines += [
        Line(m.id, name, decided(d), m.day, d.decision.through, m.detail, m.undone, d.decision.id)
        for m, d in told
    ]
    return Lane(name, bars, marks), sorted(lines, key=lambda line: line.first_day)


def _bar(id_: str, name: str, span: Span) -> Bar:
    word = ", ".join(
        as_words({}, one) if place == 0 else as_words({}, one).lower() for place, one in enumerate(span.holds)
    )
    term = f"Term {_days(span.term_from, span.term_through)}" if span.term_from is not None else ""
    details = [term, *scope_words(span.scope)]
    if span.report is not None:
        details.append(f"reported as “{span.report.word}”")
    title = f"{name}: {word.lower()}, {_days(span.first_day, span.last_day)}"
    return Bar(
        id_, span.first_day, span.last_day, word, span.standing.value, title, "; ".join(filter(None, details))
    )


def scope_words(scope: Scope | None) -> list[str]:
    """What a scope permits, piece by piece."""
    if scope is None:
        return []
    found = [scope.register_class or "", techniques_in_words(scope.techniques)]
    if scope.techniques:
        found.append(as_words({}, scope.mode).lower())
    found += [f"condition: {c.text}{' (withheld)' if c.withheld else ''}" for c in scope.conditions]
    found += [f"excluded: {region}" for region in scope.excluded_regions]
    return [one for one in found if one]


def decided(one: RecordedDecision) -> str:
    """The kind of a decision, as it is told of what was decided."""
    return as_words(DECIDED, one.decision.kind)


def _mark(name: str, one: RecordedDecision, voided: frozenset[str]) -> Mark:
    decision, undone = one.decision, one.decision.id in voided
    what = f"{decided(one)}{' (taken back)' if undone else ''}"
    through = "" if decision.through is None else f" until {decision.through.isoformat()}"
    title = f"{name}: {what.lower()} from {decision.effective_on.isoformat()}{through}"
    details = [f"recorded {decision.recorded_at:%Y-%m-%d %H:%M} UTC by {one.recorded_by}"]
    details += scope_words(decision.scope)
    if decision.report is not None:
        details.append(f"reported as “{decision.report.word}”")
    if one.reason:
        details.append(f"reason: {one.reason}")
    return Mark(
        f"decision-{decision.id}",
        decision.effective_on,
        decision.kind.value,
        title,
        "; ".join(details),
        undone,
    )


def _training_lane(trainings: Sequence[KnownTraining]) -> tuple[Lane, list[Line]]:
    marks = []
    for one in trainings:
        facts = one.training.facts
        hours = facts.hours_theory + facts.hours_practical
        details = [facts.provider or "", techniques_in_words(facts.techniques), f"{hours:g} hours"]
        details.append("withdrawn" if one.withdrawn else "")
        title = f"Training: {facts.title}, completed {facts.completed_on.isoformat()}"
        detail = "; ".join(filter(None, details))
        id_ = f"training-{one.training.id}"
        marks.append(Mark(id_, facts.completed_on, "training", title, detail, one.withdrawn))
    titles = [one.training.facts.title for one in trainings]
    told = zip(marks, titles, strict=True)
    lines = [Line(m.id, "Training", title, m.day, m.day, m.detail, m.undone) for m, title in told]
    return Lane("Training", (), marks), lines


def _days(first: date | None, last: date | None) -> str:
    begun = "" if first is None else first.isoformat()
    return f"from {begun}, no end known" if last is None else f"{begun} to {last.isoformat()}"
