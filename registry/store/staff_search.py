"""Names that the public's index does not hold: legal ones, ended ones, and those of withheld records."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Row, and_, or_, select

from registry.domain.vocabulary import NameKind

from . import tables

n, p, r = tables.practitioner_names, tables.practitioners, tables.registrations


def names_not_published(connection: Connection, body_id: str | None, by: str) -> Iterator[Row[str, str]]:
    """``practitioner_id`` and ``full_name`` of those of a body's people; merged records left out.

    :param body_id: ``None`` for all. Of a body, also who has no registration and was recorded by ``by``.
    """
    published = and_(n.c.kind != NameKind.LEGAL, n.c.ended_at.is_(None))
    registered = select(r.c.id).where(r.c.practitioner_id == p.c.id)
    # Who has no registration is in nobody's index of a body, by whatever name.
    wanted = or_(~published, p.c.withheld, ~registered.exists())
    statement = (
        select(n.c.practitioner_id, n.c.full_name)
        .join(p, p.c.id == n.c.practitioner_id)
        .where(p.c.merged_into.is_(None), wanted)
        .order_by(n.c.practitioner_id, n.c.id)
    )
    if body_id is not None:
        own = and_(~registered.exists(), n.c.recorded_by == by)
        statement = statement.where(or_(registered.where(r.c.body_id == body_id).exists(), own))
    yield from connection.execute(statement)


def people_with_number(connection: Connection, number_key: str, body_id: str | None) -> list[str]:
    """Who holds a number, with one body or with any, by identifier."""
    statement = select(r.c.practitioner_id).where(r.c.number_key == number_key)
    if body_id is not None:
        statement = statement.where(r.c.body_id == body_id)
    return list(connection.execute(statement.order_by(r.c.practitioner_id)).scalars())
