"""XLSX workbooks. A small one may hide a huge one: each is read in a process of its own, with bounds.

See :mod:`registry.sheets.unpacking` for what runs there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from registry.errors import Invalid

from .unpacking import REFUSED, TOO_MUCH

MOST_BYTES = 200_000_000
"""Bytes of a workbook once unpacked; a sheet is read into memory as a whole, there."""

MOST_PARTS = 2_000

MOST_MEMORY = 1_500_000_000
"""Bytes of the process that reads it."""

MOST_OUTPUT = 300_000_000
"""Bytes of what was read, as it is handed over."""

MOST_SECONDS = 60
"""Of a processor, for reading it."""

LONGEST_WAIT = 600
"""Seconds until it must have been read, however little of a processor it got."""

LONGEST_ROW = 100_000
"""Characters; what is beyond is not read."""

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
READER = Path(__file__).with_name("unpacking.py")


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

    A row ends with its last cell that holds anything, and somewhat behind :data:`LONGEST_ROW` characters.

    :param sheet: its name; ``None`` for the first one.
    :raises registry.errors.Invalid: the workbook cannot be read, or not within its bounds.
    """
    with TemporaryFile() as found:
        with TemporaryFile() as given:
            shutil.copyfileobj(stream, given)
            given.seek(0)
            status = _read(given, found, sheet)
        found.seek(0)
        if status == REFUSED:
            raise Invalid(json.loads(found.readline()))
        if status != 0:  # it had no memory or no time left, or was too much for the library
            raise Invalid(TOO_MUCH)
        for line in found:
            number, cells = json.loads(line)
            yield number, cells


def _read(given: IO[bytes], found: IO[bytes], sheet: str | None) -> int:
    """Run the reader: its exit status, negative where it was ended."""
    told = {
        "memory": MOST_MEMORY,
        "seconds": MOST_SECONDS,
        "output": MOST_OUTPUT,
        "sheet": sheet,
        "bytes": MOST_BYTES,
        "parts": MOST_PARTS,
        "longest": LONGEST_ROW,
    }
    try:
        return subprocess.run(  # noqa: S603 - this interpreter, with our own file and numbers
            [sys.executable, "-I", str(READER), json.dumps(told)],
            stdin=given,
            stdout=found,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=LONGEST_WAIT,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return -1
