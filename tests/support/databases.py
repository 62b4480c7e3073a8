"""Databases for tests: each is a fresh copy of a template that is migrated once in a test run."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from tests.support.postgres import locked

Migrate = Callable[[str], object]
TEMPLATE_MADE = "template.postgresql"


class Databases(Protocol):
    """Makes databases on one engine; a context holds one's address, and its end removes the database."""

    def migrated(self) -> AbstractContextManager[str]: ...
    def empty(self) -> AbstractContextManager[str]: ...


class SqliteDatabases:
    def __init__(self, directory: Path, migrate: Migrate) -> None:
        self._directory = directory
        self._migrate = migrate
        self._numbers = itertools.count(1)

    @contextmanager
    def empty(self) -> Iterator[str]:
        with self._file() as file:
            yield f"sqlite:///{file}"

    @contextmanager
    def migrated(self) -> Iterator[str]:
        with self._file() as file:
            shutil.copyfile(self._template(), file)
            yield f"sqlite:///{file}"

    @contextmanager
    def _file(self) -> Iterator[Path]:
        file = self._directory / f"{os.getpid()}-{next(self._numbers)}.sqlite"
        try:
            yield file
        finally:
            for part in self._directory.glob(f"{file.name}*"):
                part.unlink()

    def _template(self) -> Path:
        template = self._directory / "template.sqlite"
        with locked(self._directory / "template.sqlite.lock"):
            if not template.exists():
                with self._file() as file:
                    self._migrate(f"sqlite:///{file}")
                    with closing(sqlite3.connect(file)) as connection:
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    file.rename(template)
        return template


class PostgresDatabases:
    def __init__(self, server: str, directory: Path, migrate: Migrate) -> None:
        self._server = make_url(server)
        self._directory = directory
        self._migrate = migrate
        self._prefix = f"registry_test_{directory.name.rsplit('-', 1)[-1]}"
        self._numbers = itertools.count(1)
        self._connection = psycopg.connect(_plain(server), autocommit=True)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def empty(self) -> Iterator[str]:
        with self._copy_of("template0") as name:
            yield self._address(name)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        with self._copy_of(self._template()) as name:
            yield self._address(name)

    @contextmanager
    def _copy_of(self, template: str) -> Iterator[str]:
        name = f"{self._prefix}_{os.getpid()}_{next(self._numbers)}"
        self._create(name, template)
        try:
            yield name
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def _template(self) -> str:
        name = f"{self._prefix}_template"
        done = self._directory / TEMPLATE_MADE
        with locked(self._directory / "template.postgresql.lock"):
            if not done.exists():
                self._create(name, "template0")
                self._migrate(self._address(name))
                # Nobody connects to it again, so that it can be copied at any time.
                self._run("ALTER DATABASE {} IS_TEMPLATE true ALLOW_CONNECTIONS false", name)
                done.write_text(name)
        return name

    def _create(self, name: str, template: str) -> None:
        # Copying files beats writing the copy to the log, the default since 15, by three to one.
        strategy = " STRATEGY FILE_COPY" if self._connection.info.server_version >= 150000 else ""
        self._run("CREATE DATABASE {} TEMPLATE {}" + strategy, name, template)

    def _run(self, statement: str, *names: str) -> None:
        self._connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _address(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)


def drop_template(directory: Path) -> None:
    """Leave a server that outlives the test run as it was before."""
    made = directory / TEMPLATE_MADE
    if "TEST_DATABASE_URL" in os.environ and made.exists():
        with closing(psycopg.connect(_plain(os.environ["TEST_DATABASE_URL"]), autocommit=True)) as connection:
            name = sql.Identifier(made.read_text())
            connection.execute(sql.SQL("ALTER DATABASE {} IS_TEMPLATE false").format(name))
            connection.execute(sql.SQL("DROP DATABASE {}").format(name))


def _plain(address: str) -> str:
    """SQLAlchemy's form of an address, as the driver reads it."""
    return make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
