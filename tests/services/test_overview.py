"""A body's register in numbers: equal to what is listed one by one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from registry.domain.vocabulary import DecisionKind, LapseKind, LapseState, Standing, SubjectKind
from registry.services.lapses import LapseQuestion, list_lapses
from registry.services.overview import SOON, look_over
from registry.store import tables
from registry.store.import_tables import ImportState, import_rejects, imports
from registry.store.records import load_record
from tests.support.factories import (
    database,
    decide,
    make_authorization,
    make_body,
    make_registration,
)

NOON = datetime(2026, 3, 10, 18, tzinfo=UTC)
TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
LAPSES = {
    SubjectKind.REGISTRATION: LapseKind.REGISTRATION_LAPSED,
    SubjectKind.AUTHORIZATION: LapseKind.AUTHORIZATION_LAPSED,
}


@pytest.fixture
def tx(database_url):
    with database(database_url) as engine, engine.begin() as made:
        yield made


@pytest.fixture
def body(tx):
    """Terms that end around today, a suspension that outlasts one of them, and what was revoked."""
    made = make_body(tx)
    other = make_body(tx, "ca-yy")
    for days in (-40, -1, 0, 1, 6, 7, 8, 29, 30, 59, 60, 61, 200):
        record = make_registration(tx, made, through=TODAY + timedelta(days=days))
        if days % 2:
            make_authorization(tx, record, through=TODAY + timedelta(days=days // 2))
    make_registration(tx, other, through=TODAY + DAY)
    suspended = make_registration(tx, made, through=TODAY + 3 * DAY)
    decide(tx, suspended, DecisionKind.SUSPENDED, TODAY - 9 * DAY, through=TODAY + 20 * DAY)
    revoked, id_ = make_authorization(tx, make_registration(tx, made))
    decide(tx, revoked, DecisionKind.REVOKED, TODAY, authorization_id=id_)
    return made


def timelines(tx, body, kind):
    ids = tx.execute(select(tables.registrations.c.id).where(tables.registrations.c.body_id == body.id))
    for id_ in ids.scalars():
        record = load_record(tx, id_)
        assert record is not None
        subjects = (None,) if kind is SubjectKind.REGISTRATION else record.authorization_ids
        yield from (record.timeline(subject) for subject in subjects)


@pytest.mark.parametrize("kind", SubjectKind)
def test_on_every_day_shown_as_many_stand_so_as_their_timelines_say(tx, body, kind):
    found = list(timelines(tx, body, kind))
    overview = look_over(tx, body, at=NOON)
    for point in overview.over_time[kind]:
        told = Counter(timeline.on(point.day).standing for timeline in found)
        told.pop(Standing.NOT_YET, None)  # no span is kept of the days before
        assert {one: number for one, number in point.standing.items() if number} == dict(told), point.day
    assert overview.today == TODAY
    assert TODAY in [point.day for point in overview.over_time[kind]]
    today = Counter(timeline.on(TODAY).standing for timeline in found)
    assert overview.numbers[kind].in_force == today[Standing.IN_FORCE] + today[Standing.IN_GRACE]


@pytest.mark.parametrize("kind", SubjectKind)
def test_as_many_lapse_soon_as_are_listed(tx, body, kind):
    overview = look_over(tx, body, at=NOON)
    for days in SOON:
        wanted = LapseQuestion(body.id, LAPSES[kind], state=LapseState.COMING, within_days=days)
        listed = list_lapses(tx, wanted, after=None, limit=100, at=NOON)
        assert overview.numbers[kind].lapsing[days] == len(listed) > 0


def test_each_term_that_ends_is_in_the_week_of_its_last_day(tx, body):
    weeks = look_over(tx, body, at=NOON).weeks
    last_days = [
        timeline.on(TODAY).term_through for timeline in timelines(tx, body, SubjectKind.REGISTRATION)
    ]
    for week in weeks:
        assert week.first_day.weekday() == 0
        expected = sum(1 for day in last_days if day >= TODAY and week.first_day <= day <= week.last_day)
        assert week.ending[SubjectKind.REGISTRATION] == expected
    assert weeks[0].first_day <= TODAY <= weeks[0].last_day


def test_imports_with_rejected_rows_are_counted_for_a_month_once_they_were_compared(tx, body):
    facts = {"filename": "a.csv", "sha256": "", "bytes": 0, "profile_name": "p", "profile": "{}"}
    facts |= {"snapshot_day": TODAY, "partial": False, "rows_read": 0, "report": "{}", "version": 1}
    states = [(ImportState.PREVIEWED, 1), (ImportState.APPLIED, 29), (ImportState.APPLIED, 31)]
    states += [(ImportState.REVERSED, 1), (ImportState.PREVIEWED, 2)]
    for place, (state, days) in enumerate(states):
        received = NOON - timedelta(days=days)
        row = {**facts, "id": f"{place:036}", "body_id": body.id, "state": state}
        tx.execute(insert(imports).values(**row, received_at=received, received_by="t"))
        if place < 4:
            reject = {"import_id": f"{place:036}", "cells": "[]", "problems": "[]"}
            tx.execute(insert(import_rejects), [{**reject, "line": line} for line in (2, 3)])
    assert look_over(tx, body, at=NOON).rejecting_imports == 2


def test_an_empty_register_is_all_noughts(tx):
    overview = look_over(tx, make_body(tx), at=NOON)
    assert not any(any(numbers.standing.values()) for numbers in overview.numbers.values())
    assert not any(any(week.ending.values()) for week in overview.weeks)
