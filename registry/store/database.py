"""The way to the database: one engine for writes and registrars' reads, one for public reads.

SQLite writes begin with ``BEGIN IMMEDIATE``, so that a transaction which reads before it writes cannot lose
another's update; public reads run in autocommit, which spares the round trips of an empty transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Dialect, Engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from registry.errors import Unavailable
from registry.settings import Settings

from .tables import metadata

db = SQLAlchemy(metadata=metadata)
PUBLIC = "public"

MOST_MAPPED = 2_147_418_112
"""Bytes of an SQLite file that are read where the system keeps them, for all processes: all it allows."""

CANNOT_BE_REACHED = "The register cannot be reached at this moment; please try again."

FEED_ORDER_LOCK = 0x6E65_6564
"""Advisory lock (PostgreSQL) under which events are numbered, so that their order is that of the commits."""


FEED_CHANNEL = "registry_events"
"""On which PostgreSQL tells of new events (LISTEN)."""


def connect_to_database(app: Flask, settings: Settings) -> None:
    """Give the application its engines. Nothing is opened before the first use."""
    common = engine_options(settings.database_url, settings)
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = common
    public = {"url": settings.database_url, **common}
    public |= {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    app.config["SQLALCHEMY_BINDS"] = {PUBLIC: public}
    db.init_app(app)
    with app.app_context():
        for key, engine in db.engines.items():
            if engine.dialect.name == "sqlite":
                prepare_sqlite(engine, settings.busy_seconds, writes=key is None)


def engine_options(url: str, settings: Settings) -> dict[str, Any]:
    """What SQLAlchemy needs to know of one engine."""
    options: dict[str, Any] = {"pool_pre_ping": make_url(url).get_backend_name() != "sqlite"}
    if make_url(url).database not in (None, "", ":memory:"):
        options |= {"pool_size": settings.pool_size, "max_overflow": 0, "pool_timeout": 10}
    return options


def prepare_sqlite(engine: Engine, busy_seconds: int, *, writes: bool) -> None:
    """Durable, concurrent, with foreign keys; and transactions that lock when they begin."""

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _record: object) -> None:
        cast(sqlite3.Connection, connection).isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={busy_seconds * 1000}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA mmap_size={MOST_MAPPED}")
        cursor.close()

    if writes:

        @event.listens_for(engine, "begin")
        def lock(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def writing() -> Iterator[Connection]:
    """One transaction: committed when the block ends, rolled back when it raises.

    :raises registry.errors.Unavailable: the database cannot be reached, is full or is busy.
    """
    with _unavailability(), db.engine.begin() as connection:
        yield connection


@contextmanager
def reading() -> Iterator[Connection]:
    """For registrars' reads: sees every write that was acknowledged before."""
    with _unavailability(), db.engines[PUBLIC].connect() as connection:
        yield connection


@contextmanager
def public_reading() -> Iterator[Connection]:
    """For the public's reads, without a transaction."""
    with _unavailability(), db.engines[PUBLIC].connect() as connection:
        yield connection


@contextmanager
def snapshot() -> Iterator[Connection]:
    """For reads that must agree with each other: what others commit meanwhile is not seen. Writes nothing."""
    with reading() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection


def public_row(sql: str, values: Any) -> Any:
    """The first row of a public read, or ``None``, by the driver itself on a pooled connection.

    For the one statement that every patient and clinic waits for: a transaction, and a result built around a
    single row, would take several times as long as running it.

    :raises registry.errors.Unavailable: as :func:`writing` does.
    """
    engine = db.engines[PUBLIC]
    driver = engine.dialect.loaded_dbapi
    try:
        connection = engine.pool.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(sql, values)
            row = cursor.fetchone()
            cursor.close()
        finally:
            connection.close()
    except (driver.OperationalError, driver.InterfaceError, PoolTimeoutError) as error:
        raise Unavailable(CANNOT_BE_REACHED) from error
    return row


def public_dialect() -> Dialect:
    """What :func:`public_row` wants its statement compiled for."""
    return db.engines[PUBLIC].dialect


@contextmanager
def _unavailability() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise Unavailable(CANNOT_BE_REACHED) from error


def order_events(connection: Connection) -> None:
    """Until this transaction ends, no other numbers events; when it commits, those who wait are told.

    SQLite has one writer at a time as it is, and who waits there looks at the file.
    """
    if connection.dialect.name == "postgresql":
        statement = text("SELECT pg_advisory_xact_lock(:key), pg_notify(:channel, '')")
        connection.execute(statement, {"key": FEED_ORDER_LOCK, "channel": FEED_CHANNEL})


def wake_watchers(connection: Connection) -> None:
    """When this transaction commits, who waits for events looks once more: there is something to deliver."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": FEED_CHANNEL})
