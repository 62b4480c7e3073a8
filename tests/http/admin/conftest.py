"""Staff at work: requests of one principal, with versions and ETags taken along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

NOW = datetime(2026, 3, 1, 18, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """It is 1 March 2026, noon in Edmonton."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@dataclass
class Staff:
    """One principal at the API."""

    client: FlaskClient
    key: str

    def get(self, path: str, query: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.key}", **headers}
        return self.client.get(path, query_string=query, headers=given)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.send("PATCH", path, body, **headers)

    def send(self, method: str, path: str, body: Any, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.key}", **headers}
        return self.client.open(path, method=method, json=body, headers=given)

    def made(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """What a request made, which must have succeeded."""
        response = self.post(path, body, **headers)
        assert response.status_code in (200, 201), response.text
        return read(response)

    def version_of(self, path: str) -> dict[str, str]:
        """The header that names the present version of a resource."""
        response = self.get(path)
        assert response.status_code == 200, response.text
        return {"If-Match": response.headers["ETag"]}

    def changed(self, path: str, body: Any) -> dict[str, Any]:
        """What a resource is after a change, which must have succeeded."""
        return self.changed_at(path, body, version_of=path)

    def changed_at(self, path: str, body: Any, *, version_of: str) -> dict[str, Any]:
        """The same of a part of a resource, whose version is that of the whole."""
        response = self.patch(path, body, **self.version_of(version_of))
        assert response.status_code == 200, response.text
        return read(response)

    # What most tests begin with.

    def practitioner(self, name: str = "Ana Silva", **more: Any) -> dict[str, Any]:
        named = {"names": [{"kind": "published", "full_name": name}]}
        return self.made("/v1/admin/practitioners", {**named, **more})

    def registration(self, body: str = "ca-own", **said: Any) -> dict[str, Any]:
        """A registration from 2025 through 2026, of a new practitioner where none is given."""
        practitioner = said.pop("practitioner", None) or self.practitioner()["id"]
        grant = {"effective_on": "2025-01-01", "through": "2026-12-31", "register_class": "general"}
        said = {"practitioner": practitioner, "number": "PT-1", **grant, **said}
        return self.made(f"/v1/admin/bodies/{body}/registrations", said)

    def decide(self, about: str, **said: Any) -> TestResponse:
        """A decision about ``registrations/...`` or ``authorizations/...``."""
        path = f"/v1/admin/{about}"
        return self.post(f"{path}/decisions", said, **self.version_of(path))

    def decided(self, about: str, **said: Any) -> dict[str, Any]:
        response = self.decide(about, **said)
        assert response.status_code == 201, response.text
        return read(response)

    def grant(self, registration_id: str, **said: Any) -> TestResponse:
        path = f"/v1/admin/registrations/{registration_id}"
        term = {"effective_on": "2025-01-01", "through": "2026-12-31", "techniques": ["dry_needling"]}
        return self.post(f"{path}/authorizations", {**term, **said}, **self.version_of(path))

    def authorization(self, registration_id: str, **said: Any) -> str:
        response = self.grant(registration_id, **said)
        assert response.status_code == 201, response.text
        id_: str = read(response)["decisions"][-1]["authorization_id"]
        return id_

    def verdict(self, number: str = "PT-1", body: str = "ca-own", **asked: str) -> dict[str, Any]:
        """What the public is told."""
        asked = {"technique": "dry_needling", **asked}
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        response = self.client.get(f"/v1/bodies/{body}/registrations/{number}/verification?{query}")
        assert response.status_code == 200, response.text
        verdict: dict[str, Any] = read(response)["verdicts"][0]
        return verdict


def read(response: TestResponse) -> dict[str, Any]:
    """The JSON that a response holds."""
    document: dict[str, Any] = response.get_json()
    return document


@pytest.fixture
def registrar(app: Flask, keys) -> Staff:
    return Staff(app.test_client(), keys.registrar)


@pytest.fixture
def operator(app: Flask, keys) -> Staff:
    return Staff(app.test_client(), keys.operator)


@pytest.fixture
def auditor(app: Flask, keys) -> Staff:
    return Staff(app.test_client(), keys.auditor)


@pytest.fixture
def stranger(app: Flask, keys) -> Staff:
    """A registrar of another body."""
    return Staff(app.test_client(), keys.other_registrar)
