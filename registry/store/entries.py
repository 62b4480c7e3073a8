"""Public reads: one statement an answer, from the stored entries alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, select

from . import tables

b, e = tables.bodies, tables.entries

BODY = (
    b.c.id,
    b.c.code,
    b.c.name,
    b.c.jurisdiction,
    b.c.zone,
    b.c.website,
    b.c.publishes_training,
    b.c.publishes_former_names,
    b.c.version,
    b.c.document,
)

ENTRY_BY_NUMBER: Select[Any] = (
    select(*BODY, e.c.document.label("entry"))
    .join(e, and_(e.c.body_id == b.c.id, e.c.number_key == bindparam("number_key")), isouter=True)
    .where(b.c.code == bindparam("code"))
)

ENTRIES_OF_PRACTITIONER: Select[Any] = (
    select(*BODY, e.c.document.label("entry"))
    .join(e, e.c.body_id == b.c.id)
    .where(e.c.practitioner_id == bindparam("practitioner_id"))
    .order_by(b.c.code, e.c.number_key)
)


def entry_by_number(connection: Connection, code: str, number_key: str) -> Row[Any] | None:
    """A body with the entry of one number; ``entry`` is ``None`` where the body never registered it."""
    found = connection.execute(ENTRY_BY_NUMBER, {"code": code, "number_key": number_key})
    return found.one_or_none()


def entries_of_practitioner(connection: Connection, practitioner_id: str) -> list[Row[Any]]:
    """The entries of one person, each with its body."""
    found = connection.execute(ENTRIES_OF_PRACTITIONER, {"practitioner_id": practitioner_id})
    return list(found)


def all_bodies(connection: Connection) -> list[Row[Any]]:
    """Every body, by code."""
    return list(connection.execute(select(*BODY).order_by(b.c.code)))


def resolve_practitioner(connection: Connection, practitioner_id: str) -> Row[Any] | None:
    """The person kept under an identifier, following a merge."""
    p = tables.practitioners
    statement = select(p.c.id, p.c.withheld, p.c.merged_into).where(p.c.id == bindparam("id"))
    row: Any = connection.execute(statement, {"id": practitioner_id}).one_or_none()
    while row is not None and row.merged_into is not None:
        row = connection.execute(statement, {"id": row.merged_into}).one_or_none()
    found: Row[Any] | None = row
    return found
