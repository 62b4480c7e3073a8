"""``registry serve``: everything that a register needs to answer, in one command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from urllib.parse import quote

import click
from sqlalchemy import Connection

from registry import clock
from registry.domain.names import number_key
from registry.settings import Settings
from registry.store import schema
from registry.store.database import reading
from registry.store.records import find_body, find_registration
from registry.store.samples import any_registration, is_empty

from .database import connected, recording, settings

FIRST_SHOWN = ("ca-ab", "PT-10001")
"""Of the demonstration register: who is authorized, without conditions."""


@click.command()
@click.option("--no-demo", is_flag=True, help="Leave an empty register empty.")
@click.option("--no-sweep", is_flag=True, help="Leave the sweep to another process or machine.")
@click.option("--no-deliver", is_flag=True, help="Leave webhooks to another process or machine.")
@click.option("--no-work", is_flag=True, help="Leave imports and rules that take long to another process.")
@click.option("--no-notices", is_flag=True, help="Leave notices to another process or machine.")
def serve(*, no_demo: bool, no_sweep: bool, no_deliver: bool, no_work: bool, no_notices: bool) -> None:
    """Migrate, fill an empty register with a demonstration, and serve it (PORT=8000)."""
    chosen = settings()
    _refuse_taken(chosen.host, chosen.port)
    schema.upgrade(chosen.database_url)
    with connected(chosen):
        if not no_demo:
            _load_demonstration()
        _tell_addresses(chosen)
    beside = {
        "keep-sweeping": not no_sweep,
        "keep-delivering": not no_deliver,
        "keep-working": not no_work,
        "keep-noticing": bool(chosen.mail_host) and not no_notices,
    }
    _start_beside([name for name, is_wanted in beside.items() if is_wanted])
    sys.stdout.flush()
    os.execv(sys.executable, _server())  # noqa: S606 - this interpreter, with our own arguments


def _refuse_taken(host: str, port: int) -> None:
    """Say in time that somebody else listens there: the server's own log would name no address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        told = f"Port {port} of {host} cannot be listened on: {error.strerror}."
        raise click.ClickException(f"{told} Choose another, such as PORT={port % 50000 + 80}.") from error


def _server() -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--config", "python:registry.http.serving"]


def _load_demonstration() -> None:
    with reading() as connection:
        empty = is_empty(connection)
    if not empty:
        return
    from registry.demo import load_demonstration

    click.echo("Loading a demonstration register: everyone in it is invented ...")
    with recording("load_demonstration") as tx:
        load_demonstration(tx, at=clock.now())


def _tell_addresses(chosen: Settings) -> None:
    with reading() as connection:
        shown = _is_kept(connection, *FIRST_SHOWN)
        sample = FIRST_SHOWN if shown else any_registration(connection)
    base = chosen.public_url
    body, number = sample or ("<body>", "<number>")
    entry = f"{base}/v1/bodies/{body}/registrations/{quote(number, safe='<>')}"
    click.echo(
        f"""
  The register                {base}/
  Its API, to try             {base}/docs
  Whether it is alive, ready  {base}/healthz  {base}/readyz

Who keeps a register here:
  curl -s {base}/v1/bodies
Find someone by name:
  curl -s '{base}/v1/practitioners?name={"obrien" if shown else "smith"}'
May this person needle?
  curl -s '{entry}/verification?technique=dry_needling'

A key for a registrar:  .venv/bin/registry keys create --role registrar --body {body} --label "You"
The console, once in:   .venv/bin/registry console-link --body {body} --label "You"
Ctrl-C stops the server.
"""
    )


def _is_kept(connection: Connection, code: str, number: str) -> bool:
    body = find_body(connection, code)
    return body is not None and find_registration(connection, body.id, number_key(number)) is not None


def _start_beside(names: list[str]) -> None:
    """Keep commands running in processes of their own, until this one, soon to be the server, ends."""
    command = [sys.executable, "-m", "registry.cli", "keep-beside", str(os.getpid()), *names]
    if names:
        subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - this interpreter, with our own arguments
