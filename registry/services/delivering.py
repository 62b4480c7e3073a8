"""Delivering: what is due is claimed, sent, and only then marked; by any number of processes, which may die.

One thread talks to the database, many send. A message that takes long does not count any more among those
that are sent quickly, and whoever failed or was slow the last time is sent to in places of their own: so who
answers never waits for who does not. There are never more attempts under way than places, and nothing is
claimed that cannot be begun at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from random import Random, SystemRandom

import structlog
from sqlalchemy import Connection

from registry import clock
from registry.delivery.sending import Attempt, Sender
from registry.domain.webhooks import DisabledBecause
from registry.errors import Unavailable
from registry.store import webhook_deliveries as store
from registry.store.webhook_deliveries import Candidate

from .delivery_log import LogKeeper
from .delivery_marks import Finished, mark
from .errands import Errand, Errands, Lane, Plan, Renderer

ASKED_EVERY = 1.0
"""Seconds between two questions to the database, while nothing happens."""

HELD_FOR = 30.0
"""Seconds after which another connection is asked for: the server may be another one by now."""

WRITTEN_DOWN_EVERY = 1.0
"""Seconds after which the places that were passed are written down."""

STOPS_WITHIN = 5.0
"""Seconds for which, after the last attempt, marking what came of it is tried before the process ends."""

Begin = Callable[[], AbstractContextManager[Connection]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Places:
    """How many messages are sent at a time.

    :param fast: to those who answered quickly the last time.
    :param slow: to the others, and to those who have not answered yet.
    :param slow_after: seconds after which who was sent to quickly counts among the slow.
    """

    fast: int = 64
    slow: int = 192
    slow_after: float = 0.25


class Deliverer:
    """Sends what is due, until it is stopped.

    :param reading: gives a connection without a transaction; one is held for a while.
    :param writing: begins a transaction.
    :param sender: makes the attempts.
    :param longest: what an attempt takes at most.
    :param render: writes the messages.
    """

    def __init__(
        self,
        reading: Begin,
        writing: Begin,
        sender: Sender,
        longest: timedelta,
        render: Renderer,
        places: Places | None = None,
        random: Random | None = None,
    ) -> None:
        self._reading, self._writing, self._sender = reading, writing, sender
        self._random = random or SystemRandom()
        self._errands = Errands(render, longest)
        self._lanes = _Lanes(places or Places())
        self._log_keeper = LogKeeper(writing)
        self._mail: SimpleQueue[Finished | None] = SimpleQueue()
        self._unmarked: list[Finished] = []
        self._written_down = time.monotonic()
        self._stops_by: float | None = None

    def ring(self) -> None:
        """Something may have been committed: look at once. May be called by any thread, and by a signal."""
        self._mail.put(None)

    def stop(self) -> None:
        """Begin nothing more, and end when what is under way is marked. May be called as :meth:`ring`."""
        self._stops_by = time.monotonic() + STOPS_WITHIN
        self._mail.put(None)

    def run(self, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Deliver until it is stopped, or not wanted any more; while the database is away, keep trying."""
        try:
            while not self._is_over(is_wanted):
                self._collect(self._go_on(is_wanted))
        finally:
            self._lanes.close()

    def _is_over(self, is_wanted: Callable[[], bool]) -> bool:
        if self._stops_by is None and not is_wanted():
            self.stop()
        if self._stops_by is None:
            return False
        if self._lanes.busy:
            self._stops_by = time.monotonic() + STOPS_WITHIN
            return False
        return not self._unmarked or time.monotonic() > self._stops_by

    def _go_on(self, is_wanted: Callable[[], bool]) -> float:
        """Deliver for a while, as long as all goes well; the seconds to wait before going on."""
        until = time.monotonic() + HELD_FOR
        try:
            with self._reading() as connection:
                while time.monotonic() < until and not self._is_over(is_wanted):
                    self._collect(self._turn(connection))
        except Unavailable:
            log.warning("delivery_interrupted")
        except Exception:
            log.exception("delivery_failed")
        else:
            return 0
        return ASKED_EVERY

    def _collect(self, seconds: float) -> None:
        """Wait so long at most, until something ends or may have been committed."""
        try:
            self._keep(self._mail.get(timeout=seconds) if seconds > 0 else self._mail.get_nowait())
            while True:
                self._keep(self._mail.get_nowait())
        except Empty:
            return

    def _keep(self, finished: Finished | None) -> None:
        if finished is not None:
            self._lanes.end(finished.errand.webhook_id)
            self._unmarked.append(finished)

    def _turn(self, connection: Connection) -> float:
        """Mark what has ended, begin what is due; the seconds after which to look again."""
        self._mark()
        if self._stops_by is not None:
            return ASKED_EVERY
        at = clock.now()
        state = store.look(connection, at)
        if not state.is_due:
            return 0 if self._log_keeper.forget_some(connection, at=at) else ASKED_EVERY
        plan = self._errands.find(connection, state, self._lanes.free(), self._lanes.busy, at=at)
        self._act(plan)
        if plan.more:
            return 0
        return min(ASKED_EVERY, self._lanes.seconds_until_one_is_slow())

    def _mark(self) -> None:
        if self._unmarked:
            with self._writing() as tx:
                mark(tx, self._unmarked, self._random)
            self._unmarked = []

    def _act(self, plan: Plan) -> None:
        """Write what a plan asks for, in one short transaction, and begin to send."""
        late = time.monotonic() > self._written_down + WRITTEN_DOWN_EVERY
        writes_down = self._errands.has_passed_any and (late or plan.is_part)
        if not (plan.chosen or plan.shut_out or writes_down):
            return
        at = clock.now()
        with self._writing() as tx:
            for candidate in plan.shut_out:
                _shut_out(tx, candidate)
            if writes_down:
                self._errands.write_down(tx, at=at)
                self._written_down = time.monotonic()
            errands = self._errands.claim(tx, plan.chosen, at=at)
        for errand in errands:
            self._lanes.begin(errand, self._send)

    def _send(self, errand: Errand) -> None:
        begun_at = clock.now()
        attempt = self._attempt(errand)
        self._mail.put(Finished(errand, attempt, begun_at, clock.now()))

    def _attempt(self, errand: Errand) -> Attempt:
        try:
            return self._sender.send(errand.url, errand.message, errand.secrets, clock.now())
        except Exception:
            log.exception("webhook_not_sent", webhook=errand.webhook_id, message=errand.message.id)
            return Attempt(None, "It could not be sent.", None, 0, "")


def _shut_out(tx: Connection, candidate: Candidate) -> None:
    because = DisabledBecause.KEY_NOT_IN_FORCE
    if store.shut_out(tx, candidate.id, candidate.version, because, at=clock.now()):
        log.info("webhook_disabled", webhook=candidate.id, because=because)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    lane: Lane
    begun: float


class _Lanes:
    """The attempts that are under way, and the threads that make them."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._threads = ThreadPoolExecutor(places.fast + places.slow, "delivery")
        self._under_way: dict[str, _UnderWay] = {}

    @property
    def busy(self) -> AbstractSet[str]:
        """The subscriptions to which something is being sent."""
        return self._under_way.keys()

    def begin(self, errand: Errand, send: Callable[[Errand], None]) -> None:
        """Begin an attempt."""
        self._threads.submit(send, errand)
        self._under_way[errand.webhook_id] = _UnderWay(errand.lane, time.monotonic())

    def end(self, webhook_id: str) -> None:
        """An attempt has ended."""
        self._under_way.pop(webhook_id, None)  # none, where no thread could be begun for it at first

    def free(self) -> Mapping[Lane, int]:
        """How many attempts may be begun now."""
        recent = time.monotonic() - self._places.slow_after
        quick = sum(one.lane is Lane.FAST and one.begun > recent for one in self._under_way.values())
        slow = len(self._under_way) - quick
        overflow = max(0, slow - self._places.slow)
        return {
            Lane.FAST: max(0, self._places.fast - quick - overflow),
            Lane.SLOW: max(0, self._places.slow - slow),
        }

    def seconds_until_one_is_slow(self) -> float:
        """After how many seconds a place becomes free without anything having ended, if all are taken."""
        if self.free()[Lane.FAST] > 0:
            return ASKED_EVERY
        begun = (one.begun for one in self._under_way.values() if one.lane is Lane.FAST)
        due = (instant + self._places.slow_after - time.monotonic() for instant in begun)
        return max(0.01, min((seconds for seconds in due if seconds > 0), default=ASKED_EVERY))

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)
