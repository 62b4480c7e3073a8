"""Names searched for inside the service: how long each kind of query takes, and whether it finds them.

Asked for are people of the register, as those who look for them would type their names. Times are of the
service with its database, without HTTP: ``p50`` and ``p95`` of a query, in milliseconds. ``recall`` is the
share of queries with somebody of that name among the first twenty.
"""

from __future__ import annotations

import random
import statistics
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from string import ascii_lowercase
from time import perf_counter

from sqlalchemy import Connection

from registry import clock
from registry.domain.names import fold
from registry.services.look_up import find, get_entry
from registry.services.search import Wanted, search
from registry.store.database import public_reading

from .engines import Engine
from .figures import Figure, Goal
from .inside import inside
from .registers import BODY, number
from .turns import Effort

FIRST = 20
QUERIES_A_ROUND = 60
SLOWEST = {"sqlite": Goal(3, at_least=False), "postgresql": Goal(5, at_least=False)}
RECALL = Goal(0.99)

Mistype = Callable[[random.Random, str], str]


def surname(_: random.Random, name: str) -> str:
    """The last word alone: common to many."""
    return name.rsplit(maxsplit=1)[-1]


def prefix(rng: random.Random, name: str) -> str:
    """The surname's beginning, with the given name's."""
    given, *_, family = name.split()
    return f"{given[:2]} {family[: rng.randint(3, max(3, len(family) - 1))]}"


def either_order(_: random.Random, name: str) -> str:
    """The surname first."""
    given, *rest = name.split()
    return " ".join([*rest, given])


def without_marks(_: random.Random, name: str) -> str:
    """Letters without their diacritics, all of them small."""
    plain = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).lower()


def one_typing_error(rng: random.Random, name: str) -> str:
    """One letter of the longer word left out, doubled, another, or exchanged with its neighbour."""
    words = name.split()
    place = max(range(len(words)), key=lambda index: len(words[index]))
    word = words[place]
    at = rng.randrange(1, len(word) - 1)
    words[place] = rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + rng.choice(ascii_lowercase) + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return " ".join(words)


KINDS: Mapping[str, Mistype] = {
    "surname": surname,
    "prefix": prefix,
    "either_order": either_order,
    "without_marks": without_marks,
    "one_typing_error": one_typing_error,
}
SURELY_FIRST = {"either_order", "without_marks", "one_typing_error"}
"""Kinds of query that name one person, so that it can be said whether they were found."""


def measure(engine: Engine, registers: Mapping[int, str], effort: Effort) -> Iterator[Figure]:
    """Each kind of query at each size of register.

    :param registers: database URLs by the number of people in them.
    """
    for people, url in sorted(registers.items()):
        with inside(url), public_reading() as connection:
            names = _names(connection, people, QUERIES_A_ROUND * effort.rounds)
            for name, kind in KINDS.items():
                yield from _figures(engine.name, people, name, list(_ask(connection, names, kind)))


def _names(connection: Connection, people: int, wanted: int) -> list[str]:
    rng, at = random.Random(people), clock.now()
    names: list[str] = []
    while len(names) < wanted:
        of = number(rng.randrange(people))
        person = get_entry(find(connection, BODY, of), of, on=None, at=at)
        if person.name is not None and len(max(person.name.split(), key=len)) > 3:
            names.append(person.name)
    return names


def _ask(connection: Connection, names: list[str], kind: Mistype) -> Iterator[tuple[float, bool]]:
    """The seconds that each query took, and whether one of that name was found."""
    rng = random.Random(len(names))
    for name in names:
        query = kind(rng, name)
        begun = perf_counter()
        found = search(connection, Wanted(name=query), at=clock.now(), limit=FIRST)
        seconds = perf_counter() - begun
        yield seconds, any(fold(person.name or "") == fold(name) for person in found.people)


def _figures(engine: str, people: int, name: str, asked: list[tuple[float, bool]]) -> Iterator[Figure]:
    seconds = sorted(each for each, _ in asked)
    half, most = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    yield Figure(f"search_{name}_p50", engine, people, half * 1000, "ms")
    yield Figure(f"search_{name}_p95", engine, people, most * 1000, "ms", SLOWEST[engine])
    if name in SURELY_FIRST:
        share = sum(found for _, found in asked) / len(asked)
        yield Figure(f"search_{name}_recall", engine, people, share, "", RECALL)
