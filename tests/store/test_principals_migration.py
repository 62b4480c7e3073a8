"""Owners have rows of their own: nothing that is owned is lost on the way there or back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, create_engine, insert, text
from sqlalchemy.exc import IntegrityError

from registry.services import rosters
from registry.services.principals import Role
from registry.store import schema, tables, webhook_tables
from registry.store.tables import metadata
from tests.support.factories import AT, database, make_key

BEFORE = "0009"
HOLDER = "01890a5d-ac96-774b-bcce-b302099a8057"


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def owned(url: str) -> list[tuple[object, ...]]:
    statement = "SELECT owner_id, id, 'roster' FROM rosters UNION SELECT owner_id, id, url FROM webhooks"
    with connected(url) as connection:
        return sorted(tuple(row) for row in connection.execute(text(statement)))


@pytest.fixture
def filled_url(database_url: str) -> str:
    """A roster and a subscription of a key."""
    with database(database_url) as engine, engine.begin() as tx:
        prefix = make_key(tx, Role.CLINIC).split("_")[1]
        of = tables.api_keys.c.prefix == prefix
        owner = tx.execute(tables.api_keys.select().where(of)).one().id
        roster, _ = rosters.put_roster(tx, owner, "staff", [], version=None, at=AT)
        tx.execute(insert(webhook_tables.webhooks), subscription(owner, roster.id))
    return database_url


def subscription(owner: str, roster_id: str) -> dict[str, object]:
    return {
        "id": HOLDER,
        "owner_id": owner,
        "url": "https://clinic.example/hook",
        "roster_id": roster_id,
        "version": 1,
        "state": "active",
        "after_seq": 0,
        "after_event": "",
        "tries": 0,
        "attempted_at": AT,
        "slow": False,
        "created_at": AT,
        "changed_at": AT,
    }


def test_what_a_key_owns_is_still_its_own(filled_url: str) -> None:
    before = owned(filled_url)
    assert len(before) == 2
    schema.downgrade(filled_url, BEFORE)
    assert owned(filled_url) == before
    schema.upgrade(filled_url)
    assert owned(filled_url) == before


def test_nobody_goes_back_to_where_an_owner_has_no_place(filled_url: str) -> None:
    with database(filled_url) as engine, engine.begin() as tx:
        told = {"id": HOLDER, "issuer": "https://id.example", "subject": "7", "created_at": AT}
        tx.execute(insert(tables.principals), told)
        rosters.put_roster(tx, HOLDER, "staff", [], version=None, at=AT)
    before = owned(filled_url)
    with pytest.raises((RuntimeError, IntegrityError)):
        schema.downgrade(filled_url, BEFORE)
    assert owned(filled_url) == before
    with connected(filled_url) as connection:
        assert schema.revision_of(connection) == schema.newest_revision()


def test_tables_that_are_copied_keep_every_constraint(sqlite_url: str) -> None:
    schema.downgrade(sqlite_url, BEFORE)
    schema.upgrade(sqlite_url)
    with connected(sqlite_url) as connection:
        for name in ("api_keys", "rosters", "webhooks"):
            found = connection.execute(
                text("SELECT sql FROM sqlite_master WHERE tbl_name = :name"), {"name": name}
            )
            defined = " ".join(row.sql for row in found if row.sql)
            declared = {str(each.name) for each in metadata.tables[name].constraints}
            declared |= {str(each.name) for each in metadata.tables[name].indexes}
            told = set(re.findall(r"(?:CONSTRAINT|CREATE INDEX) (\w+)", defined))
            assert told == declared, name
