"""What is kept for a time alone: by table, the rows whose time is over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from registry.clock import first_id_of

from . import tables
from .booked_check_tables import booked_checks
from .console_tables import console_links, console_sessions
from .idempotency import KEPT
from .import_tables import (
    ImportState,
    import_corrections,
    import_differences,
    import_parts,
    import_rejects,
    imports,
)
from .notice_tables import notices
from .task_tables import tasks
from .webhook_tables import webhook_attempts

EVERYWHERE_OVER = timedelta(days=2)
"""After so long a calendar day has passed in every zone."""


@dataclass(frozen=True, slots=True)
class Periods:
    """How many days each is kept."""

    sessions: int
    import_files: int
    notices: int
    deliveries: int
    tasks: int


def over(periods: Periods, at: datetime) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Each table of which rows go, and which; those that refer to others go before them.

    Decisions, registrations, corrections, the audit and the feed are not among them: for as long as somebody
    may ask how it stood, the register must be able to say.

    :param at: the present instant (UTC).
    """
    k, s, c = tables.idempotency_keys, console_sessions, console_links
    before = {name: at - timedelta(days=getattr(periods, name)) for name in Periods.__slots__}
    yield k, k.c.begun_at < at - KEPT
    yield s, func.coalesce(s.c.ended_at, s.c.ends_at) < before["sessions"]
    yield c, c.c.expires_at < before["sessions"]
    done = (ImportState.APPLIED, ImportState.REVERSED, ImportState.FAILED)
    settled = func.coalesce(imports.c.reversed_at, imports.c.applied_at, imports.c.received_at)
    old = select(imports.c.id).where(imports.c.state.in_(done), settled < before["import_files"])
    for table in (import_parts, import_rejects, import_corrections, import_differences):
        yield table, table.c.import_id.in_(old)
    yield (
        notices,
        (notices.c.day < _day(before["notices"])) & notices.c.state.not_in(("queued", "sending")),
    )
    yield booked_checks, booked_checks.c.day < _day(at - EVERYWHERE_OVER)
    yield webhook_attempts, webhook_attempts.c.id < first_id_of(before["deliveries"])
    yield tasks, tasks.c.finished_at < before["tasks"]


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def count(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    """How many rows would go."""
    return connection.execute(select(func.count()).select_from(table).where(which)).scalar_one()


def forget(tx: Connection, table: Table, which: ColumnElement[bool]) -> int:
    """Let them go; how many went."""
    return tx.execute(delete(table).where(which)).rowcount
