"""``registry migrate``: the database's schema."""

from __future__ import annotations

import click

from registry.store import schema

from .database import settings


@click.command()
@click.argument("revision", default="head")
@click.option("--down", is_flag=True, help="Go down to REVISION; 'base' takes every table away.")
def migrate(revision: str, *, down: bool) -> None:
    """Bring the database to the newest schema, or to REVISION."""
    url = settings().database_url
    if down:
        schema.downgrade(url, revision)
    else:
        schema.upgrade(url, revision)
