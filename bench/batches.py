"""Questions by the thousand: how many are answered in a second, and what a batch costs in memory.

    python -m bench.batches sqlite:////tmp/register.db

asks a running register's database about numbers that it holds, in batches that share none of them.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import create_engine, func, select

from registry.domain.vocabulary import Mode, Technique
from registry.store import tables

from .servers import Server, serving

APPLICATION = "registry.http.app:create_app()"
AT_ONCE = 10_000
MARK = b'"index":'
JSON, NDJSON = "application/json", "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Batches:
    """What some batches cost. ``private_mib``: a worker's own memory after them, at most.

    :param latencies: seconds from the request to the last byte, of each batch.
    """

    questions: int
    seconds: float
    cpu_seconds: float
    private_mib: float
    latencies: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Verifications in a second."""
        return self.questions / self.seconds

    def __str__(self) -> str:
        middle = sorted(self.latencies)[len(self.latencies) // 2]
        return (
            f"{self.rate:9,.0f} verifications/s  {self.questions / self.cpu_seconds:9,.0f} a CPU second"
            f"  p50 {middle * 1000:6.1f} ms a batch  {self.private_mib:5.0f} MiB private"
        )


def sample(url: str, most: int) -> list[tuple[str, str]]:
    """Bodies and numbers of a register, at random, each once."""
    e, b = tables.entries, tables.bodies
    engine = create_engine(url)
    with engine.connect() as connection:
        total = connection.execute(select(func.count()).select_from(e)).scalar_one()
        found = connection.execute(select(b.c.code, e.c.number_key).join(b, b.c.id == e.c.body_id)).all()
    engine.dispose()
    return random.Random(total).sample([(row.code, row.number_key) for row in found], min(most, total))


def bodies_of_requests(
    registered: Sequence[tuple[str, str]], at_once: int, content_type: str
) -> Iterator[bytes]:
    """Batches of questions, each about other registrations than the one before."""
    techniques, at = [Technique.DRY_NEEDLING.value, Technique.ACUPUNCTURE.value], 0
    while True:
        chosen = [registered[(at + i) % len(registered)] for i in range(at_once)]
        questions = [
            {
                "body": body,
                "number": number,
                "technique": techniques[i % 2],
                "on": f"2026-{i % 12 + 1:02}-15",
                "mode": Mode.INDEPENDENT.value,
                "ref": f"booking-{at + i}",
            }
            for i, (body, number) in enumerate(chosen)
        ]
        at = (at + at_once) % len(registered)
        if content_type == NDJSON:
            yield "\n".join(map(json.dumps, questions)).encode()
        else:
            yield json.dumps({"questions": questions}).encode()


def measure(
    server: Server,
    requests: Sequence[bytes],
    content_type: str,
    at_once: int,
    *,
    seconds: float = 5,
    clients: int = 2,
) -> Batches:
    """Send batches over so many connections for so many seconds."""
    latencies: list[float] = []
    cpu, begun = server.cpu_seconds(), time.perf_counter()

    def ask(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        at = first
        while time.perf_counter() < begun + seconds:
            sent = time.perf_counter()
            body = requests[at % len(requests)]
            connection.request("POST", "/v1/verifications", body, {"Content-Type": content_type})
            _read(connection.getresponse(), at_once)
            latencies.append(time.perf_counter() - sent)
            at += clients
        connection.close()

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - begun
    used = server.cpu_seconds() - cpu
    return Batches(len(latencies) * at_once, elapsed, used, server.private_mib(), tuple(latencies))


def _read(answer: http.client.HTTPResponse, at_once: int) -> None:
    given, end = 0, b""
    while part := answer.read(1 << 20):
        given += (end + part).count(MARK)
        end = part[1 - len(MARK) :]
    if answer.status != 200 or given != at_once:
        raise RuntimeError(f"{answer.status}, {given} answers to {at_once} questions")


def main(url: str) -> None:
    """Print what batches of several sizes and forms cost, by the register that ``url`` holds."""
    registered = sample(url, 40 * AT_ONCE)
    with serving("batches", APPLICATION, {"REGISTRY_DATABASE_URL": url}) as server:
        for content_type, at_once in ((JSON, 1_000), (NDJSON, 1_000), (JSON, AT_ONCE), (NDJSON, AT_ONCE)):
            made = bodies_of_requests(registered, at_once, content_type)
            requests = [next(made) for _ in range(40)]
            measure(server, requests, content_type, at_once, seconds=2)
            print(f"{content_type:21} {at_once:6,}", measure(server, requests, content_type, at_once))


if __name__ == "__main__":
    main(sys.argv[1])
