"""Answers kept ready are those that would be given afresh."""

from __future__ import annotations

from hypothesis import given

from registry.domain.verdict import (
    Question,
    Standby,
    Verdict,
    answers_between,
    answers_ever,
    give_verdict,
    is_yes,
    techniques_ever_covered,
)
from registry.domain.vocabulary import Technique
from tests.domain.strategies import DAYS, Facts, facts, questions


def ready_for(question: Question, standby: list[Standby]) -> Standby:
    return next(one for one in standby if one.last_day is None or question.on <= one.last_day)


@given(facts(), questions)
def test_what_is_kept_ready_for_a_day_is_the_verdict_of_that_day_word_by_word(
    recorded: Facts, question: Question
) -> None:
    afresh = give_verdict(question, recorded.standings)
    ready = ready_for(question, answers_ever(question.technique, recorded.standings)).verdict
    assert (ready.outcome, ready.reasons) == (afresh.outcome, afresh.reasons)
    assert (ready.conditions, ready.excluded_regions) == (afresh.conditions, afresh.excluded_regions)
    assert ready.valid_through == afresh.valid_through
    assert is_yes(ready.outcome, question.mode) is afresh.authorized


@given(facts())
def test_answers_follow_one_another_without_gap_and_without_end(recorded: Facts) -> None:
    ready = answers_ever(Technique.DRY_NEEDLING, recorded.standings)
    last_days = [one.last_day for one in ready]
    assert last_days[-1] is None
    ends = [last for last in last_days if last is not None]
    assert len(ends) == len(ready) - 1
    assert ends == sorted(set(ends))


@given(facts())
def test_of_techniques_that_no_authorization_covers_the_same_is_answered(recorded: Facts) -> None:
    standings = recorded.standings
    others = [t for t in Technique if t not in techniques_ever_covered(standings)]
    answered = [
        [
            (_what_is_said(verdict), last)
            for verdict, last in answers_between(Question(technique, DAYS[0]), standings, DAYS[-1])
        ]
        for technique in others
    ]
    assert all(said == answered[0] for said in answered)


def _what_is_said(verdict: Verdict) -> tuple[object, ...]:
    return (verdict.outcome, verdict.reasons, verdict.conditions, verdict.excluded_regions)
