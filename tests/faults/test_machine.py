"""The machine lets the service down: no room, nothing to be written, another time, no connection left.

Whoever writes is told clearly, whoever reads is answered, and when it is over everything goes on by itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from registry.cli import main
from registry.services.principals import Role
from registry.store import schema
from tests.support import factories
from tests.support.postgres import installations
from tests.support.serving import Answer, Server, eventually, serving
from tests.support.small_disk import AS_SOMEBODY, SmallDisk, small_disk

TODAY = datetime.now(UTC).date()


@dataclass(frozen=True)
class Register:
    """A register with someone who may needle, and a registrar's key."""

    key: str
    number: str
    registration: str
    authorization: str


def prepared(url: str, *, through: date = date(2099, 12, 31)) -> Register:
    with factories.database(url) as engine, engine.begin() as tx:
        body = factories.make_body(tx, zone="UTC")
        record = factories.make_registration(tx, body, through=through)
        record, authorization = factories.make_authorization(tx, record, through=through)
        return Register(factories.make_key(tx, Role.REGISTRAR, body), record.number, record.id, authorization)


@dataclass(frozen=True)
class Visit:
    """What a registrar and a patient do with a running service."""

    server: Server
    register: Register

    def verify(self) -> Answer:
        path = f"/v1/bodies/ca-xx/registrations/{self.register.number}/verification"
        return self.server.ask(f"{path}?technique=dry_needling")

    def is_authorized(self) -> bool:
        answer = self.verify()
        assert answer.status == 200, answer.body
        authorized: bool = answer.json()["authorized"]
        return authorized

    def write(self) -> Answer:
        """Someone new."""
        body = {"names": [{"kind": "published", "full_name": "Ada Example"}], "languages": ["en"]}
        return self._send("POST", "/v1/admin/practitioners", body)

    def decide(self, kind: str) -> Answer:
        path = f"/v1/admin/registrations/{self.register.registration}"
        read = self.server.ask(path, Authorization=f"Bearer {self.register.key}")
        on = read.json()["on"]
        body = {"kind": kind, "effective_on": on, "reason": "As decided."}
        return self._send("POST", f"{path}/decisions", body, {"If-Match": read.headers["etag"]})

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        sent = {"Authorization": f"Bearer {self.register.key}", "Content-Type": "application/json"}
        return self.server.ask(path, method, json.dumps(body).encode(), **sent, **(headers or {}))


def assert_told_clearly(answer: Answer) -> None:
    """It is nobody's fault, and worth another try."""
    assert answer.status == 503, answer.body
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"] == "/problems/unavailable"


def recovers(visit: Visit, figures, what: str) -> None:
    """Someone can be written down again, by the same processes; prints after how long."""
    begun = time.monotonic()
    eventually(lambda: visit.write().status == 201, f"nothing can be written after {what}")
    figures.add(f"recovery after {what}", time.monotonic() - begun, "s")


def assert_whole(url: str, monkeypatch) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", url)
    for words in (("check",), ("audit", "verify")):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder, 24) as disk:
        yield disk


@pytest.fixture
def on_disk(sqlite_url: str, disk: SmallDisk) -> Register:
    """A register in the file ``register.db`` of the small disk."""
    register = prepared(sqlite_url)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as source:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(sqlite_url.removeprefix("sqlite:///"), disk.outside / "register.db")
    return register


def assert_whole_on(disk: SmallDisk) -> None:
    """As :func:`assert_whole`, from within."""
    for words in (("check",), ("audit", "verify")):
        url = f"sqlite:///{disk.inside}/register.db"
        disk.run(sys.executable, "-m", "registry.cli", *words, REGISTRY_DATABASE_URL=url)


def test_the_disk_is_full(disk, on_disk, tmp_path, figures):
    url = f"sqlite:///{disk.inside}/register.db"
    with serving(tmp_path, url, prefix=disk.prefix, REGISTRY_LIMIT_KEY="off") as server:
        visit, workers = Visit(server, on_disk), server.workers()
        assert visit.write().status == 201
        disk.fill()
        refusals = 0
        while (answer := visit.write()).status == 201:  # into pages that the file has already
            refusals += 1
            assert refusals < 2000
        assert_told_clearly(answer)
        assert visit.is_authorized()
        assert server.ask("/healthz").status == 200
        disk.clear()
        recovers(visit, figures, "a full disk")
        assert server.workers() == workers
        assert_whole_on(disk)


def test_the_disk_is_read_only(disk, on_disk, tmp_path, figures):
    """As a machine remounts it whose disk fails: the processes start anew, and find it so."""
    url = f"sqlite:///{disk.inside}/register.db"
    with serving(tmp_path, url, prefix=disk.prefix, REGISTRY_LIMIT_KEY="off") as server:
        assert Visit(server, on_disk).write().status == 201
        pids = [server.process.pid, *server.workers()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        server.process.wait()
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "they did not end")
    disk.read_only(so=True)
    with serving(tmp_path, url, prefix=disk.prefix, REGISTRY_LIMIT_KEY="off") as server:
        visit, workers = Visit(server, on_disk), server.workers()
        assert visit.is_authorized()
        assert_told_clearly(visit.write())
        assert visit.is_authorized()
        disk.read_only(so=False)
        recovers(visit, figures, "a read-only disk")
        assert server.workers() == workers
        assert_whole_on(disk)


@dataclass(frozen=True)
class Cramped:
    """A PostgreSQL of which a part is on a small disk."""

    binaries: Path
    home: Path
    disk: SmallDisk

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.home}"

    def run(self, program: str, *arguments: str) -> None:
        log = self.home / "output"  # a server would hold a pipe open
        with log.open("a") as output:
            command = [*self.disk.prefix, str(self.binaries / program), *arguments]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            )
        assert done.returncode == 0, log.read_text()

    def start(self) -> None:
        log = str(self.home / "log")
        self.run("pg_ctl", "start", "-w", "-t", "60", "-D", str(self.home / "data"), "-l", log)

    def is_running(self) -> bool:
        return (self.home / "data" / "postmaster.pid").exists()


@contextmanager
def cramped(folder: Path, *, wal_on_disk: bool) -> Iterator[Cramped]:
    """A PostgreSQL with its tables on a small disk, or, instead, with its log of what was written."""
    home, on_disk = folder / "home", folder / "disk"
    for each in (home, on_disk):
        each.mkdir()
    _, binaries = next(installations())
    data, wal = (home / "data", on_disk / "wal") if wal_on_disk else (on_disk / "data", home / "wal")
    with small_disk(on_disk, 40 if wal_on_disk else 128, AS_SOMEBODY) as disk:
        postgres = Cramped(binaries, home, disk)
        postgres.run(
            *("initdb", "--pgdata", str(data), "--waldir", str(wal), "--username", "postgres", "--no-sync"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--wal-segsize", "1"),
        )
        if not wal_on_disk:
            (home / "data").symlink_to(data)
        settings = f"listen_addresses = ''\nunix_socket_directories = '{home}'\nmax_wal_size = '8MB'\n"
        inside = disk.outside / "data" if not wal_on_disk else data
        with (inside / "postgresql.conf").open("a") as configuration:
            configuration.write(f"{settings}min_wal_size = '2MB'\nautovacuum = off\n")
        postgres.start()
        try:
            yield postgres
        finally:
            if (inside / "postmaster.pid").exists():
                postgres.run("pg_ctl", "stop", "-m", "immediate", "-D", str(home / "data"))


def fill_with_people(visit: Visit) -> int:
    """Until one is refused: how many were written down."""
    written = 0
    while (answer := visit.write()).status == 201:
        written += 1
        assert written < 20_000
    assert answer.json()["type"] in ("/problems/unavailable", "/problems/outcome-unknown")
    assert (answer.status, int(answer.headers["retry-after"]) > 0) == (503, True)
    return written


def people(url: str) -> int:
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(*) FROM practitioners").fetchone()
    assert found is not None
    return int(found[0])


def test_the_disk_of_postgresqls_tables_is_full(tmp_path, figures, monkeypatch):
    """It goes on, refuses what needs room and answers what does not."""
    with cramped(tmp_path, wal_on_disk=False) as postgres:
        schema.upgrade(postgres.url)
        register = prepared(postgres.url)
        with serving(tmp_path, postgres.url) as server:
            visit, workers, before = Visit(server, register), server.workers(), people(postgres.url)
            postgres.disk.fill()
            written = fill_with_people(visit)
            assert visit.is_authorized()
            assert people(postgres.url) == before + written
            postgres.disk.clear()
            recovers(visit, figures, "a full disk of PostgreSQL's tables")
            assert server.workers() == workers
        assert_whole(postgres.url, monkeypatch)


def test_the_disk_of_postgresqls_log_is_full(tmp_path, figures, monkeypatch):
    """It gives up, and cannot come back before there is room: until then everybody is told clearly."""
    with cramped(tmp_path, wal_on_disk=True) as postgres:
        schema.upgrade(postgres.url)
        register = prepared(postgres.url)
        with serving(tmp_path, postgres.url) as server:
            visit, workers, before = Visit(server, register), server.workers(), people(postgres.url)
            postgres.disk.fill()
            written = fill_with_people(visit)
            eventually(lambda: not postgres.is_running(), "PostgreSQL goes on")
            assert_told_clearly(visit.verify())
            assert_told_clearly(visit.write())
            assert server.ask("/healthz").status == 200
            postgres.disk.clear()
            postgres.start()
            recovers(visit, figures, "a full disk of PostgreSQL's log")
            assert visit.is_authorized()
            lost = before + written + 1 - people(postgres.url)  # the one that recovered is there, too
            figures.add("acknowledged writes lost", max(0, lost))
            assert lost in (0, -1)  # of the one that was refused it was not known whether it is there
            assert server.workers() == workers
        assert_whole(postgres.url, monkeypatch)


@contextmanager
def shifted(tmp_path: Path, url: str) -> Iterator[tuple[Server, Any]]:
    """A service whose clock can be set, by so many hours."""
    offset = tmp_path / "offset"
    offset.write_text("0")
    configuration = f"""
from datetime import timedelta
as_shipped = post_worker_init
def post_worker_init(worker):
    from registry import clock
    present = clock.now
    def now():
        with open({str(offset)!r}) as file:
            return present() + timedelta(hours=float(file.read()))
    clock.now = now
    as_shipped(worker)
"""
    with serving(tmp_path, url, configuration=configuration) as server:
        yield server, lambda hours: offset.write_text(str(hours))


def test_the_clock_is_set_back_while_decisions_are_recorded(database_url, tmp_path, monkeypatch):
    """What was recorded last holds, whatever the clock says: or a suspension would be without effect."""
    register = prepared(database_url)
    with shifted(tmp_path, database_url) as (server, set_clock):
        visit = Visit(server, register)
        assert visit.decide("suspended").status == 201
        set_clock(-1 / 60)
        assert visit.decide("reinstated").status == 201
        assert visit.is_authorized()
        set_clock(-2 / 60)
        assert visit.decide("suspended").status == 201
        assert not visit.is_authorized()
        set_clock(0)
        assert not visit.is_authorized()
    assert_whole(database_url, monkeypatch)


def test_the_clock_is_set_forward_and_back_again(database_url, tmp_path, monkeypatch):
    """A term ends on its day by the clock as it is, and nothing that was said on the way is kept."""
    register = prepared(database_url, through=datetime.now(UTC).date() + timedelta(days=2))
    with shifted(tmp_path, database_url) as (server, set_clock):
        visit = Visit(server, register)
        assert visit.is_authorized()
        set_clock(4 * 24)
        assert not visit.is_authorized()
        assert visit.write().status == 201
        set_clock(0)
        assert visit.is_authorized()
        assert visit.write().status == 201
    assert_whole(database_url, monkeypatch)


def test_no_connection_is_left(own_postgres, tmp_path, figures):
    """Others hold every connection that PostgreSQL has."""
    register = prepared(own_postgres.url)
    with serving(tmp_path, own_postgres.url) as server, ExitStack() as held:
        visit, workers = Visit(server, register), server.workers()
        with suppress(psycopg.OperationalError):
            for _ in range(1000):
                held.enter_context(psycopg.connect(own_postgres.url))
        assert_told_clearly(visit.write())
        for answer in [visit.verify() for _ in range(8)]:  # by a connection that was there, or told clearly
            if answer.status != 200:
                assert_told_clearly(answer)
        assert server.ask("/healthz").status == 200
        held.close()
        recovers(visit, figures, "want of connections")
        assert visit.is_authorized()
        assert server.workers() == workers


def test_somebody_else_writes_for_too_long(sqlite_url, tmp_path, figures):
    """SQLite has one writer: who waits in vain is told, and who reads does not notice."""
    register = prepared(sqlite_url)
    with serving(tmp_path, sqlite_url, REGISTRY_BUSY_SECONDS="1") as server:
        visit = Visit(server, register)
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert_told_clearly(visit.write())
            assert visit.is_authorized()
            other.execute("ROLLBACK")
        recovers(visit, figures, "a long write of somebody else")
