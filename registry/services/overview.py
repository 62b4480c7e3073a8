"""A body's register in numbers: how many stand how today, what is about to end, and how that came about.

Counted from the stored spans and lapses, which say of every day how each registration and each authorization
stands, and from when it will have lapsed. What that means, they were told by the domain.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from sqlalchemy import Connection

from registry.domain.localtime import ONE_DAY, local_date
from registry.domain.rules import add_months
from registry.domain.vocabulary import Standing, SubjectKind
from registry.store import overview as store
from registry.store.overview import Turns
from registry.store.records import Body

SOON = (7, 30, 60)
"""Days ahead within which a registrar wants to know what lapses."""
MONTHS_BACK, MONTHS_AHEAD = 24, 6
WEEKS_AHEAD = 26
REJECTS_FOR = timedelta(days=30)
"""How long an import with rejected rows is counted after it was received."""

STANDINGS_SHOWN = (Standing.IN_FORCE, Standing.IN_GRACE, Standing.SUSPENDED, Standing.LAPSED)


@dataclass(frozen=True, slots=True)
class Numbers:
    """One kind of subject in numbers, on the body's today.

    :param standing: how many stand how.
    :param lapsing: how many lapse within so many days, by the days (as :data:`SOON`), today not included.
    """

    standing: Mapping[Standing, int]
    lapsing: Mapping[int, int]

    @property
    def in_force(self) -> int:
        """How many permit practice today, days of grace included."""
        return sum(number for standing, number in self.standing.items() if standing.permits_practice)


@dataclass(frozen=True, slots=True)
class Point:
    """How many of a kind stand how on a local day."""

    day: date
    standing: Mapping[Standing, int]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven local days from a Monday on, and how many of each kind have their last day in it."""

    first_day: date
    ending: Mapping[SubjectKind, int]

    @property
    def last_day(self) -> date:
        """Its Sunday."""
        return self.first_day + timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Overview:
    """A body's register in numbers.

    :param over_time: by kind, the first of each month from two years ago to half a year ahead, and today.
    :param weeks: this week and the coming ones.
    :param rejecting_imports: imports of the last thirty days with rejected rows.
    """

    today: date
    numbers: Mapping[SubjectKind, Numbers]
    over_time: Mapping[SubjectKind, Sequence[Point]]
    weeks: Sequence[Week]
    rejecting_imports: int


class _Count:
    """How many of a kind stand so on each day, from where that changes."""

    def __init__(self, turns: Sequence[tuple[date, int]]) -> None:
        self._days = [day for day, _ in turns]
        self._sums = list(accumulate(more for _, more in turns))

    def through(self, day: date) -> int:
        """The sum of all that turned until a day, inclusive."""
        place = bisect_right(self._days, day)
        return self._sums[place - 1] if place else 0

    def between(self, first: date, last: date) -> int:
        """The sum of what turned on these days, inclusive."""
        return self.through(last) - self.through(first - ONE_DAY)


Key = tuple[SubjectKind, Standing]


def look_over(connection: Connection, body: Body, *, at: datetime) -> Overview:
    """A body's register in numbers; five statements, however many people it has.

    :param connection: in which the statements see the same.
    :param at: the present instant (UTC).
    """
    today = local_date(at, body.zone)
    begun = _counts(store.beginnings(connection, body.id))
    ended = _counts(store.endings(connection, body.id))
    weeks = _mondays(today)
    ahead = store.coming_lapses(connection, body.id, today + ONE_DAY, weeks[-1] + timedelta(days=7))
    lapsing = _counts(ahead)
    rejecting = store.imports_with_rejects(connection, body.id, at - REJECTS_FOR)

    def point(kind: SubjectKind, day: date) -> Point:
        return Point(day, {one: _standing(begun, ended, (kind, one), day) for one in Standing})

    def numbers(kind: SubjectKind) -> Numbers:
        lapses = lapsing[kind, Standing.LAPSED]
        soon = {days: lapses.through(today + timedelta(days=days)) for days in SOON}
        return Numbers(point(kind, today).standing, soon)

    return Overview(
        today,
        {kind: numbers(kind) for kind in SubjectKind},
        {kind: [point(kind, day) for day in _months(today)] for kind in SubjectKind},
        [_week(lapsing, first) for first in weeks],
        rejecting,
    )


def _counts(turns: Turns) -> Mapping[Key, _Count]:
    return {(kind, one): _Count(turns.get((kind, one), ())) for kind in SubjectKind for one in Standing}


def _standing(begun: Mapping[Key, _Count], ended: Mapping[Key, _Count], key: Key, day: date) -> int:
    return begun[key].through(day) - ended[key].through(day - ONE_DAY)


def _months(today: date) -> list[date]:
    first = today.replace(day=1)
    months = range(-MONTHS_BACK, MONTHS_AHEAD + 1)
    return sorted({today, *(add_months(first, month) for month in months)})


def _mondays(today: date) -> list[date]:
    monday = today - timedelta(days=today.weekday())
    return [monday + timedelta(weeks=week) for week in range(WEEKS_AHEAD)]


def _week(lapsing: Mapping[Key, _Count], first: date) -> Week:
    """What lapses on a day had its last one the day before."""
    after = first + ONE_DAY, first + timedelta(days=7)
    return Week(first, {kind: lapsing[kind, Standing.LAPSED].between(*after) for kind in SubjectKind})
