"""A server ends, reloads and is migrated beneath, and nobody who asks notices."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from registry.store import schema
from tests.serving.conftest import VERIFICATION, Register, fill
from tests.support.factories import database
from tests.support.figures import Figures
from tests.support.serving import PATIENCE, Server, ask, eventually, serving

KEYS = "/v1/admin/keys"
NEW_KEY = json.dumps({"role": "clinic", "label": "Ward 3"}).encode()

NEXT = '''
"""Everything that an expanding migration may do to what old code uses."""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9998", "{head}", None, None


def upgrade():
    for table in ("registrations", "entries", "bodies", "api_keys", "idempotency_keys"):
        op.add_column(table, sa.Column("added", sa.Text(), server_default="", nullable=False))
        op.create_index(f"ix_{{table}}_added", table, ["added"])
    op.create_table("additions", sa.Column("id", sa.Integer(), primary_key=True))
    with op.batch_alter_table("events", table_kwargs={{"sqlite_autoincrement": True}}) as events:
        events.add_column(sa.Column("added", sa.Text(), nullable=True))
        events.create_index("ix_events_added", ["added"])


def downgrade():
    raise NotImplementedError
'''


@contextmanager
def nobody_writes(url: str) -> Iterator[None]:
    """Within, whoever wants to write waits."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("LOCK TABLE idempotency_keys, api_keys, events IN EXCLUSIVE MODE")
        try:
            yield
        finally:
            connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


def is_ending(server: Server) -> bool:
    return any(line.get("message", "").startswith("Handling signal") for line in server.lines())


def test_a_request_under_way_is_answered_when_the_server_ends(register: Register, tmp_path: Path) -> None:
    with serving(tmp_path, register.url) as server, ThreadPoolExecutor(1) as pool:
        with nobody_writes(register.url):
            asked = pool.submit(ask, server.port, KEYS, "POST", NEW_KEY, register.as_operator)
            eventually(lambda: server.metric("registry_threads_busy") == 1, "the request did not come")
            server.signal(signal.SIGTERM)
            eventually(lambda: is_ending(server), "it does not end")
            assert not asked.done()
        assert asked.result(PATIENCE).status == 201
        assert server.process.wait(PATIENCE) == 0
    assert "SIGKILL" not in server.log.read_text()


def test_those_who_wait_for_events_are_let_go_in_good_order(register: Register, tmp_path: Path) -> None:
    """A stream lasts five minutes; so much time the server is not given."""
    with serving(tmp_path, register.url, REGISTRY_GRACEFUL_SECONDS="80") as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.request("GET", "/v1/changes/stream?after=now", headers=register.as_clinic)
        stream = connection.getresponse()
        assert stream.status == 200
        assert stream.readline().startswith(b"retry: ")
        with ThreadPoolExecutor(1) as pool:
            waits = pool.submit(ask, server.port, "/v1/changes?after=now&wait=60", headers=register.as_clinic)
            eventually(lambda: server.metric("registry_threads_busy") == 2, "nobody waits")
            server.signal(signal.SIGTERM)
            stream.read()  # raises where the last chunk is missing
            answer = waits.result(PATIENCE)
        connection.close()
        assert (answer.status, answer.json()["items"]) == (200, [])
        assert server.process.wait(PATIENCE) == 0
    assert "SIGKILL" not in server.log.read_text()


@dataclass
class Load:
    """People who ask and clerks who write, without a pause, until they are told to stop."""

    server: Server
    register: Register
    failures: list[str] = field(default_factory=list)
    answered: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, status: int) -> None:
        with self._lock:
            self.answered += 1
            if not 200 <= status < 300:
                self.failures.append(f"{what}: {status}")

    def until_told(self, what: str, work: Callable[[], int]) -> None:
        while not self._ended.is_set():
            try:
                self.note(what, work())
            except (OSError, HTTPException) as error:
                with self._lock:
                    self.failures.append(f"{what}: {error!r}")

    def by_itself(self) -> int:
        return self.server.ask(VERIFICATION).status

    def ready(self) -> int:
        return self.server.ask("/readyz").status

    def writing(self) -> int:
        once = {"Idempotency-Key": str(uuid4())}
        return ask(self.server.port, KEYS, "POST", NEW_KEY, {**self.register.as_operator, **once}).status

    @contextmanager
    def one_connection(self) -> Iterator[Callable[[], int]]:
        """As browsers and proxies do: the connection is used for as long as the server does not close it."""
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)

        def work() -> int:
            connection.request("GET", VERIFICATION)  # opens it again where it was to be closed
            answer = connection.getresponse()
            answer.read()
            return answer.status

        with closing(connection):
            yield work

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.one_connection() as on_one_connection, ThreadPoolExecutor(4) as pool:
            works = {
                "asked": self.by_itself,
                "asked on one connection": on_one_connection,
                "whether it is ready": self.ready,
                "wrote": self.writing,
            }
            running = [pool.submit(self.until_told, what, work) for what, work in works.items()]
            try:
                yield
            finally:
                self._ended.set()
            for each in running:
                each.result()

    def goes_on(self) -> None:
        """Wait until this many more were answered, whatever happened."""
        wanted = self.answered + 40
        eventually(lambda: self.answered >= wanted or self.failures, "nobody is answered any more")


def next_migration(folder: Path) -> Path:
    """A copy of the migrations, with one more."""
    copy = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / "9998_next.py").write_text(NEXT.format(head=schema.newest_revision()))
    return copy


def test_nobody_notices_a_reload_or_a_migration(
    register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: Figures
) -> None:
    """Old workers serve while the database goes ahead of them; then new ones take over."""
    with serving(tmp_path, register.url) as server:
        load = Load(server, register)
        with load.running():
            load.goes_on()
            server.reload()
            load.goes_on()
            monkeypatch.setattr(schema, "MIGRATIONS", next_migration(tmp_path))
            schema.upgrade(register.url)
            load.goes_on()
            server.reload()
            load.goes_on()
        with database(register.url) as engine:
            assert "additions" in inspect(engine).get_table_names()
        checks = {each["check"]: each["state"] for each in server.ask("/readyz").json()["checks"]}
        assert checks["migrations"] == "ahead"
    figures.add("requests during reloads and migrations", load.answered)
    figures.add("requests failed meanwhile", len(load.failures))
    assert load.failures == []


def test_a_migration_that_has_to_wait_lets_everybody_else_go_first(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reads for long: who asks meanwhile must not wait behind the migration that waits."""
    fill(postgresql_url)
    monkeypatch.setattr(schema, "MIGRATIONS", next_migration(tmp_path))
    with serving(tmp_path, postgresql_url) as server, ThreadPoolExecutor(1) as pool:
        engine = create_engine(postgresql_url)
        with engine.connect() as reader, engine.connect() as onlooker:
            reader.execute(text("SELECT count(*) FROM entries"))  # holds the table until it ends
            migrating = pool.submit(schema.upgrade, postgresql_url)
            eventually(lambda: _is_waited_for(onlooker), "the migration does not come so far")
            assert server.ask(VERIFICATION).status == 200
            assert not migrating.done()
            reader.rollback()
        engine.dispose()
        migrating.result(PATIENCE)
        assert server.ask(VERIFICATION).status == 200


def _is_waited_for(onlooker: Connection) -> bool:
    statement = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'entries'::regclass"
    waiting = bool(onlooker.execute(text(statement)).scalar_one())
    onlooker.rollback()
    return waiting
