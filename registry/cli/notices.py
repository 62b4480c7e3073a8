"""``registry notices``: writing to people before their terms end, and noting what came back."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

import click
import structlog

from registry import clock
from registry.delivery.bounces import MOST_BYTES, read_bounce
from registry.delivery.mail import Account, Post
from registry.errors import RegistryError
from registry.log import configure_log_of_service
from registry.services import notices as service
from registry.services.notices import Sent
from registry.settings import Settings
from registry.store.database import writing

from .database import connected, operator

EVERY_SECONDS = 60
LOOK_EVERY_SECONDS = 1.0

log = structlog.get_logger(__name__)


@click.group()
def notices() -> None:
    """Write to people before their terms end, and note what came back."""


@notices.command()
@click.option(
    "--every",
    "seconds",
    type=click.IntRange(1, 86400),
    help="Go on until stopped, look again after so many seconds, and log what comes of it.",
)
def send(seconds: int | None) -> None:
    """Send every notice that is due now.

    It may be late, run on several machines at once, or be stopped at any moment: nobody gets the notice of a
    threshold twice, and of several that were missed only the one that is due.
    """
    with connected() as chosen:
        account = Account.of(chosen)
        if account is None:
            raise click.ClickException(
                "No mail server is named: set REGISTRY_MAIL_HOST and REGISTRY_MAIL_FROM."
            )
        if seconds is None:
            _tell(_send(chosen, account))
        else:
            _send_every(chosen, account, seconds, lambda: True)


@notices.command()
def bounce() -> None:
    """Note what a delivery status notification on standard input says (RFC 3464).

    For a mail server that hands on what comes back. What is no such report, or about no notice of this
    register, is passed over, so that a server never sends it back once more.
    """
    found = read_bounce(sys.stdin.buffer.read(MOST_BYTES))
    if found is None:
        click.echo("This is no report of a failed delivery of ours.")
        return
    with connected():
        try:
            with writing() as tx:
                noted = service.note_bounce(tx, found, by=operator(), at=clock.now())
        except RegistryError as error:
            click.echo(error.detail)
        else:
            click.echo(f"Notice {noted.id}: {noted.state}.")


@click.command(hidden=True)
@click.argument("parent", type=int)
def keep_noticing(parent: int) -> None:
    """Send notices every minute, as long as the process PARENT started this one and lives."""
    with connected() as chosen:
        account = Account.of(chosen)
        if account is not None:
            _send_every(chosen, account, EVERY_SECONDS, lambda: os.getppid() == parent)


def _send(chosen: Settings, account: Account) -> Sent:
    with Post(account) as post:
        return service.send_notices(writing, post, chosen.public_url, clock=clock)


def _tell(done: Sent) -> None:
    for planned in done.planned:
        if planned.queued or planned.cancelled:
            click.echo(f"{planned.code}: {planned.queued} queued, {planned.cancelled} not due any more")
    click.echo(f"{done.sent} sent, {done.not_reached} not reached, {done.postponed} to be tried again")
    if done.away is not None:
        raise click.ClickException(
            f"The mail server could not be used ({done.away}); the rest is left for later."
        )


def _send_every(chosen: Settings, account: Account, seconds: int, is_wanted: Callable[[], bool]) -> None:
    """Send until SIGTERM or SIGINT, or until it is not wanted any more; what fails is tried again."""
    configure_log_of_service()
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    left = 0.0
    while is_wanted() and not stopped.is_set():
        if left <= 0:
            _send_and_log(chosen, account, lambda: is_wanted() and not stopped.is_set())
            left = float(seconds)
        stopped.wait(min(left, LOOK_EVERY_SECONDS))
        left -= LOOK_EVERY_SECONDS


def _send_and_log(chosen: Settings, account: Account, goes_on: Callable[[], bool]) -> None:
    try:
        with Post(account) as post:
            done = service.send_notices(writing, post, chosen.public_url, clock=clock, goes_on=goes_on)
        if done.sent or done.not_reached or done.postponed:
            log.info("notices_sent", sent=done.sent, not_reached=done.not_reached, postponed=done.postponed)
        if done.away is not None:
            log.warning("mail_server_away", failure=done.away)
    except RegistryError as error:
        log.warning("notices_postponed", detail=error.detail)
    except Exception:
        log.exception("notices_failed")
