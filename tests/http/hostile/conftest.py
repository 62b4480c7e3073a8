"""Requests that are in order but for one thing; what came of them is counted, and told at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from registry.http.examples import REQUESTS
from registry.http.openapi import document
from tests.support.attempts import Attempts
from tests.support.figures import Figures
from tests.support.world import NOW

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def attempts(figures: Figures) -> Iterator[Attempts]:
    """Counts, and tells how many were tried."""
    counted = Attempts()
    yield counted
    figures.add("hostile inputs tried", counted.tried)
    figures.add("5xx seen", counted.failed)


@dataclass(frozen=True)
class Operation:
    """One operation of the API, at an address that there is.

    :param example: a body that it takes, with identifiers of what is kept; ``None`` where it takes no JSON.
    :param takes: the media type of the body that it takes; ``None`` where it takes none.
    :param arguments: the names of those that it takes in its query.
    """

    name: str
    method: str
    path: str
    example: Any
    takes: str | None
    arguments: tuple[str, ...]

    def send(self, client: FlaskClient, key: str, **sent: Any) -> TestResponse:
        """Ask for it as the principal of a key; the version that it would change is the first."""
        headers = {
            "Authorization": f"Bearer {key}",
            "If-Match": '"1-0000000000000000"',
            **sent.pop("headers", {}),
        }
        return client.open(self.path, method=self.method, headers=headers, buffered=True, **sent)

    def send_json(self, client: FlaskClient, key: str, body: bytes) -> TestResponse:
        return self.send(client, key, data=body, content_type="application/json")


@pytest.fixture
def operations(app: Flask, parts: dict[str, str]) -> list[Operation]:
    """Every operation of the API, of something that is kept; but for the stream, which does not end."""
    described = document(app)
    found = []
    for template, item in described["paths"].items():
        path = re.sub(r"{(\w+)}", lambda part: parts.get(part[1], "staff"), template)
        for method in METHODS & item.keys():
            said = item[method]
            if said["operationId"] != "stream_changes":
                given = [each for each in said.get("parameters", ()) if each.get("in") == "query"]
                arguments = tuple(each["name"] for each in given)
                example, takes = _example(said, parts), _media_type(said)
                found.append(Operation(said["operationId"], method.upper(), path, example, takes, arguments))
    return sorted(found, key=lambda one: (one.method == "DELETE", one.name))


@pytest.fixture
def taking_json(operations: list[Operation]) -> list[Operation]:
    """Those that take JSON."""
    return [one for one in operations if one.example is not None]


def _media_type(said: dict[str, Any]) -> str | None:
    content = said.get("requestBody", {}).get("content", {})
    return next(iter(content), None)


def _example(said: dict[str, Any], parts: dict[str, str]) -> Any:
    content = said.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    example = REQUESTS[content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]]
    return {name: parts.get(name, value) for name, value in example.items()}
