"""Imports, from the file to the register: all or nothing, the same file twice, reversed, applied again."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from registry.domain.verdict import Question, Standings, give_verdict
from registry.domain.vocabulary import DecisionKind, NameKind, Outcome, Standing, Technique
from registry.errors import Conflict, Invalid, Stale
from registry.services import import_comparison, imports
from registry.services.bodies import add_rules, get_body
from registry.services.changed_answers import changed_answers
from registry.services.imports import apply_import, preview_import, receive_import, rejected_rows
from registry.sheets.writing import csv_text
from registry.store import import_tables, tables
from registry.store import imports as store
from registry.store.import_tables import ImportState
from registry.store.imports import Received
from registry.store.records import load_record
from tests.support.factories import (
    database,
    make_authorization,
    make_body,
    make_person,
    make_registration,
    make_rules,
)
from tests.support.imports import AT, BY, DAY, Register, counts
from tests.support.sheets import PROFILE, csv_file, ndjson_file, people, person, xlsx_file


@pytest.fixture
def register(database_url):
    with database(database_url) as engine:
        made = Register(engine)
        yield made
        assert made.differences() == []


def test_new_rows_are_registered_and_answered_for(register):
    found = register.take_in(csv_file(people(3)))
    assert found.state is ImportState.APPLIED
    assert counts(found, "rows", "new", "rejected", "vanished") == (3, 3, 0, 0)
    assert found.report["decisions"] == {"authorization.granted": 3, "registration.granted": 3}
    assert register.outcome("PT-00001") is Outcome.AUTHORIZED
    assert register.outcome("PT-00001", date(2027, 1, 1)) is Outcome.REGISTRATION_NOT_IN_FORCE


@pytest.mark.parametrize("make", [csv_file, ndjson_file, xlsx_file])
def test_every_kind_of_file_says_the_same(register, make):
    register.take_in(csv_file(people(3)))
    again = register.take_in(make(people(3)))
    assert counts(again, "new", "changed", "unchanged") == (0, 0, 3)


def test_a_preview_changes_nothing_but_its_own_record(register):
    found = register.preview(csv_file([*people(2), person("PT-9", From="soon")]))
    assert found.state is ImportState.PREVIEWED
    assert counts(found, "rows", "new", "rejected") == (3, 2, 1)
    assert found.rows_read == 3
    for table in (tables.registrations, tables.practitioners, tables.decisions, tables.events):
        assert register.count(table) == 0


def test_what_was_previewed_is_applied_against_the_register_as_it_is_by_then(register):
    first, second = register.preview(csv_file(people(2))), register.preview(csv_file(people(2)))
    assert register.apply(first).report["new"] == 2
    assert counts(register.apply(second), "new", "unchanged") == (0, 2)


def test_the_same_file_twice_changes_nothing(register):
    rows = [
        *people(3),
        person("S", Status="Suspended"),
        person("R", Status="Revoked"),
        person("O", Status="Odd"),
    ]
    register.take_in(csv_file(rows))
    before = register.count(tables.decisions), register.count(tables.events)
    again = register.take_in(csv_file(rows))
    assert counts(again, "new", "changed", "unchanged", "rejected") == (0, 0, 6, 0)
    assert (register.count(tables.decisions), register.count(tables.events)) == before


@pytest.mark.parametrize("days", [1, 40, 250, 800])
def test_the_same_file_changes_nothing_later_either(register, days):
    rows = [
        *people(2),
        person("S", Status="Suspended"),
        person("E", Status="Expired"),
        person("O", Status="Odd"),
    ]
    register.take_in(csv_file(rows))
    register.at += timedelta(days=days)
    assert counts(register.take_in(csv_file(rows)), "changed", "unchanged", "rejected") == (0, 5, 0)


def test_rows_compared_in_full_agree_as_those_recognised_do(register):
    rows = [*people(3), person("S", Status="Suspended"), person("O", Status="Odd", Until="")]
    register.take_in(csv_file(rows))
    with register.engine.begin() as tx:
        tx.execute(import_tables.import_marks.delete())
    assert counts(register.take_in(csv_file(rows)), "changed", "unchanged", "rejected") == (0, 5, 0)
    assert register.count(import_tables.import_marks) == 5


def test_a_suspension_that_ended_by_itself_is_seen_though_the_row_is_the_same(register):
    register.take_in(csv_file(people(1)))
    register.decide("PT-00000", DecisionKind.SUSPENDED, DAY, through=DAY + timedelta(days=5))
    rows = people(1, Status="Suspended")
    register.take_in(csv_file(rows))
    register.at += timedelta(days=10)
    assert register.outcome("PT-00000", DAY + timedelta(days=10)) is not Outcome.AUTHORIZED
    assert register.take_in(csv_file(rows)).report["rejected"] == 0
    assert register.outcome("PT-00000", DAY + timedelta(days=10)) is Outcome.REGISTRATION_NOT_IN_FORCE


def test_an_unmapped_word_is_unknown_and_reported(register):
    found = register.take_in(csv_file([person("1", Status="Odd"), person("2", Status="Odd"), person("3")]))
    assert found.report["unmapped_words"] == {"Odd": 2}
    assert register.outcome("1") is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("changed", "kind", "outcome"),
    [
        ({"Until": "2027-12-31"}, "registration.renewed", Outcome.AUTHORIZED),
        ({"Until": "2026-05-01"}, "registration.voided", Outcome.REGISTRATION_NOT_IN_FORCE),
        ({"Status": "Suspended"}, "registration.suspended", Outcome.REGISTRATION_NOT_IN_FORCE),
        ({"Status": "Revoked"}, "registration.revoked", Outcome.REGISTRATION_NOT_IN_FORCE),
        ({"Status": "Expired"}, "registration.status_reported", Outcome.REGISTRATION_NOT_IN_FORCE),
        ({"Status": "Odd"}, "registration.status_reported", Outcome.UNKNOWN),
        ({"Class": "provisional"}, "registration.conditions_set", Outcome.AUTHORIZED),
        ({"Conditions": "Chaperone"}, "registration.conditions_set", Outcome.AUTHORIZED_WITH_CONDITIONS),
        ({"Needles": "N"}, "authorization.status_reported", Outcome.AUTHORIZATION_NOT_IN_FORCE),
    ],
)
def test_a_changed_row_becomes_the_decision_that_explains_it(register, changed, kind, outcome):
    register.take_in(csv_file([*people(1), person("X")]))
    found = register.take_in(csv_file([*people(1), person("X", **changed)]))
    assert counts(found, "new", "changed", "unchanged", "rejected") == (0, 1, 1, 0)
    assert kind in found.report["decisions"]
    assert register.outcome("X") is outcome
    assert kind in found.report["samples"]


def test_what_an_old_answer_knew_stays_as_it_was(register):
    register.take_in(csv_file([person("X")]))
    known_at = register.at + timedelta(minutes=1)
    register.take_in(csv_file([person("X", Until="2026-05-01")]))
    then = register.record("X").standings(known_at)
    assert give_verdict(Question(Technique.DRY_NEEDLING, DAY), then).outcome is Outcome.AUTHORIZED


def test_names_cities_and_languages_follow_the_file(register):
    profile = {**PROFILE, "columns": {**PROFILE["columns"], "languages": "Conditions"}}
    register.take_in(csv_file([person("X", Conditions="en")]), profile=profile)
    changed = person("X", Family="Brontë", City="Banff", Conditions="en; fr")
    found = register.take_in(csv_file([changed]), profile=profile)
    assert found.report["changes"] == {"city": 1, "languages": 1, "name": 1}
    record = register.record("X")
    assert (record.city, record.person.languages) == ("Banff", ("en", "fr"))
    assert record.person.published_name == "Ana Brontë"
    assert [n.full_name for n in record.person.names if n.kind is NameKind.FORMER] == ["Ana Abara"]


def test_another_spelling_is_no_former_name(register):
    register.take_in(csv_file([person("X", "Bronte")]))
    register.take_in(csv_file([person("X", "BRONTË")]))
    names = register.record("X").person.names
    assert [(n.kind, n.full_name) for n in names] == [(NameKind.PUBLISHED, "Ana BRONTË")]


def test_who_holds_several_registrations_is_not_renamed(register):
    with register.engine.begin() as tx:
        held = make_person(tx, "Ana Castillo")
        make_registration(tx, make_body(tx, "gb-xx"), held)
        make_registration(tx, register.body, held, number="X")
    found = register.take_in(csv_file([person("X")]))
    assert found.report["names_kept"] == 1
    assert register.record("X").person.published_name == "Ana Castillo"


def test_a_registration_made_by_hand_is_compared_like_any(register):
    with register.engine.begin() as tx:
        record = make_registration(
            tx, register.body, make_person(tx, "Ana Abara"), number="X", city="Calgary"
        )
        make_authorization(tx, record)
    found = register.take_in(csv_file([person("X")]))
    assert found.report["decisions"] == {"registration.status_reported": 1}
    assert register.outcome("X") is Outcome.AUTHORIZED


# --- Rows that cannot be taken in ---


def test_rejected_rows_cost_no_others_and_are_told_with_line_column_value_and_reason(register):
    rows = [person("1"), person("2", From="31/12/2025"), person("", City="Nowhere"), person("4")]
    found = register.take_in(csv_file(rows))
    assert counts(found, "new", "rejected") == (2, 2)
    with register.engine.begin() as tx:
        rejects = list(store.read_rejects(tx, found.id))
    assert [(r.line, r.problems[0]["column"], r.problems[0]["value"]) for r in rejects] == [
        (3, "From", "31/12/2025"),
        (4, "No", ""),
    ]
    assert "YYYY-MM-DD" in rejects[0].problems[0]["detail"]


def test_the_file_of_rejected_rows_is_corrected_and_imported_with_the_same_profile(register):
    rows = [person("1"), person("2", From="31/12/2025", Family="=cmd()"), person("3", Until="x")]
    found = register.take_in(csv_file(rows))
    with register.engine.begin() as tx:
        header, rejected, delimiter = rejected_rows(tx, found)
        text = "".join(csv_text([header, *rejected], delimiter))
    assert ",=cmd" not in text
    corrected = text.replace("31/12/2025", "2025-12-31").replace(",x,", ",2026-12-31,")
    again = register.take_in(csv_of(corrected), partial=True)
    assert counts(again, "new", "rejected", "vanished") == (2, 0, None)
    assert register.record("2").person.published_name == "Ana =cmd()"
    twice = register.take_in(csv_of(text), partial=True)
    with register.engine.begin() as tx:
        assert rejected_rows(tx, twice)[0] == header


def csv_of(text):
    file = csv_file([])
    file.seek(0)
    file.truncate()
    file.write(text.encode())
    file.seek(0)
    return file


def test_identical_rows_count_once_and_conflicting_ones_are_rejected_with_the_other_line(register):
    rows = [person("A"), person("a "), person("B"), person("B", City="Banff"), person("C")]
    rows[1]["No"] = "A"
    found = register.take_in(csv_file(rows))
    assert counts(found, "new", "duplicates", "rejected") == (2, 1, 2)
    with register.engine.begin() as tx:
        told = [(r.line, r.problems[0]["detail"]) for r in store.read_rejects(tx, found.id)]
    assert told == [
        (4, "line 5 says something else of this number"),
        (5, "line 4 says something else of this number"),
    ]


def test_duplicates_are_found_across_stretches(register, monkeypatch):
    monkeypatch.setattr(import_comparison, "STRETCH", 2)
    rows = [*people(5), person("PT-00001", City="Elsewhere"), people(1)[0]]
    found = register.take_in(csv_file(rows))
    assert counts(found, "rows", "new", "duplicates", "rejected") == (7, 4, 1, 2)


def test_what_no_decision_explains_is_rejected(register):
    register.take_in(csv_file([person("X"), person("Y")]))
    register.decide("X", DecisionKind.SUSPENDED, date(2025, 2, 1))
    register.decide("X", DecisionKind.REINSTATED, date(2025, 3, 1))
    found = register.take_in(csv_file([person("X", From="2025-02-15"), person("Y", City="Banff")]))
    assert counts(found, "changed", "rejected") == (1, 1)


def test_two_authorizations_for_the_same_technique_are_refused(register):
    with register.engine.begin() as tx:
        record = make_registration(tx, register.body, number="X")
        both = frozenset({Technique.DRY_NEEDLING, Technique.ACUPUNCTURE})
        make_authorization(tx, record, techniques=both, override_reason="of old")
    found = register.take_in(csv_file([person("X")]))
    assert counts(found, "changed", "rejected") == (0, 1)


@pytest.mark.parametrize("content", [b"", b"No,Given\n1,Ana\n", b"PK\x03\x04"])
def test_a_file_that_cannot_be_read_is_not_kept(register, content):
    file = csv_file([])
    file.truncate(0)
    file.write(content)
    file.seek(0)
    with pytest.raises(Invalid):
        register.receive(file)
    assert register.count(import_tables.imports) == 0


def test_vanished_rows_are_reported_and_kept(register):
    register.take_in(csv_file(people(5)))
    found = register.take_in(csv_file(people(3)))
    assert found.report["vanished"] == 2
    with register.engine.begin() as tx:
        told = imports.list_vanished(tx, found, after=None, limit=10)
        assert imports.list_vanished(tx, found, after="PT-00003", limit=10) == told[1:]
    assert [number for _, number, _ in told] == ["PT-00003", "PT-00004"]
    assert register.outcome("PT-00004") is Outcome.AUTHORIZED


def test_who_stands_in_a_rejected_row_has_not_vanished(register):
    register.take_in(csv_file(people(2)))
    rows = people(2)
    rows[1]["Until"] = "x"
    assert counts(register.take_in(csv_file(rows)), "rejected", "vanished") == (1, 0)


def test_rows_of_another_kind_are_passed_over(register):
    profile = {**PROFILE, "only": {"Class": ["general"]}}
    found = register.take_in(csv_file([person("1"), person("2", Class="business")]), profile=profile)
    assert counts(found, "new", "passed_over") == (1, 1)


# --- All or nothing ---


def test_a_crash_in_the_last_stretch_leaves_nothing(register, monkeypatch):
    monkeypatch.setattr(import_comparison, "STRETCH", 10)
    register.take_in(csv_file(people(5)))
    tables_ = (tables.registrations, tables.decisions, tables.spans, tables.events, tables.practitioner_names)
    before = [register.count(table) for table in tables_]
    rows = [*people(5, City="Banff"), *people(35)[5:]]
    found = register.receive(csv_file(rows))

    def crash(doing, count):
        if doing == "applying" and count == 35:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register.apply(found, progress=crash)
    assert [register.count(table) for table in tables_] == before
    assert register.record("PT-00001").city == "Calgary"
    assert register.apply(found).report["new"] == 30


def schema_of(register) -> list[tuple[str, ...]]:
    """Each index and each constraint, as the database itself would write it."""
    catalogues = {
        "sqlite": "SELECT type, name, coalesce(sql, '') FROM sqlite_master",
        "postgresql": (
            "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL"
            " SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)"
            " || convalidated FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        ),
    }
    with register.engine.connect() as connection:
        return sorted(map(tuple, connection.execute(text(catalogues[connection.dialect.name]))))


def test_an_empty_register_is_filled_without_indexes_and_has_them_all_afterwards(register, monkeypatch):
    monkeypatch.setattr(imports, "WORTH_BUILDING", 1)
    monkeypatch.setattr(import_comparison, "STRETCH", 10)
    before = schema_of(register)
    found = register.receive(csv_file([*people(25), person("bad", From="x")]))

    def crash(doing, count):
        if (doing, count) == ("applying", 26):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        register.apply(found, progress=crash)
    assert schema_of(register) == before

    assert counts(register.apply(found), "new", "rejected") == (25, 1)
    assert schema_of(register) == before
    assert register.outcome("PT-00001") is Outcome.AUTHORIZED
    assert counts(register.take_in(csv_file(people(30))), "new", "unchanged") == (5, 25)
    assert schema_of(register) == before


def test_progress_is_told_and_a_preview_shows_it(register, monkeypatch):
    monkeypatch.setattr(import_comparison, "STRETCH", 10)
    found = register.receive(csv_file(people(25)))
    told = []

    def watch(doing, count):
        with register.engine.connect() as other:
            told.append((doing, count, imports.get_import(other, found.id).rows_read))

    preview_import(register.engine.begin, found.id, by=BY, at=AT, progress=watch)
    assert told == [
        ("reading", 10, 0),
        ("reading", 20, 0),
        ("reading", 25, 0),
        ("comparing", 10, 10),
        ("comparing", 20, 20),
        ("comparing", 25, 25),
    ]


def test_a_preview_gives_way_to_whoever_applies_meanwhile(register, monkeypatch):
    monkeypatch.setattr(import_comparison, "STRETCH", 10)
    found = register.receive(csv_file([*people(25), person("bad", From="x")]))

    def meanwhile(doing, count):
        if (doing, count) == ("comparing", 10):
            register.apply(found)

    with pytest.raises(Stale):
        preview_import(register.engine.begin, found.id, by=BY, at=AT, progress=meanwhile)
    with register.engine.begin() as tx:
        assert imports.get_import(tx, found.id).state is ImportState.APPLIED
        assert len(list(store.read_rejects(tx, found.id))) == 1


def test_helpers_come_to_the_same(register, monkeypatch):
    monkeypatch.setattr(imports, "WORTH_HELP", 1)
    monkeypatch.setattr(import_comparison, "STRETCH", 10)
    rows = [*people(25), person("S", Status="Suspended"), person("bad", From="x"), person("O", Status="Odd")]
    found = register.apply(register.receive(csv_file(rows)), helpers=1)
    assert counts(found, "rows", "new", "rejected") == (28, 27, 1)
    assert found.report["unmapped_words"] == {"Odd": 1}
    assert counts(register.take_in(csv_file(rows)), "unchanged", "rejected") == (27, 1)


def test_two_imports_of_the_same_body_double_nothing(register):
    register.take_in(csv_file(people(3)))
    first, second = (register.receive(csv_file(people(40, City="Banff"))) for _ in range(2))
    failures = []

    def apply(found):
        try:
            with register.engine.begin() as tx:
                apply_import(tx, found.id, by=BY, at=AT + timedelta(days=1))
        except Exception as error:  # noqa: BLE001 - a thread's failure is told in the test
            failures.append(error)

    threads = [threading.Thread(target=apply, args=(found,)) for found in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert register.count(tables.registrations) == 40
    with register.engine.begin() as tx:
        reports = [imports.get_import(tx, found.id).report for found in (first, second)]
    assert sorted(report["new"] for report in reports) == [0, 37]


def test_an_import_is_applied_once(register):
    found = register.take_in(csv_file(people(1)))
    with pytest.raises(Conflict):
        register.apply(found)
    with pytest.raises(Conflict):
        preview_import(register.engine.begin, found.id, by=BY, at=AT)


def test_a_preview_can_share_its_callers_transaction(register):
    with register.engine.begin() as tx:
        received = Received(register.body.id, "x.csv", "tests", PROFILE, DAY, False)
        found = receive_import(tx, received, csv_file(people(2)), by=BY, at=AT)
        found = preview_import(lambda: nullcontext(tx), found.id, by=BY, at=AT)
    assert found.report["new"] == 2


def test_events_tell_of_the_answers_that_they_changed(register):
    rows = [person(word, Status=word) for word in ("Active", "Suspended", "Revoked", "Expired", "Odd")]
    register.take_in(csv_file([*rows, person("Later", From="2026-09-01"), person("None", Needles="")]))
    e = tables.events
    with register.engine.begin() as tx:
        events = tx.execute(select(e.c.registration_id, e.c.day, e.c.data)).all()
        records = {event[0]: load_record(tx, event[0]) for event in events}
    for registration_id, day, data in events:
        record = records[registration_id]
        assert record is not None
        nothing = Standings(None, (), record.body.rules)
        told = json.loads(data).get("answers", [])
        assert told == json.loads(json.dumps(changed_answers(nothing, record.standings(), {day, DAY})))


def test_an_import_into_a_body_that_changed_its_rules_compares_anew(register):
    register.take_in(csv_file(people(1, Until="2026-05-20")))
    with register.engine.begin() as tx:
        body = get_body(tx, register.body.id)
        rules = make_rules(holds_from=date(2026, 1, 1), eligible_classes=None, registration_grace_days=30)
        add_rules(tx, body, replace(rules, recorded_at=register.at), by=BY, at=register.at)
    found = register.take_in(csv_file(people(1, Until="2026-05-20")))
    assert counts(found, "unchanged", "rejected") == (1, 0)
    assert register.record("PT-00000").timeline(None).on(DAY).standing is Standing.IN_GRACE
