"""However somebody asks without a key, they carry away no more of the register than the limits say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from string import ascii_lowercase
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from registry.services.keys import create_key
from registry.services.principals import AccessScope, Role
from registry.settings import Settings
from registry.store.database import writing
from tests.support.application import running
from tests.support.factories import AT, BY, make_body, make_key, make_person, make_registration

PEOPLE, LOOK_UPS, SEARCHED, A_DAY = 60, 12, 20, 25
HOME = "203.0.113.7"


@pytest.fixture
def settings(sqlite_url: str) -> Settings:
    return Settings(
        database_url=sqlite_url,
        limit_look_ups=f"{LOOK_UPS}/600",
        limit_search=f"{SEARCHED}/600",
        limit_day=f"{A_DAY}/86400",
        limit_attempts="3/300",
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    with running(settings, limited=True) as app:
        with app.app_context(), writing() as tx:
            body = make_body(tx, "ca-xx")
            for place in range(PEOPLE):
                first, second = divmod(place, 26)
                person = make_person(tx, f"Zo{chr(97 + first)} {chr(97 + second)}{chr(97 + first)}rra")
                make_registration(tx, body, person, number=f"PT-{place:03}", city="Banff")
        yield app


def ask(client: FlaskClient, path: str, address: str = HOME, **more: Any) -> Any:
    return client.get(path, environ_overrides={"REMOTE_ADDR": address}, **more)


def everything(client: FlaskClient, address: str = HOME, **headers: str) -> set[str]:
    """The numbers of all whom a scraper gets to see: by name, city, number, page and batch."""
    seen: set[str] = set()
    names = ["".join(each) for each in product("zo" + ascii_lowercase, repeat=2)]
    paths = [f"/v1/practitioners?limit=50&name={name}" for name in names[:60]]
    paths += ["/v1/practitioners?limit=50&city=ba", "/find?city=Banff", "/?q=zoa"]
    paths += [f"/v1/bodies/ca-xx/registrations/PT-{place:03}" for place in range(PEOPLE)]
    paths += [f"/check/ca-xx/PT-{place:03}" for place in range(PEOPLE)]
    for path in paths:
        answer = ask(client, path, address, headers=headers)
        while answer.status_code == 200:
            seen |= {f"PT-{place:03}" for place in range(PEOPLE) if f"PT-{place:03}" in answer.text}
            following = answer.is_json and answer.get_json().get("next")
            if not following:
                break
            answer = ask(client, f"{path}&cursor={following}", address, headers=headers)
    questions = [{"body": "ca-xx", "number": f"PT-{place:03}"} for place in range(PEOPLE)]
    for size in (PEOPLE, 5, 1):
        for start in range(0, PEOPLE, size):
            asked = {"questions": questions[start : start + size]}
            answer = client.post("/v1/verifications", json=asked, environ_overrides={"REMOTE_ADDR": address})
            if answer.status_code == 200:
                seen |= {each["number"] for each in answer.get_json()["answers"]}
    return seen


def test_no_way_of_asking_gives_more_than_a_days_share(app: Flask) -> None:
    seen = everything(app.test_client())
    assert 0 < len(seen) <= A_DAY


def test_nobody_gets_another_share_by_saying_that_they_come_from_elsewhere(app: Flask) -> None:
    """Not by a header, where no proxy is ours; nor from another address of the same site (RFC 6177)."""
    client, address = app.test_client(), "2001:db8:7:1::1"
    seen = everything(client, address)
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"):
        answer = ask(client, "/v1/bodies/ca-xx/registrations/PT-001", address, headers={name: "198.51.100.9"})
        assert answer.status_code == 429, name
    assert everything(client, "2001:db8:7:1:ffff::2") == set()
    assert len(seen | everything(client, "2001:db8:7:2::1")) <= 2 * A_DAY


def test_of_a_proxy_that_is_ours_only_what_it_saw_itself_is_believed(settings: Settings, app: Flask) -> None:
    with running(replace(settings, trusted_hops=1), limited=True) as behind:
        client = behind.test_client()
        statuses = [
            ask(
                client,
                "/v1/bodies/ca-xx/registrations/PT-001",
                headers={"X-Forwarded-For": f"198.51.100.{place}, 203.0.113.80"},
            ).status_code
            for place in range(LOOK_UPS + 1)
        ]
    assert statuses == [200] * LOOK_UPS + [429]


def test_who_tries_keys_is_soon_not_listened_to(app: Flask) -> None:
    with app.app_context(), writing() as tx:
        good, known = make_key(tx), make_key(tx)
    client = app.test_client()

    def status(key: str, address: str = HOME) -> int:
        answer = ask(client, "/v1/admin/keys", address, headers={"Authorization": f"Bearer {key}"})
        status: int = answer.status_code
        return status

    assert status(known) == 200
    guesses = [good[:-4] + f"{place:04}" for place in range(6)]
    assert [status(guess) for guess in guesses] == [401, 401, 401, 429, 429, 429]
    assert status(good) == 429  # so that even a right guess is not noticed
    assert status(known) == 200  # who was there before is not locked out
    assert status(good, "198.51.100.9") == 200


def test_a_narrowed_key_opens_nothing_else_and_makes_no_wider_one(app: Flask) -> None:
    narrow = frozenset({AccessScope.ADMINISTER, AccessScope.READ})
    with app.app_context(), writing() as tx:
        made = create_key(
            tx, role=Role.OPERATOR, body=None, label="Me", scopes=narrow, expires_at=None, by=BY, at=AT
        )
        key = made.secret
    headers = {"Authorization": f"Bearer {key}"}
    client = app.test_client()
    assert client.get("/v1/admin/keys", headers=headers).status_code == 200
    person = {"names": [{"kind": "published", "full_name": "Ana Silva"}]}
    assert client.post("/v1/admin/practitioners", json=person, headers=headers).status_code == 403
    assert client.get("/v1/admin/exports/ca-xx.csv", headers=headers).status_code == 403
    for scopes in (None, ["read", "decide"]):
        wider = {"role": "operator", "label": "Me", "scopes": scopes}
        wider = {name: value for name, value in wider.items() if value is not None}
        assert client.post("/v1/admin/keys", json=wider, headers=headers).status_code == 403
    alike = {"role": "operator", "label": "Me", "scopes": ["read"]}
    assert client.post("/v1/admin/keys", json=alike, headers=headers).status_code == 201
