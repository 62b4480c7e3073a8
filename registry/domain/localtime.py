"""Whole local days and the instants at which they begin.

A register's terms are whole days in the body's own time zone, inclusive at both ends; the moment at
which an answer changes is the local midnight after the last day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    :raises zoneinfo.ZoneInfoNotFoundError: there is none; a ``KeyError``.
    """
    return ZoneInfo(name)


def local_date(instant: datetime, zone_name: str) -> date:
    """The calendar day that an instant (aware) falls on in a zone."""
    return instant.astimezone(zone(zone_name)).date()


def day_begins(day: date, zone_name: str) -> datetime:
    """The first instant (UTC) of a local day.

    Where clocks skip midnight the day begins at the first instant that exists; where they repeat it,
    at the earlier one. A day that a zone skips whole begins, and ends, where the next one begins. The first
    day that a calendar date can name has always begun.
    """
    if day == date.min:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(day, time.min, tzinfo=zone(zone_name)).astimezone(UTC)


def day_ends(day: date, zone_name: str) -> datetime:
    """The first instant (UTC) that no longer belongs to a local day.

    The last day that a calendar date can name ends at ``datetime.max``.
    """
    following = day_after(day)
    return datetime.max.replace(tzinfo=UTC) if following is None else day_begins(following, zone_name)


def day_after(day: date) -> date | None:
    """The next day, or ``None`` after the last day that a calendar date can name."""
    return None if day == date.max else day + ONE_DAY


def day_before(day: date) -> date | None:
    """The day before, or ``None`` before the first day that a calendar date can name."""
    return None if day == date.min else day - ONE_DAY
