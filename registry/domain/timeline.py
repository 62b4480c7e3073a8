"""Decisions fold into a timeline: spans of whole local days, without gap or overlap, each with one standing.

What a decision leaves, from its effective day on:

=================  ==========================================================================================
granted            a new term; nothing ended, nothing suspended; the grant's scope
renewed            the term goes on where the renewal begins at most one day after its end (or its grace);
                   begun later it is a new term, and the days between stay lapsed
suspended          a suspension over the term, open or to its last day; the term runs on beneath it
reinstated         the suspension lifted; the term not extended
revoked            the term ended; only a new grant opens another
surrendered        likewise, at the holder's wish
conditions_set     another scope; the term untouched
status_reported    a source's status word that no other decision explains: it leaves the standing ``lapsed``,
                   or (``in_force``, where the word permits practice) takes such a report back, or else
                   leaves it ``unknown``; the term untouched
=================  ==========================================================================================

A grant, renewal or reinstatement reported with a word that is not understood leaves the standing ``unknown``
too. What is reported ``lapsed`` stays so until a grant, a renewal or a word that permits practice.

A decision that makes no sense on its day (a renewal without a term, a reinstatement of what is not
suspended) has no effect and is named in :attr:`Timeline.objections`; the services refuse to record one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from .decisions import Decision, Scope, StatusReport, known
from .localtime import day_after, day_before
from .vocabulary import DecisionKind, PracticePermission, Standing

GraceDays = Callable[[date], int]
"""Days of grace after a term's last day, by the rules in force on that last day."""


class Objection(StrEnum):
    """Why a decision makes no sense on its day."""

    TERM_RUNNING = "term_running"
    SUSPENSION_RUNNING = "suspension_running"
    NO_TERM = "no_term"
    TERM_ENDED = "term_ended"
    NOT_SUSPENDED = "not_suspended"
    TERM_HAS_NO_END = "term_has_no_end"
    DOES_NOT_EXTEND = "does_not_extend"
    ENDS_BEFORE_IT_BEGINS = "ends_before_it_begins"
    SETS_NOTHING = "sets_nothing"


HAS_LAST_DAY = frozenset({DecisionKind.GRANTED, DecisionKind.RENEWED, DecisionKind.SUSPENDED})
PERMITTING = frozenset({PracticePermission.YES, PracticePermission.WITH_CONDITIONS})


@dataclass(frozen=True, slots=True)
class Span:
    """Days, inclusive at both ends, through which nothing about a subject changes.

    :param last_day: ``None`` where the span goes on until another decision.
    :param holds: every standing that holds, the deciding one first; of a lapsed, suspended term both.
    :param term_from: first day of the term that the span belongs to; ``None`` before the first term.
    :param term_through: last day of that term as decided by then; ``None`` for an open-ended one.
    :param begun_by: the decision whose effect began the span; ``None`` where the passing of time did.
    """

    first_day: date
    last_day: date | None
    standing: Standing
    holds: tuple[Standing, ...]
    scope: Scope | None = None
    term_from: date | None = None
    term_through: date | None = None
    report: StatusReport | None = None
    begun_by: str | None = None

    def covers(self, day: date) -> bool:
        """Whether a local day lies within the span."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def continues(self, earlier: Span) -> bool:
        """Whether this span says of its days what ``earlier`` says of the days before."""
        return (self.holds, self.scope, self.term_from, self.report) == (
            earlier.holds,
            earlier.scope,
            earlier.term_from,
            earlier.report,
        )


BEFORE_ANY_TERM = Span(date.min, None, Standing.NOT_YET, (Standing.NOT_YET,))


@dataclass(frozen=True, slots=True)
class Timeline:
    """All days of a subject as known at one moment. The first span begins at ``date.min``."""

    spans: tuple[Span, ...] = (BEFORE_ANY_TERM,)
    objections: tuple[tuple[Decision, Objection], ...] = ()

    def index_on(self, day: date) -> int:
        """The position of the span that covers a local day."""
        return bisect_right(self.spans, day, key=lambda span: span.first_day) - 1

    def on(self, day: date) -> Span:
        """The one span that covers a local day."""
        return self.spans[self.index_on(day)]

    def after(self, day: date) -> Iterator[Span]:
        """The spans that begin after a local day, in order."""
        yield from self.spans[self.index_on(day) + 1 :]


@dataclass(frozen=True, slots=True)
class _State:
    """What the decisions so far have left. Suspensions are (first day, last day or open)."""

    grace: GraceDays
    scope: Scope | None = None
    term_from: date | None = None
    term_through: date | None = None
    ended: Standing | None = None
    suspensions: tuple[tuple[date, date | None], ...] = ()
    report: StatusReport | None = None
    reported: Standing | None = None

    @property
    def has_term(self) -> bool:
        return self.term_from is not None

    @property
    def persists_through(self) -> date | None:
        """The last day on which the term persists, grace included; ``None`` for an open-ended term."""
        if self.term_through is None:
            return None
        room = (date.max - self.term_through).days
        return self.term_through + timedelta(days=min(self.grace(self.term_through), room))

    def is_over(self, day: date) -> bool:
        """Whether the term and its grace have passed by a day."""
        last = self.persists_through
        return last is not None and day > last

    def has_lapsed(self, day: date) -> bool:
        return self.reported is Standing.LAPSED or self.is_over(day)

    def is_suspended(self, day: date) -> bool:
        return any(first <= day and (last is None or day <= last) for first, last in self.suspensions)

    def holds(self, day: date) -> tuple[Standing, ...]:
        """Every standing that holds on a day, the deciding one first."""
        if not self.has_term:
            return (Standing.NOT_YET,)
        found = [Standing.UNKNOWN] if self.reported is Standing.UNKNOWN else []
        if self.ended is not None:
            return (*found, self.ended)
        lapsed = self.has_lapsed(day)
        if lapsed:
            found.append(Standing.LAPSED)
        if self.is_suspended(day):
            found.append(Standing.SUSPENDED)
        if not lapsed and self.term_through is not None and day > self.term_through:
            found.append(Standing.IN_GRACE)
        return tuple(found) or (Standing.IN_FORCE,)

    def turning_days(self) -> Iterator[date]:
        """The first days on which the passing of time alone changes what holds."""
        if self.ended is not None or not self.has_term:
            return
        ends = [self.term_through, self.persists_through, *(last for _, last in self.suspensions)]
        for last in ends:
            turning = None if last is None else day_after(last)
            if turning is not None:
                yield turning


def fold(
    decisions: Iterable[Decision],
    *,
    known_at: datetime | None = None,
    grace: GraceDays = lambda _last_day: 0,
) -> Timeline:
    """The timeline that a subject's decisions leave, as known at a moment.

    :param decisions: those about one registration or one authorization, in any order.
    :param known_at: an instant (UTC, aware); ``None`` for all that is recorded.
    :param grace: days of grace by the rules of a term's last day.
    """
    effective = known(decisions, known_at).decisions
    if not effective:
        return Timeline()
    objections: list[tuple[Decision, Objection]] = []
    spans: list[Span] = [BEFORE_ANY_TERM]
    state = _State(grace)
    position = 0
    while position < len(effective):
        day = effective[position].effective_on
        begun_by: str | None = None
        while position < len(effective) and effective[position].effective_on == day:
            decision = effective[position]
            position += 1
            objection = _objection(state, decision)
            if objection is not None:
                objections.append((decision, objection))
                continue
            state = _LEAVES[decision.kind](state, decision)
            begun_by = decision.id
        until = effective[position].effective_on if position < len(effective) else None
        _lay(spans, state, day, until, begun_by)
    return Timeline(tuple(_abut(spans)), tuple(objections))


def _lay(spans: list[Span], state: _State, day: date, until: date | None, begun_by: str | None) -> None:
    """Append the spans of one state from ``day`` to the day before ``until``."""
    turning = {d for d in state.turning_days() if d > day and (until is None or d < until)}
    for first in (day, *sorted(turning)):
        holds = state.holds(first)
        span = Span(
            first,
            None,
            holds[0],
            holds,
            state.scope,
            state.term_from,
            state.term_through,
            state.report,
            begun_by if first == day else None,
        )
        if span.first_day == spans[-1].first_day:
            spans[-1] = span
        elif span.continues(spans[-1]):
            spans[-1] = replace(spans[-1], term_through=span.term_through)
        else:
            spans.append(span)


def _abut(spans: list[Span]) -> Iterator[Span]:
    for span, following in pairwise(spans):
        yield Span(
            span.first_day,
            day_before(following.first_day),
            span.standing,
            span.holds,
            span.scope,
            span.term_from,
            span.term_through,
            span.report,
            span.begun_by,
        )
    yield spans[-1]


def _objection(state: _State, decision: Decision) -> Objection | None:
    """Why a decision makes no sense after ``state``, on its own day; ``None`` where it does."""
    day, kind, through = decision.effective_on, decision.kind, decision.through
    if kind in HAS_LAST_DAY and through is not None and through < day:
        return Objection.ENDS_BEFORE_IT_BEGINS
    if kind is DecisionKind.GRANTED:
        return _objection_to_grant(state, day)
    if not state.has_term:
        return Objection.NO_TERM
    if kind is DecisionKind.STATUS_REPORTED:
        return None
    if state.ended is not None:
        return Objection.TERM_ENDED
    if kind is DecisionKind.RENEWED:
        return _objection_to_renewal(state, through)
    if kind is DecisionKind.REINSTATED and not state.is_suspended(day):
        return Objection.NOT_SUSPENDED
    if kind is DecisionKind.CONDITIONS_SET and decision.scope is None:
        return Objection.SETS_NOTHING
    return None


def _objection_to_grant(state: _State, day: date) -> Objection | None:
    if not state.has_term or state.ended is not None:
        return None
    if state.is_suspended(day):
        return Objection.SUSPENSION_RUNNING
    return None if state.has_lapsed(day) else Objection.TERM_RUNNING


def _objection_to_renewal(state: _State, through: date | None) -> Objection | None:
    if state.term_through is None:
        return Objection.TERM_HAS_NO_END
    if through is not None and through <= state.term_through:
        return Objection.DOES_NOT_EXTEND
    return None


def _granted(state: _State, decision: Decision) -> _State:
    return _State(
        grace=state.grace,
        scope=decision.scope,
        term_from=decision.effective_on,
        term_through=decision.through,
        report=decision.report,
        reported=_unread(decision.report),
    )


def _renewed(state: _State, decision: Decision) -> _State:
    day = decision.effective_on
    goes_on = not state.is_over(day_before(day) or day)
    return replace(
        state,
        term_from=state.term_from if goes_on else day,
        term_through=decision.through,
        scope=decision.scope or state.scope,
        report=decision.report or state.report,
        reported=_unread(decision.report),
    )


def _suspended(state: _State, decision: Decision) -> _State:
    return replace(
        state,
        suspensions=(*state.suspensions, (decision.effective_on, decision.through)),
        report=decision.report or state.report,
        reported=state.reported if decision.report is None else _lapse_reported(state),
    )


def _reinstated(state: _State, decision: Decision) -> _State:
    return replace(
        state,
        suspensions=(),
        report=decision.report or state.report,
        reported=_unread(decision.report) or (None if _permits(decision.report) else _lapse_reported(state)),
    )


def _revoked(state: _State, decision: Decision) -> _State:
    return _ended(state, decision, Standing.REVOKED)


def _surrendered(state: _State, decision: Decision) -> _State:
    return _ended(state, decision, Standing.SURRENDERED)


def _ended(state: _State, decision: Decision, ended: Standing) -> _State:
    report = decision.report or state.report
    return replace(state, ended=ended, suspensions=(), report=report, reported=None)


def _conditions_set(state: _State, decision: Decision) -> _State:
    return replace(state, scope=decision.scope)


def _status_reported(state: _State, decision: Decision) -> _State:
    return replace(state, report=decision.report, reported=_reported(decision.report))


def _reported(report: StatusReport | None) -> Standing | None:
    """What a status word leaves by itself: whatever it does not clearly say, it leaves unknown."""
    if report is not None and report.leaves is Standing.LAPSED:
        return Standing.LAPSED
    return None if _permits(report) else Standing.UNKNOWN


def _permits(report: StatusReport | None) -> bool:
    return report is not None and report.leaves is Standing.IN_FORCE and report.practice in PERMITTING


def _unread(report: StatusReport | None) -> Standing | None:
    """Unknown, where the word that came with a decision to permit practice is not understood."""
    unread = report is not None and report.practice is PracticePermission.UNKNOWN
    return Standing.UNKNOWN if unread else None


def _lapse_reported(state: _State) -> Standing | None:
    """What no decision on a suspension takes back."""
    return Standing.LAPSED if state.reported is Standing.LAPSED else None


_LEAVES: dict[DecisionKind, Callable[[_State, Decision], _State]] = {
    DecisionKind.GRANTED: _granted,
    DecisionKind.RENEWED: _renewed,
    DecisionKind.SUSPENDED: _suspended,
    DecisionKind.REINSTATED: _reinstated,
    DecisionKind.REVOKED: _revoked,
    DecisionKind.SURRENDERED: _surrendered,
    DecisionKind.CONDITIONS_SET: _conditions_set,
    DecisionKind.STATUS_REPORTED: _status_reported,
}
