"""What rules would change is what they change: on the demonstration register, for rules of many kinds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from registry.demo import load_demonstration
from registry.domain.localtime import local_date
from registry.domain.rules import BodyRules, TrainingRequirement
from registry.domain.verdict import Question, give_verdict
from registry.domain.vocabulary import Technique
from registry.services.decisions import get_record, unmet_for_grant, unmet_problem
from registry.services.rules_drafts import make_draft, save_draft, weigh_draft
from registry.store import tables
from registry.store.affected import registrations_of_body
from registry.store.records import Body, find_body
from registry.store.rules_drafts import list_concerned
from tests.support.factories import BY, database

CODES = ("ca-ab", "ca-on", "au")  # the last has days of grace
AT = datetime(2026, 6, 1, 18, tzinfo=UTC)


@pytest.fixture(scope="module")
def register(sqlite_databases) -> Iterator[Engine]:
    with sqlite_databases.migrated() as url, database(url) as engine:
        with engine.begin() as tx:
            load_demonstration(tx, at=AT)
        yield engine


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection:
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()


def harder(rules: BodyRules) -> BodyRules:
    asked = {
        technique: replace(each, hours_total=each.hours_total + 30, examination=True)
        for technique, each in rules.requirements.items()
    }
    return replace(rules, requirements=asked)


def easier(rules: BodyRules) -> BodyRules:
    return replace(rules, eligible_classes=None, requirements=dict.fromkeys(Technique, TrainingRequirement()))


def refreshed(rules: BodyRules) -> BodyRules:
    asked = {t: replace(a, refresher_hours=8, refresher_months=12) for t, a in rules.requirements.items()}
    return replace(rules, requirements=asked)


CHANGES = {
    "harder": harder,
    "easier": easier,
    "refreshed": refreshed,
    "for nobody": lambda rules: replace(rules, needling_permitted=False),
    "without classes": lambda rules: replace(rules, eligible_classes=frozenset()),
    "without grace": lambda rules: replace(rules, registration_grace_days=0, authorization_grace_days=0),
    "with grace": lambda rules: replace(rules, registration_grace_days=90, authorization_grace_days=90),
    "covering": lambda rules: replace(
        rules, covers={Technique.DRY_NEEDLING: frozenset({Technique.ACUPUNCTURE})}
    ),
    "unchanged": lambda rules: rules,
}


def spelt(problem: Mapping[str, Any]) -> str:
    return json.dumps(problem, sort_keys=True)


def state(tx: Connection, body: Body, day: date):
    """By registration: the answers on a day, what current authorizations do not meet, and the lapses."""
    found = {}
    for id_ in registrations_of_body(tx, body.id):
        record = get_record(tx, id_)
        standings = record.standings()
        answers = {t.value: give_verdict(Question(t, day), standings).outcome.value for t in Technique}
        unmet = {
            spelt(unmet_problem(one))
            for a in standings.authorizations
            if (span := a.timeline.on(day)).standing.permits_practice and span.scope is not None
            for one in unmet_for_grant(record, span.scope, day)
        }
        t = tables.lapses
        rows = tx.execute(
            select(t.c.kind, t.c.since, t.c.until, t.c.subject_id, t.c.detail_key).where(
                t.c.registration_id == id_, t.c.resolved_at.is_(None)
            )
        )
        lapses = {(r.kind, r.since.isoformat(), r.subject_id, r.detail_key): r.until for r in rows}
        found[id_] = (answers, unmet, lapses)
    return found


@pytest.mark.parametrize(("kind", "ahead"), [(kind, 40 * (n % 2)) for n, kind in enumerate(CHANGES)])
def test_what_would_change_is_what_changes(register: Engine, kind: str, ahead: int) -> None:
    concerned = compared = 0
    with undone(register) as tx:
        for code in CODES:
            body = find_body(tx, code)
            assert body is not None
            day = local_date(AT, body.zone) + timedelta(days=ahead)
            rules = replace(CHANGES[kind](body.rules.on(day)), holds_from=day)
            draft = make_draft(tx, body, rules, None, by=BY, at=AT)
            before = state(tx, body, day)
            draft = weigh_draft(lambda: nullcontext(tx), draft.id, at=AT, progress=lambda *_: None)
            listed = list_concerned(tx, draft.id, after=None, limit=9999)
            told = {one.registration_id: one.told for one in listed}
            assert draft.report is not None
            assert draft.report["concerned"] == len(told)
            assert before == state(tx, body, day)
            save_draft(tx, draft.id, by=BY, at=AT)
            after = state(tx, find_body(tx, code) or body, day)
            for id_, (answers, unmet, lapses) in after.items():
                was_answers, was_unmet, was_lapses = before[id_]
                one = told.get(id_, {"answers": [], "unmet": [], "lapses": []})
                assert {a["technique"]: a["after"] for a in one["answers"]} == {
                    t: outcome for t, outcome in answers.items() if outcome != was_answers[t]
                }
                if not was_unmet or unmet:  # of those still authorized on that day by both rules
                    assert {spelt(u) for u in one["unmet"]} >= unmet - was_unmet
                new = {
                    key
                    for key, until in lapses.items()
                    if key not in was_lapses and (until is None or until >= day)
                }
                assert {(each["kind"], each["since"]) for each in one["lapses"]} == {key[:2] for key in new}
                compared += 1
            concerned += len(told)
    assert compared > 20
    assert (concerned == 0) is (kind == "unchanged")
