"""Webhooks: how soon a decision arrives, what waiting costs, and what a dead tenth costs the others.

    python -m bench.webhooks [sqlite:////tmp/fresh.db] [postgresql://...]

Each address is of a database that is empty, or not there yet. Deliverers are real processes; the receivers
are here, so that one clock tells when a transaction was committed and when its message arrived.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from flask import Flask
from sqlalchemy import Connection, delete, event

from registry.clock import now
from registry.delivery.sending import Sender
from registry.domain.rules import BodyRules
from registry.domain.vocabulary import DecisionKind, NameKind
from registry.http.clinic.webhook_messages import Messages
from registry.log import configure_log
from registry.services import bodies, keys, people, registrations
from registry.services.delivering import Deliverer
from registry.services.principals import Role
from registry.services.webhooks import NewWebhook, create_webhook
from registry.services.wishes import Wish
from registry.settings import Settings
from registry.store import schema
from registry.store.database import (
    connect_to_database,
    db,
    disconnect,
    reading,
    watching_engine,
    writing,
)
from registry.store.feed_watch import FeedBell
from registry.store.people import NewName
from registry.store.records import Body
from registry.store.webhook_tables import webhook_attempts, webhook_secrets, webhooks
from tests.support.postgres import PostgresUnavailableError, find_server, stop_server

from .figures import Figure, Goal, table
from .servers import ROOT

SUBSCRIPTIONS, DEAD = 1000, 100
DECISIONS, ROUNDS = 40, 3
IDLE_SECONDS = 10
HANGS_SECONDS = 20.0
BY = "bench"


class Receivers:
    """Receivers on one port. Those whose path begins with ``/dead`` hang; the others answer at once."""

    def __init__(self) -> None:
        self.arrived: dict[str, float] = {}
        self.wake = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if self.path.startswith("/dead"):
                    outer.wake.wait(HANGS_SECONDS)
                else:
                    outer.arrived[self.path] = time.monotonic()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 1024

            def handle_error(self, *_: object) -> None:
                """Whoever hung up has hung up."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path: str) -> str:
        """The address of one of them."""
        return f"http://127.0.0.1:{self.port}{path}"

    def wait_for(self, paths: Sequence[str], seconds: float = 120) -> None:
        """Until each of these was sent something."""
        deadline = time.monotonic() + seconds
        while not self.arrived.keys() >= set(paths):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(set(paths) - self.arrived.keys())} were sent nothing")
            time.sleep(0.01)


@contextmanager
def delivering(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A deliverer, as it is shipped."""
    environment = {
        **os.environ,
        "REGISTRY_DATABASE_URL": url,
        "REGISTRY_WEBHOOKS_ALLOW_LOOPBACK": "yes",
    }
    command = [sys.executable, "-m", "registry.cli", "deliver"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def make_body(tx: Connection) -> Body:
    """A body that registers everyone."""
    at = now()
    facts = bodies.BodyFacts(code="bench", name="Bench", jurisdiction="CA", zone="America/Toronto")
    body = bodies.create_body(tx, facts, at=at)
    rules = BodyRules(holds_from=date(2020, 1, 1), recorded_at=at, eligible_classes=frozenset({"general"}))
    bodies.add_rules(tx, body, rules, by=BY, at=at)
    return bodies.get_body(tx, "bench")


def decide(code: str, number: str) -> float:
    """One decision, which is one event; the instant (monotonic) after its commit."""
    with writing() as tx:
        at = now()
        person = people.add_person(tx, [NewName(NameKind.PUBLISHED, "Ana Ito", "Ana", "Ito")], by=BY, at=at)
        wish = Wish(DecisionKind.GRANTED, date(2026, 1, 1), scope={"register_class": "general"})
        applied = registrations.Applied(person.id, number, None)
        registrations.register(tx, bodies.get_body(tx, code), applied, wish, by=BY, at=at)
    return time.monotonic()


def subscribe(owner_id: str, urls: Sequence[str]) -> None:
    """Subscriptions to what is to come, in place of those that there were."""
    with writing() as tx:
        for each in (webhook_attempts, webhook_secrets, webhooks):
            tx.execute(delete(each))
        for url in urls:
            create_webhook(tx, owner_id, NewWebhook(url), at=now())


def measure(engine: str, url: str) -> Iterator[Figure]:
    """The figures of one engine, in a database of its own."""
    configure_log()
    schema.upgrade(url)
    settings = Settings(database_url=url, webhooks_allow_loopback=True)
    app, receivers = Flask(__name__), Receivers()
    connect_to_database(app, settings)
    with app.app_context():
        with writing() as tx:
            body = make_body(tx)
            key = keys.create_key(tx, role=Role.CLINIC, body=None, label=BY, expires_at=None, by=BY, at=now())
        numbers = (f"B-{n}" for n in range(1_000_000))
        yield _one(engine, url, receivers, key.id, lambda: decide(body.code, next(numbers)))
        yield _idle(engine, app, settings)
        yield from _many(engine, url, receivers, key.id, lambda: decide(body.code, next(numbers)))
    receivers.wake.set()
    receivers.server.shutdown()
    disconnect(app)


def _one(engine: str, url: str, receivers: Receivers, owner_id: str, decided: Callable[[], float]) -> Figure:
    subscribe(owner_id, [receivers.url("/one")])
    delays = []
    with delivering(url):
        decided()
        receivers.wait_for(["/one"])
        for _ in range(DECISIONS):
            time.sleep(0.1)  # so that each is alone
            receivers.arrived.clear()
            committed = decided()
            receivers.wait_for(["/one"])
            delays.append(receivers.arrived["/one"] - committed)
    middle = median(delays) * 1000
    return Figure("webhook_arrival_p50", engine, 1, middle, "ms", Goal(300, at_least=False))


def _idle(engine: str, app: Flask, settings: Settings) -> Figure:
    """Statements in a second in which nothing happens, all connections of a deliverer together."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    longest = timedelta(seconds=settings.webhooks_total_seconds)
    deliverer = Deliverer(reading, writing, Sender.of(settings), longest, Messages())
    engines = set(db.engines.values())
    for each in engines:
        event.listen(each, "before_cursor_execute", note)

    bell = FeedBell(watching_engine(), deliverer.ring)
    bell.start()

    def run() -> None:
        with app.app_context():
            deliverer.run()

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(3)
    said.clear()
    time.sleep(IDLE_SECONDS)
    found = len(said) / IDLE_SECONDS
    bell.ended = True
    deliverer.stop()
    thread.join()
    for each in engines:
        event.remove(each, "before_cursor_execute", note)
    return Figure("webhook_idle_statements_per_second", engine, 1, found, "", Goal(1.1, at_least=False))


def _many(
    engine: str, url: str, receivers: Receivers, owner_id: str, decided: Callable[[], float]
) -> Iterator[Figure]:
    middles: dict[int, list[float]] = {0: [], DEAD: []}
    for _ in range(ROUNDS):
        for dead in (0, DEAD):
            every = SUBSCRIPTIONS // dead if dead else SUBSCRIPTIONS + 1
            paths = [f"/dead/{n}" if n % every == 0 and dead else f"/live/{n}" for n in range(SUBSCRIPTIONS)]
            live = [path for path in paths if path.startswith("/live")]
            subscribe(owner_id, [receivers.url(path) for path in paths])
            with delivering(url):
                time.sleep(3)  # until it has begun
                receivers.arrived.clear()
                committed = decided()
                receivers.wait_for(live)
                middles[dead].append(median(receivers.arrived[path] for path in live) - committed)
                receivers.wake.set()
            receivers.wake = threading.Event()
    none, some = (median(middles[dead]) * 1000 for dead in (0, DEAD))
    people = SUBSCRIPTIONS
    yield Figure("webhook_many_arrival_p50", engine, people, none, "ms")
    yield Figure("webhook_many_arrival_p50_beside_a_dead_tenth", engine, people, some, "ms")
    ratio = Goal(2, at_least=False)
    yield Figure("webhook_many_x_without_dead", engine, people, some / none, "x", ratio)


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str]]:
    """The address of an empty database of each engine that can be had here, by the engine's name."""
    found = {"sqlite": f"sqlite:///{folder}/webhooks.db"}
    folder.chmod(0o711)  # root's PostgreSQL runs under another account, which must get through
    try:
        found["postgresql"] = find_server(folder)
    except PostgresUnavailableError as error:
        print(f"no PostgreSQL: {error}", file=sys.stderr)
    try:
        yield found
    finally:
        stop_server(folder)


def main(urls: Sequence[str]) -> None:
    """Print the figures of these databases; without any, of new ones."""
    given = {url.partition(":")[0]: url for url in urls}
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder, databases(Path(folder)) as made:
        found = [figure for engine, url in (given or made).items() for figure in measure(engine, url)]
    print(datetime.now(UTC).isoformat(timespec="seconds"))
    print(table(found, {}))


if __name__ == "__main__":
    main(sys.argv[1:])
