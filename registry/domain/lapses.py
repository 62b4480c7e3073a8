"""What a registrar must see before anyone is hurt, derived from timelines and known ahead of its day.

A lapse is a run of local days on which something is amiss. It is a fact of the timelines, so it is there
before the day comes (it *will* lapse) and stays after it is over (until when, and which decision ended it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from .eligibility import Training, shortages, training_unmet
from .localtime import day_before
from .rules import BodyRules, RulesHistory, TrainingRequirement
from .timeline import Span, Timeline
from .verdict import AuthorizationTimeline, Standings
from .vocabulary import LapseKind, Requirement, Standing, Technique

Days = tuple[date, date | None]
"""A first and a last local day, inclusive; ``None`` for no known last."""

ENDED = (Standing.LAPSED, Standing.REVOKED, Standing.SURRENDERED)


@dataclass(frozen=True, slots=True)
class Lapse:
    """Something amiss through a run of local days.

    :param authorization_id: ``None`` where the registration itself is the subject.
    :param since: the first local day; may lie ahead.
    :param until: the last local day; ``None`` while no end is known.
    :param why: what a registrar needs to see of it, ready to be shown; keys are stable.
    :param ended_by: the decision whose effect ended it, where one did.
    """

    kind: LapseKind
    authorization_id: str | None
    since: date
    until: date | None
    why: tuple[tuple[str, str], ...] = ()
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """A person's training, and the authorizations that were granted on other grounds.

    :param granted_otherwise: authorizations whose grant was recorded with an override or by an import;
        training is held against them only once some is on record.
    """

    trainings: Sequence[Training] = ()
    granted_otherwise: frozenset[str] = frozenset()


def lapses_of(standings: Standings, record: TrainingRecord) -> tuple[Lapse, ...]:
    """Every lapse of one registration and its authorizations, past, present and coming."""
    registration = standings.registration
    if registration is None:
        return ()
    found = list(_lapsed(LapseKind.REGISTRATION_LAPSED, None, registration))
    for authorization in standings.authorizations:
        found.extend(_lapsed(LapseKind.AUTHORIZATION_LAPSED, authorization.id, authorization.timeline))
        found.extend(_against_registration(authorization, registration))
        found.extend(_training_lapses(authorization, standings.rules, record))
    return tuple(sorted(found, key=lambda lapse: (lapse.since, lapse.kind, lapse.authorization_id or "")))


def runs(timeline: Timeline, holds: Callable[[Span], bool]) -> Iterator[tuple[Span, date | None, str | None]]:
    """The longest runs of days whose spans satisfy ``holds``: first span, last day, the decision that ended it."""
    first: Span | None = None
    last_day: date | None = None
    for span in timeline.spans:
        if holds(span):
            first = first or span
            last_day = span.last_day
        elif first is not None:
            yield first, last_day, span.begun_by
            first = None
    if first is not None:
        yield first, last_day, None


def _lapsed(kind: LapseKind, authorization_id: str | None, timeline: Timeline) -> Iterator[Lapse]:
    for first, until, ended_by in runs(timeline, lambda span: Standing.LAPSED in span.holds):
        why = (("term_from", _text(first.term_from)), ("term_through", _text(first.term_through)))
        yield Lapse(kind, authorization_id, first.first_day, until, why, ended_by)


def _against_registration(authorization: AuthorizationTimeline, registration: Timeline) -> Iterator[Lapse]:
    """Days on which the authorization is in force and the registration beneath it is not."""
    pairs = (
        (LapseKind.AUTHORIZATION_OUTLASTS_REGISTRATION, lambda span: span.standing in ENDED),
        (LapseKind.REGISTRATION_SUSPENDED, lambda span: span.standing is Standing.SUSPENDED),
    )
    live = list(_live_runs(authorization.timeline))
    for kind, holds in pairs:
        for first, last, ended_by in runs(registration, holds):
            for span, live_last, _ in live:
                days = overlap((first.first_day, last), (span.first_day, live_last))
                if days is not None:
                    why = (
                        ("registration_standing", first.standing.value),
                        ("registration_through", _text(day_before(first.first_day))),
                        ("authorization_through", _text(span.term_through)),
                    )
                    yield Lapse(kind, authorization.id, *days, why, ended_by)


def _training_lapses(
    authorization: AuthorizationTimeline, rules: RulesHistory, record: TrainingRecord
) -> Iterator[Lapse]:
    for holding, days in _rule_days(rules):
        for span, last, _ in _live_runs(authorization.timeline):
            common = overlap(days, (span.first_day, last))
            if common is None or span.scope is None:
                continue
            for technique in sorted(span.scope.techniques):
                asked = holding.requirements.get(technique)
                if asked is not None:
                    yield from _refresher_due(authorization.id, asked, technique, common, record)
                    if _is_held_against(authorization.id, technique, holding, span, record):
                        yield from _insufficient(authorization.id, asked, technique, common, record)


def _refresher_due(
    authorization_id: str,
    asked: TrainingRequirement,
    technique: Technique,
    days: Days,
    record: TrainingRecord,
) -> Iterator[Lapse]:
    why = (("technique", technique.value), ("refresher_hours", f"{asked.refresher_hours:g}"))
    for short in shortages(asked, technique, record.trainings):
        due = overlap(days, short)
        if due is not None:
            yield Lapse(LapseKind.REFRESHER_DUE, authorization_id, *due, why)


def _is_held_against(
    authorization_id: str, technique: Technique, rules: BodyRules, span: Span, record: TrainingRecord
) -> bool:
    """Whether training counts against the authorization: not what its grant knowingly passed over."""
    if authorization_id not in record.granted_otherwise:
        return True
    trained = any(technique in training.techniques for training in record.trainings)
    return trained and rules.holds_from > span.first_day


def _insufficient(
    authorization_id: str,
    asked: TrainingRequirement,
    technique: Technique,
    days: Days,
    record: TrainingRecord,
) -> Iterator[Lapse]:
    completions = {t.completed_on for t in record.trainings if technique in t.techniques}
    edges = [days[0], *sorted(c for c in completions if overlap(days, (c, c)) and c != days[0])]
    lasts: list[date | None] = [*(day_before(edge) for edge in edges[1:]), days[1]]
    for first, last in zip(edges, lasts, strict=True):
        unmet = [
            u.requirement.value
            for u in training_unmet(asked, technique, record.trainings, first)
            if u.requirement is not Requirement.REFRESHER_HOURS
        ]
        if unmet:
            why = (("technique", technique.value), ("unmet", ", ".join(unmet)))
            yield Lapse(LapseKind.TRAINING_INSUFFICIENT, authorization_id, first, last, why)


def _live_runs(timeline: Timeline) -> Iterator[tuple[Span, date | None, str | None]]:
    return runs(timeline, lambda span: span.standing.permits_practice)


def _rule_days(rules: RulesHistory) -> Iterator[tuple[BodyRules, Days]]:
    following: Iterable[BodyRules | None] = (*rules.versions[1:], None)
    for version, later in zip(rules.versions, following, strict=True):
        yield version, (version.holds_from, None if later is None else day_before(later.holds_from))


def overlap(one: Days, other: Days) -> Days | None:
    """The days that two runs share; ``None`` where they share none."""
    first = max(one[0], other[0])
    ends = [last for last in (one[1], other[1]) if last is not None]
    last = min(ends) if ends else None
    return None if last is not None and last < first else (first, last)


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
