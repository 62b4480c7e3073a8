"""Privacy over HTTP: erased once and by who may, handed out whole, hidden where it is withheld."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from registry.cli import main
from registry.domain.vocabulary import DecisionKind
from registry.services.bodies import get_body
from registry.services.decisions import get_record
from registry.services.principals import Role
from registry.settings import Settings
from registry.store.audit_tables import audit_entries
from registry.store.database import reading, writing
from tests.http.admin.conftest import Staff, read
from tests.notices.conftest import email_of
from tests.support.application import running
from tests.support.factories import database, decide, make_body, make_key, make_person, make_registration

PRACTITIONERS = "/v1/admin/practitioners"


@pytest.fixture(scope="module")
def app(sqlite_databases) -> Iterator[Flask]:
    with sqlite_databases.migrated() as url, running(Settings(database_url=url)) as made:
        with made.app_context(), writing() as tx:
            make_body(tx, "ca-own", publishes_former_names=True)
            make_body(tx, "ca-other")
        yield made


@pytest.fixture(scope="module")
def staff(app: Flask) -> dict[str, Staff]:
    with app.app_context(), writing() as tx:
        own, other = get_body(tx, "ca-own"), get_body(tx, "ca-other")
        keys = {
            "registrar": make_key(tx, Role.REGISTRAR, own),
            "auditor": make_key(tx, Role.AUDITOR, own),
            "stranger": make_key(tx, Role.REGISTRAR, other),
            "operator": make_key(tx),
        }
    return {name: Staff(app.test_client(), key) for name, key in keys.items()}


@pytest.fixture
def ended(app: Flask):
    """Somebody whose registration is over."""
    with app.app_context(), writing() as tx:
        person = make_person(tx, "Xanthe Quillfeather", former=["Xanthe Oldname"])
        record = make_registration(tx, get_body(tx, "ca-own"), person, through=date(2025, 6, 30))
        email_of(tx, record, "xanthe@example.org")
        decide(
            tx,
            get_record(tx, record.id),
            DecisionKind.SUSPENDED,
            date(2025, 3, 1),
            through=date(2025, 3, 9),
            private_note="A private matter.",
        )
    return record


def erase(staff: Staff, record, basis: str = "request", **headers: str):
    path = f"{PRACTITIONERS}/{record.person.id}"
    return staff.post(f"{path}/erase", {"basis": basis}, **{**staff.version_of(path), **headers})


def test_it_is_erased_by_the_body_s_registrar_and_told_once(app, staff, ended):
    path = f"{PRACTITIONERS}/{ended.person.id}"
    assert staff["auditor"].post(f"{path}/erase", {"basis": "request"}).status_code == 403
    fresh = staff["registrar"].version_of(path)
    assert staff["stranger"].post(f"{path}/erase", {"basis": "request"}, **fresh).status_code == 403
    assert staff["registrar"].post(f"{path}/erase", {"basis": "request"}).status_code == 428
    key = {"Idempotency-Key": f"erase-{ended.id}"}
    first = erase(staff["registrar"], ended, **key)
    assert first.status_code == 200
    public = app.test_client().get(f"/v1/bodies/ca-own/registrations/{ended.number}")
    assert "Xanthe" not in public.text
    assert read(public)["practitioner"]["withheld"] is True
    shown = read(staff["registrar"].get(path))
    assert shown["erased"]
    assert [name["full_name"] for name in shown["names"]] == [read(first)["pseudonym"]]
    assert erase(staff["registrar"], ended).status_code == 409
    with app.app_context(), reading() as connection:
        told = connection.execute(
            select(audit_entries.c.action).where(audit_entries.c.details.contains(ended.person.id))
        ).scalars()
        assert [action for action in told if "erase" in action] == ["erase_practitioner"]


def test_who_may_practise_now_is_not_erased_on_request(app, staff):
    with app.app_context(), writing() as tx:
        live = make_registration(tx, get_body(tx, "ca-own"), through=None)
    refused = erase(staff["registrar"], live)
    assert refused.status_code == 409
    assert "in force" in read(refused)["detail"]


def test_one_of_two_bodies_is_erased_by_an_operator(app, staff, ended):
    with app.app_context(), writing() as tx:
        make_registration(tx, get_body(tx, "ca-other"), ended.person, number="Z-9", through=date(2025, 6, 30))
    assert erase(staff["registrar"], ended).status_code == 403
    assert erase(staff["operator"], ended).status_code == 200


def handed_out(staff: Staff, record, query: str = "") -> tuple[dict, str]:
    response = staff.get(f"{PRACTITIONERS}/{record.person.id}/access-export{query}")
    assert response.status_code == 200, response.text
    archive = zipfile.ZipFile(io.BytesIO(response.get_data()))
    return json.loads(archive.read("record.json")), archive.read("record.html").decode()


def test_all_that_is_held_is_handed_out_with_who_looked(staff, ended):
    handed_out(staff["registrar"], ended)
    held, page = handed_out(staff["registrar"], ended)
    assert {name["full_name"] for name in held["names"]} == {"Xanthe Quillfeather", "Xanthe Oldname"}
    assert held["contact"][0]["email"] == "xanthe@example.org"
    assert [decision["kind"] for decision in held["decisions"]] == ["granted", "suspended"]
    assert "export_for_subject" in {entry["what"] for entry in held["who_saw_or_did_what"]}
    assert "Xanthe Quillfeather" in page
    assert "A private matter." not in json.dumps(held) + page
    with_notes, _ = handed_out(staff["registrar"], ended, "?private_notes=true")
    assert "A private matter." in json.dumps(with_notes)
    for other in ("stranger",):
        refused = staff[other].get(f"{PRACTITIONERS}/{ended.person.id}/access-export")
        assert refused.status_code == 403


def found(app: Flask, name: str) -> set[str]:
    """Whom the public finds."""
    return {item["id"] for item in read(app.test_client().get(f"/v1/practitioners?name={name}"))["items"]}


def test_former_names_of_a_person_stay_private_where_their_body_publishes_such(app, staff, ended):
    path, public = f"{PRACTITIONERS}/{ended.person.id}", f"/v1/bodies/ca-own/registrations/{ended.number}"
    assert "Oldname" in app.test_client().get(public).text
    assert ended.person.id in found(app, "oldname")
    staff["registrar"].changed(path, {"shows_former_names": False, "reason": "Asked for."})
    assert "Oldname" not in app.test_client().get(public).text
    assert ended.person.id not in found(app, "oldname")
    staff["registrar"].changed(path, {"shows_former_names": True})
    assert "Oldname" in app.test_client().get(public).text


def test_a_withheld_record_is_found_by_nobody_and_its_number_is_answered_for(app, staff, ended):
    path = f"{PRACTITIONERS}/{ended.person.id}"
    question = f"/v1/bodies/ca-own/registrations/{ended.number}/verification?on=2025-05-01"
    before = read(app.test_client().get(question))
    staff["registrar"].changed(path, {"withheld": True, "reason": "Threatened."})
    after = read(app.test_client().get(question))
    assert after["verdicts"] == before["verdicts"]
    assert (after["practitioner"]["name"], after["practitioner"]["withheld"]) == (None, True)
    assert ended.person.id not in found(app, "quillfeather")
    staff["registrar"].changed(path, {"withheld": False, "reason": "Over."})
    assert read(app.test_client().get(question))["practitioner"]["name"] == "Xanthe Quillfeather"


def test_as_it_is_typed(sqlite_url, monkeypatch, tmp_path):
    with database(sqlite_url) as engine, engine.begin() as tx:
        record = make_registration(
            tx, make_body(tx), make_person(tx, "Xanthe Quillfeather"), through=date(2025, 6, 30)
        )
    monkeypatch.setenv("REGISTRY_DATABASE_URL", sqlite_url)
    file = tmp_path / "record.zip"
    handed = CliRunner().invoke(main, ["privacy", "export", record.person.id, str(file)])
    assert handed.exit_code == 0, handed.output
    assert b"Quillfeather" in zipfile.ZipFile(file).read("record.json")
    command = ["privacy", "erase", record.person.id, "--basis", "request", "--yes"]
    erased = CliRunner().invoke(main, command)
    assert erased.exit_code == 0, erased.output
    assert "Erased " in erased.output
    assert CliRunner().invoke(main, ["audit", "verify"]).exit_code == 0
    assert CliRunner().invoke(main, ["check"]).exit_code == 0
