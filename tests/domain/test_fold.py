"""What each decision leaves: the table in `registry.domain.timeline`, row by row, at the edges of days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from registry.domain.decisions import Decision, Scope, StatusReport
from registry.domain.timeline import Objection, Span, Timeline, fold
from registry.domain.vocabulary import PracticePermission, Standing
from tests.domain.deciding import (
    ACTIVE,
    GENERAL,
    NEEDLING,
    NOT_RENEWED,
    ON_FILE,
    D,
    conditions_set,
    granted,
    hours,
    reinstated,
    renewed,
    reported,
    revoked,
    surrendered,
    suspended,
    voided,
)

NOT_YET = (Standing.NOT_YET,)
IN_FORCE = (Standing.IN_FORCE,)
IN_GRACE = (Standing.IN_GRACE,)
SUSPENDED = (Standing.SUSPENDED,)
LAPSED = (Standing.LAPSED,)
REVOKED = (Standing.REVOKED,)
SURRENDERED = (Standing.SURRENDERED,)
UNKNOWN = (Standing.UNKNOWN,)

YEAR = granted("2025-01-01", "2025-12-31")
LAST_DAY_THERE_IS = date.max.isoformat()

Holding = Mapping[str, tuple[Standing, ...]]


def holding(timeline: Timeline, days: Holding) -> dict[str, tuple[Standing, ...]]:
    """What a timeline holds on the days that are expected of it."""
    return {day: timeline.on(D(day)).holds for day in days}


def ten_days(_last_day: date) -> int:
    return 10


ROWS: dict[str, tuple[list[Decision], Holding]] = {
    "nothing decided: not yet, for ever": (
        [],
        {"0001-01-01": NOT_YET, "2025-01-01": NOT_YET, "9999-12-31": NOT_YET},
    ),
    "granted: a term of whole days, inclusive at both ends": (
        [YEAR],
        {"2024-12-31": NOT_YET, "2025-01-01": IN_FORCE, "2025-12-31": IN_FORCE, "2026-01-01": LAPSED},
    ),
    "granted for a single day": (
        [granted("2025-06-01", "2025-06-01")],
        {"2025-05-31": NOT_YET, "2025-06-01": IN_FORCE, "2025-06-02": LAPSED},
    ),
    "granted without an end": (
        [granted("2025-01-01")],
        {"2024-12-31": NOT_YET, "2025-01-01": IN_FORCE, "9999-12-31": IN_FORCE},
    ),
    "granted from the first day there is": (
        [granted("0001-01-01", "2025-12-31")],
        {"0001-01-01": IN_FORCE, "2025-12-31": IN_FORCE, "2026-01-01": LAPSED},
    ),
    "granted through the last day there is": (
        [granted("2025-01-01", LAST_DAY_THERE_IS)],
        {"2024-12-31": NOT_YET, "9999-12-31": IN_FORCE},
    ),
    "granted again after a lapse: the days between stay lapsed": (
        [YEAR, granted("2026-03-01", "2026-12-31")],
        {"2025-12-31": IN_FORCE, "2026-01-01": LAPSED, "2026-02-28": LAPSED, "2026-03-01": IN_FORCE},
    ),
    "granted again on the day after the end: no day is lost": (
        [YEAR, granted("2026-01-01", "2026-12-31")],
        {"2025-12-31": IN_FORCE, "2026-01-01": IN_FORCE, "2026-12-31": IN_FORCE, "2027-01-01": LAPSED},
    ),
    "granted after a revocation: nothing ended": (
        [YEAR, revoked("2025-03-01"), granted("2025-06-01", "2025-12-31")],
        {"2025-02-28": IN_FORCE, "2025-03-01": REVOKED, "2025-05-31": REVOKED, "2025-06-01": IN_FORCE},
    ),
    "granted on the day of a surrender, recorded after it": (
        [YEAR, surrendered("2025-06-01"), granted("2025-06-01", "2026-06-30", recorded=hours(1))],
        {"2025-05-31": IN_FORCE, "2025-06-01": IN_FORCE, "2026-01-01": IN_FORCE, "2026-07-01": LAPSED},
    ),
    "renewed before the end: the term goes on": (
        [YEAR, renewed("2025-11-15", "2026-12-31")],
        {"2025-12-31": IN_FORCE, "2026-01-01": IN_FORCE, "2026-12-31": IN_FORCE, "2027-01-01": LAPSED},
    ),
    "renewed on the day after the end: the term goes on": (
        [YEAR, renewed("2026-01-01", "2026-12-31")],
        {"2025-12-31": IN_FORCE, "2026-01-01": IN_FORCE, "2026-12-31": IN_FORCE, "2027-01-01": LAPSED},
    ),
    "renewed later: the days between stay lapsed": (
        [YEAR, renewed("2026-01-02", "2026-12-31")],
        {"2025-12-31": IN_FORCE, "2026-01-01": LAPSED, "2026-01-02": IN_FORCE, "2026-12-31": IN_FORCE},
    ),
    "renewed without an end": (
        [YEAR, renewed("2025-12-01")],
        {"2025-12-31": IN_FORCE, "2026-01-01": IN_FORCE, "9999-12-31": IN_FORCE},
    ),
    "renewed through the last day there is, and then without an end": (
        [YEAR, renewed("2025-12-01", LAST_DAY_THERE_IS), renewed("2025-12-02")],
        {"2025-12-31": IN_FORCE, "9999-12-31": IN_FORCE},
    ),
    "renewed on the first day there is": (
        [granted("0001-01-01", "0001-01-01"), renewed("0001-01-01", "0001-01-02", recorded=hours(1))],
        {"0001-01-01": IN_FORCE, "0001-01-02": IN_FORCE, "0001-01-03": LAPSED},
    ),
    "renewed under a suspension: the suspension stays": (
        [YEAR, suspended("2025-12-01"), renewed("2026-02-01", "2026-12-31")],
        {
            "2025-12-31": SUSPENDED,
            "2026-01-01": (Standing.LAPSED, Standing.SUSPENDED),
            "2026-02-01": SUSPENDED,
            "2027-01-01": (Standing.LAPSED, Standing.SUSPENDED),
        },
    ),
    "suspended until further notice": (
        [YEAR, suspended("2025-06-01")],
        {
            "2025-05-31": IN_FORCE,
            "2025-06-01": SUSPENDED,
            "2025-12-31": SUSPENDED,
            "2026-01-01": (Standing.LAPSED, Standing.SUSPENDED),
        },
    ),
    "suspended through a day: the term runs on beneath": (
        [YEAR, suspended("2025-06-01", "2025-06-30")],
        {
            "2025-05-31": IN_FORCE,
            "2025-06-01": SUSPENDED,
            "2025-06-30": SUSPENDED,
            "2025-07-01": IN_FORCE,
            "2026-01-01": LAPSED,
        },
    ),
    "suspended for one day": (
        [YEAR, suspended("2025-06-01", "2025-06-01")],
        {"2025-05-31": IN_FORCE, "2025-06-01": SUSPENDED, "2025-06-02": IN_FORCE},
    ),
    "suspended through the last day there is": (
        [granted("2025-01-01"), suspended("2025-06-01", LAST_DAY_THERE_IS)],
        {"2025-05-31": IN_FORCE, "2025-06-01": SUSPENDED, "9999-12-31": SUSPENDED},
    ),
    "suspended beyond the end of the term": (
        [YEAR, suspended("2025-12-01", "2026-01-31")],
        {
            "2025-12-31": SUSPENDED,
            "2026-01-01": (Standing.LAPSED, Standing.SUSPENDED),
            "2026-01-31": (Standing.LAPSED, Standing.SUSPENDED),
            "2026-02-01": LAPSED,
        },
    ),
    "suspended twice: a day is suspended where either covers it": (
        [YEAR, suspended("2025-06-01", "2025-08-31"), suspended("2025-07-01", "2025-07-31")],
        {"2025-06-30": SUSPENDED, "2025-08-01": SUSPENDED, "2025-08-31": SUSPENDED, "2025-09-01": IN_FORCE},
    ),
    "suspended after the lapse: both hold": (
        [YEAR, suspended("2026-02-01")],
        {"2026-01-31": LAPSED, "2026-02-01": (Standing.LAPSED, Standing.SUSPENDED)},
    ),
    "reinstated: the suspension lifted from that day": (
        [YEAR, suspended("2025-06-01"), reinstated("2025-07-01")],
        {"2025-06-01": SUSPENDED, "2025-06-30": SUSPENDED, "2025-07-01": IN_FORCE, "2026-01-01": LAPSED},
    ),
    "reinstated before the suspension's last day": (
        [YEAR, suspended("2025-06-01", "2025-08-31"), reinstated("2025-07-01")],
        {"2025-06-30": SUSPENDED, "2025-07-01": IN_FORCE, "2025-08-31": IN_FORCE},
    ),
    "reinstated: every suspension is lifted": (
        [YEAR, suspended("2025-06-01"), suspended("2025-06-15", "2025-08-31"), reinstated("2025-07-01")],
        {"2025-06-30": SUSPENDED, "2025-07-01": IN_FORCE, "2025-08-31": IN_FORCE},
    ),
    "reinstated and suspended anew": (
        [YEAR, suspended("2025-06-01"), reinstated("2025-07-01"), suspended("2025-08-01")],
        {"2025-07-01": IN_FORCE, "2025-07-31": IN_FORCE, "2025-08-01": SUSPENDED},
    ),
    "reinstated after the term's end: an expired term does not revive": (
        [YEAR, suspended("2025-06-01"), reinstated("2026-02-01")],
        {
            "2025-12-31": SUSPENDED,
            "2026-01-01": (Standing.LAPSED, Standing.SUSPENDED),
            "2026-01-31": (Standing.LAPSED, Standing.SUSPENDED),
            "2026-02-01": LAPSED,
        },
    ),
    "revoked: ended for good": (
        [YEAR, revoked("2025-06-01")],
        {"2025-05-31": IN_FORCE, "2025-06-01": REVOKED, "2026-01-01": REVOKED, "9999-12-31": REVOKED},
    ),
    "revoked under a suspension: it no longer matters": (
        [YEAR, suspended("2025-05-01", "2025-07-31"), revoked("2025-06-01")],
        {"2025-05-31": SUSPENDED, "2025-06-01": REVOKED, "2025-08-01": REVOKED},
    ),
    "revoked after the lapse": (
        [YEAR, revoked("2026-02-01")],
        {"2026-01-31": LAPSED, "2026-02-01": REVOKED},
    ),
    "surrendered: ended, at the holder's wish": (
        [YEAR, surrendered("2025-06-01")],
        {"2025-05-31": IN_FORCE, "2025-06-01": SURRENDERED, "2026-01-01": SURRENDERED},
    ),
    "conditions set: the term and a suspension untouched": (
        [YEAR, suspended("2025-06-01", "2025-06-30"), conditions_set("2025-06-15", NEEDLING)],
        {"2025-06-14": SUSPENDED, "2025-06-15": SUSPENDED, "2025-07-01": IN_FORCE, "2026-01-01": LAPSED},
    ),
    "a word that is not understood: unknown, whatever else holds": (
        [YEAR, suspended("2025-08-01", "2025-08-31"), reported("2025-06-01", ON_FILE)],
        {
            "2025-05-31": IN_FORCE,
            "2025-06-01": UNKNOWN,
            "2025-08-01": (Standing.UNKNOWN, Standing.SUSPENDED),
            "2025-09-01": UNKNOWN,
            "2026-01-01": (Standing.UNKNOWN, Standing.LAPSED),
        },
    ),
    "no word at all: unknown": (
        [YEAR, reported("2025-06-01", None)],
        {"2025-05-31": IN_FORCE, "2025-06-01": UNKNOWN},
    ),
    "a word that means lapsed": (
        [YEAR, reported("2025-06-01", NOT_RENEWED)],
        {"2025-05-31": IN_FORCE, "2025-06-01": LAPSED, "2026-01-01": LAPSED},
    ),
    "a word taken back by one that permits practice": (
        [YEAR, reported("2025-06-01", ON_FILE), reported("2025-07-01", ACTIVE)],
        {"2025-06-30": UNKNOWN, "2025-07-01": IN_FORCE, "2026-01-01": LAPSED},
    ),
    "a clean word does not revive a term that is over": (
        [YEAR, reported("2026-02-01", ACTIVE)],
        {"2025-12-31": IN_FORCE, "2026-01-01": LAPSED, "2026-02-01": LAPSED},
    ),
    "a clean word does not undo a revocation": (
        [YEAR, revoked("2025-06-01"), reported("2025-07-01", ACTIVE)],
        {"2025-06-30": REVOKED, "2025-07-01": REVOKED},
    ),
    "an unknown word after a revocation: both": (
        [YEAR, revoked("2025-06-01"), reported("2025-07-01", ON_FILE)],
        {"2025-06-30": REVOKED, "2025-07-01": (Standing.UNKNOWN, Standing.REVOKED)},
    ),
    "a reported lapse ends with a renewal": (
        [YEAR, reported("2025-06-01", NOT_RENEWED), renewed("2025-07-01", "2026-06-30")],
        {"2025-06-30": LAPSED, "2025-07-01": IN_FORCE, "2026-07-01": LAPSED},
    ),
    "a reported lapse ends with a grant": (
        [YEAR, reported("2025-06-01", NOT_RENEWED), granted("2025-07-01", "2026-06-30")],
        {"2025-06-30": LAPSED, "2025-07-01": IN_FORCE, "2026-07-01": LAPSED},
    ),
    "a reported lapse outlives a suspension that is lifted": (
        [YEAR, reported("2025-06-01", NOT_RENEWED), suspended("2025-07-01"), reinstated("2025-08-01")],
        {
            "2025-06-30": LAPSED,
            "2025-07-01": (Standing.LAPSED, Standing.SUSPENDED),
            "2025-08-01": LAPSED,
        },
    ),
    "a reported lapse outlives a suspension that runs out": (
        [YEAR, reported("2025-06-01", NOT_RENEWED), suspended("2025-07-01", "2025-07-31", report=ACTIVE)],
        {"2025-07-31": (Standing.LAPSED, Standing.SUSPENDED), "2025-08-01": LAPSED},
    ),
    "a reported lapse ends with a reinstatement that the source calls active": (
        [
            YEAR,
            reported("2025-06-01", NOT_RENEWED),
            suspended("2025-07-01"),
            reinstated("2025-08-01", report=ACTIVE),
        ],
        {"2025-07-31": (Standing.LAPSED, Standing.SUSPENDED), "2025-08-01": IN_FORCE},
    ),
    "an unknown word is not explained by a suspension alone": (
        [YEAR, reported("2025-06-01", ON_FILE), suspended("2025-07-01", "2025-07-31")],
        {
            "2025-06-30": UNKNOWN,
            "2025-07-01": (Standing.UNKNOWN, Standing.SUSPENDED),
            "2025-08-01": UNKNOWN,
        },
    ),
    "an unknown word gives way to the word that a suspension came with": (
        [YEAR, reported("2025-06-01", ON_FILE), suspended("2025-07-01", report=NOT_RENEWED)],
        {"2025-06-30": UNKNOWN, "2025-07-01": SUSPENDED},
    ),
    "an unknown word is explained by a reinstatement": (
        [YEAR, suspended("2025-05-01"), reported("2025-06-01", ON_FILE), reinstated("2025-07-01")],
        {"2025-06-30": (Standing.UNKNOWN, Standing.SUSPENDED), "2025-07-01": IN_FORCE},
    ),
    "neither an unknown word nor a reported lapse is explained by new conditions": (
        [
            YEAR,
            reported("2025-06-01", ON_FILE),
            conditions_set("2025-07-01", NEEDLING),
            reported("2025-08-01", NOT_RENEWED),
            conditions_set("2025-09-01", GENERAL),
        ],
        {"2025-06-30": UNKNOWN, "2025-07-01": UNKNOWN, "2025-08-31": LAPSED, "2025-09-01": LAPSED},
    ),
    "an unknown word is explained by a renewal": (
        [YEAR, reported("2025-06-01", ON_FILE), renewed("2025-07-01", "2026-06-30")],
        {"2025-06-30": UNKNOWN, "2025-07-01": IN_FORCE},
    ),
    "an unknown word gives way to a revocation": (
        [YEAR, reported("2025-06-01", ON_FILE), revoked("2025-07-01")],
        {"2025-06-30": UNKNOWN, "2025-07-01": REVOKED},
    ),
    "a grant in a word that is not understood": (
        [granted("2025-01-01", "2025-12-31", report=ON_FILE)],
        {"2024-12-31": NOT_YET, "2025-01-01": UNKNOWN, "2026-01-01": (Standing.UNKNOWN, Standing.LAPSED)},
    ),
    "a grant in a word that is understood": (
        [granted("2025-01-01", "2025-12-31", report=ACTIVE)],
        {"2024-12-31": NOT_YET, "2025-01-01": IN_FORCE, "2026-01-01": LAPSED},
    ),
    "a renewal in a word that is not understood": (
        [YEAR, renewed("2025-07-01", "2026-06-30", report=ON_FILE)],
        {"2025-06-30": IN_FORCE, "2025-07-01": UNKNOWN},
    ),
    "a reinstatement in a word that is not understood": (
        [YEAR, suspended("2025-06-01"), reinstated("2025-07-01", report=ON_FILE)],
        {"2025-06-30": SUSPENDED, "2025-07-01": UNKNOWN},
    ),
}


@pytest.mark.parametrize(("decisions", "days"), ROWS.values(), ids=ROWS.keys())
def test_a_decision_leaves_what_the_table_says(decisions: list[Decision], days: Holding) -> None:
    timeline = fold(decisions)
    assert holding(timeline, days) == days
    assert timeline.objections == ()


WITH_GRACE: dict[str, tuple[list[Decision], Holding]] = {
    "the term persists through its grace": (
        [YEAR],
        {"2025-12-31": IN_FORCE, "2026-01-01": IN_GRACE, "2026-01-10": IN_GRACE, "2026-01-11": LAPSED},
    ),
    "renewed within the grace: in force from that day, and not a day lapsed": (
        [YEAR, renewed("2026-01-05", "2026-12-31")],
        {
            "2026-01-01": IN_GRACE,
            "2026-01-04": IN_GRACE,
            "2026-01-05": IN_FORCE,
            "2026-12-31": IN_FORCE,
            "2027-01-01": IN_GRACE,
            "2027-01-11": LAPSED,
        },
    ),
    "renewed on the day after the grace: not a day lapsed": (
        [YEAR, renewed("2026-01-11", "2026-12-31")],
        {"2026-01-10": IN_GRACE, "2026-01-11": IN_FORCE},
    ),
    "renewed a day later: one day lapsed": (
        [YEAR, renewed("2026-01-12", "2026-12-31")],
        {"2026-01-10": IN_GRACE, "2026-01-11": LAPSED, "2026-01-12": IN_FORCE},
    ),
    "suspended in the grace: both hold, and the suspension decides": (
        [YEAR, suspended("2026-01-05", "2026-01-06")],
        {
            "2026-01-04": IN_GRACE,
            "2026-01-05": (Standing.SUSPENDED, Standing.IN_GRACE),
            "2026-01-06": (Standing.SUSPENDED, Standing.IN_GRACE),
            "2026-01-07": IN_GRACE,
            "2026-01-11": LAPSED,
        },
    ),
    "revoked in the grace": (
        [YEAR, revoked("2026-01-05")],
        {"2026-01-04": IN_GRACE, "2026-01-05": REVOKED, "2026-01-11": REVOKED},
    ),
    "a reported lapse has no grace": (
        [YEAR, reported("2025-12-15", NOT_RENEWED)],
        {"2025-12-14": IN_FORCE, "2025-12-15": LAPSED, "2026-01-01": LAPSED, "2026-01-11": LAPSED},
    ),
    "an unknown word in the grace": (
        [YEAR, reported("2025-12-15", ON_FILE)],
        {
            "2025-12-15": UNKNOWN,
            "2026-01-01": (Standing.UNKNOWN, Standing.IN_GRACE),
            "2026-01-11": (Standing.UNKNOWN, Standing.LAPSED),
        },
    ),
    "grace that reaches beyond the last day there is": (
        [granted("2025-01-01", "9999-12-29")],
        {"9999-12-29": IN_FORCE, "9999-12-30": IN_GRACE, "9999-12-31": IN_GRACE},
    ),
    "renewed in a grace that reaches beyond the last day there is": (
        [granted("2025-01-01", "9999-12-29"), renewed("9999-12-30", LAST_DAY_THERE_IS)],
        {"9999-12-29": IN_FORCE, "9999-12-30": IN_FORCE, "9999-12-31": IN_FORCE},
    ),
}


@pytest.mark.parametrize(("decisions", "days"), WITH_GRACE.values(), ids=WITH_GRACE.keys())
def test_grace_prolongs_a_term(decisions: list[Decision], days: Holding) -> None:
    timeline = fold(decisions, grace=ten_days)
    assert holding(timeline, days) == days
    assert timeline.objections == ()


def test_grace_is_asked_for_the_last_day_of_the_term() -> None:
    timeline = fold([YEAR], grace=lambda last_day: 5 if last_day == D("2025-12-31") else 10)
    days = {"2026-01-05": IN_GRACE, "2026-01-06": LAPSED}
    assert holding(timeline, days) == days


def test_a_renewal_that_the_grace_still_reaches_prolongs_the_same_term() -> None:
    in_time = fold([YEAR, renewed("2026-01-11", "2026-12-31")], grace=ten_days)
    too_late = fold([YEAR, renewed("2026-01-12", "2026-12-31")], grace=ten_days)
    assert in_time.on(D("2026-06-01")).term_from == D("2025-01-01")
    assert too_late.on(D("2026-06-01")).term_from == D("2026-01-12")


def test_a_grant_on_the_day_after_the_end_is_another_term() -> None:
    timeline = fold([YEAR, granted("2026-01-01", "2026-12-31")])
    terms = [(span.first_day, span.term_from, span.term_through) for span in timeline.spans[1:3]]
    assert terms == [
        (D("2025-01-01"), D("2025-01-01"), D("2025-12-31")),
        (D("2026-01-01"), D("2026-01-01"), D("2026-12-31")),
    ]


SENSELESS: dict[str, tuple[list[Decision], Objection]] = {
    "granted while a term runs": ([YEAR, granted("2025-06-01")], Objection.TERM_RUNNING),
    "granted on the last day of a term": ([YEAR, granted("2025-12-31")], Objection.TERM_RUNNING),
    "granted on the last day of the grace": (
        [granted("2025-01-01", "2025-12-21"), granted("2025-12-31")],
        Objection.TERM_RUNNING,
    ),
    "granted over an unknown word": (
        [YEAR, reported("2025-03-01", ON_FILE), granted("2025-06-01")],
        Objection.TERM_RUNNING,
    ),
    "granted under a suspension": (
        [YEAR, suspended("2025-06-01"), granted("2026-06-01")],
        Objection.SUSPENSION_RUNNING,
    ),
    "granted on the last day of a suspension": (
        [YEAR, suspended("2025-06-01", "2026-03-01"), granted("2026-03-01")],
        Objection.SUSPENSION_RUNNING,
    ),
    "granted through a day before it begins": (
        [granted("2025-06-01", "2025-05-31")],
        Objection.ENDS_BEFORE_IT_BEGINS,
    ),
    "renewed before any term": ([renewed("2025-06-01")], Objection.NO_TERM),
    "renewed after a revocation": (
        [YEAR, revoked("2025-03-01"), renewed("2025-06-01")],
        Objection.TERM_ENDED,
    ),
    "renewed without there being an end": (
        [granted("2025-01-01"), renewed("2025-06-01", "2026-01-01")],
        Objection.TERM_HAS_NO_END,
    ),
    "renewed through the same day": ([YEAR, renewed("2025-06-01", "2025-12-31")], Objection.DOES_NOT_EXTEND),
    "renewed through an earlier day": (
        [YEAR, renewed("2025-06-01", "2025-12-30")],
        Objection.DOES_NOT_EXTEND,
    ),
    "renewed through a day before it begins": (
        [YEAR, renewed("2026-06-01", "2026-05-31")],
        Objection.ENDS_BEFORE_IT_BEGINS,
    ),
    "suspended before any term": ([suspended("2025-06-01")], Objection.NO_TERM),
    "suspended after a surrender": (
        [YEAR, surrendered("2025-03-01"), suspended("2025-06-01")],
        Objection.TERM_ENDED,
    ),
    "suspended through a day before it begins": (
        [YEAR, suspended("2025-06-01", "2025-05-31")],
        Objection.ENDS_BEFORE_IT_BEGINS,
    ),
    "reinstated without a suspension": ([YEAR, reinstated("2025-06-01")], Objection.NOT_SUSPENDED),
    "reinstated on the day after a suspension": (
        [YEAR, suspended("2025-06-01", "2025-06-30"), reinstated("2025-07-01")],
        Objection.NOT_SUSPENDED,
    ),
    "reinstated before any term": ([reinstated("2025-06-01")], Objection.NO_TERM),
    "reinstated after a revocation": (
        [YEAR, suspended("2025-02-01"), revoked("2025-03-01"), reinstated("2025-06-01")],
        Objection.TERM_ENDED,
    ),
    "revoked before any term": ([revoked("2025-06-01")], Objection.NO_TERM),
    "revoked twice": ([YEAR, revoked("2025-03-01"), revoked("2025-06-01")], Objection.TERM_ENDED),
    "surrendered before any term": ([surrendered("2025-06-01")], Objection.NO_TERM),
    "surrendered after a revocation": (
        [YEAR, revoked("2025-03-01"), surrendered("2025-06-01")],
        Objection.TERM_ENDED,
    ),
    "conditions set before any term": ([conditions_set("2025-06-01", NEEDLING)], Objection.NO_TERM),
    "conditions set after a revocation": (
        [YEAR, revoked("2025-03-01"), conditions_set("2025-06-01", NEEDLING)],
        Objection.TERM_ENDED,
    ),
    "conditions set without saying which": (
        [YEAR, conditions_set("2025-06-01", None)],
        Objection.SETS_NOTHING,
    ),
    "a status reported before any term": ([reported("2025-06-01", ACTIVE)], Objection.NO_TERM),
}


@pytest.mark.parametrize(("decisions", "objection"), SENSELESS.values(), ids=SENSELESS.keys())
def test_a_senseless_decision_is_named_and_changes_nothing(
    decisions: list[Decision], objection: Objection
) -> None:
    *sensible, senseless = decisions
    timeline = fold(decisions, grace=ten_days)
    assert timeline.objections == ((senseless, objection),)
    assert timeline.spans == fold(sensible, grace=ten_days).spans


def test_decisions_take_effect_by_their_days_however_late_they_were_recorded() -> None:
    reinstatement = reinstated("2025-07-01", recorded=hours(1))
    backdated = suspended("2025-06-01", recorded=hours(2))
    timeline = fold([YEAR, reinstatement, backdated])
    days = {"2025-05-31": IN_FORCE, "2025-06-30": SUSPENDED, "2025-07-01": IN_FORCE}
    assert holding(timeline, days) == days
    assert fold([YEAR, reinstatement, backdated], known_at=hours(1)).objections == (
        (reinstatement, Objection.NOT_SUSPENDED),
    )


def test_decisions_of_one_day_take_effect_as_they_were_recorded() -> None:
    suspension, reinstatement = suspended("2025-06-01"), reinstated("2025-06-01", recorded=hours(1))
    assert fold([YEAR, reinstatement, suspension]).on(D("2025-06-01")).holds == IN_FORCE


UNCLEAR = {
    "a word whose standing nobody mapped": StatusReport("Pending", PracticePermission.YES),
    "a word that bars practice, mapped to in force": StatusReport(
        "Limited", PracticePermission.NO, leaves=Standing.IN_FORCE
    ),
    "a word nobody understands, mapped to in force": StatusReport(
        "ZX", PracticePermission.UNKNOWN, leaves=Standing.IN_FORCE
    ),
    "a word that means suspended, without a suspension": StatusReport(
        "Suspended", PracticePermission.NO, leaves=Standing.SUSPENDED
    ),
    "a word that means revoked, without a revocation": StatusReport(
        "Cancelled", PracticePermission.NO, leaves=Standing.REVOKED
    ),
    "a word that means in grace, whatever the period": StatusReport(
        "Late", PracticePermission.YES, leaves=Standing.IN_GRACE
    ),
}


@pytest.mark.parametrize("report", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_a_word_that_is_not_clearly_a_yes_or_a_lapse_leaves_the_standing_unknown(
    report: StatusReport,
) -> None:
    assert fold([YEAR, reported("2025-06-01", report)]).on(D("2025-06-01")).holds == UNKNOWN


def test_a_word_that_permits_practice_with_conditions_takes_an_unknown_one_back() -> None:
    report = StatusReport("Restricted", PracticePermission.WITH_CONDITIONS, leaves=Standing.IN_FORCE)
    timeline = fold([YEAR, reported("2025-06-01", ON_FILE), reported("2025-07-01", report)])
    assert timeline.on(D("2025-07-01")).holds == IN_FORCE


# What a span says besides its standing.


def test_a_grant_and_conditions_set_say_what_the_term_permits() -> None:
    timeline = fold([YEAR, conditions_set("2025-06-01", NEEDLING)])
    assert timeline.on(D("2024-12-31")).scope is None
    assert timeline.on(D("2025-05-31")).scope == GENERAL
    assert timeline.on(D("2025-06-01")).scope == NEEDLING


def test_a_renewal_keeps_the_scope_unless_it_says_another() -> None:
    other = Scope(register_class="courtesy")
    timeline = fold(
        [YEAR, renewed("2026-01-01", "2026-12-31"), renewed("2027-01-01", "2027-12-31", scope=other)]
    )
    assert timeline.on(D("2026-12-31")).scope == GENERAL
    assert timeline.on(D("2027-01-01")).scope == other


def test_a_new_grant_forgets_the_scope_the_report_and_the_suspension_of_the_term_before() -> None:
    before = [
        granted("2025-01-01", "2025-12-31", report=ACTIVE),
        suspended("2025-06-01"),
        revoked("2025-07-01"),
    ]
    span = fold([*before, granted("2025-08-01", scope=NEEDLING)]).on(D("2025-08-01"))
    assert span == Span(
        D("2025-08-01"),
        None,
        Standing.IN_FORCE,
        IN_FORCE,
        NEEDLING,
        term_from=D("2025-08-01"),
        begun_by="granted 2025-08-01",
    )


def test_a_span_carries_the_source_s_last_word() -> None:
    timeline = fold(
        [
            granted("2025-01-01", "2025-12-31", report=ACTIVE),
            suspended("2025-06-01", report=NOT_RENEWED),
            reinstated("2025-07-01"),
            reported("2025-08-01", ON_FILE),
            revoked("2025-09-01"),
        ]
    )
    words = {
        "2025-05-31": ACTIVE,
        "2025-06-01": NOT_RENEWED,
        "2025-07-01": NOT_RENEWED,
        "2025-08-01": ON_FILE,
        "2025-09-01": ON_FILE,
    }
    assert {day: timeline.on(D(day)).report for day in words} == words


def test_a_span_names_the_decision_that_began_it_and_none_where_time_did() -> None:
    timeline = fold([YEAR, suspended("2025-06-01", "2025-06-30")])
    assert [(span.first_day, span.begun_by) for span in timeline.spans] == [
        (date.min, None),
        (D("2025-01-01"), "granted 2025-01-01"),
        (D("2025-06-01"), "suspended 2025-06-01"),
        (D("2025-07-01"), None),
        (D("2026-01-01"), None),
    ]


def test_of_several_decisions_on_a_day_the_last_that_made_sense_began_the_span() -> None:
    timeline = fold(
        [
            YEAR,
            suspended("2025-06-01"),
            conditions_set("2025-06-01", NEEDLING, recorded=hours(1)),
            renewed("2025-06-01", "2025-07-01", recorded=hours(2)),
        ]
    )
    assert timeline.on(D("2025-06-01")).begun_by == "conditions_set 2025-06-01"


def test_a_renewal_in_time_begins_no_span_and_moves_the_end_of_the_term() -> None:
    timeline = fold([YEAR, renewed("2026-01-01", "2026-12-31")])
    assert [(s.first_day, s.last_day, s.term_through) for s in timeline.spans[1:]] == [
        (D("2025-01-01"), D("2026-12-31"), D("2026-12-31")),
        (D("2027-01-01"), None, D("2026-12-31")),
    ]


def test_a_timeline_finds_the_span_of_a_day_and_those_after_it() -> None:
    timeline = fold([YEAR])
    before, term, lapsed = timeline.spans
    assert [timeline.on(D(day)) for day in ("2024-12-31", "2025-01-01", "2025-12-31")] == [before, term, term]
    assert list(timeline.after(D("2024-12-31"))) == [term, lapsed]
    assert list(timeline.after(D("2025-01-01"))) == [lapsed]
    assert list(timeline.after(D("2026-01-01"))) == []


def test_a_span_covers_its_first_and_its_last_day_and_none_beyond() -> None:
    before, term, lapsed = fold([YEAR]).spans
    edges = [date.min, D("2024-12-31"), D("2025-01-01"), D("2025-12-31"), D("2026-01-01"), date.max]
    assert [before.covers(day) for day in edges] == [True, True, False, False, False, False]
    assert [term.covers(day) for day in edges] == [False, False, True, True, False, False]
    assert [lapsed.covers(day) for day in edges] == [False, False, False, False, True, True]


# Two axes of time, and taking back.


def test_a_decision_is_known_from_the_instant_it_was_recorded() -> None:
    suspension = suspended("2025-03-01", recorded=hours(100))
    just_before = hours(100) - timedelta(microseconds=1)
    assert fold([YEAR, suspension], known_at=just_before).on(D("2025-03-01")).holds == IN_FORCE
    assert fold([YEAR, suspension], known_at=hours(100)).on(D("2025-03-01")).holds == SUSPENDED


def test_a_voided_decision_was_never_made_from_the_instant_its_voiding_was_recorded() -> None:
    suspension = suspended("2025-03-01", recorded=hours(100))
    decisions = [YEAR, suspension, voided(suspension, recorded=hours(200))]
    assert fold(decisions, known_at=hours(199)).on(D("2025-03-01")).holds == SUSPENDED
    assert fold(decisions, known_at=hours(200)).on(D("2025-03-01")).holds == IN_FORCE


def test_voiding_a_voiding_restores_what_it_took_back() -> None:
    suspension = suspended("2025-03-01", recorded=hours(100))
    voiding = voided(suspension, recorded=hours(200))
    again = voided(voiding, recorded=hours(300))
    once_more = voided(again, recorded=hours(400))
    decisions = [YEAR, suspension, voiding, again, once_more]
    holds = {at: fold(decisions, known_at=hours(at)).on(D("2025-03-01")).holds for at in (200, 300, 400)}
    assert holds == {200: IN_FORCE, 300: SUSPENDED, 400: IN_FORCE}


def test_what_voidings_of_one_instant_leave_does_not_depend_on_their_ids() -> None:
    suspension = suspended("2025-03-01")
    voiding = voided(suspension, recorded=hours(1))
    again = voided(voiding, recorded=hours(1))
    for first, second in (("a", "b"), ("b", "a")):
        voids = [
            Decision(first, voiding.kind, voiding.effective_on, hours(1), voids=suspension.id),
            Decision(second, again.kind, again.effective_on, hours(1), voids=first),
        ]
        assert fold([YEAR, suspension, *voids]).on(D("2025-03-01")).holds == SUSPENDED


def test_voiding_a_grant_leaves_the_decisions_on_it_senseless() -> None:
    renewal = renewed("2025-06-01", "2026-12-31")
    timeline = fold([YEAR, renewal, voided(YEAR, recorded=hours(1))])
    assert timeline.objections == ((renewal, Objection.NO_TERM),)
    assert timeline.spans == Timeline().spans


def test_a_term_that_was_granted_ahead_has_not_begun() -> None:
    timeline = fold([YEAR, renewed("2026-01-01", "2026-12-31"), granted("2028-01-01", "2028-12-31")])
    days = {
        "2026-12-31": IN_FORCE,
        "2027-12-31": LAPSED,
        "2028-01-01": IN_FORCE,
    }
    assert holding(timeline, days) == days
