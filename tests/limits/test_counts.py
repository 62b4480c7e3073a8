"""What clients use is counted exactly, however many processes and machines count, wherever it is counted."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from registry.domain.allowance import Policy
from registry.store.counts import Cell, Counts, SharedCounts
from registry.store.redis_counts import RedisCounts
from tests.support.figures import Figures
from tests.support.redis import Redis, redis_in

SPAWN = multiprocessing.get_context("spawn")
PROCESSES, EACH = 6, 120
FEW, MANY = Policy("few", 300, 3600), Policy("many", 500, 3600)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis_in(tmp_path_factory.mktemp("r")) as redis:
        yield redis


def of_machine(where: str) -> Counts:
    return SharedCounts(Path(where))


def of_machines(where: str) -> Counts:
    return RedisCounts(where, meanwhile=SharedCounts())


@pytest.fixture(params=["machine", "machines"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Callable[[str], Counts], str]:
    """How counts are opened, and where they are."""
    if request.param == "machine":
        return of_machine, str(tmp_path / "counts")
    redis: Redis = request.getfixturevalue("redis")
    return of_machines, redis.url


def cells(counts: Counts, client: str, *policies: Policy) -> list[Cell]:
    return [(counts.name(client, policy), policy) for policy in policies]


def ask(open_counts: Callable[[str], Counts], where: str, client: str, results: Any) -> None:
    """In a process of its own: take one unit, again and again, and give some of them back."""
    counts = open_counts(where)
    of_client, kept = cells(counts, client, FEW, MANY), 0
    for turn in range(EACH):
        taken = counts.take(of_client, 1)
        kept += taken[0]
        if taken[0] and turn % 10 == 0:
            counts.give_back(of_client, taken, 1)
            kept -= 1
    results.put(kept)


def test_so_many_units_are_given_and_not_one_more_whoever_counts(
    opened: tuple[Callable[[str], Counts], str], figures: Figures
) -> None:
    open_counts, where = opened
    results, client = SPAWN.SimpleQueue(), f"somebody {uuid4()}"
    askers = [SPAWN.Process(target=ask, args=(open_counts, where, client, results)) for _ in range(PROCESSES)]
    for asker in askers:
        asker.start()
    kept = sum(results.get() for _ in askers)
    for asker in askers:
        asker.join()
    counts = open_counts(where)
    used = [used for used, _ in counts.take(cells(counts, client, FEW, MANY), 0)[1]]
    figures.add("units asked for at once", PROCESSES * EACH)
    figures.add("units given beyond the limit", kept - FEW.units)
    assert used == [kept, kept]
    assert kept == FEW.units  # those given back were taken again: there were more who asked


def test_where_one_policy_has_too_few_left_none_is_charged(
    opened: tuple[Callable[[str], Counts], str],
) -> None:
    open_counts, where = opened
    counts = open_counts(where)
    both = cells(counts, f"somebody {uuid4()}", FEW, MANY)
    assert counts.take(both, 299)[0]
    allowed, windows, _ = counts.take(both, 2)
    assert not allowed
    assert [used for used, _ in windows] == [299, 299]
    assert counts.take(both, 1)[0]
    assert all(0 < ends_in <= 3600 for _, ends_in in windows)


def test_a_window_ends_and_then_everything_is_there_again() -> None:
    now = 0.0
    counts = SharedCounts(clock=lambda: now)
    cell = cells(counts, "somebody", Policy("short", 2, 60))
    now = 1000.0
    assert [counts.take(cell, 1)[0] for _ in range(3)] == [True, True, False]
    now += 59.9
    assert not counts.take(cell, 1)[0]
    now += 0.1
    assert [counts.take(cell, 1)[0] for _ in range(3)] == [True, True, False]


def test_redis_forgets_a_window_when_it_ends(redis: Redis) -> None:
    counts = of_machines(redis.url)
    cell = cells(counts, f"somebody {uuid4()}", Policy("short", 1, 1))
    assert counts.take(cell, 1)[0]
    while not counts.take(cell, 1)[0]:  # which it does for a second, and not for ever
        pass


def test_while_redis_is_away_each_machine_counts_on_its_own_and_then_together_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy("few", 5, 3600)
    with redis_in(tmp_path) as redis:
        machines = [of_machines(redis.url) for _ in range(2)]
        monkeypatch.setattr("registry.store.redis_counts.ALONE_FOR_SECONDS", 0.0)

        def given() -> list[int]:
            return [
                sum(counts.take(cells(counts, "somebody", policy), 1)[0] for _ in range(7))
                for counts in machines
            ]

        assert given() == [5, 0]
        redis.kill()
        assert given() == [5, 5]
        told = capsys.readouterr()
        assert "counting_alone" in told.out + told.err  # wherever the log of this process goes
        redis.start()
        assert given() == [5, 0]
