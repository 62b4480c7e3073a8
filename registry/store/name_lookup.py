"""Finding people by name: stretches of a sorted index, each read no further than a page needs.

Whoever matches by a word that only a former name adds is found where a body that publishes former names
keeps a registration of theirs, and nowhere else; the database leaves out the others before anything is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from itertools import islice
from math import log
from typing import Any, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler
from sqlalchemy import Connection

from registry.domain import names
from registry.domain.name_search import (
    LAST,
    MOST_CANDIDATES,
    MOST_TYPED,
    Corrections,
    NameQuery,
    Place,
    Stage,
    Words,
    body_mark,
    city_mark,
    last_stages,
    places,
    stages_of_one_word,
    sure_stages,
    unsure_stages,
)

from .name_statements import (
    FOUND_BY,
    WORDS_FROM,
    postgresql_stretches,
    sqlite_stretches,
    word_range,
    words_like,
)
from .nicknames import other_names
from .search import as_list, listed, read_back
from .transliteration import romanized

FIRST_STRETCHES, MORE_STRETCHES = 12, 64
"""Stretches that are read by one statement: few where the best may do, then many."""


RESEMBLING = 60
"""People who are read under each word of a name that nobody bears as a whole."""

RARITY_COUNTS = 0.5
"""What sharing a rare word counts for, beside how much the words are alike."""


class Position(NamedTuple):
    """Where in the answer to a query someone stands. Words in it are words that they may be found by."""

    stage: int = -1
    word: str = ""
    second: str = ""
    practitioner_id: str = ""
    former: int = -1


NO_WAY_ON = Position(1_000_000)


class Match(NamedTuple):
    """Someone who was found.

    :param by_former: whether by a word that only former names add.
    """

    practitioner_id: str
    by_former: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the index: the places under ``word``, or those that lead under a range of words.

    :param after: the second word, person and kind of name behind which it begins; not before ``low``, as
        PostgreSQL begins to read where the row comparison says.
    """

    stage: int
    word: str
    last_word: str
    low: str
    high: str
    leads: int
    others: tuple[str, ...]
    after: tuple[str, str, int]

    @property
    def is_range(self) -> bool:
        """Whether it goes over several words."""
        return self.word != self.last_word


def understand(connection: Connection, name: str, city: str | None) -> NameQuery:
    """What someone typed, as it is looked for. There are no words where nothing was typed."""
    typed = names.tokens(name)[:MOST_TYPED]
    latin = tuple(dict.fromkeys(filter(None, map(romanized, typed))))
    key = names.city_key(city or "")
    cities = _cities(connection, city_mark(key)) if key else None
    return NameQuery(typed, () if latin == typed else latin, cities)


def _cities(connection: Connection, mark: str) -> tuple[str, ...]:
    parameters = {"low": mark, "high": mark + LAST, "most": MOST_CANDIDATES + 1}
    found = connection.execute(WORDS_FROM, parameters).scalars()
    return (mark, *(word for word in found if word != mark))


def find_people(
    connection: Connection, query: NameQuery, after: Position, *, body: str | None, size: int
) -> Iterator[Match]:
    """Who may be meant, the likeliest first, each once; read as far as they are asked for.

    :param after: where to go on; ``Position()`` for the beginning.
    :param body: the code of a body that keeps a registration of theirs.
    :param size: how many are likely to be asked for.
    """
    reader = _Reader(connection, body, size)
    stages = list(sure_stages(query, other_names))
    found_any = after.stage >= 0
    for match in reader.read(stages, 0, len(stages), after):
        found_any = True
        yield match
    corrections, beginnings = _words_like(connection, query)
    sure = len(stages)
    stages += unsure_stages(query, corrections, beginnings)
    for match in reader.read(stages, sure, len(stages), after):
        found_any = True
        yield match
    if not found_any or after.stage >= len(stages):
        unsure = len(stages)
        stages += last_stages(query, corrections)
        for match in reader.read(stages, unsure, len(stages), after):
            found_any = True
            yield match
    if not found_any:
        yield from _resembling(_Reader(connection, body, RESEMBLING), query, corrections, size - 1)


def is_found_by(connection: Connection, query: NameQuery, practitioner_id: str) -> Match | None:
    """Whether the name finds this one person; of words that only former names add, as anywhere."""
    row = connection.execute(FOUND_BY, {"id": practitioner_id}).one_or_none()
    if row is None:
        return None
    stages = list(sure_stages(query, other_names))
    stages += unsure_stages(query, *_words_like(connection, query))
    marks = tuple(row.marks.split())
    for former, kept in enumerate((row.words, row.former)):
        person = places(read_back(kept), marks)
        if any(stage.first_of(person) is not None for stage in stages):
            return Match(practitioner_id, bool(former), Position())
    return None


def _resembling(reader: _Reader, query: NameQuery, corrections: Corrections, most: int) -> Iterator[Match]:
    """Who shares one word of several with what was typed, the most alike first. None follow these.

    Of the bearers of a word, only some are read: the first, and the first whose other names begin alike.
    """
    best: dict[str, tuple[float, str, bool]] = {}
    for rows in reader.bearers(stages_of_one_word(query, corrections)):
        rarity = RARITY_COUNTS / log(len(rows) + 2)
        for _, _, id_, former, *kept in rows:
            score = (-rarity - _likeness(query.typed, kept[former]), id_, bool(former))
            best[id_] = min(score, best.get(id_, score))
    for _, id_, by_former in nsmallest(most, best.values()):
        yield Match(id_, by_former, NO_WAY_ON)


def _likeness(typed: Words, kept: str) -> float:
    """How much the words of a person are like those typed, from 0 to 1."""
    return max(
        sum(max(JaroWinkler.similarity(word, other) for other in reading) for word in typed) / len(typed)
        for reading in read_back(kept)
    )


class _Reader:
    """Reads the stages of one query."""

    def __init__(self, connection: Connection, body: str | None, size: int) -> None:
        self._connection = connection
        self._engine = connection.dialect.name
        self._body = () if body is None else (f" {body_mark(body)} ",)
        self._size = size

    def read(self, stages: Sequence[Stage], first: int, last: int, after: Position) -> Iterator[Match]:
        """The people of stages ``first`` to ``last``; those before it say who was given already."""
        waiting = [
            stretch
            for number in range(max(first, after.stage), last)
            for stretch in _stretches(number, stages[number], self._body)
        ]
        waiting = list(_remaining(waiting, after))
        many = MORE_STRETCHES if first else FIRST_STRETCHES
        while waiting:
            chunk = list(islice(_of_one_kind(waiting), many))
            many = MORE_STRETCHES
            found = self._rows(chunk)
            done = len(chunk)
            for i, stretch in enumerate(chunk):
                rows = found.get(i, ())
                yield from self._matches(stages, stretch, rows)
                if len(rows) == self._size:
                    waiting[i] = _behind(stretch, rows[-1])
                    done = i
                    break
            waiting = waiting[done:]

    def bearers(self, stages: Iterable[Stage]) -> Iterable[Sequence[Any]]:
        """The first rows of each stretch of these stages."""
        stretches = [stretch for stage in stages for stretch in _stretches(0, stage, self._body)]
        return self._rows(stretches).values() if stretches else ()

    def _matches(self, stages: Sequence[Stage], stretch: Stretch, rows: Iterable[Any]) -> Iterator[Match]:
        for row in rows:
            if _is_first(stages[: stretch.stage + 1], row):
                word, second, id_, former = row[:4]
                yield Match(id_, bool(former), Position(stretch.stage, word, second, id_, former))

    def _rows(self, chunk: Sequence[Stretch]) -> Mapping[int, Sequence[Any]]:
        """The rows of each stretch, by its number in the chunk, in order."""
        if chunk[0].is_range:
            return self._range(chunk[0])
        conditions = max(len(stretch.others) for stretch in chunk)
        if self._engine == "sqlite":
            return self._sqlite(chunk, conditions)
        return self._postgresql(chunk, conditions)

    def _sqlite(self, chunk: Sequence[Stretch], conditions: int) -> Mapping[int, Sequence[Any]]:
        asked = [[i, *_asked(stretch, conditions)] for i, stretch in enumerate(chunk)]
        parameters = {"stretches": json.dumps(asked), "size": self._size}
        rows = self._connection.execute(sqlite_stretches(conditions), parameters).all()
        return {i: sorted(json.loads(found)) for i, found in rows}

    def _postgresql(self, chunk: Sequence[Stretch], conditions: int) -> Mapping[int, Sequence[Any]]:
        columns = zip(*(_asked(stretch, conditions) for stretch in chunk), strict=True)
        parameters = {f"column{i}": list(column) for i, column in enumerate(columns)}
        rows = self._connection.execute(postgresql_stretches(conditions), {**parameters, "size": self._size})
        grouped: dict[int, list[Any]] = {}
        for i, *row in rows.all():
            grouped.setdefault(i - 1, []).append(row)
        return grouped

    def _range(self, stretch: Stretch) -> Mapping[int, Sequence[Any]]:
        second, id_, former = stretch.after
        parameters: dict[str, Any] = {
            "word": stretch.word,
            "last_word": stretch.last_word,
            "second": second,
            "id": id_,
            "former": former,
            "size": self._size,
            **{f"other{i}": other for i, other in enumerate(stretch.others)},
        }
        statement = word_range(self._engine, len(stretch.others))
        return {0: self._connection.execute(statement, parameters).all()}


def _asked(stretch: Stretch, conditions: int) -> list[Any]:
    others = [*stretch.others, *([""] * (conditions - len(stretch.others)))]
    return [stretch.word, stretch.low, stretch.high, stretch.leads, *stretch.after, *others]


def _stretches(number: int, stage: Stage, body: tuple[str, ...]) -> Iterator[Stretch]:
    others = (*stage.others, *body)
    seconds = [("", LAST)] if stage.seconds is None else stage.seconds.stretches()
    leads = int(stage.seconds is None)
    for first, last in stage.words.stretches():
        for low, high in seconds:
            yield Stretch(number, first, last, low, high, leads, others, (low, "", -1))


def _remaining(stretches: Iterable[Stretch], after: Position) -> Iterator[Stretch]:
    """What is left of the stretches behind a position."""
    for stretch in stretches:
        if stretch.stage != after.stage:
            yield stretch
        elif (stretch.last_word, stretch.high) >= (after.word, after.second):
            reached = stretch.word <= after.word and (stretch.is_range or stretch.low <= after.second)
            yield _behind(stretch, after[1:]) if reached else stretch


def _behind(stretch: Stretch, row: Sequence[Any]) -> Stretch:
    word, second, id_, former = row[:4]
    low = stretch.low if stretch.is_range else second
    return Stretch(
        stretch.stage,
        word,
        stretch.last_word,
        low,
        stretch.high,
        stretch.leads,
        stretch.others,
        (second, id_, former),
    )


def _of_one_kind(stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """A range by itself, or the stretches before the next range."""
    if stretches[0].is_range:
        yield stretches[0]
        return
    for stretch in stretches:
        if stretch.is_range:
            return
        yield stretch


def _is_first(stages: Sequence[Stage], row: Sequence[Any]) -> bool:
    """Whether this is the first of a person's places, so that each person is given once."""
    word, second, _, former, in_use, with_former, marks = row
    kept = with_former if former else in_use
    if len(stages) == 1 and not former and _is_surely_first(stages[0], word, kept):
        return True
    person = _places_of(kept, marks)
    if any(stage.first_of(person) is not None for stage in stages[:-1]):
        return False
    first = stages[-1].first_of(person)
    alone = stages[-1].seconds is None
    if first is None or first[0] != word or not (alone or first[1] == second):
        return False
    return not former or not any(stage.first_of(_places_of(in_use, marks)) for stage in stages)


def _is_surely_first(stage: Stage, word: str, kept: str) -> bool:
    """What is quick to tell of most people: one reading of two words, one of which fits in one place."""
    if "|" in kept or kept.count(" ") != 1:
        return False
    if stage.seconds is not None:
        return len(stage.words.words) == len(stage.seconds.words) == 1
    return sum(other in stage.words for other in kept.split(" ")) == 1 and word in kept


@lru_cache(maxsize=2048)
def _places_of(kept: str, marks: str) -> list[Place]:
    return places(read_back(kept), tuple(marks.split()))


def _words_like(connection: Connection, query: NameQuery) -> tuple[Corrections, Corrections]:
    """Of each typed word, the words one error apart, and the longer words that it begins, if not too many."""
    corrected = [word for word in query.typed if names.SHORTEST_CORRECTED <= len(word) <= names.LONGEST_WORD]
    begun = [] if len(query.typed) == 1 or query.cities else [word for word in query.typed if len(word) > 1]
    forms = {form for word in corrected for form in (word, *names.one_deletions(word))}
    parameters: dict[str, Any] = as_list(sorted(forms)) | {"most": MOST_CANDIDATES + 1}
    for i, word in enumerate(begun):
        parameters |= {f"low{i}": word, f"high{i}": word + LAST}
    found: list[list[str]] = [[] for _ in range(len(begun) + 1)]
    for n, word in connection.execute(words_like(listed(connection), len(begun)), parameters).all():
        found[n].append(word)
    corrections = {word: _nearest(word, found[0]) for word in corrected}
    few = [
        (word, others)
        for word, others in zip(begun, found[1:], strict=True)
        if len(others) <= MOST_CANDIDATES
    ]
    return corrections, {word: [other for other in others if other != word] for word, others in few}


def _nearest(word: str, candidates: Iterable[str]) -> list[str]:
    near = [other for other in candidates if other != word and OSA.distance(word, other, score_cutoff=1) <= 1]
    return sorted(near, key=lambda other: (other[0] != word[0], other))[:MOST_CANDIDATES]
