"""Nobody comes by the name of a withheld record on a way that was made for something else.

Someone who is threatened was promised that the public, and registrars of bodies that have nothing to do with
them, see no name. What releases a record is a decision of whoever has a say in it, never a side effect.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.admin.conftest import Staff
from tests.support import factories
from tests.support.imports import Register
from tests.support.sheets import HEADER, PROFILE, csv_file, people

PEOPLE = "/v1/admin/practitioners"
THREATENED = {"withheld": True, "reason": "Threatened."}


def public_name(staff: Staff, number: str, body: str = "ca-own") -> str | None:
    answer = staff.client.get(f"/v1/bodies/{body}/registrations/{number}")
    name: str | None = answer.get_json()["practitioner"]["name"]
    return name


@pytest.fixture
def hidden(registrar: Staff) -> str:
    """Someone withheld, registered as PT-1 with the body ca-own."""
    person: str = registrar.practitioner("Zebulon Hidden")["id"]
    registrar.registration(practitioner=person)
    registrar.changed(f"{PEOPLE}/{person}", THREATENED)
    return person


def registering(person: str) -> dict[str, Any]:
    grant = {"effective_on": "2025-01-01", "through": "2026-12-31", "register_class": "general"}
    return {"practitioner": person, "number": "X-1", **grant}


def test_to_register_somebody_is_no_way_to_their_name(registrar: Staff, stranger: Staff, hidden: str) -> None:
    """The identifier is public; whoever registers it with their own body would have a say, and the name."""
    entry = registrar.client.get("/v1/bodies/ca-own/registrations/PT-1").get_json()
    assert entry["practitioner"] == {**entry["practitioner"], "id": hidden, "name": None, "withheld": True}
    refused = stranger.post("/v1/admin/bodies/ca-other/registrations", registering(hidden))
    assert refused.status_code == 403
    assert "ask an operator" in refused.get_json()["detail"]
    assert stranger.get(f"{PEOPLE}/{hidden}").status_code == 403
    assert stranger.client.get("/v1/bodies/ca-other/registrations/X-1").status_code == 404


def test_an_operator_registers_them_and_so_does_who_has_a_say(
    registrar: Staff, stranger: Staff, operator: Staff, hidden: str
) -> None:
    operator.made("/v1/admin/bodies/ca-other/registrations", registering(hidden))
    assert public_name(operator, "X-1", "ca-other") is None
    registrar.registration(practitioner=hidden, number="PT-2")
    own = stranger.practitioner("Own Hidden", withheld=True)["id"]
    stranger.registration("ca-other", practitioner=own, number="X-2")
    assert public_name(operator, "X-2", "ca-other") is None


def test_one_of_several_bodies_does_not_release_them(
    registrar: Staff, stranger: Staff, operator: Staff, hidden: str
) -> None:
    operator.made("/v1/admin/bodies/ca-other/registrations", registering(hidden))
    path, release = f"{PEOPLE}/{hidden}", {"withheld": False, "reason": "No longer."}
    for staff in (registrar, stranger):
        assert staff.patch(path, release, **staff.version_of(path)).status_code == 403
        assert staff.patch(path, {"languages": ["fr"]}, **staff.version_of(path)).status_code == 200
    assert public_name(registrar, "PT-1") is None
    operator.changed(path, release)
    assert public_name(registrar, "PT-1") == "Zebulon Hidden"


def joined(staff: Staff, kept: str, duplicate: str) -> str:
    path = f"{PEOPLE}/{kept}"
    said = {"duplicate": duplicate, "reason": "One person."}
    merge: str = staff.made(f"{path}/merge", said, **staff.version_of(path))["id"]
    return merge


def test_parting_one_of_two_withheld_duplicates_releases_nobody(registrar: Staff, hidden: str) -> None:
    kept = registrar.practitioner("Zebulon Kept")["id"]
    registrar.registration(practitioner=kept, number="PT-2")
    second = registrar.practitioner("Zebulon Second")["id"]
    registrar.registration(practitioner=second, number="PT-3")
    registrar.changed(f"{PEOPLE}/{second}", THREATENED)
    first_merge, second_merge = joined(registrar, kept, hidden), joined(registrar, kept, second)
    registrar.made(f"/v1/admin/merges/{first_merge}/reverse")
    assert [public_name(registrar, number) for number in ("PT-1", "PT-2", "PT-3")] == [None, None, None]
    registrar.made(f"/v1/admin/merges/{second_merge}/reverse")
    assert public_name(registrar, "PT-3") is None


def test_parting_undoes_no_later_decision_to_withhold(registrar: Staff, hidden: str) -> None:
    kept = registrar.practitioner("Zebulon Kept")["id"]
    registrar.registration(practitioner=kept, number="PT-2")
    merge = joined(registrar, kept, hidden)
    registrar.changed(f"{PEOPLE}/{kept}", {"withheld": False, "reason": "Safe."})
    registrar.changed(f"{PEOPLE}/{kept}", THREATENED)
    registrar.made(f"/v1/admin/merges/{merge}/reverse")
    assert public_name(registrar, "PT-2") is None


def test_reversing_an_import_releases_nobody_whom_another_body_registered_too(database_url: str) -> None:
    columns = {**PROFILE["columns"], "withheld": "Hidden"}
    told = {"profile": {**PROFILE, "columns": columns}}
    with factories.database(database_url) as engine:
        register = Register(engine)
        rows = [{**row, "Hidden": ""} for row in people(2)]
        register.take_in(csv_file(rows, (*HEADER, "Hidden")), **told)
        shared = register.record("PT-00000").person
        with engine.begin() as tx:
            factories.make_registration(tx, factories.make_body(tx, "ca-other"), shared)
        hidden = register.take_in(
            csv_file([row | {"Hidden": "yes"} for row in rows], (*HEADER, "Hidden")), **told
        )
        assert register.record("PT-00001").person.withheld
        register.reverse(hidden)
        assert register.record("PT-00000").person.withheld
        assert not register.record("PT-00001").person.withheld
        assert register.differences() == []
