"""The tables of imports: the files as they came, what was found in them, and what reversing needs."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from .tables import body_key, metadata, one_of
from .types import Identifier, Instant


class ImportState(StrEnum):
    """How far an import has come. ``received`` and ``reversed`` ones have not been compared, or not since."""

    RECEIVED = "received"
    PREVIEWED = "previewed"
    APPLIED = "applied"
    REVERSED = "reversed"
    FAILED = "failed"


def _import_key(*, primary_key: bool = True) -> Column[str]:
    return Column("import_id", Identifier, ForeignKey("imports.id"), nullable=False, primary_key=primary_key)


imports = Table(
    "imports",
    metadata,
    Column("id", Identifier, primary_key=True),
    body_key(),
    Column("filename", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("profile_name", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("snapshot_day", Date, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("rows_read", Integer, nullable=False),
    Column("report", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("applied_at", Instant),
    Column("applied_by", Text),
    Column("reversed_at", Instant),
    Column("reversed_by", Text),
    one_of("state", ImportState),
    Index(None, "body_id", "id"),
)

import_parts = Table(
    "import_parts",
    metadata,
    _import_key(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
"""The file, cut into parts, each compressed by itself."""

import_rows = Table(
    "import_rows",
    metadata,
    _import_key(),
    Column("number_key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("line", Integer, nullable=False),
    Column("other_line", Integer),
    sqlite_with_rowid=False,
)
"""The numbers that the file names. ``other_line``: a later row that says something else of the number."""

import_rejects = Table(
    "import_rejects",
    metadata,
    _import_key(),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("cells", Text, nullable=False),
    Column("problems", Text, nullable=False),
)

import_corrections = Table(
    "import_corrections",
    metadata,
    _import_key(),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("original", Text, nullable=False),
    Column("problems", Text, nullable=False),
    Column("cells", Text, nullable=False),
    Column("corrected_at", Instant, nullable=False),
    Column("corrected_by", Text, nullable=False),
)
"""Rows that were rejected and corrected here: as they came, what was wrong, and as they are read now."""

import_differences = Table(
    "import_differences",
    metadata,
    _import_key(),
    Column("kind", Text, primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""What the last dry run would make of each row that changes something."""

import_changes = Table(
    "import_changes",
    metadata,
    Column("id", Identifier, primary_key=True),
    _import_key(primary_key=False),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), nullable=False),
    Column("changed", Text, nullable=False),
    Index(None, "import_id", "id"),
)
"""What an import changed besides deciding: names, city, languages; so that reversing it restores them."""

import_marks = Table(
    "import_marks",
    metadata,
    Column("registration_id", Identifier, ForeignKey("registrations.id"), primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("registration_version", Integer, nullable=False),
    Column("practitioner_version", Integer, nullable=False),
    Column("compared_on", Date, nullable=False),
    Column("doubt_from", Date),
    sqlite_with_rowid=False,
)
"""The row by which a registration was last found to agree: while neither changes, nor a day of doubt comes,
the same row needs no comparison."""

import_events = Table(
    "import_events",
    metadata,
    _import_key(),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("id", Identifier, nullable=False),
    Column("type", Text, nullable=False),
    Column("registration_id", Identifier, nullable=False),
    Column("authorization_id", Identifier),
    Column("decision_id", Identifier),
    Column("day", Date, nullable=False),
    Column("data", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Events of an import that is being applied. They join the feed at its end, all at once, so that nobody who
numbers events waits for the whole of it."""

import_profiles = Table(
    "import_profiles",
    metadata,
    Column("body_id", Identifier, ForeignKey("bodies.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
)
