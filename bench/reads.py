"""What else is read over HTTP, each kind in turn with the same empty Flask view."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import quote

from .engines import Engine
from .figures import Figure, Goal
from .inside import make_key
from .load import request_bytes
from .registers import BODY, number
from .servers import register_server, serving
from .turns import Effort, Turn, database_us, middle, middle_ratio, rate, server_us, take_turn
from .verification import EMPTY

DIFFERENT = 2000
"""Requests that differ, of which some are asked again and again."""
NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Read:
    """A kind of request.

    :param requests: all of them, given the port of a server, a key and the number of people.
    :param goals: for the rate, as a ratio to the empty view, by engine.
    """

    name: str
    requests: Callable[[int, str, int], list[bytes]]
    status: int = 200
    goals: Mapping[str, Goal] | None = None


def _paths(people: int, path: str) -> list[str]:
    rng = random.Random(people)
    return [path.format(body=BODY, number=number(rng.randrange(people))) for _ in range(DIFFERENT)]


def _conditional(port: int, _key: str, people: int) -> list[bytes]:
    """Verifications of an answer that the client has, found out by asking for it once."""
    path = "/v1/bodies/{body}/registrations/{number}/verification?technique=dry_needling"
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    found = []
    for each in _paths(people, path):
        asking.request("GET", each, headers={"Accept": "application/json"})
        answer = asking.getresponse()
        answer.read()
        found.append(request_bytes(each, headers=[f"If-None-Match: {answer.headers['ETag']}"]))
    asking.close()
    return found


def _entries(_port: int, _key: str, people: int) -> list[bytes]:
    return [request_bytes(each) for each in _paths(people, "/v1/bodies/{body}/registrations/{number}")]


def _searches(port: int, _key: str, people: int) -> list[bytes]:
    """First pages for names that people of the register bear."""
    paths = [f"/v1/practitioners?name={quote(name)}" for name in _names(port, people)]
    return [request_bytes(path) for path in paths]


def _names(port: int, people: int) -> list[str]:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    names = []
    for path in _paths(people, "/v1/bodies/{body}/registrations/{number}")[: DIFFERENT // 10]:
        asking.request("GET", path)
        names.append(json.loads(asking.getresponse().read())["practitioner"]["name"])
    asking.close()
    return names


def _lapses(_port: int, key: str, _people: int) -> list[bytes]:
    path = f"/v1/admin/lapses?body={BODY}&state="
    return [_with(key, f"{path}{state}") for state in ("open", "coming")]


def _changes(_port: int, key: str, _people: int) -> list[bytes]:
    return [_with(key, "/v1/changes?limit=100")]


def _with(key: str, path: str) -> bytes:
    return request_bytes(path, headers=[f"Authorization: Bearer {key}"])


READS = (
    Read("conditional", _conditional, NOT_MODIFIED, {"sqlite": Goal(0.75), "postgresql": Goal(0.50)}),
    Read("entry", _entries),
    Read("search_page", _searches),
    Read("lapses_page", _lapses),
    Read("feed_page", _changes),
)


def measure(engine: Engine, registers: Mapping[int, str], effort: Effort) -> Iterator[Figure]:
    """Each kind of request at each size of register, in turns with the empty view.

    :param registers: database URLs by the number of people in them.
    """
    empty = cycle([request_bytes("/empty")])
    with serving("empty Flask view", EMPTY) as yardstick:
        for people, url in sorted(registers.items()):
            key = make_key(url)
            with register_server(url) as server:
                for read in READS:
                    requests = cycle(read.requests(server.port, key, people))
                    take_turn(server, engine, requests, effort.seconds, status=read.status)
                    turns: list[Turn] = []
                    empties: list[Turn] = []
                    for _ in range(effort.rounds):
                        empties.append(take_turn(yardstick, engine, empty, effort.seconds))
                        turns.append(take_turn(server, engine, requests, effort.seconds, status=read.status))
                    yield from _figures(engine.name, people, read, turns, empties)


def _figures(
    engine: str, people: int, read: Read, turns: list[Turn], empties: list[Turn]
) -> Iterator[Figure]:
    def figure(what: str, value: float, unit: str, goal: Goal | None = None) -> Figure:
        return Figure(f"{read.name}_{what}", engine, people, value, unit, goal)

    goal = None if read.goals is None else read.goals[engine]
    yield figure("x_empty_flask", middle_ratio(turns, empties, rate), "x", goal)
    yield figure("cpu", middle(turns, server_us), "us")
    yield figure("database_cpu", middle(turns, database_us), "us")
    for percent in (50, 99):
        value = middle(turns, lambda turn: turn.burst.percentile(percent))  # noqa: B023 - used at once
        yield figure(f"p{percent}", value * 1000, "ms")
