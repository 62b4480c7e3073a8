"""The feed of changes: a place in the one order of all events, and what follows it.

A place never moves. What is committed later is numbered higher, by
:func:`registry.store.database.order_events`, so nothing ever appears behind a cursor that was handed out.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from registry.errors import Gone
from registry.store.feed import event_id, events_between, newest_event

SHAPE = re.compile(r"1\.([0-9]{1,18})\.([0-9a-f-]{0,36})")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the feed: behind the event of that number. ``event`` is its identifier, or "" for none.

    The identifier tells a register that was restored from a backup, and has numbered other events since.
    """

    seq: int
    event: str = ""


START = Place(0)
"""Before the first event."""


def cursor_of(place: Place) -> str:
    """A place as text, the same for ever."""
    return urlsafe_b64encode(f"1.{place.seq}.{place.event}".encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """The inverse of :func:`cursor_of`.

    :raises ValueError: it is not what :func:`cursor_of` ever made.
    """
    written = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
    match = SHAPE.fullmatch(written)
    place = None if match is None else Place(int(match[1]), match[2])
    if place is None or cursor_of(place) != cursor:
        raise ValueError("not a cursor of the feed")
    return place


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """An event with its place, as it was recorded once.

    :param body: the code of the body that it concerns; ``None`` where it concerns none.
    :param audience: the key whose holder alone may see it; ``None`` for everyone.
    :param day: the local day from which it has effect.
    :param occurred_at: the instant (UTC) of its recording.
    :param data: what was told of it; see :mod:`registry.services.decisions` and :mod:`.sweep`.
    """

    place: Place
    id: str
    type: str
    body: str | None
    registration_id: str | None
    authorization_id: str | None
    decision_id: str | None
    day: date
    occurred_at: datetime
    data: Mapping[str, Any]
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events that follow a place, and the place to go on from: that of the last, or further.

    :param more: whether there were more at that moment.
    """

    events: tuple[FeedEvent, ...]
    next: Place
    more: bool


def newest_place(connection: Connection) -> Place:
    """The place behind all events that there are."""
    return Place(*newest_event(connection))


def read_feed(
    connection: Connection, after: Place, *, limit: int, reader_id: str, roster_id: str | None = None
) -> FeedPage:
    """The events that follow a place, in order: what the holder of a key may see.

    :param connection: without a transaction, or in one that began for this.
    :param roster_id: only what concerns those whom it names, and what nobody but the reader may see.
    :raises registry.errors.Gone: the place is of a history that this register no longer has.
    """
    newest = newest_place(connection)
    refuse_other_history(connection, after, newest)
    if newest.seq <= after.seq:
        return FeedPage((), after, more=False)
    between = (after.seq, newest.seq, limit + 1)
    rows = events_between(connection, *between, reader_id=reader_id, roster_id=roster_id)
    events = tuple(event_of(row) for row in rows[:limit])
    more = len(rows) > limit
    return FeedPage(events, events[-1].place if more else newest, more)


def refuse_other_history(connection: Connection, after: Place, newest: Place) -> None:
    """:raises registry.errors.Gone: a place is of a history that this register no longer has."""
    if after in (START, newest):
        return
    if after.seq > newest.seq or event_id(connection, after.seq) != after.event:
        raise Gone(
            "This cursor is of a history that the register no longer has: it was restored from a backup."
            " Verify afresh what you follow, and go on from after=now."
        )


def event_of(row: Row[Any]) -> FeedEvent:
    """An event as it is kept."""
    return FeedEvent(
        Place(row.seq, row.id),
        row.id,
        row.type,
        row.body_code,
        row.registration_id,
        row.authorization_id,
        row.decision_id,
        row.day,
        row.occurred_at,
        json.loads(row.data),
        row.audience,
    )
