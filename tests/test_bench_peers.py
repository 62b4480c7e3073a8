"""The benchmark's peers hold what the register publishes, and say of everyone what it says."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select, text
from sqlalchemy import table as table_of

from bench.engines import Sqlite
from bench.figures import Absent, Figure, table
from bench.imports import import_snapshot
from bench.peers import comparison, datasette, installing, launching, tables
from bench.peers.comparison import Asked, Facts, facts_of_peer, facts_of_register
from bench.peers.eligibility import FOREVER, TECHNIQUE, Known, Standing, answer
from bench.peers.installing import NotInstalledError
from bench.registers import BODY, make_body, number, write_snapshot
from bench.turns import Effort
from registry.domain.vocabulary import Mode
from registry.settings import Settings
from tests.support import factories
from tests.support.application import running, serving

TODAY = date(2026, 11, 20)
PEOPLE = 150
DAYS = (TODAY - timedelta(days=4000), TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=300))
KNOWN_ON = """
    SELECT p.name, s.standing, s.also, s.last_day, s.conditions, rules.may_needle, rules.last_day,
           held.standing, held.also, held.last_day
    FROM registrations r
    JOIN practitioners p ON p.id = r.practitioner_id
    JOIN registration_spans s ON s.registration_id = r.id AND :on BETWEEN s.first_day AND s.last_day
    LEFT JOIN rules ON rules.body = r.body AND rules.register_class = s.register_class
         AND :on BETWEEN rules.first_day AND rules.last_day
    LEFT JOIN authorizations a ON a.registration_id = r.id AND a.technique = :technique
    LEFT JOIN authorization_spans held ON held.authorization_id = a.id
         AND :on BETWEEN held.first_day AND held.last_day
    WHERE r.body = :body AND r.number = :number
"""


@pytest.fixture(scope="module")
def register(tmp_path_factory, sqlite_databases) -> Iterator[tuple[Flask, sqlite3.Connection]]:
    """The benchmark's register of a few people, and the peers' tables filled from it."""
    folder = tmp_path_factory.mktemp("peers")
    write_snapshot(folder / "few.csv", PEOPLE, TODAY)
    with sqlite_databases.migrated() as url:
        make_body(url)
        import_snapshot(folder / "few.csv", url)
        tables.export(url, f"sqlite:///{folder}/peers.db")
        with (
            running(Settings(database_url=url)) as app,
            closing(sqlite3.connect(folder / "peers.db")) as peers,
        ):
            yield app, peers


@pytest.fixture
def peers(register) -> sqlite3.Connection:
    return register[1]


@pytest.fixture(scope="module")
def right(register) -> dict[tuple[str, date], Facts]:
    """What the register says, by number and day; nobody has the last number."""
    client = register[0].test_client()
    return {(each, on): told(client, each, on) for each in map(number, range(PEOPLE + 1)) for on in DAYS}


def told(client: FlaskClient, asked: str, on: date) -> Facts:
    path = f"/v1/bodies/{BODY}/registrations/{asked}/verification?technique={TECHNIQUE}&on={on}"
    return facts_of_register(client.get(path).json)


def by_the_ladder_in_python(peers: sqlite3.Connection, asked: str, on: date) -> Facts:
    named = {"body": BODY, "number": asked, "on": on.isoformat(), "technique": TECHNIQUE}
    row = peers.execute(KNOWN_ON, named).fetchone()
    found = answer(BODY, asked, on, None if row is None else known_of(*row))
    through = found["valid_through"]
    plain = {"on": on.isoformat(), "valid_through": None if through is None else through.isoformat()}
    return facts_of_peer({**found, **plain})


def known_of(name, standing, also, through, conditions, may_needle, rules_through, *held) -> Known:
    return Known(
        name,
        Standing(standing, also, date.fromisoformat(through)),
        conditions,
        None if may_needle is None else bool(may_needle),
        None if rules_through is None else date.fromisoformat(rules_through),
        None if held[0] is None else Standing(held[0], held[1], date.fromisoformat(held[2])),
    )


def by_the_ladder_in_sql(peers: sqlite3.Connection, asked: str, on: date) -> Facts:
    found = peers.execute(datasette.QUERY, {"body": BODY, "number": asked, "on": on.isoformat()})
    columns = [each[0] for each in found.description]
    (row,) = found.fetchall()
    document = dict(zip(columns, row, strict=True))
    reasons = peers.execute("SELECT value FROM json_each(?)", [document["reasons"]])
    return facts_of_peer({**document, "reasons": [reason for (reason,) in reasons]})


@pytest.mark.parametrize("ladder", [by_the_ladder_in_python, by_the_ladder_in_sql])
def test_a_peer_says_of_everyone_what_the_register_says(right, peers, ladder) -> None:
    assert {question: ladder(peers, *question) for question in right} == right


def test_the_people_who_are_asked_about_are_answered_in_many_ways(right) -> None:
    assert {
        "not_found",
        "authorized",
        "authorized_with_conditions",
        "authorization_not_in_force",
        "class_not_eligible",
        "registration_not_in_force",
        "technique_not_covered",
        "unknown",
    } <= {facts.outcome for facts in right.values()}


def test_a_day_that_nothing_follows_has_no_last_one() -> None:
    known = Known("Ana Lee", Standing("revoked", None, FOREVER), None, None, None, None)
    found = answer(BODY, "PT-1", TODAY, known)
    assert (found["valid_through"], found["authorized"]) == (None, False)


@pytest.mark.parametrize("limit", [{"mode": Mode.SUPERVISED}, {"excluded_regions": ("thorax",)}], ids=str)
def test_what_the_tables_cannot_hold_is_refused(databases, limit) -> None:
    with databases.migrated() as source, databases.empty() as target, factories.database(source) as engine:
        with engine.begin() as tx:
            record = factories.make_registration(tx, factories.make_body(tx))
            factories.make_authorization(tx, record, **limit)
        with pytest.raises(tables.CannotHoldError):
            tables.export(source, target)


def test_the_tables_hold_a_register_of_either_engine(databases) -> None:
    with databases.migrated() as source, databases.empty() as target, factories.database(source) as engine:
        with engine.begin() as tx:
            body = factories.make_body(tx)
            person = factories.make_person(tx)
            factories.make_registration(tx, body, person)
            retired = factories.make_registration(tx, body, register_class="retired")
            factories.make_authorization(tx, retired, override_reason="An order of the board.")
        tables.export(source, target)
        filled = create_engine(target)
        with filled.connect() as connection:
            held = {
                each: list(connection.execute(select(text("*")).select_from(table_of(each))))
                for each in tables.TABLES
            }
        filled.dispose()
    assert [len(held[each]) for each in tables.TABLES] == [2, 3, 2, 6, 1, 3]
    may_needle = {row.register_class: bool(row.may_needle) for row in held["rules"]}
    assert may_needle == {"": False, "general": True, "retired": False}


def test_nothing_is_timed_where_one_says_something_else(register) -> None:
    app, _ = register
    right = Asked(comparison.REGISTER, launching.drf, comparison.register_path, facts_of_register, {})
    wrong = replace(right, name="wrong", read=lambda given: replace(facts_of_register(given), outcome="no"))
    questions = [(number(index), TODAY.isoformat()) for index in range(3)]
    with serving(app) as address:
        port = int(address.rpartition(":")[2])
        comparison.compare([(right, port), (right, port)], questions)
        with pytest.raises(RuntimeError, match="wrong"):
            comparison.compare([(right, port), (wrong, port)], questions)


def test_everyone_is_asked_about_today_and_some_about_other_days_and_one_number_is_nobodys() -> None:
    asked = comparison.sample(5000, TODAY)
    assert Counter(on for _, on in asked) == {
        "2026-11-20": comparison.SAMPLE + 1,
        "2025-10-16": comparison.SAMPLE // 10,
        "2027-12-25": comparison.SAMPLE // 10,
    }
    assert number(5000) in {each for each, _ in asked}


def test_a_register_that_the_tables_cannot_hold_is_said_not_to_be_measured(monkeypatch, tmp_path) -> None:
    def refuse(source: str, target: str) -> None:
        raise tables.CannotHoldError(f"{source} into {target}")

    monkeypatch.setattr(tables, "export", refuse)
    found = list(comparison.measure(Sqlite(tmp_path), {10: "small", 90_000: "large"}, Effort(1, 0.1)))
    assert found == [Absent("peers", "sqlite", 90_000, f"large into sqlite:///{tmp_path}/scratch.db")]


def test_a_peer_that_cannot_be_installed_says_why(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with (
        pytest.raises(NotInstalledError, match="there is no npm"),
        launching.directus("sqlite://", "postgresql://postgres@/peers?host=/tmp"),
    ):
        pass


def test_a_peer_that_does_not_come_up_says_what_it_said_last(monkeypatch, tmp_path) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text("#!/bin/sh\necho first\necho 'no such module' >&2\nexit 3\n")
    interpreter.chmod(0o755)
    monkeypatch.setattr(installing, "python", lambda: interpreter)
    with (
        pytest.raises(launching.CannotServeError, match="ended before it answered: no such module"),
        launching.drf("sqlite://", "sqlite://"),
    ):
        pass


def test_the_table_says_what_could_not_be_measured_and_why() -> None:
    found = table(
        [
            Figure("peer_drf_cpu", "sqlite", 10, 1.5, "us"),
            Absent("peer_directus", "sqlite", 10, "there is no npm"),
        ],
        {},
    )
    assert found.splitlines()[-1] == "peer_directus (sqlite, 10) was not measured: there is no npm"
