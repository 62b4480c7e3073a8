"""Lapses as registrars list and work through them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from registry.clock import new_id
from registry.domain.lapses import state_of
from registry.domain.localtime import day_begins
from registry.domain.vocabulary import DecisionKind, LapseKind, LapseState
from registry.errors import Conflict, Invalid, NotFound, Stale
from registry.services.lapses import (
    LapseItem,
    LapseQuestion,
    acknowledge_lapse,
    acknowledge_lapses,
    assign_lapse,
    count_queue,
    get_lapse,
    list_lapses,
    list_notes,
    note_on_lapse,
    reopen_lapse,
    require_seen,
    sort_lapses,
)
from registry.services.sweep import sweep
from registry.store import tables
from registry.store.amendments import list_amendments
from registry.store.lapses import Order, in_state
from tests.support.factories import (
    database,
    decide,
    make_authorization,
    make_body,
    make_person,
    make_registration,
    void,
)

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 18, tzinfo=UTC)  # noon in Edmonton
DAY = timedelta(days=1)


@pytest.fixture
def engine(database_url):
    with database(database_url) as made:
        yield made


def asked(tx, *, after=None, limit=100, at=NOON, **question):
    return list_lapses(tx, LapseQuestion(**question), after=after, limit=limit, at=at)


def lapsed_at(tx, body, last: date):
    return make_registration(tx, body, through=last)


@pytest.mark.parametrize(
    ("last", "state", "days_until", "days_amiss"),
    [
        (TODAY - 2 * DAY, LapseState.OPEN, None, 2),
        (TODAY - DAY, LapseState.OPEN, None, 1),
        (TODAY, LapseState.COMING, 1, None),
        (TODAY + DAY, LapseState.COMING, 2, None),
    ],
)
def test_a_lapse_is_coming_until_its_day_and_open_from_it_on(engine, last, state, days_until, days_amiss):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), last)
        (item,) = asked(tx)
    assert (item.state, item.days_until, item.days_amiss) == (state, days_until, days_amiss)
    assert item.lapse.kind is LapseKind.REGISTRATION_LAPSED
    assert item.lapse.why == {"term_from": "2025-01-01", "term_through": last.isoformat()}
    assert item.holder.number == record.number


def test_the_state_follows_the_calendar_of_the_body(engine):
    with engine.begin() as tx:
        for code, zone in (("nz", "Pacific/Auckland"), ("ca-xx", "America/Edmonton")):
            lapsed_at(tx, make_body(tx, code, zone=zone), TODAY)
        noon_in_utc = datetime(2026, 3, 10, 12, tzinfo=UTC)  # already the eleventh in Auckland
        states = {item.body.code: item.state for item in asked(tx, at=noon_in_utc)}
    assert states == {"nz": LapseState.OPEN, "ca-xx": LapseState.COMING}


def test_lapses_are_narrowed_by_body_kind_days_and_state(engine):
    with engine.begin() as tx:
        one, other = make_body(tx, "one"), make_body(tx, "other")
        record = lapsed_at(tx, one, TODAY - 10 * DAY)
        make_authorization(tx, record, through=TODAY + 5 * DAY)
        lapsed_at(tx, other, TODAY + 40 * DAY)

        def kinds(**question):
            return [item.lapse.kind.value for item in asked(tx, **question)]

        assert kinds() == [
            "registration_lapsed",
            "authorization_outlasts_registration",
            "authorization_lapsed",
            "registration_lapsed",
        ]
        assert kinds(body_id=other.id) == ["registration_lapsed"]
        assert kinds(kind=LapseKind.AUTHORIZATION_LAPSED) == ["authorization_lapsed"]
        assert kinds(first=TODAY) == ["authorization_lapsed", "registration_lapsed"]
        assert kinds(last=TODAY + 6 * DAY, first=TODAY) == ["authorization_lapsed"]
        assert kinds(within_days=6) == ["authorization_lapsed"]
        assert kinds(within_days=5) == []
        assert kinds(within_days=41) == ["authorization_lapsed", "registration_lapsed"]
        assert kinds(state=LapseState.COMING, body_id=one.id) == ["authorization_lapsed"]
        assert len(kinds(state=LapseState.OPEN)) == 2
        assert kinds(state=LapseState.RESOLVED) == kinds(state=LapseState.ACKNOWLEDGED) == []


def test_a_range_that_ends_before_it_begins_and_an_unknown_body_are_refused(engine):
    with engine.begin() as tx:
        with pytest.raises(Invalid) as caught:
            asked(tx, first=TODAY, last=TODAY - DAY)
        assert caught.value.problems[0]["parameter"] == "to"
        with pytest.raises(NotFound):
            asked(tx, body_id="nobody")


def test_pages_go_through_all_bodies_once_in_order(engine):
    with engine.begin() as tx:
        bodies = [make_body(tx, code) for code in ("one", "two", "three")]
        for position in range(12):
            lapsed_at(tx, bodies[position % 3], TODAY + (position % 4) * DAY)
        every = [item.lapse.place for item in asked(tx)]
        for size in (1, 5, 12):
            found: list[tuple[date, str]] = []
            after = None
            while page := asked(tx, after=after, limit=size):
                found.extend(item.lapse.place for item in page)
                after = found[-1]
            assert found == every == sorted(every)
    assert len(every) == 12


def test_staff_see_the_name_of_a_withheld_record(engine):
    with engine.begin() as tx:
        person = make_person(tx, "Ngaio Tūhoe", withheld=True)
        make_registration(tx, make_body(tx), person, through=TODAY)
        (item,) = asked(tx)
    assert (item.holder.name, item.holder.withheld) == ("Ngaio Tūhoe", True)


def test_a_renewal_resolves_a_lapse_by_name_before_and_after_the_sweep(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY - 5 * DAY)
        record = decide(tx, record, DecisionKind.RENEWED, TODAY + DAY, through=date(2026, 12, 31), at=NOON)
        renewal = record.decisions[-1].decision.id
        assert [item.state for item in asked(tx)] == [LapseState.OPEN, LapseState.COMING]
        (item, _) = asked(tx, at=NOON + DAY)
        assert (item.state, item.resolved_by, item.lapse.resolved_at) == (LapseState.RESOLVED, renewal, None)
        (item,) = asked(tx, at=NOON + DAY, state=LapseState.RESOLVED)
        assert item.lapse.until == TODAY
    for _ in sweep(engine.begin, at=NOON + DAY):
        pass
    with engine.begin() as tx:
        (item,) = asked(tx, at=NOON + DAY, state=LapseState.RESOLVED)
    assert (item.resolved_by, item.lapse.resolved_at) == (renewal, NOON + DAY)


def test_a_backdated_renewal_takes_the_lapse_away_and_is_named(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY - 5 * DAY)
        record = decide(
            tx, record, DecisionKind.RENEWED, TODAY - 4 * DAY, through=date(2026, 12, 31), at=NOON
        )
        (item,) = asked(tx, state=LapseState.RESOLVED)
    assert item.resolved_by == record.decisions[-1].decision.id


def test_acknowledging_is_noted_once_and_can_be_taken_back(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY - 5 * DAY)
        (item,) = asked(tx)
        seen = acknowledge_lapse(tx, item, "wrote to her", by="registrar:1", at=NOON)
        assert seen.state is LapseState.ACKNOWLEDGED
        assert (seen.lapse.acknowledged_by, seen.lapse.acknowledged_at) == ("registrar:1", NOON)
        again = acknowledge_lapse(tx, seen, "wrote to her", by="registrar:1", at=NOON + DAY)
        assert again.lapse.acknowledged_at == NOON
        for note, by in (("another", "registrar:1"), ("wrote to her", "registrar:2")):
            with pytest.raises(Conflict):
                acknowledge_lapse(tx, seen, note, by=by, at=NOON)
        reopened = reopen_lapse(tx, seen, by="registrar:2", at=NOON + DAY)
        assert (reopened.state, reopened.lapse.note) == (LapseState.OPEN, None)
        assert reopen_lapse(tx, reopened, by="registrar:2", at=NOON) == reopened
        (amendment,) = list_amendments(tx, record.id)
    assert amendment.changed["acknowledgement"]["was"]["lapse"]["note"] == "wrote to her"
    assert amendment.recorded_by == "registrar:2"


def test_a_coming_lapse_can_be_acknowledged_and_a_resolved_one_cannot(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY)
        (item,) = asked(tx)
        assert acknowledge_lapse(tx, item, None, by="r", at=NOON).state is LapseState.COMING
        assert get_lapse(tx, item.lapse.id, at=NOON + DAY).state is LapseState.ACKNOWLEDGED
        reopen_lapse(tx, get_lapse(tx, item.lapse.id, at=NOON), by="r", at=NOON)
        late = NOON + 3 * DAY
        decide(tx, record, DecisionKind.RENEWED, TODAY + DAY, through=date(2026, 12, 31), at=late)
        with pytest.raises(Conflict):
            acknowledge_lapse(tx, get_lapse(tx, item.lapse.id, at=late), None, by="r", at=late)


def test_an_acknowledgement_outlives_other_decisions_about_the_registration(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY - 5 * DAY)
        (item,) = asked(tx)
        acknowledge_lapse(tx, item, "seen", by="r", at=NOON)
        decide(tx, record, DecisionKind.SUSPENDED, TODAY - 3 * DAY, at=NOON)
        (item,) = asked(tx)
    assert (item.state, item.lapse.note) == (LapseState.ACKNOWLEDGED, "seen")


def test_an_averted_lapse_is_gone(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY + 5 * DAY)
        (item,) = asked(tx)
        decide(tx, record, DecisionKind.RENEWED, TODAY + 6 * DAY, through=date(2026, 12, 31), at=NOON)
        with pytest.raises(NotFound):
            get_lapse(tx, item.lapse.id, at=NOON)


def test_the_index_finds_exactly_the_states_that_the_domain_tells(engine):
    near = [TODAY + days * DAY for days in (-2, -1, 0, 1, 2)]
    noted = [None, NOON]
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), date(2030, 1, 1))
        t = tables.lapses
        rows = [
            {
                "id": new_id(),
                "body_id": record.body.id,
                "kind": LapseKind.REFRESHER_DUE,
                "subject_id": record.id,
                "detail_key": str(position),
                "registration_id": record.id,
                "since": since,
                "until": until,
                "why": "{}",
                "acknowledged_at": seen,
                "resolved_at": resolved,
            }
            for position, (since, until, seen, resolved) in enumerate(
                itertools.product(near, [None, *near], noted, noted)
            )
        ]
        tx.execute(insert(t), rows)
        told = {
            row["id"]: state_of(
                (row["since"], row["until"]),
                TODAY,
                resolved=row["resolved_at"] is not None,
                acknowledged=row["acknowledged_at"] is not None,
            )
            for row in rows
        }
        due = t.c.kind == LapseKind.REFRESHER_DUE
        for state in LapseState:
            wanted = sorted(id_ for id_, of in told.items() if of is state)
            found = tx.execute(select(t.c.id).where(due, in_state(state, TODAY))).scalars()
            listed = asked(tx, state=state, kind=LapseKind.REFRESHER_DUE, limit=1000)
            assert sorted(found) == wanted
            assert sorted(item.lapse.id for item in listed) == wanted


def test_many_are_acknowledged_at_once_but_for_what_another_changed_meanwhile(engine):
    with engine.begin() as tx:
        body = make_body(tx)
        for days in (1, 2, 3):
            lapsed_at(tx, body, TODAY - days * DAY)
        elsewhere = lapsed_at(tx, make_body(tx, "other"), TODAY - DAY)
        items = asked(tx, body_id=body.id)
        seen = {item.lapse.id: item.lapse.version for item in items}
        acknowledge_lapse(tx, items[1], "mine", by="registrar:2", at=NOON)
        (of_other,) = asked(tx, body_id=elsewhere.body.id)
        told = {**seen, of_other.lapse.id: 1, new_id(): 1}
        done = acknowledge_lapses(tx, body.id, told, "seen", by="registrar:1", at=NOON)
        by = {item.lapse.id: item.lapse.acknowledged_by for item in asked(tx)}
    assert {item.lapse.id for item in done.done} == {items[0].lapse.id, items[2].lapse.id}
    assert {missed.lapse_id for missed in done.missed} == told.keys() - {i.lapse.id for i in done.done}
    assert [by[item.lapse.id] for item in items] == ["registrar:1", "registrar:2", "registrar:1"]
    assert by[of_other.lapse.id] is None


def test_who_it_was_left_to_before_is_kept_and_nobody_overwrites_what_they_did_not_see(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY - DAY)
        (item,) = asked(tx)
        mine = assign_lapse(tx, item, "registrar:1", by="registrar:1", at=NOON)
        assert assign_lapse(tx, mine, "registrar:1", by="registrar:1", at=NOON) == mine
        assert [i.lapse.id for i in asked(tx, assigned_to="registrar:1")] == [item.lapse.id]
        assert asked(tx, assigned_to="") == asked(tx, assigned_to="registrar:2") == []
        with pytest.raises(Stale):
            require_seen(mine, item.lapse.version)
        with pytest.raises(Stale):
            assign_lapse(tx, item, "registrar:2", by="registrar:2", at=NOON)
        assign_lapse(tx, mine, None, by="registrar:2", at=NOON)
        assert [i.lapse.assigned_to for i in asked(tx, assigned_to="")] == [None]
        told = [amendment.changed["assigned_to"] for amendment in list_amendments(tx, record.id)]
    assert [(of["was"]["to"], of["is"]["to"]) for of in told] == [
        (None, "registrar:1"),
        ("registrar:1", None),
    ]


def test_notes_are_kept_in_their_order_also_of_a_lapse_that_is_resolved(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY - 5 * DAY)
        (item,) = asked(tx)
        item = note_on_lapse(tx, item, "Wrote to her.", by="registrar:1", at=NOON)
        decide(tx, record, DecisionKind.RENEWED, TODAY - 4 * DAY, through=date(2026, 12, 31), at=NOON)
        item = get_lapse(tx, item.lapse.id, at=NOON)
        assert item.state is LapseState.RESOLVED
        note_on_lapse(tx, item, "She renewed.", by="registrar:2", at=NOON + DAY)
        notes = list_notes(tx, item)
    assert [(note.text, note.recorded_by) for note in notes] == [
        ("Wrote to her.", "registrar:1"),
        ("She renewed.", "registrar:2"),
    ]


@pytest.mark.parametrize("zone", ["America/Edmonton", "Pacific/Auckland"])
def test_what_is_new_since_yesterday_changes_at_the_body_s_midnight(engine, zone):
    with engine.begin() as tx:
        body = make_body(tx, zone=zone)
        lapsed_at(tx, body, TODAY - DAY)  # it begins on TODAY

        def new(at):
            return len(asked(tx, body_id=body.id, new=True, at=at))

        for day, count in ((-1, 0), (0, 1), (1, 1), (2, 0)):
            begins = day_begins(TODAY + day * DAY, zone)
            last = day_begins(TODAY + (day + 1) * DAY, zone) - timedelta(microseconds=1)
            assert (new(begins), new(last)) == (count, count)
            assert count_queue(tx, body, at=begins).new == count


def test_what_became_known_yesterday_is_new_however_long_ago_it_began(engine):
    with engine.begin() as tx:
        body = make_body(tx)
        make_registration(tx, body, through=TODAY - 40 * DAY, at=NOON)
        assert len(asked(tx, new=True)) == len(asked(tx, new=True, at=NOON + DAY)) == 1
        assert asked(tx, new=True, at=NOON + 2 * DAY) == []


def test_what_is_amiss_again_is_new_again(engine):
    with engine.begin() as tx:
        record = lapsed_at(tx, make_body(tx), TODAY - 40 * DAY)
        record = decide(tx, record, DecisionKind.RENEWED, TODAY - 39 * DAY, through=date(2027, 1, 1), at=NOON)
        assert asked(tx, new=True) == []
        void(tx, record, record.decisions[-1].decision.id, at=NOON)
        (item,) = asked(tx, new=True)
    assert item.is_new


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("order", list(Order))
def test_a_sorted_list_is_gone_through_once_in_pages_of_any_size(engine, order, down):
    with engine.begin() as tx:
        body = make_body(tx)
        for position in range(12):
            lapsed_at(tx, body, TODAY - (position * 5 % 4) * DAY)
        question = LapseQuestion(body_id=body.id)
        every = sort_lapses(tx, question, order, after=None, limit=100, at=NOON, down=down)
        for size in (1, 5):
            found: list[tuple[tuple[str, str], LapseItem]] = []
            while page := sort_lapses(
                tx, question, order, after=found[-1][0] if found else None, limit=size, at=NOON, down=down
            ):
                found += page
            assert [item.lapse.id for _, item in found] == [item.lapse.id for _, item in every]
    shown: list[Any] = [
        {
            Order.FIRST_DAY: item.lapse.since,
            Order.NUMBER: item.holder.number,
            Order.NAME: (item.holder.name or "").split()[::-1],
        }[order]
        for _, item in every
    ]
    assert len(shown) == 12
    assert shown == sorted(shown, reverse=down)
