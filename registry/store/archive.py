"""Every row of a register as lines of JSON, whichever engine keeps it; and back into an empty database.

Tables and types are read off the database itself, so that an archive of an older schema goes into a database
of that schema, which is then migrated.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Date, DateTime, LargeBinary, MetaData, Table, select, text

from .bulk import POSTGRESQL, stream_rows

AT_A_TIME = 1000
NO_REGISTER = frozenset({"alembic_version", "beats", "console_links", "console_sessions"})
"""Tables that tell of the database and nothing that was recorded; nobody is signed in to what is restored."""
NUMBERED = ("events", "seq")
"""The column whose numbers are given once: a number that was used must not be given again."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def tables_of(connection: Connection) -> list[Table]:
    """The register's tables as the database has them, each after those that it refers to."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in NO_REGISTER]


def lines_of(connection: Connection, table: Table) -> Iterator[str]:
    """Each row as a JSON array of the table's columns, a part in memory at a time."""
    shown = [_shown_by(column.type) for column in table.c]
    options = {"stream_results": True, "yield_per": AT_A_TIME}
    with connection.execute(select(table), execution_options=options) as rows:
        for row in rows:
            values = (None if v is None else show(v) for show, v in zip(shown, row, strict=True))
            yield _encode(list(values)) + "\n"


def _shown_by(type_: Any) -> Callable[[Any], Any]:
    if isinstance(type_, DateTime):
        return _instant
    if isinstance(type_, Date):
        return date.isoformat
    return _bytes if isinstance(type_, LargeBinary) else _itself


def _itself(value: Any) -> Any:
    return value


def _instant(value: datetime) -> str:
    """In UTC; what SQLite keeps has no zone and is UTC."""
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return aware.isoformat(timespec="microseconds")


def _bytes(value: bytes) -> str:
    return b64encode(value).decode()


def take_all(tx: Connection, tables: Iterable[Table]) -> None:
    """Nobody else writes until this transaction ends, and rows may come before those that they refer to."""
    if tx.dialect.name == POSTGRESQL:
        names = ", ".join(map(tx.dialect.identifier_preparer.format_table, tables))
        tx.exec_driver_sql(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
    else:
        tx.exec_driver_sql("PRAGMA defer_foreign_keys=ON")


def is_empty(connection: Connection, tables: Iterable[Table]) -> bool:
    """Whether no table has a row."""
    return all(connection.execute(select(table).limit(1)).first() is None for table in tables)


def load_lines(tx: Connection, table: Table, columns: list[str], lines: Iterable[str]) -> int:
    """Write rows that :func:`lines_of` gave; how many they were."""
    taken = [_taken_by(table.c[name].type, tx.dialect.name) for name in columns]
    count = 0

    def rows() -> Iterator[tuple[Any, ...]]:
        nonlocal count
        for line in lines:
            count += 1
            values = json.loads(line)
            yield tuple(None if v is None else take(v) for take, v in zip(taken, values, strict=True))

    stream_rows(tx, table.name, tuple(columns), rows())
    return count


def _taken_by(type_: Any, engine: str) -> Callable[[Any], Any]:
    """What makes a value one that the engine's driver stores. Both take dates as text."""
    if isinstance(type_, LargeBinary):
        return b64decode
    if isinstance(type_, DateTime):
        return _itself if engine == POSTGRESQL else partial(_as_sqlite_keeps)
    return _itself


def _as_sqlite_keeps(instant: str) -> str:
    return f"{instant[:10]} {instant[11:26]}"


def last_number(connection: Connection) -> int:
    """The highest number that was ever given to an event."""
    if connection.dialect.name == POSTGRESQL:
        named = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), _numbered())
        statement = f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {named.scalar_one()}"  # noqa: S608 - the database's own name
    else:
        statement = f"SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = '{NUMBERED[0]}'"  # noqa: S608 - a name of our own
    number: int = connection.exec_driver_sql(statement).scalar_one()
    return number


def go_on_from(tx: Connection, number: int) -> None:
    """The next event gets a higher number than this one."""
    if number == 0:
        return
    if tx.dialect.name == POSTGRESQL:
        statement = "SELECT setval(pg_get_serial_sequence(:table, :column), :number)"
        tx.execute(text(statement), {**_numbered(), "number": number})
        return
    tx.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": NUMBERED[0]})
    kept = {"table": NUMBERED[0], "number": number}
    tx.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :number)"), kept)


def _numbered() -> dict[str, str]:
    return {"table": NUMBERED[0], "column": NUMBERED[1]}
