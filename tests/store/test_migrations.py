"""A database goes through every revision, up and down, and no row is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, table, text

from registry.domain.decisions import Condition
from registry.domain.vocabulary import DecisionKind
from registry.store import (
    audit_tables,
    booked_check_tables,
    console_tables,
    import_tables,
    notice_tables,
    roster_tables,
    runs,
    schema,
    search_tables,
    task_tables,
    webhook_tables,
)
from registry.store.events import Event, add_events
from registry.store.tables import ONLY_ON, metadata
from tests.support import factories

FIRST = "0001"
EVERY_TABLE = (
    audit_tables,
    booked_check_tables,
    console_tables,
    import_tables,
    notice_tables,
    roster_tables,
    runs,
    search_tables,
    task_tables,
    webhook_tables,
)
"""Modules that add tables to the metadata when they are imported."""


def revisions() -> list[str]:
    """Every revision, the first one first."""
    script = ScriptDirectory(str(schema.MIGRATIONS))
    return [revision.revision for revision in script.walk_revisions()][::-1]


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def rows_of(url: str) -> dict[str, int]:
    """How many rows each table has that is there at this revision."""
    with connected(url) as connection:
        names = set(inspect(connection).get_table_names()) - {"alembic_version"}
        return {
            name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
            for name in sorted(names)
        }


def fill(engine: Engine) -> None:
    """People with trainings, authorizations and a decision of many a kind; parents with several children."""
    with engine.begin() as tx:
        body = factories.make_body(tx)
        course = factories.make_course(tx, body)
        for position in range(3):
            person = factories.make_person(tx, former=[f"Earlier Name{position}"])
            factories.make_training(tx, person, body, course_id=course.id)
            record = factories.make_registration(tx, body, person, city="Calgary")
            record, authorization = factories.make_authorization(tx, record)
            record = factories.decide(
                tx,
                record,
                DecisionKind.CONDITIONS_SET,
                date(2025, 6, 1),
                authorization_id=authorization,
                scope={"conditions": (Condition("Never alone."),)},
            )
            record = factories.decide(tx, record, DecisionKind.SUSPENDED, date(2025, 7, 1))
            factories.void(tx, record, record.decisions[-1].decision.id)
        factories.make_key(tx)


@pytest.fixture
def filled_url(database_url: str) -> str:
    with factories.database(database_url) as engine:
        fill(engine)
    return database_url


def test_the_revisions_are_one_chain_that_begins_with_the_register() -> None:
    assert revisions()[0] == FIRST
    assert len(ScriptDirectory(str(schema.MIGRATIONS)).get_heads()) == 1


def test_an_empty_database_goes_up_one_by_one_and_down_to_nothing(empty_database_url: str) -> None:
    for revision in revisions():
        schema.upgrade(empty_database_url, revision)
    for revision in [*revisions()[-2::-1], "base"]:
        schema.downgrade(empty_database_url, revision)
    assert rows_of(empty_database_url) == {}


def test_no_row_of_a_filled_register_is_lost_by_any_revision_down_or_up(filled_url: str) -> None:
    before = rows_of(filled_url)
    assert min(before[name] for name in ("decisions", "spans", "lapses", "trainings", "events")) > 2
    for revision in revisions()[-2::-1]:
        schema.downgrade(filled_url, revision)
        now = rows_of(filled_url)
        assert {name: before[name] for name in now} == now, f"after going down to {revision}"
    kept = rows_of(filled_url)
    for revision in revisions()[1:]:
        schema.upgrade(filled_url, revision)
        now = rows_of(filled_url)
        assert {name: now[name] for name in kept} == kept, f"after going up to {revision}"


def test_facts_and_answers_are_what_they_were_after_all_revisions(filled_url: str) -> None:
    def facts() -> list[tuple[object, ...]]:
        with connected(filled_url) as connection:
            found = connection.execute(text("SELECT id, kind, scope FROM decisions ORDER BY id"))
            entries = connection.execute(text("SELECT number_key, document FROM entries ORDER BY number_key"))
            return [*map(tuple, found), *map(tuple, entries)]

    before = facts()
    schema.downgrade(filled_url, FIRST)
    schema.upgrade(filled_url)
    assert facts() == before


def test_what_only_one_may_see_goes_where_the_schema_has_no_place_for_it(filled_url: str) -> None:
    before = rows_of(filled_url)["events"]
    with factories.database(filled_url) as engine, engine.begin() as tx:
        told = Event("webhook.disabled", None, None, date(2026, 1, 1), factories.AT, audience="a key")
        add_events(tx, [told])
    schema.downgrade(filled_url, "0007")
    schema.upgrade(filled_url)
    assert rows_of(filled_url)["events"] == before
    with factories.database(filled_url) as engine, engine.begin() as tx:
        numbers = tx.execute(text("SELECT seq FROM events ORDER BY seq")).scalars().all()
        body_id = tx.execute(text("SELECT id FROM bodies")).scalars().first()
        add_events(tx, [Event("body.rules_added", body_id, None, date(2026, 1, 1), factories.AT)])
        assert tx.execute(text("SELECT max(seq) FROM events")).scalar_one() > numbers[-1]


def is_kept_on(engine: str) -> Callable[..., bool]:
    """What of the metadata an engine has; few things are for one alone."""
    return lambda of, *_: getattr(of, "info", {}).get(ONLY_ON, engine) == engine


def test_the_newest_revision_is_what_the_code_is_written_for(database_url: str) -> None:
    assert EVERY_TABLE
    with connected(database_url) as connection:
        options = {"compare_type": True, "include_object": is_kept_on(connection.dialect.name)}
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, metadata)
        assert schema.revision_of(connection) == schema.newest_revision() == revisions()[-1]
    assert differences == []


def test_a_migration_that_orphans_rows_is_not_believed(sqlite_url: str) -> None:
    with connected(sqlite_url) as connection:
        day = "2026-01-01"
        orphan = f"'a', 'no such course', '{day}', NULL, '{day}', 'me'"
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.execute(text(f"INSERT INTO course_approvals VALUES ({orphan})"))  # noqa: S608 - our own words
        connection.commit()
    with pytest.raises(RuntimeError, match="without what they belong to"):
        schema.downgrade(sqlite_url, FIRST)
    with connected(sqlite_url) as connection:
        assert schema.revision_of(connection) == revisions()[-1]
