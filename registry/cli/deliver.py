"""``registry deliver``: sending what webhooks are to be told."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta

import click

from registry.delivery.sending import Sender
from registry.http.clinic.webhook_messages import Messages
from registry.log import configure_log_of_service
from registry.services.delivering import Deliverer
from registry.store.database import reading, watching_engine, writing
from registry.store.feed_watch import FeedBell

from .database import connected


@click.command()
def deliver() -> None:
    """Deliver webhooks until it is stopped.

    It may run on several machines at once, or be stopped at any moment: nothing is lost, and what is sent to
    one webhook is sent in its order. SIGTERM and SIGINT let it finish what it is sending.
    """
    _deliver(lambda: True)


@click.command(hidden=True)
@click.argument("parent", type=int)
def keep_delivering(parent: int) -> None:
    """Deliver webhooks, as long as the process PARENT started this one and lives."""
    _deliver(lambda: os.getppid() == parent)


def _deliver(is_wanted: Callable[[], bool]) -> None:
    configure_log_of_service()
    with connected() as chosen:
        longest = timedelta(seconds=chosen.webhooks_total_seconds)
        deliverer = Deliverer(reading, writing, Sender.of(chosen), longest, Messages())
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: deliverer.stop())
        FeedBell(watching_engine(), deliverer.ring).start()
        deliverer.run(is_wanted)
