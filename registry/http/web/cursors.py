"""Where a list of people goes on. What no list gave is taken as its beginning."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from registry.http.cursors import could_be_kept

OLDEST = timedelta(days=2)
SHAPE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})~([0-9a-f]{1,64})")
LONGEST = 1000
KINDS = (int, str, str, str, int)
"""Of the parts of a position in a search."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of a day; empty for its beginning."""

    day: date
    after: str = ""

    def __str__(self) -> str:
        return f"{self.day.isoformat()}~{self.after}"


def read_place(given: str, today: date) -> Place:
    """The place that a cursor names; the beginning of today's order where it names none, or an old one."""
    match = SHAPE.fullmatch(given)
    if match is None:
        return Place(today)
    try:
        day = date.fromisoformat(match[1])
    except ValueError:
        return Place(today)
    return Place(day, match[2]) if today - OLDEST <= day <= today else Place(today)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place among the people who were found.

    :param position: empty for the beginning.
    :param widened: whether the technique was given up.
    """

    position: tuple[str | int, ...] = ()
    widened: bool = False


def cursor_of(position: Sequence[str | int], *, widened: bool) -> str:
    """A position as it stands in an address."""
    document = json.dumps([widened, *position], separators=(",", ":"))
    return urlsafe_b64encode(document.encode()).decode().rstrip("=")


def read_cursor(given: str) -> Cursor:
    """The inverse of :func:`cursor_of`."""
    try:
        widened, *position = json.loads(urlsafe_b64decode(given[:LONGEST] + "=" * (-len(given) % 4)))
    except (ValueError, TypeError, RecursionError):
        return Cursor()
    if tuple(map(type, position)) != KINDS or not all(map(could_be_kept, position)):
        return Cursor()
    return Cursor(tuple(position), widened is True)
