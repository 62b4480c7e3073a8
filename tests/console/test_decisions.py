"""Decisions by hand: what is shown before is what is recorded, and nobody overwrites anybody."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from registry.domain.decisions import Condition
from registry.domain.rules import TrainingRequirement
from registry.domain.vocabulary import DecisionKind, Standing, Technique
from registry.http.admin.decision_schemas import OF_AUTHORIZATION, OF_REGISTRATION, SCOPE
from registry.services.bodies import add_rules
from registry.services.principals import Role
from registry.store import tables
from registry.store.database import reading, writing
from registry.store.records import load_record
from tests.support.console import sign_in, words_of
from tests.support.factories import (
    decide,
    make_authorization,
    make_key,
    make_person,
    make_registration,
    make_rules,
)

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
TODAY = date(2026, 3, 10)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def kept(app, own):
    """PT-1 may needle, through 2026: the registration and the authorization."""
    with app.app_context(), writing() as tx:
        person = make_person(tx, "Ana Lee")
        record, id_ = make_authorization(tx, make_registration(tx, own, person, number="PT-1"))
        return record, id_


@pytest.fixture
def record_now(app):
    def read(registration_id):
        with app.app_context(), reading() as connection:
            record = load_record(connection, registration_id)
            assert record is not None
            return record

    return read


def way(record, kind, authorization=None, step=""):
    about = f"?kind={kind}" + (f"&authorization={authorization}" if authorization else "")
    return f"/console/registrations/{record.id}/decide{step}{about}"


def typed(record, **more):
    return {
        "version": str(record.version),
        "seen": "2026-03-10T18:00:00Z",
        "effective_on": "2026-03-12",
        **more,
    }


def sent_on(page):
    """What the page of consequences sends along when it is confirmed, but for the token."""
    part = page.text.split('<form method="post" class="form"')[1]
    found: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(part):
        found.setdefault(name, []).append(value)
    del found["csrf"]
    return found


@pytest.mark.parametrize("subject", ["registration", "authorization"])
def test_there_is_a_form_for_every_kind_with_all_that_it_says(registrar, kept, subject):
    record, id_ = kept
    authorization = id_ if subject == "authorization" else None
    members = OF_AUTHORIZATION if authorization else OF_REGISTRATION
    choice = registrar.get(
        f"/console/registrations/{record.id}/decide?" + (f"authorization={id_}" if authorization else "")
    )
    for kind, names in members.items():
        assert f"kind={kind.value}" in choice.text
        page = registrar.get(way(record, kind.value, authorization))
        assert page.status_code == 200
        for name in names - {"override_reason"}:
            assert f'id="{name}"' in page.text, (kind, name)


def test_the_preview_shows_what_is_then_recorded_and_records_nothing_itself(registrar, kept, record_now):
    record, _ = kept
    page = registrar.post(way(record, "suspended", step="/preview"), typed(record, reason="A complaint."))
    said = words_of(page)
    assert "Suspended Registration 12 Mar 2026" in said
    assert "Dry needling no longer 12 Mar 2026" in said
    assert record_now(record.id) == record
    done = registrar.post(way(record, "suspended", step="/record"), sent_on(page))
    assert done.status_code == 303, done.text
    after = record_now(record.id)
    newest = after.decisions[-1]
    assert (newest.decision.kind, newest.decision.effective_on) == (DecisionKind.SUSPENDED, date(2026, 3, 12))
    assert (newest.decision.through, newest.reason) == (None, "A complaint.")
    assert after.timeline(None).on(date(2026, 3, 12)).standing is Standing.SUSPENDED
    assert "Recorded: suspend: the registration, PT-1." in words_of(registrar.get(done.headers["Location"]))


def test_the_preview_tells_the_same_as_the_preview_of_the_api(app, registrar, kept):
    record, _ = kept
    with app.app_context(), writing() as tx:
        key = make_key(tx, Role.REGISTRAR, record.body)
    wish = {"kind": "suspended", "effective_on": "2026-03-12"}
    headers = {"Authorization": f"Bearer {key}"}
    told = app.test_client().post(
        f"/v1/admin/registrations/{record.id}/decisions/preview", json=wish, headers=headers
    )
    changes = [one for one in told.get_json()["consequences"] if one["changes"]]
    page = registrar.post(way(record, "suspended", step="/preview"), typed(record)).text
    table = page.split("Answers that change")[1].split("</table>")[0]
    assert table.count("<tr role") - 1 == len(changes) > 0


def test_what_is_left_as_it_stood_of_a_scope_is_not_set(app, registrar, kept, record_now):
    record, id_ = kept
    with app.app_context(), writing() as tx:
        record = decide(
            tx,
            record_now(record.id),
            DecisionKind.CONDITIONS_SET,
            date(2026, 4, 1),
            authorization_id=id_,
            scope={"excluded_regions": ("thorax",)},
        )
    given = {"techniques": ["dry_needling"], "mode": "independent", "conditions": "1", "excluded_regions": ""}
    given |= {"conditions.0.text": "Only with a chaperone.", "conditions.0.withheld": "true"}
    form = typed(record, **given) | {"effective_on": "2026-04-02"}
    done = registrar.post(way(record, "conditions_set", id_, "/record"), form)
    assert done.status_code == 303, done.text
    scope = record_now(record.id).timeline(id_).on(date(2026, 4, 2)).scope
    assert scope.conditions == (Condition("Only with a chaperone.", withheld=True),)
    assert scope.excluded_regions == ("thorax",)


@pytest.mark.parametrize(
    ("choice", "given", "through"),
    [("absent", "", None), ("none", "2027-01-01", None), ("given", "2027-06-30", date(2027, 6, 30))],
)
def test_a_last_day_is_by_the_rules_none_or_given(registrar, kept, record_now, choice, given, through):
    record, _ = kept
    form = typed(
        record, **{"through.choice": choice, "through": given, "techniques": "acupuncture", "mode": ""}
    )
    form |= {"conditions": "0", "override_reason": "Trained abroad."}
    done = registrar.post(way(record, "granted", "new", "/record"), form)
    assert done.status_code == 303, done.text
    after = record_now(record.id)
    assert after.decisions[-1].decision.through == through
    assert len(after.authorization_ids) == 2


def test_wrong_values_are_told_beside_their_fields_with_what_was_typed(registrar, kept, record_now):
    record, _ = kept
    form = typed(record, effective_on="2026-02-30", reason="Kept <b>words</b>")
    page = registrar.post(way(record, "suspended", step="/preview"), form)
    assert page.status_code == 422
    assert 'id="effective_on-error"' in page.text
    assert "There is no such day" in words_of(page)
    assert "Kept &lt;b&gt;words&lt;/b&gt;" in page.text
    assert record_now(record.id) == record


def test_what_makes_no_sense_is_told_and_nothing_is_recorded(registrar, kept, record_now):
    record, _ = kept
    page = registrar.post(way(record, "reinstated", step="/preview"), typed(record))
    assert page.status_code in {409, 422}
    assert "no suspension covers that day" in words_of(page)
    assert record_now(record.id) == record


@pytest.mark.parametrize("step", ["/preview", "/record", "/change"])
def test_a_form_of_a_record_that_changed_meanwhile_is_refused_and_shows_what_the_other_did(
    app, registrar, kept, record_now, step, now
):
    record, _ = kept
    now.shift(60)
    with app.app_context(), writing() as tx:
        decide(
            tx,
            record,
            DecisionKind.RENEWED,
            TODAY,
            through=date(2027, 12, 31),
            at=datetime.now(UTC),
            by="registrar:other",
            reason="Paid.",
        )
    page = registrar.post(way(record, "suspended", step=step), typed(record, reason="My words."))
    assert page.status_code == 412
    said = words_of(page)
    assert "What somebody else recorded meanwhile" in said
    assert "Renewed from 10 Mar 2026 to 31 Dec 2027 , by registrar:other : Paid." in said
    assert "My words." in page.text
    assert [d.decision.kind for d in record_now(record.id).decisions][-1] is DecisionKind.RENEWED
    again = dict(HIDDEN.findall(page.text.split('aria-label="Suspend"')[1]))
    assert again["version"] == str(record.version + 1)
    second = registrar.post(
        way(record, "suspended", step="/record"), {**typed(record), "version": again["version"]}
    )
    assert second.status_code == 303


def test_unmet_requirements_are_shown_and_passed_over_only_with_a_reason(
    app, registrar, kept, own, record_now
):
    with app.app_context(), writing() as tx:
        rules = make_rules(
            holds_from=date(2026, 1, 1),
            requirements={Technique.ACUPUNCTURE: TrainingRequirement(hours_total=100)},
        )
        add_rules(tx, own, rules, by="t", at=NOW)
    record = record_now(kept[0].id)
    form = typed(record, **{"techniques": "acupuncture", "through.choice": "none"})
    page = registrar.post(way(record, "granted", "new", "/preview"), form)
    assert "Hours total Acupuncture 100 0" in words_of(page)
    assert 'name="override_reason"' in page.text
    refused = registrar.post(way(record, "granted", "new", "/record"), form)
    assert refused.status_code in {409, 422}
    assert len(record_now(record.id).decisions) == len(record.decisions)
    done = registrar.post(
        way(record, "granted", "new", "/record"), {**form, "override_reason": "Trained abroad."}
    )
    assert done.status_code == 303
    assert record_now(record.id).decisions[-1].override_reason == "Trained abroad."


def test_clinics_and_their_booked_checks_are_shown_before_it_is_recorded(app, registrar, kept):
    record, _ = kept
    with app.app_context(), writing() as tx:
        clinic = {"Authorization": f"Bearer {make_key(tx, Role.CLINIC)}"}
    client = app.test_client()
    roster = {"members": [{"body": record.body.code, "number": "PT-1"}]}
    assert client.put("/v1/rosters/staff", json=roster, headers=clinic).status_code == 201
    for on in ("2026-03-11", "2026-03-20", "2026-04-20"):
        path = f"/v1/bodies/{record.body.code}/registrations/PT-1/verification?technique=dry_needling&on={on}"
        client.get(path, headers=clinic).close()
    form = typed(record, **{"through.choice": "given", "through": "2026-03-31"})
    said = words_of(registrar.post(way(record, "suspended", step="/preview"), form))
    assert "1 of 3 booked checks would be answered otherwise, 1 of them a yes no longer." in said
    assert "clinic of tests yes 3 1 1" in said
    assert "clinic of tests , on a roster, 3 checks for coming days" in words_of(
        registrar.get(f"/console/people/{record.person.id}")
    )


def test_a_decision_is_taken_back_with_those_that_rest_on_it(app, registrar, kept, record_now):
    record, _ = kept
    with app.app_context(), writing() as tx:
        record = decide(tx, record, DecisionKind.SUSPENDED, TODAY)
        record = decide(tx, record, DecisionKind.REINSTATED, date(2026, 3, 11))
    suspended, reinstated = record.decisions[-2:]
    path = f"/console/decisions/{suspended.decision.id}/void"
    form = {"version": str(record.version), "seen": "2026-03-10T18:00:00Z", "reason": "By mistake."}
    refused = registrar.post(f"{path}/preview", form)
    assert "no suspension covers that day" in words_of(refused)
    assert f'name="void_also" value="{reinstated.decision.id}"' in refused.text
    form["void_also"] = reinstated.decision.id
    page = registrar.post(f"{path}/preview", form)
    assert words_of(page).count("Voided: ") == 2, words_of(page)
    assert record_now(record.id) == record
    assert registrar.post(f"{path}/record", sent_on(page)).status_code == 303
    after = record_now(record.id)
    assert {suspended.decision.id, reinstated.decision.id} <= after.voided()
    assert after.timeline(None).on(date(2026, 3, 12)).standing is Standing.IN_FORCE
    assert "Taken back." in words_of(registrar.get(f"/console/people/{record.person.id}"))


def test_going_back_keeps_what_was_typed(registrar, kept):
    record, _ = kept
    page = registrar.post(way(record, "suspended", step="/preview"), typed(record, reason="Words «ܫ»"))
    back = registrar.post(way(record, "suspended", step="/change"), sent_on(page))
    assert back.status_code == 200
    assert "Words «ܫ»" in back.text
    assert 'value="2026-03-12"' in back.text


@pytest.mark.parametrize("step", ["", "/preview", "/record"])
def test_who_may_not_decide_sees_and_records_nothing(app, auditor, kept, other, step):
    record, _ = kept
    stranger = sign_in(app, body=other.code, label="Sam Stranger")
    for desk in (auditor, stranger):
        path = way(record, "suspended", step=step)
        response = desk.post(path, typed(record)) if step else desk.get(path)
        assert response.status_code == 403
        assert "Ana Lee" not in response.text
    with app.app_context(), reading() as connection:
        count = select(func.count()).select_from(tables.decisions)
        assert connection.execute(count).scalar_one() == len(record.decisions)


def test_a_kind_that_there_is_not_is_not_found(registrar, kept):
    for kind, authorization in (("voided", None), ("", None), ("renewed", "new"), ("suspended", "none")):
        path = way(kept[0], kind, authorization, "/record")
        assert registrar.post(path, typed(kept[0])).status_code == 404, path
    assert set(SCOPE) >= {"conditions", "techniques"}
