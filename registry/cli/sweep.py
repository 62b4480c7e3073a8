"""``registry sweep``: announcing what time alone brings about."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import date, datetime

import click
import structlog

from registry import clock
from registry.errors import RegistryError
from registry.log import configure_log_of_service
from registry.services import sweep as service
from registry.services.audit import vouch_for_all
from registry.store.database import writing

from .database import connected

EVERY_SECONDS = 60
LOOK_EVERY_SECONDS = 1.0

log = structlog.get_logger(__name__)


@click.command()
@click.option(
    "--every",
    "seconds",
    type=click.IntRange(1, 86400),
    help="Go on until stopped, sweep again after so many seconds, and log what comes of it.",
)
@click.option(
    "--on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Go no further than this day, which has come where every body is.",
)
def sweep(seconds: int | None, day: datetime | None) -> None:
    """Announce what has lapsed, begun or come near since the last sweep; close lapses that are over.

    It may be late, run on several machines at once, or be stopped at any moment: nothing is lost and nothing
    announced twice.
    """
    on = None if day is None else day.date()
    with connected():
        if seconds is None:
            _sweep(on)
        else:
            _sweep_every(seconds, lambda: True, on)


@click.command(hidden=True)
@click.argument("parent", type=int)
def keep_sweeping(parent: int) -> None:
    """Sweep every minute, as long as the process PARENT started this one and lives."""
    with connected():
        _sweep_every(EVERY_SECONDS, lambda: os.getppid() == parent)


def _sweep(on: date | None) -> None:
    for swept in service.sweep(writing, at=clock.now(), on=on):
        click.echo(
            f"{swept.code}: through {swept.through}, {swept.announced} announced, {swept.resolved} resolved"
        )
    vouch_for_all(writing, at=clock.now())


def _sweep_every(seconds: int, is_wanted: Callable[[], bool], on: date | None = None) -> None:
    """Sweep until SIGTERM or SIGINT, or until it is not wanted any more; what fails is tried again."""
    configure_log_of_service()
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    left = 0.0
    while is_wanted() and not stopped.is_set():
        if left <= 0:
            _sweep_and_log(on)
            left = float(seconds)
        stopped.wait(min(left, LOOK_EVERY_SECONDS))
        left -= LOOK_EVERY_SECONDS


def _sweep_and_log(on: date | None) -> None:
    try:
        for swept in service.sweep(writing, at=clock.now(), on=on):
            if swept.announced or swept.resolved:
                log.info(
                    "swept",
                    body=swept.code,
                    through=swept.through.isoformat(),
                    announced=swept.announced,
                    resolved=swept.resolved,
                )
        vouch_for_all(writing, at=clock.now())
    except RegistryError as error:
        log.warning("sweep_postponed", detail=error.detail)
    except Exception:
        log.exception("sweep_failed")
