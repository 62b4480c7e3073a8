"""The cells of a row: where a profile's columns are in a file, and what is wrong with the values in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any

from registry.domain.names import LONGEST_NUMBER, is_registration_number
from registry.errors import Invalid

from .dates import formats_of, read_date
from .names import spaced
from .profiles import Profile, Source, folded
from .reading import CONTROL, Cells, clean

LONGEST_CELL = 2_000
LONGEST_LINE = 200
"""Characters of a name, a city, a class."""

LIST_SEPARATORS = re.compile(r"[;,|]")
NUMBER = f"a number of 1 to {LONGEST_NUMBER} printable characters, a letter or digit among them"

Get = Callable[[Cells], str]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one value of a row. ``column`` is ``""`` where it is the row as a whole."""

    column: str
    value: str
    detail: str


class WrongRow(Exception):
    """Values of a row that cannot be right; ``problems`` holds each of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = list(problems)


def nothing(_cells: Cells) -> str:
    """The value of what a profile does not map."""
    return ""


def column_of(source: Source | None) -> str:
    return "" if source is None or not source.columns else source.columns[0]


class Columns:
    """Where the columns of a file are."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = list(header)
        self._index: dict[str, int] = {}
        for index, name in enumerate(header):
            self._index.setdefault(folded(name), index)

    def require(self, columns: Sequence[str]) -> None:
        """:raises registry.errors.Invalid: the file lacks columns, or has one of them twice."""
        names = [folded(name) for name in self._header]
        missing = [name for name in columns if folded(name) not in self._index]
        if missing:
            raise Invalid(
                f"The file lacks columns that the profile reads: {', '.join(missing)}. "
                f"It has: {', '.join(self._header)}."
            )
        twice = [name for name in columns if names.count(folded(name)) > 1]
        if twice:
            raise Invalid(f"The file has columns twice that the profile reads: {', '.join(twice)}.")

    def get(self, source: Source | None) -> Get:
        """What reads a value: the first filled of its columns, without space around it."""
        if source is None:
            return nothing
        if source.constant is not None:
            constant = source.constant
            return lambda _cells: constant
        indexes = [self._index[folded(name)] for name in source.columns]
        if len(indexes) == 1:
            index = indexes[0]
            return lambda cells: cells[index].strip()
        return lambda cells: next((text for i in indexes if (text := cells[i].strip())), "")

    def filters(self, told: Any) -> list[tuple[int, frozenset[str]]]:
        """Column positions with the words that are let through."""
        return [(self._index[folded(name)], words) for name, words in told.items()]

    def used(self, columns: Sequence[str]) -> Callable[[Cells], tuple[str, ...]]:
        """What picks the cells of these columns."""
        indexes = [self._index[folded(name)] for name in columns]
        if len(indexes) == 1:
            only = indexes[0]
            return lambda cells: (cells[only],)
        return itemgetter(*indexes)


class Row:
    """One row while it is read, with what is wrong in it."""

    def __init__(self, profile: Profile, cells: Cells, day: date) -> None:
        self.profile = profile
        self.cells = cells
        self.day = day
        self.problems: list[Problem] = []

    def wrong(self, column: str, value: str, detail: str) -> None:
        self.problems.append(Problem(column, value[:200], detail))

    def check_text(self, used: Sequence[str]) -> None:
        if CONTROL.search("".join(used)):
            names = self.profile.columns()
            for name, text in zip(names, used, strict=True):
                if CONTROL.search(text):
                    self.wrong(name, clean(text), "it holds control characters")
        if sum(map(len, used)) > LONGEST_CELL:
            for name, text in zip(self.profile.columns(), used, strict=True):
                if len(text) > LONGEST_CELL:
                    self.wrong(name, text, f"it is longer than {LONGEST_CELL} characters")

    def number(self, get: Get, source: Source) -> str:
        text = spaced(get(self.cells))
        if not is_registration_number(text):
            detail = (
                f"it is no number of 1 to {LONGEST_NUMBER} printable characters, a letter or digit among them"
            )
            self.wrong(column_of(source), text, detail)
        return text

    def line(self, column: Source | None, text: str) -> None:
        """See that a text is no longer than what is kept."""
        if len(text) > LONGEST_LINE:
            self.wrong(column_of(column), text, f"it is longer than {LONGEST_LINE} characters")

    def day_in(self, get: Get, source: Source | None) -> date | None:
        text = get(self.cells)
        if not text:
            return None
        found = read_date(text, self.profile.dates)
        if found is None:
            self.wrong(
                column_of(source), text, f"it is not a day written as {formats_of(self.profile.dates)}"
            )
        return found

    def listed(self, column: Source | None, text: str) -> Iterator[str]:
        """The items of a list in one cell."""
        if self.profile.json_lists:
            items = self.json_items(column, text)
        else:
            items = [spaced(item) for item in LIST_SEPARATORS.split(text)]
        for item in items:
            if not isinstance(item, str) or "\n" in item or "\r" in item:
                self.wrong(column_of(column), text, "it is not a list of lines of text")
            elif self.is_kept(column, item):
                self.line(column, item)
                yield item

    def json_items(self, column: Source | None, text: str) -> list[Any]:
        """What stands in a JSON list in one cell."""
        try:
            found = json.loads(text) if text else []
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list):
            return found
        self.wrong(column_of(column), text, "it is not a JSON list")
        return []

    def is_kept(self, column: Source | None, text: str) -> bool:
        """Whether a text says something that can be kept: with escapes, it may hold what no cell may."""
        if CONTROL.search(text):
            self.wrong(column_of(column), clean(text), "it holds control characters")
            return False
        return bool(text.strip())
