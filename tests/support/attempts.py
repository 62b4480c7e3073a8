"""Counts what is tried against the service, and holds that it never fails for what it was sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

PROBLEM_JSON = "application/problem+json"


@dataclass
class Attempts:
    """What was tried in one test."""

    tried: int = 0
    failed: int = 0

    def of(self, response: TestResponse, what: object) -> TestResponse:
        """Count an answer, which may be anything but a failure of the service."""
        self.tried += 1
        self.failed += response.status_code >= 500
        assert response.status_code < 500, (shortened(what), response.status_code)
        return response

    def refused(self, response: TestResponse, what: object, *statuses: int) -> dict[str, Any]:
        """Count an answer, which must be a refusal with a problem document: the document."""
        self.of(response, what)
        said = (shortened(what), response.status_code, response.text[:500])
        assert response.status_code in (statuses or range(400, 500)), said
        return problem_in(response)


def problem_in(response: TestResponse) -> dict[str, Any]:
    """The problem document that an answer is."""
    assert response.content_type == PROBLEM_JSON, (response.status_code, response.content_type)
    document: dict[str, Any] = json.loads(response.data)
    assert document["status"] == response.status_code
    assert document["type"].startswith("/problems/")
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert response.headers["Cache-Control"] == "no-store"
    most = 100_000 + 200 * len(document.get("errors", ()))
    assert len(response.data) < most, "it repeats what was sent"
    return document


def shortened(what: object) -> str:
    said = ascii(what)
    return said if len(said) < 500 else f"{said[:300]} ... {said[-100:]}"
