"""A register that is served on a port, and the clients that ask it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
import yaml
from flask import Flask
from sqlalchemy import Connection

from needling_registry import Registry, Retries
from registry.domain.vocabulary import DecisionKind
from registry.services.decisions import get_record
from registry.services.principals import Role
from registry.settings import Settings
from registry.store.database import writing
from registry.store.records import Body, RegistrationRecord
from tests.support.application import running, serving
from tests.support.databases import SqliteDatabases
from tests.support.factories import decide, make_authorization, make_body, make_key, make_registration

BODY = "ca-ab"
FIRST, LAST = date(2025, 1, 1), date(2100, 12, 31)


@dataclass
class Served:
    """A register with PT-1, who is authorized from ``FIRST`` to ``LAST``, and PT-2, who is not.

    The tests of a module share it: what one changes, it has made for itself.
    """

    app: Flask
    url: str
    body: Body

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with self.app.app_context(), writing() as tx:
            yield tx

    def key(self, role: Role = Role.CLINIC) -> str:
        """The key of somebody who has none yet."""
        with self.transaction() as tx:
            return make_key(tx, role)

    def authorize(self, number: str, **asked: Any) -> RegistrationRecord:
        """Register somebody, and authorize them."""
        with self.transaction() as tx:
            record = make_registration(tx, self.body, number=number, through=LAST)
            return make_authorization(tx, record, through=LAST, **asked)[0]

    def suspend(self, record: RegistrationRecord, on: date = date(2026, 3, 1)) -> None:
        """Suspend a registration, on the day itself."""
        at = datetime(on.year, on.month, on.day, 19, tzinfo=UTC)
        with self.transaction() as tx:
            decide(tx, get_record(tx, record.id), DecisionKind.SUSPENDED, on, at=at)


@pytest.fixture(scope="module")
def served(sqlite_databases: SqliteDatabases) -> Iterator[Served]:
    with (
        sqlite_databases.migrated() as database,
        running(Settings(database_url=database, webhooks_allow_loopback=True)) as app,
    ):
        with app.app_context(), writing() as tx:
            body = make_body(tx, BODY)
            make_registration(tx, body, number="PT-2", through=LAST)
        with serving(app) as url:
            served = Served(app, url, body)
            served.authorize("PT-1")
            yield served


class Recording(urllib3.PoolManager):
    """Connections that remember what was sent over them."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str, dict[str, str]]] = []

    def request(self, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        self.sent.append((method, url, dict(options.get("headers", {}))))
        return super().request(method, url, *arguments, **options)


@pytest.fixture(scope="session")
def described() -> dict[str, Any]:
    """What openapi.yaml says."""
    kept = Path(__file__).parents[2] / "openapi.yaml"
    document: dict[str, Any] = yaml.load(kept.read_text(), yaml.CSafeLoader)
    return document


@pytest.fixture
def registry(served: Served, described: dict[str, Any]) -> Iterator[Registry]:
    """A clinic's client, each of whose requests has to be one that openapi.yaml describes."""
    pool = Recording()
    yield Registry(served.url, served.key(), pool=pool)
    for method, url, headers in pool.sent:
        refuse_undescribed(described, method, url, headers)
    pool.clear()


def refuse_undescribed(document: dict[str, Any], method: str, url: str, headers: dict[str, str]) -> None:
    parts = urlsplit(url)
    found = [
        (item, item[method.lower()])
        for path, item in document["paths"].items()
        if method.lower() in item and re.fullmatch(re.sub("{[^}]*}", "[^/]+", path), parts.path)
    ]
    assert found, f"{method} {parts.path} is not described"
    _, operation = min(found, key=lambda each: len(each[0].get("parameters", ())))
    parameters = [_resolved(document, each) for each in operation.get("parameters", ())]
    named = {(each["in"], each["name"].lower()) for each in parameters}
    assert {("query", name) for name in parse_qs(parts.query)} <= named
    conditional = {name.lower() for name in headers} & {"if-match", "idempotency-key"}
    assert {("header", name) for name in conditional} <= named
    required = {each["name"].lower() for each in parameters if each["in"] == "header" and each["required"]}
    assert required <= {name.lower() for name in headers}


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    name = part["$ref"].rpartition("/")[2]
    found: dict[str, Any] = document["components"]["parameters"][name]
    return found


@dataclass
class Slept:
    """Delays that nobody waited for."""

    seconds: list[float]

    def retries(self, **options: Any) -> Retries:
        """Retries that note their delays, each the longest of its jitter."""
        return Retries(sleep=self.seconds.append, uniform=max, **options)


@pytest.fixture
def slept() -> Slept:
    return Slept([])
