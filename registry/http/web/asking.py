"""Reading what a person typed: what it means, or what is wrong with it in words that help."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from flask import request

from registry.domain.vocabulary import Mode, Technique
from registry.http.fields import FIRST_YEAR, LAST_YEAR

from .speech import Said, phrase, say

LONGEST = 200
SHORTEST = 2
ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
ODD_CATEGORIES = ("Cc", "Cs", "Co", "Cn", "So", "Sm", "Sc")
"""Controls, halves and private characters, pictures, and the signs of mathematics, markup and money."""
JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner: part of how names in some scripts are written."""

TOO_LONG = phrase("This is too long. Write at most %(most)s characters.")
ODD = phrase("This has signs in it that no name, place or number has. Write letters, digits and spaces.")
TOO_SHORT = phrase(
    "One letter is too little to search with. Write at least two letters, or the whole number."
)
CITY_TOO_SHORT = phrase("Write at least two letters of the city.")
NOTHING = phrase("Write a name or a registration number.")
NO_DAY = phrase("There is no such day. Write the year, the month and the day, like this: 2026-09-30.")
FAR_DAY = phrase("Choose a day between the years %(first)s and %(last)s.")
NO_TECHNIQUE = phrase("Choose one of the techniques in the list.")
NO_BODY = phrase("Choose one of the regulatory bodies in the list.")
NO_MODE = phrase("Choose one of the two in the list.")
NO_CITY = phrase("Write the name of a city or town.")
NO_LANGUAGE = phrase("Choose one of the languages in the list.")


@dataclass(slots=True)
class Reading:
    """The arguments of an address, read one by one. What is wrong is kept beside them, by name."""

    given: Mapping[str, str]
    errors: dict[str, Said] = field(default_factory=dict)

    def shown(self, name: str) -> str:
        """What was typed, to be shown again; not more than anyone can have meant."""
        return "".join(c for c in self.given.get(name, "")[:LONGEST] if c.isprintable())

    def text(self, name: str, longest: int = LONGEST) -> str:
        """One line of text without blanks around it; empty where it is missing or wrong."""
        given = " ".join(unicodedata.normalize("NFC", self.given.get(name, "")).split())
        if len(given) > longest:
            return self._wrong(name, say(TOO_LONG, most=longest))
        if any(_is_odd(character) for character in given):
            return self._wrong(name, say(ODD))
        return given

    def day(self, name: str) -> date | None:
        """A day; ``None`` where it is missing or wrong."""
        given = self.text(name)
        if not given:
            return None
        match = ISO_DAY.fullmatch(given)
        try:
            day = date(*map(int, match.groups())) if match is not None else None
        except ValueError:
            day = None
        if day is None:
            self.errors.setdefault(name, say(NO_DAY))
        elif not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.errors[name] = say(FAR_DAY, first=_year(FIRST_YEAR), last=_year(LAST_YEAR))
            return None
        return day

    def technique(self, name: str = "technique") -> Technique | None:
        """A technique; ``None`` where it is missing or wrong."""
        found = self.one_of(name, tuple(Technique), say(NO_TECHNIQUE))
        return Technique(found) if found else None

    def mode(self, name: str = "mode") -> Mode | None:
        """A mode; ``None`` where it is missing or wrong."""
        found = self.one_of(name, tuple(Mode), say(NO_MODE))
        return Mode(found) if found else None

    def one_of(self, name: str, choices: Collection[str], otherwise: Said) -> str:
        """One of a list; empty where it is missing or wrong."""
        given = self.given.get(name, "")
        if given in choices or not given:
            return given
        return self._wrong(name, otherwise)

    def _wrong(self, name: str, said: Said) -> str:
        self.errors[name] = said
        return ""


def _year(year: int) -> Said:
    """A year: digits without the separators of a number."""
    return Said(str(year))


def _is_odd(character: str) -> bool:
    """Whether a character hides, reorders or replaces others, or is no character of any script.

    Bytes that are no UTF-8 arrive as they were sent, each after a percent sign.
    """
    category = unicodedata.category(character)
    return character == "%" or category in ODD_CATEGORIES or (category == "Cf" and character not in JOINERS)


def read_arguments() -> Reading:
    """The arguments of this request; of one that is given twice, the first."""
    return Reading(request.args.to_dict())
