"""Tokens of an identity provider over HTTP: whom they stand for, what that owns, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from registry.http.authentication import EXTENSION
from registry.services.identity_provider import APART_SECONDS, MOST_WAITING
from registry.settings import Settings
from registry.store import tables
from registry.store.database import reading
from tests.http.conftest import OTHER, OWN, Bearer, Keys
from tests.support.application import running
from tests.support.identity import DISCOVERY, KEYS, Provider, Watch, providing, rules_of, taking_tokens

LIST = f"/v1/admin/lapses?body={OWN}"
Ask = Callable[..., int]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture
def settings(database_url: str, provider: Provider) -> Settings:
    kept = Settings(database_url=database_url, public_url="https://registry.example", pool_size=12)
    return taking_tokens(kept, provider)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def app(settings: Settings, watch: Watch) -> Iterator[Flask]:
    with running(replace(settings, oidc_issuer="")) as app:
        app.extensions[EXTENSION] = rules_of(settings, watch)
        yield app


@pytest.fixture
def ask(client: FlaskClient, keys: Keys, bearer: Bearer) -> Ask:
    """The status that a token is answered with."""

    def asked(token: str, path: str = LIST) -> int:
        return client.get(path, headers=bearer(token)).status_code

    return asked


@pytest.mark.parametrize("token", ["..", "a.b.c", "\u00e9.e.e", "a" * 9000 + ".b.c", "\x00.\x00.\x00"])
def test_what_is_no_token_lets_nobody_in(ask: Ask, token: str) -> None:
    assert ask(token) == 401
    assert ask(token, "/v1/bodies") == 401


def test_a_token_stands_for_what_its_claims_are_mapped_to(
    app: Flask, client: FlaskClient, keys: Keys, bearer: Bearer, provider: Provider, ask
) -> None:
    assert ask(provider.sign()) == 200
    assert ask(provider.sign(), f"/v1/admin/lapses?body={OTHER}") == 403
    assert ask(provider.sign({"roles": "own-desk"})) == 200
    assert ask(provider.sign({"roles": ["nothing", "clinics"]}), "/v1/rosters") == 200
    assert ask(provider.sign({"roles": ["clinics"]})) == 403
    assert (
        ask(provider.sign({"roles": ["any-auditor"], "body": OTHER}), f"/v1/admin/lapses?body={OTHER}") == 200
    )
    assert ask(provider.sign({"roles": ["operators"]}), "/v1/admin/keys") == 200
    # Of several, the first of the settings.
    assert ask(provider.sign({"roles": ["operators", "own-desk"]}), "/v1/admin/token-holders") == 403


def test_a_role_may_be_narrowed_to_scopes(
    client: FlaskClient, bearer: Bearer, provider: Provider, ask
) -> None:
    token = provider.sign({"roles": ["own-reader"]})
    assert ask(token) == 200
    wish = {"names": [{"kind": "published", "full_name": "Ana Ito"}]}
    refused = client.post("/v1/admin/practitioners", json=wish, headers=bearer(token))
    assert (refused.status_code, "scope record" in refused.get_json(force=True)["detail"]) == (403, True)


@pytest.mark.parametrize(
    "claims",
    [
        {"roles": []},
        {"roles": ["nobody"]},
        {"roles": None},
        {"roles": {"own-desk": True}},
        {"roles": [["own-desk"], 1]},
        {"roles": ["any-auditor"]},
        {"roles": ["any-auditor"], "body": ["ca-own"]},
        {"roles": ["any-auditor"], "body": "no-such-body"},
        {"roles": ["lost"]},
    ],
)
def test_who_is_nothing_here_is_told_so(provider: Provider, ask: Ask, claims: dict[str, Any]) -> None:
    assert ask(provider.sign(claims)) == 403
    assert ask(provider.sign(claims), "/v1/bodies") == 403


def test_one_question_at_a_time_and_few_wait_for_the_answer(
    app: Flask, provider: Provider, bearer: Bearer, keys: Keys
) -> None:
    provider.held.clear()
    statuses: list[int] = []

    def send() -> None:
        token = provider.sign()
        statuses.append(app.test_client().get(LIST, headers=bearer(token)).status_code)

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    while len(statuses) < len(threads) - MOST_WAITING:
        threading.Event().wait(0.01)
    provider.held.set()
    for thread in threads:
        thread.join()
    assert provider.most_at_once == 1
    assert statuses.count(503) == len(threads) - MOST_WAITING
    assert statuses.count(200) == MOST_WAITING


BROKEN: dict[str, dict[str, tuple[int, bytes, dict[str, str]]]] = {
    "the discovery fails": {DISCOVERY: (500, b"", {})},
    "the keys fail": {KEYS: (503, b"", {})},
    "no JSON": {KEYS: (200, b"<html>", {})},
    "no object": {KEYS: (200, b"[]", {})},
    "no list": {KEYS: (200, b'{"keys": {}}', {})},
    "too much": {KEYS: (200, b'{"keys": [' + b" " * 300_000 + b"]}", {})},
    "less than announced": {KEYS: (200, b'{"keys": []', {"Content-Length": "1000"})},
    "elsewhere": {KEYS: (302, b"", {"Location": "/elsewhere"})},
    "nested": {DISCOVERY: (200, b'{"a":' * 50_000, {})},
    "another issuer": {DISCOVERY: (200, b'{"issuer": "https://evil.example", "jwks_uri": "/"}', {})},
    "keys in a file": {},
    "keys elsewhere by http": {},
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_cannot_be_judged_is_not_let_in_and_told_to_come_back(
    client: FlaskClient, keys: Keys, bearer: Bearer, provider: Provider, watch: Watch, how: str
) -> None:
    provider.broken = BROKEN[how]
    if how == "keys in a file":
        provider.described = {"jwks_uri": "file:///etc/passwd"}
    elif how == "keys elsewhere by http":
        provider.described = {"jwks_uri": "http://192.0.2.1/keys"}
    for _ in range(3):
        response = client.get(LIST, headers=bearer(provider.sign()))
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
    assert len(provider.asked) <= 2
    assert client.get(LIST, headers=bearer(keys.registrar)).status_code == 200, "keys go on to be taken"
    provider.broken, provider.described = {}, {}
    watch.now += APART_SECONDS
    assert client.get(LIST, headers=bearer(provider.sign())).status_code == 200


def test_a_holder_is_the_same_principal_with_each_token(
    app: Flask, client: FlaskClient, bearer: Bearer, provider: Provider, keys: Keys
) -> None:
    """Rosters are theirs alone, and stay theirs when their token is another."""
    own, other = ({"roles": ["clinics"], "sub": subject} for subject in ("a", "b"))
    put = client.put("/v1/rosters/staff", json={"members": []}, headers=bearer(provider.sign(own)))
    assert put.status_code == 201
    assert client.get("/v1/rosters/staff", headers=bearer(provider.sign(own))).status_code == 200
    assert client.get("/v1/rosters/staff", headers=bearer(provider.sign(other))).status_code == 404
    assert client.get("/v1/rosters/staff", headers=bearer(keys.clinic)).status_code == 404
    with app.app_context(), reading() as connection:
        kept = connection.execute(select(tables.principals).where(tables.principals.c.issuer.is_not(None)))
        assert sorted((row.issuer, row.subject) for row in kept) == [
            (provider.issuer, "a"),
            (provider.issuer, "b"),
        ]


def test_many_who_come_first_at_the_same_moment_are_one(
    app: Flask, bearer: Bearer, provider: Provider, keys: Keys
) -> None:
    token = provider.sign()
    app.test_client().get("/v1/bodies", headers=bearer(provider.sign({"sub": "warm"})))
    ready, statuses = threading.Barrier(6), []

    def send() -> None:
        ready.wait()
        statuses.append(app.test_client().get(LIST, headers=bearer(token)).status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6
    with app.app_context(), reading() as connection:
        named = select(tables.principals).where(tables.principals.c.subject == "0f3c")
        assert len(connection.execute(named).all()) == 1


def test_what_is_recorded_names_the_holder(
    client: FlaskClient, bearer: Bearer, provider: Provider, keys: Keys
):
    token = provider.sign()
    wish = {"role": "registrar", "body": OWN, "label": "x"}
    operator = bearer(provider.sign({"roles": ["operators"], "sub": "op"}))
    made = client.post("/v1/admin/keys", json=wish, headers=operator).get_json()
    listed = client.get("/v1/admin/token-holders", headers=bearer(keys.operator)).get_json()["items"]
    assert [(each["issuer"], each["subject"]) for each in listed] == [(provider.issuer, "op")]
    assert made["created_by"] == f"operator:{listed[0]['id']}"
    assert client.get(LIST, headers=bearer(token)).status_code == 200


def test_an_operator_blocks_a_holder_at_once(
    client: FlaskClient, bearer: Bearer, provider: Provider, keys: Keys, ask
) -> None:
    token = provider.sign()
    assert ask(token) == 200
    (holder,) = client.get("/v1/admin/token-holders", headers=bearer(keys.operator)).get_json()["items"]
    address = f"/v1/admin/token-holders/{holder['id']}"
    blocked = client.post(f"{address}/block", headers=bearer(keys.operator))
    assert blocked.status_code == 200
    assert blocked.get_json()["blocked_at"] is not None
    assert (ask(token), ask(provider.sign())) == (401, 401)
    assert client.post(f"{address}/block", headers=bearer(keys.operator)).status_code == 409
    assert client.get(address, headers=bearer(keys.operator)).get_json() == blocked.get_json()
    assert client.post(f"{address}/unblock", headers=bearer(keys.operator)).get_json()["blocked_at"] is None
    assert ask(token) == 200
    assert client.post(f"{address}/unblock", headers=bearer(keys.operator)).status_code == 409


def test_the_answer_says_that_the_token_is_the_problem(
    client: FlaskClient, bearer: Bearer, provider: Provider, keys: Keys
) -> None:
    response = client.get(LIST, headers=bearer(provider.sign({"exp": 1})))
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="registry", error="invalid_token"'
    assert "expired" in response.get_json(force=True)["detail"]
    assert "error=" not in client.get(LIST).headers["WWW-Authenticate"]


def test_where_nobodys_tokens_are_taken_they_open_nothing(
    settings: Settings, keys: Keys, bearer: Bearer, provider: Provider
) -> None:
    token = provider.sign()
    with running(replace(settings, oidc_issuer="")) as app:
        asked = len(provider.asked)
        assert app.test_client().get(LIST, headers=bearer(token)).status_code == 401
        assert len(provider.asked) == asked


def test_a_service_asks_for_the_keys_before_anybody_comes(
    settings: Settings, keys: Keys, bearer: Bearer, provider: Provider
) -> None:
    with running(settings) as app:
        under_way = app.extensions[EXTENSION].provider.ask()
        assert under_way is None or under_way.result(10) is None
        assert provider.asked == [DISCOVERY, KEYS]
        provider.broken = {DISCOVERY: (500, b"", {})}
        assert app.test_client().get(LIST, headers=bearer(provider.sign())).status_code == 200
