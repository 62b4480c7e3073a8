"""What a registrar must see before anyone is hurt, derived from timelines and known ahead of its day.

A lapse is a run of local days on which something is amiss. It is a fact of the timelines, so it is there
before the day comes (it *will* lapse) and stays after it is over (until when, and which decision ended it).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest

from .eligibility import Training, shortages, training_unmet
from .localtime import day_before
from .rules import BodyRules, RulesHistory, TrainingRequirement
from .timeline import Span, Timeline
from .verdict import AuthorizationTimeline, Standings
from .vocabulary import LapseKind, LapseState, Requirement, Standing, Technique

Days = tuple[date, date | None]
"""A first and a last local day, inclusive; ``None`` for no known last."""

Run = tuple[Span, date | None, str | None]
"""A run of days: its first span, its last day, and the decision whose effect ended it, where one did."""

ENDED = (Standing.LAPSED, Standing.REVOKED, Standing.SURRENDERED)
AGAINST_REGISTRATION = (
    (LapseKind.AUTHORIZATION_OUTLASTS_REGISTRATION, ENDED),
    (LapseKind.REGISTRATION_SUSPENDED, (Standing.SUSPENDED,)),
)


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


def state_of(days: Days, today: date, *, resolved: bool, acknowledged: bool) -> LapseState:
    """How far a lapse has come on a body's present day. A ladder, first match wins.

    ``resolved``: a decision took it away, or ``today`` lies after its last day; ``coming``: ``today`` lies
    before its first; ``acknowledged``: a registrar has seen it; else ``open``.

    :param resolved: whether it is on record that a decision ended it or took it away.
    :param acknowledged: whether a registrar noted that they have seen it.
    """
    since, until = days
    if resolved or (until is not None and until < today):
        return LapseState.RESOLVED
    if today < since:
        return LapseState.COMING
    return LapseState.ACKNOWLEDGED if acknowledged else LapseState.OPEN


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


def runs(timeline: Timeline, holds: Callable[[Span], bool]) -> Iterator[Run]:
    """The longest runs of days whose spans satisfy ``holds``."""
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


def _runs_holding(timeline: Timeline, standings: Iterable[Standing]) -> Iterator[Run]:
    """Runs of days on which any of ``standings`` holds, deciding or not."""
    wanted = frozenset(standings)
    return runs(timeline, lambda span: not wanted.isdisjoint(span.holds))


def _live_runs(timeline: Timeline, technique: Technique | None = None) -> Iterator[Run]:
    """Runs of days in force, and naming ``technique`` where one is given."""
    return runs(
        timeline,
        lambda span: span.standing.permits_practice and (technique is None or technique in _named(span)),
    )


def _named(span: Span) -> frozenset[Technique]:
    return frozenset() if span.scope is None else span.scope.techniques


def _lapsed(kind: LapseKind, authorization_id: str | None, timeline: Timeline) -> Iterator[Lapse]:
    for first, until, ended_by in _runs_holding(timeline, (Standing.LAPSED,)):
        why = (("term_from", _text(first.term_from)), ("term_through", _text(first.term_through)))
        yield Lapse(kind, authorization_id, first.first_day, until, why, ended_by)


def _against_registration(authorization: AuthorizationTimeline, registration: Timeline) -> Iterator[Lapse]:
    """Days on which the authorization is in force and the registration beneath it is not."""
    live = list(_live_runs(authorization.timeline))
    for kind, amiss in AGAINST_REGISTRATION:
        for first, last, ended_by in _runs_holding(registration, amiss):
            for span, live_last, live_ended_by in live:
                days = overlap((first.first_day, last), (span.first_day, live_last))
                if days is None:
                    continue
                why = (
                    ("registration_standing", next(s.value for s in first.holds if s in amiss)),
                    ("registration_through", _text(day_before(first.first_day))),
                    ("authorization_through", _text(authorization.timeline.on(days[0]).term_through)),
                )
                ender = ended_by if days[1] == last else live_ended_by
                yield Lapse(kind, authorization.id, *days, why, ender)


def _training_lapses(
    authorization: AuthorizationTimeline, rules: RulesHistory, record: TrainingRecord
) -> Iterator[Lapse]:
    timeline = authorization.timeline
    for technique in sorted(frozenset().union(*map(_named, timeline.spans))):
        for span, last, ended_by in _live_runs(timeline, technique):
            due: list[Lapse] = []
            insufficient: list[Lapse] = []
            for holding, asked, days in _asked(rules, technique, (span.first_day, last)):
                due.extend(_refresher_due(authorization.id, asked, technique, days, record))
                if _is_held_against(authorization.id, technique, holding, span, record):
                    insufficient.extend(_insufficient(authorization.id, asked, technique, days, record))
            for lapse in (*_joined(due), *_joined(insufficient)):
                yield replace(lapse, ended_by=ended_by) if lapse.until == last else lapse


def _asked(
    rules: RulesHistory, technique: Technique, days: Days
) -> Iterator[tuple[BodyRules, TrainingRequirement, Days]]:
    """What each version of the rules asks for a technique, with those of ``days`` on which it does."""
    for version, later in zip_longest(rules.versions, rules.versions[1:]):
        until = None if later is None else day_before(later.holds_from)
        common = overlap(days, (version.holds_from, until))
        asked = version.requirements.get(technique)
        if common is not None and asked is not None:
            yield version, asked, common


def _joined(lapses: Iterable[Lapse]) -> list[Lapse]:
    """The same, in order of days, with those that abut and say the same made one."""
    found: list[Lapse] = []
    for lapse in lapses:
        earlier = found[-1] if found else None
        abuts = earlier is not None and earlier.until == day_before(lapse.since)
        if earlier is not None and abuts and earlier.why == lapse.why:
            found[-1] = replace(earlier, until=lapse.until)
        else:
            found.append(lapse)
    return found


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


def overlap(one: Days, other: Days) -> Days | None:
    """The days that two runs share; ``None`` where they share none."""
    first = max(one[0], other[0])
    ends = [last for last in (one[1], other[1]) if last is not None]
    last = min(ends) if ends else None
    return None if last is not None and last < first else (first, last)


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()
