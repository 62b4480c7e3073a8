"""The database, for commands: the same engines as the server's, without the server."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask
from sqlalchemy import Connection

from registry import clock
from registry.domain.audit_chain import Happening
from registry.services import audit
from registry.settings import MistakenSettings, Settings, read_settings
from registry.store import schema
from registry.store.database import connect_to_database, disconnect, reading, writing


def settings() -> Settings:
    """The settings of this process; what is mistaken in them is told by variable."""
    try:
        return read_settings()
    except MistakenSettings as error:
        raise click.ClickException(str(error)) from error


def _refuse_other_schema() -> None:
    with reading() as connection:
        if schema.revision_of(connection) != schema.newest_revision():
            raise click.ClickException(
                "The database has another schema than this version needs; run registry migrate."
            )


@contextmanager
def connected(chosen: Settings | None = None, *, any_schema: bool = False) -> Iterator[Settings]:
    """Within, ``registry.store.database`` reaches the database: ``writing()``, ``reading()``.

    :param any_schema: whatever its schema; for what knows how to deal with another.

    :raises click.ClickException: its schema is another than this version is written for.
    """
    chosen = chosen or settings()
    app = Flask(__name__, static_folder=None, template_folder=None)
    connect_to_database(app, chosen)
    with app.app_context():
        try:
            if not any_schema:
                _refuse_other_schema()
            yield chosen
        finally:
            disconnect(app)


def operator() -> str:
    """Whoever may run this command here, by the name of the account."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "cli"


@contextmanager
def recording(action: str, **details: Any) -> Iterator[Connection]:
    """A transaction whose last row tells the audit who did what with this command.

    :param action: as the operation of the API is named that does the same.
    """
    with writing() as tx:
        yield tx
        told = {name: value for name, value in details.items() if value is not None}
        audit.tell(tx, Happening(clock.now(), operator(), action, details=told))
