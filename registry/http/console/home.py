"""The first page: a body's register in numbers, with charts and the tables that say the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlalchemy import Connection

from registry import clock
from registry.domain.localtime import ONE_DAY
from registry.domain.vocabulary import LapseKind, Standing, SubjectKind
from registry.services.overview import REJECTS_FOR, SOON, STANDINGS_SHOWN, Overview, Point, Week, look_over

from .bodies import working_body
from .charts import Chart, Series, draw_bars, draw_lines, table_of
from .navigation import exists
from .pages import Shown, page, show
from .rendering import link
from .words import as_words

PLURALS = {SubjectKind.REGISTRATION: "registrations", SubjectKind.AUTHORIZATION: "authorizations"}
LOOKS = {
    Standing.IN_FORCE: "first",
    Standing.IN_GRACE: "second",
    Standing.SUSPENDED: "third",
    Standing.LAPSED: "fourth",
}
LAPSES = {
    SubjectKind.REGISTRATION: LapseKind.REGISTRATION_LAPSED,
    SubjectKind.AUTHORIZATION: LapseKind.AUTHORIZATION_LAPSED,
}


@page("/")
def console_home(tx: Connection) -> Shown:
    """Today's numbers of the body at hand."""
    body = working_body(tx)
    seen = look_over(tx, body, at=clock.now())
    charts = [*(_over_time(kind, seen.over_time[kind], seen) for kind in SubjectKind), _weeks(seen.weeks)]
    drawn = [draw_lines(charts[0]), draw_lines(charts[1]), draw_bars(charts[2])]
    return show(
        "home.html",
        body=body,
        today=seen.today,
        kinds=[(kind, PLURALS[kind], list(_figures(kind, seen))) for kind in SubjectKind],
        rejecting_imports=seen.rejecting_imports,
        rejects_for=REJECTS_FOR.days,
        charts=[(chart, svg, table_of(chart)) for chart, svg in zip(charts, drawn, strict=True)],
    )


def _figures(kind: SubjectKind, seen: Overview) -> Iterator[dict[str, object]]:
    """The numbers of one kind, those that ask for work with the way to it."""
    numbers = seen.numbers[kind]
    yield {"number": numbers.in_force, "name": "in force", "tone": "yes"}
    for days in SOON:
        number = numbers.lapsing[days]
        to = _lapses(kind, seen.today, days) if number else ""
        yield {
            "number": number,
            "name": f"lapsing in {days} days",
            "tone": "soon" if number else "",
            "to": to,
        }
    lapsed, suspended = numbers.standing[Standing.LAPSED], numbers.standing[Standing.SUSPENDED]
    yield {
        "number": lapsed,
        "name": "lapsed",
        "tone": "no" if lapsed else "",
        "to": _lapses(kind) if lapsed else "",
    }
    yield {"number": suspended, "name": "suspended", "tone": "no" if suspended else ""}


def _lapses(kind: SubjectKind, today: date | None = None, days: int = 0) -> str:
    """The queue: what waits, or what is coming within so many days of today."""
    if not exists("console_lapses"):
        return ""
    narrowed: dict[str, str] = {"kind": LAPSES[kind].value}
    if today is not None:
        first, last = today + ONE_DAY, today + timedelta(days=days)
        narrowed |= {"view": "coming", "first": first.isoformat(), "last": last.isoformat()}
    return link("console_lapses", **narrowed)


def _over_time(kind: SubjectKind, points: Sequence[Point], seen: Overview) -> Chart:
    shown = [one for one in STANDINGS_SHOWN if one in _ever(points)]
    today = next(place for place, point in enumerate(points) if point.day == seen.today)
    what = PLURALS[kind]
    return Chart(
        f"{kind.value}-standings",
        f"How many {what} stand how",
        f"A line for each standing, from {points[0].day:%B %Y} to {points[-1].day:%B %Y}. "
        "What lies ahead is as far as is decided today.",
        [f"{point.day:%b %y}" for point in points],
        [f"{point.day.day} {point.day:%b %Y}" for point in points],
        "Day",
        [Series(as_words({}, one), LOOKS[one], [point.standing[one] for point in points]) for one in shown],
        today,
        "today",
    )


def _ever(points: Sequence[Point]) -> frozenset[Standing]:
    """What is in force always has a line, all else where there ever was such."""
    held = {one for point in points for one, number in point.standing.items() if number}
    return frozenset({Standing.IN_FORCE, *held})


def _weeks(weeks: Sequence[Week]) -> Chart:
    return Chart(
        "ending-weeks",
        "What ends in which week",
        f"Two bars for each week from {weeks[0].first_day:%d %B %Y} on: registrations and authorizations "
        "that end in it unless they are renewed.",
        [f"{week.first_day.day} {week.first_day:%b}" for week in weeks],
        [
            f"{week.first_day.day} {week.first_day:%b} – {week.last_day.day} {week.last_day:%b %Y}"
            for week in weeks
        ],
        "Week",
        [
            Series(PLURALS[kind].capitalize(), look, [week.ending[kind] for week in weeks])
            for kind, look in zip(SubjectKind, ("first", "third"), strict=True)
        ],
    )
