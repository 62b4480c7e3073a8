"""The gap report: the days without authorization, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from registry.domain.verdict import Question, give_verdict
from registry.domain.vocabulary import DecisionKind, Mode, Outcome, Reason, Technique
from registry.errors import Invalid, NotFound
from registry.services.gaps import GapQuestion, report_gaps
from tests.support.factories import (
    database,
    decide,
    make_authorization,
    make_body,
    make_registration,
    make_rules,
)

AT = datetime(2026, 7, 1, 18, tzinfo=UTC)
DAY = timedelta(days=1)
D = date


@pytest.fixture
def tx(database_url):
    with database(database_url) as engine, engine.begin() as made:
        yield made


@pytest.fixture
def record(tx):
    """Registered and authorized for 2025 and 2026, but for a suspension in February 2026."""
    rules = make_rules(learner_classes=frozenset({"general"}))
    registered = make_registration(tx, make_body(tx, rules=rules))
    registered, _ = make_authorization(tx, registered)
    return decide(
        tx, registered, DecisionKind.SUSPENDED, D(2026, 2, 1), through=D(2026, 2, 28), reason="inquiry"
    )


def asked(tx, record, **question):
    asked_for = GapQuestion(**{"technique": Technique.DRY_NEEDLING, **question})
    return report_gaps(tx, record.body, record.number, asked_for, at=AT)


def told(report):
    return [(gap.first, gap.last, gap.verdict.outcome) for gap in report.gaps]


def test_the_days_without_authorization_are_told_with_their_reasons(tx, record):
    report = asked(tx, record, first=D(2026, 1, 1), last=D(2026, 6, 30))
    (gap,) = report.gaps
    assert told(report) == [(D(2026, 2, 1), D(2026, 2, 28), Outcome.REGISTRATION_NOT_IN_FORCE)]
    assert gap.verdict.reasons == (Reason.REGISTRATION_SUSPENDED,)
    assert (gap.days, report.days_without, report.days_in_range) == (28, 28, 181)
    assert not gap.ongoing


@pytest.mark.parametrize(
    ("first", "last", "days", "ongoing"),
    [
        (D(2026, 1, 1), D(2026, 1, 31), 0, False),
        (D(2026, 1, 1), D(2026, 2, 1), 1, True),
        (D(2026, 2, 10), D(2026, 2, 10), 1, True),
        (D(2026, 2, 28), D(2026, 3, 1), 1, False),
        (D(2026, 2, 1), D(2026, 2, 28), 28, False),
        (D(2026, 3, 1), D(2026, 3, 1), 0, False),
    ],
)
def test_the_range_is_inclusive_at_both_ends(tx, record, first, last, days, ongoing):
    report = asked(tx, record, first=first, last=last)
    assert report.days_without == days
    assert any(gap.ongoing for gap in report.gaps) is ongoing


def test_days_with_different_answers_are_told_apart(tx, record):
    report = asked(tx, record, first=D(2024, 12, 1), last=D(2027, 1, 31))
    assert told(report) == [
        (D(2024, 12, 1), D(2024, 12, 31), Outcome.REGISTRATION_NOT_IN_FORCE),
        (D(2026, 2, 1), D(2026, 2, 28), Outcome.REGISTRATION_NOT_IN_FORCE),
        (D(2027, 1, 1), D(2027, 1, 31), Outcome.REGISTRATION_NOT_IN_FORCE),
    ]
    assert report.gaps[-1].verdict.reasons == (Reason.REGISTRATION_LAPSED, Reason.AUTHORIZATION_LAPSED)


def test_every_day_of_a_report_agrees_with_the_verdict_of_that_day(tx, record):
    for technique in (Technique.DRY_NEEDLING, Technique.ACUPUNCTURE):
        for mode in Mode:
            first, last = D(2024, 12, 25), D(2027, 1, 10)
            report = asked(tx, record, technique=technique, mode=mode, first=first, last=last)
            without = {gap.first + n * DAY for gap in report.gaps for n in range(gap.days)}
            standings = record.standings()
            for n in range((last - first).days + 1):
                verdict = give_verdict(Question(technique, first + n * DAY, mode), standings)
                assert (first + n * DAY in without) is not verdict.authorized


def test_an_earlier_knowledge_can_be_asked_for(tx, record):
    late = datetime(2026, 6, 1, 18, tzinfo=UTC)
    decide(tx, record, DecisionKind.SUSPENDED, D(2026, 4, 1), through=D(2026, 4, 30), at=late)
    span = {"first": D(2026, 3, 1), "last": D(2026, 5, 31)}
    assert asked(tx, record, **span).days_without == 30
    assert asked(tx, record, **span, known_at=late - timedelta(seconds=1)).days_without == 0


def test_the_range_defaults_to_the_year_through_the_body_s_today(tx, record):
    report = asked(tx, record)
    assert (report.first, report.last) == (D(2025, 7, 1), D(2026, 7, 1))


@pytest.mark.parametrize(
    ("question", "parameter"),
    [
        ({"first": D(2026, 1, 2), "last": D(2026, 1, 1)}, "from"),
        ({"first": D(2026, 7, 2)}, "from"),
        ({"first": D(2016, 1, 1), "last": D(2026, 1, 1)}, "to"),
        ({"known_at": AT + DAY}, "known_at"),
    ],
)
def test_an_impossible_question_is_refused_by_the_name_of_its_argument(tx, record, question, parameter):
    with pytest.raises(Invalid) as caught:
        asked(tx, record, **question)
    assert [problem["parameter"] for problem in caught.value.problems] == [parameter]


def test_ten_years_to_the_day_can_be_asked_for(tx, record):
    assert asked(tx, record, first=D(2016, 1, 2), last=D(2026, 1, 1)).days_in_range == 3653


def test_a_number_that_the_body_does_not_keep_is_not_found(tx, record):
    with pytest.raises(NotFound):
        report_gaps(tx, record.body, "PT-99999", GapQuestion(Technique.DRY_NEEDLING), at=AT)
