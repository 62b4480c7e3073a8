"""The derived rows as they are stored, to be held against what the facts say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, FromClause, RowMapping, Table, delete, select, update

from . import tables
from .records import RegistrationRecord
from .standing import Standing, body_document

Rows = dict[tuple[Any, ...], RowMapping]

DERIVED: Mapping[str, tuple[Table, tuple[str, ...]]] = {
    "spans": (tables.spans, ("subject_id", "first_day")),
    "entries": (tables.entries, ("body_id", "number_key")),
    "lapses": (tables.lapses, ("kind", "subject_id", "since", "detail_key")),
}
"""The tables derived from a registration, each with what tells its rows apart."""


def next_registrations(
    connection: Connection, after: str, limit: int, *, without: Iterable[str]
) -> list[str]:
    """Registrations by identifier, after one of them; not those of the bodies ``without``."""
    r = tables.registrations
    statement = select(r.c.id).where(r.c.id > after, r.c.body_id.not_in(list(without)))
    return list(connection.execute(statement.order_by(r.c.id).limit(limit)).scalars())


def stored_rows(connection: Connection, name: str, registration_ids: Sequence[str]) -> dict[str, Rows]:
    """The rows of a derived table, by registration and by what tells them apart."""
    table, key = DERIVED[name]
    found: dict[str, Rows] = {id_: {} for id_ in registration_ids}
    statement = select(table).where(table.c.registration_id.in_(registration_ids))
    for row in connection.execute(statement).mappings():
        found[row["registration_id"]][tuple(row[column] for column in key)] = row
    return found


def derived_rows(standing: Standing) -> dict[str, dict[tuple[Any, ...], Mapping[str, Any]]]:
    """The rows that a registration's facts lead to, by table and by what tells them apart."""
    rows: dict[str, Iterable[Mapping[str, Any]]] = {
        "spans": standing.spans,
        "entries": [standing.entry],
        "lapses": standing.lapses.values(),
    }
    return {
        name: {tuple(row[column] for column in DERIVED[name][1]): row for row in of_table}
        for name, of_table in rows.items()
    }


def orphans(connection: Connection, name: str, limit: int) -> list[RowMapping]:
    """Rows of a derived table whose registration is not kept. Foreign keys forbid them while they are on."""
    table, key = DERIVED[name]
    r = tables.registrations
    joined: FromClause = table.outerjoin(r, r.c.id == table.c.registration_id)
    columns = [table.c[column] for column in ("registration_id", *key)]
    statement = select(*columns).select_from(joined).where(r.c.id.is_(None)).limit(limit)
    return list(connection.execute(statement).mappings())


@dataclass(frozen=True, slots=True)
class BodyDocument:
    """A body's rules as kept on its row, and as the recorded versions have them."""

    body_id: str
    code: str
    stored: str
    derived: str


def body_documents(connection: Connection) -> list[BodyDocument]:
    """The documents of every body, by code."""
    b, r = tables.bodies, tables.body_rules
    versions: dict[str, list[str]] = {}
    for row in connection.execute(select(r.c.body_id, r.c.document).order_by(r.c.recorded_at)):
        versions.setdefault(row.body_id, []).append(row.document)
    bodies = connection.execute(select(b.c.id, b.c.code, b.c.document).order_by(b.c.code))
    return [
        BodyDocument(row.id, row.code, row.document, body_document(versions.get(row.id, [])))
        for row in bodies
    ]


def rewrite_body_document(tx: Connection, document: BodyDocument) -> None:
    """Put a body's document right, unless it has changed since it was read."""
    b = tables.bodies
    same = (b.c.id == document.body_id) & (b.c.document == document.stored)
    tx.execute(update(b).where(same).values(document=document.derived, version=b.c.version + 1))


def give_back(tx: Connection, records: Iterable[RegistrationRecord]) -> None:
    """Make way for the derived rows of these registrations: rows of theirs filed under another go."""
    s, e, lapses = tables.spans, tables.entries, tables.lapses
    for record in records:
        subjects = [record.id, *record.authorization_ids]
        elsewhere = lapses.c.registration_id != record.id
        tx.execute(delete(s).where(s.c.subject_id.in_(subjects)))
        tx.execute(delete(e).where(e.c.body_id == record.body.id, e.c.number_key == record.number_key))
        own = lapses.c.subject_id.in_(subjects) & elsewhere
        tx.execute(update(lapses).where(own).values(registration_id=record.id, body_id=record.body.id))


def drop_orphans(tx: Connection, name: str) -> None:
    """Delete the rows of a derived table whose registration is not kept."""
    table, _ = DERIVED[name]
    r = tables.registrations
    tx.execute(delete(table).where(table.c.registration_id.not_in(select(r.c.id))))
