"""The tables of the search by name: a cache of published and former names, rewritten with them.

``COLLATE "C"`` makes PostgreSQL compare as SQLite does, byte by byte, so that both give the same order.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, SmallInteger, Table, Text

from .tables import metadata
from .types import Identifier

Folded = Text().with_variant(Text(collation="C"), "postgresql")
"""Folded text, compared by code points on both engines."""

searchable_people = Table(
    "searchable_people",
    metadata,
    Column("practitioner_id", Identifier, ForeignKey("practitioners.id"), primary_key=True),
    Column("words", Folded, nullable=False),
    Column("former", Folded, nullable=False),
    Column("marks", Folded, nullable=False),
    sqlite_with_rowid=False,
)
"""What each person is found by: the words of published names, those that only former names add, and marks."""

name_postings = Table(
    "name_postings",
    metadata,
    Column("word", Folded, primary_key=True),
    Column("second", Folded, primary_key=True),
    Column("practitioner_id", Identifier, primary_key=True),
    Column("former", SmallInteger, primary_key=True, autoincrement=False),
    Column("leads", SmallInteger, nullable=False),
    Column("others", Folded, nullable=False),
    sqlite_with_rowid=False,
)
"""Each word of a person with each other, in both orders: two words of a name are one place in the index.

``former``: 1 where the row belongs to the names in use and the former ones together. ``leads``: 1 on one row
of each word. ``others``: the remaining words and marks, each with a space before it, and one behind the last.
"""

name_words = Table(
    "name_words",
    metadata,
    Column("word", Folded, nullable=False),
    Index(None, "word"),
)
"""The distinct words. Not unique: two writers who meet the same new word need not wait for each other."""

name_word_forms = Table(
    "name_word_forms",
    metadata,
    Column("form", Folded, nullable=False),
    Column("word", Folded, nullable=False),
    Index(None, "form", "word"),
)
"""Each distinct word as it is and with any one letter left out, for typing errors."""
