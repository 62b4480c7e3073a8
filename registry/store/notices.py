"""The outbox of notices: whom a day may concern, what is queued once, and who is sending what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    and_,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from registry.clock import new_id
from registry.domain.notices import NOT_REACHED, NoticeKind, NoticeState

from . import tables
from .notice_tables import notice_marks, notices
from .records import MANY

n, s, e = notices, tables.spans, tables.events


@dataclass(frozen=True, slots=True)
class Key:
    """What a message is about; none is queued twice under the same.

    :param subject_id: a registration, an authorization, or who gets a digest.
    :param day: the last local day of a term, the first of a suspension, the day of a digest.
    """

    kind: NoticeKind
    subject_id: str
    day: date
    threshold: int = 0


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A message to be queued, or noted as passed over."""

    key: Key
    body_id: str
    registration_id: str | None = None
    authorization_id: str | None = None
    state: NoticeState = NoticeState.QUEUED


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A message, and what became of it. Instants are UTC.

    :param uncertain: attempts of which nobody knows whether the message was taken.
    """

    id: str
    key: Key
    body_id: str
    registration_id: str | None
    authorization_id: str | None
    state: NoticeState
    queued_at: datetime
    next_attempt_at: datetime
    attempts: int
    uncertain: int
    lease: str | None
    settled_at: datetime | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Mark:
    """The local day that a body's notices are planned for, and the newest event taken into account."""

    planned_on: date
    after_seq: int


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Whom a day may concern: a day of a span, the registration or authorization that has it."""

    day: date
    subject_id: str
    registration_id: str

    @property
    def authorization_id(self) -> str | None:
        """``None`` where it is the registration itself."""
        return None if self.subject_id == self.registration_id else self.subject_id


def find_mark(connection: Connection, body_id: str) -> Mark | None:
    """How far a body's notices are planned; ``None`` where they never were."""
    m = notice_marks
    row = connection.execute(select(m.c.planned_on, m.c.after_seq).where(m.c.body_id == body_id))
    found = row.one_or_none()
    return None if found is None else Mark(found.planned_on, found.after_seq)


def note_mark(tx: Connection, body_id: str, mark: Mark) -> None:
    """Move a body's mark forward; never back."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(notice_marks).values(
        body_id=body_id, planned_on=mark.planned_on, after_seq=mark.after_seq
    )
    new = statement.excluded
    m = notice_marks
    forward = or_(
        m.c.planned_on < new.planned_on,
        and_(m.c.planned_on == new.planned_on, m.c.after_seq < new.after_seq),
    )
    set_ = {"planned_on": new.planned_on, "after_seq": new.after_seq}
    tx.execute(statement.on_conflict_do_update(index_elements=["body_id"], set_=set_, where=forward))


def ending_between(
    connection: Connection, body_id: str, first: date, last: date, after: Subject | None, limit: int
) -> list[Subject]:
    """Subjects with a term whose last day is within local days, in their order."""
    return _subjects(connection, body_id, s.c.term_through, first, last, after, limit)


def beginning_between(
    connection: Connection, body_id: str, first: date, last: date, after: Subject | None, limit: int
) -> list[Subject]:
    """Subjects with a span that begins within local days, in their order."""
    return _subjects(connection, body_id, s.c.first_day, first, last, after, limit)


def _subjects(
    connection: Connection,
    body_id: str,
    column: Any,
    first: date,
    last: date,
    after: Subject | None,
    limit: int,
) -> list[Subject]:
    statement = (
        select(column.label("day"), s.c.subject_id, s.c.registration_id)
        .where(s.c.body_id == body_id, column >= first, column <= last)
        .distinct()
        .order_by(column, s.c.subject_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(tuple_(column, s.c.subject_id) > tuple_(after.day, after.subject_id))
    return [Subject(*row) for row in connection.execute(statement)]


def spans_of(connection: Connection, registration_ids: Collection[str]) -> list[Subject]:
    """The last days of all terms of these registrations and their authorizations."""
    statement = select(s.c.term_through, s.c.subject_id, s.c.registration_id).distinct()
    found: set[Subject] = set()
    for chunk in _chunks(registration_ids):
        of_them = statement.where(s.c.registration_id.in_(chunk), s.c.term_through.is_not(None))
        found.update(Subject(*row) for row in connection.execute(of_them))
    return sorted(found)


def subjects_of(connection: Connection, registration_ids: Collection[str], day: date) -> list[Subject]:
    """These registrations and their authorizations, on a local day."""
    statement = select(s.c.subject_id, s.c.registration_id).distinct()
    found: set[Subject] = set()
    for chunk in _chunks(registration_ids):
        of_them = statement.where(s.c.registration_id.in_(chunk))
        found.update(Subject(day, *row) for row in connection.execute(of_them))
    return sorted(found)


def touched_since(
    connection: Connection, body_id: str, after_seq: int, through_seq: int, limit: int
) -> tuple[list[str], int]:
    """Registrations of a body that events after one and through another tell of; the last one's number."""
    rows = connection.execute(
        select(e.c.seq, e.c.registration_id)
        .where(e.c.seq > after_seq, e.c.seq <= through_seq, e.c.body_id == body_id)
        .order_by(e.c.seq)
        .limit(limit)
    ).all()
    ids = dict.fromkeys(row.registration_id for row in rows if row.registration_id is not None)
    return list(ids), through_seq if len(rows) < limit else rows[-1].seq


def newest_seq(connection: Connection) -> int:
    """The number of the newest event; 0 where there is none."""
    found: int | None = connection.execute(select(func.max(e.c.seq))).scalar_one()
    return found or 0


def put(tx: Connection, wanted: Sequence[NewNotice], *, at: datetime) -> int:
    """Queue messages, or note them as passed over; those that are there already are left as they are.

    One that was cancelled is queued again.

    :returns: how many rows were written.
    """
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    written = 0
    for one in wanted:
        statement = dialect.insert(n).values(_row(one, at))
        again = statement.on_conflict_do_update(
            index_elements=["kind", "subject_id", "day", "threshold"],
            set_={
                "state": statement.excluded.state,
                "next_attempt_at": statement.excluded.next_attempt_at,
                "settled_at": statement.excluded.settled_at,
                "failure": None,
            },
            where=n.c.state == NoticeState.CANCELLED,
        )
        written += tx.execute(again.returning(n.c.id)).one_or_none() is not None
    return written


def _row(one: NewNotice, at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "body_id": one.body_id,
        "kind": one.key.kind,
        "subject_id": one.key.subject_id,
        "day": one.key.day,
        "threshold": one.key.threshold,
        "registration_id": one.registration_id,
        "authorization_id": one.authorization_id,
        "state": one.state,
        "queued_at": at,
        "next_attempt_at": at,
        "attempts": 0,
        "uncertain": 0,
        "settled_at": None if one.state is NoticeState.QUEUED else at,
    }


def known_keys(connection: Connection, keys: Iterable[Key]) -> set[Key]:
    """Those of these keys under which something is kept that was not cancelled."""
    wanted = list(keys)
    found: set[Key] = set()
    for start in range(0, len(wanted), MANY):
        subjects = {key.subject_id for key in wanted[start : start + MANY]}
        rows = connection.execute(
            select(n.c.kind, n.c.subject_id, n.c.day, n.c.threshold).where(
                n.c.subject_id.in_(subjects), n.c.state != NoticeState.CANCELLED
            )
        )
        found.update(Key(NoticeKind(row.kind), row.subject_id, row.day, row.threshold) for row in rows)
    return found & set(wanted)


def queued_of(
    connection: Connection, body_id: str, registration_ids: Collection[str] | None = None
) -> list[StoredNotice]:
    """What is queued for a body, or for some of its registrations."""
    statement = select(n).where(n.c.body_id == body_id, n.c.state == NoticeState.QUEUED).order_by(n.c.id)
    if registration_ids is None:
        return [_stored(row) for row in connection.execute(statement)]
    return [
        _stored(row)
        for chunk in _chunks(registration_ids)
        for row in connection.execute(statement.where(n.c.registration_id.in_(chunk)))
    ]


def claim(tx: Connection, *, at: datetime, until: datetime) -> StoredNotice | None:
    """Take the message that is to be sent next; ``None`` for none.

    The nearest to the end of a term goes first, a digest last, so that it tells what came of the others.

    One that somebody else was sending who did not come back is taken over; whether it was sent is not known.
    """
    due = or_(
        and_(n.c.state == NoticeState.QUEUED, n.c.next_attempt_at <= at),
        and_(n.c.state == NoticeState.SENDING, n.c.lease_until < at),
    )
    first = select(n.c.id).where(due).limit(1).with_for_update(skip_locked=True)
    first = first.order_by(n.c.kind == NoticeKind.DIGEST, n.c.threshold, n.c.id)
    id_ = tx.execute(first).scalar_one_or_none()
    if id_ is None:
        return None
    taken_over = (n.c.state == NoticeState.SENDING).cast(n.c.uncertain.type)
    tx.execute(
        update(n)
        .where(n.c.id == id_)
        .values(
            uncertain=n.c.uncertain + taken_over,
            attempts=n.c.attempts + 1,
            state=NoticeState.SENDING,
            lease=new_id(),
            lease_until=until,
        )
    )
    return find_notice(tx, id_)


def settle(tx: Connection, notice: StoredNotice, values: Mapping[str, Any]) -> bool:
    """Write what became of a message; whether it was still in the same hands."""
    same = and_(n.c.id == notice.id, n.c.state == notice.state, n.c.lease.is_not_distinct_from(notice.lease))
    written = tx.execute(update(n).where(same).values(lease=None, lease_until=None, **values))
    return written.rowcount == 1


def find_notice(connection: Connection, notice_id: str) -> StoredNotice | None:
    """One message."""
    row = connection.execute(select(n).where(n.c.id == notice_id)).one_or_none()
    return None if row is None else _stored(row)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are asked for; ``body_id`` ``None`` for those of every body."""

    body_id: str | None = None
    states: frozenset[NoticeState] | None = None
    registration_id: str | None = None


def page_of_notices(
    connection: Connection, wanted: Wanted, after: str | None, limit: int
) -> list[StoredNotice]:
    """Messages, the newest first, those before one of them."""
    statement = select(n).order_by(n.c.id.desc()).limit(limit)
    if wanted.body_id is not None:
        statement = statement.where(n.c.body_id == wanted.body_id)
    if wanted.states is not None:
        statement = statement.where(n.c.state.in_(sorted(wanted.states)))
    if wanted.registration_id is not None:
        statement = statement.where(n.c.registration_id == wanted.registration_id)
    if after is not None:
        statement = statement.where(n.c.id < after)
    return [_stored(row) for row in connection.execute(statement)]


def not_reached(
    connection: Connection, body_id: str, first: date, last: date, limit: int
) -> list[StoredNotice]:
    """Of each term that ends within local days the notice nearest to its end, where it reached nobody."""
    later = n.alias()
    newer = select(later.c.id).where(
        later.c.kind == n.c.kind,
        later.c.subject_id == n.c.subject_id,
        later.c.day == n.c.day,
        later.c.threshold < n.c.threshold,
        later.c.state != NoticeState.CANCELLED,
    )
    statement = (
        select(n)
        .where(
            n.c.body_id == body_id,
            n.c.state.in_(sorted(NOT_REACHED)),
            n.c.kind != NoticeKind.DIGEST,
            n.c.day.between(first, last),
            ~newer.exists(),
        )
        .order_by(n.c.day, n.c.id)
        .limit(limit)
    )
    return [_stored(row) for row in connection.execute(statement)]


def reached(
    connection: Connection, terms: Collection[tuple[str, date]]
) -> dict[tuple[str, date], StoredNotice]:
    """By subject and last day of a term: the notice nearest to its end that was to be sent."""
    found: dict[tuple[str, date], StoredNotice] = {}
    for chunk in _chunks(subject for subject, _ in terms):
        rows = connection.execute(
            select(n)
            .where(
                n.c.kind == NoticeKind.TERM_ENDS,
                n.c.subject_id.in_(chunk),
                n.c.state != NoticeState.CANCELLED,
            )
            .order_by(n.c.threshold.desc())
        )
        for row in rows:
            found[row.subject_id, row.day] = _stored(row)
    return {term: found[term] for term in terms if term in found}


def queue_again(tx: Connection, practitioner_ids: Collection[str], *, at: datetime) -> int:
    """Queue what reached a person nowhere, now that there is another address; how many.

    Whether it is still due is seen when it is sent.
    """
    r = tables.registrations
    theirs = select(r.c.id).where(r.c.practitioner_id.in_(practitioner_ids))
    again = (NoticeState.NO_ADDRESS, NoticeState.REFUSED, NoticeState.BOUNCED)
    statement = update(n).where(n.c.registration_id.in_(theirs), n.c.state.in_(again))
    values = {"state": NoticeState.QUEUED, "next_attempt_at": at, "settled_at": None, "failure": None}
    return tx.execute(statement.values({**values, "uncertain": 0})).rowcount


def counts(connection: Connection) -> dict[str, int]:
    """How many messages wait, or are being sent."""
    rows = connection.execute(
        select(n.c.state, func.count()).where(n.c.state.in_(("queued", "sending"))).group_by(n.c.state)
    )
    return {state: count for state, count in rows}  # noqa: C416 - a row is no pair of the right type


def counts_of_body(connection: Connection, body_id: str) -> dict[str, int]:
    """How many messages of a body are in each state."""
    counted = select(n.c.state, func.count()).where(n.c.body_id == body_id).group_by(n.c.state)
    return {state: count for state, count in connection.execute(counted)}  # noqa: C416 - as above


def due_since(connection: Connection, at: datetime) -> datetime | None:
    """Since when the oldest message waits that is to be sent by now (UTC); ``None`` for none."""
    waiting = n.c.state.in_(("queued", "sending")), n.c.next_attempt_at <= at
    oldest: datetime | None = connection.execute(
        select(func.min(n.c.next_attempt_at)).where(*waiting)
    ).scalar_one()
    return oldest


def _chunks(ids: Iterable[str]) -> list[list[str]]:
    wanted = sorted(set(ids))
    return [wanted[start : start + MANY] for start in range(0, len(wanted), MANY)]


def _stored(row: Row[Any]) -> StoredNotice:
    return StoredNotice(
        row.id,
        Key(NoticeKind(row.kind), row.subject_id, row.day, row.threshold),
        row.body_id,
        row.registration_id,
        row.authorization_id,
        NoticeState(row.state),
        row.queued_at,
        row.next_attempt_at,
        row.attempts,
        row.uncertain,
        row.lease,
        row.settled_at,
        row.failure,
    )
