"""A register on a primary with replicas, and the application before it, in this process."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from registry.services.principals import Role
from registry.settings import OFF, Settings
from registry.store.database import REPLICAS, db
from registry.store.replicas import Replicas
from registry.store.schema import upgrade
from tests.support import factories
from tests.support.application import running
from tests.support.postgres import locked
from tests.support.replication import Cluster, make_cluster, running_copy, wait_until

BODY = "ca-own"
LAG = 2
"""Seconds that a replica may lag here: less than anyone can set, so that a test need not wait long."""

UNLIMITED: dict[str, Any] = {f.name: OFF for f in fields(Settings) if f.name.startswith("limit_")}


@dataclass
class Register:
    """A cluster with a register, and who may change it."""

    cluster: Cluster
    registrar: str
    anyone: str
    """The number of somebody who may needle, for tests that only read."""
    registrations: dict[str, str]
    """The identifier of an authorization by the number of its registration; used by nobody yet."""

    def settings(self, **others: Any) -> Settings:
        common: dict[str, Any] = {
            "database_url": self.cluster.any_url,
            "replica_urls": self.cluster.replica_urls,
            "replica_lag_seconds": LAG,
        }
        return Settings(**{**common, **UNLIMITED, **others})

    def someone(self) -> tuple[str, str]:
        """The number of somebody who may needle, for this test alone, and the authorization."""
        return self.registrations.popitem()


@contextmanager
def running_register(directory: Path, replicas: int = 2) -> Iterator[Register]:
    """A register of a dozen people, each of whom may needle: a copy of one that is made once in a test run.

    :raises tests.support.postgres.PostgresUnavailableError: there is no PostgreSQL to start.
    """
    made = directory / "register.pickle"
    with locked(directory / "register.lock"):
        if not made.exists():
            made.write_bytes(pickle.dumps(_make_register(directory)))
    pristine: Register = pickle.loads(made.read_bytes())  # noqa: S301 - written by this very test run
    with running_copy(pristine.cluster, directory, replicas) as cluster:
        yield replace(pristine, cluster=cluster)


def _make_register(directory: Path) -> Register:
    found: dict[str, str] = {}
    secret = ""

    def fill(url: str) -> None:
        nonlocal secret
        upgrade(url)
        with factories.database(url) as engine, engine.begin() as tx:
            body = factories.make_body(tx, BODY)
            secret = factories.make_key(tx, Role.REGISTRAR, body)
            for _ in range(12):
                record, id_ = factories.make_authorization(tx, factories.make_registration(tx, body))
                found[record.number] = id_

    cluster = make_cluster(directory, 2, fill)
    anyone = next(iter(found))
    del found[anyone]
    return Register(cluster, secret, anyone, found)


@dataclass
class Asking:
    """A client of the application, and which servers it was answered from."""

    app: Flask
    register: Register
    reads: list[str]

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    @property
    def replicas(self) -> Replicas:
        found: Replicas = self.app.extensions[REPLICAS]
        return found

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def verify(self, number: str, query: str = "technique=dry_needling", **options: Any) -> TestResponse:
        return self.get(f"/v1/bodies/{BODY}/registrations/{number}/verification?{query}", **options)

    def suspend(self, authorization: str, **headers: str) -> TestResponse:
        path = f"/v1/admin/authorizations/{authorization}"
        etag = self.get(path, headers=self.keyed()).headers.get("ETag", '"1-0000000000000000"')
        wish = {"kind": "suspended", "effective_on": "2026-01-01", "reason": "a complaint"}
        return self.client.post(
            f"{path}/decisions", json=wish, headers=self.keyed(**{"If-Match": etag, **headers})
        )

    def keyed(self, **headers: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.register.registrar}", **headers}

    def sources(self, ask: Callable[[], TestResponse]) -> list[str]:
        """From which servers a request was answered: ``primary``, or a replica's name."""
        self.reads.clear()
        assert ask().status_code == 200
        return list(self.reads)

    def wait_until_read_from(self, *names: str) -> None:
        """Wait until these replicas are read from, and no others."""

        def are() -> bool:
            return {source.replica.name for source in self.replicas._fit(LAG) if source.replica} == set(names)

        self.get("/v1/bodies")
        wait_until(are, f"only {names} are fit: {self.replicas.ages()}")


@contextmanager
def asking(register: Register, **others: Any) -> Iterator[Asking]:
    with running(register.settings(**others)) as app:
        reads: list[str] = []
        with app.app_context():
            for name, engine in db.engines.items():

                @event.listens_for(engine, "checkout")
                def note(*_: object, name: str = name or "writes") -> None:
                    reads.append("primary" if name == "public" else name)

        yield Asking(app, register, reads)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def as_of(response: TestResponse) -> datetime:
    """Until when all that was recorded is in an answer, as it claims: in its body, or in its header."""
    said = instant(response.get_json()["as_of"])
    marked = response.headers.get("Registry-As-Of")
    return said if marked is None else max(said, instant(marked))
