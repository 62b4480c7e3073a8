"""Names as they are compared: folded, cut into words, and forgiving of one typing error.

Folding removes what people leave out or cannot type: case, accents and macrons, strokes (which Unicode does
not decompose), apostrophes of every shape. It is done once when a name is written and once to a query; the
two then compare as plain text, on any database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

LONGEST_TEXT = 1000
"""Characters of a text that are folded; what follows is not compared."""

LONGEST_WORD = 40
"""Letters of a word that are compared."""

MOST_WORDS = 12
"""Words of one name that are compared."""

MOST_READINGS = 6
"""Ways to cut one name into words."""

REMEMBERED = 32768
"""Words whose folded form is remembered: registers repeat their names."""

SHORTEST_CORRECTED = 3
"""Letters of the shortest word in which a typing error is forgiven: any two of two letters are one apart."""

_APOSTROPHES = "'’‘‛`´ʹʻʼʽʾʿˈ′＇"  # noqa: RUF001 - look-alikes are what this is about
_HYPHENS = "‐‑‒–—−﹣－"  # noqa: RUF001 - look-alikes are what this is about

_LETTERS = str.maketrans(
    dict.fromkeys(_APOSTROPHES, "")
    | dict(zip("łøđðħŧıŋəɓɗƙƴɛɔƶɨʉɖŀĸ", "loddhtinebdkyeoziudlk", strict=True))
    | {"þ": "th", "æ": "ae", "œ": "oe"}
    # Letters that Arabic and Persian keyboards spell differently, and the stretch of a line.
    | {"ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ـ": ""}  # noqa: RUF001 - as above
)
"""Letters that Unicode does not decompose, as the alphabets that lack them write them."""

_UNPRINTED = dict.fromkeys([*range(33), 127])
"""The spaces and control characters of ASCII."""

_STACKED_FROM = 200
"""Combining classes from here on are accents; lower ones are parts of letters in Asian scripts."""

_POINTS = range(10, 37)
"""Combining classes of the vowel points of Hebrew, Arabic and Syriac."""

_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
_GAPS = re.compile(r"[\s,;/()\[\]\"“”&+|]+")


def fold(text: str) -> str:
    """The form in which texts are compared: words in small letters without marks, one space between them.

    Folding what is folded changes nothing. Any text is accepted; at most
    :data:`LONGEST_TEXT` characters return.
    """
    text = text[:LONGEST_TEXT]
    if text.isascii():
        return _NOT_LETTERS.sub(" ", text.lower().replace("'", "").replace("`", "")).strip()
    return _settled(_fold_once, text)


def _settled(change: Callable[[str], str], text: str) -> str:
    """The text changed until the change leaves it as it is: what is dropped may bring others together."""
    while (changed := change(text)) != text:
        text = changed
    return text


def _fold_once(text: str) -> str:
    # Apostrophes first: some decompose into a space and a mark. The middle dot of Catalan l·l is one too.
    text = text.translate(_LETTERS).replace("l·l", "ll").replace("L·L", "LL")
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(_as_letter(character) for character in text.translate(_LETTERS))
    return " ".join(unicodedata.normalize("NFC", kept).split())[:LONGEST_TEXT].rstrip()


def _as_letter(character: str) -> str:
    """The character if it is part of a word, nothing if it is a mark to drop, else a space."""
    if character.isalnum():
        return character
    category = unicodedata.category(character)
    if category == "Cf":
        return ""
    if not category.startswith("M"):
        return " "
    combining = unicodedata.combining(character)
    dropped = combining >= _STACKED_FROM or combining in _POINTS or combining == 1 or category == "Me"
    return "" if dropped else character


def _set_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _set_of("dr mr mrs ms miss prof professor")
_SUFFIXES = _set_of("jr sr ii iii iv esq")
_DEGREES = _set_of(
    "pt dpt mpt lpt rpt tdpt scd phd md dds bsc msc bscpt mscpt bpt bpht bphty mphty bhsc mclsc fcampt"
    " ocs scs gcs cscs comt fafs fapta faaompt atc mcsp hcpc csp aacp rmt"
)
_HINDERING = _TITLES | _SUFFIXES | _DEGREES

_PARTICLES = _set_of(
    "al el bin ibn abu mc mac o d l de da do dos das di del della der den des du la le las los san st"
    " santa van von ter ten te zu zur vom"
)
"""Short words that some write apart from the word that follows, and some do not."""

_SIMPLE = re.compile("[A-Za-z]{1,40}(?: [A-Za-z]{1,40})*")
_NOTABLE = _HINDERING | _PARTICLES


def words(full_name: str) -> tuple[str, ...]:
    """The distinct folded words under which a name is found: those of every reading, the plain one first."""
    return tuple(dict.fromkeys(word for reading in readings(full_name) for word in reading))


def readings(full_name: str) -> tuple[tuple[str, ...], ...]:
    """The ways to cut a name into folded words, each of them distinct, the plain one first.

    The others: a hyphenated word as a whole; particles joined to what follows (``mcdonald`` for mc donald);
    a word without what stands before its apostrophe (``brien`` for O'Brien); and a name in a script without
    spaces as one word, in either order. Titles, generational suffixes and degrees are left out unless nothing
    else is there.
    """
    if _SIMPLE.fullmatch(full_name):
        simple = full_name.lower().split(" ")
        if _NOTABLE.isdisjoint(simple):
            return (_bounded(simple),)
    chunks = _chunks(full_name)
    plain = [word for chunk in chunks for word in _plain(chunk)]
    found = dict.fromkeys([_bounded(plain), *map(_bounded, _other_readings(chunks, plain))])
    return tuple(reading for reading in found if reading)[:MOST_READINGS]


def tokens(query: str) -> tuple[str, ...]:
    """The distinct folded words of what someone typed to find a name, in the order typed."""
    return _bounded([word for chunk in _chunks(query) for word in _plain(chunk)])


def _bounded(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word[:LONGEST_WORD] for word in found))[:MOST_WORDS]


def _chunks(text: str) -> list[str]:
    """A text cut at spaces, without titles, suffixes and degrees unless it is made of nothing else."""
    chunks = [chunk for chunk in _GAPS.split(text[:LONGEST_TEXT]) if chunk]
    return [chunk for chunk in chunks if not _hinders(chunk)] or chunks


@lru_cache(maxsize=REMEMBERED)
def _hinders(chunk: str) -> bool:
    bare = chunk.strip(".")
    if "." in bare:  # Ph.D. is a degree, J.R. are initials
        return fold(bare.replace(".", "")) in _DEGREES
    return fold(bare) in _HINDERING


@lru_cache(maxsize=REMEMBERED)
def _plain(chunk: str) -> tuple[str, ...]:
    return tuple(fold(chunk).split())


@lru_cache(maxsize=REMEMBERED)
def _alternatives(chunk: str) -> tuple[tuple[str, ...], ...]:
    """Other words that one written word may be taken for."""
    if chunk.isalnum() and chunk.isascii():
        return ()
    parts = _plain(chunk)
    found: list[tuple[str, ...]] = []
    if len(parts) > 1 and max(map(len, parts)) > 1:
        found.append(("".join(parts),))
    before, apostrophe, after = chunk.translate(_STRAIGHT).partition("'")
    if apostrophe and len(fold(before)) in (1, 2):
        rest = fold(after).split()
        found += [tuple(rest)] if rest and len(rest[0]) >= SHORTEST_CORRECTED else []
    return tuple(found)


_STRAIGHT = str.maketrans(dict.fromkeys(_APOSTROPHES, "'"))


def _other_readings(chunks: Sequence[str], plain: Sequence[str]) -> Iterator[Sequence[str]]:
    yield _all_joined(chunks)
    for i, chunk in enumerate(chunks):
        for alternative in _alternatives(chunk):
            yield [*_words_of(chunks[:i]), *alternative, *_words_of(chunks[i + 1 :])]
    for start, word in enumerate(plain):
        if word in _PARTICLES:
            yield [*plain[:start], *_joined_from(plain, start)]
    if len(plain) in (2, 3) and all(map(_is_unspaced, plain)):
        yield ["".join(plain)]
        yield [plain[-1] + "".join(plain[:-1])]


def _all_joined(chunks: Sequence[str]) -> Sequence[str]:
    """A name with everything in one that may be: hyphenated words, and particles with what follows."""
    parts = [part for chunk in chunks for part in (*_alternatives(chunk), _plain(chunk))[0]]
    joined: list[str] = []
    while parts:
        first, *parts = _joined_from(parts, 0)
        joined.append(first)
    return joined


def _joined_from(plain: Sequence[str], start: int) -> list[str]:
    """The words from ``start`` on, where that one is a particle joined to the first that is none."""
    end = next((i for i in range(start, len(plain)) if plain[i] not in _PARTICLES), start)
    return ["".join(plain[start : end + 1]), *plain[end + 1 :]]


def _words_of(chunks: Iterable[str]) -> Iterator[str]:
    return (word for chunk in chunks for word in _plain(chunk))


def _is_unspaced(word: str) -> bool:
    """Whether a word is written in Han, kana or Hangul."""
    return all("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in word)


def one_deletions(word: str) -> frozenset[str]:
    """What is left of a word when any one of its letters is left out.

    Two words are at most one error apart (a letter too many, too few or another, or two neighbours swapped)
    only if they, or what this leaves of them, have something in common. The converse does not hold.
    """
    if len(word) > LONGEST_WORD:
        return frozenset()
    return frozenset(word[:i] + word[i + 1 :] for i in range(len(word))) - {""}


def splits(word: str, shortest: int = 2) -> Iterator[tuple[str, str]]:
    """The ways to cut a word in two, for a space that was not typed."""
    for i in range(shortest, len(word) - shortest + 1):
        yield word[:i], word[i:]


def adjoined(typed: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """What was typed, with two neighbours at a time as one word, for a space too many."""
    for i in range(len(typed) - 1):
        joined = typed[i] + typed[i + 1]
        if len(joined) <= LONGEST_WORD:
            yield (*typed[:i], joined, *typed[i + 2 :])


LONGEST_NUMBER = 40
"""Characters of a registration number."""


def is_registration_number(text: str) -> bool:
    """Whether ``text`` (in Unicode's form C) can be a registration number, and so a part of an address."""
    return (
        len(text) <= LONGEST_NUMBER
        and text.isprintable()
        and text == text.strip().strip("/")
        and any(character.isalnum() for character in text)
    )


def number_key(number: str) -> str:
    """A registration number as it is compared: capital letters, no spaces, one kind of hyphen.

    Hyphens, dots and leading zeros are kept, as bodies issue numbers that differ in nothing else.
    """
    if number.isascii():
        return number.upper().translate(_UNPRINTED)
    return _settled(_number_key_once, number)


def _number_key_once(number: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).upper())
    return "".join(_in_number(character) for character in plain)


def _in_number(character: str) -> str:
    if character in _HYPHENS:
        return "-"
    return "" if unicodedata.category(character)[0] in "CZ" else character


def city_key(city: str) -> str:
    """A place name as it is compared; empty where it has no letters."""
    return fold(city)


def distinct(several: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The words of several names of one person, each once, in order."""
    return tuple(dict.fromkeys(word for each in several for word in each))[: 2 * MOST_WORDS]
