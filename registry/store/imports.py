"""Imports as rows: the file in parts, how far it has come, what was rejected and what it changed."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from registry.clock import new_id
from registry.errors import Stale

from . import documents
from .bulk import insert_rows
from .import_tables import (
    ImportState,
    import_changes,
    import_corrections,
    import_differences,
    import_events,
    import_parts,
    import_profiles,
    import_rejects,
    import_rows,
    imports,
)
from .records import MANY

PART = 1 << 20
CHANGED = "This import was changed by someone else in the meantime; read it again."
QUICK = 1
"""How hard zlib tries: tables shrink to a fifth even so."""


@dataclass(frozen=True, slots=True)
class Import:
    """A file that a body's register was, or is to be, compared with.

    :param snapshot_day: the body's local day of which the file speaks.
    :param partial: the file is not the whole register: who is not in it has not vanished.
    :param report: what the last comparison found.
    """

    id: str
    body_id: str
    filename: str
    sha256: str
    bytes: int
    profile_name: str
    profile: dict[str, Any]
    snapshot_day: date
    partial: bool
    state: ImportState
    rows_read: int
    report: dict[str, Any]
    version: int
    received_at: datetime
    received_by: str
    applied_at: datetime | None
    applied_by: str | None
    reversed_at: datetime | None
    reversed_by: str | None


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was not taken in, and why: what is wrong in which column, and what would be right."""

    line: int
    cells: list[str]
    problems: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Received:
    """What is told of a file when it comes in."""

    body_id: str
    filename: str
    profile_name: str
    profile: Mapping[str, Any]
    snapshot_day: date
    partial: bool


def insert_import(tx: Connection, received: Received, file: IO[bytes], *, by: str, at: datetime) -> str:
    """Keep a file as it came."""
    id_ = new_id()
    row = {
        "id": id_,
        "body_id": received.body_id,
        "filename": received.filename,
        "sha256": "",
        "bytes": 0,
        "profile_name": received.profile_name,
        "profile": documents.dump(dict(received.profile)),
        "snapshot_day": received.snapshot_day,
        "partial": received.partial,
        "state": ImportState.RECEIVED,
        "rows_read": 0,
        "report": "{}",
        "version": 1,
        "received_at": at,
        "received_by": by,
    }
    tx.execute(insert(imports), [row])
    digest, size = _keep_file(tx, id_, file)
    tx.execute(update(imports).where(imports.c.id == id_).values(sha256=digest, bytes=size))
    return id_


def _keep_file(tx: Connection, import_id: str, file: IO[bytes]) -> tuple[str, int]:
    digest, size, position = hashlib.sha256(), 0, 0
    while block := file.read(PART):
        digest.update(block)
        size += len(block)
        row = {"import_id": import_id, "position": position, "data": zlib.compress(block, QUICK)}
        tx.execute(insert(import_parts), [row])
        position += 1
    return digest.hexdigest(), size


def open_file(connection: Connection, import_id: str) -> IO[bytes]:
    """The file as it came, in a temporary file of its own."""
    p = import_parts
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever reads it closes it
    position = 0
    while True:
        part = connection.execute(
            select(p.c.data).where(p.c.import_id == import_id, p.c.position == position)
        ).scalar_one_or_none()
        if part is None:
            file.seek(0)
            return file
        file.write(zlib.decompress(part))
        position += 1


def find_import(connection: Connection, import_id: str) -> Import | None:
    """One import, or ``None``."""
    row = connection.execute(select(imports).where(imports.c.id == import_id)).one_or_none()
    return None if row is None else _import_of(row)


def list_imports(
    connection: Connection, body_id: str | None, *, before: str | None, limit: int
) -> list[Import]:
    """A stretch of the imports of a body (``None``: of all), latest first."""
    statement = select(imports).order_by(imports.c.id.desc()).limit(limit)
    if body_id is not None:
        statement = statement.where(imports.c.body_id == body_id)
    if before is not None:
        statement = statement.where(imports.c.id < before)
    return [_import_of(row) for row in connection.execute(statement)]


def _import_of(row: Row[Any]) -> Import:
    values = {column.name: getattr(row, column.name) for column in imports.c}
    values["state"] = ImportState(values["state"])
    values["profile"] = json.loads(values["profile"])
    values["report"] = json.loads(values["report"])
    return Import(**values)


def change_import(tx: Connection, seen: Import, **values: Any) -> None:
    """Change an import's row, unless someone else did since it was read.

    :raises registry.errors.Stale: someone did.
    """
    for name in values.keys() & {"report", "profile"}:
        values[name] = documents.dump(values[name])
    same = (imports.c.id == seen.id) & (imports.c.version == seen.version)
    changed = tx.execute(update(imports).where(same).values(version=imports.c.version + 1, **values))
    if changed.rowcount != 1:
        raise Stale(CHANGED)


def note_progress(tx: Connection, seen: Import, rows_read: int) -> None:
    """Tell whoever asks how many rows have been read.

    :raises registry.errors.Stale: someone else has changed the import since it was read.
    """
    same = (imports.c.id == seen.id) & (imports.c.version == seen.version)
    if tx.execute(update(imports).where(same).values(rows_read=rows_read)).rowcount != 1:
        raise Stale(CHANGED)


def forget_findings(tx: Connection, import_id: str) -> None:
    """Take away what an earlier comparison of the same file found."""
    for table in (import_rows, import_rejects, import_events, import_differences):
        tx.execute(delete(table).where(table.c.import_id == import_id))


def add_rejects(tx: Connection, import_id: str, rejects: Sequence[Reject]) -> None:
    """Keep rejected rows."""
    rows = [
        {
            "import_id": import_id,
            "line": reject.line,
            "cells": documents.dump(reject.cells),
            "problems": documents.dump(reject.problems),
        }
        for reject in rejects
    ]
    if rows:
        dialect: Any = postgresql if tx.dialect.name == "postgresql" else sqlite
        tx.execute(dialect.insert(import_rejects).on_conflict_do_nothing(), rows)


def list_rejects(connection: Connection, import_id: str, *, after: int, limit: int) -> list[Reject]:
    """A stretch of the rejected rows, in the order of the file, from behind a line."""
    r = import_rejects
    statement = select(r).where(r.c.import_id == import_id, r.c.line > after).order_by(r.c.line)
    rows = connection.execute(statement.limit(limit))
    return [Reject(row.line, json.loads(row.cells), json.loads(row.problems)) for row in rows]


def read_rejects(connection: Connection, import_id: str) -> Iterator[Reject]:
    """The rejected rows, in the order of the file, read a stretch at a time."""
    after = 0
    while stretch := list_rejects(connection, import_id, after=after, limit=MANY):
        yield from stretch
        after = stretch[-1].line


def add_differences(
    tx: Connection, import_id: str, kind: str, differences: Sequence[Mapping[str, Any]]
) -> None:
    """Keep what rows (each with its ``line``) would change."""
    rows = [
        {"import_id": import_id, "kind": kind, "line": told["line"], "document": documents.dump(dict(told))}
        for told in differences
    ]
    insert_rows(tx, import_differences, rows)


def list_differences(
    connection: Connection, import_id: str, kind: str, *, after: int, limit: int
) -> list[dict[str, Any]]:
    """A stretch of what rows would change, in the order of the file, from behind a line."""
    d = import_differences
    statement = select(d.c.document).where(d.c.import_id == import_id, d.c.kind == kind, d.c.line > after)
    rows = connection.execute(statement.order_by(d.c.line).limit(limit))
    return [json.loads(row.document) for row in rows]


@dataclass(frozen=True, slots=True)
class Correction:
    """A row that was rejected and corrected here.

    :param original: as it came; ``problems`` what was wrong with it.
    :param cells: as it is read since.
    """

    line: int
    original: list[str]
    problems: list[dict[str, str]]
    cells: list[str]
    corrected_at: datetime
    corrected_by: str


def put_correction(tx: Connection, import_id: str, correction: Correction) -> None:
    """Keep a correction, in the place of an earlier one of the same row; what was first there stays."""
    c = import_corrections
    values = {
        "cells": documents.dump(correction.cells),
        "corrected_at": correction.corrected_at,
        "corrected_by": correction.corrected_by,
    }
    same = (c.c.import_id == import_id) & (c.c.line == correction.line)
    if tx.execute(update(c).where(same).values(values)).rowcount:
        return
    own = {
        "import_id": import_id,
        "line": correction.line,
        "original": documents.dump(correction.original),
        "problems": documents.dump(correction.problems),
    }
    tx.execute(insert(c), [{**own, **values}])


def list_corrections(
    connection: Connection, import_id: str, *, lines: Sequence[int] | None = None
) -> dict[int, Correction]:
    """The corrections of an import, of some lines or all, by line."""
    c = import_corrections
    statement = select(c).where(c.c.import_id == import_id).order_by(c.c.line)
    if lines is not None:
        statement = statement.where(c.c.line.in_(lines))
    return {
        row.line: Correction(
            row.line,
            json.loads(row.original),
            json.loads(row.problems),
            json.loads(row.cells),
            row.corrected_at,
            row.corrected_by,
        )
        for row in connection.execute(statement)
    }


def corrected_cells(connection: Connection, import_id: str) -> dict[int, list[str]]:
    """The cells that take the place of those in the file, by line."""
    return {line: one.cells for line, one in list_corrections(connection, import_id).items()}


def add_change(tx: Connection, import_id: str, registration_id: str, changed: Mapping[str, Any]) -> None:
    """Keep what an import changed of a registration or its holder besides deciding."""
    row = {
        "id": new_id(),
        "import_id": import_id,
        "registration_id": registration_id,
        "changed": documents.dump(dict(changed)),
    }
    tx.execute(insert(import_changes), [row])


def read_changes(connection: Connection, import_id: str) -> list[tuple[str, dict[str, Any]]]:
    """What an import changed, by registration, in the order in which it did."""
    c = import_changes
    rows = connection.execute(select(c).where(c.c.import_id == import_id).order_by(c.c.id))
    return [(row.registration_id, json.loads(row.changed)) for row in rows]


def forget_changes(tx: Connection, import_id: str) -> None:
    """What an import changed has been taken back."""
    tx.execute(delete(import_changes).where(import_changes.c.import_id == import_id))


@dataclass(frozen=True, slots=True)
class KeptProfile:
    """A mapping profile that a body keeps here."""

    name: str
    document: dict[str, Any]
    version: int
    changed_at: datetime
    changed_by: str


def list_profiles(connection: Connection, body_id: str) -> list[KeptProfile]:
    """The profiles of a body, by name."""
    p = import_profiles
    rows = connection.execute(select(p).where(p.c.body_id == body_id).order_by(p.c.name))
    return [
        KeptProfile(row.name, json.loads(row.document), row.version, row.changed_at, row.changed_by)
        for row in rows
    ]


def find_profile(connection: Connection, body_id: str, name: str) -> KeptProfile | None:
    """One profile of a body, or ``None``."""
    return next((p for p in list_profiles(connection, body_id) if p.name == name), None)


def put_profile(
    tx: Connection, body_id: str, name: str, document: Mapping[str, Any], *, by: str, at: datetime
) -> None:
    """Keep a profile, in the place of the one of that name."""
    p = import_profiles
    values = {"document": documents.dump(dict(document)), "changed_at": at, "changed_by": by}
    same = (p.c.body_id == body_id) & (p.c.name == name)
    if tx.execute(update(p).where(same).values(version=p.c.version + 1, **values)).rowcount == 0:
        tx.execute(insert(p), [{"body_id": body_id, "name": name, "version": 1, **values}])
