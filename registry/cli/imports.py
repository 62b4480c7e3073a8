"""``registry import`` and ``registry imports``: snapshots of a register, compared, applied, reversed."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import click

from registry import clock
from registry.domain.localtime import local_date
from registry.errors import Invalid
from registry.services import imports as service
from registry.services.import_openings import spare_the_collector
from registry.services.import_profiles import body_for, choose_profile, parse_profile
from registry.services.import_reversal import reverse_import
from registry.services.imports import Progress
from registry.sheets.profiles import read_profile
from registry.sheets.writing import csv_text
from registry.store.database import reading, writing
from registry.store.imports import Import, Received, list_imports
from registry.store.records import find_body

from .database import connected, operator, recording
from .terminal import on_one_line

EVERY = 1_000_000
TOLD = ("rows", "new", "changed", "unchanged", "rejected", "passed_over", "duplicates", "vanished")
REJECTED_SHOWN = 10
EXIT_REJECTED = 3
"""Exit status where rows were rejected: the rest was taken in."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--profile", "profile_name", required=True, help="A profile's name, or a TOML or JSON file.")
@click.option("--body", help="The code of the body; else as the profile says.")
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day of which the file speaks.")
@click.option("--dry-run", is_flag=True, help="Only say what it would come to.")
@click.option("--partial", is_flag=True, help="The file is not the whole register.")
@click.option(
    "--rejected",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write the rows that were not taken in, to be corrected and imported again.",
)
def import_(
    file: Path,
    profile_name: str,
    body: str | None,
    day: datetime | None,
    *,
    dry_run: bool,
    partial: bool,
    rejected: Path | None,
) -> None:
    """Compare a body's snapshot (CSV, XLSX, NDJSON) with the register and record what explains it.

    Nothing is recorded unless all of it is; rows that cannot be taken in are told, and cost no others. The
    exit status is 3 where there were such rows.
    """
    by, at = operator(), clock.now()
    spare_the_collector()
    with connected(), file.open("rb") as stream:
        with recording("create_import", file=file.name, body=body) as tx:
            received = _received(
                tx, profile_name, body, None if day is None else day.date(), file.name, partial, at
            )
            found = service.receive_import(tx, received, stream, by=by, at=at)
        if dry_run:
            found = service.preview_import(writing, found.id, by=by, at=at, progress=_progress())
        else:
            with recording("apply_import", import_id=found.id) as tx:
                found = service.apply_import(
                    tx, found.id, by=by, at=at, progress=_progress(), helpers=_helpers()
                )
        _tell(found)
        if found.report["rejected"]:
            _tell_rejected(found, rejected)
            sys.exit(EXIT_REJECTED)


def _received(
    tx: Any, name: str, body: str | None, day: date | None, filename: str, partial: bool, at: datetime
) -> Received:
    named = Path(name)
    of_body = None if body is None else find_body(tx, body)
    if named.suffix in (".toml", ".json"):
        document, name = _profile_in(named), named.stem
    else:
        document = choose_profile(tx, None if of_body is None else of_body.id, name)
    keeper = body_for(tx, body, read_profile(document), at=at)
    return Received(keeper.id, filename, name, document, day or local_date(at, keeper.zone), partial)


def _profile_in(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            return parse_profile(text)
        document: dict[str, Any] = json.loads(text)
    except (OSError, ValueError) as error:
        raise Invalid(f"The profile {path} cannot be read: {error}.") from error
    return document


def _helpers() -> int:
    """Processors besides the one that this process keeps busy."""
    return len(os.sched_getaffinity(0)) - 1


def _progress() -> Progress:
    """Draws how far it is, a few times a second where someone watches, every few seconds into a log."""
    begun = time.monotonic()
    watched = sys.stderr.isatty()
    pause, last = (0.2, [0.0]) if watched else (5.0, [begun])

    def tell(doing: str, rows: int) -> None:
        now = time.monotonic()
        if now - last[0] >= pause:
            last[0] = now
            line = f"{doing} {rows:,} rows, {rows / max(now - begun, 0.001):,.0f} a second"
            click.echo(f"\r{line:<60}" if watched else line, err=True, nl=not watched)

    return tell


def _tell(found: Import) -> None:
    report = found.report
    if sys.stderr.isatty():
        click.echo(f"\r{'':<60}\r", err=True, nl=False)
    click.echo(f"import\t{found.id}\t{found.state}")
    for name in TOLD:
        if report[name] is not None:
            click.echo(f"{name}\t{report[name]}")
    for name in ("decisions", "changes"):
        for kind, count in report[name].items():
            click.echo(f"{name}\t{kind}\t{count}")
    for word, count in report["unmapped_words"].items():
        click.echo(f"unmapped word\t{on_one_line(word)}\t{count}")


def _tell_rejected(found: Import, path: Path | None) -> None:
    with reading() as connection, ExitStack() as stack:
        header, rows, delimiter = service.rejected_rows(connection, found)
        if path is None:
            for _, row in zip(range(REJECTED_SHOWN), rows, strict=False):
                click.echo(f"line {row[0]}: {on_one_line(row[1])}", err=True)
            click.echo("--rejected FILE writes them all, to be corrected.", err=True)
            return
        file: IO[str] = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        file.writelines(csv_text([header], delimiter))
        file.writelines(csv_text(rows, delimiter))
        click.echo(
            f"The rejected rows are in {path}; correct them there and import it with --partial.", err=True
        )


@click.group()
def imports() -> None:
    """List, show and reverse imports."""


@imports.command("list")
@click.option("--body", help="Only those of this body.")
def list_(body: str | None) -> None:
    """List imports, latest first."""
    with connected(), reading() as connection:
        of = None if body is None else find_body(connection, body)
        if body is not None and of is None:
            raise click.BadParameter(f"No body is kept under the code {body}.")
        for found in list_imports(connection, None if of is None else of.id, before=None, limit=EVERY):
            received = found.received_at.strftime("%Y-%m-%d %H:%MZ")
            told = (found.id, received, found.state.value, str(found.rows_read), on_one_line(found.filename))
            click.echo("\t".join(told))


@imports.command()
@click.argument("import_id")
def show(import_id: str) -> None:
    """Show what an import came to."""
    with connected(), reading() as connection:
        found = service.get_import(connection, import_id)
        click.echo(json.dumps({"state": found.state, **found.report}, indent=2, ensure_ascii=False))


@imports.command()
@click.argument("import_id")
def apply(import_id: str) -> None:
    """Apply an import that was only previewed, or reversed."""
    with connected(), recording("apply_import", import_id=import_id) as tx:
        found = service.apply_import(
            tx, import_id, by=operator(), at=clock.now(), progress=_progress(), helpers=_helpers()
        )
    _tell(found)


@imports.command()
@click.argument("import_id")
def reverse(import_id: str) -> None:
    """Void all that an import decided, and restore what it changed."""
    with connected(), recording("reverse_import", import_id=import_id) as tx:
        found = reverse_import(tx, import_id, by=operator(), at=clock.now(), progress=_progress())
    click.echo(f"import\t{found.id}\t{found.state}")
