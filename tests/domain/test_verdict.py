"""The ladder in `registry.domain.verdict`, rung by rung, at the edges of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import pytest

from registry.domain.decisions import Condition, Decision, Scope
from registry.domain.rules import BodyRules, RulesHistory
from registry.domain.timeline import fold
from registry.domain.verdict import (
    AuthorizationTimeline,
    Question,
    Standings,
    Verdict,
    answers_between,
    give_verdict,
)
from registry.domain.vocabulary import Mode, Outcome, Reason, Standing, SubjectKind, Technique
from tests.domain.deciding import (
    ACTIVE,
    GENERAL,
    LONG_AGO,
    NEEDLING,
    NOT_ALONE,
    ON_FILE,
    SUPERVISED_NEEDLING,
    D,
    conditions_set,
    granted,
    hours,
    reinstated,
    renewed,
    reported,
    revoked,
    surrendered,
    suspended,
)

ACUPUNCTURE = Scope(techniques=frozenset({Technique.ACUPUNCTURE}))
RULES = BodyRules(date.min, LONG_AGO, eligible_classes=frozenset({"general"}))
BEFORE, THE_DAY, AFTER = "2025-06-14", "2025-06-15", "2025-06-16"


@dataclass(frozen=True)
class Facts:
    """Of a physiotherapist whom nothing keeps from needling, unless a test says so."""

    registration: Sequence[Decision] = (granted("2025-01-01", scope=GENERAL),)
    authorizations: Sequence[Sequence[Decision]] = ((granted("2025-01-01", scope=NEEDLING),),)
    rules: Sequence[BodyRules] = (RULES,)

    def verdict(
        self,
        on: str = THE_DAY,
        *,
        technique: Technique = Technique.DRY_NEEDLING,
        mode: Mode = Mode.INDEPENDENT,
    ) -> Verdict:
        return give_verdict(Question(technique, D(on), mode), self.standings)

    @property
    def standings(self) -> Standings:
        rules = RulesHistory.of(self.rules)
        return Standings(
            fold(self.registration, grace=rules.registration_grace),
            tuple(
                AuthorizationTimeline(f"authorization {i}", fold(made, grace=rules.authorization_grace))
                for i, made in enumerate(self.authorizations, 1)
            ),
            rules,
        )


FACTS = Facts()


def registration(*decisions: Decision) -> Facts:
    return replace(FACTS, registration=[*FACTS.registration, *decisions])


def authorization(*decisions: Decision) -> Facts:
    return replace(FACTS, authorizations=[[*FACTS.authorizations[0], *decisions]])


def rules_of_the_day(rules: BodyRules) -> tuple[BodyRules, ...]:
    """Rules that hold on one day alone."""
    return (RULES, replace(rules, holds_from=D(THE_DAY)), replace(RULES, holds_from=D(AFTER)))


def scope_of_the_day(scope: Scope, otherwise: Scope) -> list[Decision]:
    return [conditions_set(THE_DAY, scope), conditions_set(AFTER, otherwise)]


def test_a_registrant_with_an_authorization_is_authorized() -> None:
    verdict = FACTS.verdict()
    assert verdict.outcome is Outcome.AUTHORIZED
    assert verdict.authorized is True
    assert verdict.reasons == ()
    assert verdict.registration == fold(FACTS.registration).on(D(THE_DAY))
    assert [id_ for id_, _ in verdict.authorizations] == ["authorization 1"]
    assert (verdict.conditions, verdict.excluded_regions, verdict.valid_through) == ((), (), None)


TAUGHT = replace(RULES, learner_classes=frozenset({"general"}))

RUNGS: dict[str, tuple[Facts, Outcome, list[Reason]]] = {
    "a registration in a word that is not understood": (
        registration(reported(THE_DAY, ON_FILE), reported(AFTER, ACTIVE)),
        Outcome.UNKNOWN,
        [Reason.REGISTRATION_UNKNOWN],
    ),
    "a suspended registration": (
        registration(suspended(THE_DAY, THE_DAY)),
        Outcome.REGISTRATION_NOT_IN_FORCE,
        [Reason.REGISTRATION_SUSPENDED],
    ),
    "a lapsed registration": (
        replace(FACTS, registration=[granted("2025-01-01", BEFORE), granted(AFTER)]),
        Outcome.REGISTRATION_NOT_IN_FORCE,
        [Reason.REGISTRATION_LAPSED],
    ),
    "a revoked registration": (
        registration(revoked(THE_DAY), granted(AFTER)),
        Outcome.REGISTRATION_NOT_IN_FORCE,
        [Reason.REGISTRATION_REVOKED],
    ),
    "a surrendered registration": (
        registration(surrendered(THE_DAY), granted(AFTER)),
        Outcome.REGISTRATION_NOT_IN_FORCE,
        [Reason.REGISTRATION_SURRENDERED],
    ),
    "rules that permit needling to nobody": (
        replace(FACTS, rules=rules_of_the_day(replace(RULES, needling_permitted=False))),
        Outcome.NEEDLING_NOT_PERMITTED,
        [Reason.NEEDLING_NOT_PERMITTED],
    ),
    "rules that make another class eligible": (
        replace(FACTS, rules=rules_of_the_day(replace(RULES, eligible_classes=frozenset({"courtesy"})))),
        Outcome.CLASS_NOT_ELIGIBLE,
        [Reason.CLASS_NOT_ELIGIBLE],
    ),
    "a register class that is not eligible": (
        registration(*scope_of_the_day(Scope(register_class="provisional"), GENERAL)),
        Outcome.CLASS_NOT_ELIGIBLE,
        [Reason.CLASS_NOT_ELIGIBLE],
    ),
    "a registration of no class": (
        registration(*scope_of_the_day(Scope(), GENERAL)),
        Outcome.CLASS_NOT_ELIGIBLE,
        [Reason.CLASS_NOT_ELIGIBLE],
    ),
    "an authorization for something else": (
        authorization(*scope_of_the_day(ACUPUNCTURE, NEEDLING)),
        Outcome.TECHNIQUE_NOT_COVERED,
        [Reason.TECHNIQUE_NOT_COVERED],
    ),
    "an authorization for something else, where the class may learn": (
        replace(authorization(*scope_of_the_day(ACUPUNCTURE, NEEDLING)), rules=[TAUGHT]),
        Outcome.SUPERVISED_ONLY,
        [Reason.TECHNIQUE_NOT_COVERED, Reason.LEARNERS_UNDER_SUPERVISION],
    ),
    "an authorization in a word that is not understood": (
        authorization(reported(THE_DAY, ON_FILE), reported(AFTER, ACTIVE)),
        Outcome.UNKNOWN,
        [Reason.AUTHORIZATION_UNKNOWN],
    ),
    "a suspended authorization": (
        authorization(suspended(THE_DAY, THE_DAY)),
        Outcome.AUTHORIZATION_NOT_IN_FORCE,
        [Reason.AUTHORIZATION_SUSPENDED],
    ),
    "a suspended authorization, where the class may learn": (
        replace(authorization(suspended(THE_DAY, THE_DAY)), rules=[TAUGHT]),
        Outcome.AUTHORIZATION_NOT_IN_FORCE,
        [Reason.AUTHORIZATION_SUSPENDED],
    ),
    "a lapsed authorization": (
        replace(
            FACTS,
            authorizations=[
                [granted("2025-01-01", BEFORE, scope=NEEDLING), granted(AFTER, scope=NEEDLING)],
            ],
        ),
        Outcome.AUTHORIZATION_NOT_IN_FORCE,
        [Reason.AUTHORIZATION_LAPSED],
    ),
    "a revoked authorization": (
        authorization(revoked(THE_DAY), granted(AFTER, scope=NEEDLING)),
        Outcome.AUTHORIZATION_NOT_IN_FORCE,
        [Reason.AUTHORIZATION_REVOKED],
    ),
    "a surrendered authorization": (
        authorization(surrendered(THE_DAY), granted(AFTER, scope=NEEDLING)),
        Outcome.AUTHORIZATION_NOT_IN_FORCE,
        [Reason.AUTHORIZATION_SURRENDERED],
    ),
    "an authorization to practise under supervision": (
        authorization(*scope_of_the_day(SUPERVISED_NEEDLING, NEEDLING)),
        Outcome.SUPERVISED_ONLY,
        [Reason.AUTHORIZATION_SUPERVISED],
    ),
    "conditions on the registration": (
        registration(*scope_of_the_day(replace(GENERAL, conditions=(NOT_ALONE,)), GENERAL)),
        Outcome.AUTHORIZED_WITH_CONDITIONS,
        [Reason.REGISTRATION_CONDITIONS],
    ),
    "conditions on the authorization": (
        authorization(*scope_of_the_day(replace(NEEDLING, conditions=(NOT_ALONE,)), NEEDLING)),
        Outcome.AUTHORIZED_WITH_CONDITIONS,
        [Reason.AUTHORIZATION_CONDITIONS],
    ),
    "regions excluded from the authorization": (
        authorization(*scope_of_the_day(replace(NEEDLING, excluded_regions=("thorax",)), NEEDLING)),
        Outcome.AUTHORIZED_WITH_CONDITIONS,
        [Reason.REGIONS_EXCLUDED],
    ),
    "regions excluded from the registration": (
        registration(*scope_of_the_day(replace(GENERAL, excluded_regions=("thorax",)), GENERAL)),
        Outcome.AUTHORIZED_WITH_CONDITIONS,
        [Reason.REGIONS_EXCLUDED],
    ),
}


@pytest.mark.parametrize(("facts", "outcome", "reasons"), RUNGS.values(), ids=RUNGS.keys())
def test_a_rung_applies_on_its_day_and_not_on_the_day_before_or_after(
    facts: Facts, outcome: Outcome, reasons: list[Reason]
) -> None:
    before, on_the_day, after = (facts.verdict(day) for day in (BEFORE, THE_DAY, AFTER))
    assert (before.outcome, before.reasons, before.valid_through) == (Outcome.AUTHORIZED, (), D(BEFORE))
    assert (on_the_day.outcome, list(on_the_day.reasons)) == (outcome, reasons)
    assert on_the_day.valid_through == D(THE_DAY)
    assert (after.outcome, after.reasons, after.valid_through) == (Outcome.AUTHORIZED, (), None)


@pytest.mark.parametrize(("facts", "outcome", "reasons"), RUNGS.values(), ids=RUNGS.keys())
def test_of_these_rungs_only_limits_leave_a_yes_to_independent_practice(
    facts: Facts, outcome: Outcome, reasons: list[Reason]
) -> None:
    assert facts.verdict().authorized is (outcome is Outcome.AUTHORIZED_WITH_CONDITIONS)


@pytest.mark.parametrize(("facts", "outcome", "reasons"), RUNGS.values(), ids=RUNGS.keys())
def test_supervised_only_is_a_yes_to_supervised_practice(
    facts: Facts, outcome: Outcome, reasons: list[Reason]
) -> None:
    verdict = facts.verdict(mode=Mode.SUPERVISED)
    yes = outcome in (Outcome.SUPERVISED_ONLY, Outcome.AUTHORIZED_WITH_CONDITIONS)
    assert (verdict.outcome, verdict.authorized) == (outcome, yes)


def test_an_authorized_physiotherapist_may_practise_under_supervision_too() -> None:
    assert FACTS.verdict(mode=Mode.SUPERVISED).authorized is True


# Which rung comes first: each fault below stands with all that follow it.

LADDER = [
    (Outcome.UNKNOWN, "an unread registration", [Reason.REGISTRATION_UNKNOWN]),
    (Outcome.REGISTRATION_NOT_IN_FORCE, "a suspended registration", [Reason.REGISTRATION_SUSPENDED]),
    (Outcome.NEEDLING_NOT_PERMITTED, "needling permitted to nobody", [Reason.NEEDLING_NOT_PERMITTED]),
    (Outcome.CLASS_NOT_ELIGIBLE, "a class that is not eligible", [Reason.CLASS_NOT_ELIGIBLE]),
    (Outcome.UNKNOWN, "an unread authorization", [Reason.AUTHORIZATION_UNKNOWN]),
    (Outcome.AUTHORIZATION_NOT_IN_FORCE, "a suspended authorization", [Reason.AUTHORIZATION_SUSPENDED]),
    (Outcome.SUPERVISED_ONLY, "supervision", [Reason.AUTHORIZATION_SUPERVISED]),
    (
        Outcome.AUTHORIZED_WITH_CONDITIONS,
        "limits",
        [Reason.REGISTRATION_CONDITIONS, Reason.AUTHORIZATION_CONDITIONS, Reason.REGIONS_EXCLUDED],
    ),
    (Outcome.AUTHORIZED, "nothing", []),
]


def with_faults(faults: list[str]) -> Facts:
    registered: list[Decision] = []
    authorized: list[Decision] = []
    if "a suspended registration" in faults:
        registered.append(suspended("2025-03-01"))
    if "an unread registration" in faults:
        registered.append(reported("2025-04-01", ON_FILE))
    if "a suspended authorization" in faults:
        authorized.append(suspended("2025-03-01"))
    if "an unread authorization" in faults:
        authorized.append(reported("2025-04-01", ON_FILE))
    register_class = "provisional" if "a class that is not eligible" in faults else "general"
    limits = (NOT_ALONE,) if "limits" in faults else ()
    scope = Scope(
        techniques=NEEDLING.techniques,
        mode=Mode.SUPERVISED if "supervision" in faults else Mode.INDEPENDENT,
        conditions=limits,
        excluded_regions=("thorax",) if "limits" in faults else (),
    )
    return Facts(
        [granted("2025-01-01", scope=Scope(register_class, conditions=limits)), *registered],
        [[granted("2025-01-01", scope=scope), *authorized]],
        [replace(RULES, needling_permitted="needling permitted to nobody" not in faults)],
    )


@pytest.mark.parametrize("rung", range(len(LADDER)), ids=[name for _, name, _ in LADDER])
def test_the_first_rung_that_applies_is_the_outcome_and_every_reason_is_listed(rung: int) -> None:
    verdict = with_faults([name for _, name, _ in LADDER[rung:]]).verdict()
    assert verdict.outcome is LADDER[rung][0]
    assert list(verdict.reasons) == [reason for _, _, reasons in LADDER[rung:] for reason in reasons]


def test_what_is_not_covered_comes_after_the_class_and_before_the_standing_of_authorizations() -> None:
    facts = replace(with_faults(["a class that is not eligible"]), authorizations=[])
    assert facts.verdict().outcome is Outcome.CLASS_NOT_ELIGIBLE
    assert facts.verdict().reasons == (Reason.CLASS_NOT_ELIGIBLE, Reason.TECHNIQUE_NOT_COVERED)
    other = [granted("2025-01-01", scope=ACUPUNCTURE), suspended("2025-02-01")]
    facts = replace(FACTS, authorizations=[other])
    assert facts.verdict().outcome is Outcome.TECHNIQUE_NOT_COVERED
    assert facts.verdict().reasons == (Reason.TECHNIQUE_NOT_COVERED,)


# Registration.


@pytest.mark.parametrize(
    "decisions", [[], [suspended("2025-01-01")]], ids=["nothing", "nothing that makes sense"]
)
def test_a_registration_of_which_nothing_is_known_is_not_found(decisions: list[Decision]) -> None:
    verdict = replace(FACTS, registration=decisions).verdict()
    assert (verdict.outcome, verdict.reasons) == (Outcome.NOT_FOUND, (Reason.NEVER_REGISTERED,))
    assert (verdict.authorized, verdict.registration, verdict.valid_through) == (False, None, None)


def test_a_registration_that_nobody_heard_of_is_not_found() -> None:
    standings = replace(FACTS.standings, registration=None)
    verdict = give_verdict(Question(Technique.DRY_NEEDLING, D(THE_DAY)), standings)
    assert (verdict.outcome, verdict.valid_through) == (Outcome.NOT_FOUND, None)


def test_a_registration_that_is_to_begin_is_found() -> None:
    facts = replace(FACTS, registration=[granted(AFTER)])
    verdict = facts.verdict()
    assert verdict.outcome is Outcome.REGISTRATION_NOT_IN_FORCE
    assert verdict.reasons == (Reason.REGISTRATION_NOT_YET,)
    assert verdict.valid_through == D(THE_DAY)
    assert facts.verdict(AFTER).authorized is True


def test_a_registration_from_the_first_day_there_is_is_found() -> None:
    facts = replace(FACTS, registration=[granted("0001-01-01")])
    assert facts.verdict().outcome is Outcome.AUTHORIZED


def test_a_cancelled_registration_is_found_as_cancelled() -> None:
    verdict = registration(revoked("2025-02-01")).verdict("9999-12-31")
    assert verdict.reasons == (Reason.REGISTRATION_REVOKED,)
    assert verdict.outcome is Outcome.REGISTRATION_NOT_IN_FORCE


def test_a_registration_in_force_of_which_no_scope_is_known_is_of_no_eligible_class() -> None:
    verdict = replace(FACTS, registration=[granted("2025-01-01", scope=None)]).verdict()
    assert (verdict.outcome, verdict.reasons) == (Outcome.CLASS_NOT_ELIGIBLE, (Reason.CLASS_NOT_ELIGIBLE,))


def test_a_lapsed_registration_under_a_suspension_names_both() -> None:
    decisions = [granted("2025-01-01", BEFORE), suspended("2025-05-01")]
    verdict = replace(FACTS, registration=decisions).verdict()
    assert verdict.outcome is Outcome.REGISTRATION_NOT_IN_FORCE
    assert verdict.reasons == (Reason.REGISTRATION_LAPSED, Reason.REGISTRATION_SUSPENDED)


def test_an_unread_word_on_a_lapsed_registration_names_both_and_is_not_a_no() -> None:
    decisions = [granted("2025-01-01", BEFORE), reported("2025-05-01", ON_FILE)]
    verdict = replace(FACTS, registration=decisions).verdict()
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reasons == (Reason.REGISTRATION_UNKNOWN, Reason.REGISTRATION_LAPSED)


def test_a_reinstatement_after_the_expiry_does_not_authorize() -> None:
    decisions = [granted("2025-01-01", BEFORE), suspended("2025-05-01"), reinstated(THE_DAY)]
    verdict = replace(FACTS, registration=decisions).verdict()
    assert (verdict.authorized, verdict.reasons) == (False, (Reason.REGISTRATION_LAPSED,))


def test_the_grace_of_each_body_permits_practice_to_its_last_day() -> None:
    graceful = replace(RULES, registration_grace_days=2, authorization_grace_days=1)
    facts = Facts(
        [granted("2025-01-01", "2025-06-12")],
        [[granted("2025-01-01", "2025-06-13", scope=NEEDLING)]],
        [graceful],
    )
    expected = {
        "2025-06-12": (True, ()),
        "2025-06-13": (True, (Reason.REGISTRATION_IN_GRACE,)),
        "2025-06-14": (True, (Reason.REGISTRATION_IN_GRACE, Reason.AUTHORIZATION_IN_GRACE)),
        "2025-06-15": (False, (Reason.REGISTRATION_LAPSED, Reason.AUTHORIZATION_LAPSED)),
    }
    found = {day: (facts.verdict(day).authorized, facts.verdict(day).reasons) for day in expected}
    assert found == expected


def test_grace_is_that_of_the_rules_of_the_last_day_not_of_the_day_asked_about() -> None:
    generous = replace(RULES, registration_grace_days=10)
    strict = replace(RULES, holds_from=D("2025-06-14"))
    in_time = replace(FACTS, registration=[granted("2025-01-01", "2025-06-13")], rules=[generous, strict])
    too_late = replace(FACTS, registration=[granted("2025-01-01", "2025-06-14")], rules=[generous, strict])
    assert in_time.verdict().reasons == (Reason.REGISTRATION_IN_GRACE,)
    assert too_late.verdict().reasons == (Reason.REGISTRATION_LAPSED,)


# Authorizations.


def test_an_authorization_that_is_to_begin_is_not_in_force_yet() -> None:
    facts = replace(FACTS, authorizations=[[granted(AFTER, scope=NEEDLING)]])
    verdict = facts.verdict()
    assert verdict.outcome is Outcome.AUTHORIZATION_NOT_IN_FORCE
    assert verdict.reasons == (Reason.AUTHORIZATION_NOT_YET,)
    assert verdict.valid_through == D(THE_DAY)
    assert facts.verdict(AFTER).authorized is True


def test_an_authorization_for_something_else_that_is_to_begin_covers_nothing() -> None:
    verdict = replace(FACTS, authorizations=[[granted(AFTER, scope=ACUPUNCTURE)]]).verdict()
    assert verdict.reasons == (Reason.TECHNIQUE_NOT_COVERED,)


def test_a_learner_whose_authorization_is_to_begin_goes_on_learning() -> None:
    facts = replace(FACTS, authorizations=[[granted(AFTER, scope=NEEDLING)]], rules=[TAUGHT])
    verdict = facts.verdict(mode=Mode.SUPERVISED)
    assert (verdict.outcome, verdict.authorized) == (Outcome.SUPERVISED_ONLY, True)
    assert verdict.reasons == (Reason.LEARNERS_UNDER_SUPERVISION, Reason.AUTHORIZATION_NOT_YET)
    assert facts.verdict().authorized is False


def test_nobody_learns_whose_authorization_was_revoked_though_another_is_to_begin() -> None:
    facts = authorization(revoked("2025-02-01"))
    facts = replace(facts, authorizations=[*facts.authorizations, [granted(AFTER, scope=NEEDLING)]])
    verdict = replace(facts, rules=[TAUGHT]).verdict(mode=Mode.SUPERVISED)
    assert (verdict.outcome, verdict.authorized) == (Outcome.AUTHORIZATION_NOT_IN_FORCE, False)
    assert verdict.reasons == (Reason.AUTHORIZATION_REVOKED, Reason.AUTHORIZATION_NOT_YET)


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        (replace(RULES, learner_classes=frozenset({"provisional"})), Outcome.CLASS_NOT_ELIGIBLE),
        (
            replace(
                RULES,
                needling_permitted=False,
                eligible_classes=None,
                learner_classes=frozenset({"provisional"}),
            ),
            Outcome.NEEDLING_NOT_PERMITTED,
        ),
    ],
    ids=["a class that is not eligible", "an act permitted to nobody"],
)
def test_learners_are_not_let_in_where_the_rules_keep_the_class_out(
    rules: BodyRules, outcome: Outcome
) -> None:
    registered = [granted("2025-01-01", scope=Scope(register_class="provisional"))]
    verdict = Facts(registered, [], [rules]).verdict(mode=Mode.SUPERVISED)
    assert (verdict.outcome, verdict.authorized) == (outcome, False)
    assert Reason.LEARNERS_UNDER_SUPERVISION not in verdict.reasons


def test_an_authorization_that_names_no_technique_yet_covers_none_though_it_will() -> None:
    decisions = [granted("2025-01-01", scope=None), conditions_set(AFTER, NEEDLING)]
    facts = replace(FACTS, authorizations=[decisions])
    assert facts.verdict(THE_DAY).reasons == (Reason.TECHNIQUE_NOT_COVERED,)
    assert facts.verdict(AFTER).authorized is True


def test_an_authorization_covers_what_the_rules_of_the_day_say_that_it_covers() -> None:
    ontario = replace(RULES, covers={Technique.ACUPUNCTURE: frozenset({Technique.DRY_NEEDLING})})
    facts = Facts(FACTS.registration, [[granted("2025-01-01", scope=ACUPUNCTURE)]], rules_of_the_day(ontario))
    assert [facts.verdict(day).authorized for day in (BEFORE, THE_DAY, AFTER)] == [False, True, False]
    assert facts.verdict(technique=Technique.ACUPUNCTURE).authorized is True


def test_what_one_technique_covers_is_not_covered_by_the_other() -> None:
    ontario = replace(RULES, covers={Technique.ACUPUNCTURE: frozenset({Technique.DRY_NEEDLING})})
    verdict = replace(FACTS, rules=[ontario]).verdict(technique=Technique.ACUPUNCTURE)
    assert verdict.outcome is Outcome.TECHNIQUE_NOT_COVERED


def test_nothing_is_held_against_a_registrant_where_the_rules_are_not_known() -> None:
    facts = replace(FACTS, rules=[replace(RULES, holds_from=D(AFTER), needling_permitted=False)])
    assert facts.verdict(THE_DAY).outcome is Outcome.AUTHORIZED
    assert facts.verdict(AFTER).outcome is Outcome.NEEDLING_NOT_PERMITTED


def test_one_authorization_in_force_is_enough() -> None:
    others = [
        [granted("2025-01-01", scope=NEEDLING), revoked("2025-02-01")],
        [granted("2025-01-01", scope=NEEDLING), reported("2025-02-01", ON_FILE)],
        *FACTS.authorizations,
    ]
    verdict = replace(FACTS, authorizations=others).verdict()
    assert (verdict.outcome, verdict.reasons) == (Outcome.AUTHORIZED, ())
    assert [id_ for id_, _ in verdict.authorizations] == ["authorization 3"]


def test_where_none_is_in_force_each_says_why() -> None:
    decisions = [
        [granted("2025-01-01", scope=NEEDLING), revoked("2025-02-01")],
        [granted("2025-01-01", "2025-03-31", scope=NEEDLING), suspended("2025-02-01")],
        [granted("2025-01-01", "2025-03-31", scope=NEEDLING)],
    ]
    verdict = replace(FACTS, authorizations=decisions).verdict()
    assert verdict.outcome is Outcome.AUTHORIZATION_NOT_IN_FORCE
    assert verdict.reasons == (
        Reason.AUTHORIZATION_REVOKED,
        Reason.AUTHORIZATION_LAPSED,
        Reason.AUTHORIZATION_SUSPENDED,
    )
    assert [id_ for id_, _ in verdict.authorizations] == [f"authorization {i}" for i in (1, 2, 3)]


def test_an_unread_authorization_among_ended_ones_is_unknown() -> None:
    decisions = [
        [granted("2025-01-01", scope=NEEDLING), revoked("2025-02-01")],
        [granted("2025-01-01", scope=NEEDLING), reported("2025-02-01", ON_FILE)],
    ]
    verdict = replace(FACTS, authorizations=decisions).verdict()
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.reasons == (Reason.AUTHORIZATION_REVOKED, Reason.AUTHORIZATION_UNKNOWN)


def test_an_independent_authorization_outdoes_a_supervised_one() -> None:
    decisions = [[granted("2025-01-01", scope=SUPERVISED_NEEDLING)], *FACTS.authorizations]
    verdict = replace(FACTS, authorizations=decisions).verdict()
    assert (verdict.outcome, verdict.reasons) == (Outcome.AUTHORIZED, ())


def test_supervised_only_says_what_became_of_the_independent_authorization() -> None:
    decisions = [
        [granted("2025-01-01", scope=SUPERVISED_NEEDLING)],
        [granted("2025-01-01", scope=replace(NEEDLING, conditions=(NOT_ALONE,))), suspended("2025-02-01")],
    ]
    verdict = replace(FACTS, authorizations=decisions).verdict(mode=Mode.SUPERVISED)
    assert (verdict.outcome, verdict.authorized) == (Outcome.SUPERVISED_ONLY, True)
    assert verdict.reasons == (Reason.AUTHORIZATION_SUPERVISED, Reason.AUTHORIZATION_SUSPENDED)
    assert verdict.conditions == ()
    assert [id_ for id_, _ in verdict.authorizations] == ["authorization 1", "authorization 2"]


def test_the_limits_of_registration_and_authorizations_are_listed_once_each() -> None:
    withheld = Condition("Sees a doctor each month.", withheld=True)
    limited = replace(NEEDLING, conditions=(withheld, NOT_ALONE), excluded_regions=("thorax", "neck"))
    verdict = Facts(
        [granted("2025-01-01", scope=replace(GENERAL, conditions=(NOT_ALONE,)))],
        [
            [granted("2025-01-01", scope=limited)],
            [granted("2025-01-01", scope=replace(NEEDLING, excluded_regions=("neck",)))],
        ],
    ).verdict()
    assert verdict.conditions == (NOT_ALONE, withheld)
    assert verdict.excluded_regions == ("thorax", "neck")


def test_the_limits_of_an_authorization_that_is_not_in_force_are_still_told() -> None:
    scope = replace(NEEDLING, conditions=(NOT_ALONE,), excluded_regions=("thorax",))
    decisions = [granted("2025-01-01", scope=scope), suspended("2025-02-01")]
    verdict = replace(FACTS, authorizations=[decisions]).verdict()
    assert (verdict.conditions, verdict.excluded_regions) == ((NOT_ALONE,), ("thorax",))
    assert verdict.reasons == (
        Reason.AUTHORIZATION_SUSPENDED,
        Reason.AUTHORIZATION_CONDITIONS,
        Reason.REGIONS_EXCLUDED,
    )


# Until when, and what then.


def test_an_answer_is_valid_through_the_last_day_of_the_shorter_term() -> None:
    facts = Facts(
        [granted("2025-01-01", "2025-09-30")], [[granted("2025-01-01", "2025-12-31", scope=NEEDLING)]]
    )
    assert facts.verdict().valid_through == D("2025-09-30")
    renewal = renewed("2025-09-01", "2026-09-30", recorded=hours(1))
    longer = replace(facts, registration=[*facts.registration, renewal])
    assert longer.verdict().valid_through == D("2025-12-31")


def test_an_answer_about_the_last_day_there_is_is_valid_for_ever() -> None:
    assert FACTS.verdict("9999-12-31").valid_through is None


def test_a_change_that_alters_no_answer_does_not_end_it() -> None:
    facts = registration(renewed("2025-08-01", "2026-01-01"))
    facts = replace(facts, authorizations=[*facts.authorizations, [granted("2025-07-01", scope=ACUPUNCTURE)]])
    facts = replace(facts, rules=[RULES, replace(RULES, holds_from=D("2025-07-15"))])
    assert facts.verdict().valid_through is None


def test_the_same_outcome_for_another_reason_is_another_answer() -> None:
    decisions = [granted("2025-01-01", THE_DAY), suspended("2025-05-01", AFTER)]
    facts = replace(FACTS, registration=decisions)
    expected = {THE_DAY: D(THE_DAY), AFTER: D(AFTER), "2025-06-17": None}
    assert {day: facts.verdict(day).valid_through for day in expected} == expected
    assert {facts.verdict(day).outcome for day in expected} == {Outcome.REGISTRATION_NOT_IN_FORCE}


def test_the_same_outcome_under_another_condition_is_another_answer() -> None:
    other = Condition("Does not needle children.")
    limited = [replace(NEEDLING, conditions=(each,)) for each in (NOT_ALONE, other)]
    regions = [replace(NEEDLING, excluded_regions=(each,)) for each in ("thorax", "neck")]
    for before, after in (limited, regions):
        decisions = [granted("2025-01-01", scope=before), conditions_set(AFTER, after)]
        assert replace(FACTS, authorizations=[decisions]).verdict(THE_DAY).valid_through == D(THE_DAY)


def test_the_same_reasons_in_another_order_are_the_same_answer() -> None:
    ended = [granted("2025-01-01", scope=NEEDLING), revoked("2025-02-01")]
    takes_turns = [granted("2025-01-01", BEFORE, scope=NEEDLING), revoked(AFTER)]
    facts = replace(
        FACTS, authorizations=[takes_turns, ended, [granted("2025-01-01", BEFORE, scope=NEEDLING)]]
    )
    verdict = facts.verdict(THE_DAY)
    assert verdict.reasons == (Reason.AUTHORIZATION_LAPSED, Reason.AUTHORIZATION_REVOKED)
    assert facts.verdict(AFTER).reasons == (Reason.AUTHORIZATION_REVOKED, Reason.AUTHORIZATION_LAPSED)
    assert verdict.valid_through is None


def test_the_answers_between_two_days_are_each_given_with_their_last() -> None:
    facts = registration(suspended("2025-06-10", "2025-06-12"))
    question = Question(Technique.DRY_NEEDLING, D("2025-06-09"))
    answers = [
        (verdict.question.on, verdict.authorized, last)
        for verdict, last in answers_between(question, facts.standings, D("2025-06-14"))
    ]
    assert answers == [
        (D("2025-06-09"), True, D("2025-06-09")),
        (D("2025-06-10"), False, D("2025-06-12")),
        (D("2025-06-13"), True, D("2025-06-14")),
    ]


@pytest.mark.parametrize(("last", "count"), [("2025-06-09", 1), ("2025-06-10", 2)])
def test_an_answer_that_begins_on_the_last_day_asked_about_is_given(last: str, count: int) -> None:
    facts = registration(suspended("2025-06-10", "2025-06-12"))
    question = Question(Technique.DRY_NEEDLING, D("2025-06-09"))
    answers = list(answers_between(question, facts.standings, D(last)))
    assert (len(answers), answers[-1][1]) == (count, D(last))


@pytest.mark.parametrize("subject", SubjectKind)
@pytest.mark.parametrize("standing", Standing)
def test_every_standing_but_in_force_has_its_reason(subject: SubjectKind, standing: Standing) -> None:
    reason = Reason.of(subject, standing)
    if standing is Standing.IN_FORCE:
        assert reason is None
    else:
        assert reason == f"{subject}_{standing}"


def test_only_in_force_and_in_grace_permit_practice() -> None:
    assert {s for s in Standing if s.permits_practice} == {Standing.IN_FORCE, Standing.IN_GRACE}
