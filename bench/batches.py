"""Questions by the thousand: how many are answered in a second, beside questions asked one by one."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from typing import Any

from registry.domain.vocabulary import Mode, Technique

from .engines import Engine
from .figures import Figure, Goal
from .load import request_bytes
from .registers import BODY, number
from .servers import Server, register_server
from .turns import Effort, Turn, database_us, middle, middle_ratio, rate, server_us, take_turn
from .verification import verification_requests

PATH = "/v1/verifications"
NDJSON = "application/x-ndjson"
FORMS = {"application/json": "batch", NDJSON: "batch_ndjson"}
"""What batches are sent and answered in, and what their figures are called."""
AT_ONCE = 10_000
DIFFERENT = 20
"""Batches that ask about other people each, as far as there are so many."""
CONNECTIONS = 4
"""Twice as many as there are processes, so that each has work."""
GOALS = {"sqlite": Goal(100_000), "postgresql": Goal(70_000)}
MOST_MEMORY = Goal(130, at_least=False)


def questions(people: int) -> Iterator[list[dict[str, str]]]:
    """The questions of one batch after the other, about people all over the register."""
    rng = random.Random(people)
    techniques = (Technique.DRY_NEEDLING, Technique.ACUPUNCTURE)
    for batch in range(DIFFERENT):
        yield [
            {
                "body": BODY,
                "number": number(rng.randrange(people)),
                "technique": techniques[i % 2],
                "on": f"2026-{i % 12 + 1:02}-15",
                "mode": Mode.INDEPENDENT,
                "ref": f"booking-{batch * AT_ONCE + i}",
            }
            for i in range(AT_ONCE)
        ]


def bodies(people: int, content_type: str) -> list[bytes]:
    """The same batches as a request's body, in one form or the other."""
    if content_type == NDJSON:
        return ["\n".join(map(json.dumps, batch)).encode() for batch in questions(people)]
    return [json.dumps({"questions": batch}).encode() for batch in questions(people)]


def measure(engine: Engine, registers: Mapping[int, str], effort: Effort) -> Iterator[Figure]:
    """Batches in both forms and questions one by one, round by round, at each size of register.

    :param registers: database URLs by the number of people in them.
    """
    for people, url in sorted(registers.items()):
        with register_server(url) as server:
            yield from _measure(server, engine, people, effort)


def _measure(server: Server, engine: Engine, people: int, effort: Effort) -> Iterator[Figure]:
    requests: dict[str, Iterator[bytes]] = {}
    for form in FORMS:
        sent = bodies(people, form)
        _check(server, form, sent)
        requests[form] = cycle([_request(form, body) for body in sent])
    alone = verification_requests(people)
    batches: dict[str, list[Turn]] = {form: [] for form in FORMS}
    singles: list[Turn] = []
    for _ in range(1 + effort.rounds):
        for form in FORMS:
            turn = take_turn(server, engine, requests[form], effort.seconds, connections=CONNECTIONS)
            batches[form].append(turn)
        singles.append(take_turn(server, engine, alone, effort.seconds))
    for form, name in FORMS.items():
        # The first round warms up what the others find warm.
        yield from _figures(engine, people, name, batches[form][1:], singles[1:])
    memory = server.private_mib()
    yield Figure("batch_worker_private_memory", engine.name, people, memory, "MiB", MOST_MEMORY)


def _request(form: str, body: bytes) -> bytes:
    return request_bytes(PATH, method="POST", headers=[f"Content-Type: {form}", f"Accept: {form}"], body=body)


def _check(server: Server, form: str, sent: Sequence[bytes]) -> None:
    """What is measured afterwards are answers: to each question, in its place, about whom was asked."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    for body in sent:
        connection.request("POST", PATH, body, {"Content-Type": form})
        given = connection.getresponse().read()
        asked, answers = _read(form, body, "questions"), _read(form, given, "answers")
        for place, (question, answer) in enumerate(zip(asked, answers, strict=True)):
            told = (answer["index"], answer["ref"], answer["number"], len(answer["verdicts"]))
            if told != (place, question["ref"], question["number"], 1):
                raise RuntimeError(f"{question} was answered by {answer}")
    connection.close()


def _read(form: str, document: bytes, member: str) -> list[dict[str, Any]]:
    if form == NDJSON:
        return list(map(json.loads, document.splitlines()))
    found: list[dict[str, Any]] = json.loads(document)[member]
    return found


def _figures(
    engine: Engine, people: int, name: str, turns: list[Turn], singles: list[Turn]
) -> Iterator[Figure]:
    def figure(what: str, value: float, unit: str, goal: Goal | None = None) -> Figure:
        return Figure(f"{name}_{what}", engine.name, people, value, unit, goal)

    answered = middle(turns, rate) * AT_ONCE
    yield figure("verifications_per_second", answered, "/s", GOALS[engine.name])
    yield figure("x_single", middle_ratio(turns, singles, rate) * AT_ONCE, "x", Goal(40))
    yield figure("cpu_x_single", AT_ONCE / middle_ratio(turns, singles, server_us), "x")
    yield figure("verifications_per_cpu_second", AT_ONCE * 1e6 / middle(turns, server_us), "/s")
    yield figure("cpu", middle(turns, server_us) / AT_ONCE, "us")
    yield figure("database_cpu", middle(turns, database_us) / AT_ONCE, "us")
    yield figure("p50", middle(turns, lambda turn: turn.burst.median) * 1000, "ms")
    yield figure("p99", middle(turns, lambda turn: turn.burst.percentile(99)) * 1000, "ms")
