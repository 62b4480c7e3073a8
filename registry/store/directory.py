"""Entries by city."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from .entries import BODY, b, e


def registrations_in(connection: Connection, city_key: str) -> list[str]:
    """The registrations of a city, from the index alone."""
    statement = select(e.c.registration_id).where(e.c.city_key == city_key)
    return list(connection.execute(statement).scalars())


def entries_of(connection: Connection, registration_ids: Sequence[str]) -> list[Row[Any]]:
    """The entries of these registrations, each with its body, in no order."""
    statement = (
        select(*BODY, e.c.registration_id, e.c.document.label("entry"))
        .join(e, e.c.body_id == b.c.id)
        .where(e.c.registration_id.in_(registration_ids))
    )
    return list(connection.execute(statement))
