"""Whoever would write to an SQLite register gets a turn, however many others never pause."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from registry.store.engines import prepare_sqlite
from registry.store.turns import Turns
from tests.support.figures import Figures
from tests.support.serving import PATIENCE

SPAWN = multiprocessing.get_context("spawn")
OTHERS, TRIES = 3, 12


def engine_of(url: str, busy_seconds: int = 60) -> Engine:
    engine = create_engine(url)
    prepare_sqlite(engine, busy_seconds, writes=True)
    return engine


def write_without_pause(url: str, is_over: Any) -> None:
    engine = engine_of(url)
    while not is_over.is_set():
        with engine.begin() as tx:
            tx.exec_driver_sql("INSERT INTO written DEFAULT VALUES")
            time.sleep(0.003)


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/register.db"
    with engine_of(url).begin() as tx:
        tx.exec_driver_sql("CREATE TABLE written (id INTEGER PRIMARY KEY)")
    return url


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        found: int = connection.connection.driver_connection.execute(  # type: ignore[union-attr]  # it is there
            "SELECT count(*) FROM written"
        ).fetchone()[0]
    return found


@contextmanager
def busy_writers(url: str) -> Iterator[None]:
    is_over = SPAWN.Event()
    others = [SPAWN.Process(target=write_without_pause, args=(url, is_over)) for _ in range(OTHERS)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        is_over.set()
        for other in others:
            other.join()


def test_who_waits_is_let_in_after_a_few_others(url: str, figures: Figures) -> None:
    engine, passed = engine_of(url), []
    with busy_writers(url):
        while count(engine) < 20 * OTHERS:
            pass  # until all have begun
        for _ in range(TRIES):
            before = count(engine)
            with engine.begin() as tx:
                written = tx.exec_driver_sql("INSERT INTO written DEFAULT VALUES").lastrowid
            passed.append(written - before - 1)
    figures.add("writes of others while one waits for a turn", float(max(passed)))
    assert max(passed) < 60  # some three each time; without turns, hundreds


def take_and_wait(path: Path, has_it: Any) -> None:
    with Turns(path).taken(time.monotonic() + PATIENCE):
        has_it.set()
        threading.Event().wait()


def test_the_turn_of_a_process_that_dies_is_taken_from_it(tmp_path: Path) -> None:
    has_it = SPAWN.Event()
    holder = SPAWN.Process(target=take_and_wait, args=(tmp_path / "turns", has_it))
    holder.start()
    assert has_it.wait(PATIENCE)
    turns, got = Turns(tmp_path / "turns"), threading.Event()

    def take() -> None:
        with turns.taken(time.monotonic() + PATIENCE):
            got.set()

    waiting = threading.Thread(target=take)
    waiting.start()
    assert not got.wait(0.05)
    os.kill(holder.pid or 0, signal.SIGKILL)
    waiting.join(PATIENCE)
    assert got.is_set()
    holder.join()


def test_who_does_not_get_a_turn_in_time_asks_out_of_turn(tmp_path: Path) -> None:
    first, second = Turns(tmp_path / "turns"), Turns(tmp_path / "turns")
    with first.taken(time.monotonic() + PATIENCE), second.taken(time.monotonic() + 0.02):
        pass
    with second.taken(time.monotonic() + PATIENCE), first.taken(time.monotonic() - 1):
        pass


def test_a_turn_that_was_never_had_is_not_given_back(tmp_path: Path) -> None:
    first, second, third = (Turns(tmp_path / "turns") for _ in range(3))
    with first.taken(time.monotonic() + PATIENCE):
        with second.taken(time.monotonic()):
            pass
        began = time.monotonic()
        with third.taken(began + 0.05):
            assert time.monotonic() >= began + 0.05  # it was still the first one's


def test_where_no_file_can_be_made_there_are_turns_of_the_process_alone(tmp_path: Path) -> None:
    with Turns(tmp_path / "nowhere" / "turns").taken(time.monotonic() + PATIENCE):
        pass
    assert list(tmp_path.iterdir()) == []


def test_whoever_waits_in_vain_is_told_as_ever(url: str) -> None:
    engine = engine_of(url, busy_seconds=0)
    with (
        engine_of(url).begin(),
        pytest.raises(OperationalError, match="database is locked"),
        engine.begin(),
    ):
        pass
    with engine.begin() as tx:
        tx.exec_driver_sql("INSERT INTO written DEFAULT VALUES")
