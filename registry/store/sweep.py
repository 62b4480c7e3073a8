"""What the sweep reads and notes: which spans and terms a run of days concerns, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, func, or_, select, tuple_, update

from registry.domain.localtime import local_date

from . import tables
from .records import MANY

b, s, e, d, lapses = tables.bodies, tables.spans, tables.entries, tables.decisions, tables.lapses


StoredEntry = Row[str, str, str | None]
"""``registration_id``, ``document`` and, where there are any, the ``answers`` kept ready."""


@dataclass(frozen=True, slots=True)
class SweptBody:
    """A body, and the local day through which what time brought is announced."""

    id: str
    code: str
    zone: str
    swept_through: date


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A local day that may bring something to a subject."""

    day: date
    subject_id: str
    registration_id: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of a body: after a place (a day and a subject on it) to a last day, inclusive."""

    body_id: str
    after: tuple[date, str]
    last_day: date


def body_ids(connection: Connection) -> list[str]:
    """Every body, by code."""
    return list(connection.execute(select(b.c.id).order_by(b.c.code)).scalars())


def claim_body(tx: Connection, body_id: str) -> SweptBody | None:
    """A body, held against other sweeps (and changes of it) until the transaction ends.

    One that was never swept counts as swept through the local day on which it was taken into the register:
    what is older was recorded with it, as history.
    """
    statement = select(b.c.id, b.c.code, b.c.zone, b.c.swept_through, b.c.created_at).where(b.c.id == body_id)
    row = tx.execute(statement.with_for_update(key_share=True)).one_or_none()
    if row is None:
        return None
    through = row.swept_through or local_date(row.created_at, row.zone)
    return SweptBody(row.id, row.code, row.zone, through)


def note_swept(tx: Connection, body_id: str, through: date) -> bool:
    """Move a body's mark forward; never back. Tells whether it moved."""
    behind = or_(b.c.swept_through.is_(None), b.c.swept_through < through)
    moved = tx.execute(update(b).where(b.c.id == body_id, behind).values(swept_through=through))
    return moved.rowcount == 1


def candidates(
    connection: Connection, stretch: Stretch, days_ahead: Sequence[int], limit: int
) -> tuple[list[Candidate], bool]:
    """The next candidates of a stretch in the order of their days, and whether there are none beyond them.

    :param days_ahead: how many days before a term's last day are of interest.
    """
    streams = [_page(connection, s.c.first_day, 0, stretch, limit)]
    streams.extend(_page(connection, s.c.term_through, ahead, stretch, limit) for ahead in days_ahead)
    found = sorted({candidate for stream in streams for candidate in stream})
    full = [stream[-1] for stream in streams if len(stream) == limit]
    if full:
        found = [candidate for candidate in found if candidate <= min(full)]
    return found[:limit], not full and len(found) <= limit


def _page(
    connection: Connection, column: Column[date], ahead: int, stretch: Stretch, limit: int
) -> list[Candidate]:
    shift = timedelta(days=ahead)
    after_day, after_subject = stretch.after
    statement: Select[Any] = (
        select(column, s.c.subject_id, s.c.registration_id)
        .where(
            s.c.body_id == stretch.body_id,
            tuple_(column, s.c.subject_id) > tuple_(after_day + shift, after_subject),
            column <= stretch.last_day + shift,
        )
        .order_by(column, s.c.subject_id)
        .limit(limit)
    )
    return [Candidate(day - shift, subject, id_) for day, subject, id_ in connection.execute(statement)]


def entries_of(connection: Connection, registration_ids: Iterable[str]) -> dict[str, StoredEntry]:
    """The stored entries of these registrations."""
    statement = select(e.c.registration_id, e.c.document, e.c.answers)
    return {
        row.registration_id: row
        for chunk in _chunks(registration_ids)
        for row in connection.execute(statement.where(e.c.registration_id.in_(chunk)))
    }


def decided_on(
    connection: Connection, registration_ids: Iterable[str], days: Stretch
) -> set[tuple[str, date]]:
    """The subjects, and days of a stretch, on which a decision about them takes effect."""
    subject = func.coalesce(d.c.authorization_id, d.c.registration_id)
    effective = d.c.effective_on.between(days.after[0], days.last_day)
    return {
        (row.subject, row.effective_on)
        for chunk in _chunks(registration_ids)
        for row in connection.execute(
            select(subject.label("subject"), d.c.effective_on).where(
                d.c.registration_id.in_(chunk), effective
            )
        )
    }


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), MANY):
        yield wanted[start : start + MANY]


def resolve_ended(tx: Connection, body_id: str, today: date, *, at: datetime, limit: int) -> int:
    """Note on lapses whose last day has passed that they are resolved, and by which decision.

    Those that another transaction is rewriting are left to the next run.

    :param at: the present instant (UTC).
    :returns: how many; fewer than ``limit`` when no more are left.
    """
    ended = (
        select(lapses.c.id)
        .where(lapses.c.body_id == body_id, lapses.c.resolved_at.is_(None), lapses.c.until < today)
        .order_by(lapses.c.until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(tx.execute(ended).scalars())
    for chunk in _chunks(ids):
        resolved = {"resolved_at": at, "resolved_by": lapses.c.ended_by}
        tx.execute(update(lapses).where(lapses.c.id.in_(chunk)).values(resolved))
    return len(ids)
