"""Stored entries of many people, each with its body, read by two statements for any number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, TextClause, select, text

from . import tables
from .records import Body, body_of
from .search import as_list, listed


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry as it is kept."""

    practitioner_id: str
    body: Body
    number_key: str
    city_key: str | None
    document: str


def entries_of_people(
    connection: Connection, practitioner_ids: Iterable[str]
) -> dict[str, list[StoredEntry]]:
    """The entries of these people, those of one person by body and number."""
    statement = f"{_ENTRY} WHERE e.practitioner_id IN ({listed(connection)})"
    found: dict[str, list[StoredEntry]] = {}
    for entry in _entries(connection, statement, as_list(practitioner_ids)):
        found.setdefault(entry.practitioner_id, []).append(entry)
    return found


def entries_by_number(connection: Connection, number_key: str) -> list[StoredEntry]:
    """The entries of one number with every body that issued it, by body."""
    statement = f"{_ENTRY} WHERE e.number_key = :number_key AND e.body_id IN (SELECT id FROM bodies)"  # noqa: S608 - no input
    return list(_entries(connection, statement, {"number_key": number_key}))


_ENTRY = "SELECT e.practitioner_id, e.body_id, e.number_key, e.city_key, e.document FROM entries e"


def _entries(connection: Connection, statement: str, parameters: Mapping[str, Any]) -> Iterator[StoredEntry]:
    rows = connection.execute(_text(statement), parameters).all()
    bodies = _bodies(connection, {row.body_id for row in rows})
    for row in sorted(rows, key=lambda row: (bodies[row.body_id].code, row.number_key)):
        yield StoredEntry(
            row.practitioner_id, bodies[row.body_id], row.number_key, row.city_key, row.document
        )


@lru_cache(maxsize=8)
def _text(statement: str) -> TextClause:
    return text(statement)


def _bodies(connection: Connection, ids: Iterable[str]) -> dict[str, Body]:
    found: Iterable[Row[Any]] = connection.execute(_bodies_of(listed(connection)), as_list(ids)).all()
    return {row.id: body_of(row) for row in found}


@lru_cache(maxsize=2)
def _bodies_of(ids: str) -> Select[Any]:
    return select(tables.bodies).where(tables.bodies.c.id.in_(text(ids)))


def body_exists(connection: Connection, code: str) -> bool:
    """Whether a body is kept under a code."""
    b = tables.bodies
    return connection.execute(select(b.c.id).where(b.c.code == code)).first() is not None
