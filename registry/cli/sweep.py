"""``registry sweep``: announcing what time alone brings about."""

from __future__ import annotations

import threading
from datetime import date, datetime

import click

from registry import clock
from registry.errors import Unavailable
from registry.services import sweep as service
from registry.services.audit import vouch_for_all
from registry.store.database import writing

from .database import connected


@click.command()
@click.option("--loop", "seconds", type=click.IntRange(1, 86400), help="Sweep again after so many seconds.")
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
            return
        pause = threading.Event()
        while True:
            _sweep_if_possible(on)
            pause.wait(seconds)


def _sweep(on: date | None) -> None:
    for swept in service.sweep(writing, at=clock.now(), on=on):
        click.echo(
            f"{swept.code}: through {swept.through}, {swept.announced} announced, {swept.resolved} resolved"
        )
    vouch_for_all(writing, at=clock.now())


def _sweep_if_possible(on: date | None) -> None:
    try:
        _sweep(on)
    except Unavailable as error:
        click.echo(f"Trying again later: {error.detail}", err=True)
