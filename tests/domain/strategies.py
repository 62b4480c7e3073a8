"""Histories of decisions, sensible and senseless, on a few weeks around the end of a leap February."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import strategies as st

from registry.domain.decisions import Decision, Scope, StatusReport
from registry.domain.rules import BodyRules, RulesHistory
from registry.domain.timeline import fold
from registry.domain.verdict import AuthorizationTimeline, Question, Standings
from registry.domain.vocabulary import DecisionKind, Mode, PracticePermission, Standing, Technique
from tests.domain.deciding import ACTIVE, LONG_AGO, NOT_ALONE, NOT_RENEWED, ON_FILE, ONE_DAY, hours

FIRST_DECIDED = date(2024, 2, 20)
LAST_DECIDED = FIRST_DECIDED + timedelta(days=40)
MOST_DAYS_OF_TERM = 20
MOST_DAYS_OF_GRACE = 6

# Beyond these nothing changes any more: a term, and its grace, of the last day on which anything is decided.
FIRST_DAY = FIRST_DECIDED - 2 * ONE_DAY
LAST_DAY = LAST_DECIDED + timedelta(days=MOST_DAYS_OF_TERM + MOST_DAYS_OF_GRACE + 2)
DAYS = [FIRST_DAY + timedelta(days=i) for i in range((LAST_DAY - FIRST_DAY).days + 1)]

LATER = hours(1_000)
"""An instant after every recording in a history."""

ACTS = [kind for kind in DecisionKind if kind is not DecisionKind.VOIDED]
AS_A_TERM_GOES = [
    DecisionKind.RENEWED,
    DecisionKind.SUSPENDED,
    DecisionKind.REINSTATED,
    DecisionKind.RENEWED,
    DecisionKind.SUSPENDED,
    DecisionKind.CONDITIONS_SET,
    DecisionKind.STATUS_REPORTED,
    DecisionKind.GRANTED,
    DecisionKind.REVOKED,
    DecisionKind.SURRENDERED,
]

days = st.dates(FIRST_DECIDED, LAST_DECIDED)
EARLY = st.dates(FIRST_DECIDED, FIRST_DECIDED + timedelta(days=10))

reports = st.one_of(
    st.none(),
    st.sampled_from([ACTIVE, ACTIVE, NOT_RENEWED, ON_FILE]),
    st.builds(
        StatusReport,
        st.just("Word"),
        st.sampled_from(PracticePermission),
        leaves=st.sampled_from(Standing),
    ),
)

CLASSES = ["general", "provisional"]
registration_scopes = st.builds(
    Scope,
    register_class=st.sampled_from(["general", *CLASSES, None]),
    conditions=st.sampled_from([(), (), (NOT_ALONE,)]),
)

TECHNIQUES = [Technique.DRY_NEEDLING, Technique.ACUPUNCTURE, Technique.INTRAMUSCULAR_STIMULATION]
authorization_scopes = st.builds(
    Scope,
    techniques=st.frozensets(st.sampled_from(TECHNIQUES), min_size=1, max_size=2),
    mode=st.sampled_from([Mode.INDEPENDENT, Mode.INDEPENDENT, Mode.SUPERVISED]),
    conditions=st.sampled_from([(), (), (NOT_ALONE,)]),
    excluded_regions=st.sampled_from([(), (), ("thorax",)]),
)


@dataclass(frozen=True)
class Grace:
    """Days of grace, by the rules of a term's last day, which changed on a day."""

    before: int = 0
    since: int = 0
    changed: date = FIRST_DECIDED

    def __call__(self, last_day: date) -> int:
        return self.before if last_day < self.changed else self.since


graces = st.builds(
    Grace, st.integers(0, MOST_DAYS_OF_GRACE), st.integers(0, MOST_DAYS_OF_GRACE), changed=days
)


def _act(
    draw: st.DrawFn,
    number: int,
    kind: DecisionKind,
    on: date,
    scopes: st.SearchStrategy[Scope],
    shortest: int,
) -> Decision:
    through = draw(st.one_of(st.none(), st.integers(shortest, MOST_DAYS_OF_TERM), st.integers(5, 20)))
    says = kind is not DecisionKind.STATUS_REPORTED and draw(st.integers(0, 3)) < 3
    scoped = kind in (DecisionKind.GRANTED, DecisionKind.CONDITIONS_SET) or draw(st.booleans())
    return Decision(
        id=f"{number:02}",
        kind=kind,
        effective_on=on,
        recorded_at=hours(draw(st.integers(0, 12))),
        through=None if through is None else on + timedelta(days=through),
        scope=draw(st.one_of(scopes, scopes, scopes, st.none())) if scoped else None,
        report=None if says else draw(reports),
    )


def _voiding(draw: st.DrawFn, number: int, made: list[Decision]) -> Decision:
    taken_back = draw(st.sampled_from(made))
    return Decision(
        id=f"{number:02}",
        kind=DecisionKind.VOIDED,
        effective_on=taken_back.effective_on,
        recorded_at=taken_back.recorded_at + timedelta(hours=draw(st.integers(0, 3))),
        voids=taken_back.id,
    )


@st.composite
def plausible(draw: st.DrawFn, scopes: st.SearchStrategy[Scope] = registration_scopes) -> list[Decision]:
    """A grant, then decision upon decision, most of which make sense."""
    on = draw(EARLY)
    made = [_act(draw, 0, DecisionKind.GRANTED, on, scopes, 0)]
    for number in range(1, draw(st.integers(1, 7))):
        on = min(LAST_DECIDED, on + timedelta(days=draw(st.integers(0, 9))))
        made.append(_act(draw, number, draw(st.sampled_from(AS_A_TERM_GOES)), on, scopes, 0))
    return made


@st.composite
def steady(draw: st.DrawFn, scopes: st.SearchStrategy[Scope] = registration_scopes) -> list[Decision]:
    """A long term, interrupted now and then: what most of a register looks like."""
    through = draw(st.sampled_from([None, FIRST_DECIDED + timedelta(days=30)]))
    grant = Decision("00", DecisionKind.GRANTED, draw(EARLY), LONG_AGO, through, draw(scopes))
    made = [grant]
    for number in range(1, draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([DecisionKind.SUSPENDED, DecisionKind.CONDITIONS_SET]))
        on = draw(days)
        last = on + timedelta(days=draw(st.integers(0, 8)))
        made.append(Decision(f"{number:02}", kind, on, LONG_AGO, last, draw(scopes)))
    return made


@st.composite
def arbitrary(draw: st.DrawFn, scopes: st.SearchStrategy[Scope] = registration_scopes) -> list[Decision]:
    """Anything on any day, some of it taken back, and some of that restored."""
    made: list[Decision] = []
    for number in range(draw(st.integers(0, 9))):
        if made and draw(st.integers(0, 3)) == 0:
            made.append(_voiding(draw, number, made))
        else:
            kind = draw(st.sampled_from([DecisionKind.GRANTED, *ACTS]))
            made.append(_act(draw, number, kind, draw(days), scopes, -2))
    return made


def histories(scopes: st.SearchStrategy[Scope] = registration_scopes) -> st.SearchStrategy[list[Decision]]:
    """What was decided about one subject, with ids and instants of recording that may tie."""
    return st.one_of(plausible(scopes), steady(scopes), arbitrary(scopes))


@st.composite
def independent(draw: st.DrawFn) -> list[Decision]:
    """Decisions on different days, none of them a voiding."""
    kept = {d.effective_on: d for d in draw(histories()) if d.kind is not DecisionKind.VOIDED}
    return list(kept.values())


@st.composite
def rules_versions(draw: st.DrawFn) -> BodyRules:
    """One version of the rules of a body that knows two register classes."""
    also = st.frozensets(st.sampled_from(TECHNIQUES), max_size=1)
    return BodyRules(
        holds_from=draw(st.one_of(st.just(date.min), days)),
        recorded_at=LONG_AGO,
        needling_permitted=draw(st.integers(0, 7)) > 0,
        eligible_classes=draw(st.sampled_from([None, frozenset(CLASSES), frozenset({"general"})])),
        learner_classes=draw(st.frozensets(st.sampled_from(CLASSES))),
        covers=draw(st.dictionaries(st.sampled_from(TECHNIQUES), also, max_size=2)),
        registration_grace_days=draw(st.integers(0, MOST_DAYS_OF_GRACE)),
        authorization_grace_days=draw(st.integers(0, MOST_DAYS_OF_GRACE)),
    )


@dataclass(frozen=True)
class Facts:
    """What is recorded of one registration, before anything is folded."""

    registration: list[Decision]
    authorizations: list[list[Decision]]
    rules: RulesHistory

    @property
    def standings(self) -> Standings:
        return Standings(
            fold(self.registration, grace=self.rules.registration_grace),
            [
                AuthorizationTimeline(f"authorization {i}", fold(made, grace=self.rules.authorization_grace))
                for i, made in enumerate(self.authorizations)
            ],
            self.rules,
        )


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    versions = draw(st.lists(rules_versions(), max_size=3))
    authorization = st.one_of(
        steady(authorization_scopes), plausible(authorization_scopes), arbitrary(authorization_scopes)
    )
    return Facts(
        draw(st.one_of(steady(), plausible(), arbitrary())),
        draw(st.lists(authorization, max_size=3)),
        RulesHistory.of(versions),
    )


questions = st.builds(Question, st.sampled_from(TECHNIQUES), st.sampled_from(DAYS), st.sampled_from(Mode))
