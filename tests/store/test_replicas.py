"""What one process knows of its replicas: worked out here by hand, over servers that answer as told."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, create_engine

from registry import clock
from registry.store import replicas as module
from registry.store.beats import EVERY, Shown, is_due
from registry.store.replicas import CLOCKS_DIFFER, PATIENCE, Moment, Order, Pulse, Replica, Replicas, present

LAG, STALE = 10.0, 600.0
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PRIMARY, PROMOTED, ONE, TWO = (NOON - timedelta(days=each) for each in (1, 2, 3, 4))
"""When each server was started: that is how they are told apart."""


class Clocks:
    """Both clocks of the process, which go on as told."""

    def __init__(self) -> None:
        self.ticks, self.at = 1000.0, NOON

    def go_on(self, seconds: float) -> Moment:
        self.ticks += seconds
        self.at += timedelta(seconds=seconds)
        return present()


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clocks.ticks))
    monkeypatch.setattr(clock, "now", lambda: clocks.at)
    return clocks


def beat(token: str | None, server: datetime = PRIMARY, **others: object) -> Shown:
    return replace(Shown(server, server in (ONE, TWO), False, token, None), **others)  # type: ignore[arg-type]  # of Shown


@pytest.fixture
def engine() -> Engine:
    return create_engine("sqlite://")


class World:
    """A primary and two replicas, as one process has found them."""

    def __init__(self, clocks: Clocks, engine: Engine) -> None:
        self.clocks = clocks
        self.one, self.two = Replica("one", engine), Replica("two", engine)
        self.all = Replicas(engine, [self.one, self.two], [], lag=LAG, stale=STALE)
        self.all._start = lambda: None  # type: ignore[method-assign]  # nobody looks but the test
        self.all._process = os.getpid()
        self.all._began = clocks.ticks
        self.all._seen.set()
        self.pulse = self.all.pulse

    def beaten(self, token: str) -> Moment:
        begun = present()
        self.pulse.met(begun, beat(None))
        self.pulse.beaten(begun, beat(None), token)
        return begun

    def sources(self, order: Order = Order.REPLICAS_FIRST, **most: float) -> list[tuple[str, float]]:
        found = self.all.sources(order, **most)
        return [("primary" if s.replica is None else s.replica.name, s.age) for s in found]

    def shows(self, which: Replica, token: str | None, **others: object) -> None:
        server = ONE if which is self.one else TWO
        which.met(present(), beat(token, server, **others), self.pulse)


@pytest.fixture
def world(clocks: Clocks, engine: Engine) -> World:
    return World(clocks, engine)


# --- What a beat proves ---


def test_who_shows_a_beat_of_ours_shows_all_from_before_we_began_it(clocks: Clocks) -> None:
    pulse, begun = Pulse(), present()
    pulse.beaten(begun, beat("theirs"), "ours")
    clocks.go_on(3)
    assert pulse.before("ours") == begun
    assert pulse.before("never heard of") is None


def test_a_beat_of_another_process_is_later_than_our_look_before_it(clocks: Clocks) -> None:
    pulse = Pulse()
    pulse.met(clocks.go_on(1), beat("a"))
    second = clocks.go_on(1)
    pulse.met(second, beat("a"))
    pulse.met(clocks.go_on(1), beat("b"))
    assert pulse.before("a") is None, "it may be as old as the hills"
    assert pulse.before("b") == second


def test_what_another_server_shows_is_compared_with_nothing(clocks: Clocks) -> None:
    pulse = Pulse()
    pulse.met(clocks.go_on(1), beat("a"))
    pulse.met(clocks.go_on(1), beat("b", PROMOTED))
    assert pulse.before("b") is None
    third = clocks.go_on(1)
    pulse.met(third, beat("b", PROMOTED))
    pulse.met(clocks.go_on(1), beat("c", PROMOTED))
    assert pulse.before("c") == third


def test_beats_of_long_ago_are_forgotten(clocks: Clocks) -> None:
    pulse = Pulse()
    for number in range(module.REMEMBERED + 1):
        pulse.beaten(clocks.go_on(1), beat(None), str(number))
    assert pulse.before("0") is None
    assert pulse.before("1") is not None


def test_age_is_what_the_slower_to_forgive_of_two_clocks_says(clocks: Clocks) -> None:
    moment = present()
    clocks.go_on(5)
    assert moment.age() == 5
    clocks.at -= timedelta(hours=1)  # set back
    assert moment.age() == 5
    clocks.at += timedelta(hours=3)  # set forward; or the machine slept, and only one of its clocks with it
    assert moment.age() == 2 * 3600 + 5


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (timedelta(0), False),
        (EVERY - timedelta(microseconds=1), False),
        (EVERY, True),
        (-timedelta(hours=1), True),  # somebody's clock ran ahead when they beat
    ],
)
def test_a_beat_is_due_when_the_last_is_old_or_from_the_future(since: timedelta, due: bool) -> None:
    assert is_due(beat("a", beaten_at=NOON), NOON + since) is due
    assert is_due(beat(None), NOON)


# --- Which replicas are fit ---


def test_fit_replicas_are_read_in_turn_and_the_primary_only_after_them(world: World, clocks: Clocks) -> None:
    world.beaten("a")
    clocks.go_on(2)
    world.shows(world.one, "a")
    world.shows(world.two, "a")
    first, second = world.sources(), world.sources()
    assert [first[:2], second[:2]] == [[("one", 2), ("two", 2)], [("two", 2), ("one", 2)]]
    assert first[2] == second[2] == ("primary", 0)


def test_who_holds_a_key_reads_from_the_primary_alone(world: World) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    world.pulse.silent = True
    assert world.sources(Order.PRIMARY_ONLY) == [("primary", 0)]


def test_a_replica_is_fit_to_the_very_bound_and_no_longer(world: World, clocks: Clocks) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    clocks.go_on(LAG)
    world.beaten("b")  # the primary goes on; the replica does not
    world.shows(world.one, "a")
    assert world.sources()[0] == ("one", LAG)
    clocks.go_on(0.001)
    assert world.sources()[0] == ("primary", 0)


def test_a_replica_that_is_no_longer_looked_at_grows_unfit_by_itself(world: World, clocks: Clocks) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    clocks.go_on(LAG + 1)
    world.pulse.met(present(), beat("a"))
    assert ("one", LAG + 1) not in world.sources()[:1]


def test_a_beat_that_nobody_here_knows_yet_proves_as_soon_as_it_is_known(
    world: World, clocks: Clocks
) -> None:
    world.pulse.met(present(), beat("a"))
    begun = clocks.go_on(1)
    world.pulse.met(begun, beat("a"))
    clocks.go_on(0.2)
    world.shows(world.one, "b")  # seen on the replica before it was seen on the primary
    assert world.sources()[0] == ("primary", 0)
    world.pulse.met(clocks.go_on(0.8), beat("b"))
    clocks.go_on(0.5)
    world.shows(world.one, "c")
    assert world.sources()[0] == ("one", 1.5)


def test_a_replica_that_was_started_again_proves_anew_what_it_shows(world: World, clocks: Clocks) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    assert world.sources()[0][0] == "one"
    older = beat("older", TWO)
    world.one.met(present(), older, world.pulse)
    assert world.sources()[0][0] == "primary"


def test_what_was_promoted_is_a_replica_no_more(world: World) -> None:
    world.beaten("a")
    world.shows(world.one, "a", replica=False)
    assert world.sources() == [("primary", 0)]


def test_a_replica_that_failed_is_left_alone_until_it_is_looked_at_again(world: World) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    world.one.fail()
    assert world.sources() == [("primary", 0)]
    world.shows(world.one, "a")
    assert world.sources()[0][0] == "one"


def test_who_needs_newer_answers_than_the_replicas_have_asks_the_primary(
    world: World, clocks: Clocks
) -> None:
    world.beaten("a")
    clocks.go_on(2)
    world.shows(world.one, "a")
    assert world.sources(most_age=2)[0][0] == "one"
    assert world.sources(most_age=1.9) == [("primary", 0)]


def test_on_another_timeline_nothing_is_proved_however_busy_it_is(world: World, clocks: Clocks) -> None:
    """A replica that follows a primary which was left behind shows beats that the present one never had."""
    world.beaten("a")
    world.shows(world.one, "a")
    for second in range(1, int(LAG) + 2):
        clocks.go_on(1)
        world.beaten(f"new {second}")
        world.shows(world.one, f"left behind {second}", beaten_at=clocks.at)
    assert world.sources()[0] == ("primary", 0)


# --- While the primary cannot be reached ---


def test_a_primary_is_lost_when_it_refuses_or_says_nothing_for_a_while(world: World, clocks: Clocks) -> None:
    assert not world.all.is_lost(), "it was not even asked"
    world.beaten("a")
    clocks.go_on(PATIENCE)
    assert not world.all.is_lost()
    clocks.go_on(0.1)
    assert world.all.is_lost()
    world.beaten("b")
    assert not world.all.is_lost()
    world.pulse.silent = True
    assert world.all.is_lost()


def lose(world: World, clocks: Clocks, seconds: float) -> None:
    """The primary is gone, and so many seconds pass."""
    world.pulse.silent = True
    clocks.go_on(seconds)


def test_without_the_primary_the_freshest_replica_answers_and_says_how_old_it_is(
    world: World, clocks: Clocks
) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    clocks.go_on(3)
    world.beaten("b")
    world.shows(world.two, "b")
    lose(world, clocks, 120)
    assert world.sources() == [("two", 120), ("one", 123), ("primary", 0)]


def test_what_lacked_too_much_at_the_last_contact_does_not_answer_for_the_primary(
    world: World, clocks: Clocks
) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    clocks.go_on(LAG + 1)
    world.beaten("b")
    world.shows(world.one, "a")
    lose(world, clocks, 5)
    assert world.sources() == [("primary", 0)]


def test_what_is_older_than_is_allowed_does_not_answer_at_all(world: World, clocks: Clocks) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    lose(world, clocks, STALE)
    assert world.sources()[0] == ("one", STALE)
    clocks.go_on(1)
    assert world.sources() == [("primary", 0)]


def test_a_process_that_never_saw_the_primary_believes_the_beat_less_what_clocks_differ_by(
    world: World, clocks: Clocks
) -> None:
    world.shows(world.one, "a", beaten_at=NOON - timedelta(seconds=100))
    lose(world, clocks, 20)
    assert world.sources() == [("one", 120 + CLOCKS_DIFFER.total_seconds()), ("primary", 0)]


def test_a_process_that_never_saw_the_primary_does_not_believe_who_holds_something_back(
    world: World, clocks: Clocks
) -> None:
    world.shows(world.one, "a", beaten_at=NOON, holds_back=True)
    lose(world, clocks, 1)
    assert world.sources() == [("primary", 0)]


def test_a_beat_from_the_future_is_believed_by_nobody(world: World, clocks: Clocks) -> None:
    world.shows(world.one, "a", beaten_at=NOON + CLOCKS_DIFFER + timedelta(seconds=1))
    lose(world, clocks, 0)
    assert world.sources() == [("primary", 0)]


def test_a_claim_makes_no_replica_fit_while_the_primary_is_there(world: World) -> None:
    world.pulse.met(present(), beat("b"))
    world.shows(world.one, "a", beaten_at=NOON)
    assert world.sources()[0] == ("primary", 0)


def test_when_others_still_reach_the_primary_their_beats_count(world: World, clocks: Clocks) -> None:
    world.beaten("a")
    lose(world, clocks, 100)
    world.shows(world.one, "theirs", beaten_at=clocks.at)
    assert world.sources()[0] == ("one", CLOCKS_DIFFER.total_seconds())


def test_who_was_interrupted_asks_the_primary_first_and_replicas_when_it_is_lost(
    world: World, clocks: Clocks
) -> None:
    world.beaten("a")
    world.shows(world.one, "a")
    assert world.sources(Order.PRIMARY_FIRST)[:2] == [("primary", 0), ("one", 0)]
    world.pulse.silent = True
    assert world.sources(Order.PRIMARY_FIRST)[0] == ("one", 0)
