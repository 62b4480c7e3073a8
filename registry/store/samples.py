"""What to show somebody who has just started a register."""

from __future__ import annotations

from sqlalchemy import Connection, exists, select

from . import tables


def is_empty(connection: Connection) -> bool:
    """Whether no body is kept."""
    return not connection.execute(select(exists().select_from(tables.bodies))).scalar_one()


def any_registration(connection: Connection) -> tuple[str, str] | None:
    """The code of a body and a number of its register; ``None`` for an empty register."""
    r, b = tables.registrations, tables.bodies
    found = connection.execute(
        select(b.c.code, r.c.number).join(b, b.c.id == r.c.body_id).order_by(r.c.id).limit(1)
    ).one_or_none()
    return None if found is None else (found.code, found.number)
