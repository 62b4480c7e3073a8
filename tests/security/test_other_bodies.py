"""Registrars reach no further than their body by what they name *within* a request (OWASP API1, API3).

That no address opens what is another's is tried route by route in tests/http/test_access.py.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from registry.services.principals import Role
from registry.store import tables
from registry.store.database import reading
from tests.http.admin.conftest import Staff
from tests.http.test_access import Asking, Request

NOT_ASKED_FOR = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "body_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "owner_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "version": 1,
    "recorded_at": "2020-01-01T00:00:00Z",
    "recorded_by": "operator:somebody else",
    "created_at": "2020-01-01T00:00:00Z",
    "created_by": "operator:somebody else",
    "import_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "merged_into": "01890a5d-ac96-774b-bcce-b302099a8057",
    "swept_through": "2020-01-01",
    "secret": "ndl_aaaaaaaaaa_x",
    "secret_hash": "0" * 64,
    "__proto__": {"role": "operator"},
    "$set": {"role": "operator"},
}
"""Members that answers or tables have, and that nobody may set."""


def decisions(app: Flask) -> int:
    with app.app_context(), reading() as connection:
        return connection.execute(select(func.count()).select_from(tables.decisions)).scalar_one()


@pytest.fixture
def theirs(stranger: Staff) -> dict[str, Any]:
    """A registration of another body, with an authorization, by identifiers."""
    registration = stranger.registration("ca-other", number="X-1")
    authorization = stranger.authorization(registration["id"])
    return {
        "registration": registration["id"],
        "practitioner": registration["practitioner"]["id"],
        "decision": registration["decisions"][0]["id"],
        "authorization": authorization,
    }


def test_a_decision_voids_no_decision_of_another_body(
    app: Flask, registrar: Staff, stranger: Staff, theirs: dict[str, Any]
) -> None:
    own = registrar.registration(number="PT-1")
    before, path = decisions(app), f"/v1/admin/registrations/{own['id']}"
    said = {
        "kind": "suspended",
        "effective_on": "2026-04-01",
        "reason": "x",
        "void_also": [theirs["decision"]],
    }
    voided = f"/v1/admin/decisions/{own['decisions'][0]['id']}/void"
    for asked, body in (
        (f"{path}/decisions", said),
        (f"{path}/decisions/preview", said),
        (voided, {"reason": "x", "void_also": [theirs["decision"]]}),
        (f"{voided}/preview", {"reason": "x", "void_also": [theirs["decision"]]}),
    ):
        answer = registrar.post(asked, body, **registrar.version_of(path))
        assert (answer.status_code, "X-1" in answer.text) == (404, False), asked
    assert decisions(app) == before
    assert stranger.verdict("X-1", "ca-other")["authorized"] is True


def test_a_list_is_narrowed_to_nothing_of_another_body(registrar: Staff, theirs: dict[str, Any]) -> None:
    own = registrar.registration(number="PT-1")
    path = f"/v1/admin/registrations/{own['id']}/decisions"
    assert registrar.get(path, {"authorization": theirs["authorization"]}).status_code == 404


def test_a_duplicate_of_another_body_is_not_merged_away(registrar: Staff, theirs: dict[str, Any]) -> None:
    own = registrar.registration(number="PT-1")["practitioner"]["id"]
    path, said = f"/v1/admin/practitioners/{own}", {"duplicate": theirs["practitioner"], "reason": "x"}
    assert registrar.post(f"{path}/merge", said, **registrar.version_of(path)).status_code == 403
    nobody = {**said, "duplicate": "01890a5d-ac96-774b-bcce-b302099a8057"}
    assert registrar.post(f"{path}/merge", nobody, **registrar.version_of(path)).status_code == 403


def test_nothing_is_recorded_or_imported_in_the_name_of_another_body(
    registrar: Staff, theirs: dict[str, Any]
) -> None:
    own = registrar.registration(number="PT-1")["practitioner"]["id"]
    training = {"title": "A", "techniques": ["dry_needling"], "completed_on": "2025-05-05"}
    path = f"/v1/admin/practitioners/{own}/trainings"
    assert registrar.post(path, {**training, "body": "ca-other"}).status_code == 403
    path = f"/v1/admin/practitioners/{theirs['practitioner']}/trainings"
    assert registrar.post(path, {**training, "body": "ca-own"}).status_code == 403
    form = {"body": "ca-other", "profile": "export", "file": (io.BytesIO(b"number\n1\n"), "a.csv")}
    headers = {"Authorization": f"Bearer {registrar.key}"}
    assert registrar.client.post("/v1/admin/imports", data=form, headers=headers).status_code == 403


def test_a_course_of_another_body_meets_no_requirement_of_the_own(
    registrar: Staff, stranger: Staff, operator: Staff
) -> None:
    """A body of easy virtue approves a course; a registrar elsewhere names it in a training."""
    path, asks = "/v1/admin/bodies/ca-own", {"technique": "dry_needling", "approved_course": True}
    rules = {"holds_from": "2025-01-01", "eligible_classes": ["general"], "requirements": [asks]}
    answer = registrar.post(f"{path}/rules", {**rules, "reason": "x"}, **operator.version_of(path))
    assert answer.status_code == 201, answer.text
    own = registrar.registration(number="PT-1")
    approved = [{"first_day": "2020-01-01", "last_day": None}]
    course = {"title": "A", "provider": "B", "techniques": ["dry_needling"], "approvals": approved}
    for staff, body, granted in ((stranger, "ca-other", 409), (registrar, "ca-own", 201)):
        id_ = staff.made(f"/v1/admin/bodies/{body}/courses", course)["id"]
        trained = {"body": "ca-own", "course_id": id_, "completed_on": "2024-05-05"}
        registrar.made(f"/v1/admin/practitioners/{own['practitioner']['id']}/trainings", trained)
        assert registrar.grant(own["id"]).status_code == granted, body


def test_no_request_sets_what_it_was_not_asked_for(app: Flask, requests: list[Request], keys: Any) -> None:
    """Mass assignment: whatever an answer shows, or a table has, is not taken from who sends it."""
    documents = [
        request
        for request in requests
        if isinstance(request.body, dict) and not request.is_form and request.operation != "verify_batch"
    ]
    assert len(documents) > 25
    asking, wrong = Asking(Role.OPERATOR, keys.operator), []
    for request in documents:
        more = {name: value for name, value in NOT_ASKED_FOR.items() if name not in request.body}
        answer = replace(request, body={**request.body, **more}).sent_by(app, asking)
        named = {each.get("pointer") for each in (answer.get_json() or {}).get("errors", ())}
        if answer.status_code != 422 or not named >= {f"/{name}" for name in more}:
            wrong.append((request.operation, answer.status_code, sorted(map(str, named))))
    assert not wrong


def test_nor_does_a_question_among_many(registrar: Staff) -> None:
    question = {"body": "ca-own", "number": "PT-1", "authorized": True}
    (answer,) = registrar.made("/v1/verifications", {"questions": [question]})["answers"]
    assert answer["authorized"] is False
    assert answer["error"]["errors"][0]["pointer"] == "/authorized"


def test_an_argument_that_is_given_twice_is_refused(registrar: Staff, operator: Staff) -> None:
    """Else one part of the service could go by the first and another by the last (parameter pollution)."""
    for staff, path in ((registrar, "/v1/admin/lapses"), (operator, "/v1/admin/audit")):
        answer = staff.client.get(
            f"{path}?body=ca-own&body=ca-other", headers={"Authorization": f"Bearer {staff.key}"}
        )
        assert answer.status_code == 422
        assert "body" in answer.get_json()["detail"]
    public = registrar.client.get(
        "/v1/bodies/ca-own/registrations/PT-1/verification?on=2026-01-01&on=2026-01-02"
    )
    assert public.status_code == 422
