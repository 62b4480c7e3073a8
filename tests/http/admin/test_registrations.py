"""Registrations: opened with a grant, corrected with a trace, told for any day as known at any time."""

from __future__ import annotations

import pytest

from tests.http.admin.conftest import read

NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def test_a_registration_begins_with_its_first_grant(registrar):
    made = registrar.registration(number="PT-7", city="Red Deer", reason="Qualified.")
    assert made["standing"]["standing"] == "in_force"
    assert made["standing"]["scope"]["register_class"] == "general"
    [decision] = made["decisions"]
    assert (decision["kind"], decision["reason"]) == ("granted", "Qualified.")
    assert decision["recorded_by"].startswith("registrar:")
    assert read(registrar.get("/v1/bodies/ca-own/registrations/pt- 7"))["city"] == "Red Deer"


def test_a_number_is_given_once_whatever_its_spelling(registrar, stranger):
    registrar.registration(number="PT-07 a")
    person = registrar.practitioner()["id"]
    said = {"practitioner": person, "number": "pt\u201107A", "effective_on": "2025-01-01"}
    answer = registrar.post("/v1/admin/bodies/ca-own/registrations", said)
    assert answer.status_code == 409
    assert stranger.registration("ca-other", number="PT-07 a")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"number": ""}, "/number"),
        ({"number": "---"}, "/number"),
        ({"number": "A\u0000"}, "/number"),
        ({"practitioner": "me"}, "/practitioner"),
        ({"effective_on": "2025-02-29"}, "/effective_on"),
        ({"through": "2024-12-31"}, "/through"),
        ({"city": "\u0085"}, "/city"),
        ({"techniques": ["dry_needling"]}, "/techniques"),
        ({"conditions": [{"words": "x"}]}, "/conditions/0/words"),
    ],
)
def test_a_wrong_value_is_named(registrar, wrong, pointer):
    said = {"practitioner": registrar.practitioner()["id"], "number": "PT-1", "effective_on": "2025-01-01"}
    answer = registrar.post("/v1/admin/bodies/ca-own/registrations", {**said, **wrong})
    assert answer.status_code == 422
    assert pointer in [problem["pointer"] for problem in answer.get_json()["errors"]]
    assert read(registrar.get("/v1/admin/bodies/ca-own/registrations"))["items"] == []


def test_only_someone_who_is_kept_can_be_registered(registrar):
    said = {"practitioner": NOBODY, "number": "PT-1", "effective_on": "2025-01-01"}
    assert registrar.post("/v1/admin/bodies/ca-own/registrations", said).status_code == 404


def test_a_correction_keeps_what_was_there(registrar):
    made = registrar.registration(number="PT-1", city="Banf")
    path = f"/v1/admin/registrations/{made['id']}"
    change = {"number": "PT-2", "city": "Banff", "reason": "Misread."}
    after = registrar.changed(path, change)
    assert (after["number"], after["city"]) == ("PT-2", "Banff")
    [amendment] = after["amendments"]
    assert amendment["reason"] == "Misread."
    assert {c["field"]: (c["was"], c["now"]) for c in amendment["changed"]} == {
        "number": ("PT-1", "PT-2"),
        "city": ("Banf", "Banff"),
    }
    assert registrar.verdict("PT-1")["outcome"] == "not_found"
    assert registrar.verdict("PT-2")["outcome"] != "not_found"
    assert registrar.changed(path, {"city": None})["city"] is None
    assert registrar.patch(path, {}, **registrar.version_of(path)).status_code == 422


def test_a_number_is_not_corrected_to_anothers(registrar):
    registrar.registration(number="PT-1")
    path = f"/v1/admin/registrations/{registrar.registration(number='PT-2')['id']}"
    answer = registrar.patch(path, {"number": "pt-1"}, **registrar.version_of(path))
    assert answer.status_code == 409
    assert registrar.changed(path, {"number": "PT- 2"})["number"] == "PT- 2"


def test_a_record_is_told_for_a_day_as_known_at_an_instant(registrar, clock):
    made = registrar.registration()
    path = f"/v1/admin/registrations/{made['id']}"
    clock.move_to("2026-03-10T18:00:00Z")
    registrar.decided(f"registrations/{made['id']}", kind="suspended", effective_on="2026-03-02")
    now = read(registrar.get(path, {"on": "2026-03-05"}))
    then = read(registrar.get(path, {"on": "2026-03-05", "known_at": "2026-03-09T00:00:00Z"}))
    assert now["standing"]["standing"] == "suspended"
    assert then["standing"]["standing"] == "in_force"
    assert (len(now["decisions"]), len(then["decisions"])) == (2, 1)
    assert registrar.get(path, {"known_at": "2026-03-11T00:00:00Z"}).status_code == 422


def test_registrations_are_listed_page_by_page_for_the_own_body(registrar, stranger, auditor):
    for number in "123":
        registrar.registration(number=f"PT-{number}")
    path = "/v1/admin/bodies/ca-own/registrations"
    first = read(auditor.get(path, {"limit": 2}))
    second = read(auditor.get(path, {"limit": 2, "cursor": first["next"]}))
    numbers = [item["number"] for page in (first, second) for item in page["items"]]
    assert numbers == ["PT-1", "PT-2", "PT-3"]
    assert stranger.get(path).status_code == 403
    said = {"practitioner": NOBODY, "number": "PT-1", "effective_on": "2025-01-01"}
    assert stranger.post(path, said).status_code == 403
    assert auditor.post(path, said).status_code == 403
