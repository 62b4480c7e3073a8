"""The order of the feed: an event committed later never appears behind a cursor that was handed out.

Writers insert, linger and only then commit, or roll back; readers follow the feed meanwhile, a few events at
a time. Whatever they do, each reader sees exactly the events that are there at the end, each once, in order.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection, Engine, select

from registry.services.feed import START, Place, read_feed
from registry.store import events as event_store
from registry.store import tables
from registry.store.events import Event, add_events
from tests.support.factories import database, make_body

AT = datetime(2026, 3, 1, tzinfo=UTC)
WRITERS, READERS, TRANSACTIONS = 5, 2, 12


@pytest.fixture
def engine(database_url) -> Iterator[Engine]:
    with database(database_url) as engine:
        with engine.begin() as tx:
            make_body(tx)
        yield engine


@pytest.fixture
def body_id(engine) -> str:
    with engine.connect() as connection:
        return connection.execute(select(tables.bodies.c.id)).scalar_one()


def event(body_id: str) -> Event:
    return Event(
        "registration.granted", body_id, "00000000-0000-7000-8000-000000000001", date(2026, 3, 1), AT
    )


def read_on(engine: Engine, place: Place, limit: int = 3) -> tuple[list[int], Place]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        page = read_feed(connection, place, limit=limit, reader_id="nobody")
    return [one.place.seq for one in page.events], page.next


def committed(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(select(tables.events.c.seq).order_by(tables.events.c.seq)).scalars())


def write(engine: Engine, body_id: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret, and the same in every run
    for _ in range(TRANSACTIONS):
        with engine.connect() as connection, connection.begin() as transaction:
            time.sleep(chance.random() * 0.01)
            add_events(connection, [event(body_id)] * chance.randint(1, 3))
            time.sleep(chance.random() * 0.02)
            if chance.random() < 0.2:
                transaction.rollback()
            else:
                transaction.commit()


def follow(engine: Engine, written: threading.Event) -> list[int]:
    """All that a reader sees, who stops at the end of the feed after everything was written."""
    seen: list[int] = []
    place = START
    while True:
        is_last = written.is_set()
        found, place = read_on(engine, place)
        seen += found
        if is_last and not found:
            return seen


def test_no_event_appears_behind_a_cursor_whoever_writes_meanwhile(engine, body_id):
    written = threading.Event()
    with ThreadPoolExecutor(WRITERS + READERS) as threads:
        readers = [threads.submit(follow, engine, written) for _ in range(READERS)]
        writers = [threads.submit(write, engine, body_id, seed) for seed in range(WRITERS)]
        try:
            for writer in writers:
                writer.result(60)
        finally:
            written.set()
        expected = committed(engine)
        assert len(expected) > WRITERS * TRANSACTIONS / 2
        for reader in readers:
            assert reader.result(60) == expected


@pytest.fixture
def two(postgresql_url) -> Iterator[tuple[Engine, str]]:
    with database(postgresql_url) as engine:
        with engine.begin() as tx:
            body = make_body(tx)
        yield engine, body.id


def commit_one(engine: Engine, body_id: str) -> None:
    with engine.begin() as tx:
        add_events(tx, [event(body_id)])


def test_who_numbers_events_waits_for_whom_numbered_before(two):
    engine, body_id = two
    with ThreadPoolExecutor(1) as threads:
        with engine.begin() as slow:
            add_events(slow, [event(body_id)])
            quick = threads.submit(commit_one, engine, body_id)
            wait_until_one_waits(engine)
            assert read_on(engine, START) == ([], START)
            assert not quick.done()
        quick.result(30)
    assert read_on(engine, START)[0] == committed(engine)
    assert len(committed(engine)) == 2


def wait_until_one_waits(engine: Engine) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.exec_driver_sql(waiting).scalar_one() == 0:
            time.sleep(0.005)


def test_without_waiting_an_event_would_appear_behind_a_cursor(two, monkeypatch):
    """What the order is for: a control, by which the tests above are known to try."""
    engine, body_id = two

    def nobody_waits(connection: Connection) -> None:
        del connection

    monkeypatch.setattr(event_store, "order_events", nobody_waits)
    with engine.begin() as slow:
        add_events(slow, [event(body_id)])
        commit_one(engine, body_id)
        seen, place = read_on(engine, START)
    missed = set(committed(engine)) - {*seen, *read_on(engine, place)[0]}
    assert len(missed) == 1
