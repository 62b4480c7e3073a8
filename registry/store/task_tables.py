"""The tables of what takes long: what was asked for, how far it is, and drafts of rules with what they do."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from .tables import body_key, metadata, one_of
from .types import Identifier, Instant


class TaskKind(StrEnum):
    """What can be asked for, to be done by a process of its own."""

    PREVIEW_IMPORT = "preview_import"
    APPLY_IMPORT = "apply_import"
    REVERSE_IMPORT = "reverse_import"
    WEIGH_RULES = "weigh_rules"
    ADD_RULES = "add_rules"


tasks = Table(
    "tasks",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("kind", Text, nullable=False),
    body_key(),
    Column("subject_id", Identifier, nullable=False),
    Column("subject_version", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("lease", Identifier),
    Column("leased_until", Instant),
    Column("tries", Integer, nullable=False),
    Column("doing", Text),
    Column("rows", Integer, nullable=False),
    Column("finished_at", Instant),
    Column("refused", Text),
    Column("problems", Text),
    one_of("kind", TaskKind),
    Index(None, "subject_id", "id"),
)
"""``lease``: of the process that is at it, until ``leased_until``; ``refused``: why nothing came of it."""

UNFINISHED = tasks.c.finished_at.is_(None)
Index(
    "ix_tasks_unfinished",
    tasks.c.subject_id,
    unique=True,
    sqlite_where=UNFINISHED,
    postgresql_where=UNFINISHED,
)

rules_drafts = Table(
    "rules_drafts",
    metadata,
    Column("id", Identifier, primary_key=True),
    body_key(),
    Column("body_version", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("reason", Text),
    Column("report", Text),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("saved_at", Instant),
    Column("version", Integer, nullable=False),
    Index(None, "body_id", "id"),
)
"""Rules that somebody thinks of making, for a version of the body that they saw."""

rules_effects = Table(
    "rules_effects",
    metadata,
    Column("draft_id", Identifier, ForeignKey("rules_drafts.id"), primary_key=True),
    Column("registration_id", Identifier, ForeignKey("registrations.id"), primary_key=True, index=True),
    Column("document", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Whom a draft would concern, and how; gone when it is saved or left."""
