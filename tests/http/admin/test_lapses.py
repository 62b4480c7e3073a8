"""Lapses over HTTP: who sees them, in which pages, and what registrars note on them."""

from __future__ import annotations

from datetime import date

import pytest

from registry.services.bodies import get_body
from registry.store.database import writing
from tests.http.admin.conftest import NOW, Staff, read
from tests.http.conftest import OTHER, OWN
from tests.support.factories import make_authorization, make_person, make_registration

LAPSES = "/v1/admin/lapses"


@pytest.fixture
def registered(app, keys):
    """At the own body: one who lapsed while authorized; at the other: one who will lapse in ten days."""
    with app.app_context(), writing() as tx:
        person = make_person(tx, "Ngaio Tūhoe", withheld=True)
        own, other = get_body(tx, OWN), get_body(tx, OTHER)
        record = make_registration(tx, own, person, number="PT/00 1", through=date(2026, 2, 20))
        make_authorization(tx, record, through=date(2026, 5, 31))
        make_registration(tx, other, number="PT-00002", through=date(2026, 3, 10))
    return record


@pytest.fixture
def staff(client, keys):
    return lambda role: Staff(client, getattr(keys, role))


def listed(staff, **query):
    response = staff.get(LAPSES, query)
    assert response.status_code == 200, response.text
    return [(item["body"], item["kind"], item["state"]) for item in read(response)["items"]]


def test_registrars_and_auditors_see_their_own_body_s_and_operators_all(registered, staff):
    own = [
        (OWN, "registration_lapsed", "open"),
        (OWN, "authorization_outlasts_registration", "open"),
        (OWN, "authorization_lapsed", "coming"),
    ]
    other = [(OTHER, "registration_lapsed", "coming")]
    assert listed(staff("registrar")) == listed(staff("auditor")) == own
    assert listed(staff("other_registrar")) == other
    assert listed(staff("operator")) == [*own[:2], *other, *own[2:]]
    assert listed(staff("operator"), body=OTHER) == other
    assert staff("registrar").get(LAPSES, {"body": OTHER}).status_code == 403
    assert staff("clinic").get(LAPSES).status_code == 403
    assert staff("operator").get(LAPSES, {"body": "nobody"}).status_code == 404


def test_a_lapse_tells_since_when_and_why(registered, staff):
    (item,) = read(staff("registrar").get(LAPSES, {"kind": "authorization_outlasts_registration"}))["items"]
    assert item.pop("id") in item["links"]["self"]
    assert item == {
        "body": OWN,
        "kind": "authorization_outlasts_registration",
        "state": "open",
        "since": "2026-02-21",
        "until": "2026-05-31",
        "today": "2026-03-01",
        "days_until": None,
        "days_amiss": 9,
        "why": {
            "term_from": None,
            "term_through": None,
            "registration_standing": "lapsed",
            "registration_through": "2026-02-20",
            "authorization_through": "2026-05-31",
            "technique": None,
            "refresher_hours": None,
            "unmet": [],
        },
        "number": "PT/00 1",
        "registration_id": registered.id,
        "authorization_id": item["authorization_id"],
        "practitioner_id": registered.person.id,
        "name": "Ngaio Tūhoe",
        "withheld": True,
        "notice": None,
        "not_reached": False,
        "assigned_to": None,
        "is_new": False,
        "version": 1,
        "acknowledged": None,
        "resolved": None,
        "links": {
            "self": item["links"]["self"],
            "registration": f"/v1/bodies/{OWN}/registrations/PT%2F00%201",
            "verification": f"/v1/bodies/{OWN}/registrations/PT%2F00%201/verification",
        },
    }
    assert staff("registrar").get(item["links"]["self"]).status_code == 200


def test_pages_are_followed_by_their_cursor(registered, staff):
    operator = staff("operator")
    found: list[str] = []
    query: dict[str, object] = {"limit": 1}
    while True:
        page = read(operator.get(LAPSES, query))
        found.extend(item["id"] for item in page["items"])
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == [item["id"] for item in read(operator.get(LAPSES))["items"]]
    assert len(found) == 4
    other_question = {**query, "state": "open"}
    assert operator.get(LAPSES, other_question).status_code == 422


def test_lapses_that_will_come_within_days(registered, staff):
    assert listed(staff("operator"), within_days=9) == []
    assert listed(staff("operator"), within_days=10) == [(OTHER, "registration_lapsed", "coming")]


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "boredom"},
        {"state": "closed"},
        {"from": "2026-02-30"},
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"within_days": 0},
        {"within_days": 99999},
        {"limit": 201},
        {"surprise": 1},
    ],
)
def test_a_wrong_argument_is_refused_by_its_name(registered, staff, query):
    response = staff("registrar").get(LAPSES, query)
    assert response.status_code == 422
    assert read(response)["errors"][0]["parameter"] in query


def test_a_registrar_acknowledges_and_reopens(registered, staff):
    registrar = staff("registrar")
    (item,) = read(registrar.get(LAPSES, {"kind": "registration_lapsed"}))["items"]
    path = item["links"]["self"]
    note = {"note": "Wrote to her.\nShe answers by Monday."}
    seen = registrar.made(f"{path}/acknowledge", note)
    assert seen["state"] == "acknowledged"
    assert seen["acknowledged"]["note"] == note["note"]
    assert seen["acknowledged"]["at"] == NOW.isoformat().replace("+00:00", "Z")
    assert registrar.made(f"{path}/acknowledge", note) == seen
    assert registrar.post(f"{path}/acknowledge", {"note": "otherwise"}).status_code == 409
    assert listed(registrar, state="acknowledged") == [(OWN, "registration_lapsed", "acknowledged")]
    assert registrar.made(f"{path}/reopen", None)["state"] == "open"
    assert listed(registrar, state="acknowledged") == []


@pytest.mark.parametrize("action", ["acknowledge", "reopen"])
def test_others_do_not(registered, staff, action):
    (item,) = read(staff("registrar").get(LAPSES, {"kind": "registration_lapsed"}))["items"]
    path = item["links"]["self"]
    for role in ("auditor", "clinic", "other_registrar", "other_auditor"):
        assert staff(role).post(f"{path}/{action}", {}).status_code == 403
    assert staff("other_registrar").get(path).status_code == 403
    assert staff("operator").get(path).status_code == 200
    assert staff("registrar").post(f"{path[:-4]}0000/{action}", {}).status_code == 404


@pytest.mark.parametrize("body", [{"note": 5}, {"note": "\u0000"}, {"other": "x"}, [], "x"])
def test_a_note_that_could_not_be_right_changes_nothing(registered, staff, body):
    registrar = staff("registrar")
    (item,) = read(registrar.get(LAPSES, {"kind": "registration_lapsed"}))["items"]
    assert registrar.post(f"{item['links']['self']}/acknowledge", body).status_code == 422
    assert read(registrar.get(item["links"]["self"]))["acknowledged"] is None


def test_a_lapse_is_left_to_a_registrar_of_the_body_by_who_saw_it_as_it_is(registered, staff, keys):
    registrar = staff("registrar")
    (item,) = read(registrar.get(LAPSES, {"kind": "registration_lapsed"}))["items"]
    path = item["links"]["self"]
    (own,) = [key for key in read(registrar.get("/v1/admin/keys"))["items"] if key["role"] == "registrar"]
    mine = {"to": f"registrar:{own['id']}"}
    assert registrar.post(f"{path}/assign", mine).status_code == 428
    seen = registrar.version_of(path)
    assert registrar.post(f"{path}/assign", mine, **seen).get_json()["assigned_to"] == mine["to"]
    assert registrar.post(f"{path}/assign", {"to": None}, **seen).status_code == 412
    assert listed(registrar, assigned_to=mine["to"]) == [(OWN, "registration_lapsed", "open")]
    somebody = {"to": "registrar:01890a5d-ac96-774b-bcce-b302099a8057"}
    assert registrar.post(f"{path}/assign", somebody, **registrar.version_of(path)).status_code == 422


def test_many_lapses_are_acknowledged_in_one_request(registered, staff):
    registrar = staff("registrar")
    items = read(registrar.get(LAPSES, {"state": "open"}))["items"]
    seen = [{"id": item["id"], "version": item["version"]} for item in items]
    registrar.made(f"{items[0]['links']['self']}/acknowledge", {"note": "mine"})
    done = registrar.made(f"{LAPSES}/acknowledge", {"body": OWN, "lapses": seen, "note": "all"})
    assert [item["id"] for item in done["acknowledged"]] == [items[1]["id"]]
    assert [missed["id"] for missed in done["missed"]] == [items[0]["id"]]
    for role in ("auditor", "other_registrar"):
        refused = staff(role).post(f"{LAPSES}/acknowledge", {"body": OWN, "lapses": seen})
        assert refused.status_code == 403


def test_notes_are_written_by_registrars_and_read_by_the_body_s_staff(registered, staff):
    registrar = staff("registrar")
    (item,) = read(registrar.get(LAPSES, {"kind": "registration_lapsed"}))["items"]
    path = f"{item['links']['self']}/notes"
    written = [registrar.made(path, {"text": text})["text"] for text in ("One.", "Two.")]
    first = read(staff("auditor").get(path, {"limit": 1}))
    rest = read(staff("auditor").get(path, {"limit": 1, "cursor": first["next"]}))
    assert [note["text"] for note in (*first["items"], *rest["items"])] == written
    assert staff("auditor").post(path, {"text": "x"}).status_code == 403
    assert staff("other_registrar").get(path).status_code == 403


GAPS = f"/v1/admin/bodies/{OWN}/registrations/PT%2F00%201/gaps"


def test_the_gap_report(registered, staff):
    query = {"technique": "dry_needling", "from": "2026-02-01", "to": "2026-02-28"}
    for role in ("registrar", "auditor", "operator"):
        assert read(staff(role).get(GAPS, query)) == {
            "body": OWN,
            "number": "PT/00 1",
            "technique": "dry_needling",
            "mode": "independent",
            "from": "2026-02-01",
            "to": "2026-02-28",
            "known_at": None,
            "days_in_range": 28,
            "days_without": 8,
            "gaps": [
                {
                    "from": "2026-02-21",
                    "to": "2026-02-28",
                    "days": 8,
                    "outcome": "registration_not_in_force",
                    "reasons": ["registration_lapsed"],
                    "ongoing": True,
                }
            ],
        }
    for role in ("clinic", "other_registrar", "other_auditor"):
        assert staff(role).get(GAPS, query).status_code == 403


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({}, "technique"),
        ({"technique": "knitting"}, "technique"),
        ({"technique": "dry_needling", "from": "2016-02-28", "to": "2026-02-28"}, "to"),
        ({"technique": "dry_needling", "from": "2026-03-02"}, "from"),
        ({"technique": "dry_needling", "known_at": "2026-03-02T00:00:00Z"}, "known_at"),
        ({"technique": "dry_needling", "mode": "alone"}, "mode"),
    ],
)
def test_a_gap_report_that_cannot_be_made_says_which_argument(registered, staff, query, parameter):
    response = staff("registrar").get(GAPS, query)
    assert response.status_code == 422
    assert [problem["parameter"] for problem in read(response)["errors"]] == [parameter]


def test_a_gap_report_of_nobody(registered, staff):
    path = GAPS.replace("PT%2F00%201", "PT-99999")
    assert staff("registrar").get(path, {"technique": "dry_needling"}).status_code == 404
