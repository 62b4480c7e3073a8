"""Turns of those who would write to one SQLite file: in fair order, over threads and processes.

SQLite lets waiting writers in by chance, and they ask it ever more seldom the longer they wait: beside a few
that never pause, one may wait for as long as it is patient. Here they wait for a turn first, and only who has
it asks SQLite, often. The kernel takes the turn from a process that dies.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import uniform

SOON = 0.001
"""Seconds until whoever's turn it is asks again."""
LATER = 0.004
"""Seconds, about, until whoever waits for a turn asks again; always the same, so that nobody falls behind."""


class Turns:
    """The turns of all who name the same file; of this process alone where it cannot be made.

    :param path: of a file for this alone, made where there is none. Nothing is ever in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.Lock()
        self._descriptor: int | None = None
        self._process = 0

    @contextmanager
    def taken(self, until: float) -> Iterator[None]:
        """Within, it is the caller's turn; or it did not come in time, and is taken out of turn.

        :param until: seconds of the monotonic clock.
        """
        if not self._threads.acquire(timeout=max(0.0, until - time.monotonic())):
            yield
            return
        try:
            descriptor = self._open()
            if descriptor is not None:
                wait(lambda: _lock(descriptor), until, LATER)
            try:
                yield
            finally:
                if descriptor is not None:
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _open(self) -> int | None:
        """One that was inherited would be locked for parent and child at once."""
        if self._process != os.getpid():
            self._process, self._descriptor = os.getpid(), None
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError:
                return None
        return self._descriptor


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def wait(succeeds: Callable[[], bool], until: float, pause: float) -> bool:
    """Try again and again, and once at least: whether it succeeded in time."""
    while not succeeds():
        if time.monotonic() >= until:
            return False
        time.sleep(uniform(pause / 2, pause * 3 / 2))  # noqa: S311 - so that no two ask in step
    return True
