"""The entry of a number is the same by either way to it, and neither way is lost with a connection."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from registry.errors import Unavailable
from registry.settings import Settings
from registry.store.database import public_reading
from registry.store.entries import entry_by_number, lone_entry_by_number
from tests.support import factories
from tests.support.application import running


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    with factories.database(database_url) as engine, engine.begin() as tx:
        factories.make_registration(tx, factories.make_body(tx, "ca-ab"), number="PT-1")
    with running(Settings(database_url=database_url)) as made, made.app_context():
        yield made


@pytest.mark.parametrize(("code", "number"), [("ca-ab", "PT-1"), ("ca-ab", "PT-2"), ("nz", "PT-1")])
def test_an_entry_is_the_same_alone_and_on_a_connection(app: Flask, code: str, number: str) -> None:
    alone, _ = lone_entry_by_number(code, number)
    with public_reading() as connection:
        assert entry_by_number(connection, code, number) == alone
    assert (alone is not None) == (code == "ca-ab")
    assert (alone is not None and alone.entry is not None) == ((code, number) == ("ca-ab", "PT-1"))


def test_a_connection_that_the_server_closed_is_replaced(postgresql_url: str) -> None:
    with running(Settings(database_url=postgresql_url)) as app, app.app_context():
        assert lone_entry_by_number("ca-ab", "PT-1") == (None, 0.0)
        engine = create_engine(postgresql_url)
        with engine.connect() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            connection.execute(
                text(f"{others} WHERE datname = current_database() AND pid <> pg_backend_pid()")
            )
        engine.dispose()
        assert lone_entry_by_number("ca-ab", "PT-1") == (None, 0.0)


def test_a_database_that_is_not_there_is_told_as_such() -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    with (
        running(Settings(database_url=nowhere)) as app,
        app.app_context(),
        pytest.raises(Unavailable, match="try again"),
    ):
        lone_entry_by_number("ca-ab", "PT-1")
