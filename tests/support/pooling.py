"""A PgBouncer before a PostgreSQL server, in transaction mode: Debian's, or whichever is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.postgres import make_home
from tests.support.replication import DATABASE, PATIENCE, Server, wait_until
from tests.support.tools import tool

CONNECTIONS = 2
"""To the server, for each database: few, so that they pass from hand to hand."""

SETTINGS = """
[databases]
* = host={server} user=postgres

[pgbouncer]
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
auth_type = any
listen_addr =
listen_port = 6432
unix_socket_dir = {home}
logfile = {home}/log
pidfile = {home}/pgbouncer.pid
"""


@contextmanager
def pooled(server: Server, home: Path) -> Iterator[str]:
    """The address of the register's database, by way of a PgBouncer of its own."""
    program = tool("pgbouncer", "pgbouncer")
    account = make_home(home)
    settings = home / "pgbouncer.ini"
    settings.write_text(SETTINGS.format(server=server.home, connections=CONNECTIONS, home=home))
    settings.chmod(0o644)
    process = subprocess.Popen(
        [program, str(settings)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home, **account
    )
    try:
        address = pooled_url(home)
        wait_until(lambda: _answers(address), "PgBouncer answers")
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(home, ignore_errors=True)


def pooled_url(home: Path, database: str = DATABASE) -> str:
    """The address of a database by way of the PgBouncer in a folder."""
    return f"postgresql://postgres@/{database}?host={home}&port=6432"


def _answers(address: str) -> bool:
    try:
        with psycopg.connect(address, prepare_threshold=None) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False
