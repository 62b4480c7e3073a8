"""``registry settings``: what this deployment has chosen, and what may be chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from registry.settings import Declared, Settings, declared_settings, unknown_variables

from .database import settings as chosen_settings
from .kept_files import refuse_difference

FILE = Path("docs/settings.md")

INTRODUCTION = """\
# Settings

Made from `registry/settings.py` by `registry settings --write`; not to be edited.

A deployment is configured by its environment. All settings are checked at the start, together: a process
that finds mistakes names each of them, with what was given and what is wanted, and ends. A variable that is
empty counts as not given. One that begins with `REGISTRY_` and is no setting is warned about, with the
nearest that is. No setting has a secret for its default, and none is ever shown: `registry settings` prints
what is in effect with passwords hidden, and ends with 1 where a setting is mistaken.

| variable | default | wanted | |
| --- | --- | --- | --- |
"""


@click.command()
@click.option("--write", "task", flag_value="write", help=f"Write {FILE}, which describes every setting.")
@click.option("--check", "task", flag_value="check", help=f"Fail where {FILE} is not what --write makes.")
def settings(task: str | None) -> None:
    """Print the settings in effect, without secrets; fail where one is mistaken."""
    if task == "write":
        FILE.write_text(_document())
    elif task == "check":
        refuse_difference(FILE, _document(), "registry settings --write")
    else:
        warn_of_unknown()
        for line in _in_effect(chosen_settings()):
            click.echo(line)


def warn_of_unknown() -> None:
    """Say which variables look like settings and are none."""
    for warning in unknown_variables():
        click.echo(f"Warning: {warning}", err=True)


def _in_effect(chosen: Settings) -> Iterator[str]:
    for name, declared, default in declared_settings():
        value = getattr(chosen, name)
        origin = "" if value == default else "  # not the default"
        yield f"{declared.variable}={declared.shown(value)}{origin}"


def _document() -> str:
    rows = (_row(declared, default) for _, declared, default in declared_settings())
    return INTRODUCTION + "".join(rows)


def _row(declared: Declared, default: Any) -> str:
    shown = declared.shown(default)
    code = f"`{shown}`" if shown else ""
    return f"| `{declared.variable}` | {code} | {declared.kind.wanted} | {declared.meaning} |\n"
