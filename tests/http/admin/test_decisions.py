"""Decisions over HTTP: each kind, what belongs to it, what is refused, what the public is told then."""

from __future__ import annotations

import pytest

from registry.domain.vocabulary import DecisionKind


@pytest.fixture
def registered(registrar):
    return registrar.registration()["id"]


@pytest.fixture
def authorized(registrar, registered):
    return registrar.authorization(registered)


def test_a_grant_makes_the_public_answer_a_yes(registrar, registered):
    assert registrar.verdict()["outcome"] == "technique_not_covered"
    registrar.authorization(registered)
    assert registrar.verdict()["authorized"] is True


def test_every_kind_of_decision_can_be_recorded_about_an_authorization(registrar, authorized):
    about = f"authorizations/{authorized}"
    registrar.decided(about, kind="suspended", effective_on="2026-01-05", reason="A complaint.")
    assert registrar.verdict()["outcome"] == "authorization_not_in_force"
    registrar.decided(about, kind="reinstated", effective_on="2026-01-20")
    registrar.decided(about, kind="conditions_set", effective_on="2026-02-01", excluded_regions=["thorax"])
    assert registrar.verdict()["excluded_regions"] == ["thorax"]
    registrar.decided(about, kind="renewed", effective_on="2026-03-01", through="2027-12-31")
    registrar.decided(about, kind="surrendered", effective_on="2026-06-01")
    registrar.decided(about, kind="granted", effective_on="2026-08-01", techniques=["dry_needling"])
    registrar.decided(about, kind="revoked", effective_on="2026-09-01")
    status = {"word": "Under review", "practice": "unknown"}
    registrar.decided(about, kind="status_reported", effective_on="2026-03-01", status=status)
    assert registrar.verdict()["outcome"] == "unknown"


def test_every_kind_of_decision_can_be_recorded_about_a_registration(registrar, registered):
    about = f"registrations/{registered}"
    registrar.decided(about, kind="suspended", effective_on="2026-01-05", through="2026-01-10")
    registrar.decided(about, kind="suspended", effective_on="2026-02-05")
    registrar.decided(about, kind="reinstated", effective_on="2026-02-06")
    registrar.decided(about, kind="renewed", effective_on="2026-03-01", through="2027-12-31")
    registrar.decided(
        about, kind="conditions_set", effective_on="2026-03-01", conditions=[{"text": "Chaperoned."}]
    )
    registrar.decided(about, kind="revoked", effective_on="2026-04-01")
    registrar.decided(about, kind="granted", effective_on="2026-05-01", through=None)
    after = registrar.decided(about, kind="surrendered", effective_on="2026-06-01")
    standings = [span["standing"] for span in after["registration"]["timeline"]]
    assert standings[0] == "in_force"
    assert standings[-4:] == ["in_force", "revoked", "in_force", "surrendered"]


def test_all_kinds_but_voided_are_named_where_another_is_given(registrar, registered):
    answer = registrar.decide(f"registrations/{registered}", kind="voided", effective_on="2026-01-01")
    assert answer.status_code == 422
    [problem] = answer.get_json()["errors"]
    assert problem["pointer"] == "/kind"
    assert all(kind in problem["detail"] for kind in DecisionKind if kind != "voided")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"kind": "revoked", "effective_on": "2026-01-01", "through": "2026-02-01"}, "/through"),
        ({"kind": "suspended", "effective_on": "2026-01-02", "through": "2026-01-01"}, "/through"),
        ({"kind": "suspended", "effective_on": "2026-02-30"}, "/effective_on"),
        ({"kind": "suspended", "effective_on": "20260201"}, "/effective_on"),
        ({"kind": "suspended"}, "/effective_on"),
        ({"kind": "reinstated", "effective_on": "2026-01-01", "techniques": ["dry_needling"]}, "/techniques"),
        ({"kind": "renewed", "effective_on": "2026-01-01", "conditions": []}, "/conditions"),
        ({"kind": "status_reported", "effective_on": "2026-01-01"}, "/status"),
        ({"kind": "conditions_set", "effective_on": "2026-01-01"}, "/kind"),
        ({"kind": "granted", "effective_on": "2026-01-01"}, "/techniques"),
        ({"kind": "granted", "effective_on": "2026-01-01", "techniques": ["voodoo"]}, "/techniques/0"),
        ({"kind": "granted", "effective_on": "2026-01-01", "techniques": []}, "/techniques"),
        ({"kind": "granted", "effective_on": "2026-01-01", "register_class": "general"}, "/register_class"),
        ({"kind": "revoked", "effective_on": "2026-01-01", "surprise": 1}, "/surprise"),
        ({"kind": "revoked", "effective_on": "2026-01-01", "reason": "a\u0000b"}, "/reason"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_changes(registrar, authorized, said, pointer):
    before = registrar.get(f"/v1/admin/authorizations/{authorized}").get_json()
    answer = registrar.decide(f"authorizations/{authorized}", **said)
    assert answer.status_code == 422, answer.text
    assert answer.content_type == "application/problem+json"
    assert pointer in [problem["pointer"] for problem in answer.get_json()["errors"]]
    assert registrar.get(f"/v1/admin/authorizations/{authorized}").get_json() == before


def test_a_decision_needs_the_version_that_it_starts_from(registrar, registered):
    path = f"/v1/admin/registrations/{registered}"
    said = {"kind": "suspended", "effective_on": "2026-01-05"}
    assert registrar.post(f"{path}/decisions", said).status_code == 428
    seen = registrar.version_of(path)
    assert registrar.post(f"{path}/decisions", said, **seen).status_code == 201
    said = {"kind": "reinstated", "effective_on": "2026-01-06"}
    assert registrar.post(f"{path}/decisions", said, **seen).status_code == 412


def test_a_decision_repeated_under_one_key_is_recorded_once(registrar, registered):
    path = f"/v1/admin/registrations/{registered}"
    headers = {**registrar.version_of(path), "Idempotency-Key": "one"}
    said = {"kind": "suspended", "effective_on": "2026-01-05"}
    first = registrar.post(f"{path}/decisions", said, **headers)
    second = registrar.post(f"{path}/decisions", said, **headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json() == second.get_json()
    assert len(registrar.get(path).get_json()["decisions"]) == 2


def test_a_term_without_a_last_day_ends_by_the_rules(registrar, operator):
    rules = {
        "holds_from": "2025-01-01",
        "eligible_classes": ["general"],
        "requirements": [{"technique": "dry_needling"}],
        "registration_renewal": {"month": 9, "day": 30},
        "authorization_renewal": {"months": 24},
    }
    version = registrar.version_of("/v1/admin/bodies/ca-own")
    registrar.made("/v1/admin/bodies/ca-own/rules", rules, **version)
    practitioner = registrar.practitioner()["id"]
    given = {
        "practitioner": practitioner,
        "number": "PT-9",
        "effective_on": "2025-03-01",
        "register_class": "general",
    }
    registration = registrar.made("/v1/admin/bodies/ca-own/registrations", given)
    assert registration["timeline"][0]["term_through"] == "2025-09-30"
    about = f"registrations/{registration['id']}"
    renewed = registrar.decided(about, kind="renewed", effective_on="2025-09-01")
    assert renewed["decisions"][0]["through"] == "2026-09-30"
    grant = {"effective_on": "2025-03-01", "techniques": ["dry_needling"]}
    path = f"/v1/admin/{about}"
    granted = registrar.made(f"{path}/authorizations", grant, **registrar.version_of(path))
    assert granted["decisions"][0]["through"] == "2027-02-28"


def test_what_makes_later_decisions_senseless_is_refused_with_their_list_unless_they_are_voided(
    registrar, authorized
):
    about = f"authorizations/{authorized}"
    suspended = registrar.decided(about, kind="suspended", effective_on="2026-02-01")["decisions"][0]["id"]
    reinstated = registrar.decided(about, kind="reinstated", effective_on="2026-02-10")["decisions"][0]["id"]
    path = f"/v1/admin/decisions/{suspended}"
    void = {"reason": "Another person's complaint."}
    refused = registrar.post(f"{path}/void", void, **registrar.version_of(path))
    assert refused.status_code == 422
    assert [problem["decision"] for problem in refused.get_json()["errors"]] == [reinstated]
    both = {**void, "void_also": [reinstated]}
    assert registrar.post(f"{path}/void", both, **registrar.version_of(path)).status_code == 201
    assert registrar.verdict(on="2026-02-05")["authorized"] is True
    listed = registrar.get(f"/v1/admin/{about}").get_json()["decisions"]
    assert [d["id"] for d in listed if d["voided"]] == [suspended, reinstated]


def test_voiding_needs_a_reason(registrar, authorized):
    decision = registrar.get(f"/v1/admin/authorizations/{authorized}").get_json()["decisions"][0]["id"]
    path = f"/v1/admin/decisions/{decision}"
    answer = registrar.post(f"{path}/void", {}, **registrar.version_of(path))
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/reason"


def test_a_voided_decision_cannot_be_voided_again_and_the_voiding_can(registrar, authorized):
    about = f"authorizations/{authorized}"
    revoked = registrar.decided(about, kind="revoked", effective_on="2026-02-01")["decisions"][0]["id"]
    path = f"/v1/admin/decisions/{revoked}"
    void = {"reason": "Recorded by mistake."}
    voiding = registrar.made(f"{path}/void", void, **registrar.version_of(path))["decisions"][0]["id"]
    assert registrar.verdict()["authorized"] is True
    assert registrar.post(f"{path}/void", void, **registrar.version_of(path)).status_code == 409
    path = f"/v1/admin/decisions/{voiding}"
    registrar.made(f"{path}/void", void, **registrar.version_of(path))
    assert registrar.verdict()["outcome"] == "authorization_not_in_force"


def test_a_preview_tells_the_consequence_and_records_nothing(registrar, authorized):
    before = registrar.get(f"/v1/admin/authorizations/{authorized}").get_json()
    said = {"kind": "suspended", "effective_on": "2026-02-01"}
    preview = registrar.made(f"/v1/admin/authorizations/{authorized}/decisions/preview", said)
    told = {(c["technique"], c["on"]): c for c in preview["consequences"]}
    for day in ("2026-02-01", "2026-03-01"):
        consequence = told["dry_needling", day]
        assert consequence["before"]["outcome"] == "authorized"
        assert consequence["after"]["outcome"] == "authorization_not_in_force"
        assert consequence["changes"] is True
    assert told["acupuncture", "2026-02-01"]["changes"] is False
    assert registrar.get(f"/v1/admin/authorizations/{authorized}").get_json() == before
    decision = before["decisions"][0]["id"]
    preview = registrar.made(f"/v1/admin/decisions/{decision}/void/preview", {"reason": "What if?"})
    assert [d["voids"] for d in preview["decisions"]] == [decision]
    assert registrar.get(f"/v1/admin/authorizations/{authorized}").get_json() == before


def test_requirements_that_are_not_met_are_listed_and_may_be_overridden_with_a_reason(registrar, registered):
    rules = {
        "holds_from": "2025-01-01",
        "requirements": [{"technique": "dry_needling", "hours_total": 50, "examination": True}],
    }
    version = registrar.version_of("/v1/admin/bodies/ca-own")
    registrar.made("/v1/admin/bodies/ca-own/rules", rules, **version)
    path = f"/v1/admin/registrations/{registered}"
    asked = registrar.get(f"{path}/eligibility?techniques=dry_needling&on=2026-01-01").get_json()
    assert asked["eligible"] is False
    refused = registrar.grant(registered)
    assert refused.status_code == 409
    assert {problem["requirement"] for problem in refused.get_json()["errors"]} == {
        "hours_total",
        "examination",
    }
    assert [unmet["requirement"] for unmet in asked["unmet"]] == [
        problem["requirement"] for problem in refused.get_json()["errors"]
    ]
    term = {"effective_on": "2025-01-01", "techniques": ["dry_needling"]}
    preview = registrar.made(f"{path}/authorizations/preview", term)
    assert preview["unmet"] == asked["unmet"]
    assert registrar.grant(registered, override_reason="Trained before 1999.").status_code == 201


def test_an_authorization_is_not_widened_past_the_rules(registrar, authorized):
    about = f"authorizations/{authorized}"
    techniques = ["dry_needling", "acupuncture"]
    wider = {"kind": "conditions_set", "effective_on": "2026-02-01", "techniques": techniques}
    refused = registrar.decide(about, **wider)
    assert refused.status_code == 409
    [problem] = refused.get_json()["errors"]
    assert (problem["requirement"], problem["technique"]) == ("technique_regulated", "acupuncture")
    assert registrar.decide(about, override_reason="The council so decided.", **wider).status_code == 201


def test_one_technique_is_never_granted_twice_for_the_same_days(registrar, registered, authorized):
    assert registrar.grant(registered).status_code == 409
    registrar.decided(f"authorizations/{authorized}", kind="revoked", effective_on="2026-02-01")
    registrar.authorization(registered, effective_on="2026-02-02")
    revocation = registrar.get(f"/v1/admin/authorizations/{authorized}").get_json()["decisions"][1]["id"]
    path = f"/v1/admin/decisions/{revocation}"
    answer = registrar.post(f"{path}/void", {"reason": "A mistake."}, **registrar.version_of(path))
    assert answer.status_code == 409


def test_setting_conditions_leaves_what_is_not_said_as_it_stands(registrar, registered):
    id_ = registrar.authorization(registered, mode="supervised", excluded_regions=["thorax"])
    about = f"authorizations/{id_}"
    conditions = [{"text": "In a clinic.", "withheld": True}]
    after = registrar.decided(about, kind="conditions_set", effective_on="2026-02-01", conditions=conditions)
    scope = after["decisions"][0]["scope"]
    assert scope["mode"] == "supervised"
    assert scope["excluded_regions"] == ["thorax"]
    assert scope["conditions"] == conditions
    assert registrar.verdict(mode="supervised")["conditions"] == [{"text": None, "withheld": True}]


def test_decisions_are_listed_page_by_page(registrar, registered, authorized):
    path = f"/v1/admin/registrations/{registered}/decisions"
    first = registrar.get(f"{path}?limit=1")
    assert [d["subject"] for d in first.get_json()["items"]] == ["registration"]
    assert 'rel="next"' in first.headers["Link"]
    second = registrar.get(f"{path}?limit=1&cursor={first.get_json()['next']}").get_json()
    assert [d["authorization_id"] for d in second["items"]] == [authorized]
    assert second["next"] is None
    only = registrar.get(f"{path}?authorization={authorized}").get_json()["items"]
    assert only == second["items"]


def test_another_body_neither_sees_nor_decides(stranger, auditor, registrar, registered, authorized):
    paths = [f"/v1/admin/registrations/{registered}", f"/v1/admin/authorizations/{authorized}"]
    for path in paths:
        version = registrar.version_of(path)
        said = {"kind": "revoked", "effective_on": "2026-02-01"}
        assert stranger.get(path).status_code == 403
        assert stranger.post(f"{path}/decisions", said, **version).status_code == 403
        assert auditor.get(path).status_code == 200
        assert auditor.post(f"{path}/decisions", said, **version).status_code == 403
    assert registrar.verdict()["authorized"] is True
