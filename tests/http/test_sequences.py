"""One request after another, each about what one before told of: the service does as its description says.

Which request may follow which is inferred from the description; what they send is made from it, too. The
version that a request asks for is read first, as any client would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import positive_data_acceptance

from registry.settings import Settings
from registry.store.database import writing
from tests.http.test_contract import STREAMS, described
from tests.support.application import running
from tests.support.databases import SqliteDatabases
from tests.support.effort import EFFORT, IS_LONG
from tests.support.factories import make_body, make_key
from tests.support.figures import Figures
from tests.support.world import NOW, make_world

SEQUENCES = 12 * EFFORT
LONGEST = 12
"""Requests in a sequence."""


@pytest.fixture
def app(sqlite_databases: SqliteDatabases) -> Iterator[Flask]:
    with (
        time_machine.travel(NOW, tick=False),
        sqlite_databases.migrated() as url,
        running(Settings(database_url=url)) as app,
    ):
        yield app


@pytest.fixture
def operator(app: Flask) -> str:
    with app.app_context(), writing() as tx:
        make_world(tx, make_body(tx, "ca-own"))
        return make_key(tx)


def test_whatever_follows_whatever_the_service_does_what_its_description_says(
    app: Flask, operator: str, figures: Figures
) -> None:
    schema = schemathesis.openapi.from_dict(described()).exclude(
        lambda found: found.operation.label in STREAMS
    )
    schema.app = app
    schema.config.checks.negative_data_rejection.expected_statuses.append("412")
    schema.config.checks.missing_required_header.expected_statuses.append("428")
    headers = {"Authorization": f"Bearer {operator}"}
    client, statuses = app.test_client(), Counter[int]()
    machine: Any = schema.as_state_machine()

    class Sequences(machine):  # type: ignore[misc]  # made at run time
        def before_call(self, case: Case) -> None:
            if "If-Match" in case.headers and is_right(case):
                case.headers["If-Match"] = version_of(client, case.formatted_path, headers)

        def get_call_kwargs(self, _case: Case) -> dict[str, Any]:
            return {"headers": headers, "app": app}

        def validate_response(self, response: Response, case: Case, **sent: Any) -> None:
            statuses[response.status_code // 100] += 1
            case.validate_response(
                response,
                headers=headers,
                excluded_checks=[positive_data_acceptance],  # what it asks may contradict what is recorded
                transport_kwargs=sent,
                recorder=self.recorder,
            )

    try:
        Sequences.run(
            settings=settings(
                max_examples=SEQUENCES,
                stateful_step_count=LONGEST,
                derandomize=not IS_LONG,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
        )
    finally:
        figures.add("requests in sequences", statuses.total())
        figures.add("5xx seen", statuses[5])
    assert statuses[2] > SEQUENCES, "they hardly ever did anything"


def is_right(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def version_of(client: FlaskClient, path: str, headers: dict[str, str]) -> str:
    """The version of what an address shows, or of what the next one above it does that shows something."""
    while path:
        response = client.get(path, headers=headers)
        if response.status_code == 200 and "ETag" in response.headers:
            return response.headers["ETag"]
        path = path.rpartition("/")[0]
    return '"1-0000000000000000"'
