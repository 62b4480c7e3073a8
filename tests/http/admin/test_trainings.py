"""Courses, their approvals and trainings: what counts towards an authorization, and what no longer does."""

from __future__ import annotations

import pytest

from tests.http.admin.conftest import read

BODY = "/v1/admin/bodies/ca-own"
COURSE = {"title": "Foundations", "provider": "Institute", "techniques": ["dry_needling"]}
RULES = {
    "holds_from": "2025-01-01",
    "requirements": [{"technique": "dry_needling", "hours_total": 50, "approved_course": True}],
}


@pytest.fixture
def registered(registrar):
    registrar.made(f"{BODY}/rules", RULES, **registrar.version_of(BODY))
    return registrar.registration()


@pytest.fixture
def course(registrar):
    approval = {"first_day": "2025-01-01", "last_day": "2025-06-30"}
    return registrar.made(f"{BODY}/courses", {**COURSE, "approvals": [approval]})["id"]


def training(staff, practitioner, **said):
    plain = {"body": "ca-own", "completed_on": "2025-06-30", "hours_theory": 30, "hours_practical": 20}
    return staff.post(f"/v1/admin/practitioners/{practitioner}/trainings", {**plain, **said})


def trained(staff, practitioner, **said):
    answer = training(staff, practitioner, **said)
    assert answer.status_code == 201, answer.text
    return read(answer)


def unmet(staff, registration, on="2026-01-01"):
    path = f"/v1/admin/registrations/{registration['id']}/eligibility"
    answer = read(staff.get(path, {"techniques": "dry_needling", "on": on}))
    return [one["requirement"] for one in answer["unmet"]]


def test_a_training_in_an_approved_course_makes_a_person_eligible(registrar, registered, course):
    assert unmet(registrar, registered) == ["approved_course", "hours_total"]
    made = trained(registrar, registered["practitioner"]["id"], course_id=course)
    assert (made["title"], made["provider"], made["techniques"]) == (
        "Foundations",
        "Institute",
        ["dry_needling"],
    )
    assert unmet(registrar, registered) == []
    assert registrar.grant(registered["id"], effective_on="2025-07-01").status_code == 201


@pytest.mark.parametrize(("completed_on", "counts"), [("2025-06-30", True), ("2025-07-01", False)])
def test_a_course_counts_if_it_was_approved_on_the_day_it_was_completed(
    registrar, registered, course, completed_on, counts
):
    trained(registrar, registered["practitioner"]["id"], course_id=course, completed_on=completed_on)
    assert (unmet(registrar, registered) == []) is counts


def test_ending_an_approval_earlier_makes_lapses_of_what_rested_on_it(registrar, registered, course):
    trained(registrar, registered["practitioner"]["id"], course_id=course)
    registrar.authorization(registered["id"], effective_on="2025-07-01")
    lapses = "/v1/admin/lapses?body=ca-own&kind=training_insufficient"
    assert read(registrar.get(lapses))["items"] == []
    path = f"/v1/admin/courses/{course}"
    approval = read(registrar.get(path))["approvals"][0]["id"]
    change = {"last_day": "2025-05-31", "reason": "Found unsafe."}
    after = registrar.changed_at(f"{path}/approvals/{approval}", change, version_of=path)
    assert after["approvals"][0]["last_day"] == "2025-05-31"
    assert unmet(registrar, registered) == ["approved_course", "hours_total"]
    assert len(read(registrar.get(lapses))["items"]) == 1


def test_approvals_of_one_course_share_no_day(registrar, course):
    path = f"/v1/admin/courses/{course}"
    version = registrar.version_of(path)
    for days in ({"first_day": "2025-06-30"}, {"first_day": "2024-01-01"}):
        assert registrar.post(f"{path}/approvals", days, **version).status_code == 409
    backwards = {"first_day": "2025-08-01", "last_day": "2025-07-31"}
    answer = registrar.post(f"{path}/approvals", backwards, **version)
    assert answer.get_json()["errors"][0]["pointer"] == "/last_day"
    made = registrar.made(f"{path}/approvals", {"first_day": "2025-07-01"}, **version)
    assert [a["last_day"] for a in made["approvals"]] == ["2025-06-30", None]


def test_a_course_is_corrected_by_its_body_alone(registrar, stranger, auditor, course):
    path = f"/v1/admin/courses/{course}"
    version = registrar.version_of(path)
    assert stranger.get(path).status_code == 403
    assert stranger.patch(path, {"title": "Mine"}, **version).status_code == 403
    assert auditor.patch(path, {"title": "Mine"}, **version).status_code == 403
    assert registrar.changed(path, {"title": "Fundamentals"})["title"] == "Fundamentals"
    assert registrar.patch(path, {"title": "Again"}, **version).status_code == 412
    listed = read(auditor.get(f"{BODY}/courses"))["items"]
    assert [one["title"] for one in listed] == ["Fundamentals"]


def test_a_training_is_corrected_with_a_trace_and_counted_anew(registrar, registered, course):
    made = trained(registrar, registered["practitioner"]["id"], course_id=course, hours_practical=10)
    assert unmet(registrar, registered) == ["hours_total"]
    path = f"/v1/admin/trainings/{made['id']}"
    assert registrar.changed(path, {"hours_practical": 20, "reason": "Misread."})["hours_practical"] == 20
    assert unmet(registrar, registered) == []


def test_a_withdrawn_training_counts_no_longer_and_is_kept(registrar, registered, course):
    made = trained(registrar, registered["practitioner"]["id"], course_id=course)
    path = f"/v1/admin/trainings/{made['id']}"
    assert registrar.post(f"{path}/withdraw", {}, **registrar.version_of(path)).status_code == 422
    why = {"reason": "The certificate was forged."}
    assert registrar.made(f"{path}/withdraw", why, **registrar.version_of(path))["withdrawn_at"]
    assert unmet(registrar, registered) == ["approved_course", "hours_total"]
    assert registrar.post(f"{path}/withdraw", why, **registrar.version_of(path)).status_code == 409
    assert registrar.patch(path, {"title": "X"}, **registrar.version_of(path)).status_code == 409
    listed = read(registrar.get(f"/v1/admin/practitioners/{registered['practitioner']['id']}/trainings"))
    assert [one["withdrawn_because"] for one in listed["items"]] == ["The certificate was forged."]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"completed_on": "2026-03-02"}, "/completed_on"),
        ({"hours_in_person": 50.25}, "/hours_in_person"),
        ({"hours_theory": 0.3}, "/hours_theory"),
        ({"hours_theory": -1}, "/hours_theory"),
        ({"hours_theory": "30"}, "/hours_theory"),
        ({"supervised_sessions": 2.5}, "/supervised_sessions"),
        ({"techniques": []}, "/techniques"),
        ({"title": None}, "/title"),
        ({"course_id": "01890a5d-ac96-774b-bcce-b302099a8057"}, "/course_id"),
        ({"examination_passed": "yes"}, "/examination_passed"),
        ({"body": "Nowhere"}, "/body"),
    ],
)
def test_a_wrong_value_is_named(registrar, wrong, pointer):
    person = registrar.practitioner()["id"]
    answer = training(registrar, person, **{"title": "A", "techniques": ["dry_needling"], **wrong})
    assert answer.status_code == 422
    assert pointer in [problem["pointer"] for problem in answer.get_json()["errors"]]


def test_without_a_course_title_and_techniques_are_said(registrar):
    person = registrar.practitioner()["id"]
    assert training(registrar, person).get_json()["errors"][0]["pointer"] == "/title"
    assert training(registrar, person, title="A").get_json()["errors"][0]["pointer"] == "/techniques"


def test_a_training_is_changed_by_the_body_that_recorded_it_alone(registrar, stranger, auditor, registered):
    person = registered["practitioner"]["id"]
    said = {"title": "A", "techniques": ["dry_needling"]}
    assert training(stranger, person, **{**said, "body": "ca-other"}).status_code == 403
    assert training(registrar, person, **{**said, "body": "ca-other"}).status_code == 403
    made = trained(registrar, person, **said)
    stranger.registration("ca-other", practitioner=person)
    path = f"/v1/admin/trainings/{made['id']}"
    assert stranger.get(path).status_code == 200
    version = stranger.version_of(path)
    assert stranger.patch(path, {"title": "Mine"}, **version).status_code == 403
    assert stranger.post(f"{path}/withdraw", {"reason": "No."}, **version).status_code == 403
    assert auditor.patch(path, {"title": "Mine"}, **version).status_code == 403
