"""A pool without a connection to spare; whether there are threads enough is another matter."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from registry.store.database import db
from tests.http.conftest import Keys

PATHS = ("/v1/bodies", "/v1/admin/keys", "/v1/practitioners?name=ana")
"""That a database is asked for: in public, by a registrar."""


def test_where_every_connection_is_taken_it_is_told_clearly_and_goes_on_by_itself(
    app: Flask, client: FlaskClient, keys: Keys
) -> None:
    asked = {path: {"Authorization": f"Bearer {keys.operator}"} if "admin" in path else {} for path in PATHS}
    with app.app_context():
        engines = list(db.engines.values())
    patience = [engine.pool._timeout for engine in engines]  # type: ignore[attr-defined]  # of a QueuePool
    held = []
    try:
        for engine in engines:
            engine.pool._timeout = 0.02  # type: ignore[attr-defined]  # as above
            held += [engine.pool.connect() for _ in range(engine.pool.size())]  # type: ignore[attr-defined]  # as above
        for path, headers in asked.items():
            response = client.get(path, headers=headers)
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
    finally:
        for connection in held:
            connection.close()
        for engine, seconds in zip(engines, patience, strict=True):
            engine.pool._timeout = seconds  # type: ignore[attr-defined]  # as above
    assert [client.get(path, headers=headers).status_code for path, headers in asked.items()] == [200] * 3
