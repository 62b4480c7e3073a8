"""``registry work``: doing what was asked for over HTTP or in the console, and takes long."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import click
import structlog

from registry.errors import RegistryError
from registry.log import configure_log_of_service
from registry.services.import_openings import spare_the_collector
from registry.services.tasks import do_next
from registry.store.database import reading, writing

from .database import connected

LOOK_EVERY_SECONDS = 0.5
AFTER_FAILURE_SECONDS = 5.0

log = structlog.get_logger(__name__)


@click.command()
@click.option("--once", is_flag=True, help="End when nothing waits any more.")
def work(*, once: bool) -> None:
    """Apply and check imports, and weigh and save rules, as they are asked for, until it is stopped.

    It may run on several machines at once, or be stopped at any moment: what one did not finish, another
    does from the beginning, and nothing is done twice.
    """
    with connected():
        if once:
            while do_next(reading, writing, helpers=_helpers()) is not None:
                pass
        else:
            _work(lambda: True)


@click.command(hidden=True)
@click.argument("parent", type=int)
def keep_working(parent: int) -> None:
    """Do what is asked for, as long as the process PARENT started this one and lives."""
    with connected():
        _work(lambda: os.getppid() == parent)


def _helpers() -> int:
    """Processors besides the one that this process keeps busy."""
    return len(os.sched_getaffinity(0)) - 1


def _work(is_wanted: Callable[[], bool]) -> None:
    """Work until SIGTERM or SIGINT, or until it is not wanted any more."""
    configure_log_of_service()
    spare_the_collector()
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    while is_wanted() and not stopped.is_set():
        stopped.wait(_next())


def _next() -> float:
    """Do the next thing, if there is one; the seconds to wait before looking again."""
    try:
        task = do_next(reading, writing, helpers=_helpers())
    except RegistryError:
        log.warning("work_postponed")
        return AFTER_FAILURE_SECONDS
    except Exception:
        log.exception("work_failed")
        return AFTER_FAILURE_SECONDS
    if task is None:
        return LOOK_EVERY_SECONDS
    log.info("task_done", task=task.id, kind=task.kind.value, tries=task.tries)
    return 0.0
