"""Alive is one thing, ready another."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient

from registry.settings import Settings
from tests.support.application import running


def test_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json() == {"status": "ok"}


def test_alive_but_not_ready_before_the_migrations(empty_database_url: str) -> None:
    with running(Settings(database_url=empty_database_url)) as app:
        assert app.test_client().get("/healthz").status_code == 200
        response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert "registry migrate" in response.get_json(force=True)["detail"]


def test_alive_but_not_ready_without_the_database(tmp_path: Path) -> None:
    with running(Settings(database_url=f"sqlite:///{tmp_path}/missing/register.db")) as app:
        assert app.test_client().get("/healthz").status_code == 200
        response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
