"""Waiting for events, for all who wait in one process, by one thread that looks for all of them.

PostgreSQL tells of a commit (LISTEN), unless a pooler is in between. Of SQLite the write-ahead log is looked
at, as a file. In case that was missed the database is asked once a second, and never while nobody waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from .database import FEED_CHANNEL
from .engines import LISTENS
from .feed import newest_event

ASKED_EVERY = 1.0
"""Seconds between two questions to the database, while nothing happens."""

LOOKED_EVERY = 0.03
"""Seconds between two looks at SQLite's file."""

LINGERS = 2.0
"""Seconds for which the thread goes on when nobody waits any more."""

log = structlog.get_logger(__name__)


class FeedWatch:
    """Tells those who wait when there are events beyond the one that they know.

    :param engine: in autocommit. One connection beside its pool is held while somebody waits.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._newest = 0
        self._waiting = 0
        self._running = False
        self.ended = False
        """Whether nobody is to wait any more; noticed within about a second."""

    def wait_beyond(self, seq: int, seconds: float) -> bool:
        """Wait until there is an event numbered higher; whether there is. Also until :attr:`ended`."""
        with self._changed:
            self._waiting += 1
            try:
                self._start()
                self._changed.wait_for(lambda: self.ended or self._newest > seq, seconds)
                return self._newest > seq
            finally:
                self._waiting -= 1

    def _start(self) -> None:
        if not self._running:
            self._running = True
            threading.Thread(target=self._run, name="feed-watch", daemon=True).start()

    def _run(self) -> None:
        try:
            while self._is_wanted():
                self._watch_while_it_goes()
        except BaseException:
            with self._changed:
                self._running = False  # so that the next who waits starts another
            raise

    def _watch_while_it_goes(self) -> None:
        try:
            self._watch()
        except (SQLAlchemyError, OSError, _driver_error(self._engine)):
            log.warning("feed_watch_interrupted", exc_info=True)
            time.sleep(ASKED_EVERY)

    def _is_wanted(self) -> bool:
        with self._changed:
            self._running = self._waiting > 0
            return self._running

    def _watch(self) -> None:
        """Look until nobody has waited for a while, or the database goes away."""
        with _watching(self._engine) as (connection, wait):
            unwanted_since: float | None = None
            while unwanted_since is None or time.monotonic() - unwanted_since < LINGERS:
                newest, _ = newest_event(connection)
                with self._changed:
                    self._newest = newest
                    self._changed.notify_all()
                    wanted = self._waiting > 0
                unwanted_since = None if wanted else unwanted_since or time.monotonic()
                wait(ASKED_EVERY)


class FeedBell:
    """Rings whenever something may have been committed, from the first second on.

    What was committed while the database was away, or in the same instant as an earlier commit, it may miss.

    :param engine: in autocommit. One connection beside its pool is held.
    :param ring: called by the thread of the bell.
    """

    def __init__(self, engine: Engine, ring: Callable[[], None]) -> None:
        self._engine = engine
        self._ring = ring
        self.ended = False

    def start(self) -> None:
        """Listen until ``ended`` is set, or the process ends."""
        threading.Thread(target=self._run, name="feed-bell", daemon=True).start()

    def _run(self) -> None:
        while not self.ended:
            try:
                with _watching(self._engine) as (_, wait):
                    while not self.ended:
                        if wait(ASKED_EVERY):
                            self._ring()
            except (SQLAlchemyError, OSError, _driver_error(self._engine)):
                log.warning("feed_bell_interrupted", exc_info=True)
                time.sleep(ASKED_EVERY)


Wait = Callable[[float], bool]
"""Waits so many seconds, or until something may have been committed; whether it may."""


@contextmanager
def _watching(engine: Engine) -> Iterator[tuple[Connection, Wait]]:
    """A connection of its own, and what waits on it."""
    connection = engine.connect()
    driver = connection.connection.driver_connection
    connection.detach()
    with closing(connection):
        yield connection, _waiter(connection, driver)


def _driver_error(engine: Engine) -> type[Exception]:
    error: type[Exception] = engine.dialect.loaded_dbapi.Error
    return error


def _waiter(connection: Connection, driver: Any) -> Wait:
    if connection.dialect.name == "postgresql":
        listens = connection.get_execution_options().get(LISTENS, True)
        return _listening(driver) if listens else _sleeping
    file = connection.engine.url.database
    return _sleeping if file in (None, "", ":memory:") else _looking(Path(f"{file}-wal"))


def _sleeping(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _listening(driver: Any) -> Wait:
    driver.execute(f"LISTEN {FEED_CHANNEL}")

    def wait(seconds: float) -> bool:
        return any(True for _ in driver.notifies(timeout=seconds, stop_after=1))

    return wait


def _looking(log_file: Path) -> Wait:
    seen = _state(log_file)
    has_changed = False

    def wait(seconds: float) -> bool:
        nonlocal seen, has_changed
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(LOOKED_EVERY)
            before, seen = seen, _state(log_file)
            # Once more after a change: what is written in the same tick of the file's clock leaves no trace.
            again, has_changed = has_changed, seen != before
            if has_changed or again:
                return True
        return False

    return wait


def _state(file: Path) -> tuple[int, int] | None:
    """Changes whenever the file may have been written to."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
