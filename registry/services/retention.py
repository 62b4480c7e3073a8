"""Letting go of what is kept for a time alone; and saying beforehand what would go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from registry.settings import Settings
from registry.store import retention as store
from registry.store.retention import Periods


def periods_of(settings: Settings) -> Periods:
    """How long each is kept."""
    return Periods(
        settings.retention_sessions_days,
        settings.retention_import_files_days,
        settings.retention_notices_days,
        settings.retention_deliveries_days,
        settings.retention_tasks_days,
    )


def what_would_go(connection: Connection, periods: Periods, *, at: datetime) -> dict[str, int]:
    """How many rows would go, by table.

    :param at: the present instant (UTC).
    """
    return {table.name: store.count(connection, table, which) for table, which in store.over(periods, at)}


def let_go(tx: Connection, periods: Periods, *, at: datetime) -> dict[str, int]:
    """Let go of what :func:`what_would_go` counts; how many rows went, by table."""
    return {table.name: store.forget(tx, table, which) for table, which in store.over(periods, at)}
