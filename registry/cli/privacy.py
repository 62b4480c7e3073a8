"""``registry privacy`` and ``registry retention``: erasing, handing out, and letting go."""

from __future__ import annotations

from pathlib import Path

import click

from registry import clock
from registry.domain.audit_chain import Happening
from registry.services import audit
from registry.services.access_export import as_zip, held_about
from registry.services.erasure import ErasureBasis, erase_identity
from registry.services.people import get_person
from registry.services.retention import let_go, periods_of, what_would_go
from registry.store.database import reading, snapshot, writing
from registry.store.vacuum import give_back

from .database import connected, operator, recording


@click.group()
def privacy() -> None:
    """Erase who somebody is, or hand out what is held about them."""


@privacy.command()
@click.argument("practitioner")
@click.option("--basis", type=click.Choice([each.value for each in ErasureBasis]), required=True)
@click.confirmation_option(prompt="It cannot be taken back. Erase who this practitioner is?")
def erase(practitioner: str, basis: str) -> None:
    """Erase who PRACTITIONER (an identifier) is; what was decided stays, under a pseudonym.

    What the database has set aside of it is given back too. For backups, see docs/privacy.md.
    """
    with connected():
        with writing() as tx:
            person = get_person(tx, practitioner)
            done = erase_identity(tx, person, ErasureBasis(basis), at=clock.now())
            audit.tell(tx, Happening(clock.now(), operator(), "erase_practitioner", details=done.told))
        give_back()
    click.echo(f"{done.pseudonym}: {done.registrations} registrations, words of {done.decisions} decisions,")
    click.echo(f"{done.import_files} files of imports.")


@privacy.command()
@click.argument("practitioner")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--private-notes", is_flag=True, help="With the notes that registrars keep for themselves.")
def export(practitioner: str, file: Path, *, private_notes: bool) -> None:
    """Write what is held about PRACTITIONER (an identifier) to FILE: a zip with JSON and a page to read."""
    with connected():
        with snapshot() as connection:
            held = held_about(connection, practitioner, at=clock.now(), private_notes=private_notes)
        with recording("export_for_subject", practitioner=practitioner, private_notes=private_notes):
            pass
    file.touch(mode=0o600)
    file.write_bytes(as_zip(held))


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and let nothing go.")
def retention(*, dry_run: bool) -> None:
    """Let go of what is kept for a time alone (REGISTRY_RETENTION_...); run it once a day."""
    with connected() as chosen:
        at, periods = clock.now(), periods_of(chosen)
        if dry_run:
            with reading() as connection:
                _tell(what_would_go(connection, periods, at=at), "would go")
            return
        with recording("retention") as tx:
            gone = let_go(tx, periods, at=at)
        _tell(gone, "gone")


def _tell(rows: dict[str, int], what: str) -> None:
    for table, count in rows.items():
        click.echo(f"{table}: {count} {what}")
