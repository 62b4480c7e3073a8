"""The way to the database: one engine for writes, one for reads in autocommit, one for each replica.

SQLite writes begin with ``BEGIN IMMEDIATE``, so that a transaction which reads before it writes cannot lose
another's update; public reads run in autocommit, which spares the round trips of an empty transaction. Where
public reads go, if there are replicas, :mod:`.replicas` decides; all others go to the primary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from math import inf
from typing import Any

from flask import Flask, current_app, g
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, Dialect, Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from registry import clock
from registry.errors import InDoubt, Interrupted, Unavailable
from registry.settings import Settings

from .engines import (
    ANSWER_SECONDS,
    AUTOCOMMIT,
    engine_options,
    looking_engine,
    note_server,
    prepare_sqlite,
    refuse_replaced,
    wait_only,
)
from .replicas import Order, Replica, Replicas, Source
from .tables import metadata

db = SQLAlchemy(metadata=metadata)
PUBLIC = "public"
LISTENING = "listening"
REPLICAS = "registry.replicas"

AGE = "registry_age"
"""An execution option: how many seconds ago all that was recorded is certain to be in what is read."""

ORDER = "registry_order"

CANNOT_BE_REACHED = "The register cannot be reached at this moment; please try again."
BROKE_OFF = "What was being read from went away; please try again."
MAY_BE_RECORDED = "The database went away while this was being recorded: it may be recorded, or not."
READ_ONLY = "25006"
"""PostgreSQL's code for a write where there can be none: on a server that follows another."""

FEED_ORDER_LOCK = 0x6E65_6564
"""Advisory lock (PostgreSQL) under which events are numbered, so that their order is that of the commits."""


FEED_CHANNEL = "registry_events"
"""On which PostgreSQL tells of new events (LISTEN)."""


def connect_to_database(app: Flask, settings: Settings) -> None:
    """Give the application its engines. Nothing is opened before the first use."""
    url = settings.database_url
    common = engine_options(url, settings)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = common
    binds = {PUBLIC: {"url": url, **common, **AUTOCOMMIT}}
    if settings.listen_url:
        direct = engine_options(settings.listen_url, settings, direct=True)
        binds[LISTENING] = {"url": settings.listen_url, **direct, **AUTOCOMMIT}
    for name, replica in _named(settings).items():
        binds[name] = {"url": replica, **engine_options(replica, settings, writable=False), **AUTOCOMMIT}
    app.config["SQLALCHEMY_BINDS"] = binds
    db.init_app(app)
    newest: dict[int, int] = {}
    with app.app_context():
        _prepare(db.engines, settings, newest)
        if settings.replica_urls:
            app.extensions[REPLICAS] = _replicas_of(db.engines, settings, newest)


def _named(settings: Settings) -> dict[str, str]:
    return {f"replica-{place}": url for place, url in enumerate(settings.replica_urls, start=1)}


def _prepare(engines: Mapping[str | None, Engine], settings: Settings, newest: dict[int, int]) -> None:
    for key, engine in engines.items():
        if engine.dialect.name == "sqlite":
            prepare_sqlite(engine, settings.busy_seconds, writes=key is None)
        elif key in _named(settings):
            note_server(engine)
            wait_only(engine, ANSWER_SECONDS)
        else:
            refuse_replaced(engine, newest)


def _replicas_of(
    engines: Mapping[str | None, Engine], settings: Settings, newest: dict[int, int]
) -> Replicas:
    named = _named(settings)
    looks = [looking_engine(settings.database_url, settings, writable=True)]
    refuse_replaced(looks[0], newest)
    looks += [looking_engine(url, settings, writable=False) for url in named.values()]
    return Replicas(
        engines[PUBLIC],
        [Replica(name, engines[name]) for name in named],
        looks,
        lag=settings.replica_lag_seconds,
        stale=settings.replica_stale_seconds,
    )


def disconnect(app: Flask) -> None:
    """Close every connection of an application that nobody uses any more."""
    replicas: Replicas | None = app.extensions.get(REPLICAS)
    if replicas is not None:
        replicas.end()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@contextmanager
def writing() -> Iterator[Connection]:
    """One transaction: committed when the block ends, rolled back when it raises.

    :raises registry.errors.Unavailable: the database cannot be reached, is full or is busy.
    :raises registry.errors.InDoubt: it went away while the transaction was being committed.
    """
    with _unavailability(), db.engine.connect() as connection, connection.begin() as transaction:
        yield connection
        try:
            if transaction.is_active:  # else it was undone
                transaction.commit()
        except DBAPIError as error:
            if connection.invalidated:
                raise InDoubt(MAY_BE_RECORDED) from error
            raise


@contextmanager
def reading() -> Iterator[Connection]:
    """For registrars' reads: sees every write that was acknowledged before."""
    engine = db.engines[PUBLIC]
    with _unavailability(), engine.connect() as connection:
        yield connection


@contextmanager
def probing() -> Iterator[Connection]:
    """The same for who only asks whether all is well: where replicas answer the public, within seconds."""
    replicas = _replicas()
    if replicas is None:
        with reading() as connection:
            yield connection
    else:
        with _unavailability(), replicas.knock() as connection:
            yield connection


@contextmanager
def snapshot() -> Iterator[Connection]:
    """For reads that must agree with each other: what others commit meanwhile is not seen. Writes nothing."""
    with reading() as connection, _as_one(connection):
        yield connection


@contextmanager
def _as_one(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
        try:
            yield
        finally:
            connection.exec_driver_sql("ROLLBACK")
    else:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield


def public_reading(*, most_age: float = inf) -> AbstractContextManager[Connection]:
    """For the public's reads, without a transaction: from a replica, if one is fit, or from the primary.

    :param most_age: of what is read, in seconds; see :func:`known_as_of`.
    :raises registry.errors.Interrupted: what was read from went away meanwhile; another may answer.
    """
    replicas = _replicas()
    return reading() if replicas is None else _reading_from(replicas, most_age)


@contextmanager
def public_snapshot() -> Iterator[Connection]:
    """The same for reads that must agree with each other."""
    with public_reading() as connection, _as_one(connection):
        yield connection


@contextmanager
def _reading_from(replicas: Replicas, most_age: float) -> Iterator[Connection]:
    connection, source = _first_that_opens(replicas, most_age)
    with connection:
        if source.replica is None:
            try:
                with _unavailability():
                    yield connection
            except Unavailable as error:
                if connection.invalidated and _order() is not Order.PRIMARY_ONLY:
                    raise Interrupted(BROKE_OFF) from error
                raise
            return
        try:
            yield connection
        except DBAPIError as error:
            source.replica.fail()
            raise Interrupted(BROKE_OFF) from error


def _first_that_opens(replicas: Replicas, most_age: float) -> tuple[Connection, Source]:
    failure: Exception | None = None
    for source in replicas.sources(_order(), most_age):
        try:
            connection = source.engine.connect()
        except (DBAPIError, PoolTimeoutError) as error:
            failure = error
            _note_failure(source)
            continue
        if source.is_as_found(connection.info):
            _note_age(source.age)
            return connection.execution_options(**{AGE: source.age}), source
        connection.invalidate()
        connection.close()
        _note_failure(source)
    raise Unavailable(CANNOT_BE_REACHED) from failure


def public_row(sql: str, values: Any) -> tuple[Any, float]:
    """The first row of a public read, or ``None``, by the driver itself on a pooled connection.

    For the one statement that every patient and clinic waits for: a transaction, and a result built around a
    single row, would take several times as long as running it.

    :returns: the row, and the age of what was read in seconds, as of :func:`known_as_of`.
    :raises registry.errors.Unavailable: as :func:`writing` does.
    """
    engine = db.engines[PUBLIC]
    driver = engine.dialect.loaded_dbapi
    replicas = _replicas()
    if replicas is None:
        try:
            return _row(engine, sql, values), 0.0
        except (driver.OperationalError, driver.InterfaceError, PoolTimeoutError) as error:
            raise Unavailable(CANNOT_BE_REACHED) from error
    failure: Exception | None = None
    for source in replicas.sources(_order()):
        gone: tuple[type[Exception], ...] = (driver.OperationalError, driver.InterfaceError, PoolTimeoutError)
        if source.replica is not None:
            gone = (driver.Error, PoolTimeoutError)  # such as a table that it does not have yet
        try:
            row = _row(source.engine, sql, values, source)
        except gone as error:
            failure = error
            _note_failure(source)
        else:
            _note_age(source.age)
            return row, source.age
    raise Unavailable(CANNOT_BE_REACHED) from failure


def _row(engine: Engine, sql: str, values: Any, source: Source | None = None) -> Any:
    connection = engine.pool.connect()
    try:
        if source is not None and not source.is_as_found(connection.info):
            connection.invalidate()
            raise engine.dialect.loaded_dbapi.OperationalError("another server than was looked at")
        cursor = connection.cursor()
        cursor.execute(sql, values)
        row = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    return row


def public_dialect() -> Dialect:
    """What :func:`public_row` wants its statement compiled for."""
    return db.engines[PUBLIC].dialect


def watching_engine() -> Engine:
    """For a connection, beside all pools, that is told of new events."""
    engines = db.engines
    return engines.get(LISTENING, engines[PUBLIC])


def _replicas() -> Replicas | None:
    replicas: Replicas | None = current_app.extensions.get(REPLICAS)
    return replicas


def replica_ages() -> dict[str, float]:
    """By replica, how many seconds ago all that was recorded is in it for certain."""
    replicas = _replicas()
    return {} if replicas is None else replicas.ages()


def read_from_primary() -> None:
    """For the rest of this request: whoever may have written sees at once what they wrote."""
    g.setdefault(ORDER, Order.PRIMARY_ONLY)


def read_elsewhere() -> None:
    """For the rest of this request: what was read from went away, so the primary is asked first."""
    g.setdefault(ORDER, Order.PRIMARY_FIRST)


def _order() -> Order:
    order: Order = g.get(ORDER, Order.REPLICAS_FIRST)
    return order


def _note_age(age: float) -> None:
    if age > age_of_request():
        g.registry_oldest = age
        g.registry_as_of = known_as_of(clock.now(), age)


def _note_failure(source: Source) -> None:
    if source.replica is not None:
        source.replica.fail()


def age_of(connection: Connection) -> float:
    """Of what a connection reads: how many seconds ago all that was recorded is in it for certain."""
    age: float = connection.get_execution_options().get(AGE, 0.0)
    return age


def age_of_request() -> float:
    """The greatest age of anything that this request has read in public."""
    age: float = g.get("registry_oldest", 0.0)
    return age


def as_of_request() -> datetime | None:
    """The instant (UTC) until which all that was recorded is in anything that this request read in public.

    ``None`` where it has read from the primary alone.
    """
    as_of: datetime | None = g.get("registry_as_of")
    return as_of


def stale_since() -> datetime | None:
    """Since when (UTC) something may be missing from what this request has read while there was no primary.

    ``None`` where it lacks no more than replicas always may.
    """
    replicas = _replicas()
    return as_of_request() if replicas is not None and age_of_request() > replicas.lag else None


def known_as_of(at: datetime, age: float) -> datetime:
    """The instant (UTC) until which all that was recorded is in what was read.

    :param at: the present instant (UTC), taken before it was read.
    :param age: of what was read, in seconds.
    """
    return at - timedelta(seconds=age) if age else at


@contextmanager
def _unavailability() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise Unavailable(CANNOT_BE_REACHED) from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != READ_ONLY:
            raise
        for each in (db.engine, db.engines[PUBLIC]):
            each.dispose()  # any of their connections may lead to the server that follows another now
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
