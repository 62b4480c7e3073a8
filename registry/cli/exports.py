"""``registry export``: a body's register as a file that imports again without difference."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from registry import clock
from registry.domain.localtime import local_date
from registry.services.bodies import get_body
from registry.services.exports import Export, Form
from registry.store.database import reading
from registry.store.records import Body

from .database import connected, recording

FORMS = click.Choice([form.value for form in Form])


@click.command()
@click.option("--body", "code", required=True, help="The code of the body.")
@click.option("--format", "form", type=FORMS, default="csv", show_default=True)
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="As of which day; else today.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; else standard output."
)
def export(code: str, form: str, day: datetime | None, output: Path | None) -> None:
    """Write a body's register as it stands, to be read with the profile "export".

    Cells that a spreadsheet would run as formulas begin with an apostrophe, which importing takes off.
    """
    with connected():
        with recording(f"export_as_{form}", body=code) as tx:
            body = get_body(tx, code)
        _write(body, day, form, output)


def _write(body: Body, day: datetime | None, form: str, output: Path | None) -> None:
    with reading() as connection:
        wanted = Export(body, day.date() if day is not None else local_date(clock.now(), body.zone))
        text = wanted.text(connection, Form(form))
        if output is None:
            for part in text:
                if sys.stdout.isatty():
                    sys.stdout.write(part)
                else:
                    sys.stdout.buffer.write(part.encode())
            return
        with output.open("w", encoding="utf-8", newline="") as file:
            file.writelines(text)
