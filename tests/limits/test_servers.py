"""A limit is one limit, over all workers of a server and, with Redis, over machines; it is told exactly."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.serving.conftest import VERIFICATION, fill
from tests.support.figures import Figures
from tests.support.redis import redis_in
from tests.support.serving import Answer, Server, serving

LIMIT, ASKED = 40, 150
LIMITED = {"REGISTRY_LIMIT_LOOK_UPS": f"{LIMIT}/600", "WEB_CONCURRENCY": "3"}


def asked_at_once(servers: list[Server]) -> list[Answer]:
    with ThreadPoolExecutor(12) as pool:
        return list(pool.map(lambda n: servers[n % len(servers)].ask(VERIFICATION), range(ASKED)))


def assert_exact(answers: list[Answer], figures: Figures) -> None:
    counted = Counter(answer.status for answer in answers)
    figures.add("look-ups beyond a limit, of many at once", counted[200] - LIMIT)
    assert counted == {200: LIMIT, 429: ASKED - LIMIT}
    left = []
    for answer in answers:
        assert answer.headers["ratelimit-policy"] == f'"look-ups";q={LIMIT};w=600'
        told = re.fullmatch(r'"look-ups";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
        assert told is not None
        assert 0 < int(told[2]) <= 600
        if answer.status == 200:
            left.append(int(told[1]))
        else:
            assert told[1] == "0"
            assert abs(int(answer.headers["retry-after"]) - int(told[2])) <= 1
    assert sorted(left) == list(range(LIMIT))  # each unit is told once


def test_the_workers_of_a_server_give_together_what_one_would(
    sqlite_url: str, tmp_path: Path, figures: Figures
) -> None:
    fill(sqlite_url)
    with serving(tmp_path, sqlite_url, **LIMITED) as server:
        assert_exact(asked_at_once([server]), figures)


def test_machines_give_together_what_one_would_and_each_on_its_own_while_redis_is_away(
    sqlite_url: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, figures: Figures
) -> None:
    fill(sqlite_url)
    with redis_in(tmp_path_factory.mktemp("r")) as redis, ExitStack() as stack:
        machines = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            set_to = {**LIMITED, "REGISTRY_COUNTS": redis.url, "WEB_CONCURRENCY": "2"}
            machines.append(stack.enter_context(serving(tmp_path / name, sqlite_url, **set_to)))
        assert_exact(asked_at_once(machines), figures)
        redis.kill()
        statuses = Counter(answer.status for answer in asked_at_once(machines))
        assert statuses.keys() <= {200, 429}  # nobody is failed for it
        assert statuses[200] > 0
        assert any(machine.events("counting_alone") for machine in machines)
