"""Saying things in a language: phrases with their names, days and lists put in, as text or as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import TypeAlias

from babel.dates import format_date, format_time, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from registry.domain.localtime import zone
from registry.http.directions import contained, is_from_the_left, isolated

from .languages import Language, translations_of

SPOKEN = (
    *("ar", "de", "en", "es", "fa", "fr", "hi", "it", "ja", "ko", "mi"),
    *("pa", "pl", "pt", "ru", "tl", "uk", "ur", "vi", "yue", "zh"),
)
"""Languages that can be asked for; whatever else is spoken is shown beside the person."""


@dataclass(frozen=True, slots=True)
class Said:
    """A phrase, not yet in any language.

    :param phrase: the phrase in English, marked with :func:`phrase`.
    :param plural: its other English form, where ``count`` decides between them.
    """

    phrase: str
    parts: Mapping[str, Part] = field(default_factory=dict)
    plural: str | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """Things named one after another."""

    items: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Words that a register keeps (a name, a number, a condition): never translated, kept apart from the
    direction of the text around them."""

    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a time zone is, for "the end of the day in ..."; ``zone`` is an IANA name."""

    zone: str


Part: TypeAlias = "Said | Listed | Verbatim | Place | date | float | int"


def phrase(text: str) -> str:
    """Marks a phrase for the catalogs."""
    return text


def phrases(singular: str, plural: str) -> tuple[str, str]:
    """Marks a phrase that counts for the catalogs."""
    return singular, plural


def say(text: str, **parts: Part) -> Said:
    """A phrase with its parts put in by name."""
    return Said(text, parts)


def count(forms: tuple[str, str], number: int, **parts: Part) -> Said:
    """A phrase that counts something; ``number`` is put in by that name."""
    return Said(forms[0], {"number": number, **parts}, forms[1], number)


class Speech:
    """One language, ready to speak."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._locale = language.locale
        self._translations = translations_of(language)

    def text(self, part: Part) -> str:
        """As plain text: for titles, feeds and pictures."""
        match part:
            case Said():
                return self._phrase(part) % {name: self.text(value) for name, value in part.parts.items()}
            case Listed():
                return self._list([self.text(item) for item in part.items])
            case Verbatim():
                return self._isolated(part.text)
            case Place():
                return self.place(part.zone)
            case _:
                return self._written(part)

    def html(self, part: Part) -> Markup:
        """As HTML, with everything escaped and the register's own words in ``<bdi>``."""
        match part:
            case Said():
                parts = {name: self.html(value) for name, value in part.parts.items()}
                return escape(self._phrase(part)) % parts
            case Listed():
                return Markup(self._list([self.html(item) for item in part.items]))  # noqa: S704 - they are escaped
            case Verbatim():
                return Markup("<bdi>{}</bdi>").format(contained(part.text))
            case Place():
                return escape(self.place(part.zone))
            case _:
                return escape(self._written(part))

    def day(self, day: date) -> str:
        """A day, in words."""
        return str(format_date(day, "long", locale=self._locale))

    def moment(self, instant: datetime, zone_name: str) -> str:
        """An instant (aware) as the day and time of a zone."""
        there = instant.astimezone(zone(zone_name))
        return f"{self.day(there.date())}, {format_time(there, 'HH:mm', locale=self._locale)}"

    def place(self, zone_name: str) -> str:
        """The city that a time zone is named after."""
        return str(get_timezone_location(zone(zone_name), locale=self._locale, return_city=True))

    def territory(self, jurisdiction: str) -> str:
        """The country of a jurisdiction (ISO 3166-1 or -2)."""
        country = jurisdiction.partition("-")[0].upper()
        return str(self._locale.territories.get(country, jurisdiction))

    def language_name(self, tag: str) -> str:
        """What a language, spoken by a physiotherapist, is called."""
        return str(self._locale.languages.get(tag.partition("-")[0].lower(), tag))

    def number(self, number: float) -> str:
        """A number, with the separators of the language."""
        return str(format_decimal(number, locale=self._locale))

    def _phrase(self, said: Said) -> str:
        if said.plural is None:
            return str(self._translations.gettext(said.phrase))
        return str(self._translations.ngettext(said.phrase, said.plural, said.count))

    def _written(self, part: date | float) -> str:
        if isinstance(part, date):
            return self.day(part)
        return self.number(part)

    def _list(self, items: Sequence[str]) -> str:
        return str(format_list(items, style="standard", locale=self._locale))

    def _isolated(self, text: str) -> str:
        """Text of the other direction would reorder what stands around it."""
        if self.language.direction == "ltr" and is_from_the_left(text):
            return contained(text)
        return isolated(text)


@cache
def speech(language: Language) -> Speech:
    """The voice of a language."""
    return Speech(language)
