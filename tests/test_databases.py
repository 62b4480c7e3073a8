"""What every other test rests on: a database of its own, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.engine import make_url

from tests.support.databases import Databases


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def test_a_database_holds_the_schema(database_url: str) -> None:
    with connected(database_url) as connection:
        assert "alembic_version" in inspect(connection).get_table_names()


def test_an_empty_database_holds_no_schema(empty_database_url: str) -> None:
    with connected(empty_database_url) as connection:
        assert inspect(connection).get_table_names() == []


@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_writes_no_other_sees(database_url: str, turn: int) -> None:
    with connected(database_url) as connection:
        connection.execute(text("CREATE TABLE left_behind (turn INTEGER)"))


def test_one_test_can_have_two_databases(databases: Databases) -> None:
    with databases.migrated() as one, databases.migrated() as other:
        assert one != other


def test_each_engine_is_the_one_that_it_is_named_after(
    request: pytest.FixtureRequest, database_url: str
) -> None:
    assert make_url(database_url).get_backend_name() in request.node.callspec.id
