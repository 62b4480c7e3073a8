"""Killed while clients write: what was acknowledged is there, and nothing is there by halves."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from registry.cli import main
from registry.services.principals import Role
from registry.store import tables
from registry.store.audit_tables import audit_entries
from tests.support import factories, replication
from tests.support.serving import ask, eventually, serving

WRITERS = 4
PAUSE = 0.03
"""Seconds after which who was refused or broken off tries again."""
WORKERS_KILLED = 40
SERVERS_KILLED = 4
POSTGRES_KILLED = 16
"""On SQLite and on PostgreSQL 44 rounds each, and 16 of PostgreSQL itself: 104."""


@dataclass(frozen=True)
class Register:
    """A register with somebody to be registered, and a registrar's key."""

    url: str
    key: str
    practitioner: str


@dataclass
class Writers:
    """Clients that register people as quickly as they are answered, and note what was acknowledged.

    :param prefix: of the numbers that they give, each number once.
    """

    register: Register
    port: int
    prefix: str = ""
    acknowledged: set[str] = field(default_factory=set)
    refused: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def _write(self, name: int) -> None:
        for count in itertools.count(1):
            if self._stop.is_set():
                return
            number = f"W{self.prefix}-{name}-{count}"
            try:
                status = self._register(number)
            except (OSError, HTTPException):
                self._stop.wait(PAUSE)
                continue
            with self._lock:
                if status == 201:
                    self.acknowledged.add(number)
                else:
                    self.refused[status] += 1
            if status != 201:
                self._stop.wait(PAUSE)

    def _register(self, number: str) -> int:
        body = {
            "practitioner": self.register.practitioner,
            "number": number,
            "register_class": "general",
            "effective_on": "2026-01-01",
            "through": "2026-12-31",
        }
        headers = {"Authorization": f"Bearer {self.register.key}", "Content-Type": "application/json"}
        path = "/v1/admin/bodies/ca-xx/registrations"
        return ask(self.port, path, "POST", json.dumps(body).encode(), headers).status

    def wait_for_more(self) -> None:
        """Until somebody is acknowledged who was not before: everything works again."""
        before = len(self.acknowledged)
        eventually(lambda: len(self.acknowledged) > before, f"nobody is acknowledged: {self.refused}")

    @contextmanager
    def writing(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._write, args=(name,)) for name in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            self.wait_for_more()
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()


def prepared(url: str) -> Register:
    with factories.database(url) as engine, engine.begin() as tx:
        body = factories.make_body(tx)
        person = factories.make_person(tx)
        factories.make_registration(tx, body, person)
        return Register(url, factories.make_key(tx, Role.REGISTRAR, body), person.id)


@pytest.fixture
def register(database_url: str) -> Register:
    return prepared(database_url)


def numbers_kept(url: str) -> set[str]:
    with factories.database(url) as engine, engine.connect() as connection:
        return set(connection.execute(select(tables.registrations.c.number)).scalars())


def halves(url: str) -> set[str]:
    """Registrations without their decision, event or entry in the audit, and those of nothing."""
    r, d, e, a = tables.registrations, tables.decisions, tables.events, audit_entries
    with factories.database(url) as engine, engine.connect() as connection:
        whole = set(connection.execute(select(r.c.id)).scalars())
        parts = [
            set(connection.execute(select(d.c.registration_id)).scalars()),
            set(connection.execute(select(e.c.registration_id)).scalars()),
        ]
        made = connection.execute(select(a.c.details).where(a.c.action == "create_registration")).scalars()
        told = {json.loads(details)["made"].rpartition("/")[2] for details in made}
        first = connection.execute(select(r.c.id).order_by(r.c.id).limit(1)).scalar_one()
    return set().union(*(part ^ whole for part in parts), told ^ (whole - {first}))


def assert_nothing_lost(writers: Writers, figures, rounds: int, monkeypatch) -> None:
    register = writers.register
    lost = writers.acknowledged - numbers_kept(register.url)
    by_halves = halves(register.url)
    figures.add("kills survived", rounds)
    figures.add("writes acknowledged between kills", len(writers.acknowledged))
    figures.add("acknowledged writes lost", len(lost))
    figures.add("writes there by halves", len(by_halves))
    assert not lost
    assert not by_halves
    assert set(writers.refused) <= {503}, writers.refused
    monkeypatch.setenv("REGISTRY_DATABASE_URL", register.url)
    for words in (("check",), ("audit", "verify")):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output


def test_workers_are_killed_under_load(register, tmp_path: Path, figures, monkeypatch):
    rng = random.Random(WORKERS_KILLED)  # noqa: S311 - chooses nothing secret
    with serving(tmp_path, register.url, WEB_CONCURRENCY="3", REGISTRY_LIMIT_KEY="off") as server:
        writers = Writers(register, server.port)
        with writers.writing():
            for _ in range(WORKERS_KILLED):
                time.sleep(rng.uniform(0, 0.3))
                for pid in rng.sample(server.workers(), k=1):
                    os.kill(pid, signal.SIGKILL)
            writers.wait_for_more()
    assert_nothing_lost(writers, figures, WORKERS_KILLED, monkeypatch)


def test_the_whole_server_is_killed_under_load(register, tmp_path: Path, figures, monkeypatch):
    writers = Writers(register, port=0)
    for round_ in range(SERVERS_KILLED):
        with serving(tmp_path, register.url, REGISTRY_LIMIT_KEY="off") as server:
            writers = Writers(register, server.port, str(round_), writers.acknowledged)
            with writers.writing():
                time.sleep(0.2 * round_)
                for pid in (server.process.pid, *server.workers()):
                    os.kill(pid, signal.SIGKILL)
                server.process.wait()
    assert_nothing_lost(writers, figures, SERVERS_KILLED, monkeypatch)


def kill(postgres: replication.Server) -> None:
    """All of its processes, without a word."""
    first = int((postgres.data / "postmaster.pid").read_text().splitlines()[0])
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    pids = [first, *map(int, children)]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "PostgreSQL survived")


def test_postgresql_is_killed_under_load(own_postgres, tmp_path: Path, figures, monkeypatch):
    register = prepared(own_postgres.url)
    rng = random.Random(POSTGRES_KILLED)  # noqa: S311 - chooses nothing secret
    seconds: list[float] = []
    with serving(tmp_path, register.url, REGISTRY_LIMIT_KEY="off") as server:
        workers = server.workers()
        writers = Writers(register, server.port)
        with writers.writing():
            for _ in range(POSTGRES_KILLED):
                time.sleep(rng.uniform(0, 0.4))
                kill(own_postgres)
                own_postgres.start()
                back = time.monotonic()
                writers.wait_for_more()
                seconds.append(time.monotonic() - back)
        assert server.workers() == workers  # nobody had to be started again
    figures.add("recovery after PostgreSQL was killed and started", max(seconds), "s")
    assert_nothing_lost(writers, figures, POSTGRES_KILLED, monkeypatch)
