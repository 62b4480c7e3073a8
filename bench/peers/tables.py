"""The peers' tables, filled from a register: what it publishes, in plain rows and columns.

Every peer reads these same tables. A span of days through which nothing changes is a row; its last day is
9999-12-31 where no end is known. What the tables cannot hold is refused rather than left out, so that no peer
answers another question than the register.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, create_engine, text

from registry.domain.rules import RulesHistory
from registry.domain.timeline import Span, Timeline
from registry.domain.vocabulary import Mode
from registry.store import documents

from .eligibility import FOREVER, TECHNIQUE

SCHEMA = (
    """CREATE TABLE practitioners (id INTEGER PRIMARY KEY, name TEXT)""",
    """CREATE TABLE rules (
        id INTEGER PRIMARY KEY,
        body TEXT NOT NULL,
        register_class TEXT NOT NULL,
        first_day DATE NOT NULL,
        last_day DATE NOT NULL,
        may_needle BOOLEAN NOT NULL
    )""",
    """CREATE TABLE registrations (
        id INTEGER PRIMARY KEY,
        practitioner_id INTEGER NOT NULL REFERENCES practitioners (id),
        body TEXT NOT NULL,
        number TEXT NOT NULL,
        UNIQUE (body, number)
    )""",
    """CREATE TABLE registration_spans (
        id INTEGER PRIMARY KEY,
        registration_id INTEGER NOT NULL REFERENCES registrations (id),
        first_day DATE NOT NULL,
        last_day DATE NOT NULL,
        standing TEXT NOT NULL,
        also TEXT,
        register_class TEXT NOT NULL,
        conditions TEXT
    )""",
    """CREATE TABLE authorizations (
        id INTEGER PRIMARY KEY,
        registration_id INTEGER NOT NULL REFERENCES registrations (id),
        technique TEXT NOT NULL,
        UNIQUE (registration_id, technique)
    )""",
    """CREATE TABLE authorization_spans (
        id INTEGER PRIMARY KEY,
        authorization_id INTEGER NOT NULL REFERENCES authorizations (id),
        first_day DATE NOT NULL,
        last_day DATE NOT NULL,
        standing TEXT NOT NULL,
        also TEXT
    )""",
)
INDEXES = (
    "CREATE INDEX practitioner_of_registration ON registrations (practitioner_id)",
    "CREATE INDEX days_of_registration ON registration_spans (registration_id, first_day)",
    "CREATE INDEX days_of_authorization ON authorization_spans (authorization_id, first_day)",
    "CREATE INDEX classes_of_body ON rules (body, register_class, first_day)",
)
TABLES = (
    "practitioners",
    "rules",
    "registrations",
    "registration_spans",
    "authorizations",
    "authorization_spans",
)
AT_ONCE = 5_000
"""Rows that are written by one statement."""

Row = tuple[Any, ...]


class CannotHoldError(Exception):
    """The register says something for which the peers' tables have no column."""


def export(source: str, target: str) -> None:
    """Fill an empty database with what a register publishes.

    :param source: the URL of the register's database.
    :param target: the URL of the peers'.
    :raises CannotHoldError: the register says something that the tables have no place for.
    """
    with _connected(source) as register, _connected(target) as peers:
        if peers.dialect.name == "sqlite":
            peers.exec_driver_sql("PRAGMA journal_mode=WAL")  # as the register's own file is kept
        for statement in SCHEMA:
            peers.execute(text(statement))
        for rows in _in_parts(_rows(register)):
            for table in TABLES:
                _insert(peers, table, rows[table])
        for statement in (*INDEXES, "ANALYZE"):
            peers.execute(text(statement))
        peers.commit()


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _in_parts(rows: Iterable[tuple[str, Row]]) -> Iterator[Mapping[str, list[Row]]]:
    """Rows by table, so many at a time."""
    remaining = iter(rows)
    while part := list(islice(remaining, AT_ONCE)):
        by_table: dict[str, list[Row]] = {table: [] for table in TABLES}
        for table, row in part:
            by_table[table].append(row)
        yield by_table


def _insert(connection: Connection, table: str, rows: list[Row]) -> None:
    if not rows:
        return
    place = "?" if connection.dialect.name == "sqlite" else "%s"
    statement = f"INSERT INTO {table} VALUES ({', '.join([place] * len(rows[0]))})"  # noqa: S608 - all ours
    connection.exec_driver_sql(statement, [tuple(map(_plain, row)) for row in rows])


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _rows(register: Connection) -> Iterator[tuple[str, Row]]:
    """Each row with its table, those that others name before the others."""
    bodies = {
        row.id: (row.code, documents.load_body(row.document)["history"])
        for row in register.execute(text("SELECT id, code, document FROM bodies"))
    }
    classes: dict[tuple[str, str], None] = {}
    numbered, people = _Numbered(), dict[str, int]()
    statement = text("SELECT body_id, document FROM entries ORDER BY registration_id")
    with register.execution_options(yield_per=AT_ONCE).execute(statement) as entries:
        for body_id, stored in entries:
            document = json.loads(stored)
            person = people.get(document["practitioner"])
            if person is None:
                person = people[document["practitioner"]] = numbered.next("practitioners")
                yield "practitioners", (person, document.get("name"))
            for table, row in _registration_rows(numbered, bodies[body_id][0], person, document):
                if table == "registration_spans":
                    classes[body_id, row[6]] = None
                yield table, row
    for body_id, register_class in classes:
        code, history = bodies[body_id]
        for first_day, last_day, may_needle in rule_spans(history, register_class):
            row = (numbered.next("rules"), code, register_class, first_day, last_day, may_needle)
            yield "rules", row


class _Numbered:
    """Gives each row of a table the next number."""

    def __init__(self) -> None:
        self._last = dict.fromkeys(TABLES, 0)

    def next(self, table: str) -> int:
        self._last[table] += 1
        return self._last[table]


def _registration_rows(
    numbered: _Numbered, body: str, person: int, document: Mapping[str, Any]
) -> Iterator[tuple[str, Row]]:
    registration = numbered.next("registrations")
    yield "registrations", (registration, person, body, document["number"])
    for first_day, last_day, span in _spans(documents.timeline_of(document["registration"])):
        said = (_also(span), _register_class(span), _conditions(span))
        row = (numbered.next("registration_spans"), registration, first_day, last_day, span.standing, *said)
        yield "registration_spans", row
    covering = []
    for held in document["authorizations"]:
        timeline = documents.timeline_of(held["spans"])
        if TECHNIQUE in _technique_words(timeline):
            covering.append(timeline)
    if len(covering) > 1:
        raise CannotHoldError(f"{document['number']} has several authorizations for {TECHNIQUE}")
    for timeline in covering:
        authorization = numbered.next("authorizations")
        yield "authorizations", (authorization, registration, TECHNIQUE)
        for first_day, last_day, span in _spans(timeline):
            if span.scope is not None and (span.scope.conditions or span.scope.mode is not Mode.INDEPENDENT):
                raise CannotHoldError(f"an authorization of {document['number']} is limited")
            days = (numbered.next("authorization_spans"), authorization, first_day, last_day)
            yield "authorization_spans", (*days, span.standing, _also(span))


def _technique_words(timeline: Timeline) -> frozenset[str]:
    """The techniques of an authorization.

    :raises CannotHoldError: they are not the same through all its days.
    """
    found = {span.scope.techniques for span in timeline.spans if span.scope is not None}
    if len(found) > 1:
        raise CannotHoldError("the techniques of an authorization change")
    return frozenset().union(*found)


def _spans(timeline: Timeline) -> Iterator[tuple[date, date, Span]]:
    """First day, last day and what is said of them; days of which the same is said are one span."""
    said = [(_said(span), span) for span in timeline.spans]
    for _, group in groupby(said, key=lambda each: each[0]):
        same = [span for _, span in group]
        yield same[0].first_day, same[-1].last_day or FOREVER, same[0]


def _said(span: Span) -> tuple[object, ...]:
    if span.scope is not None and span.scope.excluded_regions:
        raise CannotHoldError("regions of the body are excluded")
    if len(span.holds) > 2:
        raise CannotHoldError(f"three standings hold at once: {span.holds}")
    return (span.holds, _register_class(span), _conditions(span))


def _also(span: Span) -> str | None:
    return span.holds[1] if len(span.holds) > 1 else None


def _register_class(span: Span) -> str:
    """The class; empty where there is none, before the first term."""
    return "" if span.scope is None else span.scope.register_class or ""


def _conditions(span: Span) -> str | None:
    if span.scope is None or not span.scope.conditions:
        return None
    return "; ".join(condition.text for condition in span.scope.conditions) or "withheld"


def rule_spans(history: RulesHistory, register_class: str) -> Iterator[tuple[date, date, bool]]:
    """First day, last day and whether holders of a class may needle, as far as a body's rules say.

    :raises CannotHoldError: the rules say more than that.
    """
    versions = history.versions
    for version in versions:
        if version.learner_classes or any(version.covers.values()) or not version.needling_permitted:
            raise CannotHoldError("the body's rules say more than who may needle")
    if len(versions) > 1:
        raise CannotHoldError("the body's rules have changed")
    for version in versions:
        yield version.holds_from, FOREVER, version.class_is_eligible(register_class or None)
