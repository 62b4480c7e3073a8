"""The check: every derived row is held against the facts, and what differs is named and can be repaired."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, func, insert, select, text, update

from registry.domain.vocabulary import DecisionKind
from registry.services import check as service
from registry.services.check import Progress, find_differences, repair
from registry.store import tables
from tests.support.factories import (
    database,
    decide,
    make_authorization,
    make_body,
    make_person,
    make_registration,
)

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
s, e, t, b = tables.spans, tables.entries, tables.lapses, tables.bodies


@pytest.fixture
def engine(database_url):
    with database(database_url) as made:
        yield made


@pytest.fixture
def registered(engine):
    """Two registrations, one of them with an authorization, a suspension and a lapse."""
    with engine.begin() as tx:
        body = make_body(tx)
        record = make_registration(tx, body, number="PT-00001", city="Calgary", through=date(2026, 3, 31))
        record, _ = make_authorization(tx, record)
        record = decide(tx, record, DecisionKind.SUSPENDED, date(2026, 2, 1), through=date(2026, 2, 9))
        make_registration(tx, body, make_person(tx, "Zoë Ōtara"), number="PT-00002")
    return record


def found(engine) -> list[str]:
    return sorted(str(difference) for difference in find_differences(engine.begin))


def repaired(engine) -> list[str]:
    for _ in range(2):
        repair(engine.begin, list(find_differences(engine.begin)), at=AT)
    return found(engine)


def test_what_the_services_wrote_has_no_difference(engine, registered):
    progress = Progress()
    assert list(find_differences(engine.begin, progress)) == []
    assert progress.registrations == 2


def test_an_empty_register_has_no_difference(engine):
    assert found(engine) == []


BODY_WRONG = "not the recorded versions of the rules; its registrations were not checked"

CORRUPTIONS = {
    "a span deleted": (
        lambda id_: delete(s).where(s.c.registration_id == id_, s.c.standing == "suspended"),
        ["spans: ca-xx PT-00001: {id} 2026-02-01: is missing"],
    ),
    "a span's standing": (
        lambda id_: (
            update(s).where(s.c.subject_id == id_, s.c.standing == "suspended").values(standing="in_force")
        ),
        ["spans: ca-xx PT-00001: {id} 2026-02-01: differs in standing"],
    ),
    "a span's last day": (
        lambda id_: (
            update(s)
            .where(s.c.subject_id == id_, s.c.standing == "suspended")
            .values(last_day=date(2026, 2, 10))
        ),
        ["spans: ca-xx PT-00001: {id} 2026-02-01: differs in last_day"],
    ),
    "a span that nobody decided": (
        lambda id_: insert(s).values(
            subject_id=id_,
            first_day=date(2030, 1, 1),
            standing="in_force",
            subject_kind="registration",
            registration_id=id_,
            body_id=select(b.c.id).scalar_subquery(),
        ),
        ["spans: ca-xx PT-00001: {id} 2030-01-01: does not follow from the facts"],
    ),
    "an entry deleted": (
        lambda id_: delete(e).where(e.c.registration_id == id_),
        ["entries: ca-xx PT-00001: {body} {key}: is missing"],
    ),
    "an entry's document": (
        lambda id_: update(e).where(e.c.registration_id == id_).values(document="{}"),
        ["entries: ca-xx PT-00001: {body} {key}: differs in document"],
    ),
    "an entry's city": (
        lambda id_: update(e).where(e.c.registration_id == id_).values(city_key="elsewhere"),
        ["entries: ca-xx PT-00001: {body} {key}: differs in city_key"],
    ),
    "an entry's number": (
        lambda id_: update(e).where(e.c.registration_id == id_).values(number_key="other"),
        [
            "entries: ca-xx PT-00001: {body} other: does not follow from the facts",
            "entries: ca-xx PT-00001: {body} {key}: is missing",
        ],
    ),
    "a lapse deleted": (
        lambda id_: delete(t).where(t.c.kind == "registration_lapsed", t.c.registration_id == id_),
        ["lapses: ca-xx PT-00001: registration_lapsed {id} 2026-04-01: is missing"],
    ),
    "a lapse's reason": (
        lambda id_: (
            update(t).where(t.c.kind == "registration_lapsed", t.c.registration_id == id_).values(why="{}")
        ),
        ["lapses: ca-xx PT-00001: registration_lapsed {id} 2026-04-01: differs in why"],
    ),
    "a lapse moved": (
        lambda id_: (
            update(t)
            .where(t.c.kind == "registration_lapsed", t.c.registration_id == id_)
            .values(since=date(2026, 4, 2))
        ),
        [
            "lapses: ca-xx PT-00001: registration_lapsed {id} 2026-04-01: is missing",
            "lapses: ca-xx PT-00001: registration_lapsed {id} 2026-04-02: does not follow from the facts",
        ],
    ),
    "a body's document": (
        lambda _: update(b).values(document='{"rules":[]}'),
        ["bodies: ca-xx: document: " + BODY_WRONG],
    ),
    "what a person is found by": (
        lambda _: text("UPDATE searchable_people SET words = 'somebody else' WHERE words LIKE 'zo%'"),
        ["searchable_people: {person}: words: is found by something else than the names in use"],
    ),
}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_each_kind_of_corrupted_row_is_named_and_repaired(engine, registered, corruption):
    statement, expected = CORRUPTIONS[corruption]
    with engine.begin() as tx:
        tx.execute(statement(registered.id))
        named = tx.execute(
            select(tables.practitioner_names.c.practitioner_id).where(
                tables.practitioner_names.c.full_name == "Zoë Ōtara"
            )
        ).scalar_one()
    particulars = {
        "id": registered.id,
        "body": registered.body.id,
        "key": registered.number_key,
        "person": named,
    }
    assert found(engine) == sorted(line.format(**particulars) for line in expected)
    assert repaired(engine) == []


def test_rows_filed_under_another_registration_are_named_and_given_back(engine, registered):
    with engine.begin() as tx:
        other = tx.execute(
            select(tables.registrations.c.id).where(tables.registrations.c.number == "PT-00002")
        ).scalar_one()
        tx.execute(update(s).where(s.c.standing == "suspended").values(registration_id=other))
        lapsed = (t.c.kind == "registration_lapsed") & (t.c.registration_id == registered.id)
        tx.execute(update(t).where(lapsed).values(registration_id=other, note="seen"))
    assert len(found(engine)) == 4
    assert repaired(engine) == []
    with engine.begin() as tx:
        note = select(t.c.registration_id).where(t.c.note == "seen")
        assert tx.execute(note).scalar_one() == registered.id


def test_the_repair_keeps_what_registrars_noted(engine, registered):
    with engine.begin() as tx:
        tx.execute(update(t).values(note="seen", acknowledged_at=AT, acknowledged_by="r", until=AT.date()))
        before = tx.execute(select(func.count()).select_from(t)).scalar_one()
    assert found(engine) != []
    assert repaired(engine) == []
    with engine.begin() as tx:
        assert tx.execute(select(func.count()).where(t.c.note == "seen")).scalar_one() == before


def test_orphans_are_named_and_dropped(sqlite_url):
    """PostgreSQL cannot have them; SQLite can, where someone wrote without foreign keys."""
    with database(sqlite_url) as engine:
        with engine.begin() as tx:
            record = make_registration(tx, make_body(tx))
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("DELETE FROM decisions")
            connection.exec_driver_sql("DELETE FROM registrations")
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.exec_driver_sql("BEGIN")
        told = found(engine)
        assert {line.split(":")[0] for line in told} >= {"spans", "entries", "lapses"}
        assert all(record.id in line and "its registration is not kept" in line for line in told[:1])
        assert repaired(engine) == []


def test_facts_that_cannot_be_read_are_named_and_the_rest_is_checked(engine, registered):
    with engine.begin() as tx:
        d = tables.decisions
        tx.execute(update(d).where(d.c.kind == "suspended").values(report='{"word": "Active"}'))
        tx.execute(update(e).where(e.c.registration_id != registered.id).values(document="{}"))
    told = found(engine)
    assert f"decisions: {registered.id}: facts: cannot be read" in told
    assert any(line.startswith("entries: ca-xx PT-00002") for line in told)
    assert repaired(engine) == [f"decisions: {registered.id}: facts: cannot be read"]


def test_small_stretches_find_the_same(engine, registered, monkeypatch):
    with engine.begin() as tx:
        tx.execute(update(e).values(city_key="elsewhere"))
    expected = found(engine)
    monkeypatch.setattr(service, "STRETCH", 1)
    assert found(engine) == expected
    assert len(expected) == 2
    assert repaired(engine) == []


def test_a_resolved_lapse_that_no_longer_follows_is_no_difference(engine, registered):
    with engine.begin() as tx:
        decide(tx, registered, DecisionKind.RENEWED, date(2026, 4, 1), through=date(2026, 12, 31), at=AT)
        resolved = tx.execute(select(func.count()).where(t.c.resolved_at.is_not(None))).scalar_one()
    assert resolved > 0
    assert found(engine) == []


def test_the_check_reads_only(engine, registered):
    def rows():
        with engine.begin() as tx:
            return json.dumps([list(map(str, row)) for row in tx.execute(select(e))])

    with engine.begin() as tx:
        tx.execute(update(e).values(city_key="elsewhere"))
    before = rows()
    found(engine)
    assert rows() == before
