"""Local midnights to the second, where clocks change, skip midnight, repeat it, or skip a whole day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.localtime import (
    ONE_DAY,
    ONE_SECOND,
    day_after,
    day_before,
    day_begins,
    day_ends,
    local_date,
    zone,
)
from registry.domain.timeline import fold
from registry.domain.vocabulary import Standing
from tests.domain.deciding import D, granted

ZONES = [
    "America/Edmonton",
    "America/Toronto",
    "America/Havana",
    "America/Santiago",
    "America/Nuuk",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Etc/GMT+12",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "UTC",
]

# Zone, local day, and the UTC instants at which it begins and ends.
DAYS = [
    ("UTC", "2025-09-30", "2025-09-30T00:00", "2025-10-01T00:00"),
    # Alberta's General permits expire on 30 September, in summer time; a winter day for comparison.
    ("America/Edmonton", "2025-09-30", "2025-09-30T06:00", "2025-10-01T06:00"),
    ("America/Edmonton", "2025-01-31", "2025-01-31T07:00", "2025-02-01T07:00"),
    ("America/Edmonton", "2025-03-09", "2025-03-09T07:00", "2025-03-10T06:00"),
    ("America/Edmonton", "2025-11-02", "2025-11-02T06:00", "2025-11-03T07:00"),
    ("Europe/London", "2025-03-30", "2025-03-30T00:00", "2025-03-30T23:00"),
    ("Europe/London", "2025-10-26", "2025-10-25T23:00", "2025-10-27T00:00"),
    # New Zealand's annual practising certificates end with March, in summer time.
    ("Pacific/Auckland", "2025-03-31", "2025-03-30T11:00", "2025-03-31T11:00"),
    ("Pacific/Auckland", "2025-04-06", "2025-04-05T11:00", "2025-04-06T12:00"),
    ("Pacific/Auckland", "2025-09-28", "2025-09-27T12:00", "2025-09-28T11:00"),
    # Half an hour.
    ("Australia/Lord_Howe", "2025-04-06", "2025-04-05T13:00", "2025-04-06T13:30"),
    ("Australia/Lord_Howe", "2025-10-05", "2025-10-04T13:30", "2025-10-05T13:00"),
    # Midnight is skipped: the day begins at one o'clock.
    ("America/Santiago", "2024-09-08", "2024-09-08T04:00", "2024-09-09T03:00"),
    ("Asia/Beirut", "2024-03-31", "2024-03-30T22:00", "2024-03-31T21:00"),
    ("Africa/Cairo", "2024-04-26", "2024-04-25T22:00", "2024-04-26T21:00"),
    ("America/Havana", "2024-03-10", "2024-03-10T05:00", "2024-03-11T04:00"),
    # The hour before midnight is repeated.
    ("America/Santiago", "2024-04-06", "2024-04-06T03:00", "2024-04-07T04:00"),
    ("Asia/Beirut", "2024-10-26", "2024-10-25T21:00", "2024-10-26T22:00"),
    ("Africa/Cairo", "2024-10-31", "2024-10-30T21:00", "2024-10-31T22:00"),
    # Midnight itself is repeated, and the day begins at the first.
    ("America/Havana", "2024-11-03", "2024-11-03T04:00", "2024-11-04T05:00"),
    # Samoa went from one side of the date line to the other: there was no 30 December 2011.
    ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", "2011-12-30T10:00"),
    ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", "2011-12-31T10:00"),
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(("zone_name", "day", "begins", "ends"), DAYS)
def test_a_day_begins_and_ends_at_its_local_midnights(
    zone_name: str, day: str, begins: str, ends: str
) -> None:
    assert day_begins(D(day), zone_name) == utc(begins)
    assert day_ends(D(day), zone_name) == utc(ends)


@pytest.mark.parametrize(("zone_name", "day", "begins", "ends"), DAYS)
def test_the_date_changes_between_the_last_second_of_a_day_and_the_first_of_the_next(
    zone_name: str, day: str, begins: str, ends: str
) -> None:
    assert local_date(utc(begins) - ONE_SECOND, zone_name) < D(day)
    assert local_date(utc(begins), zone_name) == D(day)
    assert local_date(utc(ends) - ONE_SECOND, zone_name) == D(day)
    assert local_date(utc(ends), zone_name) > D(day)


@pytest.mark.parametrize(("zone_name", "day", "begins", "ends"), DAYS)
def test_a_term_is_in_force_to_the_last_second_of_its_last_day(
    zone_name: str, day: str, begins: str, ends: str
) -> None:
    timeline = fold([granted(day, day)])
    instants = [utc(begins) - ONE_SECOND, utc(begins), utc(ends) - ONE_SECOND, utc(ends)]
    assert [timeline.on(local_date(instant, zone_name)).standing for instant in instants] == [
        Standing.NOT_YET,
        Standing.IN_FORCE,
        Standing.IN_FORCE,
        Standing.LAPSED,
    ]


def test_a_repeated_midnight_belongs_to_one_day_both_times() -> None:
    second_midnight = utc("2024-11-03T05:00")
    for instant in (second_midnight - ONE_SECOND, second_midnight):
        assert local_date(instant, "America/Havana") == D("2024-11-03")


def test_a_day_that_a_zone_skips_lasts_no_time_at_all() -> None:
    begins = day_begins(D("2011-12-30"), "Pacific/Apia")
    assert begins == day_ends(D("2011-12-30"), "Pacific/Apia") == utc("2011-12-30T10:00")
    assert local_date(begins - ONE_SECOND, "Pacific/Apia") == D("2011-12-29")
    assert local_date(begins, "Pacific/Apia") == D("2011-12-31")


def test_an_instant_may_be_given_in_any_zone() -> None:
    in_tokyo = datetime(2025, 10, 1, 15, tzinfo=timezone(timedelta(hours=9)))
    assert local_date(in_tokyo, "America/Edmonton") == D("2025-10-01")
    assert local_date(in_tokyo - ONE_SECOND, "America/Edmonton") == D("2025-09-30")


@given(st.sampled_from(ZONES), st.dates(date(2012, 1, 1), date(2037, 12, 31)))
def test_days_abut_and_each_begins_when_its_date_does(zone_name: str, day: date) -> None:
    begins = day_begins(day, zone_name)
    assert local_date(begins, zone_name) == day
    assert local_date(begins - ONE_SECOND, zone_name) == day - ONE_DAY
    assert day_ends(day - ONE_DAY, zone_name) == begins


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2012, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - the bounds take their zone from `timezones`
)
def test_every_instant_lies_within_the_day_of_its_date(zone_name: str, instant: datetime) -> None:
    day = local_date(instant, zone_name)
    assert day_begins(day, zone_name) <= instant < day_ends(day, zone_name)


@pytest.mark.parametrize("zone_name", ZONES)
def test_the_first_and_the_last_days_there_are_have_a_beginning_and_an_end(zone_name: str) -> None:
    assert day_begins(date.min, zone_name) == datetime.min.replace(tzinfo=UTC)
    assert day_ends(date.max, zone_name) == datetime.max.replace(tzinfo=UTC)
    assert day_ends(date.min, zone_name) == day_begins(date.min + ONE_DAY, zone_name)
    assert day_ends(date.max - ONE_DAY, zone_name) == day_begins(date.max, zone_name)


def test_the_days_beside_a_day_end_with_the_calendar() -> None:
    assert (day_before(date.min), day_after(date.min)) == (None, D("0001-01-02"))
    assert (day_before(date.max), day_after(date.max)) == (D("9999-12-30"), None)
    assert (day_before(D("2024-03-01")), day_after(D("2024-02-28"))) == (D("2024-02-29"), D("2024-02-29"))


def test_a_zone_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        zone("America/Calgary")
