"""What is true of every timeline, whatever was decided, however senseless."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.domain.decisions import Decision
from registry.domain.timeline import Timeline, fold
from registry.domain.vocabulary import DecisionKind, Standing
from tests.domain.deciding import ONE_DAY, hours, voided
from tests.domain.model import day_by_day, stood
from tests.domain.strategies import DAYS, FIRST_DAY, LATER, Grace, graces, histories, independent, plausible


def recorded_anew(decisions: Sequence[Decision], order: Sequence[int]) -> list[Decision]:
    return [
        Decision(d.id, d.kind, d.effective_on, hours(at), d.through, d.scope, d.report, d.voids)
        for d, at in zip(decisions, order, strict=True)
    ]


def standing_by_day(timeline: Timeline) -> list[tuple[Standing, ...]]:
    return [timeline.on(day).holds for day in DAYS]


@given(histories(), graces)
def test_spans_abut_from_the_first_day_there_is_and_the_last_is_open(
    decisions: list[Decision], grace: Grace
) -> None:
    spans = fold(decisions, grace=grace).spans
    assert spans[0].first_day == date.min
    assert spans[-1].last_day is None
    for earlier, later in pairwise(spans):
        assert earlier.last_day == later.first_day - ONE_DAY
        assert earlier.first_day <= earlier.last_day


@given(histories(), graces)
def test_every_day_has_exactly_one_standing(decisions: list[Decision], grace: Grace) -> None:
    timeline = fold(decisions, grace=grace)
    for day in [date.min, *DAYS, date.max]:
        covering = [span for span in timeline.spans if span.covers(day)]
        assert covering == [timeline.on(day)]
        assert covering[0].standing is covering[0].holds[0]


@given(histories(), graces)
def test_a_span_begins_only_where_something_changed(decisions: list[Decision], grace: Grace) -> None:
    for earlier, later in pairwise(fold(decisions, grace=grace).spans):
        assert not later.continues(earlier)


@given(histories(), graces)
def test_a_span_is_begun_by_a_decision_of_its_first_day_that_made_sense_or_by_time(
    decisions: list[Decision], grace: Grace
) -> None:
    timeline = fold(decisions, grace=grace)
    refused = {decision.id for decision, _ in timeline.objections}
    effective = [d for d in stood(decisions, None) if d.id not in refused]
    for span in timeline.spans:
        of_the_day = [d.id for d in effective if d.effective_on == span.first_day]
        assert span.begun_by == (of_the_day[-1] if of_the_day else None)


@given(histories(), graces)
def test_a_term_ends_on_the_day_decided_last(decisions: list[Decision], grace: Grace) -> None:
    timeline = fold(decisions, grace=grace)
    refused = {decision.id for decision, _ in timeline.objections}
    extending = [
        d
        for d in stood(decisions, None)
        if d.kind in (DecisionKind.GRANTED, DecisionKind.RENEWED) and d.id not in refused
    ]
    assert timeline.spans[-1].term_through == (extending[-1].through if extending else None)


@given(histories(), graces, st.one_of(st.none(), st.integers(-1, 16).map(hours)))
def test_the_fold_agrees_with_a_register_kept_day_by_day(
    decisions: list[Decision], grace: Grace, known_at
) -> None:
    timeline = fold(decisions, known_at=known_at, grace=grace)
    expected, refused = day_by_day(decisions, grace, known_at)
    spans = {day: timeline.on(day) for day in DAYS}
    assert {day: span.holds for day, span in spans.items()} == {d: t.holds for d, t in expected.items()}
    assert {day: span.scope for day, span in spans.items()} == {d: t.scope for d, t in expected.items()}
    assert {day: s.term_from for day, s in spans.items()} == {d: t.term_from for d, t in expected.items()}
    assert {day: span.report for day, span in spans.items()} == {d: t.report for d, t in expected.items()}
    assert {decision.id for decision, _ in timeline.objections} == refused


@given(histories(), graces)
def test_nothing_changes_beyond_the_days_decided(decisions: list[Decision], grace: Grace) -> None:
    timeline = fold(decisions, grace=grace)
    assert timeline.on(date.min) == timeline.on(FIRST_DAY)
    assert timeline.on(date.max) == timeline.on(DAYS[-1])


@given(st.data(), histories(), graces)
def test_the_fold_does_not_depend_on_the_order_in_which_decisions_are_given(
    data: st.DataObject, decisions: list[Decision], grace: Grace
) -> None:
    shuffled = data.draw(st.permutations(decisions))
    assert fold(shuffled, grace=grace) == fold(decisions, grace=grace)


@given(st.data(), independent(), graces)
def test_the_fold_does_not_depend_on_the_order_in_which_decisions_of_different_days_were_recorded(
    data: st.DataObject, decisions: list[Decision], grace: Grace
) -> None:
    anew = recorded_anew(decisions, data.draw(st.permutations(range(len(decisions)))))
    assert fold(anew, grace=grace).spans == fold(decisions, grace=grace).spans


@given(histories(), histories(), graces, st.integers(-1, 20))
def test_what_was_known_at_a_moment_never_changes_whatever_is_recorded_later(
    before: list[Decision], after: list[Decision], grace: Grace, at: int
) -> None:
    known = [d for d in before if d.recorded_at <= hours(at)]
    later = recorded_anew(after, [at + 1 + i for i in range(len(after))])
    taking_back = [voided(d, recorded=LATER) for d in known]
    then = fold(known, grace=grace)
    assert fold([*known, *later, *taking_back], known_at=hours(at), grace=grace) == then


@given(st.data(), histories(), graces)
def test_voiding_a_decision_leaves_what_there_was_without_it(
    data: st.DataObject, decisions: list[Decision], grace: Grace
) -> None:
    assume(decisions)
    one = data.draw(st.sampled_from(decisions))
    without = [d for d in decisions if d is not one]
    assert fold([*decisions, voided(one, recorded=LATER)], grace=grace) == fold(without, grace=grace)


@given(st.data(), histories(), graces)
def test_voiding_a_voiding_restores_what_there_was(
    data: st.DataObject, decisions: list[Decision], grace: Grace
) -> None:
    assume(decisions)
    one = data.draw(st.sampled_from(decisions))
    voiding = voided(one, recorded=LATER)
    restored = [*decisions, voiding, voided(voiding, recorded=LATER)]
    assert fold(restored, grace=grace) == fold(decisions, grace=grace)


@given(plausible(), graces)
def test_more_grace_never_takes_practice_away(decisions: list[Decision], grace: Grace) -> None:
    extending = (DecisionKind.GRANTED, DecisionKind.RENEWED)
    one_term = [decisions[0], *(d for d in decisions[1:] if d.kind not in extending)]
    longer = Grace(grace.before + 1, grace.since + 1, grace.changed)
    shorter_term, longer_term = fold(one_term, grace=grace), fold(one_term, grace=longer)
    permitted = [day for day in DAYS if shorter_term.on(day).standing.permits_practice]
    assert all(longer_term.on(day).standing.permits_practice for day in permitted)


@pytest.mark.parametrize("kind", [DecisionKind.REVOKED, DecisionKind.SURRENDERED])
@given(decisions=histories(), grace=graces)
def test_no_day_from_a_sensible_end_to_the_next_grant_permits_practice(
    kind: DecisionKind, decisions: list[Decision], grace: Grace
) -> None:
    timeline = fold(decisions, grace=grace)
    refused = {decision.id for decision, _ in timeline.objections}
    ending = False
    acts = [d for d in stood(decisions, None) if d.id not in refused]
    for day in DAYS:
        for decision in acts:
            if decision.effective_on == day:
                ending = (ending or decision.kind is kind) and decision.kind is not DecisionKind.GRANTED
        if ending:
            assert not timeline.on(day).standing.permits_practice
