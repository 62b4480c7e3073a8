"""Migrations expand what old code uses, so that servers of the version before go on meanwhile.

Whatever names its columns, as all code here does, goes on working: every table and column stays as it was, a
new column of an old table may be left out, and no new rule refuses what was accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Inspector, create_engine, inspect

from registry.store import schema

SINCE = "0010"
"""The rule holds for what comes after: until then no version was used anywhere."""
OTHER_WORDS = "ALTER TABLE webhook_attempts DROP CONSTRAINT ck_webhook_attempts_cause_known,"
CONTRACTS = "CONTRACTS"
"""A revision that takes away what no code uses any more has this constant, which says since which version."""

SCRIPTS = ScriptDirectory(str(schema.MIGRATIONS))
REVISIONS = [revision.revision for revision in SCRIPTS.walk_revisions()][::-1]
PAIRS = [pair for pair in pairwise(REVISIONS) if pair[0] >= SINCE]


@dataclass(frozen=True)
class Seen:
    """What old code may rely on, of one table."""

    columns: dict[str, tuple[str, bool]]
    """Its type, and whether it may be null or left out."""
    rules: dict[str, tuple[str, ...]]
    """Checks, unique columns and foreign keys: by what they are, the words that they allow."""


@contextmanager
def inspected(url: str) -> Iterator[Inspector]:
    engine = create_engine(url)
    try:
        yield inspect(engine)
    finally:
        engine.dispose()


def seen(url: str) -> dict[str, Seen]:
    with inspected(url) as inspector:
        names = set(inspector.get_table_names()) - {"alembic_version"}
        return {name: Seen(_columns(inspector, name), _rules(inspector, name)) for name in sorted(names)}


def _columns(inspector: Inspector, table: str) -> dict[str, tuple[str, bool]]:
    return {
        column["name"]: (str(column["type"]), _may_be_left_out(column))
        for column in inspector.get_columns(table)
    }


def _may_be_left_out(column: Any) -> bool:
    return bool(column["nullable"] or column["default"] is not None or column.get("identity"))


def _rules(inspector: Inspector, table: str) -> dict[str, tuple[str, ...]]:
    unique: list[Any] = [each["column_names"] for each in inspector.get_unique_constraints(table)]
    unique += [each["column_names"] for each in inspector.get_indexes(table) if each["unique"]]
    foreign = inspector.get_foreign_keys(table)
    keys = [(each["constrained_columns"], each["referred_table"]) for each in foreign]
    checks = {
        re.sub("'[^']*'", "", re.sub(r"\s|::\w+|[()\[\]]|ARRAY", "", check["sqltext"])).strip(","): tuple(
            sorted(re.findall("'([^']*)'", check["sqltext"]))
        )
        for check in inspector.get_check_constraints(table)
    }
    return {
        **{f"unique {columns}": () for columns in unique},
        **{f"key {key}": () for key in keys},
        **{re.sub(",+", ",", f"check {check}"): words for check, words in checks.items()},
    }


def contracted(before: dict[str, Seen], after: dict[str, Seen]) -> list[str]:
    """What old code relies on and no longer finds."""
    return [fault for table in before for fault in _faults(table, before[table], after.get(table))]


def _faults(table: str, before: Seen, after: Seen | None) -> Iterator[str]:
    if after is None:
        yield f"{table} is gone"
        return
    for name, (kind, optional) in before.columns.items():
        if name not in after.columns:
            yield f"{table}.{name} is gone"
        elif after.columns[name][0] != kind:
            yield f"{table}.{name} is another type"
        elif optional and not after.columns[name][1]:
            yield f"{table}.{name} may no longer be left out"
    for name in after.columns.keys() - before.columns.keys():
        if not after.columns[name][1]:
            yield f"{table}.{name} is new and may not be left out"
    for rule, words in after.rules.items():
        concerns_old = any(re.search(rf"\b{name}\b", rule) for name in before.columns)
        if rule not in before.rules and concerns_old:
            yield f"{table} has a new rule: {rule}"
        elif not set(before.rules.get(rule, ())) <= set(words):
            yield f"{table} allows fewer words: {rule}"


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=[after for _, after in PAIRS])
def test_a_revision_only_expands(empty_database_url: str, before: str, after: str) -> None:
    schema.upgrade(empty_database_url, before)
    old = seen(empty_database_url)
    schema.upgrade(empty_database_url, after)
    faults = contracted(old, seen(empty_database_url))
    if hasattr(SCRIPTS.get_revision(after).module, CONTRACTS):
        assert faults, f"{after} takes nothing away: it needs no {CONTRACTS}"
    else:
        assert faults == []


def changed(url: str, *statements: str) -> list[str]:
    before = seen(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
    return contracted(before, seen(url))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DROP TABLE idempotency_keys", "idempotency_keys is gone"),
        ("ALTER TABLE runs RENAME TO sweeps", "runs is gone"),
        ("ALTER TABLE runs RENAME COLUMN finished_at TO ended_at", "runs.finished_at is gone"),
        ("ALTER TABLE runs DROP COLUMN finished_at", "runs.finished_at is gone"),
        ("CREATE UNIQUE INDEX one_at_a_time ON runs (finished_at)", "runs has a new rule: unique"),
    ],
)
def test_what_takes_something_away_is_found(database_url: str, statement: str, found: str) -> None:
    faults = changed(database_url, statement)
    assert any(fault.startswith(found) for fault in faults), faults


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("ALTER TABLE runs ADD COLUMN host text NOT NULL", "runs.host is new and may not be left out"),
        ("ALTER TABLE webhooks ALTER COLUMN description SET NOT NULL", "may no longer be left out"),
        ("ALTER TABLE runs ALTER COLUMN name TYPE varchar(9)", "runs.name is another type"),
        ("ALTER TABLE runs ADD CHECK (name IN ('sweep'))", "runs has a new rule: check"),
        (f"{OTHER_WORDS} ADD CHECK (cause IN ('event', 'replay'))", "allows fewer words"),
    ],
)
def test_what_demands_more_is_found(postgresql_url: str, statement: str, found: str) -> None:
    faults = changed(postgresql_url, statement)
    assert any(found in fault for fault in faults), faults


def test_what_expands_is_let_be(database_url: str) -> None:
    assert (
        changed(
            database_url,
            "ALTER TABLE runs ADD COLUMN host text",
            "ALTER TABLE runs ADD COLUMN tries integer NOT NULL DEFAULT 0",
            "CREATE INDEX by_host ON runs (host)",
            "CREATE UNIQUE INDEX by_tries ON runs (tries)",
            "CREATE TABLE more (id integer PRIMARY KEY, state text CHECK (state IN ('a', 'b')))",
        )
        == []
    )


def test_more_words_are_let_be(postgresql_url: str) -> None:
    more = f"{OTHER_WORDS} ADD CHECK (cause IN ('event', 'replay', 'ping', 'test'))"
    assert changed(postgresql_url, more) == []
