"""The sweep: each thing that time brings is announced once, on its day or however late, by however many."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from registry.domain.vocabulary import DecisionKind
from registry.errors import Invalid
from registry.services import sweep as service
from registry.services.decisions import get_record
from registry.services.sweep import sweep
from registry.store import sweep as store
from registry.store import tables
from tests.support.factories import (
    database,
    decide,
    make_authorization,
    make_body,
    make_registration,
    make_rules,
    void,
)

EDMONTON = ZoneInfo("America/Edmonton")
CREATED = datetime(2026, 1, 1, 12, tzinfo=UTC)
LAST = date(2026, 3, 7)
"""A last day: on the next, a Sunday, clocks in Edmonton go forward at two in the morning."""


@pytest.fixture
def engine(database_url):
    with database(database_url) as made:
        yield made


def at(day: date, hour: int = 12, minute: int = 0, second: int = 0, zone: ZoneInfo = EDMONTON) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone).astimezone(UTC)


def run(engine, when: datetime, on: date | None = None):
    return {swept.code: swept for swept in sweep(engine.begin, at=when, on=on)}


def announced(engine) -> list[tuple[str, date]]:
    e = tables.events
    with engine.begin() as tx:
        rows = tx.execute(select(e.c.type, e.c.day).where(e.c.announces.is_not(None)).order_by(e.c.seq))
        return [(row.type, row.day) for row in rows]


def swept_through(engine, code="ca-xx"):
    b = tables.bodies
    with engine.begin() as tx:
        return tx.execute(select(b.c.swept_through).where(b.c.code == code)).scalar_one()


@pytest.fixture
def registered(engine):
    """A registration through LAST with an authorization that ends a day later."""
    with engine.begin() as tx:
        record = make_registration(tx, make_body(tx), through=LAST)
        record, authorization = make_authorization(tx, record, through=LAST + timedelta(days=1))
    return record, authorization


def test_a_lapse_is_announced_in_the_first_second_of_its_day_and_not_before(engine, registered):
    record, _ = registered
    run(engine, at(LAST, 23, 59, 59))
    assert ("registration.lapsed", LAST + timedelta(days=1)) not in announced(engine)
    run(engine, at(LAST + timedelta(days=1), 0, 0, 0))
    assert announced(engine)[-1] == ("registration.lapsed", date(2026, 3, 8))
    with engine.begin() as tx:
        e = tables.events
        row = tx.execute(select(e).where(e.c.type == "registration.lapsed")).one()
    assert row.registration_id == record.id
    assert row.announces == f"registration.lapsed:{record.id}:2026-03-08"
    assert json.loads(row.data) == {
        "number": record.number,
        "was": "in_force",
        "is": "lapsed",
        "through": "2026-03-07",
        "answers": [
            {
                "technique": "dry_needling",
                "on": "2026-03-08",
                "was": "authorized",
                "is": "registration_not_in_force",
            }
        ],
    }


@pytest.mark.parametrize("kept", [None, "made by other rules\nand in another form"])
def test_the_same_is_told_where_no_answer_is_ready_that_can_be_believed(engine, registered, kept):
    with engine.begin() as tx:
        tx.execute(update(tables.entries).values(answers=kept))
    run(engine, at(LAST + timedelta(days=1), 0, 0, 0))
    with engine.begin() as tx:
        e = tables.events
        data = tx.execute(select(e.c.data).where(e.c.type == "registration.lapsed")).scalar_one()
    (answer,) = json.loads(data)["answers"]
    assert (answer["was"], answer["is"]) == ("authorized", "registration_not_in_force")


def test_the_day_after_clocks_went_forward_begins_at_its_own_midnight(engine, registered):
    run(engine, at(date(2026, 3, 8), 23, 59, 59))
    assert ("authorization.lapsed", date(2026, 3, 9)) not in announced(engine)
    run(engine, at(date(2026, 3, 9), 0, 0, 0))
    assert announced(engine)[-1] == ("authorization.lapsed", date(2026, 3, 9))


def test_each_body_is_swept_by_its_own_calendar(engine):
    with engine.begin() as tx:
        for code, zone in (("nz", "Pacific/Auckland"), ("ca-xx", "America/Edmonton")):
            make_registration(tx, make_body(tx, code, zone=zone), through=LAST)
    noon_in_utc = datetime(2026, 3, 7, 12, tzinfo=UTC)  # 01:00 on the eighth in Auckland
    through = {code: swept.through for code, swept in run(engine, noon_in_utc).items()}
    assert through == {"nz": date(2026, 3, 8), "ca-xx": date(2026, 3, 7)}
    assert [type_ for type_, _ in announced(engine)].count("registration.lapsed") == 1


def test_nothing_is_announced_twice_by_running_again(engine, registered):
    first = run(engine, at(LAST + timedelta(days=5)))
    before = announced(engine)
    again = run(engine, at(LAST + timedelta(days=5), 13))
    later = run(engine, at(LAST + timedelta(days=6)))
    assert first["ca-xx"].announced == len(before) == 8
    assert (again["ca-xx"].announced, later["ca-xx"].announced) == (0, 0)
    assert announced(engine) == before


@pytest.mark.parametrize("missed_days", [0, 1, 40, 4000])
def test_missed_runs_lose_nothing_and_keep_the_order_of_days(engine, registered, missed_days):
    run(engine, at(LAST + timedelta(days=1 + missed_days)))
    days = [day for _, day in announced(engine)]
    assert days == sorted(days)
    kinds = Counter(type_ for type_, _ in announced(engine))
    lapsed = {"registration.lapsed": 1, "authorization.lapsed": 1 if missed_days else 0}
    expiring = {"registration.expiring": 3, "authorization.expiring": 3}
    assert kinds == Counter({**expiring, **lapsed})


def test_small_pages_give_the_same_as_large_ones(engine, monkeypatch):
    with engine.begin() as tx:
        body = make_body(tx)
        for _ in range(7):
            make_authorization(tx, make_registration(tx, body, through=LAST), through=LAST)
    monkeypatch.setattr(service, "PAGE", 3)
    assert run(engine, at(date(2026, 4, 1)))["ca-xx"].announced == 7 * 2 * 4
    assert len(set(announced(engine))) == 8
    assert swept_through(engine) == date(2026, 4, 1)


def test_a_run_that_was_killed_between_pages_is_taken_up_again(engine, monkeypatch):
    with engine.begin() as tx:
        body = make_body(tx)
        for _ in range(7):
            make_registration(tx, body, through=LAST)
    monkeypatch.setattr(service, "PAGE", 3)
    page = service._announce_page
    calls = iter(range(4))

    def killed(*given):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return page(*given)

    with monkeypatch.context() as patched:
        patched.setattr(service, "_announce_page", killed)
        with pytest.raises(KeyboardInterrupt):
            run(engine, at(date(2026, 4, 1)))
    assert 0 < len(announced(engine)) < 28
    run(engine, at(date(2026, 4, 1)))
    assert len(announced(engine)) == 28


def test_a_clock_that_was_set_back_writes_nothing_and_moves_no_mark(engine, registered):
    run(engine, at(LAST + timedelta(days=3)))
    before = announced(engine)
    assert run(engine, at(LAST - timedelta(days=100)))["ca-xx"].announced == 0
    assert announced(engine) == before
    assert swept_through(engine) == LAST + timedelta(days=3)


def test_what_was_over_when_the_body_was_taken_in_is_not_announced(engine):
    with engine.begin() as tx:
        body = make_body(tx, rules=make_rules(holds_from=date(2010, 1, 1)))
        record = make_registration(tx, body, effective_on=date(2010, 1, 1), through=date(2015, 12, 31))
        decide(tx, record, DecisionKind.RENEWED, date(2018, 1, 1), through=date(2019, 12, 31))
    assert run(engine, at(date(2026, 6, 1)))["ca-xx"].announced == 0


def test_what_a_decision_brought_to_a_day_that_had_begun_its_own_event_tells(engine, registered):
    record, authorization = registered
    run(engine, at(date(2026, 2, 1)))
    before = announced(engine)
    with engine.begin() as tx:
        when = at(date(2026, 2, 1), 14)
        record = decide(tx, record, DecisionKind.SUSPENDED, date(2026, 2, 1), at=when)
        decide(tx, record, DecisionKind.SUSPENDED, date(2026, 1, 10), authorization_id=authorization, at=when)
    run(engine, at(date(2026, 2, 2)))
    run(engine, at(date(2026, 2, 3)))
    assert announced(engine) == before


@pytest.mark.parametrize(
    ("kind", "turning"),
    [
        (DecisionKind.SUSPENDED, "suspension_begun"),
        (DecisionKind.REVOKED, "term_ended"),
        (DecisionKind.SURRENDERED, "term_ended"),
    ],
)
def test_a_decision_that_was_recorded_ahead_is_announced_when_its_day_comes(
    engine, registered, kind, turning
):
    record, _ = registered
    with engine.begin() as tx:
        record = decide(tx, record, kind, date(2026, 2, 10), at=at(date(2026, 2, 5)))
    run(engine, at(date(2026, 2, 9), 23, 59, 59))
    assert (f"registration.{turning}", date(2026, 2, 10)) not in announced(engine)
    run(engine, at(date(2026, 2, 10), 0))
    assert announced(engine)[-1] == (f"registration.{turning}", date(2026, 2, 10))
    e = tables.events
    with engine.begin() as tx:
        row = tx.execute(select(e).where(e.c.type == f"registration.{turning}")).one()
    assert row.decision_id == record.decisions[-1].decision.id


def test_a_term_that_was_granted_ahead_and_the_end_of_a_suspension_and_grace_are_announced(engine):
    with engine.begin() as tx:
        body = make_body(tx, rules=make_rules(registration_grace_days=10))
        ahead = date(2026, 2, 1)
        record = make_registration(tx, body, effective_on=ahead, through=date(2026, 3, 31))
        day = date(2026, 2, 10)
        decide(tx, record, DecisionKind.SUSPENDED, day, through=date(2026, 2, 20), at=at(day))
    run(engine, at(date(2026, 4, 30)))
    assert announced(engine) == [
        ("registration.term_begun", date(2026, 2, 1)),
        ("registration.suspension_over", date(2026, 2, 21)),
        ("registration.expiring", date(2026, 3, 1)),
        ("registration.expiring", date(2026, 3, 24)),
        ("registration.grace_begun", date(2026, 4, 1)),
        ("registration.lapsed", date(2026, 4, 11)),
    ]


def test_a_renewal_in_time_takes_the_announcement_away(engine, registered):
    record, _ = registered
    with engine.begin() as tx:
        when = at(date(2026, 1, 2))
        decide(tx, record, DecisionKind.RENEWED, LAST + timedelta(days=1), through=date(2027, 3, 7), at=when)
    run(engine, at(date(2026, 6, 1)))
    assert {type_ for type_, _ in announced(engine)} == {"authorization.expiring", "authorization.lapsed"}


def test_what_was_committed_over_midnight_is_announced_with_the_next_day(engine, registered):
    """A suspension for tomorrow is being recorded while the sweep of tomorrow runs: it cannot see it yet."""
    record, _ = registered
    run(engine, at(date(2026, 2, 10), 0, 0, 1))
    with engine.begin() as tx:
        decide(tx, record, DecisionKind.SUSPENDED, date(2026, 2, 10), at=at(date(2026, 2, 9), 23, 59, 59))
    run(engine, at(date(2026, 2, 10), 0, 5))
    assert ("registration.suspension_begun", date(2026, 2, 10)) not in announced(engine)
    run(engine, at(date(2026, 2, 11), 0, 0, 1))
    assert announced(engine)[-1] == ("registration.suspension_begun", date(2026, 2, 10))


def test_a_voided_decision_is_not_announced(engine, registered):
    record, _ = registered
    with engine.begin() as tx:
        record = decide(tx, record, DecisionKind.SUSPENDED, date(2026, 2, 10), at=at(date(2026, 2, 5)))
        suspension = record.decisions[-1].decision.id
        void(tx, record, suspension, at=at(date(2026, 2, 6)))
    run(engine, at(date(2026, 2, 20)))
    assert {type_ for type_, _ in announced(engine)} == {"registration.expiring", "authorization.expiring"}


def test_a_run_can_be_told_to_go_no_further_than_a_day_but_not_into_the_future(engine, registered):
    run(engine, at(date(2026, 6, 1)), on=LAST)
    assert swept_through(engine) == LAST
    with pytest.raises(Invalid, match="has not come yet"):
        run(engine, at(date(2026, 6, 1)), on=date(2026, 6, 2))


def test_a_lapse_that_a_renewal_ended_is_closed_by_it(engine):
    with engine.begin() as tx:
        record = make_registration(tx, make_body(tx), through=LAST)
    run(engine, at(date(2026, 3, 20)))
    with engine.begin() as tx:
        when = at(date(2026, 3, 20))
        record = decide(
            tx, record, DecisionKind.RENEWED, date(2026, 4, 1), through=date(2026, 12, 31), at=when
        )
    lapses = tables.lapses
    first = select(lapses).order_by(lapses.c.since).limit(1)
    for day, resolved in ((date(2026, 3, 31), 0), (date(2026, 4, 1), 1), (date(2026, 4, 2), 0)):
        assert run(engine, at(day, 0))["ca-xx"].resolved == resolved
    with engine.begin() as tx:
        row = tx.execute(first).one()
    assert row.resolved_by == record.decisions[-1].decision.id
    assert row.resolved_at == at(date(2026, 4, 1), 0)
    assert (row.since, row.until) == (date(2026, 3, 8), date(2026, 3, 31))


def _sweep_elsewhere(url: str, when: datetime, start) -> None:
    start.wait()
    with database(url) as engine:
        for _ in sweep(engine.begin, at=when):
            pass


def _populate(engine, people: int) -> None:
    with engine.begin() as tx:
        body = make_body(tx)
        for position in range(people):
            record = make_registration(tx, body, through=LAST + timedelta(days=position % 5))
            make_authorization(tx, record, through=LAST + timedelta(days=position % 3))


def test_several_processes_at_once_lose_nothing_and_repeat_nothing(engine, database_url):
    _populate(engine, 40)
    engine.dispose()
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    when = at(date(2026, 4, 1))
    others = [context.Process(target=_sweep_elsewhere, args=(database_url, when, start)) for _ in range(3)]
    for process in others:
        process.start()
    start.set()
    for process in others:
        process.join(60)
    assert [process.exitcode for process in others] == [0, 0, 0]
    found = announced(engine)
    assert len(found) == 40 * 2 * 4
    assert [day for _, day in found] == sorted(day for _, day in found)


def test_several_threads_with_small_pages_and_registrars_at_work(engine, monkeypatch):
    _populate(engine, 30)
    monkeypatch.setattr(service, "PAGE", 7)
    failures: list[BaseException] = []
    r = tables.registrations

    def guarded(work):
        def doing():
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - told to the test below
                failures.append(error)

        return threading.Thread(target=doing)

    def record_decisions():
        with engine.begin() as tx:
            ids = list(tx.execute(select(r.c.id).order_by(r.c.id)).scalars())
        for position, id_ in enumerate(ids):
            with engine.begin() as tx:
                when = at(date(2026, 3, 20), 8, 0, position)
                decide(
                    tx,
                    get_record(tx, id_),
                    DecisionKind.RENEWED,
                    date(2026, 3, 20),
                    through=date(2026, 12, 31),
                    at=when,
                )

    threads = [guarded(lambda: run(engine, at(date(2026, 4, 1)))) for _ in range(3)]
    threads.append(guarded(record_decisions))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    kinds = Counter(type_ for type_, _ in announced(engine))
    assert kinds == Counter(
        {
            "registration.expiring": 90,
            "authorization.expiring": 90,
            "registration.lapsed": 30,
            "authorization.lapsed": 30,
        }
    )


def test_the_mark_never_moves_back(engine, registered):
    run(engine, at(date(2026, 4, 1)))
    with engine.begin() as tx:
        b = tables.bodies
        tx.execute(update(b).values(swept_through=date(2026, 5, 1)))
    run(engine, at(date(2026, 4, 20)))
    assert swept_through(engine) == date(2026, 5, 1)


def test_a_failure_leaves_nothing_half_announced(engine, registered, monkeypatch):
    def failing(*_given):
        raise OperationalError("statement", {}, Exception("the disk is full"))

    with monkeypatch.context() as patched:
        patched.setattr(store, "note_swept", failing)
        with pytest.raises(OperationalError):
            run(engine, at(date(2026, 4, 1)))
    assert announced(engine) == []
    run(engine, at(date(2026, 4, 1)))
    assert len(announced(engine)) == 8
