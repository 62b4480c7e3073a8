"""Words of other scripts in Latin letters, so that either finds a person."""

from __future__ import annotations

from functools import lru_cache

from anyascii import anyascii

from registry.domain.names import LONGEST_WORD, fold

Words = tuple[str, ...]


@lru_cache(maxsize=8192)
def romanized(word: str) -> str:
    """A folded word in Latin letters; the word itself where it is, empty where it cannot be."""
    return word if word.isascii() else fold(anyascii(word)).replace(" ", "")[:LONGEST_WORD]


def in_every_script(readings: tuple[Words, ...]) -> tuple[Words, ...]:
    """The readings of a name, and those of another script once more in Latin letters."""
    if all(word.isascii() for reading in readings for word in reading):
        return readings
    latin = [tuple(filter(None, dict.fromkeys(map(romanized, reading)))) for reading in readings]
    return tuple(reading for reading in dict.fromkeys((*readings, *latin)) if reading)
