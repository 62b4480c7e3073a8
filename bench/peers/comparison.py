"""The register and its peers, asked the same in turns; their answers are compared before any is timed."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from typing import Any

from bench.engines import Engine
from bench.figures import Absent, Figure, Goal
from bench.load import request_bytes
from bench.registers import BODY, number
from bench.servers import Server, register_server, serving
from bench.turns import Effort, Turn, database_us, middle, middle_ratio, rate, server_us, take_turn
from registry.clock import now
from registry.domain.localtime import local_date

from . import launching, tables
from .installing import NotInstalledError
from .launching import CannotServeError

BEST_SIZE = 100_000
"""The peers are measured at one size alone, the nearest to this."""
SAMPLE = 1000
"""Registrations about which every peer must say what the register says, before anything is timed."""
OTHER_DAYS = (-400, 400)
"""Days from today; a tenth of the sample is asked about each, too."""
ZONE = "America/Edmonton"
REGISTER = "verification"
EMPTY = "bench.empty:app"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an answer says, in whatever form it said so."""

    number: str
    name: str | None
    on: str
    authorized: bool
    outcome: str
    reasons: frozenset[str]
    valid_through: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that is asked: how it is started, where a question goes, and how its answer is read.

    :param start: a context with the running server; given the URLs of the register and of the peers' tables.
    :param goals: by engine, how many times the register's processor time a request of it costs, at least.
    """

    name: str
    start: Callable[[str, str], AbstractContextManager[Server]]
    path: Callable[[str, str], str]
    read: Callable[[Any], Facts]
    goals: Mapping[str, float]


def facts_of_peer(document: Any) -> Facts:
    """The facts of a peer's answer."""
    return Facts(
        document["number"],
        document["name"],
        document["on"],
        bool(document["authorized"]),
        document["outcome"],
        frozenset(document["reasons"]),
        document["valid_through"],
    )


def facts_of_register(document: Any) -> Facts:
    """The same facts of the register's answer, which holds more."""
    (verdict,) = document["verdicts"]
    practitioner = document["practitioner"]
    return Facts(
        document["number"],
        None if practitioner is None else practitioner["name"],
        document["on"],
        document["authorized"],
        verdict["outcome"],
        frozenset(verdict["reasons"]),
        verdict["valid_through"],
    )


def register_path(asked: str, on: str) -> str:
    """Where the register is asked."""
    return f"/v1/bodies/{BODY}/registrations/{asked}/verification?technique=dry_needling&on={on}"


def _peer_path(asked: str, on: str) -> str:
    return f"/bodies/{BODY}/registrations/{asked}/verification?on={on}"


def _datasette_path(asked: str, on: str) -> str:
    asks = f"body={BODY}&number={asked}&on={on}"
    return f"/{launching.DATASETTE_NAME}/verification.json?{asks}&_shape=array&_json=reasons"


def _only_row(document: Any) -> Facts:
    (row,) = document
    return facts_of_peer(row)


AHEAD = 1.0
EVERYTHING: Sequence[Asked] = (
    Asked(
        REGISTER,
        lambda register, _peers: register_server(register),
        register_path,
        facts_of_register,
        {},
    ),
    Asked("granian", launching.granian, register_path, facts_of_register, {"sqlite": 0, "postgresql": 0}),
    Asked(
        "peer_fastapi_orm",
        launching.fastapi_orm,
        _peer_path,
        facts_of_peer,
        {"sqlite": AHEAD, "postgresql": 2.5},
    ),
    Asked("peer_fastapi_asyncpg", launching.fastapi_asyncpg, _peer_path, facts_of_peer, {"postgresql": 0.8}),
    Asked("peer_drf", launching.drf, _peer_path, facts_of_peer, {"sqlite": AHEAD, "postgresql": 4.5}),
    Asked("peer_datasette", launching.datasette, _datasette_path, _only_row, {"sqlite": AHEAD}),
    Asked("peer_directus", launching.directus, _peer_path, facts_of_peer, {"postgresql": 12}),
)
"""The register first; the engines of each of the others are those that it has a goal for."""


def best_size(sizes: Iterable[int]) -> int:
    """The one of these sizes at which the peers are measured."""
    return min(sizes, key=lambda size: abs(size - BEST_SIZE))


def measure(engine: Engine, registers: Mapping[int, str], effort: Effort) -> Iterator[Figure | Absent]:
    """Ask everyone the same, round by round, once all have answered a sample alike.

    :param registers: database URLs by the number of people in them.
    """
    people = best_size(registers)
    print(f"{engine.name}: filling the peers' tables ...", flush=True)
    with engine.scratch() as peers:
        try:
            tables.export(registers[people], peers)
        except tables.CannotHoldError as error:
            yield Absent("peers", engine.name, people, str(error))
            return
        yield from _measure(engine, registers[people], peers, people, effort)


def _measure(
    engine: Engine, register: str, peers: str, people: int, effort: Effort
) -> Iterator[Figure | Absent]:
    with ExitStack() as stack:
        yardstick = stack.enter_context(serving("empty Flask view", EMPTY, {"WEB_CONCURRENCY": "2"}))
        servers: dict[str, Server] = {}
        for asked in EVERYTHING:
            if asked.name != REGISTER and engine.name not in asked.goals:
                continue
            try:
                servers[asked.name] = stack.enter_context(asked.start(register, peers))
            except (NotInstalledError, CannotServeError) as error:
                yield Absent(asked.name, engine.name, people, str(error))
        running = [asked for asked in EVERYTHING if asked.name in servers]
        today = local_date(now(), ZONE)
        compare([(asked, servers[asked.name].port) for asked in running], sample(people, today))
        turns, empties = _take_turns(engine, yardstick, servers, running, people, today, effort)
        yield from _figures(engine, people, running, servers, turns, empties)


def sample(people: int, today: date) -> list[tuple[str, str]]:
    """Numbers and the days to ask them about: today, some of other days, and one that nobody holds."""
    rng = random.Random(people)
    numbers = [number(index) for index in rng.sample(range(people), min(SAMPLE, people))]
    asked = [(each, today.isoformat()) for each in (*numbers, number(people))]
    for days in OTHER_DAYS:
        day = (today + timedelta(days=days)).isoformat()
        asked += [(each, day) for each in numbers[::10]]
    return asked


def compare(everyone: Sequence[tuple[Asked, int]], questions: Sequence[tuple[str, str]]) -> None:
    """See that all say the same.

    :param everyone: with the port that each listens on; the first is the one that is right.
    :raises RuntimeError: one says something else.
    """
    (first, port), *others = everyone
    right = list(_answers(first, port, questions))
    for asked, other_port in others:
        for expected, found in zip(right, _answers(asked, other_port, questions), strict=True):
            if found != expected:
                raise RuntimeError(f"{first.name} answers {expected}, {asked.name} {found}")


def _answers(asked: Asked, port: int, questions: Sequence[tuple[str, str]]) -> Iterator[Facts]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for question in questions:
        connection.request("GET", asked.path(*question), headers={"Accept": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{asked.name} answered {answer.status} to {question}: {content[:500]!r}")
        yield asked.read(json.loads(content))
    connection.close()


def _take_turns(
    engine: Engine,
    yardstick: Server,
    servers: Mapping[str, Server],
    running: Sequence[Asked],
    people: int,
    today: date,
    effort: Effort,
) -> tuple[Mapping[str, list[Turn]], list[Turn]]:
    rng = random.Random(1)
    numbers = [number(rng.randrange(people)) for _ in range(5000)]
    empty = cycle([request_bytes("/empty")])
    asks = {
        asked.name: cycle([request_bytes(asked.path(each, today.isoformat())) for each in numbers])
        for asked in running
    }
    turns: dict[str, list[Turn]] = {asked.name: [] for asked in running}
    empties: list[Turn] = []
    for _ in range(1 + effort.rounds):
        empties.append(take_turn(yardstick, engine, empty, effort.seconds))
        for name, requests in asks.items():
            turns[name].append(take_turn(servers[name], engine, requests, effort.seconds))
    # The first round warms up what the others find warm.
    return {name: taken[1:] for name, taken in turns.items()}, empties[1:]


def _figures(
    engine: Engine,
    people: int,
    running: Sequence[Asked],
    servers: Mapping[str, Server],
    turns: Mapping[str, list[Turn]],
    empties: list[Turn],
) -> Iterator[Figure]:
    def figure(name: str, value: float, unit: str, goal: Goal | None = None) -> Figure:
        return Figure(name, engine.name, people, value, unit, goal)

    ours = turns[REGISTER]
    for asked in running:
        name, taken = asked.name, turns[asked.name]
        beside = "verification_beside_peers" if name == REGISTER else name
        yield figure(f"{beside}_x_empty_flask", middle_ratio(taken, empties, rate), "x")
        yield figure(f"{beside}_cpu", middle(taken, all_us), "us")
        yield figure(f"{beside}_database_cpu", middle(taken, database_us), "us")
        for percent in (50, 99):
            yield figure(f"{beside}_p{percent}", middle(taken, _percentile(percent)) * 1000, "ms")
        yield figure(f"{beside}_private_memory", servers[name].private_mib(), "MiB")
        if name != REGISTER:
            goal = asked.goals[engine.name]
            yield figure(f"verification_x_{name}", middle_ratio(ours, taken, rate), "x")
            yield figure(
                f"verification_x_{name}_cpu",
                middle_ratio(taken, ours, all_us),
                "x",
                Goal(goal) if goal else None,
            )


def all_us(turn: Turn) -> float:
    """Processor time for one request, of the server and of the database, in microseconds."""
    return server_us(turn) + database_us(turn)


def _percentile(percent: float) -> Callable[[Turn], float]:
    return lambda turn: turn.burst.percentile(percent)
