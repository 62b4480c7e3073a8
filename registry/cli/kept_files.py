"""Files that are kept beside the code and made from it."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import click


def refuse_difference(file: Path, made: str, command: str) -> None:
    """Fail where a kept file is not what is made now, and show how it differs.

    :param command: what makes it.
    """
    kept = file.read_text() if file.exists() else ""
    if kept == made:
        return
    for line in unified_diff(kept.splitlines(), made.splitlines(), str(file), "the code", lineterm="", n=1):
        click.echo(line)
    raise click.ClickException(f"{file} is not what the code says; run: {command}")
