"""One verification over HTTP, beside an empty Flask view under the same server, taking turns."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import cycle

from .engines import Engine
from .figures import Figure, Goal
from .load import request_bytes
from .registers import BODY, number
from .servers import register_server, serving
from .turns import Effort, Turn, database_us, middle, middle_ratio, rate, server_us, take_turn

EMPTY = "bench.empty:app"
RATES = {"sqlite": Goal(0.65), "postgresql": Goal(0.45)}
MOST_GROWTH = Goal(1.15, at_least=False)
MOST_MEMORY = Goal(130, at_least=False)


def verification_requests(people: int) -> Iterator[bytes]:
    """Questions about people all over the register, without end."""
    rng = random.Random(1)
    paths = [
        f"/v1/bodies/{BODY}/registrations/{number(rng.randrange(people))}/verification?technique=dry_needling"
        for _ in range(5000)
    ]
    return cycle(request_bytes(path) for path in paths)


def measure(engine: Engine, registers: Mapping[int, str], effort: Effort) -> Iterator[Figure]:
    """Compare the verification at each size of register with the empty view, round by round.

    :param registers: database URLs by the number of people in them.
    """
    empty = cycle([request_bytes("/empty")])
    costs: dict[int, float] = {}
    with serving("empty Flask view", EMPTY) as yardstick:
        for people, url in sorted(registers.items()):
            turns: list[Turn] = []
            empties: list[Turn] = []
            with register_server(url) as server:
                requests = verification_requests(people)
                take_turn(server, engine, requests, effort.seconds)
                for _ in range(effort.rounds):
                    empties.append(take_turn(yardstick, engine, empty, effort.seconds))
                    turns.append(take_turn(server, engine, requests, effort.seconds))
                yield from _figures(engine, people, turns, empties)
                yield Figure(
                    "worker_private_memory", engine.name, people, server.private_mib(), "MiB", MOST_MEMORY
                )
            costs[people] = middle(turns, server_us)
    if len(costs) > 1:
        small, large = min(costs), max(costs)
        ratio = costs[large] / costs[small]
        yield Figure("verification_cost_x_smallest", engine.name, large, ratio, "x", MOST_GROWTH)


def _figures(engine: Engine, people: int, turns: list[Turn], empties: list[Turn]) -> Iterator[Figure]:
    def figure(name: str, value: float, unit: str, goal: Goal | None = None) -> Figure:
        return Figure(f"verification_{name}", engine.name, people, value, unit, goal)

    yield figure("x_empty_flask", middle_ratio(turns, empties, rate), "x", RATES[engine.name])
    yield figure("cpu_x_empty_flask", middle(turns, server_us) / middle(empties, server_us), "x")
    yield figure("cpu", middle(turns, server_us), "us")
    yield figure("database_cpu", middle(turns, database_us), "us")
    yield figure("rate", middle(turns, rate), "/s")
    for percent in (50, 99):
        value = middle(turns, lambda turn: turn.burst.percentile(percent))  # noqa: B023 - used at once
        yield figure(f"p{percent}", value * 1000, "ms")
