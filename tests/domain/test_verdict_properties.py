"""What is true of every verdict, against every day asked about one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from registry.domain.rules import BodyRules
from registry.domain.verdict import Question, Verdict, answers_between, give_verdict
from registry.domain.vocabulary import Mode, Outcome, Reason, SubjectKind, Technique
from tests.domain.deciding import LONG_AGO, ONE_DAY
from tests.domain.model import Today, day_by_day, may_needle
from tests.domain.strategies import DAYS, TECHNIQUES, Facts, facts, questions


def answer(verdict: Verdict) -> tuple[object, ...]:
    """What a verdict says, whatever its day."""
    return (
        verdict.outcome,
        verdict.authorized,
        set(verdict.reasons),
        set(verdict.conditions),
        set(verdict.excluded_regions),
    )


def every_day(question: Question, recorded: Facts) -> dict[date, Verdict]:
    standings = recorded.standings
    return {day: give_verdict(replace(question, on=day), standings) for day in DAYS}


def every_answer(question: Question, recorded: Facts) -> list[Verdict]:
    """What is answered on some of `DAYS`: on their first, and on each on which it changes."""
    from_the_first = replace(question, on=DAYS[0])
    return [verdict for verdict, _ in answers_between(from_the_first, recorded.standings, DAYS[-1])]


@given(facts(), questions)
def test_an_answer_is_valid_through_the_last_day_on_which_it_is_the_same(
    recorded: Facts, question: Question
) -> None:
    verdicts = every_day(question, recorded)
    asked = verdicts[question.on]
    other = [day for day in DAYS if day > question.on and answer(verdicts[day]) != answer(asked)]
    assert asked.valid_through == (other[0] - ONE_DAY if other else None)


@given(facts(), questions, st.sampled_from(DAYS))
def test_the_answers_between_two_days_are_those_of_each_day(
    recorded: Facts, question: Question, last_day: date
) -> None:
    first, last = min(question.on, last_day), max(question.on, last_day)
    verdicts = every_day(question, recorded)
    answers = list(answers_between(replace(question, on=first), recorded.standings, last))
    days = list(_spread(first, answers))
    assert [day for day, _ in days] == [day for day in DAYS if first <= day <= last]
    assert all(answer(verdict) == answer(verdicts[day]) for day, verdict in days)


def _spread(first: date, answers: list[tuple[Verdict, date]]) -> Iterator[tuple[date, Verdict]]:
    day = first
    for verdict, last in answers:
        assert verdict.question.on == day
        while day <= last:
            yield day, verdict
            day += ONE_DAY


def _days_ahead(days: dict[date, Today]) -> dict[date, tuple[Today, bool]]:
    """Each day, and whether the first term is still to begin; then with the scope that it will begin with."""
    first = next((today for today in days.values() if today.term_from), None)
    return {
        day: (today, False) if today.term_from or not first else (replace(today, scope=first.scope), True)
        for day, today in days.items()
    }


def _rules_on(recorded: Facts, day: date) -> BodyRules:
    holding = [version for version in recorded.rules.versions if version.holds_from <= day]
    return max(holding, key=lambda version: version.holds_from, default=BodyRules(day, LONG_AGO))


@given(facts(), st.sampled_from(TECHNIQUES), st.sampled_from(Mode))
def test_the_answer_agrees_with_a_register_kept_day_by_day(
    recorded: Facts, technique: Technique, mode: Mode
) -> None:
    registered, _ = day_by_day(recorded.registration, recorded.rules.registration_grace)
    authorized = [
        _days_ahead(day_by_day(decisions, recorded.rules.authorization_grace)[0])
        for decisions in recorded.authorizations
    ]
    expected = {
        day: may_needle(
            technique, mode, registered[day], [days[day] for days in authorized], _rules_on(recorded, day)
        )
        for day in DAYS
    }
    verdicts = every_day(Question(technique, DAYS[0], mode), recorded)
    assert {day: verdict.authorized for day, verdict in verdicts.items()} == expected


@given(facts(), st.sampled_from(TECHNIQUES), st.sampled_from(Mode))
def test_nobody_is_authorized_unless_a_registration_and_an_authorization_are_both_in_force(
    recorded: Facts, technique: Technique, mode: Mode
) -> None:
    registered, _ = day_by_day(recorded.registration, recorded.rules.registration_grace)
    authorized = [
        day_by_day(decisions, recorded.rules.authorization_grace)[0] for decisions in recorded.authorizations
    ]
    for day, verdict in every_day(Question(technique, DAYS[0], mode), recorded).items():
        if not verdict.authorized:
            continue
        rules, scope = _rules_on(recorded, day), registered[day].scope
        covering = [
            days[day].scope
            for days in authorized
            if days[day].permits and _covers(days[day], technique, rules)
        ]
        learns = scope is not None and scope.register_class in rules.learner_classes
        assert registered[day].permits
        assert rules.needling_permitted
        assert covering or (learns and mode is Mode.SUPERVISED)
        assert mode is Mode.SUPERVISED or Mode.INDEPENDENT in {s.mode for s in covering if s}


def _covers(today: Today, technique: Technique, rules: BodyRules) -> bool:
    named = today.scope.techniques if today.scope else frozenset()
    return technique in named or any(technique in rules.covers.get(each, ()) for each in named)


@given(facts(), questions)
def test_every_answer_but_a_plain_yes_has_its_reasons(recorded: Facts, question: Question) -> None:
    for verdict in every_answer(question, recorded):
        in_grace = {Reason.REGISTRATION_IN_GRACE, Reason.AUTHORIZATION_IN_GRACE}
        if verdict.outcome is Outcome.AUTHORIZED:
            assert set(verdict.reasons) <= in_grace
        else:
            assert set(verdict.reasons) - in_grace
        assert len(set(verdict.reasons)) == len(verdict.reasons)


@given(facts(), questions)
def test_whatever_holds_of_the_registration_is_among_the_reasons(recorded: Facts, question: Question) -> None:
    for verdict in every_answer(question, recorded):
        if verdict.registration is not None:
            named = [Reason.of(SubjectKind.REGISTRATION, s) for s in verdict.registration.holds]
            assert [reason for reason in named if reason is not None] == [
                reason
                for reason in verdict.reasons
                if reason.startswith("registration_") and reason is not Reason.REGISTRATION_CONDITIONS
            ]


@given(facts(), questions)
def test_a_yes_is_without_conditions_only_where_there_are_no_limits(
    recorded: Facts, question: Question
) -> None:
    for verdict in every_answer(question, recorded):
        if verdict.outcome in (Outcome.AUTHORIZED, Outcome.AUTHORIZED_WITH_CONDITIONS):
            limited = bool(verdict.conditions or verdict.excluded_regions)
            assert limited is (verdict.outcome is Outcome.AUTHORIZED_WITH_CONDITIONS)


@given(facts(), st.sampled_from(TECHNIQUES))
def test_who_may_practise_independently_may_practise_supervised(
    recorded: Facts, technique: Technique
) -> None:
    alone = every_answer(Question(technique, DAYS[0], Mode.INDEPENDENT), recorded)
    supervised = every_answer(Question(technique, DAYS[0], Mode.SUPERVISED), recorded)
    for one, other in zip(alone, supervised, strict=True):
        assert other.authorized or not one.authorized
        assert (one.question.on, one.outcome, one.reasons) == (
            other.question.on,
            other.outcome,
            other.reasons,
        )


@given(st.data(), facts(), questions)
def test_the_answer_does_not_depend_on_the_order_of_the_authorizations(
    data: st.DataObject, recorded: Facts, question: Question
) -> None:
    shuffled = replace(recorded, authorizations=data.draw(st.permutations(recorded.authorizations)))
    one, other = (give_verdict(question, each.standings) for each in (recorded, shuffled))
    assert answer(one) == answer(other)
    assert one.valid_through == other.valid_through
