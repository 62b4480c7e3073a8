"""Many rows at once, by the quickest way of each engine: COPY on PostgreSQL, prepared inserts on SQLite."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Connection, Table, cast, func, insert, literal
from sqlalchemy.sql.selectable import TableValuedAlias

Values = Mapping[str, Any]

WORTH_COPYING = 50
"""Rows from which COPY is quicker than an insert."""


def insert_rows(tx: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Write rows that all name the same columns."""
    if not rows:
        return
    if tx.dialect.name == "postgresql" and len(rows) >= WORTH_COPYING:
        _copy(tx, table, rows)
    else:
        tx.execute(insert(table), list(rows))


def _copy(tx: Connection, table: Table, rows: Sequence[Values]) -> None:
    columns = list(rows[0])
    quote = tx.dialect.identifier_preparer.quote
    names = ", ".join(quote(column) for column in columns)
    driver: Any = tx.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {quote(table.name)} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row([row[column] for column in columns])


def rows_of_texts(tx: Connection, texts: Sequence[str]) -> TableValuedAlias:
    """Any number of texts as a table with the one column ``value``, to be joined with."""
    document = json.dumps(texts, ensure_ascii=False)
    if tx.dialect.name == "postgresql":
        return func.json_array_elements_text(cast(literal(document), JSON)).table_valued(
            "value", name="asked"
        )
    return func.json_each(document).table_valued("value", name="asked")
