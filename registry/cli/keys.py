"""``registry keys``: API keys, made where the database is at hand, the first operator's among them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from registry import clock
from registry.services import keys as service
from registry.services.keys import Key
from registry.services.principals import SCOPES_OF, AccessScope, Role
from registry.store.database import reading
from registry.store.records import find_body

from .database import connected, operator, recording

ROLES = click.Choice([role.value for role in Role if role is not Role.PUBLIC])
SCOPES = click.Choice([scope.value for scope in AccessScope])
EVERY = 1_000_000


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke API keys."""


@keys.command()
@click.option("--role", type=ROLES, required=True)
@click.option("--body", help="The code of the body, for registrars and auditors.")
@click.option("--label", required=True, help="Who will hold it.")
@click.option("--scope", "scopes", type=SCOPES, multiple=True, help="One of those it has; repeat it.")
@click.option("--days", type=click.IntRange(1, 36500), help="For how many days it opens anything.")
@click.option("--quiet", is_flag=True, help="Print the key alone.")
def create(
    role: str, body: str | None, label: str, scopes: tuple[str, ...], days: int | None, *, quiet: bool
) -> None:
    """Make a key, and show it once. Without --scope it may do all that its role may."""
    at = clock.now()
    expires_at = None if days is None else at + timedelta(days=days)
    with connected(), recording("create_key", role=role, body=body) as tx:
        key = service.create_key(
            tx,
            role=Role(role),
            body=body,
            label=label,
            scopes=frozenset(map(AccessScope, scopes)) or None,
            expires_at=expires_at,
            by=operator(),
            at=at,
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
            click.echo(
                "\t".join(
                    (key.id, f"ndl_{key.prefix}_...", _holder(key), _powers(key), _state(key), key.label)
                )
            )


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke the key with this identifier, for good and at once."""
    with connected(), recording("revoke_key", key_id=key_id) as tx:
        service.revoke_key(tx, service.get_key(tx, key_id), by=operator(), at=clock.now())
    click.echo("Revoked.")


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 720),
    default=24,
    show_default=True,
    help="For how long the present secret stays good; 0 where others know it.",
)
@click.option("--quiet", is_flag=True, help="Print the key alone.")
def rotate(key_id: str, overlap_hours: int, *, quiet: bool) -> None:
    """Give the key with this identifier another secret, and show it once."""
    at = clock.now()
    with connected(), recording("rotate_key", key_id=key_id) as tx:
        key = service.rotate_key(
            tx, service.get_key(tx, key_id), overlap=timedelta(hours=overlap_hours), by=operator(), at=at
        )
    if not quiet:
        assert key.previous_until is not None
        until = _to_the_minute(key.previous_until)
        click.echo(f"The key of {key.label}, shown only now; the one before is good until {until}:", err=True)
    click.echo(key.secret)


def _holder(key: Key) -> str:
    return key.role.value if key.body is None else f"{key.role.value} of {key.body}"


def _powers(key: Key) -> str:
    return "all" if key.scopes == SCOPES_OF[key.role] else ",".join(sorted(key.scopes))


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return f"revoked {_to_the_minute(key.revoked_at)}"
    if not key.in_force(clock.now()):
        return "expired"
    used = "never used" if key.last_used_at is None else f"used {_to_the_minute(key.last_used_at)}"
    return used if key.expires_at is None else f"{used}, expires {_to_the_minute(key.expires_at)}"


def _to_the_minute(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
