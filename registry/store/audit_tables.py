"""The table of the audit: appended to, never changed; the database refuses anything else."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from .tables import metadata
from .types import Identifier, Instant

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", Identifier, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("principal", Text, nullable=False),
    Column("address", Text),
    Column("request_id", Text),
    Column("action", Text, nullable=False),
    Column("body_id", Identifier),
    Column("details", Text, nullable=False),
    Column("sealed_through", BigInteger, nullable=False),
    Column("facts", Text),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index(None, "body_id", "seq"),
    Index(None, "principal", "seq"),
    Index(None, "action", "seq"),
)
"""No column refers to another table: the audit outlives what it tells of."""
