"""What stands in the way of an authorization: each requirement a little short of it, and just met."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.decisions import Scope
from registry.domain.eligibility import (
    Applicant,
    Training,
    Unmet,
    shortages,
    training_unmet,
    unmet_requirements,
    whole_years,
)
from registry.domain.rules import UNSTATED, BodyRules, TrainingRequirement, add_months
from registry.domain.timeline import Span, fold
from registry.domain.vocabulary import Requirement, Standing, Technique
from tests.domain.deciding import GENERAL, LONG_AGO, ONE_DAY, D, granted

NEEDLING = Technique.DRY_NEEDLING
ASKED = TrainingRequirement(
    hours_total=50,
    hours_theory=20,
    hours_practical=30,
    hours_in_person=25,
    supervised_sessions=10,
    practice_years=2,
    examination=True,
    safety_component=True,
    approved_course=True,
)
RULES = BodyRules(
    date.min, LONG_AGO, eligible_classes=frozenset({"general", "courtesy"}), requirements={NEEDLING: ASKED}
)
COURSE = Training(
    id="course",
    completed_on=D("2025-03-15"),
    techniques=frozenset({NEEDLING}),
    hours_theory=20,
    hours_practical=30,
    hours_in_person=25,
    supervised_sessions=10,
    examination_passed=True,
    safety_component=True,
    approved=((D("2025-01-01"), D("2025-12-31")),),
)
REGISTERED = fold([granted("2023-06-15", scope=GENERAL)]).on(D("2025-06-15"))
APPLICANT = Applicant(REGISTERED, [COURSE], practising_since=D("2023-06-15"))
THE_DAY = D("2025-06-15")


def unmet(
    applicant: Applicant = APPLICANT, rules: BodyRules = RULES, on: date = THE_DAY
) -> list[tuple[Requirement, Any, Any]]:
    found = unmet_requirements(rules, applicant, [NEEDLING], on)
    return [(each.requirement, each.required, each.found) for each in found]


def trained(*trainings: Training) -> Applicant:
    return replace(APPLICANT, trainings=trainings)


def test_nothing_is_unmet_where_each_requirement_is_just_met() -> None:
    assert unmet() == []


SHORT_OF = {
    "hours of theory": (
        {"hours_theory": 19.75},
        [(Requirement.HOURS_TOTAL, 50, 49.75), (Requirement.HOURS_THEORY, 20, 19.75)],
    ),
    "hours of practice": (
        {"hours_practical": 29.75},
        [(Requirement.HOURS_TOTAL, 50, 49.75), (Requirement.HOURS_PRACTICAL, 30, 29.75)],
    ),
    "hours in person": ({"hours_in_person": 24.75}, [(Requirement.HOURS_IN_PERSON, 25, 24.75)]),
    "supervised sessions": ({"supervised_sessions": 9}, [(Requirement.SUPERVISED_SESSIONS, 10, 9)]),
    "the examination": ({"examination_passed": False}, [(Requirement.EXAMINATION, True, False)]),
    "the safety component": ({"safety_component": False}, [(Requirement.SAFETY_COMPONENT, True, False)]),
}


@pytest.mark.parametrize(("lacking", "expected"), SHORT_OF.values(), ids=SHORT_OF.keys())
def test_what_a_training_is_short_of_is_unmet(lacking: dict[str, Any], expected: list[Any]) -> None:
    assert unmet(trained(replace(COURSE, **lacking))) == expected


def test_hours_in_all_can_be_asked_for_without_saying_of_what() -> None:
    rules = replace(RULES, requirements={NEEDLING: TrainingRequirement(hours_total=50)})
    assert unmet(trained(replace(COURSE, hours_theory=50, hours_practical=0)), rules) == []
    assert unmet(trained(replace(COURSE, hours_theory=0, hours_practical=49)), rules) == [
        (Requirement.HOURS_TOTAL, 50, 49)
    ]


def test_trainings_count_together() -> None:
    theory = replace(
        COURSE, hours_practical=0, hours_in_person=0, supervised_sessions=4, safety_component=False
    )
    practice = replace(COURSE, hours_theory=0, supervised_sessions=6, examination_passed=False)
    assert unmet(trained(theory, practice)) == []


def test_training_in_something_else_does_not_count() -> None:
    other = replace(COURSE, techniques=frozenset({Technique.ACUPUNCTURE}))
    assert {requirement for requirement, _, _ in unmet(trained(other))} == {
        Requirement.APPROVED_COURSE,
        Requirement.HOURS_TOTAL,
        Requirement.HOURS_THEORY,
        Requirement.HOURS_PRACTICAL,
        Requirement.HOURS_IN_PERSON,
        Requirement.SUPERVISED_SESSIONS,
        Requirement.EXAMINATION,
        Requirement.SAFETY_COMPONENT,
    }


def test_training_counts_from_the_day_it_was_completed() -> None:
    completed_today = trained(replace(COURSE, completed_on=THE_DAY))
    assert unmet(completed_today) == []
    assert (Requirement.HOURS_TOTAL, 50, 0) in unmet(completed_today, on=THE_DAY - ONE_DAY)


def test_nothing_is_asked_where_the_rules_ask_nothing() -> None:
    rules = replace(RULES, requirements={NEEDLING: TrainingRequirement()})
    assert unmet(Applicant(REGISTERED, [], practising_since=None), rules) == []


@pytest.mark.parametrize(
    ("completed", "approved"),
    [
        ("2024-12-31", False),
        ("2025-01-01", True),
        ("2025-01-31", True),
        ("2025-02-01", False),
        ("2025-02-28", False),
        ("2025-03-01", True),
        ("2030-01-01", True),
    ],
)
def test_a_course_counts_where_it_was_approved_on_the_day_it_was_completed(
    completed: str, approved: bool
) -> None:
    periods = ((D("2025-01-01"), D("2025-01-31")), (D("2025-03-01"), None))
    training = replace(COURSE, completed_on=D(completed), approved=periods)
    assert training.course_was_approved is approved
    lacking = [requirement for requirement, _, _ in unmet(trained(training), on=D("2031-01-01"))]
    assert (Requirement.APPROVED_COURSE in lacking) is not approved
    assert (Requirement.HOURS_TOTAL in lacking) is not approved


def test_a_course_that_nobody_approved_counts_where_approval_is_not_asked() -> None:
    rules = replace(RULES, requirements={NEEDLING: replace(ASKED, approved_course=False)})
    assert unmet(trained(replace(COURSE, approved=())), rules) == []


def test_an_unapproved_course_adds_no_hours_to_an_approved_one() -> None:
    half = replace(COURSE, hours_theory=10)
    assert unmet(trained(half, replace(COURSE, approved=()))) == [
        (Requirement.HOURS_TOTAL, 50, 40),
        (Requirement.HOURS_THEORY, 20, 10),
    ]


@pytest.mark.parametrize(
    ("since", "on", "years"),
    [
        ("2023-06-15", "2025-06-14", 1),
        ("2023-06-15", "2025-06-15", 2),
        ("2023-06-15", "2023-06-15", 0),
        ("2025-06-15", "2025-06-14", 0),
        ("2024-02-29", "2025-02-28", 0),
        ("2024-02-29", "2025-03-01", 1),
        ("2024-02-29", "2028-02-29", 4),
        ("2023-12-31", "2024-01-01", 0),
    ],
)
def test_years_count_when_they_are_whole(since: str, on: str, years: int) -> None:
    assert whole_years(D(since), D(on)) == years


def test_practice_years_count_from_the_first_registration_to_the_day_of_the_grant() -> None:
    assert unmet(on=D("2025-06-14")) == [(Requirement.PRACTICE_YEARS, 2, 1)]
    assert unmet(replace(APPLICANT, practising_since=None)) == [(Requirement.PRACTICE_YEARS, 2, 0)]


NOT_IN_FORCE = [standing for standing in Standing if not standing.permits_practice]


@pytest.mark.parametrize("standing", Standing)
def test_the_registration_is_to_be_in_force_or_in_grace(standing: Standing) -> None:
    span = Span(date.min, None, standing, (standing,), GENERAL, date.min)
    expected = (
        [(Requirement.REGISTRATION_IN_FORCE, "in_force", standing.value)] if standing in NOT_IN_FORCE else []
    )
    assert unmet(replace(APPLICANT, registration=span)) == expected


@pytest.mark.parametrize("scope", [Scope(register_class="provisional"), Scope(), None])
def test_the_register_class_is_to_be_eligible(scope: Scope | None) -> None:
    registration = replace(REGISTERED, scope=scope)
    found = scope.register_class if scope else None
    assert unmet(replace(APPLICANT, registration=registration)) == [
        (Requirement.REGISTER_CLASS, "courtesy, general", found)
    ]


def test_nothing_may_be_granted_where_needling_is_permitted_to_nobody() -> None:
    assert unmet(rules=replace(RULES, needling_permitted=False)) == [
        (Requirement.NEEDLING_PERMITTED, True, False)
    ]


def test_a_technique_that_the_rules_do_not_speak_of_cannot_be_granted() -> None:
    found = unmet_requirements(RULES, APPLICANT, [NEEDLING, Technique.ACUPUNCTURE], THE_DAY)
    assert found == (
        Unmet(Requirement.TECHNIQUE_REGULATED, Technique.ACUPUNCTURE, required=True, found=False),
    )


def test_each_technique_has_its_own_requirements() -> None:
    modest = TrainingRequirement(hours_total=10)
    rules = replace(RULES, requirements={Technique.ACUPUNCTURE: modest, NEEDLING: modest})
    untrained = Applicant(REGISTERED, [], practising_since=None)
    found = unmet_requirements(rules, untrained, [NEEDLING, Technique.ACUPUNCTURE], THE_DAY)
    assert [(each.technique, each.requirement) for each in found] == [
        (Technique.ACUPUNCTURE, Requirement.HOURS_TOTAL),
        (NEEDLING, Requirement.HOURS_TOTAL),
    ]


def test_where_the_rules_are_not_known_that_alone_is_unmet_besides_the_registration() -> None:
    lapsed = replace(REGISTERED, standing=Standing.LAPSED)
    assert unmet(rules=UNSTATED) == [(Requirement.RULES_KNOWN, True, False)]
    assert unmet(replace(APPLICANT, registration=lapsed), UNSTATED) == [
        (Requirement.REGISTRATION_IN_FORCE, "in_force", "lapsed"),
        (Requirement.RULES_KNOWN, True, False),
    ]


# Refresher hours.

REFRESHED = TrainingRequirement(refresher_hours=10, refresher_months=24)


def refresher(completed_on: str, hours: float, **other: Any) -> Training:
    return Training(completed_on, D(completed_on), frozenset({NEEDLING}), hours_theory=hours, **other)


REFRESHERS: dict[str, tuple[list[Training], list[tuple[str, str | None]]]] = {
    "never trained": ([], []),
    "trained once": ([refresher("2023-03-15", 50)], [("2025-03-15", None)]),
    "trained once, too little": ([refresher("2023-03-15", 9.75)], [("2023-03-15", None)]),
    "refreshed in time": (
        [refresher("2023-03-15", 50), refresher("2025-03-14", 10)],
        [("2027-03-14", None)],
    ),
    "refreshed on the day it was due": (
        [refresher("2023-03-15", 50), refresher("2025-03-15", 10)],
        [("2027-03-15", None)],
    ),
    "refreshed a day late": (
        [refresher("2023-03-15", 50), refresher("2025-03-16", 10)],
        [("2025-03-15", "2025-03-15"), ("2027-03-16", None)],
    ),
    "refreshed in parts": (
        [refresher("2023-03-15", 50), refresher("2024-06-01", 4), refresher("2025-06-01", 6)],
        [("2025-03-15", "2025-05-31"), ("2026-06-01", None)],
    ),
    "trained on a day that not every year has": (
        [refresher("2024-02-29", 50)],
        [("2026-03-01", None)],
    ),
    "trained on the last of a month": (
        [replace(refresher("2024-08-31", 50))],
        [("2026-08-31", None)],
    ),
    "trained in something else since": (
        [
            refresher("2023-03-15", 50),
            replace(refresher("2024-06-01", 10), techniques=frozenset({Technique.ACUPUNCTURE})),
        ],
        [("2025-03-15", None)],
    ),
    "trained so late that the calendar ends before the refresher is due": (
        [refresher("9999-03-15", 50)],
        [],
    ),
}


@pytest.mark.parametrize(("trainings", "expected"), REFRESHERS.values(), ids=REFRESHERS.keys())
def test_refresher_hours_lack_when_the_months_before_do_not_hold_enough(
    trainings: list[Training], expected: list[tuple[str, str | None]]
) -> None:
    found = list(shortages(REFRESHED, NEEDLING, trainings))
    assert found == [(D(first), None if last is None else D(last)) for first, last in expected]


@pytest.mark.parametrize(
    "asked", [replace(REFRESHED, refresher_hours=0), replace(REFRESHED, refresher_months=0)]
)
def test_no_refresher_is_due_where_none_is_asked_for(asked: TrainingRequirement) -> None:
    assert list(shortages(asked, NEEDLING, [refresher("2020-01-01", 1)])) == []


def test_only_approved_refreshers_count_where_approval_is_asked() -> None:
    asked = replace(REFRESHED, approved_course=True)
    always = ((date.min, None),)
    trainings = [refresher("2023-03-15", 50, approved=always), refresher("2025-01-01", 10)]
    assert list(shortages(asked, NEEDLING, trainings)) == [(D("2025-03-15"), None)]


@pytest.mark.parametrize(
    ("on", "lacks"),
    [("2023-03-14", False), ("2023-03-15", False), ("2025-03-14", False), ("2025-03-15", True)],
)
def test_refresher_hours_stand_in_the_way_of_a_grant_from_the_day_they_lack(on: str, lacks: bool) -> None:
    found = [u.requirement for u in training_unmet(REFRESHED, NEEDLING, [refresher("2023-03-15", 50)], D(on))]
    assert found == ([Requirement.REFRESHER_HOURS] if lacks else [])


def test_refresher_hours_stand_in_the_way_to_the_last_day_they_lack() -> None:
    trainings = [refresher("2023-03-15", 50), refresher("2025-06-01", 10)]
    for on, count in (("2025-05-31", 1), ("2025-06-01", 0)):
        assert len(list(training_unmet(REFRESHED, NEEDLING, trainings, D(on)))) == count


trainings_of_years = st.lists(
    st.builds(
        lambda on, quarters: refresher(on.isoformat(), quarters / 4),
        st.dates(date(2020, 1, 1), date(2022, 12, 31)),
        st.integers(0, 60),
    ),
    max_size=6,
)


@given(
    trainings_of_years,
    st.builds(TrainingRequirement, refresher_hours=st.integers(1, 12), refresher_months=st.integers(1, 20)),
)
def test_a_day_lacks_refreshers_where_the_hours_of_the_months_before_it_do_not_suffice(
    trainings: list[Training], asked: TrainingRequirement
) -> None:
    found = list(shortages(asked, NEEDLING, trainings))
    first = min((t.completed_on for t in trainings), default=None)
    for day in [
        *{t.completed_on for t in trainings},
        *(date(2020, 1, 1) + ONE_DAY * i for i in range(0, 1500, 31)),
    ]:
        since = add_months(day, -asked.refresher_months)
        hours = sum(t.hours_total for t in trainings if since < t.completed_on <= day)
        lacks = first is not None and first <= day and hours < asked.refresher_hours
        assert lacks is any(start <= day and (last is None or day <= last) for start, last in found)
