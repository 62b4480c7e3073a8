"""The tables of rosters: whom a clinic follows, as it named them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from .tables import body_key, metadata
from .types import Identifier, Instant

rosters = Table(
    "rosters",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("owner_id", Identifier, ForeignKey("principals.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    UniqueConstraint("owner_id", "name"),
)

roster_members = Table(
    "roster_members",
    metadata,
    Column("roster_id", Identifier, ForeignKey("rosters.id"), primary_key=True),
    body_key(primary_key=True),
    Column("number_key", Text, primary_key=True),
    Column("number", Text, nullable=False),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), index=True),
    Index(None, "body_id", "number_key"),
    sqlite_with_rowid=False,
)
"""``registration_id``: whom the number belonged to when it was put down, should it be corrected later."""
