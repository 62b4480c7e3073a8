"""The table of checks for coming days: which clinic relies on whom, until the day has passed."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, Table, Text

from registry.domain.vocabulary import Mode

from .tables import body_key, metadata, one_of
from .types import Identifier

EVERY_TECHNIQUE = "every"
"""Stands for a check that asked about each technique."""

booked_checks = Table(
    "booked_checks",
    metadata,
    Column("owner_id", Identifier, ForeignKey("principals.id"), primary_key=True),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), primary_key=True, index=True),
    Column("day", Date, primary_key=True),
    Column("technique", Text, primary_key=True),
    Column("mode", Text, primary_key=True),
    body_key(),
    one_of("mode", Mode),
    Index(None, "body_id", "day"),
    sqlite_with_rowid=False,
)
"""Nothing of whom the clinic treats: that it asked, about whom, and for which day."""
