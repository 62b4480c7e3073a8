"""``registry openapi``: the description of the API, kept as a file beside the code."""

from __future__ import annotations

from pathlib import Path

import click

from registry.http.app import create_app
from registry.http.openapi import document, to_yaml
from registry.settings import Settings

from .kept_files import refuse_difference

FILE = Path("openapi.yaml")


@click.command()
@click.option("--write", "task", flag_value="write", help="Write openapi.yaml.")
@click.option(
    "--check", "task", flag_value="check", help="Fail where openapi.yaml is not what --write makes."
)
def openapi(task: str | None) -> None:
    """Print the description of the API (OpenAPI 3.1), made from the code."""
    made = to_yaml(document(create_app(Settings(database_url="sqlite://"))))
    if task == "write":
        FILE.write_text(made)
    elif task == "check":
        refuse_difference(FILE, made, "registry openapi --write")
    else:
        click.echo(made, nl=False)
