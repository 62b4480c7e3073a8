"""A PostgreSQL primary with streaming replicas: real servers, each in a folder.

They listen on sockets in their folders alone, so no port is taken. See :mod:`tests.support.postgres` for
where the programs come from.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from tests.support.postgres import make_home, run, where_readable, with_first_that_works

DATABASE = "registry"
PATIENCE = 60.0
"""Seconds until a slow machine has done what is waited for."""

SETTINGS = """
listen_addresses = ''
max_connections = 60
shared_buffers = 16MB
# Speed: these servers need not survive a power cut, and what is committed is told to replicas all the same.
fsync = off
full_page_writes = off
jit = off
autovacuum = off
timezone = 'Pacific/Chatham'
wal_keep_size = 256MB
wal_retrieve_retry_interval = 100ms
"""
HOMES = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """One PostgreSQL server and its folder."""

    binaries: Path
    home: Path
    account: Mapping[str, Any]

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def url(self) -> str:
        """The address of the register's database on this server."""
        return f"postgresql://postgres@/{DATABASE}?host={self.home}"

    def run(self, program: str, *arguments: str) -> None:
        run([str(self.binaries / program), *arguments], self.home, self.account)

    def start(self) -> None:
        log = str(self.home / "log")
        self.run("pg_ctl", "start", "-w", "-t", str(int(PATIENCE)), "-D", str(self.data), "-l", log)

    def kill(self) -> None:
        """End it as a crash would: nobody is told, nothing is tidied up."""
        self.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self.data))

    def freeze(self) -> None:
        """It neither answers nor goes away, until it is killed."""
        for pid in self._processes():
            os.kill(pid, signal.SIGSTOP)

    def _processes(self) -> list[int]:
        first = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def thaw(self) -> None:
        for pid in reversed(self._processes()):
            os.kill(pid, signal.SIGCONT)

    def promote(self) -> None:
        self.run("pg_ctl", "promote", "-w", "-t", str(int(PATIENCE)), "-D", str(self.data))

    def execute(self, statement: str) -> Any:
        """Run one statement; the first value of its answer, if it has one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]

    def pause(self) -> None:
        """Stop showing what arrives from the primary, as a replica; it still arrives."""
        self.execute("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self.execute("SELECT pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        self.execute("SELECT pg_wal_replay_resume()")

    def follow(self, primary: Server) -> None:
        """Follow another primary from here on."""
        self.configure(f"primary_conninfo = 'host={primary.home} user=postgres'")
        self.run("pg_ctl", "reload", "-D", str(self.data))

    def configure(self, setting: str) -> None:
        """Add a line to its configuration, which goes before those above."""
        with (self.data / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(f"{setting}\n")


@dataclass(frozen=True)
class Cluster:
    """A primary, and the replicas that follow it."""

    primary: Server
    replicas: tuple[Server, ...]

    @property
    def servers(self) -> tuple[Server, ...]:
        return (self.primary, *self.replicas)

    @property
    def replica_urls(self) -> tuple[str, ...]:
        return tuple(replica.url for replica in self.replicas)

    @property
    def any_url(self) -> str:
        """The address that names every server: whichever can be written to is meant."""
        hosts = "&".join(f"host={server.home}" for server in self.servers)
        return f"postgresql://postgres@/{DATABASE}?{hosts}"


def wait_until(condition: Any, what: str = "") -> None:
    """Wait until something is the case, which it must be soon."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


def make_cluster(directory: Path, replicas: int, fill: Callable[[str], object]) -> Cluster:
    """A cluster to make copies of: its servers are stopped.

    :param fill: makes the register in the empty database at an address.
    :raises tests.support.postgres.PostgresUnavailableError: there is no PostgreSQL to start.
    """
    primary = with_first_that_works(
        lambda source, binaries: _primary(binaries, directory / f"pristine-{source}-primary")
    )
    fill(primary.url)
    found = [_replica(primary, directory / f"pristine-replica{place + 1}") for place in range(replicas)]
    position = primary.execute("SELECT pg_current_wal_flush_lsn()")
    for replica in found:
        wait_until(partial(replica.execute, f"SELECT pg_last_wal_replay_lsn() >= '{position}'"), "it follows")
    cluster = Cluster(primary, tuple(found))
    for server in reversed(cluster.servers):
        server.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", str(server.data))
    return cluster


@contextmanager
def running_copy(pristine: Cluster, directory: Path, replicas: int) -> Iterator[Cluster]:
    """A copy of a cluster, with so many of its replicas, whose servers run."""
    number = next(HOMES)
    copies: list[Server] = []
    try:
        for original in pristine.servers[: replicas + 1]:
            name = original.home.name.removeprefix("pristine-")
            copy = Server(original.binaries, directory / f"{name}-{os.getpid()}-{number}", original.account)
            make_home(copy.home)
            run(["cp", "--archive", str(original.data), str(copy.data)], copy.home, copy.account)
            copy.configure(f"unix_socket_directories = '{copy.home}'")
            if copies:
                copy.configure(f"primary_conninfo = 'host={copies[0].home} user=postgres'")
            copies.append(copy)
            copy.start()
        yield Cluster(copies[0], tuple(copies[1:]))
    finally:
        for server in copies:
            if (server.data / "postmaster.pid").exists():
                server.thaw()
                server.kill()
            shutil.rmtree(server.home, ignore_errors=True)


def _primary(binaries: Path, home: Path) -> Server:
    account = make_home(home)
    server = Server(where_readable(binaries, home, account), home, account)
    server.run(
        "initdb",
        *("--pgdata", str(server.data), "--username", "postgres", "--auth", "trust"),
        *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--wal-segsize", "1"),
    )
    with (server.data / "postgresql.conf").open("a") as configuration:
        configuration.write(f"{SETTINGS}unix_socket_directories = '{home}'\n")
    server.start()
    create = ["createdb", "-h", str(home), "-U", "postgres", "-T", "template0", DATABASE]
    server.run(*create)
    return server


def _replica(primary: Server, home: Path) -> Server:
    account = make_home(home)
    server = Server(primary.binaries, home, account)
    server.run(
        "pg_basebackup",
        *("-h", str(primary.home), "-U", "postgres", "-D", str(server.data)),
        *("-c", "fast", "-R", "-X", "stream", "--no-sync"),
    )
    with (server.data / "postgresql.conf").open("a") as configuration:
        configuration.write(f"unix_socket_directories = '{home}'\n")
    server.start()
    return server
