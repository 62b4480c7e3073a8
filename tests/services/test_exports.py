"""An export imports again without difference: into its own register, and into an empty one."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.domain.decisions import Condition
from registry.domain.explanation import Unexplainable, explain
from registry.domain.statement import state
from registry.domain.timeline import fold
from registry.domain.vocabulary import DecisionKind, Mode, Technique
from registry.services import bodies
from registry.services.bodies import BodyFacts
from registry.services.exports import Export, Form
from registry.services.import_profiles import built_in
from registry.services.imports import apply_import, receive_import
from registry.store.imports import Received
from tests.domain.test_explanation import Register, days, decided, new_id, snapshots
from tests.support.factories import (
    database,
    decide,
    make_authorization,
    make_body,
    make_person,
    make_registration,
)

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = date(2026, 6, 1)
BY = "registrar:tests"
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def engine(database_url):
    with database(database_url) as made:
        yield made


def fill(tx, body):
    """Registrations in many states, with names and conditions that are hard on a table."""
    make_registration(tx, body, make_person(tx, FORMULA), number="+1", city="-City")
    odd = make_person(tx, 'Ana "Zoë", O’Brien', former=["=Old", "Ana, Brontë"], languages=("en", "fr"))
    record = make_registration(tx, body, odd, number="A", through=None, conditions=(Condition("@x; y"),))
    record, own = make_authorization(
        tx, record, excluded_regions=("thorax",), conditions=(Condition("a,b", withheld=True),)
    )
    decide(tx, record, DecisionKind.SUSPENDED, date(2026, 2, 1), authorization_id=own)
    record = make_registration(tx, body, make_person(tx, "Hidden One", withheld=True), number="B")
    make_authorization(tx, record, mode=Mode.SUPERVISED, techniques=frozenset({Technique.DRY_NEEDLING}))
    for number, kind in (("C", "suspended"), ("D", "revoked"), ("E", "surrendered")):
        record = make_registration(tx, body, number=number)
        decide(tx, record, DecisionKind(kind), date(2026, 3, 1))
    record = make_registration(tx, body, number="F", through=date(2026, 1, 31))
    decide(tx, record, DecisionKind.RENEWED, date(2026, 4, 1), through=date(2027, 3, 31))
    make_registration(tx, body, number="G", through=date(2026, 1, 31))
    make_registration(tx, body, number="H", effective_on=date(2026, 9, 1))


def exported(engine, code, form):
    with engine.begin() as tx:
        return "".join(Export(bodies.get_body(tx, code), DAY).text(tx, Form(form)))


def take_in(engine, code, text):
    with engine.begin() as tx:
        body = bodies.get_body(tx, code)
        received = Received(body.id, "export", "export", built_in("export") or {}, DAY, False)
        found = receive_import(tx, received, io.BytesIO(text.encode()), by=BY, at=AT)
        return apply_import(tx, found.id, by=BY, at=AT).report


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_into_its_own_register_nothing_changes(engine, form):
    with engine.begin() as tx:
        fill(tx, make_body(tx))
    report = take_in(engine, "ca-xx", exported(engine, "ca-xx", form))
    assert (report["unchanged"], report["new"], report["changed"], report["rejected"]) == (9, 0, 0, 0)
    assert report["decisions"] == {}


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_from_an_empty_register_the_same_is_exported(engine, form):
    with engine.begin() as tx:
        fill(tx, make_body(tx))
        bodies.create_body(tx, BodyFacts("gb-xx", "Empty", "GB", "America/Edmonton"), at=AT)
    first = exported(engine, "ca-xx", form)
    report = take_in(engine, "gb-xx", first)
    assert (report["new"], report["rejected"]) == (9, 0)
    assert exported(engine, "gb-xx", form) == first


def test_no_cell_is_a_formula(engine):
    with engine.begin() as tx:
        fill(tx, make_body(tx))
    text = exported(engine, "ca-xx", "csv")
    assert f"'{FORMULA}" in text
    cells = [cell for line in text.splitlines() for cell in line.replace('"', "").split(",")]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


def test_what_is_voided_whole_is_not_exported(engine):
    with engine.begin() as tx:
        make_body(tx)
    assert exported(engine, "ca-xx", "csv").count("\n") == 1


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=200, derandomize=True)
@given(st.lists(snapshots(), min_size=1, max_size=3), st.lists(decided(), max_size=3), days)
def test_whatever_was_decided_is_stated_so_that_it_explains_itself(series, by_hand, day):
    register = Register()
    register.decisions += by_hand
    for snapshot, on in sorted(series, key=lambda pair: pair[1]):
        try:
            register.take_in(snapshot, on)
        except Unexplainable:
            continue
    register.decisions = sensible(register)
    stated = state(fold(register.decisions), day)
    if stated is None:
        return
    stated = replace(stated, speaks_of=frozenset({"register_class", "conditions"}))
    assert register.explain(stated, day) == []
    if stated.first_day is not None and stated.first_day > day:
        return
    at = register.at + timedelta(days=1)
    anew = explain(stated, [], day=day, at=at, new_id=new_id)
    again = state(fold(anew), day)
    assert again is not None
    assert replace(again, speaks_of=stated.speaks_of) == stated


def sensible(register):
    """What is on record without the decisions that have no effect."""
    senseless = {decision.id for decision, _ in fold(register.decisions).objections}
    return [decision for decision in register.decisions if decision.id not in senseless]
