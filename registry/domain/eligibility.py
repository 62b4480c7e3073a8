"""May an authorization be granted? The answer is the list of unmet requirements, empty when it may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from .localtime import day_after, day_before
from .rules import UNSTATED, BodyRules, TrainingRequirement, last_of_months
from .timeline import Span
from .vocabulary import Requirement, Technique


@dataclass(frozen=True, slots=True)
class Training:
    """Needling training that a person completed on a local day.

    :param approved: the (first, last or open) days through which the body approved the course.
    """

    id: str
    completed_on: date
    techniques: frozenset[Technique]
    hours_theory: float = 0
    hours_practical: float = 0
    hours_in_person: float = 0
    supervised_sessions: int = 0
    examination_passed: bool = False
    safety_component: bool = False
    approved: tuple[tuple[date, date | None], ...] = ()

    @property
    def hours_total(self) -> float:
        """Theory and practice together, in hours."""
        return self.hours_theory + self.hours_practical

    @property
    def course_was_approved(self) -> bool:
        """Whether the body approved the course on the day it was completed."""
        return any(
            first <= self.completed_on and (last is None or self.completed_on <= last)
            for first, last in self.approved
        )


@dataclass(frozen=True, slots=True)
class Unmet:
    """A requirement that is not met: what the rules ask, and what was found."""

    requirement: Requirement
    technique: Technique | None = None
    required: str | float | bool | None = None
    found: str | float | bool | None = None


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whom an authorization is for, as the register knows the person on the day of the grant.

    :param practising_since: the first day of the earliest registration of the person kept here.
    """

    registration: Span
    trainings: Sequence[Training]
    practising_since: date | None


def unmet_requirements(
    rules: BodyRules, applicant: Applicant, techniques: Iterable[Technique], on: date
) -> tuple[Unmet, ...]:
    """What stands in the way of an authorization for ``techniques`` that begins on a local day.

    :param rules: the body's rules of that day.
    """
    return (
        *_standing_unmet(rules, applicant),
        *(
            unmet
            for technique in sorted(techniques)
            for unmet in _technique_unmet(rules, applicant, technique, on)
        ),
    )


def _standing_unmet(rules: BodyRules, applicant: Applicant) -> Iterator[Unmet]:
    standing = applicant.registration.standing
    if not standing.permits_practice:
        yield Unmet(Requirement.REGISTRATION_IN_FORCE, required="in_force", found=standing.value)
    if rules is UNSTATED:
        yield Unmet(Requirement.RULES_KNOWN, required=True, found=False)
        return
    if not rules.needling_permitted:
        yield Unmet(Requirement.NEEDLING_PERMITTED, required=True, found=False)
    scope = applicant.registration.scope
    register_class = None if scope is None else scope.register_class
    if not rules.class_is_eligible(register_class):
        allowed = ", ".join(sorted(rules.eligible_classes or ()))
        yield Unmet(Requirement.REGISTER_CLASS, required=allowed, found=register_class)


def _technique_unmet(
    rules: BodyRules, applicant: Applicant, technique: Technique, on: date
) -> Iterator[Unmet]:
    if rules is UNSTATED:
        return
    asked = rules.requirements.get(technique)
    if asked is None:
        yield Unmet(Requirement.TECHNIQUE_REGULATED, technique, required=True, found=False)
        return
    yield from training_unmet(asked, technique, applicant.trainings, on)
    years = whole_years(applicant.practising_since, on)
    if years < asked.practice_years:
        yield Unmet(Requirement.PRACTICE_YEARS, technique, required=asked.practice_years, found=years)


def training_unmet(
    asked: TrainingRequirement, technique: Technique, trainings: Sequence[Training], on: date
) -> Iterator[Unmet]:
    """What a person's training in a technique lacks on a local day."""
    counted = [t for t in _counted(asked, technique, trainings) if t.completed_on <= on]
    if asked.approved_course and not counted:
        yield Unmet(Requirement.APPROVED_COURSE, technique, required=True, found=False)
    amounts = (
        (Requirement.HOURS_TOTAL, asked.hours_total, sum(t.hours_total for t in counted)),
        (Requirement.HOURS_THEORY, asked.hours_theory, sum(t.hours_theory for t in counted)),
        (Requirement.HOURS_PRACTICAL, asked.hours_practical, sum(t.hours_practical for t in counted)),
        (Requirement.HOURS_IN_PERSON, asked.hours_in_person, sum(t.hours_in_person for t in counted)),
        (
            Requirement.SUPERVISED_SESSIONS,
            asked.supervised_sessions,
            sum(t.supervised_sessions for t in counted),
        ),
    )
    for requirement, required, found in amounts:
        if found < required:
            yield Unmet(requirement, technique, required=required, found=found)
    if asked.examination and not any(t.examination_passed for t in counted):
        yield Unmet(Requirement.EXAMINATION, technique, required=True, found=False)
    if asked.safety_component and not any(t.safety_component for t in counted):
        yield Unmet(Requirement.SAFETY_COMPONENT, technique, required=True, found=False)
    if any(
        first <= on and (last is None or on <= last) for first, last in shortages(asked, technique, trainings)
    ):
        yield Unmet(Requirement.REFRESHER_HOURS, technique, required=asked.refresher_hours, found=None)


def _counted(
    asked: TrainingRequirement, technique: Technique, trainings: Sequence[Training]
) -> list[Training]:
    """The trainings in a technique that count, refreshers too: where it is asked, approved courses alone."""
    return [
        t
        for t in trainings
        if technique in t.techniques and (t.course_was_approved or not asked.approved_course)
    ]


def shortages(
    asked: TrainingRequirement, technique: Technique, trainings: Sequence[Training]
) -> Iterator[tuple[date, date | None]]:
    """The local days (first, last or open) on which the refresher hours of the months before do not suffice.

    Nothing where no refresher is asked for, or before the technique was first trained (then the training
    itself is what lacks).
    """
    if not asked.refresher_hours or not asked.refresher_months:
        return
    windows = [
        (t.completed_on, last_of_months(t.completed_on, asked.refresher_months), t.hours_total)
        for t in _counted(asked, technique, trainings)
    ]
    edges = {edge for first, last, _ in windows for edge in (first, day_after(last))}
    since: date | None = None
    for day in sorted(edge for edge in edges if edge is not None):
        enough = sum(h for first, last, h in windows if first <= day <= last) >= asked.refresher_hours
        if since is None and not enough:
            since = day
        elif since is not None and enough:
            yield since, day_before(day)
            since = None
    if since is not None:
        yield since, None


def whole_years(since: date | None, on: date) -> int:
    """Completed years between two local days; 0 where there is no first."""
    if since is None or since > on:
        return 0
    return on.year - since.year - ((on.month, on.day) < (since.month, since.day))
