"""Writing tables: CSV that no spreadsheet runs as formulas, and NDJSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_STARTS = r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""Signs that begin a formula, in the full width of East Asian spreadsheets, too (OWASP, CSV injection)."""

FORMULA = re.compile(f"'*{_STARTS}")
"""What a spreadsheet would run, however often it was neutralised before."""

NEUTRALISED = re.compile(f"'+{_STARTS}")


def neutralise(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would run it; :func:`restore` takes that off."""
    return f"'{text}" if FORMULA.match(text) else text


def restore(text: str) -> str:
    """The inverse of :func:`neutralise`."""
    return text[1:] if NEUTRALISED.match(text) else text


def csv_text(rows: Iterable[Sequence[str]], delimiter: str = ",") -> Iterator[str]:
    """Rows of cells as lines of CSV, neutralised."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    for row in rows:
        writer.writerow([neutralise(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def ndjson_text(documents: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Objects as lines of JSON."""
    for document in documents:
        yield json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def cell_of(value: Any) -> str:
    """A value as a cell of CSV: text as it is, nothing as nothing, lists as JSON."""
    if value is None or value in ([], ()):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


PROBLEM_COLUMNS = ("registry_line", "registry_problem")
"""The columns put before the original ones of rejected rows."""


def rejected_header(header: Sequence[str]) -> list[str]:
    """The column names of a file of rejected rows: what was wrong, then the original ones."""
    return [*PROBLEM_COLUMNS, *kept(header, header)]


def kept(header: Sequence[str], cells: Sequence[str]) -> list[str]:
    """The cells of a row but for those that an earlier file of rejected rows put there."""
    ours = {index for index, name in enumerate(header) if name in PROBLEM_COLUMNS}
    return [cell for index, cell in enumerate(cells) if index not in ours]
