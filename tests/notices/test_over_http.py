"""Notices over HTTP: addresses for staff alone, a body's own words, who gets a digest and ends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import insert

from registry.clock import new_id
from registry.services.bodies import get_body
from registry.services.principals import Role
from registry.settings import Settings
from registry.store import contacts
from registry.store.database import reading, writing
from registry.store.notice_tables import notices
from tests.http.admin.conftest import Staff, read
from tests.support.application import running
from tests.support.factories import AT, make_body, make_key, make_person, make_registration


@pytest.fixture(scope="module")
def app(sqlite_databases) -> Iterator[Flask]:
    with sqlite_databases.migrated() as url, running(Settings(database_url=url)) as made:
        with made.app_context(), writing() as tx:
            for code in ("ca-own", "ca-other"):
                make_body(tx, code)
        yield made


@pytest.fixture(scope="module")
def staff(app: Flask) -> dict[str, Staff]:
    with app.app_context(), writing() as tx:
        own, other = get_body(tx, "ca-own"), get_body(tx, "ca-other")
        keys = {
            "registrar": make_key(tx, Role.REGISTRAR, own),
            "auditor": make_key(tx, Role.AUDITOR, own),
            "stranger": make_key(tx, Role.REGISTRAR, other),
            "clinic": make_key(tx, Role.CLINIC),
        }
    return {name: Staff(app.test_client(), key) for name, key in keys.items()}


@pytest.fixture
def registered(app: Flask):
    with app.app_context(), writing() as tx:
        return make_registration(tx, get_body(tx, "ca-own"), make_person(tx, "Ana Ito"))


def put(staff: Staff, path: str, body: object):
    return staff.send("PUT", path, body, **staff.version_of(path))


def test_an_address_is_kept_changed_by_one_at_a_time_and_forgotten(staff, registered):
    registrar, path = staff["registrar"], f"/v1/admin/practitioners/{registered.person.id}/contact"
    assert read(registrar.get(path))["email"] is None
    first = registrar.version_of(path)
    assert registrar.send("PUT", path, {"email": "a@example.org"}).status_code == 428
    kept = registrar.send("PUT", path, {"email": "Ana@B\u00fccher.example", "language": "fr"}, **first)
    assert read(kept)["email"] == "Ana@xn--bcher-kva.example"
    assert registrar.send("PUT", path, {"email": "b@example.org"}, **first).status_code == 412
    assert read(staff["auditor"].get(path))["language"] == "fr"
    assert put(registrar, path, {"email": "no address"}).status_code == 422
    deleted = registrar.send("DELETE", path, None, **registrar.version_of(path))
    assert deleted.status_code == 204
    assert read(registrar.get(path))["email"] is None


def test_an_address_is_seen_by_the_body_s_staff_and_nobody_else(app, staff, registered):
    path = f"/v1/admin/practitioners/{registered.person.id}/contact"
    assert put(staff["registrar"], path, {"email": "secret@example.org"}).status_code == 200
    for other in ("stranger", "clinic"):
        assert staff[other].get(path).status_code == 403
    assert app.test_client().get(path).status_code == 401
    for public in (
        f"/v1/practitioners/{registered.person.id}",
        f"/v1/bodies/ca-own/registrations/{registered.number}",
        "/v1/practitioners?name=ito",
        f"/check/ca-own/{registered.number}",
    ):
        response = app.test_client().get(public)
        assert response.status_code == 200
        assert "secret@" not in response.text
    export = staff["registrar"].get("/v1/admin/bodies/ca-own/export.csv")
    assert "secret@" not in export.text


def test_a_body_words_its_notices(staff):
    registrar, path = staff["registrar"], "/v1/admin/bodies/ca-own/notice-words/term_ends/mi"
    assert registrar.get(path).status_code == 404
    words = {"subject": "{{number}}", "text": "Tēnā koe {{name}}"}
    shown = read(registrar.post(f"{path}/preview", words))
    assert shown["subject"] == "PT-10442"
    assert "Tēnā koe Ana Ito" in shown["text"]
    fresh = {"If-Match": '"0-0000000000000000"'}
    assert registrar.send("PUT", path, words, **fresh).status_code == 200
    assert registrar.send("PUT", path, words, **fresh).status_code == 412
    assert put(registrar, path, {**words, "text": "{{reason}}"}).status_code == 422
    assert put(staff["auditor"], path, words).status_code == 403
    assert staff["stranger"].get(path).status_code == 403
    items = read(registrar.get("/v1/admin/bodies/ca-own/notice-words"))["items"]
    assert [item["kind"] for item in items if item["own"]] == ["term_ends"]
    assert registrar.send("DELETE", path, None, **registrar.version_of(path)).status_code == 204
    assert registrar.get(path).status_code == 404


def test_a_digest_is_ended_by_its_reader_and_not_by_looking(app, staff):
    registrar, path = staff["registrar"], "/v1/admin/bodies/ca-own/digest-recipients"
    made = registrar.made(path, {"email": "desk@example.org"})
    assert registrar.post(path, {"email": "desk@example.org"}).status_code == 409
    with app.app_context(), reading() as connection:
        found = contacts.find_recipient(connection, made["id"])
    assert found is not None
    assert found.token not in registrar.get(path).text
    link, client = f"/digest/{found.token}", app.test_client()
    assert client.get(link).status_code == 200
    assert len(read(registrar.get(path))["items"]) == 1
    for _ in range(2):  # one click, and once more
        assert client.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert read(registrar.get(path))["items"] == []


def test_messages_are_listed_for_the_body_s_staff(app, staff, registered):
    with app.app_context(), writing() as tx:
        row = {
            "id": new_id(),
            "body_id": registered.body.id,
            "kind": "term_ends",
            "subject_id": registered.id,
            "day": registered.created_at.date(),
            "threshold": 30,
            "registration_id": registered.id,
            "state": "refused",
            "queued_at": AT,
            "next_attempt_at": AT,
            "attempts": 1,
            "uncertain": 0,
            "settled_at": AT,
            "failure": "550 5.1.1",
        }
        tx.execute(insert(notices).values(row))
    found = read(staff["auditor"].get("/v1/admin/notices", {"not_reached": "true"}))["items"]
    assert [(item["number"], item["state"]) for item in found] == [(registered.number, "refused")]
    assert read(staff["registrar"].get("/v1/admin/notices", {"state": "sent"}))["items"] == []
    assert read(staff["stranger"].get("/v1/admin/notices"))["items"] == []
    assert staff["stranger"].get("/v1/admin/notices", {"body": "ca-own"}).status_code == 403
    assert staff["clinic"].get("/v1/admin/notices").status_code == 403
