"""Snapshots become decisions: whatever is drafted leaves, on the snapshot's day, what the snapshot says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.decisions import Condition, Decision, Scope, StatusReport
from registry.domain.explanation import Unexplainable, explain, explain_unlisted
from registry.domain.snapshot import NOT_LISTED, Stated, next_doubt
from registry.domain.timeline import fold
from registry.domain.vocabulary import DecisionKind, PracticePermission, Standing, Technique

Y, N, U = PracticePermission.YES, PracticePermission.NO, PracticePermission.UNKNOWN
ACTIVE = StatusReport("ACTIVE", Y, leaves=Standing.IN_FORCE)
EXPIRED = StatusReport("EXPIRED", N, leaves=Standing.LAPSED)
SUSPENDED = StatusReport("SUSPENDED", N, disciplinary=True, leaves=Standing.SUSPENDED)
HELD = StatusReport("SUMMARILY SUSPENDED", N, disciplinary=True, leaves=Standing.SUSPENDED)
REVOKED = StatusReport("REVOKED", N, disciplinary=True, leaves=Standing.REVOKED)
SURRENDERED = StatusReport("RETIRED", N, leaves=Standing.SURRENDERED)
ODD = StatusReport("PENDING II", U)
WORDS = (None, ACTIVE, EXPIRED, SUSPENDED, HELD, REVOKED, SURRENDERED, ODD)
START = datetime(2020, 1, 1, tzinfo=UTC)
DAY = date(2020, 6, 1)

numbers = count(1)


def new_id() -> str:
    return f"{next(numbers):08}"


class Register:
    """One registration's decisions, and a clock that moves on with every snapshot."""

    def __init__(self, grace: int = 0) -> None:
        self.decisions: list[Decision] = []
        self.at = START
        self.grace = lambda _last: grace

    def explain(self, stated: Stated, day: date = DAY) -> list[Decision]:
        at = self.at + timedelta(hours=1)
        return explain(stated, self.decisions, day=day, at=at, new_id=new_id, grace=self.grace)

    def take_in(self, stated: Stated, day: date = DAY) -> list[DecisionKind]:
        drafts = self.explain(stated, day)
        self.decisions += drafts
        self.at += timedelta(hours=1)
        return [draft.kind for draft in drafts]

    def on(self, day: date) -> Standing:
        return fold(self.decisions, grace=self.grace).on(day).standing


def stated(first="2019-01-01", last="2020-12-31", report=ACTIVE, **more) -> Stated:
    return Stated(
        None if first is None else date.fromisoformat(first),
        None if last is None else date.fromisoformat(last),
        report=report,
        **more,
    )


K = DecisionKind


def test_a_new_registration_is_granted_as_stated() -> None:
    register = Register()
    assert register.take_in(stated()) == [K.GRANTED]
    assert register.on(date(2018, 12, 31)) is Standing.NOT_YET
    assert register.on(date(2019, 1, 1)) is Standing.IN_FORCE
    assert register.on(date(2021, 1, 1)) is Standing.LAPSED


def test_active_with_a_past_expiry_is_lapsed_by_date() -> None:
    register = Register()
    assert register.take_in(stated(last="2020-05-31")) == [K.GRANTED]
    assert register.on(DAY) is Standing.LAPSED


@pytest.mark.parametrize(
    ("report", "standing"),
    [
        (EXPIRED, Standing.LAPSED),
        (SUSPENDED, Standing.SUSPENDED),
        (REVOKED, Standing.REVOKED),
        (SURRENDERED, Standing.SURRENDERED),
        (ODD, Standing.UNKNOWN),
    ],
)
def test_the_days_before_an_undated_status_are_unknown(report: StatusReport, standing: Standing) -> None:
    register = Register()
    register.take_in(stated(report=report))
    assert register.on(date(2019, 1, 1)) is Standing.UNKNOWN
    assert register.on(DAY - timedelta(1)) is Standing.UNKNOWN
    assert register.on(DAY) is standing


def test_a_dated_status_holds_from_its_day() -> None:
    register = Register()
    register.take_in(stated(report=SUSPENDED, status_day=date(2020, 3, 1)))
    assert register.on(date(2020, 2, 29)) is Standing.IN_FORCE
    assert register.on(date(2020, 3, 1)) is Standing.SUSPENDED


def test_expired_with_a_past_last_day_needs_no_more_than_the_grant() -> None:
    assert Register().take_in(stated(last="2020-05-31", report=EXPIRED)) == [K.GRANTED]


def test_expired_within_the_rules_grace_is_not_in_grace() -> None:
    register = Register(grace=30)
    register.take_in(stated(last="2020-05-31", report=EXPIRED))
    assert register.on(date(2020, 5, 31)) is Standing.IN_FORCE
    assert register.on(DAY) is Standing.LAPSED


def test_without_a_first_day_nothing_is_said_of_the_days_before_the_snapshot() -> None:
    register = Register()
    register.take_in(stated(first=None))
    assert register.on(DAY - timedelta(1)) is Standing.NOT_YET
    assert register.on(DAY) is Standing.IN_FORCE


def test_a_renewal_in_time_follows_the_old_term() -> None:
    register = Register()
    register.take_in(stated())
    assert register.take_in(stated(last="2021-12-31")) == [K.RENEWED]
    assert register.on(date(2021, 1, 1)) is Standing.IN_FORCE


def test_a_renewal_seen_late_revives_no_past_day() -> None:
    register = Register()
    register.take_in(stated(last="2020-03-31"))
    assert register.take_in(stated(last="2021-03-31")) == [K.RENEWED]
    assert register.on(DAY - timedelta(1)) is Standing.LAPSED
    assert register.on(DAY) is Standing.IN_FORCE


@pytest.mark.parametrize("field", ["first_day", "renewed_day"])
def test_a_renewal_begins_on_the_day_that_the_snapshot_gives(field: str) -> None:
    register = Register()
    register.take_in(stated(last="2020-03-31"))
    said: dict[str, Any] = {field: date(2020, 5, 1)}
    later = replace(stated(last="2021-03-31"), **said)
    assert register.take_in(later) == [K.RENEWED]
    assert register.on(date(2020, 4, 30)) is Standing.LAPSED
    assert register.on(date(2020, 5, 1)) is Standing.IN_FORCE


def test_an_earlier_last_day_is_a_correction() -> None:
    register = Register()
    register.take_in(stated())
    assert register.take_in(stated(last="2020-05-31")) == [K.VOIDED, K.GRANTED]
    assert register.on(DAY) is Standing.LAPSED


def test_a_renewal_that_never_was_is_taken_back() -> None:
    register = Register()
    register.take_in(stated())
    register.take_in(stated(last="2021-12-31"))
    assert register.take_in(stated()) == [K.VOIDED]
    assert register.on(date(2021, 1, 1)) is Standing.LAPSED


def test_another_first_day_is_a_correction() -> None:
    register = Register()
    register.take_in(stated())
    assert register.take_in(stated(first="2019-02-01")) == [K.VOIDED, K.GRANTED]
    assert register.on(date(2019, 1, 31)) is Standing.NOT_YET


@pytest.mark.parametrize("report", [SUSPENDED, REVOKED, SURRENDERED, EXPIRED])
@pytest.mark.parametrize(
    ("first", "last"),
    [("2019-01-01", "2020-09-30"), ("2018-06-01", "2020-12-31"), ("2019-02-01", "2020-12-31")],
)
def test_days_are_corrected_whatever_was_reported_of_the_first(report, first, last) -> None:
    register = Register()
    register.take_in(stated(report=report), DAY - timedelta(10))
    was = register.on(DAY)
    assert register.on(date(2019, 1, 1)) is Standing.UNKNOWN
    corrected, first_day = stated(first, last, report), date.fromisoformat(first)
    assert K.GRANTED in register.take_in(corrected)
    assert register.on(DAY) is was
    term = fold(register.decisions).on(DAY)
    assert term.term_through == corrected.last_day
    assert register.on(first_day) is Standing.UNKNOWN
    assert register.on(first_day - timedelta(1)) is Standing.NOT_YET
    assert register.take_in(replace(corrected, report=ACTIVE)) != []
    assert register.on(DAY) is Standing.IN_FORCE


def test_open_ended_only_where_it_says_so() -> None:
    register = Register()
    register.take_in(stated())
    assert register.take_in(stated(last=None)) == []
    assert register.take_in(stated(last=None, open_ended=True)) == [K.RENEWED]
    assert register.on(date(2099, 1, 1)) is Standing.IN_FORCE


@pytest.mark.parametrize(
    ("before", "after", "kinds", "standing"),
    [
        (SUSPENDED, ACTIVE, [K.REINSTATED], Standing.IN_FORCE),
        (SUSPENDED, HELD, [K.SUSPENDED], Standing.SUSPENDED),
        (ODD, ACTIVE, [K.STATUS_REPORTED], Standing.IN_FORCE),
        (EXPIRED, ACTIVE, [K.STATUS_REPORTED], Standing.IN_FORCE),
        (REVOKED, ACTIVE, [K.GRANTED], Standing.IN_FORCE),
        (SURRENDERED, SUSPENDED, [K.GRANTED, K.SUSPENDED], Standing.SUSPENDED),
        (SURRENDERED, REVOKED, [K.VOIDED, K.REVOKED], Standing.REVOKED),
        (REVOKED, EXPIRED, [K.STATUS_REPORTED], Standing.REVOKED),
        (ACTIVE, ODD, [K.STATUS_REPORTED], Standing.UNKNOWN),
        (ACTIVE, EXPIRED, [K.STATUS_REPORTED], Standing.LAPSED),
        (ACTIVE, REVOKED, [K.REVOKED], Standing.REVOKED),
        (ACTIVE, ACTIVE, [], Standing.IN_FORCE),
    ],
)
def test_another_word_is_the_decision_that_leaves_it(before, after, kinds, standing) -> None:
    register = Register()
    register.take_in(stated(report=before), DAY - timedelta(10))
    assert register.take_in(stated(report=after)) == kinds
    assert register.on(DAY) is standing


def test_what_is_not_in_force_is_not_brought_into_force_by_a_later_last_day() -> None:
    register = Register()
    register.take_in(stated(report=EXPIRED))
    register.take_in(stated(report=EXPIRED, last="2021-12-31"))
    assert register.on(date(2021, 6, 1)) is Standing.LAPSED


def test_what_a_snapshot_does_not_speak_of_stays() -> None:
    register = Register()
    scope = Scope("General", conditions=(Condition("chaperone"),))
    register.take_in(stated(scope=scope, speaks_of=frozenset({"register_class", "conditions"})))
    other = Scope("Courtesy")
    assert register.take_in(stated(scope=other, speaks_of=frozenset({"register_class"}))) == [
        K.CONDITIONS_SET
    ]
    held = fold(register.decisions).on(DAY).scope
    assert held == Scope("Courtesy", conditions=(Condition("chaperone"),))


def test_an_authorization_that_is_named_no_longer_stops_being_a_yes() -> None:
    register = Register()
    scope = Scope(techniques=frozenset({Technique.DRY_NEEDLING}))
    register.take_in(stated(report=None, scope=scope))
    gone = explain_unlisted(register.decisions, day=DAY, at=register.at + timedelta(hours=1), new_id=new_id)
    assert [(d.kind, d.report) for d in gone] == [(K.STATUS_REPORTED, NOT_LISTED)]
    register.decisions += gone
    register.at += timedelta(hours=1)
    assert register.on(DAY) is Standing.LAPSED
    assert explain_unlisted(register.decisions, day=DAY, at=register.at, new_id=new_id) == []
    assert register.take_in(stated(report=None, scope=scope)) == [K.STATUS_REPORTED]
    assert register.on(DAY) is Standing.IN_FORCE


def test_a_decision_on_record_that_would_make_no_sense_refuses_the_row() -> None:
    register = Register()
    register.take_in(stated())
    suspension = Decision(new_id(), K.SUSPENDED, date(2020, 2, 1), register.at + timedelta(minutes=1))
    lifted = Decision(new_id(), K.REINSTATED, date(2020, 3, 1), register.at + timedelta(minutes=1))
    register.decisions += [suspension, lifted]
    with pytest.raises(Unexplainable):
        register.explain(stated(first="2020-02-15"))


def test_a_suspension_that_ends_by_itself_is_a_doubt() -> None:
    register = Register()
    register.take_in(stated())
    assert next_doubt(fold(register.decisions), DAY) is None
    at = register.at + timedelta(minutes=1)
    register.decisions.append(Decision(new_id(), K.SUSPENDED, DAY, at, through=date(2020, 7, 1)))
    assert next_doubt(fold(register.decisions), DAY) == date(2020, 7, 2)


days = st.integers(0, 1200).map(lambda n: date(2018, 6, 1) + timedelta(n))
maybe_days = st.none() | days


@st.composite
def snapshots(draw) -> tuple[Stated, date]:
    first, last, on = draw(maybe_days), draw(maybe_days), draw(days)
    if first is not None and last is not None and last < first:
        first, last = last, first
    since = draw(maybe_days)
    return (
        Stated(
            first,
            last,
            open_ended=last is None and draw(st.booleans()),
            renewed_day=draw(maybe_days),
            status_day=None if since is None else min(since, on),
            report=draw(st.sampled_from(WORDS)),
            scope=Scope(draw(st.sampled_from(["General", "Provisional"]))),
            speaks_of=frozenset({"register_class"}),
        ),
        on,
    )


@st.composite
def decided(draw) -> Decision:
    """What a registrar might have recorded by hand, sensible or not."""
    kind = draw(st.sampled_from([k for k in K if k is not K.VOIDED]))
    first, through = draw(days), draw(maybe_days)
    scope = Scope("General") if kind in (K.GRANTED, K.CONDITIONS_SET) else None
    report = draw(st.sampled_from(WORDS[1:])) if kind is K.STATUS_REPORTED else None
    through = None if through is None or through < first else through
    return Decision(new_id(), kind, first, START, through, scope, report)


@given(
    st.lists(snapshots(), min_size=1, max_size=4), st.lists(decided(), max_size=3), st.sampled_from([0, 30])
)
def test_what_is_drafted_agrees_and_the_same_snapshot_again_changes_nothing(series, by_hand, grace) -> None:
    register = Register(grace)
    register.decisions += by_hand
    for snapshot, on in series:
        before = {d.id for d, _ in fold(register.decisions, grace=register.grace).objections}
        try:
            register.take_in(snapshot, on)
        except Unexplainable:
            continue
        timeline = fold(register.decisions, grace=register.grace)
        assert {d.id for d, _ in timeline.objections} <= before
        assert register.explain(snapshot, on) == []
        judged = timeline.on(on)
        if snapshot.leaves is not Standing.IN_FORCE:
            assert not judged.standing.permits_practice
        if snapshot.last_day is not None and snapshot.last_day < on - timedelta(grace):
            assert not judged.standing.permits_practice
        doubt = next_doubt(timeline, on)
        for later in (1, 40, 400):
            if doubt is None or on + timedelta(later) < doubt:
                assert register.explain(snapshot, on + timedelta(later)) == []


@given(st.lists(snapshots(), min_size=1, max_size=1))
def test_a_snapshot_of_what_is_new_can_always_be_explained(series) -> None:
    for snapshot, on in series:
        Register().take_in(snapshot, on)
