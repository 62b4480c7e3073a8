"""Merges of duplicate records: old identifiers keep resolving; a reversal gives back exactly what moved."""

from __future__ import annotations

import pytest

from tests.http.admin.conftest import read

PEOPLE = "/v1/admin/practitioners"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def kept(registrar):
    return registrar.registration(number="PT-1")["practitioner"]["id"]


@pytest.fixture
def duplicate(registrar):
    names = [{"kind": "published", "full_name": "Ana Sylva"}, {"kind": "legal", "full_name": "Anna Sylva"}]
    person = registrar.practitioner(names=names)["id"]
    registrar.registration(practitioner=person, number="PT-2")
    return person


def ask(staff, kept, duplicate, seen_by=None):
    path = f"{PEOPLE}/{kept}"
    version = (seen_by or staff).version_of(path)
    return staff.post(f"{path}/merge", {"duplicate": duplicate, "reason": "One person."}, **version)


def merge(staff, kept, duplicate):
    answer = ask(staff, kept, duplicate)
    assert answer.status_code == 201, answer.text
    return read(answer)


def public(staff, practitioner):
    answer = staff.client.get(f"/v1/practitioners/{practitioner}")
    return sorted(entry["number"] for entry in read(answer)["registrations"])


def test_registrations_stay_apart_and_both_identifiers_lead_to_them(registrar, kept, duplicate):
    merge(registrar, kept, duplicate)
    assert public(registrar, kept) == public(registrar, duplicate) == ["PT-1", "PT-2"]
    registrar.decided(
        f"registrations/{read(registrar.get(f'{PEOPLE}/{kept}'))['registrations'][0]['id']}",
        kind="suspended",
        effective_on="2026-02-01",
    )
    assert registrar.verdict("PT-1")["outcome"] == "registration_not_in_force"
    assert registrar.verdict("PT-2")["outcome"] == "technique_not_covered"


def test_names_of_the_duplicate_are_former_names_of_the_kept_record(registrar, kept, duplicate):
    merge(registrar, kept, duplicate)
    names = {(n["kind"], n["full_name"]) for n in read(registrar.get(f"{PEOPLE}/{kept}"))["names"]}
    assert names == {("published", "Ana Silva"), ("former", "Ana Sylva"), ("legal", "Anna Sylva")}
    entry = registrar.client.get("/v1/bodies/ca-own/registrations/PT-2")
    assert read(entry)["practitioner"]["name"] == "Ana Silva"
    assert "Sylva" not in entry.text


def test_a_reversal_gives_back_exactly_what_was_moved(registrar, kept, duplicate):
    training = {"body": "ca-own", "title": "A course", "techniques": ["dry_needling"]}
    training["completed_on"] = "2025-05-05"
    registrar.made(f"{PEOPLE}/{duplicate}/trainings", training)
    before = {id_: read(registrar.get(f"{PEOPLE}/{id_}")) for id_ in (kept, duplicate)}
    merged = merge(registrar, kept, duplicate)
    registrar.registration(practitioner=kept, number="PT-3")
    assert len(read(registrar.get(f"{PEOPLE}/{kept}/trainings"))["items"]) == 1
    reversed_ = registrar.made(f"/v1/admin/merges/{merged['id']}/reverse")
    assert reversed_["reversed_by"].startswith("registrar:")
    assert public(registrar, kept) == ["PT-1", "PT-3"]
    assert public(registrar, duplicate) == ["PT-2"]
    after = {id_: read(registrar.get(f"{PEOPLE}/{id_}")) for id_ in (kept, duplicate)}
    assert after[duplicate]["names"] == before[duplicate]["names"]
    in_use = [name for name in after[kept]["names"] if name["ended_at"] is None]
    assert in_use == before[kept]["names"]
    assert len(read(registrar.get(f"{PEOPLE}/{duplicate}/trainings"))["items"]) == 1
    assert registrar.post(f"/v1/admin/merges/{merged['id']}/reverse").status_code == 409
    assert merge(registrar, duplicate, kept)["kept"] == duplicate


def test_a_withheld_duplicate_is_not_disclosed_by_a_merge(registrar, kept, duplicate):
    withheld = {"withheld": True, "reason": "Threatened."}
    registrar.changed(f"{PEOPLE}/{duplicate}", withheld)
    merged = merge(registrar, kept, duplicate)
    for number in ("PT-1", "PT-2"):
        entry = read(registrar.client.get(f"/v1/bodies/ca-own/registrations/{number}"))
        assert entry["practitioner"]["name"] is None
    registrar.made(f"/v1/admin/merges/{merged['id']}/reverse")
    assert read(registrar.get(f"{PEOPLE}/{kept}"))["withheld"] is False
    assert read(registrar.get(f"{PEOPLE}/{duplicate}"))["withheld"] is True


def test_merges_that_go_in_circles_are_refused(registrar, kept, duplicate):
    assert ask(registrar, kept, kept).status_code == 422
    merge(registrar, kept, duplicate)
    third = registrar.registration(practitioner=registrar.practitioner("Bea")["id"], number="PT-3")
    third_person = third["practitioner"]["id"]
    assert ask(registrar, kept, duplicate).status_code == 409
    assert ask(registrar, third_person, duplicate).status_code == 409


def test_nothing_is_recorded_on_a_record_that_was_merged(registrar, operator, kept, duplicate):
    merge(registrar, kept, duplicate)
    path = f"{PEOPLE}/{duplicate}"
    refused = operator.patch(path, {"languages": ["fr"]}, **operator.version_of(path))
    assert refused.status_code == 409
    assert refused.get_json()["errors"] == [{"merged_into": kept}]
    said = {"practitioner": duplicate, "number": "PT-9", "effective_on": "2025-01-01"}
    assert registrar.post("/v1/admin/bodies/ca-own/registrations", said).status_code == 409
    training = {"body": "ca-own", "title": "A", "techniques": ["dry_needling"], "completed_on": "2025-05-05"}
    assert operator.post(f"{path}/trainings", training).status_code == 409


def test_a_merge_of_merges_is_reversed_in_turn(registrar, operator, kept, duplicate):
    third = registrar.registration(practitioner=registrar.practitioner("Bea")["id"], number="PT-3")
    third_person = third["practitioner"]["id"]
    first = merge(registrar, kept, duplicate)
    second = merge(registrar, third_person, kept)
    assert public(registrar, duplicate) == ["PT-1", "PT-2", "PT-3"]
    assert operator.post(f"/v1/admin/merges/{first['id']}/reverse").status_code == 409
    operator.made(f"/v1/admin/merges/{second['id']}/reverse")
    operator.made(f"/v1/admin/merges/{first['id']}/reverse")
    assert public(registrar, kept) == ["PT-1"]
    assert public(registrar, duplicate) == ["PT-2"]
    assert public(registrar, third_person) == ["PT-3"]


def test_registrars_merge_only_records_that_are_wholly_their_own_bodys(
    registrar, stranger, auditor, operator, kept, duplicate
):
    assert ask(stranger, kept, duplicate, seen_by=operator).status_code == 403
    assert ask(auditor, kept, duplicate).status_code == 403
    stranger.registration("ca-other", practitioner=duplicate, number="PT-2")
    assert ask(registrar, kept, duplicate).status_code == 403
    assert ask(registrar, duplicate, kept).status_code == 403
    merged = merge(operator, kept, duplicate)
    assert registrar.post(f"/v1/admin/merges/{merged['id']}/reverse").status_code == 403
    assert registrar.get(f"/v1/admin/merges/{merged['id']}").status_code == 200
    assert ask(operator, kept, NOBODY).status_code == 404


def test_a_merge_needs_a_reason_and_the_version_that_was_seen(registrar, kept, duplicate):
    path = f"{PEOPLE}/{kept}/merge"
    said = {"duplicate": duplicate, "reason": "One person."}
    assert registrar.post(path, said).status_code == 428
    seen = registrar.version_of(f"{PEOPLE}/{kept}")
    assert registrar.post(path, {"duplicate": duplicate}, **seen).status_code == 422
    registrar.changed(f"{PEOPLE}/{kept}", {"languages": ["fr"]})
    assert registrar.post(path, said, **seen).status_code == 412
