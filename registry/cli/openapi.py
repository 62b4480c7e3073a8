"""``registry openapi``: the description of the API, kept as a file beside the code."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import click

from registry.http.app import create_app
from registry.http.openapi import document, to_yaml
from registry.settings import Settings

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
        _check(made)
    else:
        click.echo(made, nl=False)


def _check(made: str) -> None:
    kept = FILE.read_text() if FILE.exists() else ""
    if kept == made:
        return
    for line in unified_diff(kept.splitlines(), made.splitlines(), str(FILE), "the code", lineterm="", n=1):
        click.echo(line)
    raise click.ClickException(f"{FILE} is not what the code says; run: registry openapi --write")
