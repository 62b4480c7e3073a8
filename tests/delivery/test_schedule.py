"""What follows a try."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.delivery.schedule import (
    JITTER,
    LONGEST_WAIT,
    RETRY_DELAYS,
    THROTTLES,
    Again,
    Delivered,
    Ending,
    Over,
    after,
)
from registry.delivery.sending import MOST_RETRY_AFTER, Attempt, retry_after

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
STANDARD = [0, 5, 5 * 60, 30 * 60, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))]


def attempt(status: int | None, wanted: float | None = None) -> Attempt:
    return Attempt(status, None if status else "It took too long.", wanted, 3, "")


statuses = st.none() | st.integers(100, 999) | st.sampled_from([200, 410, 429, 500, 502, 503, 504])
wishes = st.none() | st.floats(allow_nan=False)
failures = st.builds(attempt, statuses.filter(lambda status: not status or status // 100 != 2), wishes)
randoms = st.integers().map(Random)
SOME = Random(7)  # noqa: S311 - spreads tries, hides nothing


def test_the_delays_are_the_standards() -> None:
    assert [delay.total_seconds() for delay in RETRY_DELAYS] == STANDARD


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("tries", [1, 10, 11])
def test_2xx_is_delivered_at_any_try(status: int, tries: int) -> None:
    assert after(attempt(status), tries, AT, SOME) == Delivered()


@pytest.mark.parametrize(
    "status", [None, 100, 103, 199, 300, 301, 302, 304, 307, 308, 400, 404, 500, 503, 999]
)
def test_anything_else_is_tried_again(status: int | None) -> None:
    assert isinstance(after(attempt(status), 1, AT, SOME), Again)


@given(st.integers(1, 12), wishes, randoms)
def test_410_ends_it_at_once(tries: int, wanted: float | None, random: Random) -> None:
    assert after(attempt(410, wanted), tries, AT, random) == Over(Ending.GONE)


@given(failures.filter(lambda failure: not failure.gone), randoms)
def test_there_are_ten_tries_and_no_more(failure: Attempt, random: Random) -> None:
    outcomes = [after(failure, tries, AT, random) for tries in range(1, 13)]

    assert all(isinstance(outcome, Again) for outcome in outcomes[:9])
    assert outcomes[9:] == [Over(Ending.EXHAUSTED)] * 3


@given(failures.filter(lambda failure: not failure.gone), st.integers(1, 9), randoms)
def test_the_next_try_is_never_sooner_than_the_standard_nor_later_than_a_day_and_its_jitter(
    failure: Attempt, tries: int, random: Random
) -> None:
    outcome = after(failure, tries, AT, random)

    assert isinstance(outcome, Again)
    assert AT + RETRY_DELAYS[tries] <= outcome.at <= AT + LONGEST_WAIT * (1 + JITTER)


@given(statuses.filter(lambda status: status not in {*range(200, 300), 410, *THROTTLES}), wishes, randoms)
def test_only_a_receiver_that_throttles_may_ask_for_more_time(
    status: int | None, wanted: float | None, random: Random
) -> None:
    for tries in range(1, 10):
        outcome = after(attempt(status, wanted), tries, AT, random)

        assert isinstance(outcome, Again)
        assert outcome.at <= AT + RETRY_DELAYS[tries] * (1 + JITTER)


@given(st.sampled_from([429, 502, 503, 504]), st.floats(0, MOST_RETRY_AFTER), st.integers(1, 9), randoms)
def test_a_receiver_that_throttles_is_left_alone_as_long_as_it_asked(
    status: int, wanted: float, tries: int, random: Random
) -> None:
    outcome = after(attempt(status, wanted), tries, AT, random)

    assert isinstance(outcome, Again)
    longer = max(RETRY_DELAYS[tries], timedelta(seconds=wanted))
    assert AT + longer <= outcome.at <= AT + longer * (1 + JITTER)


@pytest.mark.parametrize("tries", range(1, 10))
def test_those_that_failed_together_are_not_tried_together(tries: int) -> None:
    outcomes = [after(attempt(500), tries, AT, SOME) for _ in range(100)]

    assert len(set(outcomes)) == 100


def test_the_first_try_has_the_number_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        after(attempt(500), 0, AT, SOME)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("86400", 86_400),
        ("86401", 86_400),
        ("9" * 20_000, 86_400),
        ("-5", None),
        ("+5", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("120, 120", None),
        ("soon", None),
        ("inf", None),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
        ("Sunday, 01-Mar-26 12:02:00 GMT", 120),
        ("Sun Mar  1 12:02:00 2026", 120),
        ("Sun, 01 Mar 2026 13:02:00 +0100", 120),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 86_400),
        ("Sun, 99 Mar 2026 12:02:00 GMT", None),
        ("Sun, 01 Mar 99999999999999999999 12:02:00 GMT", None),
    ],
)
def test_what_retry_after_asks_for(field: str | None, seconds: float | None) -> None:
    assert retry_after(field, AT) == seconds


@given(st.text())
def test_whatever_retry_after_holds_is_bounded(field: str) -> None:
    seconds = retry_after(field, AT)

    assert seconds is None or 0 <= seconds <= MOST_RETRY_AFTER
