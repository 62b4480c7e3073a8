"""What runs besides the server, and when it last came to its end."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Connection, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite

from .tables import metadata
from .types import Instant

SWEEP = "sweep"

runs = Table(
    "runs",
    metadata,
    Column("name", Text, primary_key=True),
    Column("finished_at", Instant, nullable=False),
)
"""One row for each, rewritten by each run."""


def note_run(tx: Connection, name: str, at: datetime) -> None:
    """Note that a run came to its end.

    :param at: the instant (UTC) at which it began: all until then it has seen.
    """
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    statement = insert(runs).values(name=name, finished_at=at)
    later = {"finished_at": statement.excluded.finished_at}
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_=later, where=runs.c.finished_at < statement.excluded.finished_at
        )
    )


def last_run(connection: Connection, name: str) -> datetime | None:
    """When the last run began that came to its end (UTC); ``None`` where none ever did."""
    return connection.execute(select(runs.c.finished_at).where(runs.c.name == name)).scalar_one_or_none()
