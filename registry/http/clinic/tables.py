"""Rosters and their standing as CSV: what a spreadsheet gives, and what it takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from flask import Response, request

from registry.errors import Invalid
from registry.http.problems import Malformed
from registry.http.requests import read_body
from registry.services.rosters import MOST_MEMBERS
from registry.sheets.writing import csv_text, restore

CSV = "text/csv"
COLUMNS = ("body", "number")
MOST_ROWS = MOST_MEMBERS + 2
"""The column names, and one more than may be, by which it is seen that there are too many."""


def wants_table() -> bool:
    """Whether the request asks for CSV rather than JSON."""
    accepted = request.accept_mimetypes
    return bool(accepted) and accepted[CSV] > accepted["application/json"]


def table_response(header: Sequence[str], rows: Iterator[Sequence[str]], name: str) -> Response:
    """A table as CSV, which no spreadsheet runs as formulas."""
    response = Response("".join(csv_text([header, *rows])), content_type=f"{CSV}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def read_members() -> list[dict[str, Any]]:
    """The members in the request's CSV, still to be checked one by one.

    :raises Malformed: it is no CSV in UTF-8.
    :raises registry.errors.Invalid: it has other columns.
    """
    try:
        text = read_body(cache=False).decode("utf-8-sig")
        filled = (row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(row))
        rows = list(islice(filled, MOST_ROWS))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Malformed(f"The body is no CSV in UTF-8: {error}.") from error
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if sorted(header) != sorted(COLUMNS):
        raise Invalid(f"Give a table with the columns {' and '.join(COLUMNS)}, named in its first line.")
    return [
        {name: restore(cell).strip() for name, cell in zip(header, row, strict=False)} for row in rows[1:]
    ]
