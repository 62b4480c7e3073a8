"""A body's rules on needling, as versioned data: what one regulator asks is never a constant in code."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from .localtime import ONE_DAY
from .timeline import GraceDays
from .vocabulary import Technique

NOTHING: frozenset[Technique] = frozenset()


@dataclass(frozen=True, slots=True)
class TrainingRequirement:
    """What training one technique asks for. Hours are clock hours, in quarters; 0 asks for nothing.

    :param hours_total: theory and practice together.
    :param practice_years: whole years since the first registration of the person with any body kept here.
    :param approved_course: only courses that the body approved on the day of completion count.
    :param refresher_hours: hours within every ``refresher_months`` calendar months, first training included.
    """

    hours_total: float = 0
    hours_theory: float = 0
    hours_practical: float = 0
    hours_in_person: float = 0
    supervised_sessions: int = 0
    practice_years: int = 0
    examination: bool = False
    safety_component: bool = False
    approved_course: bool = False
    refresher_hours: float = 0
    refresher_months: int = 0


@dataclass(frozen=True, slots=True)
class Renewal:
    """When terms end: on a fixed day of each year, or a number of months after they began, or neither."""

    month: int | None = None
    day: int | None = None
    months: int | None = None

    def last_day(self, first_day: date) -> date | None:
        """The last day of a term that begins on ``first_day``; ``None`` where terms are open-ended."""
        if self.month is not None and self.day is not None:
            return _next_occurrence(first_day, self.month, self.day)
        if self.months is not None:
            return last_of_months(first_day, self.months)
        return None


def _next_occurrence(on_or_after: date, month: int, day: int) -> date:
    for year in (on_or_after.year, min(on_or_after.year + 1, date.max.year)):
        found = date(year, month, min(day, calendar.monthrange(year, month)[1]))
        if found >= on_or_after:
            return found
    return date.max


def add_months(day: date, months: int) -> date:
    """The same day of the month, ``months`` later (or earlier); the month's last day where there is none."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if year > date.max.year:
        return date.max
    if year < date.min.year:
        return date.min
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def last_of_months(first_day: date, months: int) -> date:
    """The last day of a period of calendar months (at least one), the first day included.

    It ends before the same day of the month comes again; in a month that has no such day, with the month:
    a year from 29 February lasts through 28 February, as one from 1 March does.
    """
    following = add_months(first_day, months)
    if following.day < first_day.day or following == date.max:
        return following
    return following - ONE_DAY


@dataclass(frozen=True, slots=True)
class BodyRules:
    """One version of a body's rules, from a local day on.

    :param eligible_classes: register classes that may needle; ``None`` where every class may.
    :param learner_classes: classes that may needle under supervision without an authorization, to learn.
    :param covers: techniques that an authorization for the key covers besides it
        (Ontario: the acupuncture roster includes dry needling).
    :param requirements: the techniques that the body authorizes, each with the training that it asks for.
    :param registration_grace_days: days after the last day through which a registration persists.
    """

    holds_from: date
    recorded_at: datetime
    needling_permitted: bool = True
    eligible_classes: frozenset[str] | None = None
    learner_classes: frozenset[str] = frozenset()
    covers: Mapping[Technique, frozenset[Technique]] = field(default_factory=dict)
    requirements: Mapping[Technique, TrainingRequirement] = field(default_factory=dict)
    registration_grace_days: int = 0
    authorization_grace_days: int = 0
    registration_renewal: Renewal = Renewal()
    authorization_renewal: Renewal = Renewal()

    def class_is_eligible(self, register_class: str | None) -> bool:
        """Whether holders of a register class may be authorized to needle."""
        return self.eligible_classes is None or register_class in self.eligible_classes

    def learners_allowed(self, register_class: str | None) -> bool:
        """Whether holders of a register class may needle under supervision without an authorization.

        Never where the act is permitted to nobody or the class is not eligible (Alberta: a Provisional
        registrant may not needle a person, not even on a course).
        """
        eligible = self.needling_permitted and self.class_is_eligible(register_class)
        return eligible and register_class in self.learner_classes

    def covered(self, techniques: Iterable[Technique]) -> frozenset[Technique]:
        """The techniques that an authorization naming ``techniques`` covers."""
        named = frozenset(techniques)
        return named.union(*(self.covers.get(technique, NOTHING) for technique in named))


UNSTATED = BodyRules(date.min, datetime.min.replace(tzinfo=UTC))
"""For the days of which a body's rules are not known here: nothing is presumed against what it decided."""


@dataclass(frozen=True, slots=True)
class RulesHistory:
    """The versions of a body's rules, each from its day on; of two from one day the later recorded holds."""

    versions: tuple[BodyRules, ...] = ()

    @classmethod
    def of(cls, versions: Iterable[BodyRules], known_at: datetime | None = None) -> RulesHistory:
        """The versions known at an instant (UTC, aware; ``None`` for all), in the order they hold in."""
        seen = [v for v in versions if known_at is None or v.recorded_at <= known_at]
        latest = {v.holds_from: v for v in sorted(seen, key=lambda v: v.recorded_at)}
        return cls(tuple(latest[day] for day in sorted(latest)))

    def on(self, day: date) -> BodyRules:
        """The rules of a local day; :data:`UNSTATED` before the first version."""
        holding = UNSTATED
        for version in self.versions:
            if version.holds_from > day:
                break
            holding = version
        return holding

    @property
    def registration_grace(self) -> GraceDays:
        """Days of grace for registrations, by the rules of a term's last day."""
        return lambda last_day: self.on(last_day).registration_grace_days

    @property
    def authorization_grace(self) -> GraceDays:
        """Days of grace for authorizations, by the rules of a term's last day."""
        return lambda last_day: self.on(last_day).authorization_grace_days
