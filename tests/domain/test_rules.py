"""Versions of a body's rules, the ends of terms, and months of calendars."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.rules import UNSTATED, BodyRules, Renewal, RulesHistory, add_months, last_of_months
from registry.domain.vocabulary import Technique
from tests.domain.deciding import LONG_AGO, ONE_DAY, D, hours

RULES = BodyRules(D("2025-01-01"), LONG_AGO)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2025-01-15", 1, "2025-02-15"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2025-12-31", 12, "2026-12-31"),
        ("2025-03-31", -1, "2025-02-28"),
        ("2025-01-15", -1, "2024-12-15"),
        ("2025-06-15", 0, "2025-06-15"),
        ("9999-06-15", 7, "9999-12-31"),
        ("9999-12-15", 1, "9999-12-31"),
        ("0001-01-15", -1, "0001-01-01"),
    ],
)
def test_months_later_is_the_same_day_or_the_last_of_a_shorter_month(
    day: str, months: int, expected: str
) -> None:
    assert add_months(D(day), months) == D(expected)


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        ("2025-01-01", 12, "2025-12-31"),
        ("2025-04-01", 12, "2026-03-31"),
        ("2025-01-15", 1, "2025-02-14"),
        ("2024-02-28", 12, "2025-02-27"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-03-01", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-28"),
        ("2025-01-31", 1, "2025-02-28"),
        ("2025-08-31", 6, "2026-02-28"),
        ("9999-12-31", 1, "9999-12-31"),
        ("9999-06-15", 12, "9999-12-31"),
        ("9999-06-15", 6, "9999-12-14"),
    ],
)
def test_a_period_of_months_ends_before_its_day_comes_again_or_with_a_shorter_month(
    first: str, months: int, last: str
) -> None:
    assert last_of_months(D(first), months) == D(last)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_a_period_that_begins_later_never_ends_earlier(first: date, months: int) -> None:
    assert last_of_months(first, months) <= last_of_months(first + ONE_DAY, months)


ALBERTA = Renewal(month=9, day=30)


@pytest.mark.parametrize(
    ("renewal", "first", "last"),
    [
        (ALBERTA, "2025-09-29", "2025-09-30"),
        (ALBERTA, "2025-09-30", "2025-09-30"),
        (ALBERTA, "2025-10-01", "2026-09-30"),
        (Renewal(month=2, day=29), "2025-01-01", "2025-02-28"),
        (Renewal(month=2, day=29), "2024-01-01", "2024-02-29"),
        (Renewal(month=2, day=29), "2023-03-01", "2024-02-29"),
        (ALBERTA, "9999-10-01", "9999-12-31"),
        (Renewal(months=12), "2025-04-01", "2026-03-31"),
        (Renewal(months=24), "2024-02-29", "2026-02-28"),
    ],
)
def test_a_term_ends_on_the_fixed_day_or_after_its_months(renewal: Renewal, first: str, last: str) -> None:
    assert renewal.last_day(D(first)) == D(last)


@pytest.mark.parametrize("renewal", [Renewal(), Renewal(month=9), Renewal(day=30)])
def test_a_term_without_a_whole_rule_is_open_ended(renewal: Renewal) -> None:
    assert renewal.last_day(D("2025-01-01")) is None


def test_rules_hold_from_their_day_until_the_next_do() -> None:
    first, second = RULES, replace(RULES, holds_from=D("2025-07-01"), needling_permitted=False)
    history = RulesHistory.of([second, first])
    assert history.on(D("2024-12-31")) is UNSTATED
    assert history.on(D("2025-01-01")) is first
    assert history.on(D("2025-06-30")) is first
    assert history.on(D("2025-07-01")) is second
    assert history.on(date.max) is second


def test_of_two_versions_from_one_day_the_later_recorded_holds() -> None:
    corrected = replace(RULES, recorded_at=hours(1), needling_permitted=False)
    for versions in ([RULES, corrected], [corrected, RULES]):
        assert RulesHistory.of(versions).versions == (corrected,)


def test_rules_are_known_from_the_instant_they_were_recorded() -> None:
    corrected = replace(RULES, recorded_at=hours(1), needling_permitted=False)
    assert RulesHistory.of([RULES, corrected], hours(0.9)).versions == (RULES,)
    assert RulesHistory.of([RULES, corrected], hours(1)).versions == (corrected,)
    assert RulesHistory.of([RULES, corrected], hours(-1)).versions == ()


def test_unstated_rules_can_be_put_among_stated_ones() -> None:
    assert RulesHistory.of([RULES, UNSTATED]).versions == (UNSTATED, RULES)


def test_grace_is_that_of_the_rules_of_the_day_and_of_the_subject() -> None:
    rules = replace(RULES, registration_grace_days=30, authorization_grace_days=5)
    history = RulesHistory.of([rules])
    assert history.registration_grace(D("2025-01-01")) == 30
    assert history.authorization_grace(D("2025-01-01")) == 5
    assert history.registration_grace(D("2024-12-31")) == 0
    assert history.authorization_grace(D("2024-12-31")) == 0


def test_every_class_is_eligible_unless_the_rules_list_some() -> None:
    some = replace(RULES, eligible_classes=frozenset({"general"}))
    assert [RULES.class_is_eligible(name) for name in ("general", None)] == [True, True]
    assert [some.class_is_eligible(name) for name in ("general", "courtesy", None)] == [True, False, False]
    assert replace(RULES, eligible_classes=frozenset()).class_is_eligible("general") is False


def test_learners_are_of_a_class_that_the_rules_name_and_do_not_keep_out() -> None:
    taught = replace(RULES, learner_classes=frozenset({"general", "provisional"}))
    general_alone = replace(taught, eligible_classes=frozenset({"general"}))
    banned = replace(taught, needling_permitted=False)
    classes = ("general", "provisional", "courtesy", None)
    assert [taught.learners_allowed(name) for name in classes] == [True, True, False, False]
    assert [general_alone.learners_allowed(name) for name in classes] == [True, False, False, False]
    assert [banned.learners_allowed(name) for name in classes] == [False] * 4


def test_an_authorization_covers_what_it_names_and_what_each_of_that_covers_but_no_further() -> None:
    needling, acupuncture, stimulation = (
        Technique.DRY_NEEDLING,
        Technique.ACUPUNCTURE,
        Technique.INTRAMUSCULAR_STIMULATION,
    )
    rules = replace(RULES, covers={acupuncture: frozenset({needling}), needling: frozenset({stimulation})})
    assert rules.covered([acupuncture]) == {acupuncture, needling}
    assert rules.covered([needling]) == {needling, stimulation}
    assert rules.covered([acupuncture, needling]) == {acupuncture, needling, stimulation}
    assert rules.covered([stimulation]) == {stimulation}
    assert rules.covered([]) == set()
