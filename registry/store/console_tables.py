"""Who is signed in to the console: sessions, and links that open one once. Both by the hash of a secret."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from .tables import metadata
from .types import Identifier, Instant

console_links = Table(
    "console_links",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("principal_id", Identifier, ForeignKey("principals.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("body_id", Identifier, ForeignKey("bodies.id")),
    Column("scopes", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("principal_id", Identifier, ForeignKey("principals.id"), nullable=False),
    Column("label", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("body_id", Identifier, ForeignKey("bodies.id")),
    Column("scopes", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("agent_hash", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("address", Text),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("at_body_id", Identifier, ForeignKey("bodies.id")),
    Index(None, "principal_id"),
)
