"""What the public may read of the events of one registration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from . import tables


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """That something happened, and when; not who recorded it or why.

    :param type: such as ``authorization.suspended``.
    :param day: the local day from which it has effect.
    :param occurred_at: the instant (UTC) at which the register told of it.
    """

    id: str
    type: str
    day: date
    occurred_at: datetime


def latest_events(connection: Connection, registration_id: str, most: int) -> list[PublicEvent]:
    """The latest events of a registration and its authorizations, latest first."""
    e = tables.events
    statement = (
        select(e.c.id, e.c.type, e.c.day, e.c.occurred_at)
        .where(e.c.registration_id == registration_id)
        .order_by(e.c.seq.desc())
        .limit(most)
    )
    return [PublicEvent(*row) for row in connection.execute(statement)]
