"""Two registrars at once: one is first, the other is told to look again; nothing is lost or doubled."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from tests.http.admin.conftest import Staff, read

REFUSED = {409, 412}
BODY = "/v1/admin/bodies/ca-own"


@pytest.fixture
def colleagues(app, keys) -> list[Staff]:
    return [Staff(app.test_client(), keys.registrar) for _ in range(2)]


def at_once(*requests: Callable[[], Any]) -> list[int]:
    """The statuses of requests that start together, in order of size."""
    ready = Barrier(len(requests))

    def send(request: Callable[[], Any]) -> int:
        ready.wait()
        status: int = request().status_code
        return status

    with ThreadPoolExecutor(len(requests)) as pool:
        return sorted(pool.map(send, requests))


def one_won(statuses: list[int]) -> bool:
    return statuses[0] == 201 and set(statuses[1:]) <= REFUSED


def test_of_two_conflicting_decisions_one_is_recorded(registrar, colleagues):
    path = f"/v1/admin/registrations/{registrar.registration()['id']}"
    version = registrar.version_of(path)
    said = [
        {"kind": "suspended", "effective_on": "2026-02-01"},
        {"kind": "revoked", "effective_on": "2026-02-01"},
    ]
    statuses = at_once(
        *(
            partial(one.post, f"{path}/decisions", each, **version)
            for one, each in zip(colleagues, said, strict=True)
        )
    )
    assert one_won(statuses), statuses
    assert len(read(registrar.get(path))["decisions"]) == 2


def test_one_technique_is_granted_once(registrar, colleagues):
    id_ = registrar.registration()["id"]
    path = f"/v1/admin/registrations/{id_}"
    version = registrar.version_of(path)
    grant = {"effective_on": "2025-01-01", "techniques": ["dry_needling"]}
    statuses = at_once(*(partial(one.post, f"{path}/authorizations", grant, **version) for one in colleagues))
    assert one_won(statuses), statuses
    assert len(read(registrar.get(path))["authorizations"]) == 1


def test_one_number_is_registered_once(registrar, colleagues):
    said = [
        {"practitioner": registrar.practitioner()["id"], "number": number, "effective_on": "2025-01-01"}
        for number in ("PT-1", "pt-1")
    ]
    statuses = at_once(
        *(
            partial(one.post, f"{BODY}/registrations", each)
            for one, each in zip(colleagues, said, strict=True)
        )
    )
    assert one_won(statuses), statuses
    assert len(read(registrar.get(f"{BODY}/registrations"))["items"]) == 1


def test_a_new_name_and_a_decision_are_both_in_the_entry(registrar, colleagues):
    registration = registrar.registration()
    person = f"/v1/admin/practitioners/{registration['practitioner']['id']}"
    record = f"/v1/admin/registrations/{registration['id']}"
    for day in range(1, 6):
        names = {"names": [{"kind": "published", "full_name": f"Ana {'x' * day}"}]}
        kind = "suspended" if day % 2 else "reinstated"
        said = {"kind": kind, "effective_on": f"2026-02-0{day}"}
        seen, known = registrar.version_of(person), registrar.version_of(record)
        at_once(
            partial(colleagues[0].patch, person, names, **seen),
            partial(colleagues[1].post, f"{record}/decisions", said, **known),
        )
        now = read(registrar.get(record))
        entry = read(registrar.client.get("/v1/bodies/ca-own/registrations/PT-1"))
        assert entry["practitioner"]["name"] == now["practitioner"]["name"]
        assert entry["registration"]["standing"] == now["standing"]["standing"]


def test_rules_and_a_new_registration_agree(registrar, colleagues):
    people = [registrar.practitioner()["id"] for _ in range(3)]
    for days, person in enumerate(people, start=31):
        rules = {"holds_from": "2025-01-01", "registration_grace_days": days}
        version = registrar.version_of(BODY)
        said = {"practitioner": person, "number": f"PT-{days}", "effective_on": "2025-01-01"}
        said["through"] = "2026-01-30"
        statuses = at_once(
            partial(colleagues[0].post, f"{BODY}/rules", rules, **version),
            partial(colleagues[1].post, f"{BODY}/registrations", said),
        )
        assert statuses == [201, 201]
        entry = read(registrar.client.get(f"/v1/bodies/ca-own/registrations/PT-{days}"))
        assert entry["registration"]["standing"] == "in_grace"


def test_two_records_are_not_merged_into_each_other(registrar, colleagues):
    people = [
        registrar.registration(practitioner=registrar.practitioner()["id"], number=f"PT-{n}")["practitioner"]
        for n in (1, 2)
    ]
    paths = [f"/v1/admin/practitioners/{person['id']}" for person in people]
    versions = [registrar.version_of(path) for path in paths]
    statuses = at_once(
        *(
            partial(one.post, f"{path}/merge", {"duplicate": other["id"], "reason": "One person."}, **version)
            for one, path, other, version in zip(colleagues, paths, reversed(people), versions, strict=True)
        )
    )
    assert one_won(statuses), statuses
    for person in people:
        answer = registrar.client.get(f"/v1/practitioners/{person['id']}")
        assert len(read(answer)["registrations"]) == 2
