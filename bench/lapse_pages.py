"""The queue of lapses inside the service: its first page and every next one, without HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter

from registry import clock
from registry.domain.vocabulary import LapseState
from registry.services.lapses import LapseQuestion, list_lapses
from registry.store.database import reading
from registry.store.records import find_body

from .engines import Engine
from .figures import Figure, Goal
from .inside import inside
from .registers import BODY
from .turns import Effort

A_PAGE = 50
MOST_PAGES = 400
"""Of each state; the pages after them are as deep as any."""
SLOWEST = {"sqlite": Goal(10, at_least=False), "postgresql": Goal(15, at_least=False)}


def measure(engine: Engine, registers: Mapping[int, str], effort: Effort) -> Iterator[Figure]:
    """The first page, over and over, and the next ones, at each size of register.

    :param registers: database URLs by the number of people in them.
    """
    for people, url in sorted(registers.items()):
        with inside(url):
            firsts = [next(_pages(state)) for _ in range(10 * effort.rounds) for state in STATES]
            nexts = [seconds for state in STATES for seconds in list(_pages(state))[1:]]
        for name, seconds in (("first", firsts), ("next", nexts)):
            if seconds:
                most = sorted(seconds)[int(len(seconds) * 0.95)] * 1000
                yield Figure(f"lapses_{name}_page_p95", engine.name, people, most, "ms", SLOWEST[engine.name])


STATES = (LapseState.OPEN, LapseState.COMING)


def _pages(state: LapseState) -> Iterator[float]:
    """The seconds that one page after the other takes, each in a transaction of its own."""
    after = None
    for _ in range(MOST_PAGES):
        at = clock.now()
        begun = perf_counter()
        with reading() as connection:
            body = find_body(connection, BODY)
            if body is None:
                raise RuntimeError("the register is empty")
            question = LapseQuestion(body_id=body.id, state=state)
            found = list_lapses(connection, question, after=after, limit=A_PAGE, at=at)
        yield perf_counter() - begun
        if len(found) < A_PAGE:
            return
        after = found[-1].lapse.place
