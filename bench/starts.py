"""From nothing to the first answer: how long a server takes to start, and what a worker of it weighs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from time import perf_counter
from urllib.request import urlopen

from .engines import Engine
from .figures import Figure, Goal
from .registers import BODY, number
from .servers import register_server
from .turns import Effort

SLOWEST, HEAVIEST = Goal(1.5, at_least=False), Goal(130, at_least=False)


def measure(engine: Engine, registers: Mapping[int, str], effort: Effort) -> Iterator[Figure]:
    """The largest register's server, started again and again.

    :param registers: database URLs by the number of people in them.
    """
    people, url = max(registers.items())
    seconds, mib = [], []
    path = f"/v1/bodies/{BODY}/registrations/{number(0)}/verification?technique=dry_needling"
    for _ in range(effort.rounds):
        begun = perf_counter()
        with register_server(url) as server:
            with urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=30) as answer:
                answer.read()
            seconds.append(perf_counter() - begun)
            mib.append(server.private_mib())
    yield Figure("start_to_first_answer", engine.name, people, statistics.median(seconds), "s", SLOWEST)
    yield Figure("private_memory_at_start", engine.name, people, statistics.median(mib), "MiB", HEAVIEST)
