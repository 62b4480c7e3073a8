"""The feed of events: written in the transaction of their cause, in one order, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from registry.clock import new_id

from . import documents, tables
from .database import order_events
from .records import MANY


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a registration or an authorization, or (without one) to a whole body.

    :param body_id: ``None`` for what only the holder of one key may see, which concerns no body.
    :param day: the local day from which it has effect; of what concerns no body, the day in UTC.
    :param announces: for what time alone brings about: a key that makes the announcement unique.
    :param audience: the identifier of the key whose holder alone may see it; ``None`` for everyone.
    """

    type: str
    body_id: str | None
    registration_id: str | None
    day: date
    occurred_at: datetime
    authorization_id: str | None = None
    decision_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    announces: str | None = None
    audience: str | None = None


def add_events(tx: Connection, events: Sequence[Event]) -> int:
    """Append events; of those that announce something already announced, none.

    Call it last in a transaction: until it ends, no other transaction numbers events.

    :returns: how many were new.
    """
    if not events:
        return 0
    order_events(tx)
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    added = 0
    for start in range(0, len(events), MANY):
        chunk = events[start : start + MANY]
        fresh = [event for event in chunk if event.announces is None]
        if fresh:
            tx.execute(tables.events.insert(), [_row(event) for event in fresh])
        announcing = [event for event in chunk if event.announces is not None]
        known = announced(tx, [event.announces for event in announcing])
        new = [event for event in announcing if event.announces not in known]
        if new:
            statement = dialect.insert(tables.events).on_conflict_do_nothing(index_elements=["announces"])
            tx.execute(statement, [_row(event) for event in new])
        added += len(fresh) + len(new)
    return added


def announced(connection: Connection, keys: Sequence[str | None]) -> set[str | None]:
    """Those of ``keys`` that an event has announced already."""
    e = tables.events
    found: set[str | None] = set()
    for start in range(0, len(keys), MANY):
        chunk = keys[start : start + MANY]
        found.update(connection.execute(select(e.c.announces).where(e.c.announces.in_(chunk))).scalars())
    return found


def _row(event: Event) -> dict[str, Any]:
    return {
        "id": new_id(),
        "type": event.type,
        "body_id": event.body_id,
        "registration_id": event.registration_id,
        "authorization_id": event.authorization_id,
        "decision_id": event.decision_id,
        "day": event.day,
        "occurred_at": event.occurred_at,
        "data": documents.dump(event.data),
        "announces": event.announces,
        "audience": event.audience,
    }
