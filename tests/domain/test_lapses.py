"""Runs of days on which something is amiss, known before they come and after they are over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.decisions import Decision, Scope
from registry.domain.eligibility import Training, training_unmet
from registry.domain.lapses import Days, Lapse, TrainingRecord, lapses_of, overlap, runs, state_of
from registry.domain.rules import BodyRules, RulesHistory, TrainingRequirement
from registry.domain.timeline import Timeline, fold
from registry.domain.verdict import AuthorizationTimeline, Standings
from registry.domain.vocabulary import LapseKind, LapseState, Requirement, Standing, Technique
from tests.domain.deciding import (
    GENERAL,
    LONG_AGO,
    NEEDLING,
    ON_FILE,
    D,
    conditions_set,
    granted,
    reinstated,
    renewed,
    reported,
    revoked,
    surrendered,
    suspended,
)
from tests.domain.strategies import DAYS, FIRST_DECIDED, LAST_DECIDED, Facts, facts

OUTLASTS = LapseKind.AUTHORIZATION_OUTLASTS_REGISTRATION
ACUPUNCTURE = Scope(techniques=frozenset({Technique.ACUPUNCTURE}))
BOTH = Scope(techniques=NEEDLING.techniques | ACUPUNCTURE.techniques)
OPEN_ENDED = [granted("2025-01-01", scope=GENERAL)]

Row = tuple[LapseKind, str | None, str, str | None, str | None]


@dataclass(frozen=True)
class Kept:
    """What is on record of a registration in good order, unless a test says otherwise."""

    registration: Sequence[Decision] = ()
    authorizations: Sequence[Sequence[Decision]] = ()
    rules: Sequence[BodyRules] = ()
    trainings: Sequence[Training] = ()
    granted_otherwise: Iterable[str] = ()

    def lapses(self) -> tuple[Lapse, ...]:
        rules = RulesHistory.of(self.rules)
        registration = self.registration or OPEN_ENDED
        timelines = [
            AuthorizationTimeline(f"authorization {i}", fold(made, grace=rules.authorization_grace))
            for i, made in enumerate(self.authorizations, 1)
        ]
        return lapses_of(
            Standings(fold(registration, grace=rules.registration_grace), timelines, rules),
            TrainingRecord(self.trainings, frozenset(self.granted_otherwise)),
        )

    def rows(self) -> list[Row]:
        return [
            (
                lapse.kind,
                lapse.authorization_id,
                lapse.since.isoformat(),
                None if lapse.until is None else lapse.until.isoformat(),
                lapse.ended_by,
            )
            for lapse in self.lapses()
        ]


def test_nothing_lapses_where_all_is_in_order() -> None:
    assert Kept(authorizations=[[granted("2025-01-01", scope=NEEDLING)]]).lapses() == ()


def test_nothing_is_said_of_a_registration_that_nobody_heard_of() -> None:
    lapsed = AuthorizationTimeline("one", fold([granted("2025-01-01", "2025-01-31", scope=NEEDLING)]))
    assert lapses_of(Standings(None, [lapsed]), TrainingRecord()) == ()


# Terms that are over.


def test_a_lapse_is_known_from_the_day_its_term_is() -> None:
    (lapse,) = Kept([granted("2025-01-01", "2099-12-31")]).lapses()
    assert lapse == Lapse(
        LapseKind.REGISTRATION_LAPSED,
        None,
        D("2100-01-01"),
        None,
        (("term_from", "2025-01-01"), ("term_through", "2099-12-31")),
    )


@pytest.mark.parametrize(
    ("decision", "until", "ended_by"),
    [
        (renewed("2026-03-01"), "2026-02-28", "renewed 2026-03-01"),
        (granted("2026-03-01"), "2026-02-28", "granted 2026-03-01"),
        (revoked("2026-03-01"), "2026-02-28", "revoked 2026-03-01"),
        (surrendered("2026-03-01"), "2026-02-28", "surrendered 2026-03-01"),
        (suspended("2026-03-01"), None, None),
        (conditions_set("2026-03-01", NEEDLING), None, None),
        (reported("2026-03-01", ON_FILE), None, None),
        (renewed("2026-01-02"), "2026-01-01", "renewed 2026-01-02"),
    ],
    ids=lambda value: getattr(value, "id", ""),
)
def test_a_lapse_goes_on_until_a_decision_ends_it(
    decision: Decision, until: str | None, ended_by: str | None
) -> None:
    kept = Kept([granted("2025-01-01", "2025-12-31"), decision])
    assert kept.rows()[0] == (LapseKind.REGISTRATION_LAPSED, None, "2026-01-01", until, ended_by)
    assert len(kept.rows()) == 1


@pytest.mark.parametrize("on", ["2025-11-01", "2026-01-01"])
def test_a_renewal_in_time_leaves_no_lapse(on: str) -> None:
    assert Kept([granted("2025-01-01", "2025-12-31"), renewed(on)]).lapses() == ()


def test_a_lapse_begins_after_the_grace() -> None:
    rules = BodyRules(date.min, LONG_AGO, registration_grace_days=30, authorization_grace_days=5)
    kept = Kept(
        [granted("2025-01-01", "2025-11-30")],
        [[granted("2025-01-01", "2025-11-30", scope=NEEDLING)]],
        [rules],
    )
    assert kept.rows() == [
        (LapseKind.AUTHORIZATION_LAPSED, "authorization 1", "2025-12-06", None, None),
        (LapseKind.REGISTRATION_LAPSED, None, "2025-12-31", None, None),
    ]


def test_each_authorization_has_its_own_lapses() -> None:
    decisions = [granted("2025-01-01", "2025-03-31", scope=NEEDLING), granted("2025-05-01", scope=NEEDLING)]
    kept = Kept(authorizations=[decisions, [granted("2025-01-01", "2025-06-30", scope=NEEDLING)]])
    assert kept.rows() == [
        (
            LapseKind.AUTHORIZATION_LAPSED,
            "authorization 1",
            "2025-04-01",
            "2025-04-30",
            "granted 2025-05-01",
        ),
        (LapseKind.AUTHORIZATION_LAPSED, "authorization 2", "2025-07-01", None, None),
    ]


# An authorization in force on a registration that is not.


def test_an_authorization_outlasts_a_registration_that_ends_before_it() -> None:
    kept = Kept(
        [granted("2025-01-01", "2025-09-30")], [[granted("2025-01-01", "2025-12-31", scope=NEEDLING)]]
    )
    outlasts = next(lapse for lapse in kept.lapses() if lapse.kind is OUTLASTS)
    assert outlasts == Lapse(
        OUTLASTS,
        "authorization 1",
        D("2025-10-01"),
        D("2025-12-31"),
        (
            ("registration_standing", "lapsed"),
            ("registration_through", "2025-09-30"),
            ("authorization_through", "2025-12-31"),
        ),
        None,
    )


@pytest.mark.parametrize(
    ("ending", "standing"), [(revoked("2025-06-01"), "revoked"), (surrendered("2025-06-01"), "surrendered")]
)
def test_an_authorization_outlasts_a_registration_that_was_ended(ending: Decision, standing: str) -> None:
    kept = Kept([*OPEN_ENDED, ending], [[granted("2025-01-01", scope=NEEDLING)]])
    (lapse,) = kept.lapses()
    assert (lapse.kind, lapse.since, lapse.until) == (OUTLASTS, D("2025-06-01"), None)
    assert dict(lapse.why)["registration_standing"] == standing
    assert dict(lapse.why)["authorization_through"] == ""


def test_what_ends_first_ends_the_days_on_which_an_authorization_outlasts() -> None:
    registered = [granted("2025-01-01", "2025-06-30"), renewed("2025-09-01")]
    renewed_first = Kept(registered, [[granted("2025-01-01", scope=NEEDLING)]])
    ended_first = Kept(registered, [[granted("2025-01-01", scope=NEEDLING), revoked("2025-08-01")]])
    run_out_first = Kept(registered, [[granted("2025-01-01", "2025-07-31", scope=NEEDLING)]])
    found = [
        [(until, by) for kind, _, _, until, by in kept.rows() if kind is OUTLASTS]
        for kept in (renewed_first, ended_first, run_out_first)
    ]
    assert found == [
        [("2025-08-31", "renewed 2025-09-01")],
        [("2025-07-31", "revoked 2025-08-01")],
        [("2025-07-31", None)],
    ]


def test_a_suspended_registration_is_shown_under_each_authorization_in_force() -> None:
    kept = Kept(
        [*OPEN_ENDED, suspended("2025-06-01"), reinstated("2025-08-01")],
        [
            [granted("2025-01-01", scope=NEEDLING)],
            [granted("2025-07-01", scope=NEEDLING)],
            [granted("2025-01-01", scope=NEEDLING), suspended("2025-05-01")],
        ],
    )
    kind = LapseKind.REGISTRATION_SUSPENDED
    assert kept.rows() == [
        (kind, "authorization 1", "2025-06-01", "2025-07-31", "reinstated 2025-08-01"),
        (kind, "authorization 2", "2025-07-01", "2025-07-31", "reinstated 2025-08-01"),
    ]
    assert dict(kept.lapses()[0].why)["registration_standing"] == "suspended"
    assert dict(kept.lapses()[0].why)["registration_through"] == "2025-05-31"


def test_a_registration_that_lapses_under_its_suspension_is_amiss_on_both_counts() -> None:
    kept = Kept(
        [granted("2025-01-01", "2025-06-30"), suspended("2025-06-01")],
        [[granted("2025-01-01", scope=NEEDLING)]],
    )
    assert [(kind, since, until) for kind, _, since, until, _ in kept.rows()] == [
        (LapseKind.REGISTRATION_SUSPENDED, "2025-06-01", None),
        (OUTLASTS, "2025-07-01", None),
        (LapseKind.REGISTRATION_LAPSED, "2025-07-01", None),
    ]


def test_an_unread_word_does_not_hide_that_a_registration_lapsed() -> None:
    kept = Kept(
        [granted("2025-01-01", "2025-06-30"), reported("2025-06-01", ON_FILE)],
        [[granted("2025-01-01", scope=NEEDLING)]],
    )
    (outlasts,) = (lapse for lapse in kept.lapses() if lapse.kind is OUTLASTS)
    assert outlasts.since == D("2025-07-01")
    assert dict(outlasts.why)["registration_standing"] == "lapsed"


def test_the_end_of_the_authorization_is_that_of_its_term_when_it_begins_to_outlast() -> None:
    authorization = [
        granted("2025-01-01", "2025-06-30", scope=NEEDLING),
        conditions_set("2025-03-01", BOTH),
        renewed("2025-06-01", "2026-06-30"),
    ]
    kept = Kept([granted("2025-01-01", "2025-09-30")], [authorization])
    (outlasts,) = (lapse for lapse in kept.lapses() if lapse.kind is OUTLASTS)
    assert dict(outlasts.why)["authorization_through"] == "2026-06-30"
    assert outlasts.until == D("2026-06-30")


def test_an_authorization_before_its_registration_begins_is_no_lapse() -> None:
    assert Kept([granted("2025-06-01")], [[granted("2025-01-01", scope=NEEDLING)]]).lapses() == ()


# Training.

TRAINED = Training(
    "course",
    D("2024-12-01"),
    NEEDLING.techniques,
    hours_theory=30,
    hours_practical=20,
    examination_passed=True,
)
MODEST = BodyRules(
    D("2024-01-01"),
    LONG_AGO,
    requirements={Technique.DRY_NEEDLING: TrainingRequirement(hours_total=50, examination=True)},
)
STRICT = replace(
    MODEST,
    holds_from=D("2025-06-01"),
    requirements={Technique.DRY_NEEDLING: TrainingRequirement(hours_total=60, examination=True)},
)
NEEDLES = [[granted("2025-01-01", scope=NEEDLING)]]
INSUFFICIENT = LapseKind.TRAINING_INSUFFICIENT


def course(completed_on: str, hours: float, **other: Any) -> Training:
    return Training(completed_on, D(completed_on), NEEDLING.techniques, hours_theory=hours, **other)


def test_training_is_insufficient_from_the_day_new_rules_ask_for_more_to_that_on_which_it_suffices() -> None:
    kept = Kept(authorizations=NEEDLES, rules=[MODEST, STRICT], trainings=[TRAINED, course("2025-09-15", 10)])
    (lapse,) = kept.lapses()
    assert lapse == Lapse(
        INSUFFICIENT,
        "authorization 1",
        D("2025-06-01"),
        D("2025-09-14"),
        (("technique", "dry_needling"), ("unmet", "hours_total")),
    )


def test_training_is_insufficient_from_the_first_day_in_force_where_none_is_on_record() -> None:
    (lapse,) = Kept(authorizations=NEEDLES, rules=[MODEST]).lapses()
    assert (lapse.since, lapse.until) == (D("2025-01-01"), None)
    assert dict(lapse.why)["unmet"] == "hours_total, examination"


def test_training_that_suffices_on_the_first_day_is_no_lapse() -> None:
    today = replace(TRAINED, completed_on=D("2025-01-01"))
    assert Kept(authorizations=NEEDLES, rules=[MODEST], trainings=[today]).lapses() == ()


def test_a_course_that_changes_nothing_does_not_split_a_lapse_in_two() -> None:
    kept = Kept(authorizations=NEEDLES, rules=[MODEST], trainings=[course("2025-03-01", 5)])
    assert kept.rows() == [(INSUFFICIENT, "authorization 1", "2025-01-01", None, None)]


def test_new_rules_that_ask_the_same_do_not_split_a_lapse_in_two() -> None:
    kept = Kept(
        authorizations=NEEDLES,
        rules=[MODEST, replace(MODEST, holds_from=D("2025-03-01"), registration_grace_days=5)],
    )
    assert kept.rows() == [(INSUFFICIENT, "authorization 1", "2025-01-01", None, None)]


def test_a_lapse_that_says_something_else_of_what_is_unmet_is_another() -> None:
    passed = course("2025-03-01", 5, examination_passed=True)
    kept = Kept(authorizations=NEEDLES, rules=[MODEST], trainings=[passed])
    assert [(lapse.since, lapse.until, dict(lapse.why)["unmet"]) for lapse in kept.lapses()] == [
        (D("2025-01-01"), D("2025-02-28"), "hours_total, examination"),
        (D("2025-03-01"), None, "hours_total"),
    ]


def test_lapses_that_say_the_same_with_days_between_are_two() -> None:
    relaxed = replace(MODEST, holds_from=D("2025-03-01"), requirements={})
    again = replace(MODEST, holds_from=D("2025-05-01"))
    kept = Kept(authorizations=NEEDLES, rules=[MODEST, relaxed, again])
    assert kept.rows() == [
        (INSUFFICIENT, "authorization 1", "2025-01-01", "2025-02-28", None),
        (INSUFFICIENT, "authorization 1", "2025-05-01", None, None),
    ]


def test_training_is_insufficient_only_while_the_authorization_is_in_force() -> None:
    decisions = [*NEEDLES[0], suspended("2025-03-01", "2025-03-31"), revoked("2025-05-01")]
    kept = Kept(authorizations=[decisions], rules=[MODEST])
    assert kept.rows() == [
        (INSUFFICIENT, "authorization 1", "2025-01-01", "2025-02-28", "suspended 2025-03-01"),
        (INSUFFICIENT, "authorization 1", "2025-04-01", "2025-04-30", "revoked 2025-05-01"),
    ]


def test_training_is_insufficient_for_what_the_authorization_came_to_name_and_as_long_as_it_does() -> None:
    decisions = [
        granted("2025-01-01", scope=ACUPUNCTURE),
        conditions_set("2025-03-01", BOTH),
        conditions_set("2025-05-01", ACUPUNCTURE),
    ]
    kept = Kept(authorizations=[decisions], rules=[MODEST])
    assert kept.rows() == [
        (INSUFFICIENT, "authorization 1", "2025-03-01", "2025-04-30", "conditions_set 2025-05-01"),
    ]


def test_nothing_is_asked_on_days_of_which_the_rules_are_not_known() -> None:
    late = replace(MODEST, holds_from=D("2025-03-01"))
    assert Kept(authorizations=NEEDLES, rules=[late]).rows() == [
        (INSUFFICIENT, "authorization 1", "2025-03-01", None, None)
    ]
    assert Kept(authorizations=NEEDLES).rows() == []


ON_OTHER_GROUNDS: dict[str, tuple[list[BodyRules], list[Training], str | None]] = {
    "no training on record": ([MODEST, STRICT], [], None),
    "training in something else": (
        [MODEST, STRICT],
        [replace(TRAINED, techniques=ACUPUNCTURE.techniques)],
        None,
    ),
    "some training, and the rules that it was granted under": ([MODEST], [course("2025-03-01", 1)], None),
    "some training, and rules from the day of the grant": (
        [replace(MODEST, holds_from=D("2025-01-01"))],
        [course("2025-03-01", 1)],
        None,
    ),
    "some training, and later rules": ([MODEST, STRICT], [course("2025-03-01", 1)], "2025-06-01"),
    "some training, and rules from the day after the grant": (
        [replace(MODEST, holds_from=D("2025-01-02"))],
        [course("2025-03-01", 1)],
        "2025-01-02",
    ),
}


@pytest.mark.parametrize(
    ("rules", "trainings", "since"), ON_OTHER_GROUNDS.values(), ids=ON_OTHER_GROUNDS.keys()
)
def test_training_is_held_against_a_grant_on_other_grounds_only_by_later_rules_and_where_some_is_on_record(
    rules: list[BodyRules], trainings: list[Training], since: str | None
) -> None:
    kept = Kept(
        authorizations=NEEDLES, rules=rules, trainings=trainings, granted_otherwise=["authorization 1"]
    )
    first = next((lapse.since for lapse in kept.lapses()), None)
    assert first == (None if since is None else D(since))
    elsewhere = replace(kept, granted_otherwise=["authorization 2"])
    assert elsewhere.lapses()[0].since == max(D("2025-01-01"), rules[0].holds_from)


REFRESHED = replace(
    MODEST,
    requirements={Technique.DRY_NEEDLING: TrainingRequirement(refresher_hours=7.5, refresher_months=12)},
)


def test_a_refresher_is_due_until_it_is_taken_and_again_when_it_is_old() -> None:
    kept = Kept(authorizations=NEEDLES, rules=[REFRESHED], trainings=[TRAINED, course("2026-03-15", 7.5)])
    kind = LapseKind.REFRESHER_DUE
    assert kept.rows() == [
        (kind, "authorization 1", "2025-12-01", "2026-03-14", None),
        (kind, "authorization 1", "2027-03-15", None, None),
    ]
    assert kept.lapses()[0].why == (("technique", "dry_needling"), ("refresher_hours", "7.5"))


def test_a_refresher_is_due_only_while_the_authorization_is_in_force_and_the_rules_ask_for_it() -> None:
    relaxed = replace(REFRESHED, holds_from=D("2027-01-01"), requirements={})
    asked_again = replace(REFRESHED, holds_from=D("2028-01-01"))
    decisions = [*NEEDLES[0], suspended("2026-02-01", "2026-02-28"), revoked("2028-06-01")]
    kept = Kept(authorizations=[decisions], rules=[REFRESHED, relaxed, asked_again], trainings=[TRAINED])
    kind = LapseKind.REFRESHER_DUE
    assert kept.rows() == [
        (kind, "authorization 1", "2025-12-01", "2026-01-31", "suspended 2026-02-01"),
        (kind, "authorization 1", "2026-03-01", "2026-12-31", None),
        (kind, "authorization 1", "2028-01-01", "2028-05-31", "revoked 2028-06-01"),
    ]


def test_a_refresher_is_due_for_a_grant_on_other_grounds_too() -> None:
    kept = Kept(
        authorizations=NEEDLES,
        rules=[REFRESHED],
        trainings=[TRAINED],
        granted_otherwise=["authorization 1"],
    )
    assert [lapse.since for lapse in kept.lapses()] == [D("2025-12-01")]


def test_a_missing_refresher_is_not_called_insufficient_training_as_well() -> None:
    kept = Kept(authorizations=NEEDLES, rules=[REFRESHED], trainings=[TRAINED])
    assert {lapse.kind for lapse in kept.lapses()} == {LapseKind.REFRESHER_DUE}


# Runs, overlaps and states.


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (("2025-01-01", "2025-01-31"), ("2025-01-31", "2025-02-28"), ("2025-01-31", "2025-01-31")),
        (("2025-01-01", "2025-01-31"), ("2025-02-01", "2025-02-28"), None),
        (("2025-01-01", None), ("2025-02-01", "2025-02-28"), ("2025-02-01", "2025-02-28")),
        (("2025-03-01", None), ("2025-02-01", "2025-02-28"), None),
        (("2025-01-01", None), ("2025-02-01", None), ("2025-02-01", None)),
        (("2025-01-10", "2025-01-20"), ("2025-01-01", "2025-01-31"), ("2025-01-10", "2025-01-20")),
    ],
)
def test_two_runs_of_days_share_the_days_of_both(
    one: tuple[str, str | None], other: tuple[str, str | None], shared: tuple[str, str | None] | None
) -> None:
    expected = None if shared is None else days(*shared)
    assert overlap(days(*one), days(*other)) == expected
    assert overlap(days(*other), days(*one)) == expected


def days(first: str, last: str | None) -> Days:
    return (D(first), None if last is None else D(last))


def test_a_run_goes_on_over_spans_that_differ_in_something_else() -> None:
    timeline = fold(
        [
            granted("2025-01-01", "2025-12-31"),
            conditions_set("2025-03-01", NEEDLING),
            suspended("2025-05-01", "2025-05-31"),
            conditions_set("2025-07-01", GENERAL),
        ]
    )
    found = runs(timeline, lambda span: span.standing is Standing.IN_FORCE)
    assert [(first.first_day, last, by) for first, last, by in found] == [
        (D("2025-01-01"), D("2025-04-30"), "suspended 2025-05-01"),
        (D("2025-06-01"), D("2025-12-31"), None),
    ]
    assert [(first.first_day, last) for first, last, _ in runs(timeline, lambda _span: True)] == [
        (date.min, None)
    ]
    assert list(runs(Timeline(), lambda _span: False)) == []


@pytest.mark.parametrize(
    ("today", "resolved", "acknowledged", "state"),
    [
        ("2025-06-09", False, False, LapseState.COMING),
        ("2025-06-09", False, True, LapseState.COMING),
        ("2025-06-10", False, False, LapseState.OPEN),
        ("2025-06-10", False, True, LapseState.ACKNOWLEDGED),
        ("2025-06-20", False, False, LapseState.OPEN),
        ("2025-06-21", False, False, LapseState.RESOLVED),
        ("2025-06-21", False, True, LapseState.RESOLVED),
        ("2025-06-09", True, False, LapseState.RESOLVED),
        ("2025-06-15", True, True, LapseState.RESOLVED),
    ],
)
def test_a_lapse_is_coming_then_open_or_acknowledged_then_resolved(
    today: str, resolved: bool, acknowledged: bool, state: LapseState
) -> None:
    found = state_of(days("2025-06-10", "2025-06-20"), D(today), resolved=resolved, acknowledged=acknowledged)
    assert found is state


def test_a_lapse_without_an_end_stays_open() -> None:
    since = days("2025-06-10", None)
    assert state_of(since, date.max, resolved=False, acknowledged=False) is LapseState.OPEN


# Day by day, whatever was decided.

requirements = st.builds(
    TrainingRequirement,
    hours_total=st.sampled_from([0, 10, 20]),
    examination=st.booleans(),
    refresher_hours=st.sampled_from([0, 5]),
    refresher_months=st.just(1),
)
courses = st.builds(
    Training,
    st.just("course"),
    st.dates(FIRST_DECIDED, LAST_DECIDED),
    st.frozensets(st.sampled_from([Technique.DRY_NEEDLING, Technique.ACUPUNCTURE]), min_size=1),
    hours_theory=st.sampled_from([4, 10]),
    examination_passed=st.booleans(),
)


@st.composite
def asking(draw: st.DrawFn) -> Facts:
    """Facts of a body whose rules ask for training."""
    recorded = draw(facts())
    techniques = st.sampled_from([Technique.DRY_NEEDLING, Technique.ACUPUNCTURE])
    versions = [
        replace(version, requirements=draw(st.dictionaries(techniques, requirements)))
        for version in recorded.rules.versions
    ]
    return replace(recorded, rules=RulesHistory(tuple(versions)))


def amiss_on(
    day: date, standings: Standings, trainings: list[Training]
) -> set[tuple[LapseKind, str | None, str]]:
    """What is amiss on one day, read off the standings of that day alone."""
    assert standings.registration is not None
    registration, rules = standings.registration.on(day), standings.rules.on(day)
    found: set[tuple[LapseKind, str | None, str]] = set()
    if Standing.LAPSED in registration.holds:
        found.add((LapseKind.REGISTRATION_LAPSED, None, ""))
    for authorization in standings.authorizations:
        span = authorization.timeline.on(day)
        if Standing.LAPSED in span.holds:
            found.add((LapseKind.AUTHORIZATION_LAPSED, authorization.id, ""))
        if not span.standing.permits_practice:
            continue
        if {Standing.LAPSED, Standing.REVOKED, Standing.SURRENDERED} & set(registration.holds):
            found.add((OUTLASTS, authorization.id, ""))
        if Standing.SUSPENDED in registration.holds:
            found.add((LapseKind.REGISTRATION_SUSPENDED, authorization.id, ""))
        for technique in span.scope.techniques if span.scope else ():
            asked = rules.requirements.get(technique, TrainingRequirement())
            for unmet in training_unmet(asked, technique, trainings, day):
                due = unmet.requirement is Requirement.REFRESHER_HOURS
                kind = LapseKind.REFRESHER_DUE if due else INSUFFICIENT
                found.add((kind, authorization.id, technique.value))
    return found


@given(asking(), st.lists(courses, max_size=3))
def test_on_every_day_the_lapses_are_what_is_amiss_on_it(recorded: Facts, trainings: list[Training]) -> None:
    standings = recorded.standings
    lapses = lapses_of(standings, TrainingRecord(trainings))
    for day in DAYS:
        covering = [
            (lapse.kind, lapse.authorization_id, dict(lapse.why).get("technique", ""))
            for lapse in lapses
            if lapse.since <= day and (lapse.until is None or day <= lapse.until)
        ]
        assert len(covering) == len(set(covering))
        assert set(covering) == amiss_on(day, standings, trainings)


@given(asking(), st.lists(courses, max_size=3))
def test_lapses_come_in_the_order_of_their_days_and_no_two_have_the_same_beginning(
    recorded: Facts, trainings: list[Training]
) -> None:
    lapses = lapses_of(recorded.standings, TrainingRecord(trainings))
    assert [lapse.since for lapse in lapses] == sorted(lapse.since for lapse in lapses)
    keys = [
        (lapse.kind, lapse.authorization_id, lapse.since, dict(lapse.why).get("technique"))
        for lapse in lapses
    ]
    assert len(keys) == len(set(keys))
