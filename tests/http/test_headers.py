"""What every answer carries."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

KEYS = "/v1/admin/keys"


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", KEYS, "/docs", "/v1/bodies", "/problems/gone"])
def test_browsers_are_told_to_be_careful(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Request-Id"]


def test_scripts_of_other_sites_may_read_what_is_public(client: FlaskClient) -> None:
    assert client.get("/v1/bodies").headers["Access-Control-Allow-Origin"] == "*"
    asked = client.options("/v1/bodies", headers={"Access-Control-Request-Method": "GET"})
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in asked.headers["Access-Control-Allow-Methods"]
    assert "Authorization" not in asked.headers["Access-Control-Allow-Headers"]


def test_and_nothing_else(client: FlaskClient, keys, bearer) -> None:
    for answer in (
        client.get(KEYS, headers=bearer(keys.operator)),
        client.options(KEYS),
        client.get("/none"),
    ):
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]
