"""Reads a workbook in a process of its own, which has little memory and time: a crafted one costs no more.

:mod:`registry.sheets.workbooks` runs this file by itself, apart from the register and without its modules:
``python -I unpacking.py LIMITS``. The workbook is standard input. On standard output each row that holds
anything is a line of JSON: its number from 1, and its cells as text. Where the workbook cannot be read, the
exit status is :data:`REFUSED` and the only line is a JSON text that says why.
"""

from __future__ import annotations

import json
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any

REFUSED = 3
TOO_MUCH = "The workbook unpacks to more than can be read; save the sheet as CSV."


class Refused(Exception):
    """The workbook cannot be read; the message says why."""


def limit(memory: int, seconds: int, output: int) -> None:
    """Bound what this process may use from here on.

    :param memory: bytes of its address space.
    :param seconds: of a processor.
    :param output: bytes that it may write to a file.
    """
    bounds = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: output,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        resource.setrlimit(kind, (bound, bound))


def rows(
    stream: IO[bytes], sheet: str | None, most_bytes: int, most_parts: int
) -> Iterator[tuple[int, list[str]]]:
    """The rows of one sheet that hold anything, as text, with their numbers from 1.

    :param sheet: its name; ``None`` for the first one.
    :param most_bytes: of all parts, unpacked, as the workbook itself says.
    """
    _check_size(stream, most_bytes, most_parts)
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise Refused('Reading .xlsx needs the extra "xlsx"; or save the sheet as CSV.') from error
    try:
        book = CalamineWorkbook.from_filelike(stream)
        if sheet is not None and sheet not in book.sheet_names:
            names = ", ".join(book.sheet_names[:20])
            raise Refused(f'There is no sheet "{sheet}"; the workbook has {names[:1000]}.')
        found = book.get_sheet_by_name(sheet) if sheet is not None else book.get_sheet_by_index(0)
        first = 1 if found.start is None else found.start[0] + 1
    except CalamineError as error:
        raise Refused(f"The workbook cannot be read: {str(error)[:500]}.") from error
    for number, cells in enumerate(found.iter_rows(), start=1):
        texts = [_text(cell) for cell in cells]
        if number >= first and any(texts):
            yield number, texts


def _check_size(stream: IO[bytes], most_bytes: int, most_parts: int) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Refused("The workbook is damaged.") from error
    stream.seek(0)
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise Refused("This is no .xlsx workbook; give CSV, XLSX or NDJSON.")
    if len(parts) > most_parts or sum(part.file_size for part in parts) > most_bytes:
        raise Refused(TOO_MUCH)


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


def cut(cells: list[str], longest: int) -> list[str]:
    """A row without the blanks at its end; one that is too long as far as shows that it is."""
    while cells and not cells[-1]:
        cells.pop()
    if sum(map(len, cells)) <= longest:
        return cells
    kept: list[str] = []
    room = longest + 1
    for cell in cells:
        kept.append(cell[:room])
        room -= len(kept[-1])
        if not room:
            break
    return kept


def main() -> int:
    """Read the workbook, write its rows."""
    told = json.loads(sys.argv[1])
    limit(told["memory"], told["seconds"], told["output"])
    try:
        for number, cells in rows(sys.stdin.buffer, told["sheet"], told["bytes"], told["parts"]):
            _write([number, cut(cells, told["longest"])])
    except Refused as refused:
        _write(str(refused))
        return REFUSED
    return 0


def _write(document: object) -> None:
    sys.stdout.buffer.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
