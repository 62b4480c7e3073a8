"""A body with registrations of every kind, as a clinic sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from registry.services.principals import Role
from registry.store.database import writing
from registry.store.records import Body, RegistrationRecord
from tests.support.factories import make_authorization, make_body, make_key, make_registration


@dataclass
class Clinic:
    """A clinic that asks, with its key."""

    client: FlaskClient
    key: str

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=self.headers(headers))

    def put(self, path: str, value: Any = None, **options: Any) -> TestResponse:
        headers = self.headers(options.pop("headers", {}))
        return self.client.put(path, json=value, headers=headers, **options)

    def send(self, method: str, path: str, value: Any = None, **headers: str) -> TestResponse:
        return self.client.open(path, method=method, json=value, headers=self.headers(headers))

    def headers(self, others: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in others.items()}
        return {"Authorization": f"Bearer {self.key}", **named}


@pytest.fixture
def transaction(app: Flask) -> Callable[[], Any]:
    @contextmanager
    def begin() -> Iterator[Connection]:
        with app.app_context(), writing() as tx:
            yield tx

    return begin


@pytest.fixture
def body(transaction: Any) -> Body:
    with transaction() as tx:
        return make_body(tx)


@pytest.fixture
def authorized(transaction: Any, body: Body) -> RegistrationRecord:
    """PT-1 may needle independently through 2026."""
    with transaction() as tx:
        record, _ = make_authorization(tx, make_registration(tx, body, number="PT-1"))
        return record


@pytest.fixture
def clinic(app: Flask, transaction: Any) -> Clinic:
    with transaction() as tx:
        return Clinic(app.test_client(), make_key(tx, Role.CLINIC))


@pytest.fixture
def other_clinic(app: Flask, transaction: Any) -> Clinic:
    with transaction() as tx:
        return Clinic(app.test_client(), make_key(tx, Role.CLINIC))
