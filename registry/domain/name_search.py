"""How a person is searched for by name: a ladder of stages, the likeliest first.

A person is found by *places*. Each word of a name stands with each other word of it, in both orders, so that
any two words that someone types are one place in one sorted list, whatever their order; the place of a
person under a single word is the one that *leads*. A mark stands for what is no name: ``@`` and a city,
which stands before each word too, and ``#`` and a body.

1. every word as typed;
2. one of the words (the last before the others) as a beginning;
3. a space too many, or another script; an initial in place of a name; a name for a nickname, and back;
4. every word as a beginning;
5. one word with a typing error, or lacking a space.

Where there is nobody on any of these: 6. two words with a typing error; 7. one of several words, and the
most alike in the others.
Within a stage, people are in the order of their places. Each is given once, at the first of their places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

from .names import LONGEST_WORD, adjoined, splits

LAST = "\U0010ffff"
"""Comes after every letter."""

CITY, BODY = "@", "#"

MOST_TYPED = 6
"""Words of a query that are looked for."""

MOST_CANDIDATES = 64
"""Corrections of a word, and words with a beginning, that are looked for."""

FEW_CANDIDATES = 12
"""Corrections of each word where two are taken to be wrong."""

LAST_TYPED = 3
"""Words of a query, the longest, that are looked for when nobody is found by all."""

FEW_CITIES = 4
"""Cities with one beginning in which typing errors are forgiven."""

BOTH = 2
"""Words that decide a place."""

Words = tuple[str, ...]
Lookup = Callable[[str], Sequence[str]]
Corrections = Mapping[str, Sequence[str]]


class Place(NamedTuple):
    """Where a person is found: under ``word``, by ``second``. ``others`` are what else they are called.

    :param leads: whether the person is shown here when ``word`` alone is asked for.
    :param others: the remaining words and marks, a space before each and behind the last.
    """

    word: str
    second: str
    leads: bool
    others: str


def places(readings: Iterable[Words], marks: Words = ()) -> list[Place]:
    """Every place of a person.

    :param readings: the ways to cut the person's names into words.
    :param marks: see :func:`city_mark` and :func:`body_mark`.
    """
    several = [_places_of_one(reading, marks) for reading in readings]
    return several[0] if len(several) == 1 else _united(place for each in several for place in each)


def _places_of_one(reading: Words, marks: Words) -> list[Place]:
    end = f" {' '.join(marks)} " if marks else " "
    found = []
    around = {}
    for word in reading:
        rest = [other for other in reading if other != word]
        around[word] = "".join([f" {other}" for other in rest]) + end
        if len(rest) > 1:
            texts = ["".join([f" {other}" for other in rest if other != second]) + end for second in rest]
            found += [Place(word, rest[i], i == 0, others) for i, others in enumerate(texts)]
        else:
            found.append(Place(word, rest[0] if rest else "", True, end))
    for mark in marks:
        if mark.startswith(CITY):
            found += [Place(mark, word, i == 0, around[word]) for i, word in enumerate(reading)]
    return found


def _united(several: Iterable[Place]) -> list[Place]:
    """Places of several readings, each once, with the company of all."""
    others: dict[tuple[str, str], dict[str, None]] = {}
    for place in several:
        others.setdefault(place[:2], {}).update(dict.fromkeys(place.others.split()))
    led: set[str] = set()
    found = []
    for (word, second), around in others.items():
        found.append(Place(word, second, word not in led, "".join(f" {other}" for other in around) + " "))
        led.add(word)
    return found


def city_mark(city_key: str) -> str:
    """The mark of a city; empty for none."""
    return CITY + city_key.replace(" ", "-")[:LONGEST_WORD] if city_key else ""


def body_mark(code: str) -> str:
    """The mark of a body, by its code."""
    return BODY + "".join(code.split())


@dataclass(frozen=True, slots=True)
class Choice:
    """What a word may be: one of ``words``, or (``high`` is not empty) any from ``low`` to ``high``."""

    words: frozenset[str] = frozenset()
    low: str = ""
    high: str = ""

    @property
    def is_range(self) -> bool:
        """Whether there are too many to name."""
        return bool(self.high)

    def __contains__(self, word: str) -> bool:
        return self.low <= word <= self.high if self.high else word in self.words

    def stretches(self) -> list[tuple[str, str]]:
        """The first and the last word of each stretch of words without a gap, in order."""
        return [(self.low, self.high)] if self.high else [(word, word) for word in sorted(self.words)]


def one_of(words: Iterable[str]) -> Choice:
    """Exactly one of these words."""
    return Choice(frozenset(words))


def beginning(start: str) -> Choice:
    """A word, or what it is the beginning of."""
    return Choice(low=start, high=start + LAST)


def longer(start: str) -> Choice:
    """What a word is the beginning of, without the word itself."""
    return Choice(low=start + " ", high=start + LAST)


@dataclass(frozen=True, slots=True)
class Stage:
    """Places with the same likelihood.

    :param seconds: ``None`` for the places that lead.
    :param others: texts that :attr:`Place.others` must hold.
    """

    words: Choice
    seconds: Choice | None
    others: tuple[str, ...] = ()

    def holds(self, place: Place) -> bool:
        """Whether this is one of the places."""
        if place.word not in self.words:
            return False
        if not (place.leads if self.seconds is None else place.second in self.seconds):
            return False
        return all(other in place.others for other in self.others)

    def first_of(self, person: Iterable[Place]) -> tuple[str, str] | None:
        """The first of a person's places that is in this stage."""
        return min(((p.word, p.second) for p in person if self.holds(p)), default=None)


@dataclass(frozen=True, slots=True)
class NameQuery:
    """What is looked for.

    :param typed: folded words, at most :data:`MOST_TYPED`.
    :param also: the same in another script, where it differs.
    :param cities: the marks that the city may have; ``None`` where any will do.
    """

    typed: Words
    also: Words = ()
    cities: Words | None = None

    @property
    def alone(self) -> bool:
        """Whether there is one word and nothing else to go by."""
        return len(self.typed) == 1 and self.cities is None

    def without(self, i: int) -> Words:
        """The words but for one."""
        return self.typed[:i] + self.typed[i + 1 :]


def sure_stages(query: NameQuery, other_names: Lookup) -> Iterator[Stage]:
    """The stages that take what was typed to be right, but for its end.

    :param other_names: gives the nicknames of a name, and the names of a nickname.
    """
    if query.typed:
        yield from _as_typed(query, query.typed)
    for joined in adjoined(query.typed):
        alone = len(joined) == 1 and query.cities is None
        yield from [Stage(one_of(joined), None)] if alone else _as_typed(query, joined)
    if query.also:
        yield from _as_typed(query, query.also)
    if not query.typed and query.cities:
        yield Stage(one_of(query.cities), None)
    if len(query.typed) > 1:
        for i, word in enumerate(query.typed):
            initial = [word[0]] if len(word) > 1 else []
            yield _stage(query, [one_of(initial)], query.without(i), whole=True)
            yield _stage(query, [one_of(other_names(word))], query.without(i))


def _as_typed(query: NameQuery, typed: Words) -> Iterator[Stage]:
    if len(typed) == 1 and query.cities is None:
        yield Stage(beginning(typed[0]), None)
        return
    yield _stage(query, [], typed, whole=True)
    for i in reversed(range(len(typed))):
        yield _stage(query, [longer(typed[i])], typed[:i] + typed[i + 1 :], whole=True)


def unsure_stages(query: NameQuery, corrections: Corrections, beginnings: Corrections) -> Iterator[Stage]:
    """The stages that need to know which words there are.

    :param corrections: of a typed word, the words that are one error apart.
    :param beginnings: of a typed word, the words that it begins, where they are not too many.
    """
    if len(query.typed) > 1:
        yield _all_beginnings(query, beginnings)
    query = replace(query, cities=query.cities and query.cities[:FEW_CITIES])
    for i, word in enumerate(query.typed):
        yield _stage(query, [one_of(corrections.get(word, ()))], query.without(i))
    for i, word in enumerate(query.typed):
        for before, after in splits(word):
            yield _stage(query, [one_of([before]), one_of([after])], query.without(i))


def _all_beginnings(query: NameQuery, beginnings: Corrections) -> Stage:
    if query.cities is not None:
        chosen = max(query.typed, key=len)
        return _stage(query, [longer(chosen)], _but(query.typed, chosen))
    known = [word for word in query.typed if word in beginnings]
    chosen = min(known, key=lambda word: len(beginnings[word]), default=query.typed[0])
    return _stage(query, [one_of(beginnings.get(chosen, ()))], _but(query.typed, chosen))


def _but(typed: Words, chosen: str) -> Words:
    return tuple(word for word in typed if word != chosen)


def last_stages(query: NameQuery, corrections: Corrections) -> Iterator[Stage]:
    """The stages for when there is nobody on any other: two words are wrong."""
    for one, other in combinations(_longest(query), 2):
        pair = [one_of(corrections.get(word, ())[:FEW_CANDIDATES]) for word in (one, other)]
        yield _stage(query, pair, tuple(word for word in query.typed if word not in (one, other)))


def stages_of_one_word(query: NameQuery, corrections: Corrections) -> Iterator[Stage]:
    """Who bears one of several words, as typed or corrected, whatever the others are."""
    longest, city = _longest(query), _city_texts(query)
    for word in longest if len(query.typed) > 1 else ():
        yield Stage(one_of([word]), None, city)
        yield Stage(one_of(corrections.get(word, ())[:FEW_CANDIDATES]), None, city)
        for other in longest:
            if other != word:
                yield Stage(one_of([word]), beginning(other[0]), city)


def _longest(query: NameQuery) -> Words:
    """The words that tell most, in the order typed: so many that the work stays within bounds."""
    longest = sorted(query.typed, key=len, reverse=True)[:LAST_TYPED]
    return tuple(word for word in query.typed if word in longest)


def _stage(query: NameQuery, chosen: Sequence[Choice], rest: Words, *, whole: bool = False) -> Stage:
    """A stage: ``chosen`` (at most two) as they are, and the ``rest`` as words or as beginnings.

    Two of all these decide the place, of which the first must be a matter of single words; the others are
    looked for in what else the person is called.
    """
    ordered = sorted(rest, key=len, reverse=True)
    queue = [*chosen, *(one_of([word]) if whole else beginning(word) for word in ordered)]
    left = max(0, len(queue) - BOTH)
    decided = query.cities is not None and len(chosen) < BOTH
    if query.cities is not None and decided:
        left = len(queue) - 1
        words, second = one_of(query.cities), queue[0]
    elif len(queue) == 1:
        return Stage(queue[0], None, _city_texts(query))
    else:
        words, second = queue[:BOTH]
        if words.is_range:
            words, second = second, words
    end = " " if whole else ""
    texts = tuple(f" {word}{end}" for word in ordered[len(ordered) - left :])
    return Stage(words, second, texts if decided else texts + _city_texts(query))


def _city_texts(query: NameQuery) -> tuple[str, ...]:
    """What the others hold for the city, where it decides no place: the shortest mark begins the rest."""
    return () if not query.cities else (f" {query.cities[0]}",)
