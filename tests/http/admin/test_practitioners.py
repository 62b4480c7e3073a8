"""Practitioners: names that are ended, never overwritten; withheld records; whose business a person is."""

from __future__ import annotations

import pytest

from tests.http.admin.conftest import read

PEOPLE = "/v1/admin/practitioners"


def name(kind: str, full_name: str) -> dict[str, str]:
    return {"kind": kind, "full_name": full_name}


def in_use(practitioner) -> set[tuple[str, str]]:
    return {(n["kind"], n["full_name"]) for n in practitioner["names"] if n["ended_at"] is None}


def test_a_name_is_shown_in_full_or_put_together_from_its_parts(registrar):
    given = {"kind": "published", "given": "Ana María", "family": "Silva y Vega"}
    made = registrar.made(PEOPLE, {"names": [given], "languages": ["pt-BR", "mi"]})
    assert made["names"][0]["full_name"] == "Ana María Silva y Vega"
    assert made["languages"] == ["pt-BR", "mi"]
    assert made["withheld"] is False


@pytest.mark.parametrize(
    ("names", "pointer"),
    [
        ([], "/names"),
        ([name("legal", "Ana")], "/names"),
        ([name("published", "Ana"), name("published", "Anna")], "/names"),
        ([name("published", "Ana"), name("legal", "A"), name("legal", "B")], "/names"),
        ([name("published", "Ana"), name("former", "B"), name("former", "B")], "/names"),
        ([{"kind": "published"}], "/names/0/full_name"),
        ([name("nickname", "Ana")], "/names/0/kind"),
        ([name("published", " ")], "/names/0/full_name"),
        ([name("published", "x" * 201)], "/names/0/full_name"),
        ([name("published", "a\u0007")], "/names/0/full_name"),
        ([name("published", "\ud800")], "/names/0/full_name"),
        ("Ana", "/names"),
    ],
)
def test_impossible_names_are_refused(registrar, names, pointer):
    answer = registrar.post(PEOPLE, {"names": names})
    assert answer.status_code == 422
    assert pointer in [problem["pointer"] for problem in answer.get_json()["errors"]]


def test_a_replaced_name_is_ended_and_former_only_where_asked(registrar):
    person = registrar.practitioner("Ana Silva")
    path = f"{PEOPLE}/{person['id']}"
    silently = registrar.changed(path, {"names": [name("published", "Ana Costa")]})
    assert in_use(silently) == {("published", "Ana Costa")}
    assert [n["ended_at"] is None for n in silently["names"]] == [False, True]
    openly = {"names": [name("published", "Ana Dias")], "previous_becomes": "former"}
    assert in_use(registrar.changed(path, openly)) == {("published", "Ana Dias"), ("former", "Ana Costa")}


def test_a_name_that_stays_is_not_recorded_again(registrar):
    person = registrar.practitioner("Ana Silva")
    names = [name("published", "Ana Silva"), name("legal", "Ana da Silva")]
    after = registrar.changed(f"{PEOPLE}/{person['id']}", {"names": names})
    assert after["names"][0]["id"] == person["names"][0]["id"]
    assert len(after["names"]) == 2


def test_the_public_entry_shows_the_new_name_at_once(registrar):
    registration = registrar.registration()
    person = registration["practitioner"]["id"]
    entry = "/v1/bodies/ca-own/registrations/PT-1"
    assert registrar.get(entry).get_json()["practitioner"]["name"] == "Ana Silva"
    change = {"names": [name("published", "Ana Costa"), name("legal", "Secret Name")], "languages": ["fr"]}
    registrar.changed(f"{PEOPLE}/{person}", change)
    shown = registrar.get(entry)
    assert shown.get_json()["practitioner"]["name"] == "Ana Costa"
    assert shown.get_json()["practitioner"]["languages"] == ["fr"]
    assert "Secret" not in shown.text


def test_a_record_is_withheld_with_a_reason_and_its_number_still_answers(registrar):
    registration = registrar.registration(city="Banff")
    registrar.authorization(registration["id"])
    person = registration["practitioner"]["id"]
    path = f"{PEOPLE}/{person}"
    answer = registrar.patch(path, {"withheld": True}, **registrar.version_of(path))
    assert answer.get_json()["errors"][0]["pointer"] == "/reason"
    after = registrar.changed(path, {"withheld": True, "reason": "Threatened."})
    assert after["amendments"][0]["changed"] == [{"field": "withheld", "was": False, "now": True}]
    assert after["amendments"][0]["reason"] == "Threatened."
    entry = registrar.get("/v1/bodies/ca-own/registrations/PT-1")
    assert "Silva" not in entry.text
    assert "Banff" not in entry.text
    assert registrar.verdict()["authorized"] is True
    registrar.changed(path, {"withheld": False, "reason": "Safe again."})
    assert "Silva" in registrar.get("/v1/bodies/ca-own/registrations/PT-1").text


def test_a_change_starts_from_the_version_that_was_seen(registrar):
    path = f"{PEOPLE}/{registrar.practitioner()['id']}"
    seen = registrar.version_of(path)
    assert registrar.patch(path, {"languages": ["fr"]}).status_code == 428
    assert registrar.patch(path, {"languages": ["fr"]}, **seen).status_code == 200
    assert registrar.patch(path, {"languages": ["de"]}, **seen).status_code == 412
    assert registrar.get(path).get_json()["languages"] == ["fr"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({}, ""),
        ({"reason": "No change."}, ""),
        ({"languages": ["french"]}, "/languages/0"),
        ({"previous_becomes": "former"}, "/previous_becomes"),
        ({"names": [], "previous_becomes": "legal"}, "/previous_becomes"),
        ({"withheld": "yes"}, "/withheld"),
        ({"birth_date": "1990-01-01"}, "/birth_date"),
    ],
)
def test_an_impossible_change_is_refused(registrar, change, pointer):
    path = f"{PEOPLE}/{registrar.practitioner()['id']}"
    answer = registrar.patch(path, change, **registrar.version_of(path))
    assert answer.status_code == 422
    assert pointer in [problem["pointer"] for problem in answer.get_json()["errors"]]


def test_a_person_is_the_business_of_the_bodies_that_registered_them(registrar, stranger, auditor, operator):
    person = registrar.practitioner()["id"]
    path = f"{PEOPLE}/{person}"
    # Nobody registered them yet: whoever took them in, and operators.
    assert registrar.get(path).status_code == 200
    assert stranger.get(path).status_code == 403
    assert auditor.get(path).status_code == 403
    registrar.registration(practitioner=person)
    assert auditor.get(path).status_code == 200
    assert stranger.get(path).status_code == 403
    stranger.registration("ca-other", practitioner=person)
    assert stranger.get(path).status_code == 200
    version = operator.version_of(path)
    assert auditor.patch(path, {"languages": ["fr"]}, **version).status_code == 403
    assert stranger.patch(path, {"languages": ["fr"]}, **version).status_code == 200
    held = [(r["body"], r["number"]) for r in read(operator.get(path))["registrations"]]
    assert held == [("ca-own", "PT-1"), ("ca-other", "PT-1")]


def test_who_does_not_exist_is_not_told_from_who_is_anothers(registrar, operator):
    nobody = f"{PEOPLE}/01890a5d-ac96-774b-bcce-b302099a8057"
    assert registrar.get(nobody).status_code == 403
    assert operator.get(nobody).status_code == 404


def test_registrars_find_their_people_by_any_name(registrar, stranger, operator):
    names = [name("published", "Ana Silva"), name("legal", "Anastácia O'Brien"), name("former", "Ana Łuk")]
    person = registrar.practitioner(names=names)["id"]
    for asked in ("ana", "sil ana", "obrien", "anastacia", "luk", "O’Brien"):
        found = read(registrar.get(PEOPLE, query={"name": asked}))["items"]
        assert [one["id"] for one in found] == [person], asked
        assert read(stranger.get(PEOPLE, query={"name": asked}))["items"] == []
        assert len(read(operator.get(PEOPLE, query={"name": asked}))["items"]) == 1
    assert read(registrar.get(PEOPLE, query={"name": "obrien silva"}))["items"] == []


def test_people_are_listed_page_by_page(registrar):
    people = [registrar.practitioner(f"Ana {letter * 3}")["id"] for letter in "abc"]
    first = read(registrar.get(PEOPLE, query={"name": "ana", "limit": 2}))
    assert [one["id"] for one in first["items"]] == people[:2]
    query = {"name": "ana", "limit": 2, "cursor": first["next"]}
    second = read(registrar.get(PEOPLE, query=query))
    assert [one["id"] for one in second["items"]] == people[2:]
    assert second["next"] is None
    other = registrar.get(PEOPLE, query={**query, "name": "bea"})
    assert other.status_code == 422
