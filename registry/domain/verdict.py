"""May this person use needles, on a day? A ladder; the first rung that applies is the outcome.

1. ``not_found``: no decision about such a registration is known.
2. ``unknown``: the registration's own status word is not understood.
3. ``registration_not_in_force``: not yet, suspended, lapsed, revoked or surrendered.
4. ``needling_not_permitted``: the body's rules of the day permit it to nobody.
5. ``class_not_eligible``: they do not permit it to holders of this register class.
6. ``technique_not_covered``: no authorization covers the technique, now or to come;
   ``supervised_only`` instead where none has begun and the rules let this class learn under supervision.
7. ``unknown`` / ``authorization_not_in_force``: none of those that cover it is in force.
8. ``supervised_only``: those in force permit it under supervision alone.
9. ``authorized_with_conditions``: conditions or excluded regions apply.
10. ``authorized``.

An authorization on a registration that is not in force authorizes nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from .decisions import Condition
from .localtime import ONE_DAY, day_before
from .rules import BodyRules, RulesHistory
from .timeline import Span, Timeline
from .vocabulary import Mode, Outcome, Reason, Standing, SubjectKind, Technique

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AuthorizationTimeline:
    """One authorization's timeline, with the identifier it is kept under."""

    id: str
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class Standings:
    """All that a verdict rests on, folded as known at one moment; no ``registration`` where none is known."""

    registration: Timeline | None
    authorizations: Sequence[AuthorizationTimeline] = ()
    rules: RulesHistory = field(default_factory=RulesHistory)


@dataclass(frozen=True, slots=True)
class Question:
    """May this person use ``technique`` on the local day ``on``, independently or supervised?"""

    technique: Technique
    on: date
    mode: Mode = Mode.INDEPENDENT


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer.

    :param authorized: true only where the question is answered by a yes; ``unknown`` is not a yes.
    :param registration: the registration's span on the day; ``None`` where there is no such registration.
    :param authorizations: those that the answer rests on, with their spans on the day: of those that cover
        the technique the ones that permit it independently, or all where none does.
    :param valid_through: last local day of the same answer as known now; ``None`` if no end is known.
    """

    question: Question
    outcome: Outcome
    authorized: bool
    reasons: tuple[Reason, ...]
    registration: Span | None = None
    authorizations: tuple[tuple[str, Span], ...] = ()
    conditions: tuple[Condition, ...] = ()
    excluded_regions: tuple[str, ...] = ()
    valid_through: date | None = None

    def says_the_same_as(self, other: Verdict) -> bool:
        """Whether two verdicts give the same answer, whatever their days and the order of their reasons."""
        return self.outcome is other.outcome and self._particulars() == other._particulars()

    def _particulars(self) -> tuple[frozenset[Reason], frozenset[Condition], frozenset[str]]:
        return (frozenset(self.reasons), frozenset(self.conditions), frozenset(self.excluded_regions))


def give_verdict(question: Question, standings: Standings) -> Verdict:
    """Answer a question from what was known at one moment, with the last day on which the answer holds."""
    verdict = _answer(question, standings)
    for day in turning_days(standings, question.on):
        if not verdict.says_the_same_as(_answer(replace(question, on=day), standings)):
            return replace(verdict, valid_through=day_before(day))
    return verdict


def answers_between(
    question: Question, standings: Standings, last_day: date
) -> Iterator[tuple[Verdict, date]]:
    """Each answer from ``question.on`` to ``last_day``, with the last local day on which it is given."""
    verdict = _answer(question, standings)
    for day in turning_days(standings, question.on):
        if day > last_day:
            break
        following = _answer(replace(question, on=day), standings)
        if not verdict.says_the_same_as(following):
            yield verdict, day - ONE_DAY
            verdict = following
    yield verdict, last_day


@dataclass(frozen=True, slots=True)
class Standby:
    """An answer kept ready: it is given on each local day after those of the one before.

    :param last_day: the last of those days; ``None`` where no end is known.
    :param verdict: for the first of them, asked independently; its ``valid_through`` holds on each.
    """

    last_day: date | None
    verdict: Verdict


def answers_ever(technique: Technique, standings: Standings) -> list[Standby]:
    """Every answer about a technique, of all days, as :func:`give_verdict` gives it word by word."""
    days = [date.min, *turning_days(standings, date.min)]
    said = [_answer(Question(technique, day), standings) for day in days]
    found = [Standby(None, said[-1])]
    for verdict, following, turning in zip(said[-2::-1], said[:0:-1], days[:0:-1], strict=True):
        through = day_before(turning)
        if verdict.says_the_same_as(following):
            through = found[-1].verdict.valid_through
        ready = Standby(day_before(turning), replace(verdict, valid_through=through))
        if _wording(verdict) == _wording(following):
            ready = replace(ready, last_day=found.pop().last_day)
        found.append(ready)
    return found[::-1]


def _wording(verdict: Verdict) -> tuple[object, ...]:
    resting_on = tuple(id_ for id_, _ in verdict.authorizations)
    return (verdict.outcome, verdict.reasons, verdict.conditions, verdict.excluded_regions, resting_on)


def techniques_ever_covered(standings: Standings) -> frozenset[Technique]:
    """The techniques that some authorization covers on some day; about all others the answers are alike."""
    spans = [span for a in standings.authorizations for span in a.timeline.spans]
    named = frozenset(t for span in spans if span.scope is not None for t in span.scope.techniques)
    return named.union(*(version.covered(named) for version in standings.rules.versions))


def turning_days(standings: Standings, after: date) -> list[date]:
    """The days after ``after`` on which any part of the answer may change, in order."""
    timelines = [a.timeline for a in standings.authorizations]
    if standings.registration is not None:
        timelines.append(standings.registration)
    days = {span.first_day for timeline in timelines for span in timeline.after(after)}
    days.update(v.holds_from for v in standings.rules.versions if v.holds_from > after)
    return sorted(days)


def _answer(question: Question, standings: Standings) -> Verdict:
    timeline = standings.registration
    if timeline is None or never_registered(timeline):
        return Verdict(question, Outcome.NOT_FOUND, authorized=False, reasons=(Reason.NEVER_REGISTERED,))
    registration = timeline.on(question.on)
    rules = standings.rules.on(question.on)
    resting_on = _resting_on(tuple(_covering(question, standings.authorizations, rules)))
    spans = tuple(span for _, span in resting_on)
    limiting = (registration, *(_live(spans) or spans))
    outcome = _outcome(registration, rules, spans)
    return Verdict(
        question,
        outcome,
        authorized=is_yes(outcome, question.mode),
        reasons=tuple(dict.fromkeys(_reasons(registration, rules, spans))),
        registration=registration,
        authorizations=resting_on,
        conditions=_merge(span.scope.conditions for span in limiting if span.scope is not None),
        excluded_regions=_merge(span.scope.excluded_regions for span in limiting if span.scope is not None),
    )


def never_registered(registration: Timeline) -> bool:
    """Whether no term of a registration is known, past or to come: the body registered nobody by it."""
    return registration.spans[-1].term_from is None


def is_yes(outcome: Outcome, mode: Mode) -> bool:
    """Whether an outcome answers the question, asked for a mode, by a yes."""
    if outcome is Outcome.SUPERVISED_ONLY:
        return mode is Mode.SUPERVISED
    return outcome in (Outcome.AUTHORIZED, Outcome.AUTHORIZED_WITH_CONDITIONS)


def _covering(
    question: Question, authorizations: Sequence[AuthorizationTimeline], rules: BodyRules
) -> Iterator[tuple[str, Span]]:
    """The authorizations that cover the technique on the day, or will when their first term begins."""
    for authorization in authorizations:
        span = authorization.timeline.on(question.on)
        coming = next(authorization.timeline.after(question.on), None)
        scope = coming.scope if coming is not None and span.term_from is None else span.scope
        if scope is not None and question.technique in rules.covered(scope.techniques):
            yield authorization.id, span


def _resting_on(covering: tuple[tuple[str, Span], ...]) -> tuple[tuple[str, Span], ...]:
    """Those in force that permit it independently; all where none does, for each says why not."""
    independent = tuple(
        (id_, span) for id_, span in covering if span.standing.permits_practice and not _is_supervised(span)
    )
    return independent or covering


def _live(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    return tuple(span for span in spans if span.standing.permits_practice)


def _is_supervised(span: Span) -> bool:
    return span.scope is not None and span.scope.mode is Mode.SUPERVISED


def _register_class(registration: Span) -> str | None:
    return None if registration.scope is None else registration.scope.register_class


def _may_learn(registration: Span, rules: BodyRules, covering: tuple[Span, ...]) -> bool:
    """Whether the class may learn under supervision: the rules let it, and no authorization has begun."""
    begun = any(span.standing is not Standing.NOT_YET for span in covering)
    return not begun and rules.learners_allowed(_register_class(registration))


def _outcome(registration: Span, rules: BodyRules, covering: tuple[Span, ...]) -> Outcome:
    if registration.standing is Standing.UNKNOWN:
        return Outcome.UNKNOWN
    if not registration.standing.permits_practice:
        return Outcome.REGISTRATION_NOT_IN_FORCE
    if not rules.needling_permitted:
        return Outcome.NEEDLING_NOT_PERMITTED
    if not rules.class_is_eligible(_register_class(registration)):
        return Outcome.CLASS_NOT_ELIGIBLE
    if _may_learn(registration, rules, covering):
        return Outcome.SUPERVISED_ONLY
    if not covering:
        return Outcome.TECHNIQUE_NOT_COVERED
    live = _live(covering)
    if not live:
        unread = any(span.standing is Standing.UNKNOWN for span in covering)
        return Outcome.UNKNOWN if unread else Outcome.AUTHORIZATION_NOT_IN_FORCE
    if all(map(_is_supervised, live)):
        return Outcome.SUPERVISED_ONLY
    limited = any(_has_conditions(span) or _has_exclusions(span) for span in (registration, *live))
    return Outcome.AUTHORIZED_WITH_CONDITIONS if limited else Outcome.AUTHORIZED


def _has_conditions(span: Span) -> bool:
    return span.scope is not None and bool(span.scope.conditions)


def _has_exclusions(span: Span) -> bool:
    return span.scope is not None and bool(span.scope.excluded_regions)


def _reasons(registration: Span, rules: BodyRules, covering: tuple[Span, ...]) -> Iterator[Reason]:
    """Every reason that applies, in the order of the ladder."""
    yield from _standing_reasons(SubjectKind.REGISTRATION, registration)
    if not rules.needling_permitted:
        yield Reason.NEEDLING_NOT_PERMITTED
    if registration.term_from is not None and not rules.class_is_eligible(_register_class(registration)):
        yield Reason.CLASS_NOT_ELIGIBLE
    if not covering:
        yield Reason.TECHNIQUE_NOT_COVERED
    if _may_learn(registration, rules, covering):
        yield Reason.LEARNERS_UNDER_SUPERVISION
    for span in covering:
        yield from _standing_reasons(SubjectKind.AUTHORIZATION, span)
        if _is_supervised(span):
            yield Reason.AUTHORIZATION_SUPERVISED
    limiting = _live(covering) or covering
    if _has_conditions(registration):
        yield Reason.REGISTRATION_CONDITIONS
    if any(map(_has_conditions, limiting)):
        yield Reason.AUTHORIZATION_CONDITIONS
    if any(map(_has_exclusions, (registration, *limiting))):
        yield Reason.REGIONS_EXCLUDED


def _standing_reasons(subject: SubjectKind, span: Span) -> Iterator[Reason]:
    for standing in span.holds:
        reason = Reason.of(subject, standing)
        if reason is not None:
            yield reason


def _merge(groups: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))
