"""The application with two bodies, and somebody of each role signed in to the console."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser

from registry.services.principals import Role
from registry.settings import Settings
from registry.store.database import writing
from registry.store.records import Body
from tests.support.application import running
from tests.support.console import ORIGIN, Desk, sign_in
from tests.support.factories import make_body
from tests.support.pages import browser_for_tests

OWN, OTHER = "ca-own", "ca-other"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browser_for_tests() as browser:
        yield browser


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    """On one engine: what the console shows comes from services that are tested on both."""
    return Settings(database_url=sqlite_url, public_url=ORIGIN, pool_size=12)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    with running(settings) as app:
        yield app


@pytest.fixture
def own(app: Flask) -> Body:
    """The body of the registrar and the auditor."""
    with app.app_context(), writing() as tx:
        return make_body(tx, OWN)


@pytest.fixture
def other(app: Flask) -> Body:
    """A body that is none of theirs."""
    with app.app_context(), writing() as tx:
        return make_body(tx, OTHER)


@pytest.fixture
def registrar(app: Flask, own: Body) -> Desk:
    return sign_in(app, body=own.code)


@pytest.fixture
def auditor(app: Flask, own: Body) -> Desk:
    return sign_in(app, role=Role.AUDITOR, body=own.code, label="Ada Auditor")


@pytest.fixture
def operator(app: Flask, own: Body) -> Desk:
    return sign_in(app, role=Role.OPERATOR, label="Olu Operator")
