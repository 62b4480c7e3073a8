"""What clinics ask about coming days is known to who decides until the day has passed, and to nobody else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text

from registry.domain.decisions import Condition
from registry.domain.vocabulary import DecisionKind, Mode, Technique
from registry.services import wishes
from registry.services.booked_checks import ClinicTouched, clinics_relying_on, clinics_touched
from registry.services.decisions import get_record
from registry.services.registrations import correct
from registry.services.sweep import sweep
from registry.store import booked_checks as store
from registry.store.booked_check_tables import booked_checks
from registry.store.database import reading, writing
from tests.support.factories import make_key, make_registration

NOON = datetime(2026, 3, 1, 19, tzinfo=UTC)
TODAY = date(2026, 3, 1)
SOON = "2026-03-09"
LABEL = "clinic of tests"
DRY = Technique.DRY_NEEDLING.value


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def question(on=SOON, number="PT-1", technique=DRY, **more):
    asked = {"body": "ca-xx", "number": number, "technique": technique, "on": on, **more}
    return {name: value for name, value in asked.items() if value is not None}


def ask(clinic, *questions):
    answer = clinic.send("POST", "/v1/verifications", {"questions": list(questions)})
    assert answer.status_code == 200
    answers = answer.get_json()["answers"]
    answer.close()  # as a server does when all is sent
    return answers


def verification(number="PT-1", **arguments):
    given = "&".join(f"{name}={value}" for name, value in arguments.items())
    return f"/v1/bodies/ca-xx/registrations/{number}/verification?{given}"


@pytest.fixture
def noted(app):
    def rows():
        with app.app_context(), reading() as connection:
            found = connection.execute(select(booked_checks).order_by(booked_checks.c.day))
            return [(row.registration_id, row.day.isoformat(), row.technique, row.mode) for row in found]

    return rows


def test_a_clinics_question_about_a_coming_day_is_noted_once(clinic, authorized, noted):
    before = ask(clinic, question())
    assert ask(clinic, question(), question(ref="again"))[0] == before[0]
    clinic.get(verification(on=SOON, technique=DRY)).close()
    clinic.get(verification("pt-1", on=SOON, technique=DRY)).close()
    assert noted() == [(authorized.id, SOON, DRY, "independent")]


@pytest.mark.parametrize(
    ("on", "kept"),
    [
        ("2026-02-28", False),
        ("2026-03-01", False),
        (None, False),
        ("2026-03-02", True),
        ("2027-03-02", True),
        ("2027-03-03", False),
        ("2200-12-31", False),
    ],
)
def test_only_days_to_come_within_a_year_are_noted(clinic, authorized, noted, on, kept):
    ask(clinic, question(on))
    arguments = {} if on is None else {"on": on}
    clinic.get(verification(technique=DRY, **arguments)).close()
    assert len(noted()) == kept


def test_every_technique_and_supervision_are_checks_of_their_own(clinic, authorized, noted):
    ask(clinic, question(technique=None), question(), question(mode="supervised"))
    clinic.get(verification(on=SOON)).close()
    told = [(technique, mode) for _, _, technique, mode in noted()]
    assert sorted(told) == [(DRY, "independent"), (DRY, "supervised"), ("every", "independent")]


def test_nothing_is_noted_of_who_asks_without_a_clinics_key(app, client, transaction, authorized, noted):
    with transaction() as tx:
        operator = make_key(tx)
    for headers in ({}, {"Authorization": f"Bearer {operator}"}):
        client.get(verification(on=SOON), headers=headers).close()
        client.post("/v1/verifications", json={"questions": [question()]}, headers=headers).close()
    assert noted() == []


def test_nothing_is_noted_of_numbers_and_bodies_that_nobody_has_and_of_wrong_questions(clinic, body, noted):
    wrong = [question(number="PT-404"), {**question(), "body": "zz"}, {**question(), "technique": "none"}]
    ask(clinic, *wrong)
    assert clinic.get("/v1/bodies/zz/registrations/PT-1/verification?on=2026-03-09").status_code == 404
    assert noted() == []


def test_the_answer_stands_where_noting_fails(clinic, authorized, app, noted):
    expected = ask(clinic, question())
    with app.app_context(), writing() as tx:
        tx.execute(text("DROP TABLE booked_checks"))
    assert ask(clinic, question()) == expected
    assert clinic.get(verification(on=SOON)).status_code == 200


def test_nothing_is_noted_before_the_answer_is_sent(clinic, authorized, monkeypatch):
    told = []
    monkeypatch.setattr("registry.http.booked_checks.note_checks", lambda *_, **__: told.append("noted"))
    answer = clinic.send("POST", "/v1/verifications", {"questions": [question()]})
    assert answer.get_json()["answers"][0]["authorized"] is True
    assert told == []
    answer.close()
    assert told == ["noted"]


def test_one_clinic_fills_the_table_no_further_than_its_share(clinic, authorized, noted, monkeypatch):
    monkeypatch.setattr(store, "MOST_OF_ONE", 2)
    for day in ("2026-03-05", "2026-03-06", "2026-03-07"):
        ask(clinic, question(day))
    assert [day for _, day, _, _ in noted()] == ["2026-03-05", "2026-03-06"]


def test_a_check_is_forgotten_when_its_day_has_passed(clinic, authorized, noted, app, now):
    ask(clinic, question("2026-03-02"), question("2026-03-03"))
    for at, left in (
        (datetime(2026, 3, 3, 6, 59, tzinfo=UTC), 2),  # a minute before midnight in Edmonton
        (datetime(2026, 3, 3, 7, 1, tzinfo=UTC), 1),
        (datetime(2026, 3, 4, 7, 1, tzinfo=UTC), 0),
    ):
        now.move_to(at)
        with app.app_context():
            list(sweep(writing, at=at))
        assert len(noted()) == left


def change(record, kind, on, **wish):
    return wishes.preview(
        record, wishes.drafts_of(record, None, wishes.Wish(kind, on, **wish)), by="registrar:x", at=NOON
    ).change


@pytest.fixture
def touched(app, authorized):
    def of(kind=DecisionKind.SUSPENDED, on=date(2026, 3, 5), **wish):
        with app.app_context(), reading() as connection:
            record = get_record(connection, authorized.id)
            return clinics_touched(connection, change(record, kind, on, **wish), at=NOON)

    return of


def test_a_decision_tells_how_many_checks_it_touches(clinic, authorized, touched):
    ask(
        clinic,
        *(question(f"2026-03-{day:02}") for day in (4, 5, 10)),
        question("2026-03-10", technique="acupuncture"),
    )
    assert touched() == [ClinicTouched(LABEL, has_roster=False, checks=4, changed=3, no_longer=2)]
    later = touched(on=date(2026, 3, 11))
    assert later == [ClinicTouched(LABEL, has_roster=False, checks=4)]
    through = touched(through=date(2026, 3, 9))
    assert through == [ClinicTouched(LABEL, has_roster=False, checks=4, changed=1, no_longer=1)]


def test_a_condition_changes_an_answer_that_stays_a_yes(clinic, authorized, touched):
    ask(clinic, question())

    scope = {"conditions": (Condition("Not alone."),)}
    told = touched(DecisionKind.CONDITIONS_SET, scope=scope)
    assert told == [ClinicTouched(LABEL, has_roster=False, checks=1, changed=1)]


def test_a_check_of_every_technique_is_one_check(clinic, authorized, touched):
    ask(clinic, question(technique=None))
    assert touched() == [ClinicTouched(LABEL, has_roster=False, checks=1, changed=1, no_longer=1)]


def test_clinics_whose_rosters_name_somebody_are_told_by_their_keys_label(
    clinic, other_clinic, authorized, touched, transaction, body
):
    with transaction() as tx:
        make_registration(tx, body, number="PT-2")
    members = {"members": [{"body": "ca-xx", "number": "p t-1"}]}
    clinic.put("/v1/rosters/one", members)
    clinic.put("/v1/rosters/two", members)
    other_clinic.put("/v1/rosters/other", {"members": [{"body": "ca-xx", "number": "PT-2"}]})
    assert touched() == [ClinicTouched(LABEL, has_roster=True)]


def test_a_roster_names_somebody_whose_number_was_corrected_since(clinic, authorized, app):
    clinic.put("/v1/rosters/one", {"members": [{"body": "ca-xx", "number": "PT-1"}]})

    with app.app_context(), writing() as tx:
        record = get_record(tx, authorized.id)
        correct(tx, record, number="PT-77", city=None, by="registrar:x", at=NOON)
    with app.app_context(), reading() as connection:
        assert [one.label for one in clinics_relying_on(connection, authorized.id, TODAY)] == [LABEL]


def test_those_with_most_to_lose_come_first(clinic, other_clinic, authorized, touched, transaction):
    ask(clinic, question("2026-03-20"))
    ask(other_clinic, question("2026-03-21"), question("2026-03-22"))
    assert [one.no_longer for one in touched()] == [2, 1]


def test_both_ways_of_asking_note_the_same(clinic, authorized, app):
    ask(clinic, question(mode=Mode.SUPERVISED.value))
    clinic.get(verification(on=SOON, technique=DRY, mode="supervised")).close()
    with app.app_context(), reading() as connection:
        assert connection.execute(select(func.count()).select_from(booked_checks)).scalar_one() == 1
        assert clinics_relying_on(connection, authorized.id, TODAY + timedelta(days=30)) == []
