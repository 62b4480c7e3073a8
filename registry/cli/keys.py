"""``registry keys``: API keys, made where the database is at hand, the first operator's among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from registry import clock
from registry.services import keys as service
from registry.services.keys import Key
from registry.services.principals import Role
from registry.store.database import reading
from registry.store.records import find_body

from .database import connected, operator, recording

ROLES = click.Choice([role.value for role in Role if role is not Role.PUBLIC])
EVERY = 1_000_000


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command()
@click.option("--role", type=ROLES, required=True)
@click.option("--body", help="The code of the body, for registrars and auditors.")
@click.option("--label", required=True, help="Who will hold it.")
@click.option("--days", type=click.IntRange(1, 36500), help="For how many days it opens anything.")
@click.option("--quiet", is_flag=True, help="Print the key alone.")
def create(role: str, body: str | None, label: str, days: int | None, *, quiet: bool) -> None:
    """Make a key, and show it once."""
    at = clock.now()
    expires_at = None if days is None else at + timedelta(days=days)
    with connected(), recording("create_key", role=role, body=body) as tx:
        key = service.create_key(
            tx, role=Role(role), body=body, label=label, expires_at=expires_at, by=operator(), at=at
        )
    if not quiet:
        click.echo(f"A key for {label} ({_holder(key)}), shown only now:", err=True)
    click.echo(key.secret)


@keys.command("list")
@click.option("--body", help="Only the keys of this body.")
def list_(body: str | None) -> None:
    """List keys: never the keys themselves, only what their holders recognise them by."""
    with connected(), reading() as connection:
        of = None if body is None else find_body(connection, body)
        if body is not None and of is None:
            raise click.BadParameter(f"No body is kept under the code {body}.")
        for key in service.list_keys(connection, body_id=None if of is None else of.id, limit=EVERY):
            click.echo("\t".join((key.id, f"ndl_{key.prefix}_...", _holder(key), _state(key), key.label)))


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke the key with this identifier, for good and at once."""
    with connected(), recording("revoke_key", key_id=key_id) as tx:
        service.revoke_key(tx, service.get_key(tx, key_id), by=operator(), at=clock.now())
    click.echo("Revoked.")


def _holder(key: Key) -> str:
    return key.role.value if key.body is None else f"{key.role.value} of {key.body}"


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return f"revoked {_to_the_minute(key.revoked_at)}"
    if not key.in_force(clock.now()):
        return "expired"
    return "never used" if key.last_used_at is None else f"used {_to_the_minute(key.last_used_at)}"


def _to_the_minute(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
