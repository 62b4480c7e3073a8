"""Bring a database's schema to a revision. The revisions are in ``migrations/``, beside the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

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
    command.upgrade(_configured(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to a revision; ``base`` takes every table away."""
    command.downgrade(_configured(url), revision)


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
