"""Rules by hand: what they would change is what they change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask

from registry.domain.rules import TrainingRequirement
from registry.domain.vocabulary import Technique
from registry.services.tasks import do_next
from registry.store.bodies import list_rules
from registry.store.database import reading, writing
from registry.store.records import Body
from tests.support.console import Desk, sign_in, words_of
from tests.support.factories import make_authorization, make_person, make_registration, make_rules

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
RULES = "/console/rules"
HOSTILE = "<b onclick=x>Ana</b> Ito"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def authorized(app: Flask, own: Body) -> None:
    """Two who may needle; one of another class than the other."""
    with app.app_context(), writing() as tx:
        for name, register_class in ((HOSTILE, "general"), ("Bram Gunn", "provisional")):
            record = make_registration(tx, own, make_person(tx, name), register_class=register_class)
            make_authorization(tx, record)


def form(**said: str | list[str]) -> dict[str, str | list[str]]:
    """The rules that the body has, as the form has them, but for what is said."""
    return {
        "holds_from": "2026-04-01",
        "needling_permitted": "yes",
        "classes": "these",
        "eligible_classes": "general\nprovisional",
        "dry_needling-authorized": "yes",
        "registration-ends": "never",
        "authorization-ends": "never",
        **said,
    }


def drafted(desk: Desk, **said: str | list[str]) -> str:
    answer = desk.post(f"{RULES}/new", form(**said))
    assert answer.status_code == 303, words_of(answer)
    return answer.headers["Location"]


def save(desk: Desk, path: str, version: str = "2") -> str:
    answer = desk.post(f"{path}/save", {"version": version})
    return f"{answer.status_code} {words_of(answer)}"


def verdict(desk: Desk) -> str:
    asked = "technique=dry_needling&on=2026-04-01"
    answer = desk.client.get(f"/v1/bodies/ca-own/registrations/PT-00002/verification?{asked}")
    outcome: str = answer.get_json()["verdicts"][0]["outcome"]
    return outcome


def versions(app: Flask, own: Body) -> int:
    with app.app_context(), reading() as connection:
        return len(list_rules(connection, own.id))


def test_what_would_change_is_seen_by_name_and_count_before_anything_is_saved(
    authorized: None, registrar: Desk, app: Flask, own: Body
) -> None:
    assert "holds today" in registrar.told(RULES)
    path = drafted(registrar, eligible_classes="general", reason="Provisional registrants may not needle.")
    page = registrar.get(path)
    told = words_of(page)
    assert "1 would no longer meet them" in told
    assert "1 could no longer needle" in told
    assert "Bram Gunn" in told
    assert "Ana" not in told
    assert versions(app, own) == 1
    assert verdict(registrar) == "authorized"
    assert save(registrar, path).startswith("303")
    assert versions(app, own) == 2
    assert verdict(registrar) == "class_not_eligible"
    assert "to come" in registrar.told(RULES)
    assert save(registrar, path).startswith("4")


def test_rules_that_change_nothing_say_so(authorized: None, registrar: Desk) -> None:
    told = registrar.told(drafted(registrar))
    assert "Nobody." in told
    assert "0 would no longer meet them" in told


def test_names_run_nothing(authorized: None, registrar: Desk) -> None:
    page = registrar.get(drafted(registrar, **{"dry_needling-hours_total": "40"})).text
    assert "<b onclick" not in page
    assert "&lt;b onclick" in page
    assert "0 of 40" in page


def test_what_was_worked_out_against_other_rules_cannot_be_saved(
    authorized: None, registrar: Desk, app: Flask, own: Body
) -> None:
    mine = drafted(registrar, eligible_classes="general")
    colleague = sign_in(app, body=own.code, label="Colleague")
    assert save(colleague, drafted(colleague, registration_grace_days="30")).startswith("303")
    assert "have changed meanwhile" in save(registrar, mine)
    assert "The rules have changed meanwhile" in registrar.told(mine)
    assert versions(app, own) == 2


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"holds_from": ""}, "holds_from"),
        ({"dry_needling-hours_total": "many"}, "dry_needling-hours_total"),
        ({"dry_needling-hours_total": "-1"}, "dry_needling-hours_total"),
        ({"dry_needling-refresher_hours": "10"}, "dry_needling-refresher_months"),
        (
            {"registration-ends": "yearly", "registration-month": "2", "registration-day": "31"},
            "registration-day",
        ),
        ({"authorization_grace_days": "99999"}, "authorization_grace_days"),
    ],
)
def test_what_cannot_be_right_is_told_beside_its_field_and_kept_as_typed(
    registrar: Desk, said: dict[str, str], field: str
) -> None:
    answer = registrar.post(f"{RULES}/new", form(**said, reason="Kept as typed."))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "Kept as typed." in answer.text


def test_a_draft_fills_the_form_in_again(authorized: None, registrar: Desk) -> None:
    said: dict[str, str | list[str]] = {
        "dry_needling-hours_total": "40.5",
        "dry_needling-examination": "yes",
        "acupuncture-authorized": "yes",
        "acupuncture-covers": ["dry_needling"],
        "registration-ends": "yearly",
        "registration-month": "9",
        "registration-day": "30",
    }
    path = drafted(registrar, **said)
    page = registrar.get(f"{RULES}/new?draft={path.rsplit('/', 1)[1]}").text
    for shown in (
        'name="dry_needling-hours_total" type="text" value="40.5"',
        'name="dry_needling-examination" value="yes" checked',
        'name="acupuncture-covers" value="dry_needling" checked',
        'value="9" selected',
        'name="registration-day" type="text" value="30"',
    ):
        assert shown in page


def test_a_large_body_s_rules_are_weighed_and_saved_by_a_process_of_their_own(
    authorized: None, registrar: Desk, app: Flask, own: Body, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.http.console.rules.DONE_AT_ONCE", 1)
    path = drafted(registrar, eligible_classes="general")
    assert "data-progress" in registrar.get(path).text
    with app.app_context():
        assert do_next(reading, writing) is not None
    assert "Bram Gunn" in registrar.told(path)
    assert save(registrar, path).startswith("303")
    assert versions(app, own) == 1
    with app.app_context():
        assert do_next(reading, writing) is not None
    assert versions(app, own) == 2
    assert "These rules are saved" in registrar.told(path)


def test_auditors_read_and_strangers_do_not(
    authorized: None, registrar: Desk, auditor: Desk, app: Flask, own: Body, other: Body
) -> None:
    path = drafted(registrar, eligible_classes="general")
    stranger = sign_in(app, body=other.code, label="Stranger")
    assert "Bram Gunn" in auditor.told(path)
    assert stranger.get(path).status_code == 403
    for desk in (auditor, stranger):
        assert desk.post(f"{path}/save", {"version": "2"}).status_code == 403
    assert auditor.post(f"{RULES}/new", form()).status_code == 403
    assert versions(app, own) == 1


def test_the_form_says_what_the_api_would_be_sent() -> None:
    from werkzeug.datastructures import MultiDict

    from registry.http.admin.rules_schemas import NewRulesSchema
    from registry.http.console.rules import document_of, form_values

    rules = make_rules(
        holds_from=date(2026, 4, 1),
        requirements={Technique.DRY_NEEDLING: TrainingRequirement(hours_total=54.5, examination=True)},
        covers={Technique.ACUPUNCTURE: frozenset({Technique.DRY_NEEDLING})},
        learner_classes=frozenset({"student"}),
    )
    typed: MultiDict[str, str] = MultiDict()
    for name, value in form_values(rules, is_anew=False).items():
        for each in value if isinstance(value, list) else [value]:
            typed.add(name, str(each))
    typed = MultiDict([(name, value) for name, value in typed.items(multi=True) if value])
    loaded = NewRulesSchema().load(document_of(typed))["rules"]
    assert {f: getattr(loaded, f) for f in loaded.__slots__ if f != "recorded_at"} == {
        f: getattr(rules, f) for f in rules.__slots__ if f != "recorded_at"
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", form_values(rules, is_anew=False)["holds_from"])
