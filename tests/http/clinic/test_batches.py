"""Ten thousand questions: each answered in its place, as it would be answered alone."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, update
from werkzeug.test import TestResponse

from registry.domain.decisions import Condition
from registry.domain.vocabulary import DecisionKind, Mode, Technique
from registry.http.clinic.verdicts import answer_texts
from registry.services import bodies
from registry.services.batches import Asked, answer_all
from registry.store import tables
from registry.store.database import PUBLIC, db, snapshot
from tests.support.factories import (
    DRY_NEEDLING,
    decide,
    make_authorization,
    make_body,
    make_person,
    make_registration,
    make_rules,
)

PATH = "/v1/verifications"
NDJSON = "application/x-ndjson"
NOON = datetime(2026, 3, 1, 19, tzinfo=UTC)
DAYS = [date(2024, 12, 31), date(2025, 1, 1), date(2026, 2, 10), date(2026, 12, 31), date(2027, 1, 1)]


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def register(transaction, body, authorized):
    """Numbers that differ in every way that an answer may."""
    with transaction() as tx:
        make_registration(tx, body, number="PT-2")
        learner = make_registration(tx, body, number="PT-3", register_class="provisional")
        make_authorization(tx, learner, mode=Mode.SUPERVISED)
        limited = make_registration(
            tx, body, number="PT-4", conditions=(Condition("one"), Condition("two", withheld=True))
        )
        make_authorization(tx, limited, excluded_regions=("thorax",))
        suspended, _ = make_authorization(tx, make_registration(tx, body, number="PT-5"))
        decide(tx, suspended, DecisionKind.SUSPENDED, date(2026, 2, 1), through=date(2026, 2, 28))
        hidden = make_registration(tx, body, make_person(tx, withheld=True), number="PT-6")
        make_authorization(tx, hidden, through=None)
        make_registration(tx, make_body(tx, "nz", zone="Pacific/Auckland"), number="PT-1")
    return [f"PT-{i}" for i in range(1, 8)]


def ask(client: FlaskClient, questions: list[Any]) -> list[dict[str, Any]]:
    response = client.post(PATH, json={"questions": questions})
    assert response.status_code == 200, response.text
    return response.get_json()["answers"]


def lines(response: TestResponse) -> list[dict[str, Any]]:
    assert response.content_type == NDJSON
    assert response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]


def path_of(question: dict[str, str]) -> str:
    return f"/v1/bodies/{question['body']}/registrations/{quote(question['number'])}/verification"


def query_of(question: dict[str, str]) -> dict[str, str]:
    return {name: question[name] for name in ("technique", "on", "mode") if name in question}


def told_alone(response: TestResponse) -> dict[str, Any]:
    """What is answered to one question asked alone, as far as a batch tells of it."""
    answer = response.get_json()
    for verdict in answer["verdicts"]:
        del verdict["authorizations"], verdict["valid_until"]
    answer["body"] = answer["body"]["code"]
    return {n: answer[n] for n in answer if n not in ("registration", "known_at")}


def test_each_is_answered_as_it_would_be_alone(client, register):
    questions = [
        {"body": body, "number": number, **technique, "on": on.isoformat(), "mode": mode}
        for body in ("ca-xx", "nz")
        for number in register
        for technique in ({}, {"technique": "dry_needling"}, {"technique": "acupuncture"})
        for on in DAYS
        for mode in ("independent", "supervised")
    ]
    for question, answer in zip(questions, ask(client, questions), strict=True):
        expected = told_alone(client.get(path_of(question), query_string=query_of(question)))
        assert {name: answer[name] for name in expected} == expected
        assert answer["error"] is None


NUMBERS = ("PT-1", "pt-2", "P T-3", "PT-4", "PT-5", "PT\u20106", "PT-7", "no such", "é", "")
QUESTIONS = st.fixed_dictionaries(
    {"body": st.sampled_from(["ca-xx", "nz"]), "number": st.sampled_from(NUMBERS)},
    optional={
        "technique": st.sampled_from([*map(str, Technique), "cupping"]),
        "on": st.dates(date(2024, 12, 1), date(2027, 2, 1)).map(str) | st.sampled_from(["", "2026-02-30"]),
        "mode": st.sampled_from([*map(str, Mode), "alone"]),
    },
)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the register is read alone
)
@given(questions=st.lists(QUESTIONS, min_size=1, max_size=12), data=st.data())
def test_whatever_is_asked_together_is_answered_as_it_would_be_alone(client, register, questions, data):
    asked = [data.draw(st.sampled_from(questions)) for _ in range(3)] + questions
    answers = ask(client, asked)
    by_lines = client.post(PATH, data="\n".join(map(json.dumps, asked)), content_type=NDJSON)
    assert [json.loads(line) for line in by_lines.text.splitlines()] == answers
    for question, answer in zip(asked, answers, strict=True):
        single = client.get(path_of(question), query_string=query_of(question))
        if single.status_code == 200:
            expected = told_alone(single)
            assert {name: answer[name] for name in expected} == expected
            assert answer["error"] is None
        else:
            assert answer["authorized"] is False
            assert answer["error"] is not None


def test_today_is_that_of_each_body(client, register):
    answers = ask(client, [{"body": "ca-xx", "number": "PT-1"}, {"body": "nz", "number": "PT-1"}])
    assert [answer["on"] for answer in answers] == ["2026-03-01", "2026-03-02"]


def test_answers_come_in_the_order_of_the_questions_and_duplicates_are_kept(client, register):
    numbers = ["PT-5", "PT-1", "no such", "PT-5", "pt-1", "PT-1"]
    answers = ask(client, [{"body": "ca-xx", "number": n, "ref": f"r{i}"} for i, n in enumerate(numbers)])
    assert [answer["number"] for answer in answers] == ["PT-5", "PT-1", "no such", "PT-5", "PT-1", "PT-1"]
    assert [answer["ref"] for answer in answers] == [f"r{i}" for i in range(6)]
    assert [answer["index"] for answer in answers] == list(range(6))


WRONG = [
    ({"number": "PT-1"}, "/body"),
    ({"body": "ca-xx"}, "/number"),
    ({"body": "CA", "number": "PT-1"}, "/body"),
    ({"body": "ca-xx", "number": ""}, "/number"),
    ({"body": "ca-xx", "number": "PT-1\u0000"}, "/number"),
    ({"body": "ca-xx", "number": "PT-1", "technique": "cupping"}, "/technique"),
    ({"body": "ca-xx", "number": "PT-1", "technique": None}, "/technique"),
    ({"body": "ca-xx", "number": "PT-1", "on": "20260301"}, "/on"),
    ({"body": "ca-xx", "number": "PT-1", "on": "2026-02-29"}, "/on"),
    ({"body": "ca-xx", "number": "PT-1", "mode": None}, "/mode"),
    ({"body": "ca-xx", "number": "PT-1", "mode": ["supervised"]}, "/mode"),
    ({"body": "ca-xx", "number": "PT-1", "known_at": "2026-01-01T00:00:00Z"}, "/known_at"),
    ({"body": "ca-xx", "number": 1}, "/number"),
    (["ca-xx", "PT-1"], ""),
    (None, ""),
]


@pytest.mark.parametrize(("wrong", "pointer"), WRONG)
def test_a_bad_row_is_answered_by_its_own_error_while_the_others_stand(client, authorized, wrong, pointer):
    good = {"body": "ca-xx", "number": "PT-1", "technique": "dry_needling"}
    if isinstance(wrong, dict):
        wrong = {**wrong, "ref": "mine"}
    first, bad, last = ask(client, [good, wrong, good])
    assert first["authorized"] is last["authorized"] is True
    assert bad["authorized"] is False
    assert bad["verdicts"] == []
    assert bad["index"] == 1
    assert bad["ref"] == ("mine" if isinstance(wrong, dict) else None)
    assert bad["error"]["status"] == 422
    assert pointer in [error["pointer"] for error in bad["error"]["errors"]]


def test_an_unknown_body_is_an_error_and_an_unknown_number_an_answer(client, authorized):
    body, number = ask(client, [{"body": "zz", "number": "PT-1"}, {"body": "ca-xx", "number": "PT-77"}])
    assert body["error"]["status"] == 404
    assert body["authorized"] is number["authorized"] is False
    assert {verdict["outcome"] for verdict in number["verdicts"]} == {"not_found"}
    assert number["error"] is None


def test_a_reference_comes_back_as_it_went(client, authorized):
    references = ['"quoted" \\ and\nbroken', "Zoë é", "", "\u2028", "x" * 200]
    questions = [{"body": "ca-xx", "number": "PT-1", "ref": ref} for ref in references]
    assert [answer["ref"] for answer in ask(client, questions)] == references
    (answer,) = ask(client, [{"body": "ca-xx", "number": "PT-1", "ref": "x" * 201}])
    assert answer["error"]["errors"][0]["pointer"] == "/ref"


def test_lines_are_answered_by_lines_and_a_broken_one_by_its_error(client, authorized):
    good = '{"body":"ca-xx","number":"PT-1","technique":"dry_needling"}'
    twice = '{"body":"ca-xx","number":"PT-1","number":"PT-2"}'
    data = f"{good}\n\n{{broken\n{twice}\nNaN\n{good}\r\n"
    answers = lines(client.post(PATH, data=data, content_type=NDJSON))
    assert [answer["index"] for answer in answers] == [0, 1, 2, 3, 4]
    assert [answer["authorized"] for answer in answers] == [True, False, False, False, True]
    assert [(answer["error"] or {}).get("status") for answer in answers] == [None, 400, 400, 400, None]


@pytest.mark.parametrize(
    ("sent", "accept", "given"),
    [
        ("application/json", None, "application/json"),
        (NDJSON, None, NDJSON),
        (NDJSON, "*/*", NDJSON),
        ("application/json", NDJSON, NDJSON),
        (NDJSON, "application/json", "application/json"),
    ],
)
def test_the_answer_is_in_the_form_that_was_asked_for(client, authorized, sent, accept, given):
    question = {"body": "ca-xx", "number": "PT-1"}
    document = question if sent == NDJSON else {"questions": [question]}
    headers = {} if accept is None else {"Accept": accept}
    response = client.post(PATH, data=json.dumps(document), content_type=sent, headers=headers)
    assert response.content_type == given
    assert response.headers["Cache-Control"] == "no-store"
    assert json.loads(response.text)


def test_no_questions_get_no_answers(client, body):
    assert ask(client, []) == []
    response = client.post(PATH, data="\n \n", content_type=NDJSON)
    assert (response.status_code, response.text.strip()) == (200, "")


@pytest.mark.parametrize(
    ("document", "status"),
    [({"questions": {}}, 422), ([], 422), ({"questions": [], "more": 1}, 422), ({}, 422), ("{", 400)],
)
def test_what_holds_no_questions_is_refused(client, body, document, status):
    data = document if isinstance(document, str) else json.dumps(document)
    assert client.post(PATH, data=data, content_type="application/json").status_code == status


def test_another_format_and_more_than_ten_thousand_are_refused(client, body):
    assert client.post(PATH, data="a,b", content_type="text/csv").status_code == 415
    question = json.dumps({"body": "ca-xx", "number": "PT-1"})
    many = "\n".join([question] * 10_001)
    assert client.post(PATH, data=many, content_type=NDJSON).status_code == 422
    array = f'{{"questions":[{",".join([question] * 10_001)}]}}'
    assert client.post(PATH, data=array, content_type="application/json").status_code == 422
    assert client.post(PATH, data="x" * 5_000_001, content_type=NDJSON).status_code == 413


@pytest.mark.parametrize("many", [1, 10_000])
def test_the_database_is_asked_as_often_for_ten_thousand_as_for_one(app: Flask, client, authorized, many):
    statements: list[str] = []
    with app.app_context():
        engine = db.engines[PUBLIC]

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    answers = ask(client, [{"body": "ca-xx", "number": "PT-1", "technique": "dry_needling"}] * many)
    assert len(answers) == many
    assert all(answer["authorized"] for answer in answers)
    asked = [s for s in statements if s.split()[0] not in ("BEGIN", "ROLLBACK")]
    assert len(asked) == 2


def test_answers_are_not_held_until_all_are_there(app: Flask, authorized):
    def peak(many: int) -> int:
        questions = [Asked("ca-xx", "PT-1", ref="x" * 100) for _ in range(many)]
        with app.app_context(), snapshot() as connection:
            tracemalloc.start()
            given = sum(map(len, answer_texts(answer_all(connection, questions, at=NOON), NOON)))
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert given > many * 1000
        return most

    peak(100)
    # Beyond the questions there are their keys, which are sent together: some 300 bytes each.
    assert peak(10_000) - peak(1_000) < 9_000 * 450


def test_where_nothing_is_ready_the_entry_answers(client, transaction, register):
    questions = [
        {"body": "ca-xx", "number": n, "on": d.isoformat(), "mode": m}
        for n in register
        for d in DAYS
        for m in Mode
    ]
    ready = ask(client, questions)
    with transaction() as tx:
        tx.execute(update(tables.entries).values(answers=None))
    assert ask(client, questions) == ready


def test_what_was_made_by_other_rules_is_not_believed(client, transaction, body, authorized):
    question = {"body": "ca-xx", "number": "PT-1", "technique": "dry_needling"}
    with transaction() as tx:
        rules = make_rules(holds_from=date(2026, 1, 1), needling_permitted=False)
        kept = tx.execute(tables.entries.select()).one().answers
        bodies.add_rules(tx, bodies.get_body(tx, body.id), rules, by="operator:tests", at=NOON)
        tx.execute(update(tables.entries).values(answers=kept))  # as if they had been forgotten
    (answer,) = ask(client, [question])
    assert answer["authorized"] is False
    assert answer["verdicts"][0]["outcome"] == "needling_not_permitted"


def test_a_change_is_in_the_next_answer(client, transaction, body):
    question = {"body": "ca-xx", "number": "PT-9", "technique": "dry_needling", "on": "2026-06-01"}
    assert ask(client, [question])[0]["verdicts"][0]["outcome"] == "not_found"
    with transaction() as tx:
        record, _ = make_authorization(tx, make_registration(tx, body, number="PT-9"))
    assert ask(client, [question])[0]["authorized"] is True
    with transaction() as tx:
        decide(tx, record, DecisionKind.REVOKED, date(2026, 6, 1))
    assert ask(client, [question])[0]["authorized"] is False


def test_a_withheld_record_is_answered_without_a_name(client, register):
    (answer,) = ask(client, [{"body": "ca-xx", "number": "PT-6", "technique": "dry_needling"}])
    assert answer["authorized"] is True
    assert answer["practitioner"]["name"] is None
    assert answer["practitioner"]["withheld"] is True


def test_withheld_words_stay_withheld(client, register):
    response = client.post(PATH, json={"questions": [{"body": "ca-xx", "number": "PT-4"}]})
    assert "two" not in response.text
    (answer,) = response.get_json()["answers"]
    conditions = answer["verdicts"][0]["conditions"]
    assert conditions == [{"text": "one", "withheld": False}, {"text": None, "withheld": True}]


def test_a_technique_that_rules_include_is_covered(client, transaction):
    also = {Technique.ACUPUNCTURE: DRY_NEEDLING}
    with transaction() as tx:
        body = make_body(tx, "ca-on", rules=make_rules(covers=also, requirements={}))
        record = make_registration(tx, body, number="A1")
        make_authorization(
            tx, record, techniques=frozenset({Technique.ACUPUNCTURE}), override_reason="as imported"
        )
    techniques = [technique.value for technique in Technique]
    answers = ask(client, [{"body": "ca-on", "number": "A1", "technique": t} for t in techniques])
    yes = {t for t, answer in zip(techniques, answers, strict=True) if answer["authorized"]}
    assert yes == {"acupuncture", "dry_needling"}
