"""What the audit is told of requests: every change once, every withheld record that was shown, no name."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
import time_machine

from registry.domain.vocabulary import DecisionKind
from registry.services.audit import verify
from registry.services.bodies import get_body
from registry.store.audit import every_entry
from registry.store.database import reading, writing
from tests.http.conftest import OTHER, OWN
from tests.support import factories
from tests.support.world import NOW

AUDIT = "/v1/admin/audit"


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def told(app):
    """The entries so far."""

    def entries():
        with app.app_context(), reading() as connection:
            return list(every_entry(connection))

    return entries


@pytest.fixture
def hidden(app, keys):
    """A registration whose holder is withheld from the public."""
    with app.app_context(), writing() as tx:
        body = get_body(tx, OWN)
        person = factories.make_person(tx, "Zebulon Hidden", withheld=True)
        record = factories.make_registration(tx, body, person)
        return factories.decide(tx, record, DecisionKind.SUSPENDED, date(2026, 1, 1))


def test_a_change_is_told_with_who_from_where_and_what(client, keys, bearer, told):
    sent = {"names": [{"kind": "published", "full_name": "Ada Example"}], "languages": ["en"]}
    headers = bearer(keys.registrar, **{"X-Request-Id": "visit-7"})
    made = client.post("/v1/admin/practitioners", json=sent, headers=headers)
    assert made.status_code == 201, made.text
    (entry,) = told()
    happening = entry.happening
    assert happening.action == "create_practitioner"
    assert happening.principal.startswith("registrar:")
    assert (happening.address, happening.request_id, happening.at) == ("127.0.0.1", "visit-7", NOW)
    assert happening.details == {"made": made.headers["Location"]}
    assert "Ada" not in json.dumps(happening.details)


def test_what_was_refused_is_not_told_and_what_is_replayed_is_told_once(client, keys, bearer, told):
    refused = client.post("/v1/admin/practitioners", json={"names": []}, headers=bearer(keys.registrar))
    assert refused.status_code == 422
    assert told() == []
    sent = {"names": [{"kind": "published", "full_name": "Ada Example"}], "languages": ["en"]}
    headers = bearer(keys.registrar, **{"Idempotency-Key": "once"})
    for _ in range(2):
        assert client.post("/v1/admin/practitioners", json=sent, headers=headers).status_code == 201
    assert len(told()) == 1


def test_a_withheld_record_is_not_shown_without_being_told(app, client, keys, bearer, told, hidden):
    """Whatever staff may read: where the name comes up, the audit says to whom it was shown."""
    known = {"body": OWN, "registration_id": hidden.id, "practitioner_id": hidden.person.id}
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods]
    rules = [rule for rule in rules if rule.rule.startswith("/v1/admin/") and rule.arguments <= known.keys()]
    shown = set()
    for rule in rules:
        path = re.sub(r"<(?:[^:<>]*:)?(\w+)>", lambda part: known[part[1]], rule.rule)
        query = {
            "body": OWN,
            "name": "Zebulon",
            "from": "2026-01-01",
            "to": "2026-03-01",
            "number": hidden.number,
        }
        for chosen in (query, {"name": "Zebulon"}, {}):
            before = len(told())
            answer = client.get(path, query_string=chosen, headers=bearer(keys.auditor))
            if b"Zebulon" in answer.get_data():  # what is zipped says so by itself
                shown.add(rule.rule)
                actions = {entry.happening.action for entry in told()[before:]}
                assert actions & {"withheld_records_shown", "export_as_csv", "export_as_ndjson"}, path
    assert len(shown) >= 4, shown


def test_a_record_that_anyone_may_see_is_read_without_a_trace(client, keys, bearer, told, parts):
    before = told()
    answer = client.get(f"/v1/admin/practitioners/{parts['practitioner_id']}", headers=bearer(keys.auditor))
    assert answer.status_code == 200
    assert told() == before


def test_a_lapse_of_someone_withheld_is_told(client, keys, bearer, told, app):
    with app.app_context(), writing() as tx:
        person = factories.make_person(tx, "Zebulon Hidden", withheld=True)
        factories.make_registration(tx, get_body(tx, OWN), person, through=date(2026, 1, 31))
    answer = client.get(f"/v1/admin/lapses?body={OWN}", headers=bearer(keys.registrar))
    assert "Zebulon" in answer.text
    assert [entry.happening.details["practitioners"] for entry in told()] == [[person.id]]


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_an_export_is_told(client, keys, bearer, told, form):
    assert client.get(f"/v1/admin/exports/{OWN}.{form}", headers=bearer(keys.auditor)).status_code == 200
    assert [entry.happening.action for entry in told()] == [f"export_as_{form}"]


def test_a_roster_that_was_put_is_told_with_its_size_not_its_members(client, keys, bearer, told):
    members = {"members": [{"body": OWN, "number": "PT-4711"}]}
    assert client.put("/v1/rosters/staff", json=members, headers=bearer(keys.clinic)).status_code == 201
    (entry,) = told()
    assert entry.happening.details == {"path": {"name": "staff"}, "members": 1}


def test_an_auditor_reads_what_concerned_the_own_body_and_an_operator_everything(
    client, keys, bearer, app, told
):
    for secret, code in ((keys.registrar, OWN), (keys.other_registrar, OTHER)):
        answer = client.get(f"/v1/admin/exports/{code}.csv", headers=bearer(secret))
        assert answer.text  # to its end
    with app.app_context(), reading() as connection:
        own = get_body(connection, OWN)
    listed = client.get(AUDIT, headers=bearer(keys.auditor)).json["items"]
    assert {entry["body_id"] for entry in listed} == {own.id}
    everything = client.get(AUDIT, headers=bearer(keys.operator)).json["items"]
    assert [entry["seq"] for entry in everything] == [4, 3, 2, 1]
    assert client.get(AUDIT, headers=bearer(keys.registrar)).status_code == 403
    assert client.get(f"{AUDIT}?body={OTHER}", headers=bearer(keys.auditor)).status_code == 403


def test_the_list_is_paged_and_narrowed(client, keys, bearer):
    for _ in range(3):
        assert client.get(f"/v1/admin/exports/{OWN}.csv", headers=bearer(keys.auditor)).text
    assert client.get(f"/v1/admin/exports/{OWN}.ndjson", headers=bearer(keys.registrar)).status_code == 200
    page = client.get(f"{AUDIT}?limit=3", headers=bearer(keys.operator)).json
    rest = client.get(f"{AUDIT}?limit=3&cursor={page['next']}", headers=bearer(keys.operator)).json
    assert [entry["seq"] for entry in page["items"] + rest["items"]] == [5, 4, 3, 2, 1]

    def seqs(**query):
        answer = client.get(AUDIT, query_string=query, headers=bearer(keys.operator))
        return [entry["seq"] for entry in answer.json["items"]]

    assert seqs(action="export_as_ndjson") == [4]
    assert seqs(principal=page["items"][1]["principal"]) == [4]
    assert seqs(action="export_as_csv", since=NOW.isoformat()) == [3, 2, 1]
    assert seqs(until=NOW.isoformat()) == []


def test_who_reads_the_audit_is_told_in_it(client, keys, bearer, told):
    for secret in (keys.auditor, keys.operator):
        assert client.get(AUDIT, headers=bearer(secret)).status_code == 200
    assert client.get(AUDIT, headers=bearer(keys.registrar)).status_code == 403
    assert [entry.happening.action for entry in told()] == ["list_audit_entries"] * 2
    assert [entry.happening.principal.split(":")[0] for entry in told()] == ["auditor", "operator"]


def test_the_file_holds_the_chain_and_the_checkpoint_its_end(client, keys, bearer, told, app):
    assert client.get(f"/v1/admin/exports/{OWN}.csv", headers=bearer(keys.auditor)).text
    lines = client.get(f"{AUDIT}/entries.ndjson", headers=bearer(keys.operator)).text.splitlines()
    kept = [json.loads(line) for line in lines]
    assert [line["action"] for line in kept] == ["export_as_csv", "export_audit"]
    assert kept[1]["previous"] == kept[0]["hash"]
    checkpoint = client.get(f"{AUDIT}/checkpoint", headers=bearer(keys.clinic)).json["checkpoint"]
    assert checkpoint == f"2:{kept[1]['hash']}" == told()[-1].checkpoint
    with app.app_context(), reading() as connection:
        assert verify(connection).checkpoint == checkpoint


def test_there_is_no_checkpoint_of_nothing(client, keys, bearer):
    assert client.get(f"{AUDIT}/checkpoint", headers=bearer(keys.clinic)).status_code == 404
