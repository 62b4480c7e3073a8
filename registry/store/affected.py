"""The registrations that a change of something beneath them affects: found, claimed, and derived anew.

Whoever changes what hangs on a body, a person or a course locks that row first, then the registrations in
the order of their identifiers; whoever adds a registration locks its body and its person. So no two changes
wait for each other in a circle, and none derives from what another is changing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, select, update

from . import tables
from .records import MANY, load_records
from .standing import rewrite_standings


def lock(tx: Connection, table: Table, ids: Iterable[str], *, to_read: bool = False) -> None:
    """Hold these rows against change until the transaction ends, in the order of their identifiers.

    Rows that refer to them may still be written. SQLite has one writer at a time as it is.

    :param to_read: others may hold them so too.
    """
    key = table.c.id
    statement = select(key).where(key.in_(list(ids))).order_by(key)
    tx.execute(statement.with_for_update(read=to_read, key_share=not to_read)).all()


def registrations_of_body(connection: Connection, body_id: str) -> Iterator[str]:
    """Every registration of a body, by identifier, read a stretch at a time."""
    after = ""
    while True:
        stretch = registrations_after(connection, body_id, after, MANY)
        yield from stretch
        if len(stretch) < MANY:
            return
        after = stretch[-1]


def registrations_after(connection: Connection, body_id: str, after: str, limit: int) -> list[str]:
    """A stretch of the registrations of a body, by identifier."""
    r = tables.registrations
    statement = select(r.c.id).where(r.c.body_id == body_id, r.c.id > after).order_by(r.c.id).limit(limit)
    return list(connection.execute(statement).scalars())


def registrations_of_course(connection: Connection, course_id: str) -> list[str]:
    """The registrations of everyone who was trained in a course."""
    r, t = tables.registrations, tables.trainings
    trained = select(t.c.practitioner_id).where(t.c.course_id == course_id)
    found = connection.execute(select(r.c.id).where(r.c.practitioner_id.in_(trained)).order_by(r.c.id))
    return list(found.scalars())


def derive_anew(tx: Connection, registration_ids: Iterable[str], *, at: datetime) -> None:
    """Claim these registrations and rewrite what is derived from them, a stretch at a time.

    A decision that another transaction is recording about one of them comes before or finds itself stale.

    :param registration_ids: in order.
    :param at: the instant (UTC) of the change.
    """
    ids = iter(registration_ids)
    while stretch := list(islice(ids, MANY)):
        _claim(tx, stretch)
        rewrite_standings(tx, list(load_records(tx, stretch)), at=at)


def _claim(tx: Connection, ids: Sequence[str]) -> None:
    r: Any = tables.registrations
    lock(tx, r, ids)
    tx.execute(update(r).where(r.c.id.in_(ids)).values(version=r.c.version + 1))
