"""Engines: how a connection to either database is made, and made ready."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry

from registry.settings import Settings

from .replicas import SERVER
from .turns import SOON, Turns, wait

MOST_MAPPED = 2_147_418_112
"""Bytes of an SQLite file that are read where the system keeps them, for all processes: all it allows."""

PATIENCE: Mapping[str, Any] = {
    "connect_timeout": 5,
    # A machine that is gone without a word, rather than busy, is given up within some fifteen seconds.
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""Of libpq (PostgreSQL's library), unless an address has its own: seconds, the last in milliseconds."""

ANSWER_SECONDS = 3.0
"""How long a replica may take over one step of an answer before it is read from no more."""

LOOK_SECONDS = 1.5
"""The same for what is asked of a server to know how it is: less than the least that replicas may lag."""

LISTENS = "registry_listens"
"""An execution option: false where what LISTEN asks for would not outlast its transaction."""

IN_MEMORY = (None, "", ":memory:")
"""What an address names where no two connections share a file."""

AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}


def engine_options(
    url: str, settings: Settings, *, writable: bool = True, direct: bool = False
) -> dict[str, Any]:
    """What SQLAlchemy needs to know of one engine.

    :param writable: of several PostgreSQL servers, or of one that may be another tomorrow, the one that can
        be written to is meant; a connection to a mere replica is refused.
    :param direct: past a pooler, if there is one.
    """
    made = make_url(url)
    options: dict[str, Any] = {"pool_pre_ping": made.get_backend_name() != "sqlite"}
    if made.database not in IN_MEMORY:
        options |= {"pool_size": settings.pool_size, "max_overflow": 0, "pool_timeout": 10}
    pooled = settings.transaction_pooler and not direct
    if arguments := connect_arguments(url, writable=writable, pooled=pooled):
        options["connect_args"] = arguments
        if pooled:
            options["execution_options"] = {LISTENS: False}
    return options


def connect_arguments(url: str, *, writable: bool = True, pooled: bool = True) -> dict[str, Any]:
    """What the driver needs to know beside an address.

    :param writable: as for :func:`engine_options`.
    :param pooled: whether there is, or may be, a pooler in between that gives each transaction another
        connection: what was prepared on one is not there on the next.
    """
    made = make_url(url)
    if made.get_backend_name() != "postgresql":
        return {}
    wanted = {**PATIENCE, **({"target_session_attrs": "read-write"} if writable else {})}
    arguments = {name: value for name, value in wanted.items() if name not in made.query}
    return arguments | ({"prepare_threshold": None} if pooled else {})


def looking_engine(url: str, settings: Settings, *, writable: bool) -> Engine:
    """An engine for one connection beside all pools, in autocommit."""
    options = engine_options(url, settings, writable=writable)
    for of_a_pool in ("pool_pre_ping", "pool_size", "max_overflow", "pool_timeout"):
        options.pop(of_a_pool, None)
    if "connect_timeout" in options["connect_args"]:
        options["connect_args"]["connect_timeout"] = 2  # the least that there is
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", **options)
    wait_only(engine, LOOK_SECONDS)
    return engine


def wait_only(engine: Engine, seconds: float) -> None:
    """Give up what has not answered after so many seconds, though its machine be alive: one that hangs.

    :param engine: of PostgreSQL.
    """
    from psycopg import Connection as DriverConnection
    from psycopg.pq import TransactionStatus

    class Impatient(DriverConnection[Any]):
        """A connection that is closed when it makes anybody wait too long."""

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            """Wait for one step of an answer."""
            try:
                return super().wait(gen, interval, seconds if timeout is None else timeout)
            except engine.dialect.loaded_dbapi.OperationalError:
                if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    self.pgconn.finish()
                raise

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, given: Any, named: Any) -> Any:
        return Impatient.connect(*given, **named)


SPENT = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
"""What SQLite says of a file that it can no longer do everything with, whatever becomes of the disk."""


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

    @event.listens_for(engine, "handle_error")
    def let_go(context: ExceptionContext) -> None:
        """A connection that was opened while the disk could only be read stays so: another is made."""
        code = getattr(context.original_exception, "sqlite_errorcode", 0) or 0
        if code & 0xFF in SPENT:
            context.is_disconnect = True

    if writes:
        file = engine.url.database
        turns = Turns(Path(f"{file}-turns")) if file not in IN_MEMORY else None

        @event.listens_for(engine, "begin")
        def lock(connection: Connection) -> None:
            if turns is None:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                _begin_in_turn(connection, turns, busy_seconds)


def _begin_in_turn(connection: Connection, turns: Turns, busy_seconds: int) -> None:
    """Begin to write when it is one's turn.

    :raises sqlalchemy.exc.OperationalError: others wrote for too long.
    """
    until = time.monotonic() + busy_seconds
    driver = cast(sqlite3.Connection, connection.connection.driver_connection)

    def begins() -> bool:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            return error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY  # anything else is told below
        return True

    with turns.taken(until):
        driver.execute("PRAGMA busy_timeout=0")
        try:
            wait(begins, until, SOON)
            if not driver.in_transaction:
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # which tells why not, as every failure is told
        finally:
            driver.execute(f"PRAGMA busy_timeout={busy_seconds * 1000}")


def note_server(engine: Engine) -> None:
    """Note of each connection to which server it leads, by when that was started."""

    @event.listens_for(engine, "connect")
    def note(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT pg_postmaster_start_time()")
        (record.info[SERVER],) = cursor.fetchone() or (None,)
        cursor.close()
        connection.rollback()


def refuse_replaced(engine: Engine, newest: dict[int, int]) -> None:
    """Refuse a server that comes back after another was promoted in its place.

    A promotion begins a timeline with a higher number. To read from what was left behind would be to answer
    yes after a suspension; to write to it, to lose what is written.

    :param newest: by cluster, the highest timeline that this process ever saw: shared by its engines.
    """
    driver = engine.dialect.loaded_dbapi

    @event.listens_for(engine, "connect")
    def compare(connection: DBAPIConnection, _record: object) -> None:
        try:
            cluster, timeline = _timeline(connection)
        except driver.Error:  # a service that hides it sees to it itself
            connection.rollback()
            return
        if timeline < newest.setdefault(cluster, timeline):
            connection.close()
            raise driver.OperationalError("this server was replaced by another")
        newest[cluster] = timeline


def _timeline(connection: DBAPIConnection) -> tuple[int, int]:
    """Of a server that takes writes: which cluster it is, and the number of its timeline."""
    cursor = connection.cursor()
    cursor.execute(
        "SELECT system_identifier, pg_walfile_name(pg_current_wal_flush_lsn()) FROM pg_control_system()"
    )
    cluster, file = cursor.fetchone() or (0, "00000000")
    cursor.close()
    connection.rollback()
    return cluster, int(file[:8], 16)
