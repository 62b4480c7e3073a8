"""Bring a database's schema to a revision. The revisions are in ``migrations/``, beside the package."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from registry.errors import Unavailable

LOCK_NOT_AVAILABLE = "55P03"
LONGEST_TRIED = 120.0
TRIED_AGAIN_AFTER = 0.5
"""Seconds."""

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def _configured(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to a revision; the folder of an SQLite file is made where it is missing."""
    database = make_url(url).database
    if url.startswith("sqlite") and database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    _patiently(lambda: command.upgrade(_configured(url), revision))


def downgrade(url: str, revision: str) -> None:
    """Migrate down to a revision; ``base`` takes every table away."""
    _patiently(lambda: command.downgrade(_configured(url), revision))


def _patiently(migrate: Callable[[], None]) -> None:
    """Migrate; where others hold what is to be changed, step back at once and try again.

    Who waits for a table's lock in PostgreSQL makes everybody wait who comes later. So a migration waits a
    fraction of a second (``migrations/env.py``), shorter than deadlocks are looked for, and is undone.

    :raises registry.errors.Unavailable: they held it all the time.
    """
    until = time.monotonic() + LONGEST_TRIED
    while True:
        try:
            return migrate()
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            if time.monotonic() > until:
                raise Unavailable(
                    "Others held what was to be migrated all the time; nothing was changed. Look for"
                    " transactions that do not end (pg_stat_activity), and try again."
                ) from error
            time.sleep(TRIED_AGAIN_AFTER)


def newest_revision() -> str | None:
    """The revision that this code is written for."""
    return ScriptDirectory.from_config(_configured("sqlite://")).get_current_head()


def revisions() -> set[str]:
    """Every revision that this code knows the way from."""
    script = ScriptDirectory.from_config(_configured("sqlite://"))
    return {revision.revision for revision in script.walk_revisions()}


def revision_of(connection: Connection) -> str | None:
    """The revision that a database is at; ``None`` for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()
