"""Deliverers that are killed: ``python -m tests.support.mortal KILLS SEED``.

Each is a process of its own that delivers as ``registry deliver`` does, and is killed with SIGKILL at one of
the moments of its work, which is chosen for it at random; this one has read all that they need, so that
beginning costs little. What a dead one held is due again after less than a second rather than half a minute.
Prints how many died when.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random

from flask import Flask
from sqlalchemy import Connection

from registry.delivery.sending import Attempt, Sender
from registry.http.clinic.webhook_messages import Messages
from registry.log import configure_log
from registry.services import errands
from registry.services.delivering import Deliverer, Places
from registry.services.errands import Errand, Plan
from registry.settings import read_settings
from registry.store.database import connect_to_database, reading, watching_engine, writing
from registry.store.feed_watch import FeedBell

HELD = timedelta(seconds=0.8)
MOMENTS = (
    *("before a claim", "after a claim", "before a commit"),
    *("before sending", "after sending", "before marking", "after marking"),
)
PROBABILITY = 0.4
"""Of being killed when the moment comes."""

PLACES = Places(fast=3, slow=3)
"""So that there is something left to claim for the others."""


class Killer:
    """Kills this process at a random moment, and tells its parent which."""

    def __init__(self, seed: str, tells: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - no secret, and the same in every run
        self._moment = self._chance.choice(MOMENTS)
        self._tells = tells
        self._dying = threading.Lock()

    def may_kill(self, moment: str) -> None:
        with self._dying:  # of several threads one tells its moment, and the others die with it
            if moment == self._moment and self._chance.random() < PROBABILITY:
                os.write(self._tells, moment.encode())
                os.kill(os.getpid(), signal.SIGKILL)
                threading.Event().wait()


class Mortal(Deliverer):
    """May die before, between and after all that it does."""

    killer: Killer

    def _act(self, plan: Plan) -> None:
        if not plan.chosen:
            return super()._act(plan)
        self.killer.may_kill("before a claim")
        super()._act(plan)
        return self.killer.may_kill("after a claim")

    def _attempt(self, errand: Errand) -> Attempt:
        self.killer.may_kill("before sending")
        attempt = super()._attempt(errand)
        self.killer.may_kill("after sending")
        return attempt

    def _mark(self) -> None:
        if not self._unmarked:
            return
        self.killer.may_kill("before marking")
        super()._mark()
        self.killer.may_kill("after marking")


def deliver(app: Flask, sender: Sender, longest: timedelta, killer: Killer) -> None:
    @contextmanager
    def dying() -> Iterator[Connection]:
        with writing() as tx:
            yield tx
            killer.may_kill("before a commit")

    with app.app_context():
        deliverer = Mortal(reading, dying, sender, longest, Messages(), PLACES)
        deliverer.killer = killer
        FeedBell(watching_engine(), deliverer.ring).start()
        deliverer.run()


def main(kills: int, seed: int) -> None:
    configure_log()
    settings, app = read_settings(), Flask(__name__)
    connect_to_database(app, settings)  # of which nothing is opened yet
    sender = Sender.of(settings)
    longest = timedelta(seconds=settings.webhooks_total_seconds)
    errands.MARGIN = HELD - longest
    died: Counter[str] = Counter()
    for number in range(kills):
        heard, tells = os.pipe()
        pid = os.fork()
        if pid == 0:
            deliver(app, sender, longest, Killer(f"{seed}.{number}", tells))
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "it ended by itself"
        died[os.read(heard, 100).decode()] += 1
        os.close(heard)
        os.close(tells)
    print(json.dumps(died))  # noqa: T201 - for whoever started it


main(*map(int, sys.argv[1:]))
