"""``registry audit``: whether the audit is what was written, and a copy of it."""

from __future__ import annotations

import json
from datetime import UTC

import click

from registry import clock
from registry.domain.audit_chain import AuditEntry, checkpoint_of
from registry.services.audit import verify as walk
from registry.services.audit import vouch_for_all
from registry.store.audit import every_entry
from registry.store.database import snapshot, writing

from .database import connected


@click.group()
def audit() -> None:
    """Verify and export the audit."""


@audit.command()
@click.option("--kept", help="A checkpoint that was kept outside: the chain must still lead through it.")
@click.option("--quiet", is_flag=True, help="Print the checkpoint alone.")
def verify(kept: str | None, *, quiet: bool) -> None:
    """Walk along the chain, and print the checkpoint of its end; exit with 1 where it is broken.

    Keep the checkpoint where nobody who can write to this database can reach it.
    """
    try:
        checkpoint = None if kept is None else checkpoint_of(kept)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--kept") from error
    with connected():
        vouch_for_all(writing, at=clock.now())
        with snapshot() as connection:
            found = walk(connection, kept=checkpoint)
    for one in found.breaks:
        click.echo(f"BROKEN {one}")
    if not quiet:
        click.echo(
            f"{found.entries} entries, {'broken' if found.breaks else 'unbroken'}; checkpoint:", err=True
        )
    if found.checkpoint is not None:
        click.echo(found.checkpoint)
    if found.breaks:
        raise SystemExit(1)


@audit.command()
def export() -> None:
    """Write every entry as a line of JSON, the oldest first."""
    with connected(), snapshot() as connection:
        for entry in every_entry(connection):
            click.echo(json.dumps(_document(entry), ensure_ascii=False))


def _document(entry: AuditEntry) -> dict[str, object]:
    told = entry.happening
    return {
        "seq": entry.seq,
        "id": entry.id,
        "at": told.at.astimezone(UTC).isoformat(),
        "principal": told.principal,
        "action": told.action,
        "body_id": told.body_id,
        "address": told.address,
        "request_id": told.request_id,
        "details": told.details,
        "sealed_through": entry.sealed_through,
        "facts": entry.facts,
        "previous": entry.previous,
        "hash": entry.hash,
    }
