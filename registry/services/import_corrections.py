"""Correcting rows that were not taken in, in place. What came stays on record beside what is read instead.

Before an import is applied, a corrected row takes the place of the one in the file at the next comparison.
After it, corrected rows become a partial import of their own.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import Any

from sqlalchemy import Connection

from registry.errors import Conflict, Invalid, NotFound
from registry.sheets.profiles import read_profile
from registry.sheets.reading import LONGEST_ROW, BadRow
from registry.sheets.rows import WrongRow
from registry.sheets.writing import PROBLEM_COLUMNS, csv_text
from registry.store import imports as store
from registry.store.import_tables import ImportState
from registry.store.imports import Correction, Import, Received, Reject

from .import_comparison import fitting, open_with
from .imports import receive_import

CORRECTED_FILE = {"encoding": "utf-8", "delimiter": ","}


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not taken in.

    :param cells: as they were last read.
    :param correction: ``None`` while nobody corrected it.
    """

    line: int
    cells: list[str]
    problems: list[dict[str, str]]
    correction: Correction | None

    @property
    def is_waiting(self) -> bool:
        """Whether it was corrected since it was last compared."""
        return self.correction is not None and self.correction.cells != self.cells


def column_names(connection: Connection, found: Import) -> list[str]:
    """The column names of an import's file.

    :raises registry.errors.Invalid: it cannot be read.
    """
    asked = (found.id, found.sha256, dumps(found.profile, sort_keys=True))
    names = _names.get(asked)
    if names is None:
        with store.open_file(connection, found.id) as file:
            sheet, _ = open_with(file, read_profile(found.profile))
        names = tuple(sheet.header)
        if len(_names) >= MOST_REMEMBERED:
            _names.clear()
        _names[asked] = names
    return list(names)


MOST_REMEMBERED = 64
_names: dict[tuple[str, str, str], tuple[str, ...]] = {}
"""Of files that were looked at: one of 100,000 rows takes half a second to be unpacked, and never changes."""


def list_rejected(connection: Connection, found: Import, *, after: int, limit: int) -> list[RejectedRow]:
    """A stretch of the rows that were not taken in, from behind a line."""
    rejects = store.list_rejects(connection, found.id, after=after, limit=limit)
    return _with_corrections(connection, found, rejects)


def get_rejected(connection: Connection, found: Import, line: int) -> RejectedRow:
    """One of them.

    :raises registry.errors.NotFound: no such row was rejected.
    """
    rejects = store.list_rejects(connection, found.id, after=line - 1, limit=1)
    if not rejects or rejects[0].line != line:
        raise NotFound(f"No row of line {line} was rejected.")
    return _with_corrections(connection, found, rejects)[0]


def _with_corrections(connection: Connection, found: Import, rejects: Sequence[Reject]) -> list[RejectedRow]:
    corrections = store.list_corrections(connection, found.id, lines=[reject.line for reject in rejects])
    return [RejectedRow(r.line, r.cells, r.problems, corrections.get(r.line)) for r in rejects]


def check_row(connection: Connection, found: Import, cells: Sequence[str], line: int) -> list[dict[str, str]]:
    """What is wrong with a row by itself, as its profile reads it; nothing where it can be read.

    Whether the register can come to what it says is seen when the file is compared.
    """
    with store.open_file(connection, found.id) as file:
        sheet, reader = open_with(file, read_profile(found.profile))
    row = fitting(line, cells, len(sheet.header))
    if isinstance(row, BadRow):
        return [{"column": "", "value": "", "detail": row.problem}]
    if not reader.number(row[1]).strip():
        column = "".join(reader.profile.number.columns[:1])
        return [{"column": column, "value": "", "detail": "it holds no registration number"}]
    try:
        reader.read(row[1], found.snapshot_day)
    except WrongRow as wrong:
        return [{"column": p.column, "value": p.value, "detail": p.detail} for p in wrong.problems]
    return []


def correct_row(
    tx: Connection, found: Import, line: int, cells: Sequence[str], *, by: str, at: datetime
) -> RejectedRow:
    """Put a corrected row in the place of one that was not taken in.

    :param found: the import as the caller saw it.
    :raises registry.errors.NotFound: no such row was rejected.
    :raises registry.errors.Invalid: the row is longer than any can be.
    :raises registry.errors.Stale: the import has changed since.
    :raises registry.errors.Conflict: the import was reversed.
    """
    if found.state is ImportState.REVERSED:
        raise Conflict("This import was reversed; make a dry run of it first.")
    if sum(map(len, cells)) > LONGEST_ROW:
        raise Invalid(f"A row holds at most {LONGEST_ROW:,} characters.")
    row = get_rejected(tx, found, line)
    correction = Correction(line, row.cells, row.problems, list(cells), at, by)
    store.put_correction(tx, found.id, correction)
    store.change_import(tx, found)
    return get_rejected(tx, found, line)


def take_in_corrected(tx: Connection, found: Import, *, by: str, at: datetime) -> Import:
    """Receive the corrected rows of an import that was applied as a partial import of their own.

    :raises registry.errors.Conflict: it was not applied, or no row of it was corrected since.
    """
    if found.state is not ImportState.APPLIED:
        raise Conflict("This import is not applied: a dry run reads the corrected rows with the others.")
    waiting = [
        row.correction.cells
        for row in _with_corrections(tx, found, list(store.read_rejects(tx, found.id)))
        if row.correction is not None and row.is_waiting
    ]
    if not waiting:
        raise Conflict("No row of this import was corrected.")
    header = column_names(tx, found)
    text = "".join((*csv_text([header]), *csv_text(waiting)))
    document: dict[str, Any] = {**found.profile, "file": {**found.profile.get("file", {}), **CORRECTED_FILE}}
    received = Received(
        body_id=found.body_id,
        filename=f"{found.filename} (corrected rows)"[:200],
        profile_name=found.profile_name,
        profile=document,
        snapshot_day=found.snapshot_day,
        partial=True,
    )
    return receive_import(tx, received, io.BytesIO(text.encode()), by=by, at=at)


def shown_columns(header: Sequence[str]) -> list[tuple[int, str]]:
    """The columns of a file that are its own: an earlier file of rejected rows had two more."""
    return [(index, name) for index, name in enumerate(header) if name not in PROBLEM_COLUMNS]
