"""Dates as registers write them. A format is strict: what does not fit it whole is no date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

LONGEST = 40
"""Characters of a format."""

_TOKENS = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "MMM": rf"(?P<name>{'|'.join(MONTHS)})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
}
_TOKEN = re.compile("YYYY|MMM|MM|M|DD|D|T00:00:00|.")


@dataclass(frozen=True, slots=True)
class DatePattern:
    """A way to write a date: ``YYYY``; ``MM``, ``M`` or ``MMM`` (Jan); ``DD`` or ``D``; the rest as it is.

    ``T00:00:00`` accepts a local midnight, with or without a fraction of zeros, and no other time.
    """

    text: str
    matches: re.Pattern[str]

    @classmethod
    def of(cls, text: str) -> DatePattern:
        """:raises ValueError: the format does not name a year, a month and a day once each."""
        parts = _TOKEN.findall(text)
        named = sorted(part[0] for part in parts if part in _TOKENS)
        if named != ["D", "M", "Y"] or len(text) > LONGEST:
            raise ValueError(f'"{text}" does not name YYYY, MM (or M, MMM) and DD (or D) once each.')
        return cls(text, re.compile("".join(map(_expression, parts)), re.IGNORECASE))

    def read(self, text: str) -> date | None:
        """The date, or ``None`` where the text does not fit or names a day that no calendar has."""
        found = self.matches.fullmatch(text)
        if found is None:
            return None
        parts = found.groupdict()
        month = MONTHS.index(parts["name"].upper()) + 1 if parts.get("name") else int(parts["month"])
        try:
            return date(int(parts["year"]), month, int(parts["day"]))
        except ValueError:
            return None


def _expression(part: str) -> str:
    if part == "T00:00:00":
        return r"T00:00(:00([.]0+)?)?"
    return _TOKENS.get(part, re.escape(part))


@lru_cache(maxsize=65_536)
def read_date(text: str, patterns: tuple[DatePattern, ...]) -> date | None:
    """The date by the first pattern that fits; ``None`` where none does."""
    return next((found for pattern in patterns if (found := pattern.read(text)) is not None), None)


def formats_of(patterns: Sequence[DatePattern]) -> str:
    """The formats, as a reader would like to see them."""
    return " or ".join(pattern.text for pattern in patterns)
