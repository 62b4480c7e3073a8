"""Imports over HTTP: a file goes in, the answer says what it would come to, and applying makes it so."""

from __future__ import annotations

import io
import json

import pytest

from registry.http.admin import imports
from registry.services.tasks import do_next
from registry.store.database import reading, writing
from tests.http.admin.conftest import Staff, read
from tests.support.sheets import PROFILE, csv_file, people, person

IMPORTS = "/v1/admin/imports"
PROFILES = "/v1/admin/bodies/ca-own/profiles"


@pytest.fixture(autouse=True)
def profile(registrar: Staff):
    response = registrar.send("PUT", f"{PROFILES}/tests", PROFILE)
    assert response.status_code == 200, response.text


def send(staff: Staff, file: io.BytesIO, *, name="register.csv", body="ca-own", **told):
    form = {"body": body, "profile": "tests", **told, "file": (file, name)}
    headers = {"Authorization": f"Bearer {staff.key}"}
    return staff.client.post(IMPORTS, data=form, headers=headers)


def sent(staff: Staff, rows, **told):
    response = send(staff, csv_file(rows), **told)
    assert response.status_code == 201, response.text
    return read(response)


def test_a_file_is_compared_and_applied_and_answered_for(registrar):
    rows = [*people(2), person("X", Status="Odd"), person("Y", From="soon")]
    found = sent(registrar, rows)
    assert (found["state"], found["on"], found["filename"]) == ("previewed", "2026-03-01", "register.csv")
    report = found["report"]
    assert (report["new"], report["rejected"], report["vanished"]) == (3, 1, 0)
    assert report["unmapped_words"] == [{"kind": "Odd", "count": 1}]
    assert registrar.get(f"{IMPORTS}/{found['id']}/vanished").status_code == 200
    assert registrar.client.get("/v1/bodies/ca-own/registrations/PT-00001").status_code == 404
    applied = registrar.made(f"{IMPORTS}/{found['id']}/apply")
    assert applied["state"] == "applied"
    assert registrar.verdict("PT-00001")["outcome"] == "authorized"
    assert registrar.verdict("X")["outcome"] == "unknown"


def test_rejected_rows_are_listed_and_fetched_as_a_file(registrar, operator):
    found = sent(registrar, [person(f"N{n}", From=f"{n}.1.2025") for n in range(3)])
    page = read(registrar.get(f"{IMPORTS}/{found['id']}/rejected", {"limit": "2"}))
    assert [row["line"] for row in page["items"]] == [2, 3]
    assert page["items"][0]["problems"][0]["column"] == "From"
    rest = read(registrar.get(f"{IMPORTS}/{found['id']}/rejected", {"limit": "2", "cursor": page["next"]}))
    assert [row["line"] for row in rest["items"]] == [4]
    file = registrar.get(f"{IMPORTS}/{found['id']}/rejected.csv")
    assert file.content_type == "text/csv; charset=utf-8"
    told = read(operator.get("/v1/admin/audit", {"action": "download_rejected_rows"}))["items"]
    assert [entry["details"]["path"] for entry in told] == [{"import_id": found["id"]}]
    corrected = file.data.replace(b".1.2025", b"")
    for number in (b"0", b"1", b"2"):
        corrected = corrected.replace(b"," + number + b",2026", b",2025-01-01,2026")
    again = read(send(registrar, io.BytesIO(corrected), partial="true"))
    assert (again["report"]["new"], again["report"]["vanished"]) == (3, None)


def test_vanished_registrations_are_listed(registrar):
    registrar.made(f"{IMPORTS}/{sent(registrar, people(4))['id']}/apply")
    found = sent(registrar, people(1))
    assert found["report"]["vanished"] == 3
    page = read(registrar.get(f"{IMPORTS}/{found['id']}/vanished", {"limit": "2"}))
    rest = read(registrar.get(f"{IMPORTS}/{found['id']}/vanished", {"limit": "2", "cursor": page["next"]}))
    numbers = [item["number"] for item in (*page["items"], *rest["items"])]
    assert numbers == ["PT-00001", "PT-00002", "PT-00003"]


def test_an_import_is_reversed(registrar):
    found = sent(registrar, people(2))
    path = f"{IMPORTS}/{found['id']}"
    registrar.made(f"{path}/apply")
    assert registrar.post(f"{path}/apply").status_code == 409
    assert read(registrar.get("/v1/practitioners", {"name": "Abaraa"}))["items"]
    assert registrar.made(f"{path}/reverse")["state"] == "reversed"
    assert read(registrar.get("/v1/practitioners", {"name": "Abaraa"}))["items"] == []
    assert registrar.client.get("/v1/bodies/ca-own/registrations/PT-00001").status_code == 404
    assert registrar.made(f"{path}/apply")["state"] == "applied"


def test_an_import_that_decisions_rest_on_is_refused_with_the_list_of_them(registrar):
    found = sent(registrar, people(1))
    registrar.made(f"{IMPORTS}/{found['id']}/apply")
    record = read(registrar.get("/v1/admin/bodies/ca-own/registrations", {"limit": "1"}))["items"][0]
    registrar.decided(f"registrations/{record['id']}", kind="suspended", effective_on="2026-02-01")
    response = registrar.post(f"{IMPORTS}/{found['id']}/reverse")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["number"] == "PT-00000"


def test_a_large_file_is_kept_first_and_compared_when_asked(registrar, monkeypatch):
    monkeypatch.setattr(imports, "COMPARED_AT_ONCE", 10)
    found = sent(registrar, people(3))
    assert (found["state"], found["report"], found["rows_read"]) == ("received", None, 0)
    previewed = registrar.made(f"{IMPORTS}/{found['id']}/dry-run")
    assert (previewed["state"], previewed["rows_read"]) == ("previewed", 3)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"profile": "nowhere"}, 404),
        ({"profile": "No Name"}, 422),
        ({"body": "ca-other"}, 403),
        ({"body": "no-such"}, 404),
        ({"on": "2026-02-30"}, 422),
        ({"partial": "yes"}, 422),
        ({"colour": "red"}, 422),
        ({"profile": "washington_health"}, 422),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(registrar, told, status):
    assert send(registrar, csv_file(people(1)), **told).status_code == status
    assert read(registrar.get(IMPORTS))["items"] == []


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"PK\x03\x04x", b"a,b\n1,2\n", b"{" * 5000])
def test_what_is_no_register_is_refused(registrar, content):
    response = send(registrar, io.BytesIO(content))
    assert response.status_code == 422, response.text
    assert response.content_type == "application/problem+json"


def test_a_form_without_a_file_and_json_are_refused(registrar):
    headers = {"Authorization": f"Bearer {registrar.key}"}
    form = {"body": "ca-own", "profile": "tests", "file": "text"}
    assert registrar.client.post(IMPORTS, data=form, headers=headers).status_code in (415, 422)
    assert registrar.post(IMPORTS, {"body": "ca-own"}).status_code == 415


def test_every_body_sees_its_own_imports_alone(registrar, auditor, stranger, operator):
    found = sent(registrar, people(1))
    path = f"{IMPORTS}/{found['id']}"
    assert [i["id"] for i in read(auditor.get(IMPORTS))["items"]] == [found["id"]]
    assert [i["id"] for i in read(operator.get(IMPORTS, {"body": "ca-own"}))["items"]] == [found["id"]]
    assert read(stranger.get(IMPORTS))["items"] == []
    for asked in ("", "/rejected", "/rejected.csv", "/vanished"):
        assert stranger.get(path + asked).status_code == 403
    for asked in ("/apply", "/reverse", "/dry-run"):
        assert stranger.post(path + asked).status_code == 403
        assert auditor.post(path + asked).status_code == 403


def test_imports_are_listed_latest_first_by_pages(registrar):
    made = [sent(registrar, people(1))["id"] for _ in range(3)]
    page = read(registrar.get(IMPORTS, {"limit": "2"}))
    rest = read(registrar.get(IMPORTS, {"limit": "2", "cursor": page["next"]}))
    assert [item["id"] for item in (*page["items"], *rest["items"])] == made[::-1]


def test_a_repeated_upload_is_kept_once(registrar):
    headers = {"Authorization": f"Bearer {registrar.key}", "Idempotency-Key": "once"}
    answers = []
    for _ in range(2):
        form = {"body": "ca-own", "profile": "tests", "file": (csv_file(people(2)), "register.csv")}
        answers.append(registrar.client.post(IMPORTS, data=form, headers=headers))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].get_json()["id"] == answers[1].get_json()["id"]


def test_profiles_are_kept_listed_and_replaced(registrar, stranger):
    changed = {**PROFILE, "title": "Ours"}
    assert read(registrar.send("PUT", f"{PROFILES}/tests", changed))["document"]["title"] == "Ours"
    assert [p["name"] for p in read(registrar.get(PROFILES))["items"]] == ["tests"]
    assert registrar.get(f"{PROFILES}/other").status_code == 404
    assert stranger.get(f"{PROFILES}/tests").status_code == 403


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"columns": {"number": "No"}}, "/columns/name"),
        ({**PROFILE, "dates": {"formats": ["YY"]}}, "/dates/formats"),
        ({**PROFILE, "title": "x\x00"}, "/title"),
        ({**PROFILE, "only": {"a\x00": ["x"]}}, "/only"),
        ({**PROFILE, "only": {"a": ["\ud800"]}}, "/only/a/0"),
        ({**PROFILE, "colour": "red"}, "/colour"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused(registrar, document, pointer):
    headers = {"Authorization": f"Bearer {registrar.key}", "Content-Type": "application/json"}
    response = registrar.client.put(f"{PROFILES}/x", data=json.dumps(document), headers=headers)
    assert response.status_code == 422, response.text
    assert pointer in [error["pointer"] for error in response.get_json()["errors"]]


def test_an_export_imports_again_without_difference(registrar, stranger):
    registrar.made(f"{IMPORTS}/{sent(registrar, people(5))['id']}/apply")
    for form, kind in (("csv", "text/csv; charset=utf-8"), ("ndjson", "application/x-ndjson")):
        response = registrar.get(f"/v1/admin/exports/ca-own.{form}")
        assert response.status_code == 200
        assert response.content_type == kind
        found = read(send(registrar, io.BytesIO(response.data), profile="export"))
        assert (found["report"]["unchanged"], found["report"]["changed"]) == (5, 0)
        assert stranger.get(f"/v1/admin/exports/ca-own.{form}").status_code == 403
    assert registrar.get("/v1/admin/exports/ca-own.xml").status_code == 404


def test_what_takes_long_is_asked_for_and_done_by_another_process(app, registrar, auditor, stranger):
    found = sent(registrar, people(2))
    path = f"/v1/admin/imports/{found['id']}"
    wish = {"do": "apply_import", "version": found["version"]}
    for other in (auditor, stranger):
        assert other.post(f"{path}/tasks", wish).status_code == 403
    assert registrar.post(f"{path}/tasks", {**wish, "version": 99}).status_code == 412
    asked = registrar.post(f"{path}/tasks", wish)
    assert asked.status_code == 202
    assert (read(asked)["state"], read(asked)["task"]["state"]) == ("previewed", "waiting")
    assert registrar.post(f"{path}/tasks", wish).status_code == 409
    with app.app_context():
        assert do_next(reading, writing) is not None
    done = read(registrar.get(path))
    assert (done["state"], done["task"]["state"], done["task"]["do"]) == ("applied", "done", "apply_import")
