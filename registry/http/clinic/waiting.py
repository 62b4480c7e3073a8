"""The few places of a process in which requests wait for events.

A request that waits occupies a thread of the server, and nothing else: no connection to the database. So that
others are still answered, fewer may wait than there are threads (``REGISTRY_FEED_WAITERS``); and so that
others may wait, too, nobody takes more than half of the places.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask, current_app

from registry.settings import Settings
from registry.store.database import watching_engine
from registry.store.feed_watch import FeedWatch


class Places:
    """So many places, of which one holder gets half at most (of an odd number, the larger half)."""

    def __init__(self, count: int) -> None:
        self._free, self._each = count, (count + 1) // 2
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, holder: str) -> bool:
        """Take a place; false where there is none for this holder."""
        with self._lock:
            if self._free == 0 or self._held[holder] == self._each:
                return False
            self._free -= 1
            self._held[holder] += 1
            return True

    def give_back(self, holder: str) -> None:
        """Give a place back that was taken."""
        with self._lock:
            self._free += 1
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What this process needs for those who wait."""

    watch: FeedWatch
    places: Places


WAITING = "registry.feed"
_MADE_ONCE = threading.Lock()


def _waiting() -> _Waiting:
    with _MADE_ONCE:
        made: _Waiting | None = current_app.extensions.get(WAITING)
        if made is None:
            settings: Settings = current_app.extensions["registry.settings"]
            made = _Waiting(FeedWatch(watching_engine()), Places(settings.feed_waiters))
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
def place_to_wait(holder: str) -> Iterator[bool]:
    """One of the few places for those who wait; false where none is free for this holder of a key."""
    places = _waiting().places
    free = places.take(holder)
    try:
        yield free
    finally:
        if free:
            places.give_back(holder)
