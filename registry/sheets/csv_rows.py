"""CSV, read strictly: of a record that breaks the rules one line is given up, and the next one read anew."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence

from .lines import TextLines
from .writing import restore

MOST_LINES = 100
"""Physical lines of one record; more means that a quotation mark is missing."""

DELIMITERS = ",;\t|"
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")

Bad = tuple[str, str]
"""The text of a record that cannot be read, and why."""


class _Runaway(Exception):
    """A quoted cell that does not end."""


class CsvRows:
    """The records of a CSV file but for blank ones: the line where each begins, and its cells or why not."""

    def __init__(self, lines: TextLines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[tuple[int, list[str] | Bad]]:
        lines = self._lines
        reader = self._reader()
        while True:
            lines.begin()
            start = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _Runaway) as error:
                taken = lines.taken
                lines.give_back(taken[1:])
                reader = self._reader()
                yield start, ("".join(taken[:1]).rstrip("\r\n"), _why(error))
                continue
            problem = self._problem()
            if problem is not None:
                yield start, ("".join(lines.taken).rstrip("\r\n"), problem)
            elif any(cells):
                yield start, self._restored(cells)

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._guarded(), delimiter=self._delimiter, strict=True)

    def _guarded(self) -> Iterator[str]:
        lines = self._lines
        for line in lines:
            if len(lines.taken) > MOST_LINES:
                raise _Runaway
            yield line

    def _restored(self, cells: list[str]) -> list[str]:
        if any("'" in line for line in self._lines.taken):
            return [restore(cell) for cell in cells]
        return cells

    def _problem(self) -> str | None:
        if self._lines.is_damaged:
            return f"it is not text in the encoding {self._lines.encoding}"
        if any(CONTROL.search(line) for line in self._lines.taken):
            return "it holds control characters"
        return None


def _why(error: Exception) -> str:
    if isinstance(error, _Runaway) or "unexpected end of data" in str(error):
        return "a quotation mark that opens a cell is never closed"
    return f"its quotation marks or line ends are not those of CSV ({error})"


def guess_delimiter(lines: TextLines, columns: Sequence[str]) -> str:
    """The delimiter by which the first line holds most of the columns wanted, else the most cells."""
    first = lines.peek() or ""
    if first.lower().startswith("sep=") and len(first.strip()) == len("sep=,"):
        next(lines)
        return first[4]
    wanted = set(columns)

    def fitness(delimiter: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([first], delimiter=delimiter))
        except csv.Error:
            return (0, 0)
        return (len(wanted & {cell.strip() for cell in cells}), len(cells))

    return max(DELIMITERS, key=fitness)
