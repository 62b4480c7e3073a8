"""Variants take turns, so that what else the machine does falls upon all of them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .engines import Engine
from .load import Burst, burst
from .servers import Server


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured: so many rounds, in each of which each variant has so many seconds.

    :param is_full: whether at the size that goals are for, where that takes long to prepare.
    """

    rounds: int
    seconds: float
    is_full: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """A burst of requests, and the processor seconds that the server and the database took for it."""

    burst: Burst
    server_seconds: float
    database_seconds: float


def take_turn(
    server: Server,
    engine: Engine,
    requests: Iterator[bytes],
    seconds: float,
    *,
    connections: int = 8,
    status: int = 200,
) -> Turn:
    """One burst against one server. Each answer must have this status."""
    before, database_before = server.cpu_seconds(), engine.cpu_seconds()
    seen = burst(server.port, requests, seconds=seconds, connections=connections)
    taken, database_taken = server.cpu_seconds() - before, engine.cpu_seconds() - database_before
    wrong = {code: count for code, count in seen.statuses.items() if code != status}
    if wrong:
        raise RuntimeError(f"{server.name} answered {wrong}")
    return Turn(seen, taken, database_taken)


def middle(turns: Sequence[Turn], value: Callable[[Turn], float]) -> float:
    """The median of a value over turns."""
    return statistics.median(map(value, turns))


def middle_ratio(turns: Sequence[Turn], others: Sequence[Turn], value: Callable[[Turn], float]) -> float:
    """The median, round by round, of a value divided by that of another variant."""
    return statistics.median(value(turn) / value(other) for turn, other in zip(turns, others, strict=True))


def rate(turn: Turn) -> float:
    """Requests answered in a second."""
    return turn.burst.rate


def server_us(turn: Turn) -> float:
    """The server's processor time for one request, in microseconds."""
    return turn.server_seconds / turn.burst.requests * 1e6


def database_us(turn: Turn) -> float:
    """The database's, where it has processes of its own; otherwise it is within the server's."""
    return turn.database_seconds / turn.burst.requests * 1e6
