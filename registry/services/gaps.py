"""The gap report: the days on which a registration was not authorized for a technique, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.names import number_key
from registry.domain.rules import add_months
from registry.domain.verdict import Question, Standings, Verdict, answers_between
from registry.domain.vocabulary import Mode, Technique
from registry.errors import Invalid, NotFound
from registry.store.records import Body, RegistrationRecord, find_registration, load_record

LONGEST_YEARS = 10
MONTHS_UNASKED = 12


@dataclass(frozen=True, slots=True)
class Gap:
    """A run of local days, inclusive, that get one and the same answer, which is not a yes.

    :param ongoing: whether the day after it, beyond the range, gets that answer too.
    """

    first: date
    last: date
    verdict: Verdict
    ongoing: bool

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class GapReport:
    """The gaps of a registration in a range of local days, inclusive, as known at one moment.

    :param known_at: what was known at this instant (UTC) was asked for; ``None`` for now.
    """

    body: Body
    number: str
    technique: Technique
    mode: Mode
    first: date
    last: date
    known_at: datetime | None
    gaps: tuple[Gap, ...]

    @property
    def days_in_range(self) -> int:
        """How many days were asked about."""
        return (self.last - self.first).days + 1

    @property
    def days_without(self) -> int:
        """On how many of them the registration was not authorized."""
        return sum(gap.days for gap in self.gaps)


@dataclass(frozen=True, slots=True)
class GapQuestion:
    """What a gap report is to be about.

    :param first: the first local day; ``None`` for a year back from ``last``.
    :param last: the last local day; ``None`` for the body's today.
    """

    technique: Technique
    mode: Mode = Mode.INDEPENDENT
    first: date | None = None
    last: date | None = None
    known_at: datetime | None = None


def report_gaps(
    connection: Connection, body: Body, number: str, question: GapQuestion, *, at: datetime
) -> GapReport:
    """The days of a range on which the body's registration was not authorized for a technique.

    :param at: the present instant (UTC).
    :raises registry.errors.NotFound: the body keeps no such number.
    :raises registry.errors.Invalid: the range is impossible or too long, or ``known_at`` lies ahead.
    """
    first, last = _range(question, local_date(question.known_at or at, body.zone))
    if question.known_at is not None and question.known_at > at:
        raise _wrong("known_at", "Give an instant that has passed.")
    record = _record(connection, body, number)
    standings = record.standings(question.known_at)
    gaps = tuple(find_gaps(Question(question.technique, first, question.mode), standings, last))
    return GapReport(
        body, record.number, question.technique, question.mode, first, last, question.known_at, gaps
    )


def find_gaps(question: Question, standings: Standings, last: date) -> Iterator[Gap]:
    """The runs of days from ``question.on`` to ``last`` on which the answer is not a yes."""
    first = question.on
    beyond = min(last, date.max - timedelta(days=1)) + timedelta(days=1)
    for verdict, through in answers_between(question, standings, beyond):
        if not verdict.authorized and first <= last:
            yield Gap(first, min(through, last), verdict, ongoing=through > last)
        first = min(through, last) + timedelta(days=1)


def _record(connection: Connection, body: Body, number: str) -> RegistrationRecord:
    id_ = find_registration(connection, body.id, number_key(number))
    record = None if id_ is None else load_record(connection, id_)
    if record is None:
        raise NotFound(f"{body.name} keeps no registration with the number {number}.")
    return record


def _range(question: GapQuestion, today: date) -> tuple[date, date]:
    last = question.last or today
    first = question.first or add_months(last, -MONTHS_UNASKED)
    if first > last:
        raise _wrong("from", f"Give a day that is not after {last}, the last day of the range.")
    if add_months(first, 12 * LONGEST_YEARS) <= last:
        raise _wrong("to", f"Give a day before {add_months(first, 12 * LONGEST_YEARS)}: at most ten years.")
    return first, last


def _wrong(parameter: str, detail: str) -> Invalid:
    return Invalid(f"{parameter}: {detail}", [{"parameter": parameter, "detail": detail}])
