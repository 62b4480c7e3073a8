"""Signing in and out, and what a cookie is worth to whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from registry.cli import main
from registry.services.console_sessions import LINK_ISSUER
from registry.services.principals import Role
from registry.settings import Settings
from registry.store import principals
from registry.store.audit_tables import audit_entries
from registry.store.console_tables import console_links, console_sessions
from registry.store.database import reading, writing
from registry.store.records import Body
from tests.console.conftest import OTHER, OWN
from tests.support.application import running
from tests.support.console import AGENT, ORIGIN, Desk, link_token, sign_in, words_of
from tests.support.databases import SqliteDatabases
from tests.support.factories import make_body, make_key

COOKIE = "__Host-registry-console"
PAGE = "/console/sessions"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings(sqlite_databases: SqliteDatabases) -> Iterator[Settings]:
    """One register for all of them: each test signs in anew."""
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


@pytest.fixture(scope="module")
def other(app: Flask) -> Body:
    with app.app_context(), writing() as tx:
        return make_body(tx, OTHER)


def is_in(desk: Desk) -> bool:
    return desk.get(PAGE).status_code == 200


def cookie(desk: Desk) -> str:
    found = desk.client.get_cookie(COOKIE, domain="registry.example")
    assert found is not None
    return found.value


def test_a_link_signs_in_once(app: Flask, own: Body) -> None:
    with app.app_context(), writing() as tx:
        token = link_token(tx, body=own.code)
    first, second = Desk(app.test_client()), Desk(app.test_client())
    headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin"}
    got = [
        desk.client.post("/console/sign-in/link", base_url=ORIGIN, data={"token": token}, headers=headers)
        for desk in (first, second)
    ]
    assert [each.status_code for each in got] == [303, 403]
    assert is_in(first)
    assert not is_in(second)


def test_looking_at_a_link_does_not_use_it_up(app: Flask, own: Body) -> None:
    with app.app_context(), writing() as tx:
        token = link_token(tx, body=own.code)
    desk = Desk(app.test_client())
    for _ in range(3):
        assert desk.get(f"/console/sign-in/link?token={token}").status_code == 200
    assert not is_in(desk)
    headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin"}
    desk.client.post("/console/sign-in/link", base_url=ORIGIN, data={"token": token}, headers=headers)
    assert is_in(desk)


def test_the_cookie_is_of_this_host_alone_and_out_of_reach_of_scripts(registrar: Desk) -> None:
    found = registrar.client.get_cookie(COOKIE, domain="registry.example")
    assert found is not None
    assert (found.secure, found.http_only, found.same_site, found.path) == (True, True, "Lax", "/")
    assert found.origin_only


def test_who_is_not_signed_in_is_asked_to_and_comes_back(app: Flask, own: Body) -> None:
    response = Desk(app.test_client()).get("/console/sessions?a=b")
    assert response.status_code == 303
    assert response.location == "/console/sign-in?next=%2Fconsole%2Fsessions%3Fa%3Db"


def test_a_session_ends_when_nothing_is_done_and_at_the_latest_after_its_longest_time(
    app: Flask, own: Body
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        desk = sign_in(app, body=own.code)
        clock.move_to(NOW + timedelta(minutes=29))
        assert is_in(desk)
        clock.move_to(NOW + timedelta(minutes=58))
        assert is_in(desk)
        clock.move_to(NOW + timedelta(minutes=88))
        assert not is_in(desk)
        busy, began = sign_in(app, body=own.code), NOW + timedelta(minutes=88)
        for minutes in range(20, 12 * 60, 20):
            clock.move_to(began + timedelta(minutes=minutes))
            assert is_in(busy)
        clock.move_to(began + timedelta(hours=12))
        assert not is_in(busy)


def test_signing_out_ends_the_session_itself_not_only_the_cookie(app: Flask, own: Body) -> None:
    desk = sign_in(app, body=own.code)
    kept = cookie(desk)
    assert desk.post("/console/sign-out").status_code == 303
    desk.client.set_cookie(COOKIE, kept, domain="registry.example", secure=True, origin_only=True)
    assert not is_in(desk)


def test_signing_out_everywhere_ends_all_of_ones_own_and_nobody_elses(app: Flask, own: Body) -> None:
    here, there = sign_in(app, body=own.code), sign_in(app, body=own.code)
    colleague = sign_in(app, body=own.code, label="Someone else")
    assert here.post("/console/sessions/end").status_code == 303
    assert [is_in(here), is_in(there), is_in(colleague)] == [False, False, True]


def test_who_is_blocked_is_signed_out(app: Flask, own: Body) -> None:
    desk = sign_in(app, body=own.code, label="Somebody who leaves")
    with app.app_context(), writing() as tx:
        holder = principals.find_holder(tx, LINK_ISSUER, "Somebody who leaves")
        assert holder is not None
        principals.block(tx, holder.id, by="operator:tests", at=NOW)
    assert not is_in(desk)


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "curl/8.0"},
        {"User-Agent": ""},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_a_stolen_cookie_opens_nothing_elsewhere(registrar: Desk, headers: dict[str, str]) -> None:
    assert is_in(registrar)
    assert not is_in(Desk(registrar.client, headers))


def test_a_stolen_cookie_without_its_name_opens_nothing(app: Flask, registrar: Desk) -> None:
    thief = Desk(app.test_client())
    thief.client.set_cookie("registry-console", cookie(registrar), domain="registry.example")
    assert not is_in(thief)


def test_a_link_from_elsewhere_leads_in(registrar: Desk) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert is_in(Desk(registrar.client, headers))


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        ({}, {"csrf": "0" * 64}),
        ({}, {"csrf": ""}),
        ({}, {"csrf": "é"}),
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({"Sec-Fetch-Site": "same-site"}, {}),
    ],
)
def test_a_forged_form_does_nothing(registrar: Desk, headers: dict[str, str], data: dict[str, Any]) -> None:
    sent = {"csrf": registrar.token(), **data}
    said = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin", "Origin": ORIGIN, **headers}
    response = registrar.client.post("/console/sessions/end", base_url=ORIGIN, data=sent, headers=said)
    assert response.status_code in (303, 403)
    assert is_in(registrar)


def test_a_form_of_another_site_is_known_by_its_origin_where_the_browser_says_no_more(
    registrar: Desk,
) -> None:
    sent = {"csrf": registrar.token()}
    for origin in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {}):
        response = registrar.client.post(
            "/console/sessions/end", base_url=ORIGIN, data=sent, headers={"User-Agent": AGENT, **origin}
        )
        assert response.status_code == 403
    assert is_in(registrar)


def test_a_cookie_opens_nothing_of_the_api_and_a_key_nothing_of_the_console(
    app: Flask, registrar: Desk, own: Body
) -> None:
    assert registrar.get("/v1/admin/lapses").status_code == 401
    with app.app_context(), writing() as tx:
        key = make_key(tx, Role.REGISTRAR, own)
    assert not is_in(Desk(app.test_client(), {"Authorization": f"Bearer {key}"}))


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/console/../..//evil.example",
        "/consoles",
    ],
)
def test_nobody_is_led_elsewhere_by_signing_in(registrar: Desk, wanted: str) -> None:
    response = registrar.get("/console/sign-in", query_string={"next": wanted})
    assert response.status_code == 303
    assert response.location == registrar.get("/console/sign-in").location


def test_what_a_browser_may_do_with_a_page(registrar: Desk) -> None:
    response = registrar.get(PAGE)
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers.getlist("Referrer-Policy") == ["same-origin"]
    assert "Access-Control-Allow-Origin" not in response.headers


def test_an_address_where_there_is_nothing_says_so(registrar: Desk) -> None:
    response = registrar.get("/console/nowhere/at/all")
    assert response.status_code == 404
    assert "There is nothing at this address." in words_of(response)


def test_a_stolen_cookie_ends_for_its_owner_too_and_the_audit_is_told(app: Flask, registrar: Desk) -> None:
    assert not is_in(Desk(registrar.client, {"User-Agent": "curl/8.0"}))
    assert not is_in(registrar)
    with app.app_context(), reading() as connection:
        entries = connection.execute(select(audit_entries).order_by(audit_entries.c.seq)).all()
    assert entries[-1].action == "console_session_from_other_browser"
    assert entries[-1].principal.startswith("registrar:")


def test_signing_in_gives_another_secret_and_ends_the_session_before(app: Flask, own: Body) -> None:
    """A secret that somebody planted, or knows from before, is worth nothing afterwards."""
    desk = sign_in(app, body=own.code)
    before = cookie(desk)
    with app.app_context(), writing() as tx:
        token = link_token(tx, body=own.code)
    headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin"}
    desk.client.post("/console/sign-in/link", base_url=ORIGIN, data={"token": token}, headers=headers)
    assert is_in(desk)
    assert cookie(desk) != before
    desk.client.set_cookie(COOKIE, before, domain="registry.example", secure=True, origin_only=True)
    assert not is_in(desk)


def test_a_link_is_good_for_some_minutes(app: Flask, own: Body) -> None:
    for minutes, status in ((14, 303), (15, 403)):
        with time_machine.travel(NOW, tick=False) as clock:
            with app.app_context(), writing() as tx:
                token = link_token(tx, body=own.code)
            clock.move_to(NOW + timedelta(minutes=minutes))
            headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin"}
            response = app.test_client().post(
                "/console/sign-in/link", base_url=ORIGIN, data={"token": token}, headers=headers
            )
            assert response.status_code == status


def test_who_guesses_links_is_no_longer_looked_at(settings: Settings) -> None:
    headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin"}
    with running(settings, limited=True) as app:
        got = [
            app.test_client()
            .post("/console/sign-in/link", base_url=ORIGIN, data={"token": f"guess {n}"}, headers=headers)
            .status_code
            for n in range(12)
        ]
    assert got == [403] * 10 + [429] * 2


def test_nothing_of_a_secret_is_kept(app: Flask, registrar: Desk) -> None:
    with app.app_context(), reading() as connection:
        kept = [*connection.execute(select(console_sessions)), *connection.execute(select(console_links))]
    assert cookie(registrar) not in [str(value) for row in kept for value in row]
    assert len(cookie(registrar)) * 6 >= 256
    assert {len(row.secret_hash) for row in kept} == {64}


def test_the_command_makes_a_link_for_whom_it_says(own: Body, settings: Settings, app: Flask) -> None:
    environment = {"REGISTRY_DATABASE_URL": settings.database_url, "REGISTRY_PUBLIC_URL": ORIGIN}
    arguments = ["console-link", "--body", own.code, "--label", "Nadia Okoye", "--scope", "read", "--quiet"]
    result = CliRunner().invoke(main, arguments, env=environment, catch_exceptions=False)
    address = result.stdout.strip()
    assert address.startswith(f"{ORIGIN}/console/sign-in/link?token=")
    desk = Desk(app.test_client())
    headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin"}
    sent = {"token": address.partition("token=")[2]}
    assert (
        desk.client.post("/console/sign-in/link", base_url=ORIGIN, data=sent, headers=headers).status_code
        == 303
    )
    assert "Nadia Okoye registrar" in desk.told(PAGE)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--role", "registrar"],
        ["--role", "operator", "--body", "ca-own"],
        ["--body", "nowhere"],
        ["--body", "ca-own", "--label", " "],
    ],
)
def test_no_link_is_made_for_who_could_do_nothing(
    own: Body, settings: Settings, arguments: list[str]
) -> None:
    environment = {"REGISTRY_DATABASE_URL": settings.database_url, "REGISTRY_PUBLIC_URL": ORIGIN}
    result = CliRunner().invoke(main, ["console-link", *arguments], env=environment)
    assert result.exit_code == 1
    assert "token=" not in result.output


def test_an_operator_turns_to_the_affairs_of_another_body(own: Body, other: Body, operator: Desk) -> None:
    assert operator.post("/console/body", {"body": other.code}).status_code == 303
    page = operator.get(PAGE)
    assert f'<option value="{other.code}" selected>' in page.text
    assert f"You are at the affairs of {other.name}." in words_of(page)


def test_what_was_done_is_told_once(own: Body, other: Body, operator: Desk) -> None:
    operator.post("/console/body", {"body": other.code})
    assert "You are at the affairs of" in operator.told(PAGE)
    assert "You are at the affairs of" not in operator.told(PAGE)


def test_nobody_else_says_something_on_a_page(registrar: Desk) -> None:
    forged = f"{b'You have been paid'.hex()}.{'0' * 64}"
    for value in (forged, "zz.", "", "é.é", forged.partition(".")[0]):
        registrar.client.set_cookie(
            "__Host-registry-console-told", value, domain="registry.example", secure=True
        )
        page = registrar.get(PAGE)
        assert page.status_code == 200
        assert "paid" not in page.text
