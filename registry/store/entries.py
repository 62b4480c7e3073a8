"""Public reads: one statement an answer, from the stored entries alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Dialect, Row, Select, and_, bindparam, select

from . import tables
from .database import public_dialect, public_row

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
    select(*BODY, e.c.document.label("entry"), e.c.answers)
    .join(e, and_(e.c.body_id == b.c.id, e.c.number_key == bindparam("number_key")), isouter=True)
    .where(b.c.code == bindparam("code"))
)

ENTRIES_OF_PRACTITIONER: Select[Any] = (
    select(*BODY, e.c.document.label("entry"))
    .join(e, e.c.body_id == b.c.id)
    .where(e.c.practitioner_id == bindparam("practitioner_id"))
    .order_by(b.c.code, e.c.number_key)
)


class BodyAndEntry(NamedTuple):
    """A row of :data:`ENTRY_BY_NUMBER`."""

    id: str
    code: str
    name: str
    jurisdiction: str
    zone: str
    website: str | None
    publishes_training: bool
    publishes_former_names: bool
    version: int
    document: str
    entry: str | None
    answers: str | None


def entry_by_number(connection: Connection, code: str, number_key: str) -> BodyAndEntry | None:
    """A body with the entry of one number; ``entry`` is ``None`` where the body never registered it."""
    given = {"code": code, "number_key": number_key}
    row = connection.execute(ENTRY_BY_NUMBER, given).one_or_none()
    return None if row is None else BodyAndEntry(*row)


def lone_entry_by_number(code: str, number_key: str) -> tuple[BodyAndEntry | None, float]:
    """The same, for an answer that asks nothing else: by the driver itself; and the age of what was read.

    It is the one statement that all patients and clinics wait for; a connection made ready for more, and a
    result built around a single row, would take several times as long as running it.
    """
    sql, names = _for_driver(public_dialect())
    given = {"code": code, "number_key": number_key}
    row, age = public_row(sql, given if names is None else [given[name] for name in names])
    return (None if row is None else BodyAndEntry(*row)), age


@lru_cache(maxsize=4)
def _for_driver(dialect: Dialect) -> tuple[str, list[str] | None]:
    """The statement as a driver takes it, with the order of its values where they have no names."""
    compiled = ENTRY_BY_NUMBER.compile(dialect=dialect)
    order = getattr(compiled, "positiontup", None)
    return str(compiled), list(order) if order else None


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
