"""Telling what a file's columns mean: what is remembered or guessed, what it comes to, what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any

from sqlalchemy import Connection

from registry.domain.snapshot import Entry
from registry.errors import Conflict, Invalid
from registry.sheets.guessing import Guess, document_of, guess
from registry.sheets.profiles import folded, read_profile
from registry.sheets.reading import BadRow, Layout, open_sheet
from registry.sheets.rows import RowReader, WrongRow
from registry.store import imports as store
from registry.store.import_tables import ImportState
from registry.store.imports import Import
from registry.store.records import Body

from .import_comparison import open_with
from .import_profiles import built_in, built_in_names
from .imports import COMPARABLE, get_import

Document = Mapping[str, Any]

LOOKED_AT = 1000
"""Rows from which columns are guessed and status words gathered."""
SHOWN = 12
MOST_WORDS = 200
GUESSED = "guessed"
"""What a profile is called that nobody has looked at yet."""


@dataclass(frozen=True, slots=True)
class Look:
    """The beginning of a file, read without knowing what it means.

    :param rows: some of its rows, each as wide as the column names.
    """

    header: list[str]
    rows: list[list[str]]
    guess: Guess


def look_at(file: IO[bytes]) -> Look:
    """Read the beginning of a file.

    :raises registry.errors.Invalid: it cannot be read as a table.
    """
    file.seek(0)
    sheet = open_sheet(file, Layout())
    rows = [row[1] for row in islice(sheet.rows, LOOKED_AT) if not isinstance(row, BadRow)]
    file.seek(0)
    return Look(sheet.header, rows, guess(sheet.header, rows))


def choose_mapping(connection: Connection, body: Body, look: Look) -> tuple[str, dict[str, Any], bool]:
    """The profile that a file is first read with: its name, its document, and whether it is remembered.

    That of the body whose columns the file has, the one that was changed last; one that comes along; a guess.
    """
    columns = {folded(name) for name in look.header}
    kept = sorted(store.list_profiles(connection, body.id), key=lambda one: one.changed_at, reverse=True)
    for one in kept:
        if _fits(one.document, columns):
            return one.name, one.document, True
    for name in built_in_names():
        document = built_in(name)
        if document is not None and _fits(document, columns):
            return name, document, True
    return GUESSED, document_of(look.guess, look.header), False


def _fits(document: Document, columns: set[str]) -> bool:
    try:
        wanted = read_profile(document).columns()
    except Invalid:
        return False
    return bool(wanted) and all(folded(name) in columns for name in wanted)


def change_mapping(tx: Connection, found: Import, name: str, document: Document) -> Import:
    """Read an import by another profile from now on; what was found by the one before is let go.

    :param found: as the caller saw it.
    :raises registry.errors.Invalid: the profile cannot be used, or names columns that the file has not.
    :raises registry.errors.Conflict: the import is applied.
    :raises registry.errors.Stale: somebody has changed it since.
    """
    if found.state not in COMPARABLE:
        raise Conflict("This import is applied; reverse it before it is read otherwise.")
    with store.open_file(tx, found.id) as file:
        open_with(file, read_profile(document))
    store.forget_findings(tx, found.id)
    read = {"profile_name": name, "profile": dict(document), "state": ImportState.RECEIVED, "report": {}}
    store.change_import(tx, found, rows_read=0, **read)
    return get_import(tx, found.id)


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row as a profile reads it: what it says, or what is wrong with it."""

    line: int
    entry: Entry | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of an import's file, as a profile reads it.

    :param words: the status words found, with how many of the rows looked at have them.
    :param passed_over: rows that the profile leaves out.
    """

    header: list[str]
    rows: list[ReadRow]
    words: dict[str, int]
    looked_at: int
    passed_over: int
    wrong: int


def read_beginning(connection: Connection, found: Import, document: Document) -> Beginning:
    """Read the first rows of an import's file by a profile.

    :raises registry.errors.Invalid: the profile cannot be used.
    """
    profile = read_profile(document)
    with store.open_file(connection, found.id) as file:
        sheet, reader = open_with(file, profile)
        taken = list(islice(sheet.rows, LOOKED_AT))
    status = _indexes(sheet.header, profile.registration.status.columns)
    rows: list[ReadRow] = []
    words: dict[str, int] = {}
    passed = wrong = 0
    for row in taken:
        if isinstance(row, BadRow):
            wrong += 1
            rows.append(ReadRow(row.line, None, (row.problem,)))
            continue
        line, cells = row
        if not reader.is_wanted(cells):
            passed += 1
            continue
        word = " / ".join(filter(None, (cells[index].strip() for index in status)))
        if word and (word in words or len(words) < MOST_WORDS):
            words[word] = words.get(word, 0) + 1
        if len(rows) < SHOWN:
            rows.append(_read(reader, line, cells, found))
            wrong += rows[-1].entry is None
    return Beginning(sheet.header, rows[:SHOWN], words, len(taken), passed, wrong)


def _indexes(header: Sequence[str], columns: Sequence[str]) -> list[int]:
    by_name = {folded(name): index for index, name in enumerate(header)}
    return [by_name[folded(name)] for name in columns if folded(name) in by_name]


def _read(reader: RowReader, line: int, cells: list[str], found: Import) -> ReadRow:
    try:
        return ReadRow(line, reader.read(cells, found.snapshot_day))
    except WrongRow as wrong:
        told = (f"{p.column}: {p.detail}" if p.column else p.detail for p in wrong.problems)
        return ReadRow(line, None, tuple(told))
