"""Reversing an import restores what was, and refuses where later decisions rest on it."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from registry.domain.vocabulary import DecisionKind, Outcome, Standing
from registry.errors import Conflict, Senseless
from registry.store import import_tables, tables
from registry.store.import_tables import ImportState
from tests.support.factories import database
from tests.support.imports import DAY, Register
from tests.support.sheets import csv_file, people


@pytest.fixture
def register(database_url):
    with database(database_url) as engine:
        made = Register(engine)
        yield made
        assert made.differences() == []


def state(register):
    """Everything that answers rest on, but for identifiers and instants."""
    with register.engine.begin() as tx:
        s, e = tables.spans, tables.entries
        spans = tx.execute(select(s.c.subject_id, s.c.first_day, s.c.standing).order_by(*s.primary_key)).all()
        documents = tx.execute(select(e.c.number_key, e.c.document).order_by(e.c.number_key)).all()
    return [tuple(row) for row in spans], [tuple(row) for row in documents]


def test_reversing_restores_what_was(register):
    register.take_in(csv_file(people(4)))
    before = state(register)
    rows = people(4)
    rows[0] |= {"Until": "2026-05-01"}
    rows[1] |= {"Status": "Revoked", "City": "Banff"}
    rows[2] |= {"Family": "Brontë", "Needles": "N"}
    found = register.take_in(csv_file(rows))
    assert found.report["changed"] == 3
    assert register.reverse(found).state is ImportState.REVERSED
    assert state(register) == before
    assert register.record("PT-00002").person.published_name == "Ana Abarac0"


def test_who_came_with_a_reversed_import_was_never_registered(register):
    found = register.take_in(csv_file(people(2)))
    register.reverse(found)
    assert register.outcome("PT-00001") is Outcome.NOT_FOUND
    assert register.count(tables.spans) == 0


def test_a_reversed_import_can_be_applied_and_reversed_again(register):
    found = register.take_in(csv_file(people(3)))
    after = register.record("PT-00001").timeline(None).on(DAY).standing
    register.reverse(found)
    assert register.apply(found).state is ImportState.APPLIED
    assert register.record("PT-00001").timeline(None).on(DAY).standing is after is Standing.IN_FORCE
    register.reverse(found)
    assert register.outcome("PT-00001") is Outcome.NOT_FOUND
    with pytest.raises(Conflict):
        register.reverse(found)


def test_an_import_that_later_decisions_rest_on_is_not_reversed(register):
    found = register.take_in(csv_file(people(3)))
    register.decide("PT-00001", DecisionKind.SUSPENDED, DAY)
    with pytest.raises(Senseless) as caught:
        register.reverse(found)
    assert {problem["number"] for problem in caught.value.problems} == {"PT-00001"}
    assert register.outcome("PT-00002") is Outcome.AUTHORIZED


def test_what_was_changed_since_is_not_restored(register):
    register.take_in(csv_file(people(1)))
    found = register.take_in(csv_file(people(1, City="Banff")))
    register.take_in(csv_file(people(1, City="Canmore")))
    register.reverse(found)
    assert register.record("PT-00000").city == "Canmore"


def test_the_feed_tells_of_what_an_import_decided(register):
    register.take_in(csv_file(people(2)))
    register.take_in(csv_file(people(2, Status="Suspended")))
    e = tables.events
    with register.engine.begin() as tx:
        told = tx.execute(select(e.c.type, func.count()).group_by(e.c.type)).all()
        seqs = tx.execute(select(e.c.seq).order_by(e.c.seq)).scalars().all()
    assert dict(map(tuple, told)) == {
        "registration.granted": 2,
        "authorization.granted": 2,
        "registration.suspended": 2,
    }
    assert len(seqs) == 6
    assert register.count(import_tables.import_events) == 0
