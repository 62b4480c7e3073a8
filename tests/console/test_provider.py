"""Signing in by an identity provider, which runs here; and what else might come in its name."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from registry.settings import Settings
from registry.store.audit_tables import audit_entries
from registry.store.database import reading, writing
from registry.store.records import Body
from tests.console.conftest import OWN
from tests.support.application import running
from tests.support.console import ORIGIN, Desk, words_of
from tests.support.databases import SqliteDatabases
from tests.support.factories import make_body
from tests.support.identity import CLIENT_ID, LOGOUT, TOKEN, Provider, make_key, providing, signing_in

GO, BACK = "/console/sign-in/provider", "/console/sign-in/provider/back"
PAGE = "/console/sessions"
DOOR = "__Host-registry-console-door"


@pytest.fixture(scope="module")
def settings(sqlite_databases: SqliteDatabases) -> Iterator[Settings]:
    """One register for all of them: each test signs in anew."""
    with sqlite_databases.migrated() as url:
        yield Settings(database_url=url, public_url=ORIGIN, pool_size=12)


@pytest.fixture(scope="module")
def its_provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture
def provider(its_provider: Provider) -> Provider:
    """As it was at first: it signs a registrar in."""
    its_provider.person, its_provider.broken = {}, {}
    return its_provider


@pytest.fixture(scope="module")
def app(settings: Settings, its_provider: Provider) -> Iterator[Flask]:
    with running(signing_in(settings, its_provider)) as app:
        yield app


@pytest.fixture(scope="module")
def own(app: Flask) -> Body:
    with app.app_context(), writing() as tx:
        return make_body(tx, OWN)


@pytest.fixture
def desk(app: Flask, own: Body) -> Desk:
    """A browser in which nobody has signed in yet."""
    return Desk(app.test_client())


def ask(provider: Provider, location: str) -> str:
    """Where the provider sends a browser that comes to it."""
    parts = urlsplit(location)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        assert response.status == 302
        return response.headers["Location"]
    finally:
        connection.close()


def come_back(desk: Desk, provider: Provider, **asked: str) -> str:
    """Go to the provider, sign in there: the address, without its origin, to come back by."""
    away = desk.get(GO, query_string=asked)
    assert away.status_code == 303, away.text
    back = ask(provider, away.location)
    assert back.startswith(f"{ORIGIN}{BACK}?")
    return back.removeprefix(ORIGIN)


def told(app: Flask) -> tuple[str, str]:
    """Who did what, as the newest entry of the audit says."""
    with app.app_context(), reading() as connection:
        row = connection.execute(select(audit_entries).order_by(audit_entries.c.seq.desc()).limit(1)).one()
        return row.principal.partition(":")[0], row.action


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        ({"roles": ["own-desk"]}, "registrar"),
        ({"roles": ["any-auditor"], "body": "ca-own"}, "auditor"),
        ({"roles": ["operators"]}, "operator"),
    ],
)
def test_who_signs_in_is_what_the_claims_are_mapped_to(
    app: Flask, desk: Desk, provider: Provider, claims: dict[str, Any], shown: str
) -> None:
    provider.person = {**claims, "sub": "0f3c", "name": "Noor Haddad"}
    response = desk.get(come_back(desk, provider))
    assert response.status_code == 303, response.text
    page = words_of(desk.get(PAGE))
    assert f"Noor Haddad {shown}" in page
    assert told(app) == (shown, "console_signed_in")


def test_one_comes_back_to_the_page_that_one_wanted(desk: Desk, provider: Provider) -> None:
    wanted = "/console/sessions?a=b"
    response = desk.get(come_back(desk, provider, next=wanted))
    assert response.location == wanted


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/v1/bodies", "/console//evil"])
def test_nobody_is_led_elsewhere(desk: Desk, provider: Provider, wanted: str) -> None:
    response = desk.get(come_back(desk, provider, next=wanted))
    assert response.status_code == 303
    assert response.location.startswith("/console")
    assert "evil" not in response.location


def test_the_door_is_closed_behind_who_came_in(desk: Desk, provider: Provider) -> None:
    back = come_back(desk, provider)
    assert desk.get(back).status_code == 303
    assert desk.client.get_cookie(DOOR, domain="registry.example") is None
    assert desk.get(back).status_code == 403


def test_nobody_ends_in_another_browser_what_was_begun_in_one(
    app: Flask, desk: Desk, provider: Provider
) -> None:
    """Else somebody could be signed in, without knowing, as whoever wants to read what they record."""
    back = come_back(desk, provider)
    victim = Desk(app.test_client())
    assert victim.get(back).status_code == 403
    come_back(victim, provider)
    assert victim.get(back).status_code == 403
    assert victim.get(PAGE).status_code == 303


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": [CLIENT_ID, "another client"]},
        {"aud": CLIENT_ID, "azp": "another client"},
        {"iss": "https://another.example"},
        {"exp": 1},
        {"iat": None},
        {"sub": ""},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_lets_nobody_in(
    app: Flask, desk: Desk, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.person = claims
    assert desk.get(come_back(desk, provider)).status_code == 403
    assert desk.get(PAGE).status_code == 303
    assert told(app) == ("public", "console_sign_in_failed")


def test_several_audiences_are_taken_where_ours_is_the_party(desk: Desk, provider: Provider) -> None:
    provider.person = {"aud": [CLIENT_ID, "another client"], "azp": CLIENT_ID}
    assert desk.get(come_back(desk, provider)).status_code == 303


@pytest.mark.parametrize(
    ("header", "kind"),
    [({"alg": "none"}, "RSA"), ({"alg": "HS256"}, "oct"), ({"kid": "unknown"}, "RSA"), ({}, "forged")],
)
def test_a_token_that_others_signed_lets_nobody_in(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch, header: dict[str, Any], kind: str
) -> None:
    key = make_key("RSA", 7) if kind == "forged" else make_key("oct", 1) if kind == "oct" else None
    sign = provider.sign

    def forged(claims: dict[str, Any], **_: Any) -> str:
        return sign(claims, key=key, header={"typ": "JWT", **header})

    monkeypatch.setattr(provider, "sign", forged)
    assert desk.get(come_back(desk, provider)).status_code == 403
    assert desk.get(PAGE).status_code == 303


@pytest.mark.parametrize("claims", [{"roles": []}, {"roles": ["clinics"]}, {"roles": ["lost"]}])
def test_who_is_nothing_here_is_told_so(desk: Desk, provider: Provider, claims: dict[str, Any]) -> None:
    provider.person = claims
    response = desk.get(come_back(desk, provider))
    assert response.status_code == 403
    assert "You have no role in this register." in words_of(response)


def test_an_answer_in_the_name_of_another_provider_is_refused(desk: Desk, provider: Provider) -> None:
    back = come_back(desk, provider)
    state = parse_qs(urlsplit(back).query)["state"][0]
    for answer in (
        {"code": "x", "state": state, "iss": "https://another.example"},
        {"error": "access_denied", "state": state, "iss": provider.issuer},
        {"state": state, "iss": provider.issuer},
        {"code": "x", "state": f"{state}é", "iss": provider.issuer},
        {},
    ):
        assert desk.get(GO).status_code == 303
        assert desk.get(BACK, query_string=answer).status_code == 403


def test_what_the_token_endpoint_answers_otherwise_lets_nobody_in(desk: Desk, provider: Provider) -> None:
    for answered in ((500, b""), (200, b"[]"), (200, b'{"id_token": 1}'), (302, b"")):
        provider.broken[TOKEN] = (*answered, {})
        assert desk.get(come_back(desk, provider)).status_code == 403


def test_a_provider_without_the_addresses_that_it_takes_signs_nobody_in(
    settings: Settings,
) -> None:
    for address in (None, "javascript:alert(1)", "/relative", "https://"):
        with providing() as provider:
            provider.described = {"authorization_endpoint": address}
            with running(signing_in(settings, provider)) as app:
                assert Desk(app.test_client()).get(GO).status_code == 503


def test_who_signs_out_is_offered_to_sign_out_of_the_provider_too(desk: Desk, provider: Provider) -> None:
    desk.get(come_back(desk, provider))
    out = desk.post("/console/sign-out")
    page = desk.get(out.location)
    assert "Sign out there, too" in words_of(page)
    away = desk.get("/console/sign-in/provider/leave")
    assert away.location.startswith(f"{provider.origin}{LOGOUT}?")
    assert parse_qs(urlsplit(away.location).query)["client_id"] == [CLIENT_ID]


def test_nobody_signs_in_where_others_read_along(settings: Settings, provider: Provider) -> None:
    open_to_all = replace(signing_in(settings, provider), public_url="http://registry.example")
    with running(open_to_all) as app:
        desk = Desk(app.test_client())
        for path in (GO, BACK, "/console/sign-in/link"):
            assert desk.get(path).status_code == 403


def test_without_a_provider_there_is_no_way_to_it(settings: Settings) -> None:
    with running(settings) as app:
        desk = Desk(app.test_client())
        assert desk.get(GO).status_code == 404
        assert "registry console-link" in words_of(desk.get("/console/sign-in"))
