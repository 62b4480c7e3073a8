"""Real server processes over a primary and replicas, asked all the time while servers fail."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.figures import Figures
from tests.support.replicated import BODY, Register
from tests.support.replication import wait_until
from tests.support.serving import Server, serving

READERS = 3
SOMEBODY = json.dumps({"names": [{"kind": "published", "full_name": "Ada Example"}]}).encode()


@dataclass
class Readers:
    """Patients and clinics without a key, who ask as quickly as they are answered."""

    server: Server
    register: Register
    statuses: Counter[int] = field(default_factory=Counter)
    latest: str = ""
    """The latest instant that any answer claimed to know all of."""
    _ended: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        entry = f"/v1/bodies/{BODY}/registrations/{self.register.anyone}"
        paths = [f"{entry}/verification", entry, f"/v1/practitioners?number={self.register.anyone}"]
        while not self._ended.is_set():
            for path in paths:
                answer = self.server.ask(path)
                self.statuses[answer.status] += 1
                if path == entry and answer.status == 200:
                    self.latest = max(self.latest, answer.json()["as_of"])

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.read) for _ in range(READERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()


def record(server: Server, register: Register) -> int:
    """Try to record somebody; the status of the answer."""
    headers = {"Authorization": f"Bearer {register.registrar}", "Content-Type": "application/json"}
    answer = server.ask("/v1/admin/practitioners", "POST", SOMEBODY, **headers)
    assert answer.status in (201, 503), answer.body
    if answer.status == 503:
        assert int(answer.headers["retry-after"]) > 0
    return answer.status


def all_are_seen(server: Server) -> bool:
    """Whether every process has seen again each server that it had lost sight of."""
    lost, found = "database_server_not_seen", "database_server_seen_again"
    return len(server.events(lost)) == len(server.events(found))


def test_no_public_answer_is_missed_whichever_server_fails(
    own: Register, tmp_path: Path, figures: Figures
) -> None:
    first, (promoted, other) = own.cluster.primary, own.cluster.replicas
    environment = {"REGISTRY_REPLICA_URLS": ",".join(own.cluster.replica_urls), "WEB_CONCURRENCY": "2"}
    with serving(tmp_path, own.cluster.any_url, **environment) as server:
        readers = Readers(server, own)
        with readers.at_work():
            wait_until(lambda: "replica" in str(server.metrics()), "replicas are looked at")
            other.kill()
            assert record(server, own) == 201
            other.start()
            wait_until(lambda: all_are_seen(server), "the replica is seen again")
            recorded = datetime.now(UTC).isoformat()
            wait_until(lambda: readers.latest > recorded, "what was recorded is read from all")
            time.sleep(2)  # each process looks at each server again: two that fail at once are more than one
            first.kill()
            killed = datetime.now(UTC).isoformat()
            assert record(server, own) == 503
            wait_until(lambda: readers.latest > "", "somebody was answered")
            before = readers.statuses.total()
            wait_until(lambda: readers.statuses.total() > before + 50, "they are answered all the time")
            assert readers.latest <= killed
            promoted.promote()
            other.follow(promoted)
            began = datetime.now(UTC)
            wait_until(lambda: record(server, own) == 201, "a change is taken")
            figures.add(
                "a change is taken after a promotion", (datetime.now(UTC) - began).total_seconds(), "s"
            )
            wait_until(lambda: readers.latest > began.isoformat(), "the public is answered as of now")
    figures.add("public reads while servers failed", readers.statuses.total())
    figures.add("of these, not answered", readers.statuses.total() - readers.statuses[200])
    assert set(readers.statuses) == {200}
