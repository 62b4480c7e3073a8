"""Any file as a header and rows of text, read a row at a time: CSV, XLSX or NDJSON, told by what it holds.

What cannot be read of a row is a :class:`BadRow` in its place and costs no other row.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, NoReturn

from registry.errors import Invalid

from .csv_rows import CsvRows, guess_delimiter
from .lines import TextLines, guess_encoding
from .workbooks import is_workbook, workbook_rows

Cells = list[str]

MOST_COLUMNS = 1_000
LONGEST_COLUMN_NAME = 500
"""Characters."""

LONGEST_ROW = 100_000
"""Characters of a row that is read. What is longer is one row too long, not one to be stored."""

LONGEST_SHOWN = 200
"""Characters of each cell that are kept of a row that is too long to be read."""

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""What no cell may hold: control characters but tabs and line ends, halves of characters, non-characters."""

MARK = "\ufeff"
"""Of an encoding. Where a file was saved twice it has two, and the second is no part of a name."""


def clean(text: str) -> str:
    """A text with a sign in the place of each character that no cell may hold."""
    return CONTROL.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Layout:
    """What a profile knows of a file beforehand; ``None`` is found out by looking."""

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    columns: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that does not fit the table.

    :param line: the physical line (of a workbook: the row) at which it begins, from 1.
    :param cells: the row as far as it could be read; one cell with all its text where it could not be split.
    """

    line: int
    cells: Cells
    problem: str


Row = tuple[int, Cells]
"""The line at which a row begins, from 1, and as many cells as the header has."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that is being read. ``rows`` can be gone through once."""

    header: Cells
    rows: Iterator[Row | BadRow]
    delimiter: str = ","
    encoding: str = "utf-8"
    kind: str = "csv"
    facts: dict[str, str] = field(default_factory=dict)


def open_sheet(stream: IO[bytes], layout: Layout) -> Sheet:
    """Read a file from its beginning.

    :param stream: seekable; read on as rows are asked for.
    :raises registry.errors.Invalid: the file as a whole cannot be read.
    """
    start = stream.read(8)
    stream.seek(0)
    if is_workbook(start):
        return _checked(_workbook(stream, layout))
    encoding = guess_encoding(stream, layout.encoding)
    lines = TextLines(stream, encoding)
    first = lines.peek()
    if first is None:
        raise Invalid("The file is empty.")
    if first.lstrip().startswith("{") and isinstance(_object(first), dict):
        return _checked(_ndjson(lines, layout))
    return _checked(_csv(lines, layout))


def _csv(lines: TextLines, layout: Layout) -> Sheet:
    delimiter = layout.delimiter or guess_delimiter(lines, layout.columns)
    rows = iter(CsvRows(lines, delimiter))
    for found in rows:
        if isinstance(found[1], list):
            header = [name.replace(MARK, "").strip() for name in found[1]]
            return Sheet(header, _of_width(rows, len(header)), delimiter, lines.encoding)
        raise Invalid(f"The first line cannot be read as column names: {found[1][1]}.")
    raise Invalid("The file has no column names.")


def _of_width(rows: Iterator[tuple[int, Any]], width: int) -> Iterator[Row | BadRow]:
    for line, found in rows:
        if isinstance(found, tuple):
            yield BadRow(line, [found[0]], found[1])
            continue
        count = len(found)
        if count == width:
            yield line, found
        elif count > width and not any(found[width:]):
            yield line, found[:width]
        else:
            yield BadRow(line, found, f"it has {count} cells where the column names have {width}")


def _workbook(stream: IO[bytes], layout: Layout) -> Sheet:
    rows = workbook_rows(stream, layout.sheet)
    for _, cells in rows:
        header = [name.strip() for name in cells]
        while header and not header[-1]:
            header.pop()
        return Sheet(header, _fitted(rows, len(header)), kind="xlsx")
    raise Invalid("The sheet is empty.")


def _fitted(rows: Iterator[Row], width: int) -> Iterator[Row | BadRow]:
    """Workbook rows are as wide as the widest: what lies beyond the header must be empty."""
    for line, cells in rows:
        if any(cells[width:]):
            yield BadRow(line, cells, "it has cells to the right of the last column name")
        else:
            yield line, cells[:width] + [""] * (width - len(cells))


def _bounded(rows: Iterator[Row | BadRow]) -> Iterator[Row | BadRow]:
    """The rows, but for those that are longer than any can be: of them, how they begin."""
    for row in rows:
        cells = row.cells if isinstance(row, BadRow) else row[1]
        length = sum(map(len, cells))
        if length <= LONGEST_ROW and len(cells) <= MOST_COLUMNS:
            yield row
            continue
        line = row.line if isinstance(row, BadRow) else row[0]
        if length > LONGEST_ROW:
            problem = f"it is longer than {LONGEST_ROW:,} characters"
        else:
            problem = f"it has more than {MOST_COLUMNS:,} cells"
        yield BadRow(line, [_beginning(cell) for cell in cells[:MOST_COLUMNS]], problem)


def _beginning(cell: str) -> str:
    return cell if len(cell) <= LONGEST_SHOWN else f"{cell[:LONGEST_SHOWN]}…"


def _ndjson(lines: TextLines, layout: Layout) -> Sheet:
    header: dict[str, None] = {}
    first = lines.peek()
    if first is not None:
        found = _object(first)
        if isinstance(found, dict):
            header.update(dict.fromkeys(found))
    header.update(dict.fromkeys(layout.columns))
    return Sheet(list(header), _objects(lines, list(header)), kind="ndjson")


def _objects(lines: TextLines, header: Cells) -> Iterator[Row | BadRow]:
    lines.begin()
    for line in lines:
        number = lines.number
        if not line.strip():
            lines.begin()
            continue
        found = "it is not text in the file's encoding" if lines.is_damaged else _object(line)
        lines.begin()
        try:
            cells = found if isinstance(found, str) else [as_text(found.get(name)) for name in header]
        except RecursionError:
            cells = "it is nested too deeply"
        if isinstance(cells, str):
            yield BadRow(number, [line.rstrip("\r\n")], cells)
        else:
            yield number, cells


def _object(line: str) -> dict[str, Any] | str:
    try:
        found = ROW.decode(line.strip())
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({type(error).__name__})"
    return found if isinstance(found, dict) else "it is not a JSON object"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is beyond what a double holds")
    return number


def _members(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is given twice")
    return members


ROW = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_number, object_pairs_hook=_members)


def as_text(value: Any) -> str:
    """A JSON value as the text of a cell: text as it is, nothing as the empty text, the rest as JSON.

    :raises RecursionError: it is nested about as deeply as can be read.
    """
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _checked(sheet: Sheet) -> Sheet:
    """Refuse what no row could be read by."""
    named = Counter(name for name in sheet.header if name)
    twice = sorted(name for name, count in named.items() if count > 1)
    facts = {"twice": ", ".join(twice)} if twice else {}
    if not named:
        raise Invalid("The first row holds no column names.")
    if len(sheet.header) > MOST_COLUMNS:
        raise Invalid(f"The file has {len(sheet.header):,} columns; at most {MOST_COLUMNS:,} are read.")
    if max(map(len, named)) > LONGEST_COLUMN_NAME:
        raise Invalid(f"A column name is longer than {LONGEST_COLUMN_NAME} characters.")
    if any(CONTROL.search(name) for name in named):
        raise Invalid("The column names hold control characters.")
    return Sheet(sheet.header, _bounded(sheet.rows), sheet.delimiter, sheet.encoding, sheet.kind, facts)
