"""``registry access``: who may do what, kept as a file beside the code."""

from __future__ import annotations

from pathlib import Path

import click

from registry.http.access_table import document
from registry.http.app import create_app
from registry.http.web.visits import IN_LANGUAGE, PLAIN
from registry.settings import Settings

from .kept_files import refuse_difference

FILE = Path("docs/access.md")


@click.command()
@click.option("--write", "task", flag_value="write", help=f"Write {FILE}.")
@click.option("--check", "task", flag_value="check", help=f"Fail where {FILE} is not what --write makes.")
def access(task: str | None) -> None:
    """Print who may do what, on every route, made from the code."""
    made = document(create_app(Settings(database_url="sqlite://")), frozenset({PLAIN, IN_LANGUAGE}))
    if task == "write":
        FILE.write_text(made)
    elif task == "check":
        refuse_difference(FILE, made, "registry access --write")
    else:
        click.echo(made, nl=False)
