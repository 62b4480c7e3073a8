"""Reading a body's register from one end to the other."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from . import tables
from .records import MANY


def registrations_by_number(connection: Connection, body_id: str) -> Iterator[list[str]]:
    """The registrations of a body by number, some identifiers at a time."""
    r = tables.registrations
    after = ""
    while True:
        statement = select(r.c.id, r.c.number_key).where(r.c.body_id == body_id, r.c.number_key > after)
        rows = connection.execute(statement.order_by(r.c.number_key).limit(MANY)).all()
        if rows:
            yield [row.id for row in rows]
        if len(rows) < MANY:
            return
        after = rows[-1].number_key
