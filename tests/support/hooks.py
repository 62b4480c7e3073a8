"""Subscriptions, deliverers in processes of their own, and a receiver that remembers everything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from registry import clock
from registry.services.bodies import get_body
from registry.services.keys import create_key
from registry.services.principals import Role
from registry.services.webhooks import NewWebhook, create_webhook
from registry.store import tables
from registry.store.webhook_tables import webhook_attempts, webhooks
from registry.store.webhooks import Webhook
from tests.support.factories import make_body, make_registration

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
"""Seconds within which a slow machine has done what is waited for."""


@dataclass(frozen=True)
class Arrival:
    """A message as it arrived. ``began``, ``ended``: by the monotonic clock."""

    path: str
    id: str
    body: bytes
    status: int
    began: float
    ended: float

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Recorder:
    """A receiver of any number of webhooks, told apart by their paths.

    :param answer: the status for a path; may take its time.
    """

    port: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    answer: Callable[[str], int] = lambda _: 204

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def ids(self, path: str) -> list[str]:
        return [each.id for each in list(self.arrivals) if each.path == f"/{path}"]


@contextmanager
def recording() -> Iterator[Recorder]:
    """A recorder that listens."""
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            began = time.monotonic()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = recorder.answer(self.path)
            ended, id_ = time.monotonic(), self.headers["webhook-id"]
            recorder.arrivals.append(Arrival(self.path, id_, body, status, began, ended))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: object) -> None:
            """Whoever sends may be killed at any moment."""

    server = Server(("127.0.0.1", 0), Handler)
    recorder.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def environment(url: str) -> dict[str, str]:
    """Of a deliverer."""
    return {
        **os.environ,
        "REGISTRY_DATABASE_URL": url,
        "REGISTRY_WEBHOOKS_ALLOW_LOOPBACK": "yes",
        "REGISTRY_WEBHOOKS_TOTAL_SECONDS": "1",
    }


def begin(url: str, *command: str) -> subprocess.Popen[str]:
    """Begin a module of Python beside this process, for the register at an address."""
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment(url),
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def delivering(url: str, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A deliverer in a process of its own; it ends by itself when it is asked to."""
    process = begin(url, *(command or ("registry.cli", "deliver")))
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert process.returncode == 0


def until(is_so: Callable[[], object], what: str = "it does not come", patience: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@dataclass(frozen=True)
class Hooks:
    """A body, and what is written for it."""

    engine: Engine

    def begin(self) -> Any:
        return self.engine.begin()

    def read(self, statement: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(statement))

    def subscribe(self, *urls: str) -> list[Webhook]:
        """Subscriptions of one owner, to what is to come."""
        with self.begin() as tx:
            return [subscribed(tx, url) for url in urls]

    def register(self, count: int = 1) -> None:
        """So many events, a transaction each."""
        for _ in range(count):
            with self.begin() as tx:
                code = tx.execute(select(tables.bodies.c.code)).scalars().first()
                make_registration(tx, make_body(tx) if code is None else get_body(tx, code))

    def events(self) -> list[str]:
        """All of the feed that everyone may see, in order."""
        e = tables.events
        everyones = select(e.c.id).where(e.c.audience.is_(None)).order_by(e.c.seq)
        return [row.id for row in self.read(everyones)]

    def state(self, webhook: Webhook) -> Any:
        return self.read(select(webhooks).where(webhooks.c.id == webhook.id))[0]

    def log(self, webhook: Webhook) -> Sequence[Any]:
        """The attempts, the earliest first."""
        a = webhook_attempts
        return self.read(select(a).where(a.c.webhook_id == webhook.id).order_by(a.c.at, a.c.id))


def subscribed(tx: Connection, url: str) -> Webhook:
    """A subscription of an owner of its own."""
    at = clock.now()
    key = create_key(
        tx, role=Role.CLINIC, body=None, label="clinic", expires_at=None, by="operator:tests", at=at
    )
    webhook, _ = create_webhook(tx, key.id, NewWebhook(url), at=at)
    return webhook
