"""Bodies and their rules: whole versions, appended; every registration is derived anew by them."""

from __future__ import annotations

import pytest

from tests.http.admin.conftest import read

RULES = "/v1/admin/bodies/ca-own/rules"
BODY = "/v1/admin/bodies/ca-own"
NEW = {
    "code": "nz",
    "name": "Physiotherapy Board",
    "jurisdiction": "NZ",
    "time_zone": "Pacific/Auckland",
    "website": "https://www.physioboard.org.nz",
}


def rules(**said):
    plain = {
        "holds_from": "2025-01-01",
        "eligible_classes": ["general", "provisional"],
        "requirements": [{"technique": "dry_needling"}],
    }
    return {**plain, **said}


def add_rules(staff, **said):
    return staff.made(RULES, rules(**said), **staff.version_of(BODY))


def test_an_operator_takes_a_body_in_and_changes_it(operator, registrar):
    made = operator.made("/v1/admin/bodies", NEW)
    assert made["time_zone"] == "Pacific/Auckland"
    assert operator.post("/v1/admin/bodies", NEW).status_code == 409
    after = operator.changed("/v1/admin/bodies/nz", {"name": "Te Poari", "time_zone": "Pacific/Chatham"})
    assert (after["name"], after["time_zone"]) == ("Te Poari", "Pacific/Chatham")
    assert read(operator.client.get("/v1/bodies/nz"))["name"] == "Te Poari"
    assert registrar.post("/v1/admin/bodies", {**NEW, "code": "x"}).status_code == 403
    assert registrar.patch(BODY, {"name": "Mine"}, **registrar.version_of(BODY)).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"code": "N Z"}, "/code"),
        ({"jurisdiction": "New Zealand"}, "/jurisdiction"),
        ({"time_zone": "Auckland"}, "/time_zone"),
        ({"time_zone": "../../etc/passwd"}, "/time_zone"),
        ({"website": "http://169.254.169.254/"}, "/website"),
        ({"website": "javascript:alert(1)"}, "/website"),
        ({"name": None}, "/name"),
        ({"publishes_training": 1}, "/publishes_training"),
    ],
)
def test_a_wrong_value_is_named(operator, wrong, pointer):
    answer = operator.post("/v1/admin/bodies", {**NEW, **wrong})
    assert answer.status_code == 422
    assert pointer in [problem["pointer"] for problem in answer.get_json()["errors"]]


def test_rules_are_appended_and_all_versions_stay(registrar, stranger, auditor):
    add_rules(registrar, holds_from="2026-06-01", needling_permitted=False, reason="A new act.")
    listed = read(auditor.get(RULES))["items"]
    assert [(v["holds_from"], v["needling_permitted"]) for v in listed] == [
        ("2025-01-01", True),
        ("2026-06-01", False),
    ]
    assert listed[1]["reason"] == "A new act."
    version = registrar.version_of(BODY)
    assert stranger.post(RULES, rules(), **version).status_code == 403
    assert auditor.post(RULES, rules(), **version).status_code == 403
    assert registrar.post(RULES, rules()).status_code == 428


def test_a_rule_of_a_day_to_come_changes_answers_from_that_day(registrar):
    registrar.authorization(registrar.registration()["id"])
    add_rules(registrar, holds_from="2026-06-01", needling_permitted=False)
    before = registrar.verdict()
    assert (before["authorized"], before["valid_through"]) == (True, "2026-05-31")
    assert registrar.verdict(on="2026-06-01")["outcome"] == "needling_not_permitted"


def test_grace_is_counted_for_terms_already_granted(registrar):
    id_ = registrar.registration(through="2026-01-31")["id"]
    path = f"/v1/admin/registrations/{id_}"
    assert read(registrar.get(path))["standing"]["standing"] == "lapsed"
    assert registrar.verdict()["outcome"] == "registration_not_in_force"
    seen = registrar.version_of(path)
    add_rules(registrar, registration_grace_days=30)
    assert read(registrar.get(path))["standing"]["standing"] == "in_grace"
    assert registrar.verdict()["reasons"][0] == "registration_in_grace"
    entry = read(registrar.client.get("/v1/bodies/ca-own/registrations/PT-1"))
    assert entry["registration"]["standing"] == "in_grace"
    # Whoever looked at the record before the rules changed looks again.
    said = {"kind": "renewed", "effective_on": "2026-02-01", "through": "2027-01-31"}
    assert registrar.post(f"{path}/decisions", said, **seen).status_code == 412


def test_coverage_is_a_rule_of_the_body(registrar):
    registrar.authorization(
        registrar.registration()["id"], techniques=["acupuncture"], override_reason="As the roster says."
    )
    assert registrar.verdict()["outcome"] == "technique_not_covered"
    add_rules(registrar, covers=[{"technique": "acupuncture", "also_covers": ["dry_needling"]}])
    assert registrar.verdict()["authorized"] is True


def test_two_versions_from_one_state_do_not_overwrite_each_other(registrar):
    seen = registrar.version_of(BODY)
    assert registrar.post(RULES, rules(), **seen).status_code == 201
    assert registrar.post(RULES, rules(), **seen).status_code == 412


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"holds_from": "2025-13-01"}, "/holds_from"),
        ({"registration_renewal": {"month": 2}}, "/registration_renewal/day"),
        ({"registration_renewal": {"month": 2, "day": 30}}, "/registration_renewal/day"),
        ({"registration_renewal": {"month": 2, "day": 1, "months": 3}}, "/registration_renewal/months"),
        ({"registration_renewal": {"months": 0}}, "/registration_renewal/months"),
        ({"requirements": [{"technique": "dry_needling", "hours_total": -1}]}, "/requirements/0/hours_total"),
        (
            {"requirements": [{"technique": "dry_needling", "hours_total": 0.1}]},
            "/requirements/0/hours_total",
        ),
        ({"requirements": [{"technique": "dry_needling"}, {"technique": "dry_needling"}]}, "/requirements"),
        (
            {"requirements": [{"technique": "dry_needling", "refresher_hours": 10}]},
            "/requirements/0/refresher_months",
        ),
        ({"covers": [{"technique": "dry_needling", "also_covers": []}]}, "/covers/0/also_covers"),
        ({"registration_grace_days": 1.5}, "/registration_grace_days"),
        ({"eligible_classes": "general"}, "/eligible_classes"),
        ({"grace": 1}, "/grace"),
    ],
)
def test_impossible_rules_are_refused(registrar, wrong, pointer):
    answer = registrar.post(RULES, rules(**wrong), **registrar.version_of(BODY))
    assert answer.status_code == 422
    assert pointer in [problem["pointer"] for problem in answer.get_json()["errors"]]


def test_what_a_body_publishes_shows_in_its_entries_at_once(operator, registrar):
    names = [{"kind": "published", "full_name": "Ana Silva"}, {"kind": "former", "full_name": "Ana Costa"}]
    person = registrar.practitioner(names=names)["id"]
    registrar.registration(practitioner=person)
    entry = "/v1/bodies/ca-own/registrations/PT-1"
    assert "Costa" not in registrar.client.get(entry).text
    operator.changed(BODY, {"publishes_former_names": True})
    assert "Costa" in registrar.client.get(entry).text
    operator.changed(BODY, {"publishes_former_names": False})
    assert "Costa" not in registrar.client.get(entry).text
