"""The application on a database of its own, with two bodies and a key for every role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from registry.services.principals import Role
from registry.settings import Settings
from registry.store.database import writing
from registry.store.records import find_body
from tests.support.application import running
from tests.support.factories import make_body, make_key
from tests.support.world import make_world

OWN, OTHER = "ca-own", "ca-other"


@dataclass(frozen=True)
class Keys:
    """The secrets of keys. ``registrar`` and ``auditor`` are of the body ``OWN``."""

    operator: str
    registrar: str
    auditor: str
    clinic: str
    other_registrar: str
    other_auditor: str


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, public_url="https://registry.example", pool_size=12)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    with running(settings) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def keys(app: Flask) -> Keys:
    with app.app_context(), writing() as tx:
        own, other = make_body(tx, OWN), make_body(tx, OTHER)
        return Keys(
            operator=make_key(tx),
            registrar=make_key(tx, Role.REGISTRAR, own),
            auditor=make_key(tx, Role.AUDITOR, own),
            clinic=make_key(tx, Role.CLINIC),
            other_registrar=make_key(tx, Role.REGISTRAR, other),
            other_auditor=make_key(tx, Role.AUDITOR, other),
        )


@pytest.fixture
def parts(app: Flask, keys: Keys) -> dict[str, str]:
    """Something of each kind at the body ``OWN``, by the name of its part of an address."""
    with app.app_context(), writing() as tx:
        own = find_body(tx, OWN)
        assert own is not None
        return make_world(tx, own)


@dataclass(frozen=True)
class Bearer:
    """Headers of a principal: ``bearer(key)`` or ``bearer(key, **{"If-Match": ...})``."""

    def __call__(self, key: str, **headers: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}", **headers}


@pytest.fixture
def bearer() -> Bearer:
    return Bearer()
