"""Who tries what they may not is told to the log: by operation and holder, never with the key itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from registry.settings import Settings


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return Settings(database_url=sqlite_url, public_url="https://registry.example", pool_size=12)


def refused(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    lines = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    return [line for line in lines if line["event"] == "refused"]


def test_a_key_that_opens_nothing_is_logged_without_itself(
    client: FlaskClient, keys: Any, bearer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = keys.operator[:-4] + "AAAA"
    answer = client.get("/v1/admin/keys", headers=bearer(wrong))
    (line,) = refused(capsys)
    assert (line["status"], line["operation"], line["principal"]) == (401, "list_keys", None)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert wrong not in json.dumps(line)


def test_a_key_that_is_tried_on_more_than_it_opens_is_logged_with_its_holder(
    client: FlaskClient, keys: Any, bearer: Any, parts: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    own = client.get("/v1/admin/practitioners", headers=bearer(keys.registrar))
    assert own.status_code == 200
    client.post("/v1/admin/keys", json={"role": "operator", "label": "Me"}, headers=bearer(keys.registrar))
    client.get(f"/v1/admin/courses/{parts['course_id']}", headers=bearer(keys.other_registrar))
    lines = refused(capsys)
    assert [(line["status"], line["operation"]) for line in lines] == [
        (403, "create_key"),
        (403, "get_course"),
    ]
    assert all(line["principal"].startswith("registrar:") for line in lines)


def test_who_comes_without_a_key_is_no_line(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    """Anyone may fill a disk with those, and nothing was tried."""
    assert client.get("/v1/admin/keys").status_code == 401
    assert refused(capsys) == []
