"""Engines that registers are measured on, and registers that are made once, then found in a kept folder."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import psycopg
from psycopg import sql

from tests.support.postgres import make_home, run, where_readable, with_first_that_works

from .processes import cpu_seconds, family

# As somebody would set it who gives the register a few gigabytes. What is committed survives a power cut.
POSTGRESQL_SETTINGS = "-c listen_addresses='' -c shared_buffers=1GB -c max_wal_size=4GB"


class Engine(Protocol):
    """A database engine that registers are kept on, by name."""

    name: str
    folder: Path
    """Where the snapshots are that registers are filled from."""

    def url(self, register: str) -> str:
        """Where a register is, or will be."""

    def has(self, register: str) -> bool:
        """Whether it is there, and filled."""

    def filling(self, register: str) -> AbstractContextManager[str]:
        """A context with the URL of a new database, which is the register once its block has ended well."""

    def scratch(self) -> AbstractContextManager[str]:
        """A context with the URL of a new database that is gone afterwards."""

    def cpu_seconds(self) -> float:
        """Processor time that the engine's own processes took so far."""


class Sqlite:
    """Registers in files. The engine works within the processes that ask."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self, register: str) -> str:
        """See :class:`Engine`."""
        return f"sqlite:///{self._file(register)}"

    def has(self, register: str) -> bool:
        """See :class:`Engine`."""
        return self._file(register).exists()

    @contextmanager
    def filling(self, register: str) -> Iterator[str]:
        """See :class:`Engine`."""
        unfinished = f"{register}-unfinished"
        self._remove(unfinished)
        yield self.url(unfinished)
        with closing(sqlite3.connect(self._file(unfinished))) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._file(unfinished).rename(self._file(register))

    @contextmanager
    def scratch(self) -> Iterator[str]:
        """See :class:`Engine`."""
        self._remove("scratch")
        try:
            yield self.url("scratch")
        finally:
            self._remove("scratch")

    def cpu_seconds(self) -> float:
        """See :class:`Engine`."""
        return 0.0

    def _file(self, register: str) -> Path:
        return self.folder / f"{register}.db"

    def _remove(self, register: str) -> None:
        for part in self.folder.glob(f"{register}.db*"):
            part.unlink()


class Postgresql:
    """Registers in databases of one server, which has no others.

    :param socket: the folder in which it listens.
    :param pid: its first process.
    :param folder: where the snapshots are that registers are filled from.
    """

    name = "postgresql"

    def __init__(self, socket: Path, pid: int, folder: Path) -> None:
        self._socket, self._pid, self.folder = socket, pid, folder

    def url(self, register: str) -> str:
        """See :class:`Engine`."""
        return f"postgresql://postgres@/{register}?host={self._socket}"

    def has(self, register: str) -> bool:
        """See :class:`Engine`."""
        with self._connection() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [register])
            return found.fetchone() is not None

    @contextmanager
    def filling(self, register: str) -> Iterator[str]:
        """See :class:`Engine`."""
        unfinished = f"{register}-unfinished"
        self._make(unfinished)
        yield self.url(unfinished)
        self._run("VACUUM (ANALYZE)", database=unfinished)  # as it would have done by itself before long
        self._run("ALTER DATABASE {} RENAME TO {}", unfinished, register)

    @contextmanager
    def scratch(self) -> Iterator[str]:
        """See :class:`Engine`."""
        self._make("scratch")
        try:
            yield self.url("scratch")
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", "scratch")

    def cpu_seconds(self) -> float:
        """See :class:`Engine`."""
        return cpu_seconds(family(self._pid), with_ended=True)

    def _make(self, database: str) -> None:
        self._run("DROP DATABASE IF EXISTS {}", database)
        self._run("CREATE DATABASE {}", database)

    def _run(self, statement: str, *names: str, database: str = "postgres") -> None:
        with self._connection(database) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _connection(self, database: str = "postgres") -> closing[psycopg.Connection]:
        return closing(psycopg.connect(self.url(database), autocommit=True))


@contextmanager
def sqlite_engine(folder: Path) -> Iterator[Sqlite]:
    """Keep registers in files in a folder."""
    yield Sqlite(folder)


@contextmanager
def postgresql_engine(folder: Path) -> Iterator[Postgresql]:
    """Keep registers in a server whose files are in a folder; it runs until the block ends.

    :raises tests.support.postgres.PostgresUnavailableError: there is no PostgreSQL to start.
    """
    data = folder / "postgresql"
    with TemporaryDirectory(prefix="registry-bench-") as temporary:
        home = Path(temporary, "running")
        home.parent.chmod(0o711)  # root's server runs under another account, which must get through
        stop = with_first_that_works(lambda _, binaries: _start(binaries, home, data))
        try:
            yield Postgresql(home, int((data / "postmaster.pid").read_text().splitlines()[0]), folder)
        finally:
            stop()


ENGINES: Mapping[str, Callable[[Path], AbstractContextManager[Engine]]] = {
    Sqlite.name: sqlite_engine,
    Postgresql.name: postgresql_engine,
}
"""Contexts in which an engine serves, by its name; each is given the folder that its registers are in."""


def _start(binaries: Path, home: Path, data: Path) -> Callable[[], None]:
    """Start a server and say how it is stopped.

    :param home: a folder of its own while it runs.
    :param data: where its files are, or are made if there are none.
    """
    account = make_home(home)
    readable = where_readable(binaries, home, account)
    if not data.exists():
        data.mkdir()
        if account:
            shutil.chown(data, account["user"], account["group"])
        kept = ["--pgdata", str(data), "--username", "postgres", "--auth", "trust"]
        run([str(readable / "initdb"), *kept, "--encoding", "UTF8", "--locale", "C"], home, account)
    settings = f"{POSTGRESQL_SETTINGS} -c unix_socket_directories='{home}'"
    control = [str(readable / "pg_ctl"), "-w", "-t", "120", "-D", str(data)]
    run([*control, "-l", str(home / "log"), "-o", settings, "start"], home, account)
    return lambda: run([*control, "-m", "fast", "stop"], home, account)
