"""Public answers: what was kept ready is what would be answered afresh, and ends at the body's midnight."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.domain.rules import BodyRules, RulesHistory
from registry.domain.verdict import Question, give_verdict
from registry.domain.vocabulary import Mode, Technique
from registry.services.look_up import Found, seconds_kept, verify
from registry.store import documents, ready_answers
from registry.store.records import Body
from tests.domain.strategies import DAYS, Facts, facts, questions

AT = datetime(2030, 1, 1, tzinfo=UTC)


def stored(recorded: Facts) -> Found:
    """A body, and the entry of a registration with its answers, as they are written together."""
    standings = recorded.standings
    registration = standings.registration
    assert registration is not None
    entry = {
        "id": "r",
        "number": "1",
        "practitioner": "p",
        "withheld": False,
        "name": "Ana Lee",
        "registration": documents.timeline_document(registration),
        "authorizations": [
            {"id": a.id, "spans": documents.timeline_document(a.timeline)} for a in standings.authorizations
        ],
    }
    stated = ready_answers.Stated("1", "p", "Ana Lee", withheld=False)
    body = Body("b", "ca-ab", "A body", "CA-AB", "America/Edmonton", None, True, True, 1, standings.rules)
    return Found(body, documents.dump(entry), ready_answers.to_text(stated, standings))


@given(facts(), questions)
def test_an_answer_that_was_kept_ready_is_the_one_that_would_be_given_afresh(
    recorded: Facts, question: Question
) -> None:
    ready = stored(recorded)
    afresh = replace(ready, answers=None)
    for techniques in ((question.technique,), tuple(Technique)):
        asked = {"techniques": techniques, "mode": question.mode, "on": question.on, "at": AT}
        assert verify(ready, "1", **asked) == verify(afresh, "1", **asked)  # type: ignore[arg-type]  # one spelling


@given(facts(), st.sampled_from(DAYS))
def test_answers_that_were_kept_under_other_rules_are_not_believed(recorded: Facts, day: date) -> None:
    assume(recorded.rules.versions)
    kept = stored(recorded)
    last = kept.body.rules.versions[-1]
    changed = replace(last, needling_permitted=not last.needling_permitted, recorded_at=AT)
    body = replace(kept.body, rules=RulesHistory((*kept.body.rules.versions[:-1], changed)))
    asked = {"techniques": tuple(Technique), "mode": Mode.INDEPENDENT, "on": day, "at": AT}
    now = replace(kept, body=body)
    assert verify(now, "1", **asked) == verify(replace(now, answers=None), "1", **asked)  # type: ignore[arg-type]  # as above


MIDNIGHT = datetime(2026, 11, 21, 7, tzinfo=UTC)
"""When the 20th of November 2026 ends in Edmonton."""


@pytest.mark.parametrize(
    ("before_midnight", "seconds"),
    [(3600, 59), (61, 59), (60, 59), (59, 58), (2, 1), (1, 0), (0.5, 0), (0, 59)],
)
def test_an_answer_for_today_is_kept_for_a_minute_but_not_beyond_the_bodys_midnight(
    before_midnight: float, seconds: int
) -> None:
    at = MIDNIGHT - timedelta(seconds=before_midnight)
    assert seconds_kept(at, "America/Edmonton", today=True) == seconds


def test_an_answer_for_a_day_that_was_named_is_kept_for_a_minute() -> None:
    assert seconds_kept(MIDNIGHT - timedelta(seconds=1), "America/Edmonton", today=False) == 59


def test_rules_that_begin_and_were_recorded_together_are_told_apart_by_what_they_say() -> None:
    permitting = BodyRules(DAYS[0], AT)
    barring = replace(permitting, needling_permitted=False)
    prints = {ready_answers.print_of(RulesHistory((rules,))) for rules in (permitting, barring)}
    assert len(prints) == 2


def test_what_was_kept_with_another_vocabulary_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept_print() -> str:
        return ready_answers.print_of(RulesHistory((BodyRules(DAYS[0], AT),)))

    before = kept_print()
    assert kept_print() == before
    monkeypatch.setattr(ready_answers, "HOW_IT_IS_READ", f"{ready_answers.HOW_IT_IS_READ} and one word more")
    assert kept_print() != before


@given(facts(), questions)
def test_kept_answers_are_read_as_they_were_written(recorded: Facts, question: Question) -> None:
    standings = recorded.standings
    stated = ready_answers.Stated('7 "of 9"', "p", None, withheld=True)
    ready = ready_answers.of_text(ready_answers.to_text(stated, standings))
    assert list(map(json.loads, ready.stated.split("\t"))) == ['7 "of 9"', "p", None, True]
    text, through = ready.on(question.technique, question.on.isoformat())
    verdict, said = (
        give_verdict(replace(question, mode=Mode.INDEPENDENT), standings),
        ready_answers.said(text),
    )
    assert (said.outcome, said.reasons, said.excluded_regions) == (
        verdict.outcome,
        verdict.reasons,
        verdict.excluded_regions,
    )
    assert through == ("" if verdict.valid_through is None else verdict.valid_through.isoformat())
    assert dict(ready.said_on(question.on.isoformat())).get(question.technique, text) == text
