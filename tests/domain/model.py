"""The register once more, as simply as can be: one day after the other, with sets of days.

It shares no code with the domain. Where the two differ, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from registry.domain.decisions import Decision, Scope, StatusReport
from registry.domain.rules import BodyRules
from registry.domain.vocabulary import DecisionKind as Kind
from registry.domain.vocabulary import Mode, PracticePermission, Standing, Technique
from tests.domain.deciding import ONE_DAY
from tests.domain.strategies import DAYS, LAST_DAY

Days = set[date]
GOOD = (PracticePermission.YES, PracticePermission.WITH_CONDITIONS)
ENDS = {Kind.REVOKED: Standing.REVOKED, Kind.SURRENDERED: Standing.SURRENDERED}


@dataclass(frozen=True)
class Today:
    """How a subject stands on one day."""

    holds: tuple[Standing, ...]
    scope: Scope | None
    term_from: date | None
    report: StatusReport | None

    @property
    def permits(self) -> bool:
        return self.holds in ((Standing.IN_FORCE,), (Standing.IN_GRACE,))


@dataclass
class Register:
    """What a registrar's card would say: which days are paid for, in grace, suspended; how it ended."""

    grace_days: Callable[[date], int]
    began: date | None = None
    term: Days = field(default_factory=set)
    grace: Days = field(default_factory=set)
    suspended: Days = field(default_factory=set)
    endless: bool = False
    ended: Standing | None = None
    scope: Scope | None = None
    report: StatusReport | None = None
    word: str = ""

    def refuses(self, decision: Decision) -> bool:
        day, kind, through = decision.effective_on, decision.kind, decision.through
        if kind in (Kind.GRANTED, Kind.RENEWED, Kind.SUSPENDED) and through and through < day:
            return True
        if kind is Kind.GRANTED:
            running = day in self.term | self.grace and self.word != "lapsed"
            return self.ended is None and self.began is not None and (running or day in self.suspended)
        if kind is Kind.STATUS_REPORTED:
            return self.began is None
        if self.began is None or self.ended is not None:
            return True
        if kind is Kind.RENEWED:
            return self.endless or (through is not None and through in self._until(max(self.term)))
        if kind is Kind.REINSTATED:
            return day not in self.suspended
        return kind is Kind.CONDITIONS_SET and decision.scope is None

    def takes(self, decision: Decision) -> None:
        day, through, report = decision.effective_on, decision.through, decision.report
        unread = report is not None and report.practice is PracticePermission.UNKNOWN
        good = report is not None and report.leaves is Standing.IN_FORCE and report.practice in GOOD
        match decision.kind:
            case Kind.GRANTED:
                self.began, self.term, self.suspended = day, set(), set()
                self.ended, self.scope, self.report = None, decision.scope, None
                self._pay(day, through)
                self.word = "unread" if unread else ""
            case Kind.RENEWED:
                paid = self.term | self.grace
                if day not in paid and day - ONE_DAY not in paid:
                    self.began = day
                self._pay(day, through)
                self.scope = decision.scope or self.scope
                self.word = "unread" if unread else ""
            case Kind.SUSPENDED:
                self.suspended |= self._from(day) & self._until(through or LAST_DAY)
                if report is not None and self.word == "unread":
                    self.word = ""
            case Kind.REINSTATED:
                self.suspended = set()
                if unread or good or self.word == "unread":
                    self.word = "unread" if unread else ""
            case Kind.REVOKED | Kind.SURRENDERED:
                self.ended, self.word = ENDS[decision.kind], ""
            case Kind.CONDITIONS_SET:
                self.scope = decision.scope
                report = None
            case Kind.STATUS_REPORTED:
                self.report = None
                lapsed = report is not None and report.leaves is Standing.LAPSED
                self.word = "lapsed" if lapsed else "" if good else "unread"
            case Kind.VOIDED:
                raise AssertionError(decision)
        self.report = report or self.report

    def stands(self, day: date) -> Today:
        return Today(self._holds(day), self.scope, self.began, self.report)

    def _holds(self, day: date) -> tuple[Standing, ...]:
        if self.began is None:
            return (Standing.NOT_YET,)
        unread = {Standing.UNKNOWN} if self.word == "unread" else set()
        if self.ended:
            return (*unread, self.ended)
        lapsed = self.word == "lapsed" or day not in self.term | self.grace
        facts = {
            Standing.UNKNOWN: bool(unread),
            Standing.LAPSED: lapsed,
            Standing.SUSPENDED: day in self.suspended,
            Standing.IN_GRACE: day in self.grace and not lapsed,
        }
        return tuple(standing for standing, true in facts.items() if true) or (Standing.IN_FORCE,)

    def _pay(self, day: date, through: date | None) -> None:
        self.term |= self._from(day) & self._until(through or LAST_DAY)
        self.endless = through is None
        last = max(self.term)
        grace = [d for d in DAYS if d > last][: self.grace_days(last)]
        self.grace = set() if self.endless else set(grace)

    @staticmethod
    def _from(day: date) -> Days:
        return {d for d in DAYS if d >= day}

    @staticmethod
    def _until(day: date) -> Days:
        return {d for d in DAYS if d <= day}


def stood(decisions: Iterable[Decision], known_at: datetime | None) -> list[Decision]:
    """The decisions that nothing known takes back, in the order of their effect."""
    seen = [d for d in decisions if known_at is None or d.recorded_at <= known_at]

    def holds(decision: Decision) -> bool:
        return not any(d.kind is Kind.VOIDED and d.voids == decision.id and holds(d) for d in seen)

    acts = [d for d in seen if d.kind is not Kind.VOIDED and holds(d)]
    return sorted(acts, key=lambda d: (d.effective_on, d.recorded_at, d.id))


def day_by_day(
    decisions: Iterable[Decision], grace_days: Callable[[date], int], known_at: datetime | None = None
) -> tuple[dict[date, Today], set[str]]:
    """How the subject stands on each of `DAYS`, and the decisions that made no sense."""
    acts = stood(decisions, known_at)
    register = Register(grace_days)
    refused = set()
    found = {}
    for day in DAYS:
        for decision in acts:
            if decision.effective_on != day:
                continue
            if register.refuses(decision):
                refused.add(decision.id)
            else:
                register.takes(decision)
        found[day] = register.stands(day)
    return found, refused


def may_needle(
    technique: Technique,
    mode: Mode,
    registration: Today,
    authorizations: Iterable[tuple[Today, bool]],
    rules: BodyRules,
) -> bool:
    """Yes or no, by no ladder: what must be true at once.

    :param authorizations: each with whether the day is before its first term, in which case its scope is
        the one that it will begin with.
    """
    register_class = registration.scope.register_class if registration.scope else None
    allowed = rules.needling_permitted and (
        rules.eligible_classes is None or register_class in rules.eligible_classes
    )
    if not (registration.permits and allowed):
        return False
    covering = [
        (today, ahead)
        for today, ahead in authorizations
        if today.scope
        and any(technique == t or technique in rules.covers.get(t, ()) for t in today.scope.techniques)
    ]
    modes = {today.scope.mode for today, ahead in covering if today.permits and today.scope and not ahead}
    if Mode.INDEPENDENT in modes:
        return True
    learns = register_class in rules.learner_classes and all(ahead for _, ahead in covering)
    return mode is Mode.SUPERVISED and (Mode.SUPERVISED in modes or learns)
