"""The pages over a small register with someone in every standing, on 20 November 2026."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from registry import clock
from registry.settings import Settings
from tests.support.application import running
from tests.support.databases import SqliteDatabases
from tests.support.factories import database
from tests.support.pages import browser_for_tests
from tests.support.people_in_every_state import NOW, fill

PUBLIC_URL = "https://needles.example"


@pytest.fixture(scope="session")
def filled_url(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    """A database for tests that only read."""
    with sqlite_databases.migrated() as url:
        with database(url) as engine, engine.begin() as tx:
            fill(tx)
        yield url


@pytest.fixture(scope="session")
def app(filled_url: str) -> Iterator[Flask]:
    with running(Settings(database_url=filled_url, public_url=PUBLIC_URL)) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(autouse=True)
def present(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """The present instant: a test may set another."""

    def at(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    at(NOW)
    return at


@pytest.fixture
def read(client: FlaskClient) -> Callable[..., str]:
    """The words of a page, as they are read from top to bottom."""

    def words(path: str, status: int = 200) -> str:
        response = client.get(path)
        assert response.status_code == status, response.text
        return in_words(response.text)

    return words


def in_words(page: str) -> str:
    main = page[page.index("<main") : page.index("</main>")] if "<main" in page else page
    main = re.sub(r"</?(a|bdi|code|span|strong)\b[^>]*>", "", main)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browser_for_tests() as browser:
        yield browser
