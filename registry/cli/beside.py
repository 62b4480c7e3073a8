"""What runs beside the server of ``registry serve``, and is started again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import click
import structlog

from registry.log import configure_log_of_service

from .database import settings

LOOK_EVERY_SECONDS = 0.25
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
LIVED_WELL_SECONDS = 60.0
"""Who lived so long is started again at once; who did not, after a pause that doubles each time."""

log = structlog.get_logger(__name__)


@click.command(hidden=True)
@click.argument("parent", type=int)
@click.argument("names", nargs=-1)
def keep_beside(parent: int, names: tuple[str, ...]) -> None:
    """Run these commands as long as the process PARENT started this one and lives.

    When it is over they are told, and have as long to end as the server has.
    """
    configure_log_of_service()
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    kept = [Kept(name) for name in names]
    while os.getppid() == parent and not stopped.is_set():
        for each_kept in kept:
            each_kept.look(time.monotonic())
        stopped.wait(LOOK_EVERY_SECONDS)
    end(kept, settings().graceful_seconds)


@dataclass
class Kept:
    """A command that is kept running."""

    name: str
    process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0
    _due: float = 0.0
    _pause: float = 0.0

    def look(self, now: float) -> None:
        """Start it where it does not run and its pause is over.

        :param now: seconds of the monotonic clock.
        """
        if self.process is not None and self.process.poll() is not None:
            self._plan(now, self.process.returncode)
            self.process = None
        if self.process is None and now >= self._due:
            self._started = now
            self.process = _start(self.name)

    def _plan(self, now: float, code: int) -> None:
        if now - self._started >= LIVED_WELL_SECONDS:
            self._pause = 0.0
        else:
            self._pause = min(max(2 * self._pause, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self._due = now + self._pause
        log.warning("ended_unexpectedly", command=self.name, status=code, again_in_seconds=self._pause)


def _start(name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "registry.cli", name, str(os.getpid())]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - this interpreter, with our own arguments


def end(kept: list[Kept], seconds: float) -> None:
    """Tell them to end, all at once; who has not after so many seconds is killed."""
    running = [each.process for each in kept if each.process is not None]
    for process in running:
        process.terminate()
    until = time.monotonic() + seconds
    for process in running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))
        if process.poll() is None:
            process.kill()
            process.wait()
