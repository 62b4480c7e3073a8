"""What a digest counts."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, select

from registry.domain.vocabulary import LapseKind

from . import tables

LAPSED = (LapseKind.REGISTRATION_LAPSED, LapseKind.AUTHORIZATION_LAPSED)


def lapsing_between(connection: Connection, body_id: str, first: date, last: date) -> int:
    """How many registrations and authorizations of a body lapse on local days from one through another."""
    t = tables.lapses
    counted = (
        select(func.count())
        .select_from(t)
        .where(
            t.c.body_id == body_id,
            t.c.resolved_at.is_(None),
            t.c.since.between(first, last),
            t.c.kind.in_(LAPSED),
        )
    )
    return connection.execute(counted).scalar_one()
