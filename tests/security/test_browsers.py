"""What a site that somebody was lured to, or a cache on the way, could make of the service."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from registry.http.access import ACCESS
from registry.http.examples import EXPORTED
from registry.http.sessions import is_of_console
from registry.settings import Settings
from tests.support.application import running

LIES = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "4443",
    "X-Forwarded-Prefix": "/evil.example",
    "X-Forwarded-Server": "evil.example",
    "X-Host": "evil.example",
    "X-Original-URL": "/evil.example",
    "X-Rewrite-URL": "/evil.example",
    "Forwarded": "host=evil.example;proto=https",
}
WITH_COOKIE = {"choose_page_language"}
"""Sets the one cookie that there is."""


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    """One engine will do: none of this is the database's affair."""
    return Settings(database_url=sqlite_url, public_url="https://registry.example", pool_size=12)


def addresses(app: Flask, parts: dict[str, str]) -> list[tuple[Rule, str]]:
    """Every address that can be got, with something that there is in its variable parts."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    rules = [rule for rule in rules if not is_of_console(rule.endpoint)]  # see tests/console
    assert len(rules) > 60
    return [(rule, _filled(rule, parts)) for rule in rules]


def _filled(rule: Rule, parts: dict[str, str]) -> str:
    return re.sub(r"<(?:[^:<>]*:)?(\w+)>", lambda part: parts[part[1]], rule.rule)


def said(answer: TestResponse) -> str:
    return f"{answer.headers}{answer.data.decode('latin-1')}".replace("\r", "")


def without_identifier(text: str) -> str:
    return re.sub("X-Request-Id: .*", "", text)


def test_no_answer_repeats_the_host_that_a_request_names(
    app: Flask, client: FlaskClient, parts: dict[str, str]
) -> None:
    """A cache would give it to everybody (poisoning), or a mail with its link lead elsewhere."""
    for _, path in addresses(app, parts):
        assert "evil.example" not in said(client.get(path, headers=LIES)), path


def test_no_header_of_proxies_changes_what_the_public_is_told(
    client: FlaskClient, parts: dict[str, str]
) -> None:
    """So there is no answer that a cache could keep for others, whichever of them its key leaves out."""
    check = f"/check/{parts['body']}/{parts['number']}"
    for path in (check, f"{check}/qr.svg", f"{check}/changes.atom", "/.well-known/api-catalog", "/"):
        honest = without_identifier(said(client.get(path)))
        for name, value in LIES.items():
            assert without_identifier(said(client.get(path, headers={name: value}))) == honest, (path, name)


def test_with_a_key_the_public_is_told_nothing_else(
    app: Flask, client: FlaskClient, parts: dict[str, str], keys: Any, bearer: Any
) -> None:
    """What caches may give to others is never what somebody was told because of who they are (deception)."""
    compared = 0
    for rule, path in addresses(app, parts):
        if ACCESS[rule.endpoint.rpartition(".")[2]].public:
            same = {"X-Request-Id": "same"}
            alone = client.get(path, headers=same)
            for key in (keys.operator, keys.registrar):
                answer = client.get(path, headers=bearer(key, **same))
                assert (answer.status_code, answer.data) == (alone.status_code, alone.data), path
            compared += 1
    assert compared > 30


def test_no_page_may_be_framed_and_no_address_is_told_to_others(
    app: Flask, client: FlaskClient, parts: dict[str, str]
) -> None:
    """Clickjacking, and what a link that is followed tells in its Referer."""
    for _, path in addresses(app, parts):
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        for directive in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action"):
            assert directive in policy, path
        assert headers["Referrer-Policy"] == "no-referrer", path


def test_only_the_choice_of_a_language_sets_a_cookie(
    app: Flask, client: FlaskClient, parts: dict[str, str]
) -> None:
    for rule, path in addresses(app, parts):
        cookies = client.get(path).headers.getlist("Set-Cookie")
        assert not cookies or rule.endpoint.rpartition(".")[2] in WITH_COOKIE, path


def test_the_cookie_is_sent_by_https_alone_however_the_last_proxy_asks(client: FlaskClient) -> None:
    """The public reaches this one by https; the proxy in front asks by http."""
    cookie = client.get("/language/fr").headers["Set-Cookie"]
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert f"; {attribute}" in cookie


@pytest.mark.parametrize("to", ["//[", "https://[", "//[::1", "//[v1.x]@evil.example/", "//evil.example\\@x"])
def test_an_address_that_nobody_can_read_is_no_way_back_and_no_failure(client: FlaskClient, to: str) -> None:
    answer = client.get("/language/fr", query_string={"to": to})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/fr/")


def test_what_a_browser_sends_by_itself_opens_nothing(client: FlaskClient, keys: Any) -> None:
    """Neither a cookie nor an address is a credential: so no site can act for who visits it (CSRF)."""
    for name in ("Authorization", "key", "token", "session"):
        client.set_cookie(name, keys.operator)
    for name in ("key", "api_key", "access_token", "token", "authorization"):
        assert client.get("/v1/admin/keys", query_string={name: keys.operator}).status_code == 401
        assert client.post("/v1/admin/keys", data={name: keys.operator}).status_code == 401


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "text/json"])
def test_a_form_of_another_site_is_no_request_of_the_api(
    client: FlaskClient, keys: Any, bearer: Any, content_type: str
) -> None:
    """What browsers send elsewhere without asking first (CORS-safelisted types) is not taken for JSON."""
    sent = '{"names": [{"kind": "published", "full_name": "Ana Silva"}]}'
    headers = bearer(keys.registrar, **{"Content-Type": content_type})
    assert client.post("/v1/admin/practitioners", data=sent, headers=headers).status_code == 415


def test_no_method_is_taken_for_another(client: FlaskClient, keys: Any, bearer: Any) -> None:
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        headers = bearer(keys.operator, **{name: "DELETE"})
        made = client.get("/v1/admin/keys", headers=headers)
        assert made.status_code == 200
    for method in ("TRACE", "CONNECT", "PROPFIND"):
        assert client.open("/v1/bodies", method=method).status_code == 405


def test_a_question_to_what_may_be_asked_tells_nothing_else(
    app: Flask, client: FlaskClient, parts: dict[str, str]
) -> None:
    """OPTIONS is answered without a key, and never by the view."""
    for rule, path in addresses(app, parts):
        answer = client.options(path)
        assert answer.status_code == 200, path
        assert not answer.data, path
        if path.startswith("/v1/admin"):
            allowed = {name for name, _ in answer.headers if name.startswith("Access-Control")}
            assert not allowed, rule


def test_https_is_insisted_on_where_the_public_is_served_by_it(client: FlaskClient, sqlite_url: str) -> None:
    """For a year; and never where a browser would then be locked out of a service without it."""
    for path in ("/", "/v1/bodies", "/none", "/v1/admin/keys"):
        assert client.get(path).headers["Strict-Transport-Security"] == f"max-age={365 * 24 * 3600}", path
    with running(Settings(database_url=sqlite_url, public_url="http://localhost:8000")) as plain:
        assert "Strict-Transport-Security" not in plain.test_client().get("/").headers


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", 'a".csv\r\nSet-Cookie: x=1', "\u202etxt.csv", "=cmd.csv"]
)
def test_the_name_of_a_file_that_was_sent_in_leads_nowhere(
    client: FlaskClient, keys: Any, bearer: Any, name: str
) -> None:
    """It is shown as it came, without what cannot be printed; no file is written or sent under it."""
    form = {"body": "ca-own", "profile": "export", "file": (io.BytesIO(EXPORTED.encode()), name)}
    made = client.post("/v1/admin/imports", data=form, headers=bearer(keys.registrar))
    assert made.status_code == 201, made.text
    kept = made.get_json()
    assert kept["filename"].isprintable()
    fetched = client.get(f"/v1/admin/imports/{kept['id']}/rejected.csv", headers=bearer(keys.registrar))
    named = fetched.headers["Content-Disposition"]
    assert named == f'attachment; filename="rejected-{kept["id"]}.csv"'
    assert "Set-Cookie" not in made.headers
