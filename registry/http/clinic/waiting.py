"""The few places of a process in which requests wait for events.

A request that waits occupies a thread of the server, and nothing else: no connection to the database. So that
others are still answered, fewer may wait than there are threads (``REGISTRY_FEED_WAITERS``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask, current_app

from registry.settings import Settings
from registry.store.database import watching_engine
from registry.store.feed_watch import FeedWatch


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What this process needs for those who wait."""

    watch: FeedWatch
    places: threading.Semaphore


WAITING = "registry.feed"
_MADE_ONCE = threading.Lock()


def _waiting() -> _Waiting:
    with _MADE_ONCE:
        made: _Waiting | None = current_app.extensions.get(WAITING)
        if made is None:
            settings: Settings = current_app.extensions["registry.settings"]
            made = _Waiting(FeedWatch(watching_engine()), threading.Semaphore(settings.feed_waiters))
            current_app.extensions[WAITING] = made
        return made


def feed_watch() -> FeedWatch:
    """What tells those of this process who wait."""
    return _waiting().watch


def end_waiting(app: Flask) -> None:
    """The process is about to end: let those who wait go, with what there is. Waits for nothing itself."""
    made: _Waiting | None = app.extensions.get(WAITING)
    if made is not None:
        made.watch.ended = True


@contextmanager
def place_to_wait() -> Iterator[bool]:
    """One of the few places for those who wait; false where none is free."""
    places = _waiting().places
    free = places.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            places.release()
