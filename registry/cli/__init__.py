"""The ``registry`` command: one module for each of its commands, read when that command is called.

To add one: write ``registry/cli/<module>.py`` with a click command (or group) in it, and name it in
:data:`COMMANDS`. A command that needs the database runs inside :func:`registry.cli.database.connected`;
errors of :mod:`registry.errors` that reach this module are told in a sentence, without a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from registry.errors import RegistryError

from .terminal import escaping_output

COMMANDS: Mapping[str, str] = {
    "serve": "serve:serve",
    "migrate": "migrate:migrate",
    "settings": "settings:settings",
    "keys": "keys:keys",
    "console-link": "console_link:console_link",
    "openapi": "openapi:openapi",
    "access": "access:access",
    "sweep": "sweep:sweep",
    "deliver": "deliver:deliver",
    "work": "work:work",
    "notices": "notices:notices",
    "privacy": "privacy:privacy",
    "retention": "privacy:retention",
    "check": "check:check",
    "audit": "audit:audit",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "import": "imports:import_",
    "imports": "imports:imports",
    "export": "exports:export",
    "keep-beside": "beside:keep_beside",
    "keep-sweeping": "sweep:keep_sweeping",
    "keep-delivering": "deliver:keep_delivering",
    "keep-working": "work:keep_working",
    "keep-noticing": "notices:keep_noticing",
}
"""By name: the module in this package, and the command in it."""


class Commands(click.Group):
    """Reads a command's module when it is called, so that none waits for what another imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, as declared."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command

    def main(self, *args: Any, **options: Any) -> Any:
        """Read the command line and run it; print nothing that a terminal would obey."""
        with escaping_output():
            return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and tell its failure in a sentence."""
        try:
            return super().invoke(ctx)
        except RegistryError as error:
            raise click.ClickException(_told(error)) from error


def _told(error: RegistryError) -> str:
    lines = [error.detail]
    for problem in error.problems:
        told = ", ".join(f"{key} {value}" for key, value in problem.items() if value is not None)
        if problem.get("detail") != error.detail:
            lines.append(f"  {told}")
    return "\n".join(lines)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="needling-registry")
def main() -> None:
    """Keep and serve a register of practitioners and of what their bodies authorize them to do."""
