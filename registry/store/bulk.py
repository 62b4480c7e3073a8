"""Many rows at once, by the quickest way of each engine: COPY on PostgreSQL, the driver's own on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import JSON, Connection, Dialect, Table, cast, func, insert, literal
from sqlalchemy.sql.selectable import TableValuedAlias

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]

CACHE_KIB = 131_072
WORTH_IT = 50
"""Rows from which the engine's own way is quicker than a statement of SQLAlchemy's."""


def insert_rows(tx: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Write rows that all name the same columns."""
    if not rows:
        return
    columns = tuple(rows[0])
    if len(rows) < WORTH_IT or len(columns) == 1:
        tx.execute(insert(table), list(rows))
    elif tx.dialect.name == "postgresql":
        _copy(tx, table, columns, rows)
    else:
        statement, converts = _prepared(tx.dialect, table, columns)
        tx.exec_driver_sql(statement, _converted(columns, converts, rows))


def _copy(tx: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[Values]) -> None:
    quote = tx.dialect.identifier_preparer.quote
    names = ", ".join(quote(column) for column in columns)
    values = itemgetter(*columns)
    driver: Any = tx.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {quote(table.name)} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(values(row))


@lru_cache(maxsize=128)
def _prepared(
    dialect: Dialect, table: Table, columns: tuple[str, ...]
) -> tuple[str, list[tuple[int, Convert]]]:
    """The statement, and what turns the values of some columns into what the driver stores."""
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(column) for column in columns)
    marks = ", ".join("?" * len(columns))
    processors = (table.c[column].type.dialect_impl(dialect).bind_processor(dialect) for column in columns)
    converts: list[tuple[int, Convert]] = [
        (place, convert) for place, convert in enumerate(processors) if convert is not None
    ]
    return f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})", converts  # noqa: S608 - names of our own


def _converted(
    columns: tuple[str, ...], converts: list[tuple[int, Convert]], rows: Sequence[Values]
) -> list[tuple[Any, ...]]:
    """Rows as tuples, column by column converted: the same few days and words come again and again."""
    values = itemgetter(*columns)
    by_column = list(zip(*(values(row) for row in rows), strict=True))
    for place, convert in converts:
        column = by_column[place]
        stored = {value: convert(value) for value in set(column)}
        by_column[place] = tuple(stored[value] for value in column)
    return list(zip(*by_column, strict=True))


@contextmanager
def room_for_many(tx: Connection) -> Iterator[None]:
    """Within, SQLite keeps more of the indexes in memory, which many new rows touch all over."""
    if tx.dialect.name == "postgresql":
        yield
        return
    before = tx.exec_driver_sql("PRAGMA cache_size").scalar_one()
    tx.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KIB}")
    try:
        yield
    finally:
        tx.exec_driver_sql(f"PRAGMA cache_size={before}")


def rows_of_texts(tx: Connection, texts: Sequence[str]) -> TableValuedAlias:
    """Any number of texts as a table with the one column ``value``, to be joined with."""
    document = json.dumps(texts, ensure_ascii=False)
    if tx.dialect.name == "postgresql":
        texts_of = func.json_array_elements_text(cast(literal(document), JSON))
        return texts_of.table_valued("value", name="asked")
    return func.json_each(document).table_valued("value", name="asked")
