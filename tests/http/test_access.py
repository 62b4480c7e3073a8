"""Every route, asked by every principal: what is let through is what the one table says."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import Connection, func, select
from werkzeug.test import TestResponse

from registry.http.access import ACCESS, Rule
from registry.http.examples import REQUESTS
from registry.http.limits import Budget
from registry.http.openapi import document
from registry.http.sessions import is_of_console
from registry.services.keys import create_key
from registry.services.principals import SCOPES_OF, AccessScope, Role
from registry.store import tables
from registry.store.database import reading, writing
from tests.http.conftest import OWN, Keys
from tests.support.world import NOW

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Asking:
    """A principal, and whether its body is the one that everything asked for belongs to."""

    role: Role
    secret: str | None = None
    is_own: bool = True

    def status_of_refusal(self, rule: Rule, *, is_narrowed: bool) -> int | None:
        """What the table says; ``None`` for what is let through."""
        if self.role not in rule.roles:
            return 403 if self.secret else 401
        return 403 if rule.own_body and not self.is_own and not is_narrowed else None


@dataclass(frozen=True)
class Request:
    """A request that is in order but for who sends it."""

    operation: str
    method: str
    path: str
    query: dict[str, str]
    body: Any
    is_form: bool
    is_narrowed: bool
    """Whether it asks for no body's resource, so that each principal is answered about its own."""

    def sent_by(self, app: Flask, asking: Asking) -> TestResponse:
        headers = {"If-Match": '"1-0000000000000000"'}
        if asking.secret:
            headers["Authorization"] = f"Bearer {asking.secret}"
        sent: dict[str, Any] = {"json": self.body}
        if self.is_form:
            sent = {"data": {**self.body, "file": (io.BytesIO(self.body["file"].encode()), "file.csv")}}
        return app.test_client().open(
            self.path, method=self.method, query_string=self.query, headers=headers, **sent
        )


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def principals(keys: Keys) -> list[Asking]:
    return [
        Asking(Role.PUBLIC),
        Asking(Role.CLINIC, keys.clinic),
        Asking(Role.AUDITOR, keys.other_auditor, is_own=False),
        Asking(Role.REGISTRAR, keys.other_registrar, is_own=False),
        Asking(Role.AUDITOR, keys.auditor),
        Asking(Role.REGISTRAR, keys.registrar),
        Asking(Role.OPERATOR, keys.operator),
    ]


@pytest.fixture
def requests(app: Flask, parts: dict[str, str]) -> list[Request]:
    """One for each method of each route."""
    documented = document(app)
    schemas = documented["components"]["schemas"]
    described = {
        operation["operationId"]: operation
        for item in documented["paths"].values()
        for method, operation in item.items()
        if method.upper() in METHODS
    }
    found = []
    for route in app.url_map.iter_rules():
        if is_of_console(route.endpoint):  # no key opens any of it: tests/console/test_access.py asks
            continue
        operation = route.endpoint.rpartition(".")[2]
        said = described.get(operation, {})
        path = re.sub(r"<(?:[^:<>]*:)?(\w+)>", lambda part: parts[part[1]], route.rule)
        takes_body = any(each.get("name") == "body" for each in said.get("parameters", ()))
        query = {**_needed(said, schemas), **({"body": OWN} if takes_body else {})}
        body = None if "requestBody" not in said else _example(said["requestBody"], parts)
        names_body = takes_body or (body is not None and "body" in body)
        is_narrowed = "<" not in route.rule and not names_body
        is_form = "multipart/form-data" in said.get("requestBody", {}).get("content", {})
        methods = sorted((route.methods or set()) & set(METHODS))
        found += [Request(operation, m, path, query, body, is_form, is_narrowed) for m in methods]
    return found


def _needed(operation: dict[str, Any], schemas: dict[str, Any]) -> dict[str, str]:
    """The query arguments that cannot be left out."""
    needed = {}
    for each in operation.get("parameters", ()):
        if each.get("in") == "query" and each["required"]:
            schema = each["schema"].get("items", each["schema"])
            schema = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
            needed[each["name"]] = [*schema.get("enum", ()), *schema.get("examples", ())][0]
    return needed


def _example(described: dict[str, Any], parts: dict[str, str]) -> Any:
    (content,) = described["content"].values()
    example = REQUESTS[content["schema"]["$ref"].rsplit("/", 1)[1]]
    return {name: parts.get(name, value) for name, value in example.items()}


def rows(app: Flask) -> dict[str, int]:
    counted = set(tables.metadata.sorted_tables) - {tables.idempotency_keys}
    with app.app_context(), reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in counted
        }


def test_every_principal_is_let_through_where_the_table_says_and_nowhere_else(
    app: Flask, requests: list[Request], principals: list[Asking]
) -> None:
    before, wrong = rows(app), []
    for is_refusal in (True, False):  # what is refused comes first: it must leave everything as it was
        for request in requests:
            for asking in principals:
                status = asking.status_of_refusal(ACCESS[request.operation], is_narrowed=request.is_narrowed)
                if (status is not None) == is_refusal:
                    got = request.sent_by(app, asking).status_code
                    if (got if got in (401, 403) or is_refusal else None) != status or got >= 500:
                        wrong.append((request, asking.role, asking.is_own, got, status))
        if is_refusal:
            assert rows(app) == before
    assert not wrong, "\n".join(map(str, wrong))


def test_the_table_says_nothing_of_what_is_not_there(app: Flask) -> None:
    assert ACCESS.keys() == {endpoint.rpartition(".")[2] for endpoint in app.view_functions}


def test_every_document_that_is_sent_has_an_example(app: Flask) -> None:
    sent = set()
    for item in document(app)["paths"].values():
        for method, operation in item.items():
            if method.upper() in METHODS:
                for content in operation.get("requestBody", {}).get("content", {}).values():
                    sent.add(content["schema"]["$ref"].rsplit("/", 1)[1])
    assert sent == REQUESTS.keys()


def test_the_examples_are_taken(app: Flask, requests: list[Request], principals: list[Asking]) -> None:
    """Each is understood; what it asks for may contradict what is recorded, or be stale."""
    operator = principals[-1]
    for request in requests:
        if request.body is not None:
            response = request.sent_by(app, operator)
            assert response.status_code < 300 or response.status_code in (409, 412), response.text


@pytest.fixture
def narrowed(app: Flask, keys: Keys) -> dict[AccessScope, dict[str, str]]:
    """For each scope the secrets of an operator's key that has nothing else, and of one that has all else."""

    def make(tx: Connection, scopes: frozenset[AccessScope]) -> str:
        key = create_key(
            tx, role=Role.OPERATOR, body=None, label="x", scopes=scopes, expires_at=None, by="x", at=NOW
        )
        assert key.secret is not None
        return key.secret

    with app.app_context(), writing() as tx:
        return {
            scope: {
                "alone": make(tx, frozenset({scope})),
                "lacking": make(tx, frozenset(AccessScope) - {scope}),
            }
            for scope in AccessScope
        }


def test_every_scope_opens_what_the_table_says_and_nothing_else(
    app: Flask, requests: list[Request], narrowed: dict[AccessScope, dict[str, str]]
) -> None:
    scoped = [(request, ACCESS[request.operation].scope) for request in requests]
    before = rows(app)

    def status(request: Request, secret: str) -> int:
        with closing(request.sent_by(app, Asking(Role.OPERATOR, secret))) as response:
            return response.status_code

    lacking = {
        status(request, narrowed[scope]["lacking"])
        for request, scope in scoped
        if scope is not None and Role.OPERATOR in ACCESS[request.operation].roles
    }
    assert lacking == {403}
    assert rows(app) == before
    wrong = []
    for request, scope in scoped:
        if scope is not None and Role.OPERATOR in ACCESS[request.operation].roles:
            got = status(request, narrowed[scope]["alone"])
            may_lack_more = request.operation in ("create_key", "rotate_key")
            if got in (401, 403) and not may_lack_more:
                wrong.append((request.operation, got))
    assert not wrong


def test_a_role_has_a_use_for_the_scopes_of_its_routes() -> None:
    used = {
        role: {rule.scope for rule in ACCESS.values() if role in rule.roles and rule.scope} for role in Role
    }
    assert used == {role: set(scopes) for role, scopes in SCOPES_OF.items()}


def test_what_shows_several_people_is_charged_for_them(app: Flask) -> None:
    """The rest is charged one unit; who adds a search says so in the table, and charges for what it shows."""
    charged = {operation for operation, rule in ACCESS.items() if rule.budget is Budget.SEARCH}
    assert charged == {"search_practitioners", "search_page", "find_page"}


def test_the_documented_table_is_the_one_that_holds(app: Flask) -> None:
    """One line for each method of each route, with what the rule says."""
    text = Path("docs/access.md").read_text()
    for operation, rule in ACCESS.items():
        lines = [line for line in text.splitlines() if f"| `{operation}` |" in line]
        assert lines, operation
        for line in lines:
            cells = [cell.strip() for cell in line.strip("|").split("|")][2:7]
            assert [cell != "no" for cell in cells] == [role in rule.roles for role in Role], operation
