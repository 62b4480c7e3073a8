"""Which server a public read goes to, and as of when what it shows is known.

Every process looks for itself: at the primary, where it also beats (:mod:`.beats`), and at each replica, by a
thread for each. A replica that shows a beat shows all that was recorded before the beat was begun, by this
process's own clock: that moment is its *basis*, and what is read from it is as of its basis, never later.

A replica is *fit* while its basis is no older than ``REGISTRY_REPLICA_LAG_SECONDS``; reads go to those that
are fit, in turn. Where none is, they go to the primary. Where that cannot be reached, they go to a replica
whose basis is no older than that *before the primary was last heard from*: it lacks no more than it might
have lacked then. Whatever fails or hangs here, a basis grows old, and with that is read from no more.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from math import inf

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from registry import clock
from registry.errors import Unavailable

from .beats import Shown, beat, is_due, look

TICK = 0.5
"""Seconds between two looks at a server."""

PATIENCE = 3.0
"""Seconds after which a primary that says nothing, not even no, counts as lost."""

FIRST_LOOK = 3.0
"""Seconds for which the first reads of a process wait for its first look at the replicas, if they must."""

CLOCKS_DIFFER = timedelta(seconds=5)
"""By how much the clocks of the machines of one register may differ."""

REMEMBERED = 256
"""Beats whose moments are remembered."""

log = structlog.get_logger(__name__)


class Order(Enum):
    """Where a read looks first."""

    REPLICAS_FIRST = auto()
    PRIMARY_FIRST = auto()
    PRIMARY_ONLY = auto()


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant by two clocks: the machine's, which may be set, and one that only ever runs."""

    at: datetime
    ticks: float

    def age(self) -> float:
        """Seconds since then: by whichever of the clocks says more."""
        return max(0.0, time.monotonic() - self.ticks, (clock.now() - self.at).total_seconds())


def present() -> Moment:
    """Now."""
    return Moment(clock.now(), time.monotonic())


class NotThePrimary(ConnectionError):
    """What should be the primary follows another server."""


class Pulse:
    """The beats of the primary, as one process knows them."""

    def __init__(self) -> None:
        self.heard: Moment | None = None
        """When it was last heard from."""
        self.silent = False
        """Whether it could not be reached when that was last tried."""
        self._before: dict[str, Moment] = {}
        self._last: Shown | None = None

    def met(self, begun: Moment, shown: Shown) -> None:
        """The primary shows a beat, asked at a moment.

        One that is new was not there the last time, so it is later than all that was recorded before then; if
        it is still the same server, that is.
        """
        last, heard = self._last, self.heard
        token = shown.token
        if token is not None and last is not None and heard is not None:  # noqa: SIM102 - the two ask different things
            if last.server == shown.server and last.token != token:
                self._remember(token, heard)
        self._last, self.heard, self.silent = shown, begun, False

    def beaten(self, begun: Moment, shown: Shown, token: str) -> None:
        """This process beat, and began to at a moment."""
        self._remember(token, begun)
        self._last = Shown(shown.server, shown.replica, shown.holds_back, token, begun.at)

    def _remember(self, token: str, moment: Moment) -> None:
        if token not in self._before:
            self._before[token] = moment
            while len(self._before) > REMEMBERED:
                del self._before[next(iter(self._before))]

    def before(self, token: str) -> Moment | None:
        """The moment before which all that was recorded is in a database that shows this beat."""
        return self._before.get(token)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a replica was found.

    :param basis: all that was recorded before this moment it shows: found out by this process.
    :param claim: the same as the beat itself has it, which counts on the clocks of others.
    :param holds_back: whether it has received what it does not show.
    """

    server: datetime
    basis: Moment | None
    claim: Moment | None
    holds_back: bool


class Replica:
    """One replica, as one process knows it.

    :param name: under which logs and metrics tell of it.
    :param engine: for what is read from it.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self.engine = engine
        self.standing: Standing | None = None
        """``None`` where it could not be looked at, or is no replica."""
        self._basis: Moment | None = None
        self._server: datetime | None = None
        self._shown: deque[str] = deque(maxlen=REMEMBERED)

    def met(self, now: Moment, shown: Shown, pulse: Pulse) -> None:
        """It was looked at."""
        if not shown.replica:
            self.standing = None
            return
        if shown.server != self._server:  # one that was started again may show less than before
            self._server, self._basis = shown.server, None
            self._shown.clear()
        if shown.token is not None and shown.token not in self._shown:
            self._shown.append(shown.token)
        known = [moment for token in self._shown if (moment := pulse.before(token)) is not None]
        known += [] if self._basis is None else [self._basis]
        self._basis = max(known, key=lambda moment: moment.ticks, default=None)
        self.standing = Standing(shown.server, self._basis, _claim(now, shown), shown.holds_back)

    def fail(self, _error: Exception | None = None) -> None:
        """It could not be looked at or read from: until the next look it is not read from."""
        self.standing = None


def _claim(now: Moment, shown: Shown) -> Moment | None:
    """What a beat says of its own moment, less what the clocks may differ by."""
    if shown.beaten_at is None or shown.beaten_at - now.at > CLOCKS_DIFFER:
        return None
    claimed = shown.beaten_at - CLOCKS_DIFFER
    return Moment(claimed, now.ticks - (now.at - claimed).total_seconds())


@dataclass(frozen=True, slots=True)
class Source:
    """Where something may be read.

    :param age: how many seconds ago all that was recorded is in it for certain; 0 for the primary.
    :param replica: ``None`` for the primary.
    """

    engine: Engine
    age: float = 0.0
    replica: Replica | None = None

    def is_as_found(self, connection_info: dict[object, object]) -> bool:
        """Whether a connection leads to the very server that was looked at."""
        if self.replica is None:
            return True
        standing = self.replica.standing
        return standing is not None and connection_info.get(SERVER) == standing.server


SERVER = "registry.server"
"""Where in the information about a pooled connection it is noted to which server it leads."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """What one thread does again and again."""

    name: str
    look: Callable[[Connection], None]
    failed: Callable[[Exception], None]


class Replicas:
    """All replicas of one process.

    :param primary: the engine for reads from the primary.
    :param looks: an engine to look at each server with, the primary's first: in autocommit, without a pool.
    :param lag: how many seconds old the basis of a fit replica may be.
    :param stale: the same of any other, while the primary cannot be reached.
    """

    def __init__(
        self, primary: Engine, replicas: list[Replica], looks: list[Engine], *, lag: float, stale: float
    ) -> None:
        self.replicas = replicas
        self.pulse = Pulse()
        self._primary = primary
        self._looks = looks
        self.lag = lag
        self._stale = stale
        self._turn = itertools.count()
        self._starting = threading.Lock()
        self._process: int | None = None
        self._began = 0.0
        self._ended = threading.Event()
        self._unseen: set[str] = set()
        self._seen = threading.Event()
        self._threads: list[threading.Thread] = []

    def sources(self, order: Order, most_age: float = inf) -> Iterator[Source]:
        """Where to read, the best first; each next one is for when those before could not be read from.

        :param most_age: of what is read, in seconds.
        """
        if self._process != os.getpid():
            self._start()
        if order is Order.PRIMARY_ONLY:
            yield Source(self._primary)
            return
        if order is Order.REPLICAS_FIRST:
            yield from self._fit(most_age)
        tried = not self.is_lost()
        if tried:
            yield Source(self._primary)
        if order is Order.PRIMARY_FIRST:
            yield from self._fit(most_age)
        self._seen.wait(max(0.0, self._began + FIRST_LOOK - time.monotonic()))
        yield from self._enduring(most_age)
        if not tried:
            yield Source(self._primary)

    def is_lost(self) -> bool:
        """Whether the primary, by all that is known, cannot be reached at present."""
        if self._process != os.getpid():
            return False
        heard = self.pulse.heard
        since = self._began if heard is None else heard.ticks
        return self.pulse.silent or time.monotonic() - since > PATIENCE

    def knock(self) -> Connection:
        """A connection to the primary for a look, which does not keep anybody waiting.

        :raises registry.errors.Unavailable: it is known to be away.
        """
        if self.is_lost():
            raise Unavailable("The database cannot be reached.")
        return self._looks[0].connect()

    def ages(self) -> dict[str, float]:
        """How old the basis of each replica is, in seconds: without end, where it has none.

        Nothing, where nobody has read yet, and so nobody has looked.
        """
        if self._process != os.getpid():
            return {}
        found = {replica.name: replica.standing for replica in self.replicas}
        return {
            name: inf if standing is None or standing.basis is None else standing.basis.age()
            for name, standing in found.items()
        }

    def _fit(self, most_age: float) -> list[Source]:
        most = min(most_age, self.lag)
        found = [
            Source(replica.engine, age, replica)
            for replica in self.replicas
            if (standing := replica.standing) is not None
            and standing.basis is not None
            and (age := standing.basis.age()) <= most
        ]
        if len(found) > 1:
            first = next(self._turn) % len(found)
            return found[first:] + found[:first]
        return found

    def _enduring(self, most_age: float) -> list[Source]:
        """What can still be read while the primary cannot, the freshest first."""
        found = []
        for replica in self.replicas:
            standing = replica.standing
            known = None if standing is None else self._known(standing)
            if known is not None and (age := known.age()) <= min(most_age, self._stale):
                found.append(Source(replica.engine, age, replica))
        return sorted(found, key=lambda source: source.age)

    def _known(self, standing: Standing) -> Moment | None:
        """Up to when a replica shows all; ``None`` where it lacks more than it might at the last contact."""
        moments = [moment for moment in (standing.basis, standing.claim) if moment is not None]
        known = max(moments, key=lambda moment: moment.ticks, default=None)
        heard = self.pulse.heard
        if known is None or (heard is None and standing.holds_back):
            return None
        return known if heard is None or known.ticks >= heard.ticks - self.lag else None

    def _start(self) -> None:
        """Begin to look, once in each process: a thread does not survive a fork."""
        with self._starting:
            if self._process == os.getpid():
                return
            self._began, self._process = time.monotonic(), os.getpid()
            self._unseen = {"primary", *(replica.name for replica in self.replicas)}
            watches: list[_Watch] = [_Watch("primary", self._look_at_primary, self._primary_failed)]
            watches += [_Watch(r.name, partial(self._look_at, r), r.fail) for r in self.replicas]
            self._threads = [
                threading.Thread(target=self._watch, args=(engine, watch), name=watch.name, daemon=True)
                for engine, watch in zip(self._looks, watches, strict=True)
            ]
            for thread in self._threads:
                thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        for engine in self._looks:
            engine.dispose()

    def _watch(self, engine: Engine, watch: _Watch) -> None:
        seen = True
        while not self._ended.is_set():
            try:
                with engine.connect() as connection:
                    while not self._ended.is_set():
                        watch.look(connection)
                        seen = self._tell(watch.name, seen, None)
                        self._ended.wait(TICK)
            except (SQLAlchemyError, OSError) as error:
                watch.failed(error)
                seen = self._tell(watch.name, seen, error)
                self._ended.wait(TICK)

    def _tell(self, name: str, seen: bool, error: Exception | None) -> bool:
        """Note that a server was looked at; log it where it is seen again or no longer."""
        if not seen and error is None:
            log.info("database_server_seen_again", server=name)
        if seen and error is not None:
            log.warning("database_server_not_seen", server=name, exc_info=error)
        self._unseen.discard(name)
        if not self._unseen:
            self._seen.set()
        return error is None

    def _look_at_primary(self, connection: Connection) -> None:
        begun = present()
        shown = look(connection)
        if shown.replica:
            raise NotThePrimary
        self.pulse.met(begun, shown)
        if is_due(shown, begun.at):
            token = clock.new_id()
            if beat(connection, shown, token, begun.at):
                self.pulse.beaten(begun, shown, token)

    def _primary_failed(self, error: Exception) -> None:
        """It is lost where it cannot be reached; where it only cannot be beaten at, it can still be read."""
        self.pulse.silent = isinstance(error, OperationalError | InterfaceError | OSError)

    def _look_at(self, replica: Replica, connection: Connection) -> None:
        replica.met(present(), look(connection), self.pulse)
