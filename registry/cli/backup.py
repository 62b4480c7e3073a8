"""``registry backup`` and ``registry restore``: the whole register in one file, and back."""

from __future__ import annotations

from pathlib import Path

import click

from registry import clock
from registry.domain.audit_chain import checkpoint_of
from registry.errors import Invalid
from registry.services import audit
from registry.services.backups import Manifest, back_up, opened
from registry.services.backups import restore as write_all
from registry.services.check import find_differences
from registry.settings import Settings
from registry.store import schema
from registry.store.database import snapshot, writing

from .check import repaired
from .database import connected, recording, settings


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the whole register to FILE, as of one moment, while it goes on being used.

    FILE is of either engine and for either. It holds secrets: keep it as you keep the database.
    """
    revision = schema.newest_revision()
    assert revision is not None
    with connected():
        with recording("backup", file=file.name):
            pass
        manifest = back_up(snapshot, file, revision=revision, at=clock.now())
    click.echo(f"{manifest.rows:,} rows of {len(manifest.tables)} tables; audit {manifest.checkpoint}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--no-check", is_flag=True, help="Do not fold every decision anew to see that all is right.")
def restore(file: Path, *, no_check: bool) -> None:
    """Fill an empty database from FILE, all or nothing, migrate it to this version, and check it."""
    chosen = settings()
    with opened(file) as (whole, manifest):
        if manifest.revision not in schema.revisions():
            raise Invalid(
                f"This backup has the schema {manifest.revision}, which this version does not know."
            )
        schema.upgrade(chosen.database_url, manifest.revision)
        with connected(chosen, any_schema=True), writing() as tx:
            write_all(tx, whole, manifest)
    schema.upgrade(chosen.database_url)
    if manifest.revision != schema.newest_revision():
        with connected(chosen):
            repaired()  # what a newer schema keeps ready
    click.echo(f"{manifest.rows:,} rows of {len(manifest.tables)} tables restored.")
    _verify(chosen, manifest, fold=not no_check)


def _verify(chosen: Settings, manifest: Manifest, *, fold: bool) -> None:
    wrong = 0
    with connected(chosen):
        kept = None if manifest.checkpoint is None else checkpoint_of(manifest.checkpoint)
        with snapshot() as connection:
            breaks = audit.verify(connection, kept=kept).breaks
        for broken in breaks:
            click.echo(f"BROKEN {broken}")
        for difference in find_differences(snapshot) if fold else ():
            click.echo(str(difference))
            wrong += 1
        with recording("restore", made_at=manifest.made_at, checkpoint=manifest.checkpoint):
            pass
    click.echo(
        f"The audit is {'BROKEN' if breaks else 'unbroken'}" + (f"; {wrong} differences." if fold else ".")
    )
    if breaks or wrong:
        raise SystemExit(1)
