"""One verification over HTTP, beside an empty Flask view under the same server, taking turns."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from .figures import Figure, Goal
from .load import Burst, burst, request_bytes
from .registers import BODY, number
from .servers import Server, serving

APPLICATION = "registry.http.app:create_app()"
EMPTY = "bench.empty:app"


@dataclass(frozen=True, slots=True)
class Turn:
    """A burst, and the processor time that the server took for each of its requests, in microseconds."""

    burst: Burst
    cpu_us: float


def verification_requests(people: int) -> Iterator[bytes]:
    """Questions about people all over the register, without end."""
    rng = random.Random(1)
    paths = [
        f"/v1/bodies/{BODY}/registrations/{number(rng.randrange(people))}/verification?technique=dry_needling"
        for _ in range(5000)
    ]
    return cycle(request_bytes(path) for path in paths)


def take_turn(server: Server, requests: Iterator[bytes], seconds: float) -> Turn:
    """One burst against one server."""
    before = server.cpu_seconds()
    seen = burst(server.port, requests, seconds=seconds)
    cpu = server.cpu_seconds() - before
    wrong = {status: count for status, count in seen.statuses.items() if status != 200}
    if wrong:
        raise RuntimeError(f"{server.name} answered {wrong}")
    return Turn(seen, cpu / seen.requests * 1e6)


def measure(engine: str, registers: dict[int, str], rounds: int, seconds: float) -> Iterator[Figure]:
    """Compare the verification at each size of register with the empty view, round by round.

    :param registers: database URLs by the number of people in them.
    """
    sizes = sorted(registers)
    turns: dict[int, list[Turn]] = {size: [] for size in sizes}
    empties: list[Turn] = []
    empty = cycle([request_bytes("/empty")])
    with serving("empty Flask view", EMPTY) as yardstick:
        for size in sizes:
            with serving(f"{size} people", APPLICATION, {"REGISTRY_DATABASE_URL": registers[size]}) as server:
                requests = verification_requests(size)
                take_turn(server, requests, seconds)
                for _ in range(rounds):
                    empties.append(take_turn(yardstick, empty, seconds))
                    turns[size].append(take_turn(server, requests, seconds))
                yield from _figures(engine, size, turns[size], empties[-rounds:])
                yield Figure("worker_private_memory", engine, size, server.private_mib(), "MiB")
    if len(sizes) > 1:
        small, large = sizes[0], sizes[-1]
        ratio = _cpu(turns[large]) / _cpu(turns[small])
        yield Figure("verification_cost_x_smallest", engine, large, ratio, "x", Goal(1.2, at_least=False))


def _figures(engine: str, people: int, turns: list[Turn], empties: list[Turn]) -> Iterator[Figure]:
    goal = Goal(0.5)
    rate = statistics.median(t.burst.rate / e.burst.rate for t, e in zip(turns, empties, strict=True))
    yield Figure("verification_x_empty_flask", engine, people, rate, "x", goal)
    yield Figure("verification_cpu_x_empty_flask", engine, people, _cpu(turns) / _cpu(empties), "x")
    yield Figure("verification_cpu", engine, people, _cpu(turns), "us")
    yield Figure("verification_rate", engine, people, statistics.median(t.burst.rate for t in turns), "/s")
    for percent in (50, 99):
        value = statistics.median(t.burst.percentile(percent) for t in turns) * 1000
        yield Figure(f"verification_p{percent}", engine, people, value, "ms")


def _cpu(turns: list[Turn]) -> float:
    return statistics.median(turn.cpu_us for turn in turns)
