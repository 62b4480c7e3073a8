"""Many rows at once, by the quickest way of each engine: COPY on PostgreSQL, the driver's own on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    any_,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex

from .tables import ONLY_ON

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]

POSTGRESQL = "postgresql"
WORTH_IT = 50
"""Rows from which the engine's own way is quicker than a statement of SQLAlchemy's."""

CACHE_KIB = 131_072

AT_A_TIME = 10_000
"""Rows that SQLite's driver is given at once."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows of one table as an engine's driver takes them; made anywhere, written in a transaction."""

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def pack(engine: str, table: Table, rows: Sequence[Values]) -> Packed:
    """Rows (one at least) that all name the same columns.

    :param engine: the name of its dialect.
    """
    columns = tuple(rows[0])
    values = itemgetter(*columns)
    if engine == POSTGRESQL:
        return Packed(table.name, columns, [values(row) for row in rows])
    by_column = list(zip(*(values(row) for row in rows), strict=True))
    for place, convert in _converts(table, columns):
        # The same few days and words come again and again.
        stored = {value: convert(value) for value in set(by_column[place])}
        by_column[place] = tuple(map(stored.__getitem__, by_column[place]))
    return Packed(table.name, columns, list(zip(*by_column, strict=True)))


@lru_cache(maxsize=128)
def _converts(table: Table, columns: tuple[str, ...]) -> list[tuple[int, Convert]]:
    """What turns the values of some columns into what SQLite's driver stores."""
    dialect = sqlite.dialect()
    types = (table.c[column].type.dialect_impl(dialect) for column in columns)
    processors = enumerate(type_.bind_processor(dialect) for type_ in types)
    return [(place, convert) for place, convert in processors if convert is not None]


def write_packed(tx: Connection, packed: Packed) -> None:
    """Write rows that were packed for this engine."""
    stream_rows(tx, packed.table, packed.columns, packed.rows)


def stream_rows(
    tx: Connection, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Write any number of rows whose values are as the engine's driver takes them."""
    quote = tx.dialect.identifier_preparer.quote
    into = f"{quote(table)} ({', '.join(map(quote, columns))})"
    if tx.dialect.name == POSTGRESQL:
        driver: Any = tx.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks, following = ", ".join("?" * len(columns)), iter(rows)
    while part := list(islice(following, AT_A_TIME)):
        tx.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", part)  # noqa: S608 - names of our own


def insert_rows(tx: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Write rows that all name the same columns, two at least."""
    if len(rows) >= WORTH_IT:
        write_packed(tx, pack(tx.dialect.name, table, rows))
    elif rows:
        tx.execute(insert(table), list(rows))


@contextmanager
def room_for_many(tx: Connection) -> Iterator[None]:
    """Within, SQLite keeps more of the indexes in memory, which many new rows touch all over."""
    if tx.dialect.name == POSTGRESQL:
        yield
        return
    before = tx.exec_driver_sql("PRAGMA cache_size").scalar_one()
    tx.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KIB}")
    try:
        yield
    finally:
        tx.exec_driver_sql(f"PRAGMA cache_size={before}")


@contextmanager
def built_afterwards(tx: Connection, filled: Iterable[Table]) -> Iterator[None]:
    """Within, tables that nothing is in yet have no indexes but unique ones, and no foreign keys.

    They are made when the block ends: all is sorted once that otherwise finds its place row by row. If the
    transaction fails they are as they were. PostgreSQL lets nobody else read these tables meanwhile.
    """
    empty = [
        table
        for table in filled
        if tx.execute(select(literal(1)).select_from(table).limit(1)).first() is None
    ]
    indexes = [index for table in empty for index in _plain_indexes(table, tx.dialect.name)]
    keys = [key for table in empty for key in _foreign_keys(table, tx.dialect.name)]
    for key in keys:
        tx.execute(DropConstraint(key))
    for index in indexes:
        tx.execute(DropIndex(index))
    yield
    for index in indexes:
        tx.execute(CreateIndex(index))
    for key in keys:
        tx.execute(AddConstraint(key, isolate_from_table=False))


def _plain_indexes(table: Table, engine: str) -> list[Index]:
    """Those that only make reading quick."""
    here = (index for index in table.indexes if index.info.get(ONLY_ON, engine) == engine)
    return sorted((index for index in here if not index.unique), key=lambda index: str(index.name))


def _foreign_keys(table: Table, engine: str) -> list[ForeignKeyConstraint]:
    """SQLite cannot take them from a table, and checks them at little cost."""
    return (
        sorted(table.foreign_key_constraints, key=lambda key: str(key.name)) if engine == POSTGRESQL else []
    )


def among(tx: Connection, column: Column[str], texts: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column holds one of any number of texts, looked up one by one where there is an index.

    Both engines see one parameter: a statement stays the same for any number.
    """
    if tx.dialect.name == POSTGRESQL:
        return column == any_(literal(list(texts), ARRAY(Text)))
    document = json.dumps(texts, ensure_ascii=False)
    return column.in_(select(func.json_each(document).table_valued("value", name="asked").c.value))
