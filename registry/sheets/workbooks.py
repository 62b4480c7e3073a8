"""XLSX workbooks, read by calamine and limited before they are unpacked: a small file may hide a huge one."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any

from registry.errors import Invalid

MOST_BYTES = 200_000_000
"""Bytes of a workbook once unpacked; a sheet is read into memory as a whole."""

MOST_PARTS = 2_000

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def is_workbook(start: bytes) -> bool:
    """Whether a file that begins so is a workbook.

    :raises registry.errors.Invalid: it is one of a kind that is not read.
    """
    if start.startswith(OLD_EXCEL):
        raise Invalid(
            "This is a workbook of old Excel, or one with a password; save it as .xlsx without one."
        )
    return start.startswith(ZIP)


def workbook_rows(stream: IO[bytes], sheet: str | None) -> Iterator[tuple[int, list[str]]]:
    """The rows of one sheet that hold anything, as text, with their numbers from 1.

    :param sheet: its name; ``None`` for the first one.
    :raises registry.errors.Invalid: the workbook cannot be read.
    """
    _check_size(stream)
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise Invalid('Reading .xlsx needs the extra "xlsx"; or save the sheet as CSV.') from error
    try:
        book = CalamineWorkbook.from_filelike(stream)
        if sheet is not None and sheet not in book.sheet_names:
            raise Invalid(f'There is no sheet "{sheet}"; the workbook has {", ".join(book.sheet_names)}.')
        found = book.get_sheet_by_name(sheet) if sheet is not None else book.get_sheet_by_index(0)
        first = 1 if found.start is None else found.start[0] + 1
    except CalamineError as error:
        raise Invalid(f"The workbook cannot be read: {error}.") from error
    for number, cells in enumerate(found.iter_rows(), start=1):
        texts = [_text(cell) for cell in cells]
        if number >= first and any(texts):
            yield number, texts


def _check_size(stream: IO[bytes]) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Invalid("The workbook is damaged.") from error
    stream.seek(0)
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise Invalid("This is no .xlsx workbook; give CSV, XLSX or NDJSON.")
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
        raise Invalid("The workbook unpacks to more than can be read; save the sheet as CSV.")


def _text(cell: Any) -> str:
    """A typed cell as a person sees it in a table: whole numbers without a point, days as YYYY-MM-DD."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat()
    if isinstance(cell, (date, time, timedelta, int, float)):
        return str(cell)
    return "" if cell is None else str(cell)
