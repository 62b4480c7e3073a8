"""``registry console-link``: a link that signs somebody in to the console, once."""

from __future__ import annotations

from datetime import timedelta

import click

from registry import clock
from registry.services import console_sessions
from registry.services.principals import AccessScope, Role

from .database import connected, operator, recording

ROLES = click.Choice([role.value for role in console_sessions.ROLES])
SCOPES = click.Choice([scope.value for scope in AccessScope])
LINK_PATH = "/console/sign-in/link"


@click.command("console-link")
@click.option("--role", type=ROLES, default=Role.REGISTRAR.value, show_default=True)
@click.option("--body", help="The code of the body, for registrars and auditors.")
@click.option("--label", help="Who it is for; by the same name they are the same. Your account if left out.")
@click.option("--scope", "scopes", type=SCOPES, multiple=True, help="One of those it has; repeat it.")
@click.option(
    "--minutes",
    type=click.IntRange(1, 1440),
    default=15,
    show_default=True,
    help="How long the link is good for.",
)
@click.option("--quiet", is_flag=True, help="Print the link alone.")
def console_link(
    role: str, body: str | None, label: str | None, scopes: tuple[str, ...], minutes: int, *, quiet: bool
) -> None:
    """Print a link that signs somebody in to the console, once and soon."""
    of = label or operator()
    with connected() as settings, recording("make_console_link", role=role, body=body) as tx:
        secret = console_sessions.make_link(
            tx,
            role=Role(role),
            body=body,
            label=of,
            scopes=frozenset(map(AccessScope, scopes)) or None,
            good_for=timedelta(minutes=minutes),
            by=operator(),
            at=clock.now(),
        )
    if not quiet:
        click.echo(f"It signs {of} in once, within {minutes} minutes; open it in a browser:", err=True)
    click.echo(f"{settings.public_url}{LINK_PATH}?token={secret}")
