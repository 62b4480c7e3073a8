"""Every address of the console, asked by everyone: who is let through is who the one table says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule as Route

from registry.http.access import ACCESS
from registry.http.sessions import is_of_console
from registry.services.principals import AccessScope, Role
from registry.settings import Settings
from registry.store.database import writing
from registry.store.records import Body
from tests.console.conftest import OWN
from tests.support.application import running
from tests.support.console import AGENT, ORIGIN, Desk, sign_in
from tests.support.databases import SqliteDatabases
from tests.support.factories import make_body, make_key


@pytest.fixture(scope="module")
def settings(sqlite_databases: SqliteDatabases) -> Iterator[Settings]:
    """One register for all of them: nothing is changed in it."""
    with sqlite_databases.migrated() as url:
        yield Settings(database_url=url, public_url=ORIGIN, pool_size=12)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    with running(settings) as app:
        yield app


@pytest.fixture(scope="module")
def own(app: Flask) -> Body:
    with app.app_context(), writing() as tx:
        return make_body(tx, OWN)


PARTS = {"name": "console.css", "rest": "nowhere", "notice": "term_ends", "language": "en"}
NO_ID = "01900000-0000-7000-8000-000000000000"


def routes(app: Flask) -> list[tuple[Route, str, str]]:
    """Each address with its method, and something in its variable parts."""
    found = []
    for route in app.url_map.iter_rules():
        if is_of_console(route.endpoint):
            path = re.sub(r"<(?:[^:<>]*:)?(\w+)>", lambda part: PARTS.get(part[1], NO_ID), route.rule)
            (method,) = (route.methods or set()) & {"GET", "POST"}
            found.append((route, method, path))
    assert len(found) >= 10
    return found


def status(desk: Desk, method: str, path: str) -> int:
    return (desk.get(path) if method == "GET" else desk.client.post(path, headers=desk.headers)).status_code


def name_of(route: Route) -> str:
    return route.endpoint.rpartition(".")[2]


def test_nobody_gets_in_who_has_not_signed_in_with_a_key_neither(app: Flask, own: Body) -> None:
    with app.app_context(), writing() as tx:
        key = make_key(tx, Role.OPERATOR)
    for route, method, path in routes(app):
        if not ACCESS[name_of(route)].public:
            for headers in ({}, {"Authorization": f"Bearer {key}"}):
                desk = Desk(app.test_client(), headers)
                assert status(desk, method, path) == 303, route


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.AUDITOR, Role.OPERATOR])
def test_each_role_gets_where_the_table_says(app: Flask, own: Body, role: Role) -> None:
    desk = sign_in(app, role=role, body=None if role is Role.OPERATOR else own.code)
    for route, method, path in routes(app):
        rule = ACCESS[name_of(route)]
        if not rule.public and method == "GET":
            got = status(desk, method, path)
            assert (got == 403) == (role not in rule.roles), (route, got)
            assert got < 500, route


@pytest.mark.parametrize("scope", AccessScope)
def test_without_its_scope_nobody_gets_anywhere(app: Flask, own: Body, scope: AccessScope) -> None:
    desk = sign_in(app, role=Role.OPERATOR, scopes=frozenset(AccessScope) - {scope})
    for route, method, path in routes(app):
        rule = ACCESS[name_of(route)]
        if rule.scope is scope and method == "GET":
            assert status(desk, method, path) == 403, route


def test_every_form_is_refused_that_no_page_of_the_console_sent(app: Flask, own: Body) -> None:
    """Whatever the form does: the frame looks before the view is called."""
    desk = sign_in(app, role=Role.OPERATOR)
    token = desk.token()
    for route, method, path in routes(app):
        if method == "POST":
            for site, given in (("same-origin", "0" * 64), ("same-site", token), ("cross-site", token)):
                headers = {"User-Agent": AGENT, "Sec-Fetch-Site": site}
                response = desk.client.post(path, base_url=ORIGIN, data={"csrf": given}, headers=headers)
                assert response.status_code in (303, 403), route
    assert desk.get("/console/sessions").status_code == 200
