"""API keys: shown once, kept as a hash, recognised while they are in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from registry import clock
from registry.errors import Conflict
from registry.services import keys as service
from registry.services.keys import recognise
from registry.store import tables
from registry.store.database import reading, writing

KEYS = "/v1/admin/keys"


def test_a_made_key_opens_what_its_role_may(client: FlaskClient, keys, bearer) -> None:
    wish = {"role": "registrar", "body": "ca-own", "label": "M. Reyes"}
    response = client.post(KEYS, json=wish, headers=bearer(keys.operator))
    assert response.status_code == 201
    made = response.get_json()
    assert made["secret"].startswith(f"ndl_{made['prefix']}_")
    assert client.get(KEYS, headers=bearer(made["secret"])).status_code == 200
    shown = client.get(response.headers["Location"], headers=bearer(keys.operator)).get_json()
    assert "secret" not in shown
    assert {**shown, "last_used_at": None, "secret": made["secret"]} == made


def test_only_the_hash_of_a_key_is_kept(app: Flask, keys) -> None:
    with app.app_context(), reading() as connection:
        for row in connection.execute(select(tables.api_keys)):
            kept = " ".join(map(str, row))
            assert all(secret.split("_", 2)[2] not in kept for secret in vars(keys).values())


@pytest.mark.parametrize(
    ("wish", "pointer"),
    [
        ({"role": "registrar", "label": "x"}, "/body"),
        ({"role": "operator", "label": "x", "body": "ca-own"}, "/body"),
        ({"role": "auditor", "label": "x", "body": "no-such-body"}, "/body"),
        ({"role": "clinic", "label": "x", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"role": "public", "label": "x"}, "/role"),
        ({"role": "clinic"}, "/label"),
        ({"role": "clinic", "label": " "}, "/label"),
    ],
)
def test_a_key_that_could_not_be_right_is_not_made(
    client: FlaskClient, keys, bearer, wish, pointer: str
) -> None:
    response = client.post(KEYS, json=wish, headers=bearer(keys.operator))
    assert response.status_code == 422
    assert [each["pointer"] for each in response.get_json(force=True)["errors"]] == [pointer]


def test_a_revoked_key_opens_nothing_from_then_on(client: FlaskClient, keys, bearer) -> None:
    made = client.post(KEYS, json={"role": "clinic", "label": "x"}, headers=bearer(keys.operator)).get_json()
    assert client.get("/v1/bodies", headers=bearer(made["secret"])).status_code == 200
    assert client.delete(f"{KEYS}/{made['id']}", headers=bearer(keys.operator)).status_code == 204
    assert client.get("/v1/bodies", headers=bearer(made["secret"])).status_code == 401
    assert client.delete(f"{KEYS}/{made['id']}", headers=bearer(keys.operator)).status_code == 409
    shown = client.get(f"{KEYS}/{made['id']}", headers=bearer(keys.operator)).get_json()
    assert shown["revoked_at"] is not None
    assert shown["revoked_by"].startswith("operator:")


def test_a_key_opens_until_it_expires(app: Flask, client: FlaskClient, keys, bearer) -> None:
    expires = clock.now().replace(microsecond=0) + timedelta(days=1)
    wish = {"role": "clinic", "label": "x", "expires_at": expires.isoformat()}
    secret = client.post(KEYS, json=wish, headers=bearer(keys.operator)).get_json()["secret"]
    with app.app_context(), reading() as connection:
        assert recognise(connection, secret, expires - timedelta(microseconds=1)) is not None
        assert recognise(connection, secret, expires) is None


def test_a_registrar_sees_the_keys_of_the_own_body_alone(client: FlaskClient, keys, bearer) -> None:
    seen = client.get(KEYS, headers=bearer(keys.registrar)).get_json()["items"]
    assert {(key["role"], key["body"]) for key in seen} == {("registrar", "ca-own"), ("auditor", "ca-own")}
    assert client.get(f"{KEYS}?body=ca-own", headers=bearer(keys.registrar)).get_json()["items"] == seen
    assert client.get(f"{KEYS}?body=ca-other", headers=bearer(keys.registrar)).status_code == 403
    assert client.get(f"{KEYS}?body=nowhere", headers=bearer(keys.registrar)).status_code == 404
    assert client.get(f"{KEYS}/{seen[0]['id']}", headers=bearer(keys.other_registrar)).status_code == 403


def test_a_key_of_no_body_is_the_operators_to_see(client: FlaskClient, keys, bearer) -> None:
    listed = client.get(KEYS, headers=bearer(keys.operator)).get_json()["items"]
    operator = next(key for key in listed if key["role"] == "operator")
    assert client.get(f"{KEYS}/{operator['id']}", headers=bearer(keys.registrar)).status_code == 403


def test_an_unknown_key_is_not_found(client: FlaskClient, keys, bearer) -> None:
    for unknown in ("01890a5d-ac96-774b-bcce-b302099a8057", "x"):
        assert client.get(f"{KEYS}/{unknown}", headers=bearer(keys.operator)).status_code == 404


@pytest.mark.parametrize(
    "authorization",
    [
        *(
            "",
            "Bearer",
            "Bearer ",
            "Basic eDp4",
            "Bearer x",
            "Bearer ndl_aaaaaaaaaa_" + "a" * 43,
            "Bearer a b",
        ),
        *("bearer \x7f", "Bearer " + "x" * 5000, "Bearer ndl_%00", "Bearer \u00e9"),
    ],
)
@pytest.mark.parametrize("path", [KEYS, "/v1/bodies", "/nowhere"])
def test_a_key_that_is_none_is_refused_everywhere(
    client: FlaskClient, keys, authorization: str, path: str
) -> None:
    response = client.get(path, headers={"Authorization": authorization})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.get_json(force=True)["type"] == "/problems/unauthenticated"


def test_a_key_with_another_secret_is_refused(client: FlaskClient, keys, bearer) -> None:
    last = "A" if keys.operator[-1] != "A" else "B"
    assert client.get(KEYS, headers=bearer(keys.operator[:-1] + last)).status_code == 401


def test_the_scheme_is_read_in_any_case(client: FlaskClient, keys) -> None:
    assert client.get(KEYS, headers={"Authorization": f"bearer  {keys.operator}"}).status_code == 200


def test_the_use_of_a_key_is_noted_once_a_minute(app: Flask, client: FlaskClient, keys, bearer) -> None:
    def last_used():
        with app.app_context(), reading() as connection:
            used = select(tables.api_keys.c.last_used_at).where(tables.api_keys.c.role == "operator")
            return connection.execute(used).scalar_one()

    assert last_used() is None
    start = clock.now()
    noted = {}
    for seconds in (0, 59, 61):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            client.get(KEYS, headers=bearer(keys.operator)).close()  # it is noted when all has been sent
        noted[seconds] = last_used()
    assert noted == {0: start, 59: start, 61: start + timedelta(seconds=61)}


def test_a_request_does_not_wait_to_note_the_use_of_its_key(
    app: Flask, client: FlaskClient, keys, bearer
) -> None:
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        with app.app_context(), writing():
            assert client.get(KEYS, headers=bearer(keys.operator)).status_code == 200


def test_a_key_may_be_narrowed_to_some_of_what_its_role_may(client: FlaskClient, keys, bearer) -> None:
    wish = {"role": "registrar", "body": "ca-own", "label": "x", "scopes": ["read"]}
    made = client.post(KEYS, json=wish, headers=bearer(keys.operator)).get_json()
    assert made["scopes"] == ["read"]
    assert client.get("/v1/admin/lapses?body=ca-own", headers=bearer(made["secret"])).status_code == 200
    person = {"names": [{"kind": "published", "full_name": "Ana Ito"}]}
    refused = client.post("/v1/admin/practitioners", json=person, headers=bearer(made["secret"]))
    assert refused.status_code == 403
    assert "scope record" in refused.get_json(force=True)["detail"]
    assert client.get("/v1/bodies", headers=bearer(made["secret"])).status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        {"role": "clinic", "label": "x", "scopes": ["decide"]},
        {"role": "auditor", "body": "ca-own", "label": "x", "scopes": ["read", "record"]},
        {"role": "operator", "label": "x", "scopes": []},
        {"role": "operator", "label": "x", "scopes": ["read", "read"]},
    ],
)
def test_scopes_that_could_not_be_right_are_refused(client: FlaskClient, keys, bearer, wish) -> None:
    response = client.post(KEYS, json=wish, headers=bearer(keys.operator))
    assert response.status_code == 422
    assert response.get_json(force=True)["errors"][0]["pointer"] == "/scopes"


def test_nobody_hands_out_more_than_they_have(client: FlaskClient, keys, bearer) -> None:
    def make(secret: str, **wish: object):
        return client.post(KEYS, json={"label": "x", **wish}, headers=bearer(secret))

    narrow = make(keys.operator, role="operator", scopes=["administer", "read"]).get_json()
    assert make(narrow["secret"], role="operator").status_code == 403
    assert make(narrow["secret"], role="clinic").status_code == 403
    assert make(narrow["secret"], role="operator", scopes=["decide"]).status_code == 403
    assert make(narrow["secret"], role="operator", scopes=["read"]).status_code == 201
    whole = client.get(KEYS, headers=bearer(keys.operator)).get_json()["items"][0]
    rotate = client.post(f"{KEYS}/{whole['id']}/rotate", json={}, headers=bearer(narrow["secret"]))
    assert rotate.status_code == 403, "the new secret would be theirs"


def test_a_rotated_key_has_two_secrets_for_a_while(client: FlaskClient, keys, bearer) -> None:
    made = client.post(KEYS, json={"role": "clinic", "label": "x"}, headers=bearer(keys.operator)).get_json()

    def works(secret: str, after: timedelta = timedelta(0)) -> bool:
        with time_machine.travel(start + after, tick=False):
            return client.get("/v1/rosters", headers=bearer(secret)).status_code == 200

    def rotate(**wish: int):
        with time_machine.travel(start, tick=False):
            address = f"{KEYS}/{made['id']}/rotate"
            return client.post(address, json=wish, headers=bearer(keys.operator)).get_json()

    start = clock.now()
    client.put("/v1/rosters/staff", json={"members": []}, headers=bearer(made["secret"]))
    second = rotate(overlap_hours=1)
    assert (second["id"], second["prefix"]) == (made["id"], made["prefix"])
    assert second["secret"] != made["secret"]
    hour, moment = timedelta(hours=1), timedelta(seconds=1)
    assert works(made["secret"])
    assert works(made["secret"], hour - moment)
    assert not works(made["secret"], hour)
    assert works(second["secret"], 100 * hour)
    assert client.get("/v1/rosters/staff", headers=bearer(second["secret"])).status_code == 200
    third = rotate()
    assert not works(made["secret"]), "there are never three"
    assert works(second["secret"])
    assert works(second["secret"], timedelta(hours=23))
    fourth = rotate(overlap_hours=0)
    assert not works(third["secret"])
    assert works(fourth["secret"])
    client.delete(f"{KEYS}/{made['id']}", headers=bearer(keys.operator))
    assert not works(fourth["secret"])
    refused = client.post(f"{KEYS}/{made['id']}/rotate", json={}, headers=bearer(keys.operator))
    assert refused.status_code == 409


def test_revoking_ends_both_secrets(client: FlaskClient, keys, bearer) -> None:
    made = client.post(KEYS, json={"role": "clinic", "label": "x"}, headers=bearer(keys.operator)).get_json()
    second = client.post(f"{KEYS}/{made['id']}/rotate", json={}, headers=bearer(keys.operator)).get_json()
    client.delete(f"{KEYS}/{made['id']}", headers=bearer(keys.operator))
    for secret in (made["secret"], second["secret"]):
        assert client.get("/v1/rosters", headers=bearer(secret)).status_code == 401


def test_the_secret_of_a_rotation_is_shown_once(client: FlaskClient, keys, bearer) -> None:
    made = client.post(KEYS, json={"role": "clinic", "label": "x"}, headers=bearer(keys.operator)).get_json()
    headers = bearer(keys.operator, **{"Idempotency-Key": "a"})
    first = client.post(f"{KEYS}/{made['id']}/rotate", json={}, headers=headers).get_json()
    again = client.post(f"{KEYS}/{made['id']}/rotate", json={}, headers=headers).get_json()
    assert (first["secret"] is None, again) == (False, {**first, "secret": None})
    assert client.get("/v1/rosters", headers=bearer(first["secret"])).status_code == 200


def test_two_who_rotate_at_the_same_moment_make_one_rotation(app: Flask, client: FlaskClient, keys, bearer):
    made = client.post(KEYS, json={"role": "clinic", "label": "x"}, headers=bearer(keys.operator)).get_json()
    wish: dict[str, Any] = {"overlap": timedelta(0), "by": "operator:x", "at": clock.now()}
    with app.app_context(), writing() as tx:
        seen = service.get_key(tx, made["id"])
        service.rotate_key(tx, seen, **wish)
        with pytest.raises(Conflict):
            service.rotate_key(tx, seen, **wish)
