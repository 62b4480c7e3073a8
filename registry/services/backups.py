"""Backup and restore: the whole register in one file, of either engine and for either.

The file is a ZIP archive: a member for each table, a JSON array a line; and last a manifest with the schema's
revision, how many rows each table has and their hash, and the checkpoint of the audit. It holds all that the
database holds, secrets of webhooks among it: keep it as you keep the database.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DataError, IntegrityError

from registry.errors import Conflict, Invalid
from registry.store import archive
from registry.store.audit import newest

FORMAT = 1
MANIFEST = "manifest.json"
QUICKLY = 1
"""How much is compressed: names and days shrink well at the lowest level, and the higher ones take long."""

Begin = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class TableKept:
    """What an archive says of a table, so that a row that is missing or altered is noticed."""

    columns: list[str]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds.

    :param revision: of the schema that the rows are of.
    :param last_number: the highest number that an event ever had.
    :param checkpoint: of the audit; ``None`` while it has no entry.
    """

    format: int
    made_at: str
    revision: str
    last_number: int
    checkpoint: str | None
    tables: dict[str, TableKept] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(table.rows for table in self.tables.values())


def back_up(snapshot: Begin, path: Path, *, revision: str, at: datetime) -> Manifest:
    """Write all that is kept, as of one moment, while others go on writing.

    :param snapshot: begins a transaction that sees one moment.
    :param path: of the file, which appears when it is whole; readable by its owner alone.
    :raises registry.errors.Conflict: there is something at the path.
    """
    if path.exists():
        raise Conflict(f"There is something at {path} already, and a backup replaces nothing.")
    partial = path.with_name(f"{path.name}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as file:
            with snapshot() as connection, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=QUICKLY) as whole:
                manifest = _write(connection, whole, revision, at)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except FileExistsError:
        raise Conflict(f"{partial} is there: another backup is under way, or was interrupted.") from None
    except BaseException:
        with suppress(FileNotFoundError):
            partial.unlink()
        raise
    return manifest


def _write(connection: Connection, whole: ZipFile, revision: str, at: datetime) -> Manifest:
    head = newest(connection)
    checkpoint = None if head.seq == 0 else f"{head.seq}:{head.hash}"
    manifest = Manifest(FORMAT, at.isoformat(), revision, archive.last_number(connection), checkpoint)
    for table in archive.tables_of(connection):
        manifest.tables[table.name] = _write_table(connection, whole, table)
    whole.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
    return manifest


def _write_table(connection: Connection, whole: ZipFile, table: Table) -> TableKept:
    digest, rows = sha256(), 0
    with whole.open(_member(table.name), "w", force_zip64=True) as member:
        for line in archive.lines_of(connection, table):
            written = line.encode("utf-8", "surrogatepass")
            digest.update(written)
            member.write(written)
            rows += 1
    return TableKept([column.name for column in table.c], rows, digest.hexdigest())


def _member(table: str) -> str:
    return f"{table}.jsonl"


@contextmanager
def opened(path: Path) -> Iterator[tuple[ZipFile, Manifest]]:
    """An archive, and what it says that it holds.

    :raises registry.errors.Invalid: it is none, or was cut off.
    """
    try:
        with ZipFile(path) as whole:
            yield whole, _manifest_of(whole)
    except (BadZipFile, EOFError) as error:
        raise Invalid(f"{path} is not a whole backup of a register: {error}.") from error


def _manifest_of(whole: ZipFile) -> Manifest:
    try:
        told = json.loads(whole.read(MANIFEST))
        if told["format"] != FORMAT:
            raise Invalid(f"This backup has the format {told['format']}; this version reads {FORMAT}.")
        tables = {name: TableKept(**table) for name, table in told.pop("tables").items()}
        return Manifest(**told, tables=tables)
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(
            f"This is not a backup of a register: its manifest cannot be read ({error!r})."
        ) from error


def restore(tx: Connection, whole: ZipFile, manifest: Manifest) -> None:
    """Write every row of an archive, all or none, into a database that has the archive's schema and no row.

    :raises registry.errors.Conflict: the database is not empty.
    :raises registry.errors.Invalid: the archive is not what its manifest says.
    """
    tables = {table.name: table for table in archive.tables_of(tx)}
    archive.take_all(tx, tables.values())
    if not archive.is_empty(tx, tables.values()):
        raise Conflict("This database is not empty, and a restore replaces nothing: give an empty one.")
    if tables.keys() != manifest.tables.keys():
        odd = ", ".join(sorted(tables.keys() ^ manifest.tables.keys()))
        raise Invalid(f"The backup's tables are not those of its schema: {odd}.")
    for name, table in tables.items():
        _restore_table(tx, whole, table, manifest.tables[name])
    archive.go_on_from(tx, manifest.last_number)


def _restore_table(tx: Connection, whole: ZipFile, table: Table, kept: TableKept) -> None:
    digest = sha256()

    def lines(member: IO[bytes]) -> Iterator[str]:
        for line in member:
            digest.update(line)
            yield line.decode("utf-8", "surrogatepass")

    driver = tx.dialect.loaded_dbapi
    try:
        with whole.open(_member(table.name)) as member:
            rows = archive.load_lines(tx, table, kept.columns, lines(member))
    except (driver.IntegrityError, driver.DataError, IntegrityError, DataError, ValueError) as error:
        raise Invalid(f"The backup's {table.name} are not those that were written: {error}") from error
    if (rows, digest.hexdigest()) != (kept.rows, kept.sha256):
        raise Invalid(
            f"The backup's {table.name} are not those that were written: {rows} rows of {kept.rows}."
        )
