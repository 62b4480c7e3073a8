"""What a day brings by time alone: on its day, not the day before, not the day after."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.announcements import announcements_on
from registry.domain.decisions import Decision, Scope, StatusReport
from registry.domain.timeline import Timeline, fold
from registry.domain.vocabulary import DecisionKind as Kind
from registry.domain.vocabulary import PracticePermission, Standing, Turning

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
DAY = timedelta(days=1)


def timeline(*decisions, grace=0) -> Timeline:
    told = [
        Decision(f"d{i}", kind, on, datetime(2024, 1, 1, i, tzinfo=UTC), **facts)
        for i, (kind, on, facts) in enumerate(decisions)
    ]
    return fold(told, grace=lambda _last: grace)


def granted(through=LAST, on=FIRST):
    return (Kind.GRANTED, on, {"through": through, "scope": Scope()})


def turnings(told: Timeline, day: date) -> list[Turning]:
    return [announcement.turning for announcement in announcements_on(told, day)]


def begun(told: Timeline, day: date) -> list[Turning]:
    return [turning for turning in turnings(told, day) if turning is not Turning.EXPIRING]


@pytest.mark.parametrize(
    ("told", "day", "turning"),
    [
        (timeline(granted()), LAST + DAY, Turning.LAPSED),
        (timeline(granted(), grace=30), LAST + DAY, Turning.GRACE_BEGUN),
        (timeline(granted(), grace=30), LAST + 31 * DAY, Turning.LAPSED),
        (timeline(granted()), FIRST, Turning.TERM_BEGUN),
        (
            timeline(granted(), (Kind.SUSPENDED, date(2025, 3, 1), {"through": date(2025, 3, 31)})),
            date(2025, 3, 1),
            Turning.SUSPENSION_BEGUN,
        ),
        (
            timeline(granted(), (Kind.SUSPENDED, date(2025, 3, 1), {"through": date(2025, 3, 31)})),
            date(2025, 4, 1),
            Turning.SUSPENSION_OVER,
        ),
        (
            timeline(
                granted(), (Kind.SUSPENDED, date(2025, 3, 1), {}), (Kind.REINSTATED, date(2025, 5, 1), {})
            ),
            date(2025, 5, 1),
            Turning.SUSPENSION_OVER,
        ),
        (timeline(granted(), (Kind.REVOKED, date(2025, 3, 1), {})), date(2025, 3, 1), Turning.TERM_ENDED),
        (
            timeline(granted(), (Kind.SURRENDERED, date(2025, 3, 1), {})),
            date(2025, 3, 1),
            Turning.TERM_ENDED,
        ),
        (
            timeline(granted(), (Kind.RENEWED, date(2026, 3, 1), {"through": date(2026, 12, 31)})),
            date(2026, 3, 1),
            Turning.TERM_BEGUN,
        ),
        (
            timeline(
                granted(), (Kind.CONDITIONS_SET, date(2025, 3, 1), {"scope": Scope(register_class="other")})
            ),
            date(2025, 3, 1),
            Turning.SCOPE_CHANGED,
        ),
        (
            timeline(
                granted(),
                (
                    Kind.STATUS_REPORTED,
                    date(2025, 3, 1),
                    {"report": StatusReport("Tbc", PracticePermission.UNKNOWN)},
                ),
            ),
            date(2025, 3, 1),
            Turning.STANDING_UNKNOWN,
        ),
    ],
)
def test_what_a_day_brings_is_told_on_that_day_alone(told, day, turning):
    assert begun(told, day - DAY) == []
    assert begun(told, day) == [turning]
    assert begun(told, day + DAY) == []


def test_a_term_that_lapses_under_a_suspension_lapses():
    told = timeline(granted(), (Kind.SUSPENDED, date(2025, 12, 1), {"through": date(2026, 1, 31)}))
    assert begun(told, LAST + DAY) == [Turning.LAPSED]
    assert begun(told, date(2026, 2, 1)) == [Turning.SUSPENSION_OVER]
    (over,) = announcements_on(told, date(2026, 2, 1))
    assert (over.was, over.is_) == (Standing.LAPSED, Standing.LAPSED)


def test_a_renewal_in_time_brings_nothing():
    told = timeline(granted(), (Kind.RENEWED, LAST + DAY, {"through": date(2026, 12, 31)}))
    assert turnings(told, LAST + DAY) == []
    assert turnings(told, LAST - 30 * DAY) == []


@pytest.mark.parametrize("days", [60, 30, 7])
def test_an_expiry_is_told_ahead(days):
    told = timeline(granted())
    (announcement,) = announcements_on(told, LAST - days * DAY)
    assert announcement.turning is Turning.EXPIRING
    assert (announcement.days_left, announcement.term_through) == (days, LAST)
    assert announcement.was is announcement.is_ is Standing.IN_FORCE
    assert turnings(told, LAST - (days + 1) * DAY) == turnings(told, LAST - (days - 1) * DAY) == []


def test_an_expiry_into_grace_is_told_ahead_of_the_last_day():
    assert turnings(timeline(granted(), grace=30), LAST - 7 * DAY) == [Turning.EXPIRING]


def test_an_expiry_is_not_told_before_the_term_has_begun():
    told = timeline(granted(through=FIRST + 20 * DAY))
    assert turnings(told, FIRST - 10 * DAY) == []
    assert turnings(told, FIRST + 13 * DAY) == [Turning.EXPIRING]


def test_an_expiry_is_told_of_a_suspended_term_but_not_of_one_that_ends_before():
    suspended = timeline(granted(), (Kind.SUSPENDED, date(2025, 6, 1), {}))
    assert turnings(suspended, LAST - 7 * DAY) == [Turning.EXPIRING]
    revoked = timeline(granted(), (Kind.REVOKED, LAST - DAY, {}))
    assert turnings(revoked, LAST - 7 * DAY) == []


def test_an_open_ended_term_never_expires():
    told = timeline(granted(through=None))
    assert turnings(told, LAST) == []


def test_the_ends_of_the_calendar_bring_nothing():
    told = timeline(granted(through=None, on=date.min))
    assert turnings(told, date.min) == turnings(told, date.max) == []
    assert turnings(timeline(granted(through=date.max)), date.max - 7 * DAY) == []


@given(
    through=st.dates(FIRST, date(2026, 12, 31)),
    suspended=st.none() | st.tuples(st.dates(FIRST, date(2026, 6, 1)), st.integers(0, 300)),
    grace=st.sampled_from([0, 10, 30]),
)
def test_whatever_changes_the_standing_is_told(through, suspended, grace):
    decisions = [granted(through)]
    if suspended:
        day, days = suspended
        decisions.append((Kind.SUSPENDED, day, {"through": day + days * DAY}))
    told = timeline(*decisions, grace=grace)
    for before, span in zip(told.spans, told.spans[1:], strict=False):
        (announcement,) = [
            a for a in announcements_on(told, span.first_day) if a.turning is not Turning.EXPIRING
        ]
        assert (announcement.was, announcement.is_) == (before.standing, span.standing)
