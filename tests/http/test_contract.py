"""The service does what its description says, and the same on both engines.

Of each operation, requests are made from the description alone: such as it calls right, such as it calls
wrong, about things that are kept and things that are not. They are the same in every run.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any

import pytest
import schemathesis
import time_machine
import uuid_utils
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.schemas import OpenApiSchema

from registry.http.app import create_app
from registry.http.fields import FIRST_YEAR, LAST_YEAR, HouseField, instant_text
from registry.http.openapi import document
from registry.settings import Settings
from registry.store.database import writing
from tests.support.application import running
from tests.support.databases import PostgresDatabases, SqliteDatabases
from tests.support.effort import EFFORT, IS_LONG
from tests.support.factories import make_body, make_key
from tests.support.figures import Figures
from tests.support.world import NOW, make_world

EXAMPLES = 5 * EFFORT
METHODS = ("get", "post", "put", "patch", "delete")

STREAMS = {"GET /v1/changes/stream"}
"""They do not end."""

ANSWERS_PIECEMEAL = {"POST /v1/verifications"}
"""What is wrong of a part is told in its place."""

UNREADABLE = {400, 413, 415}
"""What no request is answered that is as described. What it asks may still contradict what is recorded."""

INSTANTS = st.datetimes(
    datetime(FIRST_YEAR, 1, 2),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    datetime(LAST_YEAR, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
schemathesis.openapi.format("date", st.dates(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)).map(str))
schemathesis.openapi.format("date-time", INSTANTS.map(instant_text))
schemathesis.openapi.format("time-zone", st.sampled_from(["UTC", "Pacific/Auckland", "America/St_Johns"]))


@cache
def described() -> dict[str, Any]:
    return document(create_app(Settings(database_url="sqlite://")))


def operations() -> list[str]:
    found = []
    for path, item in described()["paths"].items():
        found += [f"{method.upper()} {path}" for method in item if method in METHODS]
    return sorted(set(found) - STREAMS)


@dataclass(frozen=True)
class Engine:
    """The application on one engine, and the key of an operator there."""

    app: Flask
    operator: str


@pytest.fixture(scope="module", autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def engines(
    now: None, sqlite_databases: SqliteDatabases, postgresql_databases: PostgresDatabases
) -> Iterator[list[Engine]]:
    with ExitStack() as stack:
        found = []
        for databases in (sqlite_databases, postgresql_databases):
            url = stack.enter_context(databases.migrated())
            app = stack.enter_context(running(Settings(database_url=url)))
            with app.app_context(), writing() as tx:
                found.append(Engine(app, make_key(tx)))
        yield found


@pytest.fixture
def parts(
    engines: list[Engine], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> dict[str, str]:
    """Something of each kind, kept under the same identifiers on both engines."""
    turn = operations().index(request.node.callspec.params["operation"])
    found = []
    for engine in engines:
        numbers = itertools.count(turn * 1000)
        monkeypatch.setattr(uuid_utils, "uuid7", partial(_identifier, numbers))
        with engine.app.app_context(), writing() as tx:
            found.append(make_world(tx, make_body(tx, f"ca-{turn}")))
        monkeypatch.undo()
    assert found[0] == found[1]
    return found[0]


def _identifier(numbers: Iterator[int]) -> str:
    return f"01890a5d-ac96-774b-8000-{next(numbers):012x}"


@pytest.fixture(scope="module")
def schema(engines: list[Engine]) -> OpenApiSchema:
    schema = schemathesis.openapi.from_dict(described())
    schema.app = engines[0].app  # that there is one: each request names its own
    checks = schema.config.checks
    checks.negative_data_rejection.expected_statuses.append("412")  # a version of the wrong shape
    checks.missing_required_header.expected_statuses.append("428")  # no version
    return schema


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The values that fields refused to read: the description should not have allowed them."""
    found: list[object] = []
    make_error = HouseField.make_error

    def refuse(field: HouseField[Any], key: str, **particulars: Any) -> Any:
        found.append((field.name, key))
        return make_error(field, key, **particulars)

    monkeypatch.setattr(HouseField, "make_error", refuse)
    return found


@pytest.fixture
def send(
    engines: list[Engine], unread: list[object], operation: str, figures: Figures
) -> Iterator[Callable[[Case], None]]:
    """Send a request as an operator and hold the answers against the description, and against each other."""
    not_held = [
        positive_data_acceptance,
        *([negative_data_rejection] if operation in ANSWERS_PIECEMEAL else []),
    ]

    count = 0

    def sent(case: Case) -> None:
        nonlocal count
        count += len(engines)
        unread.clear()
        statuses = set()
        for engine in engines:
            headers = {"Authorization": f"Bearer {engine.operator}"}
            excluded: list[Any] = [*not_held, *([negative_data_rejection] if wants_only_a_key(case) else [])]
            response = case.call_and_validate(app=engine.app, headers=headers, excluded_checks=excluded)
            statuses.add(response.status_code)
        if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
            assert not statuses & UNREADABLE, case.as_curl_command()
            assert not unread, f"{unread} {case.as_curl_command()}"
        assert len(statuses) == 1, f"{statuses} {case.as_curl_command()}"

    yield sent
    figures.add("requests held against the description", count)


def wants_only_a_key(case: Case) -> bool:
    """Whether what is wrong may be that it came without a key, which it is given."""
    is_of_headers = case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER)
    return is_of_headers and "Authorization" not in case.headers


@pytest.mark.parametrize("operation", operations())
def test_every_answer_is_as_described(
    schema: OpenApiSchema, send: Callable[[Case], None], parts: dict[str, str], operation: str
) -> None:
    method, path = operation.split()
    asked = schema[path][method]
    modes = list(GenerationMode)
    for case in schema.iter_coverage_cases(
        asked, generation_modes=modes, generation_config=schema.config.generation
    ):
        send(case)
    known = {name: parts[name] for name in re.findall(r"{(\w+)}", path)}
    for mode in modes:
        drive(asked.as_strategy(mode, path_parameters=known or None), send)


def drive(cases: st.SearchStrategy[Case], send: Callable[[Case], None]) -> None:
    """Send some of the requests, the same in every run; others each time where there is time for many."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=not IS_LONG,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def send_each(case: Case) -> None:
        send(case)

    with suppress(Unsatisfiable):  # of some operations nothing can be called wrong
        send_each()
