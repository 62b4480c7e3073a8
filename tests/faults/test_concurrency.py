"""Thirty-two clients change the same records through real server processes, at once."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from registry.cli import main
from registry.services.principals import Role
from registry.store import tables
from registry.store.audit_tables import audit_entries
from tests.support import factories
from tests.support.serving import Answer, Server, serving

CLIENTS = 32
TURNS = 3
NEEDLING = ["dry_needling"]


@dataclass
class Seen:
    """What all clients were answered, together."""

    statuses: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    acknowledged: Counter[str] = field(default_factory=Counter)

    def acknowledge(self, what: str) -> None:
        with self.lock:
            self.acknowledged[what] += 1

    def note(self, answer: Answer) -> Answer:
        with self.lock:
            self.statuses[answer.status] += 1
        return answer


@dataclass
class Client:
    """A registrar's program: reads, changes what it read, and starts anew where somebody was quicker."""

    server: Server
    key: str
    seen: Seen

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            named["Content-Type"] = "application/json"
        sent = None if body is None else json.dumps(body).encode()
        return self.seen.note(
            self.server.ask(path, method, sent, Authorization=f"Bearer {self.key}", **named)
        )

    def change(
        self, at: str, wanted: Callable[[Any], tuple[str, str, Any]], *, until: frozenset[int]
    ) -> Answer:
        """Read, and change what was read, until the answer is one of these."""
        while True:
            read = self.send("GET", at)
            assert read.status == 200, read.body
            method, path, body = wanted(read.json())
            answer = self.send(method, path, body, If_Match=read.headers["etag"])
            if answer.status in until:
                return answer
            assert answer.status == 412, answer.body


@dataclass(frozen=True)
class World:
    """What the clients fight over."""

    server: Server
    url: str
    key: str
    counters: tuple[str, ...]
    """People whose name is a number, which everyone counts up."""
    registrations: tuple[str, ...]
    grantable: tuple[str, ...]


@pytest.fixture
def world(database_url: str, tmp_path) -> Iterator[World]:
    with factories.database(database_url) as engine, engine.begin() as tx:
        body = factories.make_body(tx)
        key = factories.make_key(tx, Role.REGISTRAR, body)
        counters = [factories.make_person(tx, "Counter 0") for _ in range(4)]
        for person in counters:
            factories.make_registration(tx, body, person)
        fought = [factories.make_registration(tx, body) for _ in range(4)]
        grantable = [factories.make_registration(tx, body) for _ in range(4)]
        for record in grantable:
            factories.make_training(tx, record.person, body)
    with serving(tmp_path, database_url, REGISTRY_LIMIT_KEY="off") as server:
        ids = [tuple(kept.id for kept in kind) for kind in (counters, fought, grantable)]
        yield World(server, database_url, key, *ids)


def at_once(count: int, work: Callable[[int], None]) -> None:
    """So many threads, all begun together; what fails in one fails the test."""
    failures: list[BaseException] = []
    together = threading.Barrier(count)

    def run(number: int) -> None:
        together.wait()
        try:
            work(number)
        except BaseException as failure:  # noqa: BLE001 - raised again where the test sees it
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def count_of(person: Any) -> int:
    """What somebody has been counted up to."""
    (name,) = [n["full_name"] for n in person["names"] if n["ended_at"] is None]
    return int(name.split()[1])


def counted(url: str, table, *where) -> int:
    with factories.database(url) as engine, engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one()


def assert_whole(url: str, monkeypatch) -> None:
    """The standing is what the decisions fold to, and the audit's chain is unbroken."""
    monkeypatch.setenv("REGISTRY_DATABASE_URL", url)
    for words in (("check",), ("audit", "verify")):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output


def test_no_update_is_lost_and_what_is_derived_is_right(world, figures, monkeypatch):
    seen = Seen()
    acknowledged = seen.acknowledged
    before = counted(world.url, audit_entries)

    def work(number: int) -> None:
        client, rng = Client(world.server, world.key, seen), random.Random(number)  # noqa: S311 - chooses nothing secret
        for turn in range(TURNS):
            count_up(client, rng.choice(world.counters))
            seen.acknowledge("renamed")
            decide(client, rng.choice(world.registrations), turn)

    def count_up(client: Client, practitioner: str) -> None:
        def renamed(person: Any) -> tuple[str, str, Any]:
            named = [{"kind": "published", "full_name": f"Counter {count_of(person) + 1}"}]
            return "PATCH", path, {"names": named}

        path = f"/v1/admin/practitioners/{practitioner}"
        client.change(path, renamed, until=frozenset({200}))

    def decide(client: Client, registration: str, turn: int) -> None:
        """Suspended by one, reinstated by another: whichever makes sense as the record was read."""

        def decided(record: Any) -> tuple[str, str, Any]:
            suspended = record["today"]["standing"] == "suspended"
            kind = "reinstated" if suspended else "suspended"
            body = {"kind": kind, "effective_on": record["on"], "reason": f"Turn {turn}."}
            return "POST", f"{path}/decisions", body

        path = f"/v1/admin/registrations/{registration}"
        answer = client.change(path, decided, until=frozenset({201, 422}))
        if answer.status == 201:
            seen.acknowledge("decided")

    at_once(CLIENTS, work)
    edits = sum(count for status, count in seen.statuses.items() if status != 200) + acknowledged["renamed"]
    last = Client(world.server, world.key, seen)
    people = [last.send("GET", f"/v1/admin/practitioners/{id_}").json() for id_ in world.counters]
    recorded = counted(
        world.url, tables.decisions, tables.decisions.c.registration_id.in_(world.registrations)
    )
    lost = acknowledged["renamed"] - sum(map(count_of, people))
    lost += acknowledged["decided"] - (recorded - len(world.registrations))
    figures.add("concurrent edits tried", edits)
    figures.add("concurrent updates lost", lost)
    figures.add("5xx seen by concurrent clients", sum(n for s, n in seen.statuses.items() if s >= 500))
    assert lost == 0
    assert set(seen.statuses) <= {200, 201, 412, 422}, seen.statuses
    assert acknowledged["renamed"] == CLIENTS * TURNS
    told = counted(world.url, audit_entries) - before
    assert told == acknowledged["renamed"] + acknowledged["decided"]
    assert_whole(world.url, monkeypatch)


def test_a_grant_that_many_send_under_one_key_is_made_once(world, figures, monkeypatch):
    """Eight clients retry the same grant, as a program does that got no answer."""
    seen = Seen()
    versions = {
        id_: Client(world.server, world.key, seen)
        .send("GET", f"/v1/admin/registrations/{id_}")
        .headers["etag"]
        for id_ in world.grantable
    }

    def work(number: int) -> None:
        client, id_ = Client(world.server, world.key, seen), world.grantable[number % len(world.grantable)]
        grant = {"techniques": NEEDLING, "effective_on": "2026-02-01", "through": "2026-09-30"}
        path = f"/v1/admin/registrations/{id_}/authorizations"
        while True:
            answer = client.send(
                "POST", path, grant, If_Match=versions[id_], Idempotency_Key=f'"grant-{id_}"'
            )
            if answer.status != 409:
                break
        assert answer.status == 201, answer.body
        with seen.lock:
            answers[id_].add(answer.json()["decisions"][0]["id"])

    answers: dict[str, set[str]] = {id_: set() for id_ in world.grantable}
    at_once(CLIENTS, work)
    made = counted(world.url, tables.needling_authorizations)
    figures.add("duplicate grants", made - len(world.grantable))
    assert made == len(world.grantable)
    assert all(len(decisions) == 1 for decisions in answers.values())
    assert max(seen.statuses) < 500, seen.statuses
    assert_whole(world.url, monkeypatch)


def test_a_number_that_many_register_at_once_is_given_to_one(world, monkeypatch):
    seen = Seen()

    def work(number: int) -> None:
        client = Client(world.server, world.key, seen)
        body = {
            "practitioner": world.counters[0],
            "number": f"RACE-{number % 4}",
            "register_class": "general",
            "effective_on": "2026-01-01",
            "through": "2026-12-31",
        }
        answer = client.send("POST", "/v1/admin/bodies/ca-xx/registrations", body)
        assert answer.status in (201, 409), answer.body
        if answer.status == 201:
            seen.acknowledge(body["number"])

    at_once(CLIENTS, work)
    assert seen.acknowledged == {f"RACE-{number}": 1 for number in range(4)}
    assert_whole(world.url, monkeypatch)
