"""What is due to be delivered, and what came of it: every statement of whoever delivers.

A claim gives a subscription's lease to one deliverer, with a token of its own; whoever marks must still hold
it. So however many deliver, and whenever one dies, a subscription is sent one message at a time, and its
place moves only behind what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, or_, select, update

from registry.domain.webhooks import DisabledBecause, Interest, WebhookState

from . import tables
from .webhook_tables import webhook_attempts, webhook_replays, webhook_secrets, webhooks
from .webhooks import NOTHING_FAILED, types_of

w, s, q, a = webhooks, webhook_secrets, webhook_replays, webhook_attempts
e, k, p = tables.events, tables.api_keys, tables.principals

NEWEST = select(e.c.seq, e.c.id).order_by(e.c.seq.desc()).limit(1)
NO_LEASE: Mapping[str, Any] = {"lease": None, "lease_until": None, "leased_version": None}


@dataclass(frozen=True, slots=True)
class State:
    """The newest event (number and identifier; zero and "" before the first), and whether anything is due."""

    newest: tuple[int, str]
    is_due: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subscription that something may be due to.

    :param is_slow: the last attempt failed, or took long.
    :param feed_is_due: whether there are events behind its place, and no retry is waited for.
    :param replay_id: what is to be sent again, before events.
    :param owner_is_let_in: by a key that is in force, or as whoever comes with tokens and is not blocked.
    """

    interest: Interest
    version: int
    after_seq: int
    is_slow: bool
    feed_is_due: bool
    replay_id: str | None
    owner_is_let_in: bool

    @property
    def id(self) -> str:
        """Of the subscription."""
        return self.interest.webhook_id


def _newest_seq() -> ColumnElement[int]:
    return func.coalesce(select(func.max(e.c.seq)).scalar_subquery(), 0)


def _feed_is_due(at: datetime) -> ColumnElement[bool]:
    timely = or_(w.c.next_attempt_at.is_(None), w.c.next_attempt_at <= at)
    return and_(w.c.state == WebhookState.ACTIVE, w.c.after_seq < _newest_seq(), timely)


def _is_free(at: datetime) -> ColumnElement[bool]:
    return or_(w.c.lease_until.is_(None), w.c.lease_until < at)


def _is_due(at: datetime) -> ColumnElement[bool]:
    replay_is_due = exists().where(q.c.webhook_id == w.c.id, q.c.next_attempt_at <= at)
    return and_(_is_free(at), or_(_feed_is_due(at), replay_is_due))


def look(connection: Connection, at: datetime) -> State:
    """Whether anything is due at an instant: one statement, for when nothing is."""
    newest = NEWEST.subquery()
    statement = select(
        select(newest.c.seq).scalar_subquery(),
        select(newest.c.id).scalar_subquery(),
        exists().where(_is_due(at)),
    )
    seq, id_, is_due = connection.execute(statement).one()
    return State((seq or 0, id_ or ""), bool(is_due))


def candidates(connection: Connection, at: datetime, limit: int, *, slow: bool) -> list[Candidate]:
    """Subscriptions that something may be due to, first those whose last attempt is longest ago.

    :param slow: those whose last attempt failed or took long, or else the others.
    """
    is_key_in_force = and_(k.c.revoked_at.is_(None), or_(k.c.expires_at.is_(None), k.c.expires_at > at))
    is_let_in = and_(p.c.blocked_at.is_(None), or_(k.c.id.is_(None), is_key_in_force))
    due = and_(q.c.webhook_id == w.c.id, q.c.next_attempt_at <= at)
    statement = (
        select(
            *(w.c.id, w.c.owner_id, w.c.types, w.c.roster_id, w.c.version, w.c.after_seq, w.c.slow),
            _feed_is_due(at).label("feed_is_due"),
            select(func.min(q.c.id)).where(due).scalar_subquery().label("replay_id"),
            is_let_in.label("is_let_in"),
        )
        .join(p, p.c.id == w.c.owner_id)
        .join(k, k.c.id == w.c.owner_id, isouter=True)
        .where(_is_due(at), w.c.slow.is_(slow))
        .order_by(w.c.attempted_at, w.c.id)
        .limit(limit)
    )
    return [
        Candidate(
            Interest(row.id, row.owner_id, types_of(row.types), row.roster_id),
            row.version,
            row.after_seq,
            row.slow,
            bool(row.feed_is_due),
            row.replay_id,
            bool(row.is_let_in),
        )
        for row in connection.execute(statement)
    ]


def claim(tx: Connection, ids: Iterable[str], lease: str, *, at: datetime, until: datetime) -> list[Row[Any]]:
    """Take the leases of those that nobody else has, through an instant.

    :returns: ``id``, ``url``, ``version``, ``state``, ``after_seq``, ``trying``, ``tries``, as they are now.
    """
    free = select(w.c.id).where(w.c.id.in_(list(ids)), _is_free(at)).order_by(w.c.id)
    taken = {"lease": lease, "lease_until": until, "leased_version": w.c.version}
    statement = (
        update(w)
        .where(w.c.id.in_(free.with_for_update(skip_locked=True)))
        .values(taken)
        .returning(w.c.id, w.c.url, w.c.version, w.c.state, w.c.after_seq, w.c.trying, w.c.tries)
    )
    return list(tx.execute(statement))


def release(tx: Connection, ids: Sequence[str], leases: Iterable[str]) -> set[str]:
    """Give leases back; those that were still held."""
    if not ids:
        return set()
    held = and_(w.c.id.in_(ids), w.c.lease.in_(sorted(leases)))
    return set(tx.execute(update(w).where(held).values(NO_LEASE).returning(w.c.id)).scalars())


def replays(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """What is to be sent again, by its identifier: ``event_id``, ``tries``, ``asked_at``."""
    return {row.id: row for row in connection.execute(select(q).where(q.c.id.in_(ids)))}


def _is_held_unchanged(leases: Iterable[str]) -> ColumnElement[bool]:
    return and_(w.c.lease.in_(sorted(leases)), w.c.leased_version == w.c.version)


def mark_delivered(
    tx: Connection,
    ids: Sequence[str],
    leases: Iterable[str],
    place: tuple[int, str],
    *,
    at: datetime,
    slow: bool,
) -> set[str]:
    """Move the places of those that are still held, and that nobody changed meanwhile; these."""
    held = and_(w.c.id.in_(ids), _is_held_unchanged(leases))
    moved = {"after_seq": place[0], "after_event": place[1], **NOTHING_FAILED}
    values = {**moved, **NO_LEASE, "attempted_at": at, "slow": slow}
    return set(tx.execute(update(w).where(held).values(values).returning(w.c.id)).scalars())


@dataclass(frozen=True, slots=True)
class Failing:
    """How often an event was tried in vain, and when it is tried again."""

    trying: str
    tries: int
    next_attempt_at: datetime


def mark_failed(tx: Connection, id_: str, lease: str, failing: Failing, *, at: datetime) -> bool:
    """Note that another attempt follows; whether the lease was still held, and nobody changed anything."""
    held = and_(w.c.id == id_, _is_held_unchanged([lease]))
    values = {**asdict(failing), **NO_LEASE, "attempted_at": at, "slow": True}
    return tx.execute(update(w).where(held).values(values)).rowcount == 1


def mark_over(tx: Connection, id_: str, lease: str, because: DisabledBecause, *, at: datetime) -> str | None:
    """Disable a subscription that is still held and unchanged; its owner, or ``None`` where it is not."""
    return _disable(tx, and_(w.c.id == id_, _is_held_unchanged([lease])), because, at)


def shut_out(tx: Connection, id_: str, version: int, because: DisabledBecause, *, at: datetime) -> bool:
    """Disable a subscription of that version, and send it no ping either; whether it was active."""
    tx.execute(delete(q).where(q.c.webhook_id == id_))
    return _disable(tx, and_(w.c.id == id_, w.c.version == version), because, at) is not None


def _disable(
    tx: Connection, which: ColumnElement[bool], because: DisabledBecause, at: datetime
) -> str | None:
    state = {"state": WebhookState.DISABLED, "disabled_at": at, "disabled_because": because}
    changed = {**NOTHING_FAILED, "version": w.c.version + 1, "changed_at": at, "attempted_at": at}
    statement = update(w).where(which, w.c.state == WebhookState.ACTIVE)
    disabled = statement.values({**state, **changed, **NO_LEASE})
    row = tx.execute(disabled.returning(w.c.id, w.c.owner_id)).one_or_none()
    if row is None:
        return None
    forget_replays(tx, row.id)
    owner_id: str = row.owner_id
    return owner_id


def forget_replays(tx: Connection, webhook_id: str) -> None:
    """Send no event again to a subscription; a ping that was asked for is still sent."""
    tx.execute(delete(q).where(q.c.webhook_id == webhook_id, q.c.event_id.is_not(None)))


def advance(
    tx: Connection, ids: Iterable[str], version: int, place: tuple[int, str], *, at: datetime
) -> None:
    """Move subscriptions of that version, which nobody holds, to a place before which nothing is for them."""
    behind = and_(w.c.id.in_(list(ids)), w.c.version == version, w.c.after_seq < place[0], _is_free(at))
    chosen = select(w.c.id).where(behind).order_by(w.c.id).with_for_update(skip_locked=True)
    moved = {"after_seq": place[0], "after_event": place[1]}
    tx.execute(update(w).where(w.c.id.in_(chosen)).values(moved))


def end_replays(tx: Connection, ids: Sequence[str]) -> None:
    """Forget what was sent again, or given up."""
    if ids:
        tx.execute(delete(q).where(q.c.id.in_(ids)))


def postpone_replay(tx: Connection, id_: str, *, tries: int, next_attempt_at: datetime) -> None:
    """Note that another attempt follows."""
    tx.execute(update(q).where(q.c.id == id_).values(tries=tries, next_attempt_at=next_attempt_at))


def log_attempts(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append to the delivery log."""
    if rows:
        tx.execute(insert(a), rows)


def attempts_to_forget(connection: Connection, before: datetime, most: int, limit: int) -> list[str]:
    """Attempts older than an instant, or of a subscription that has more than so many; the oldest."""
    oldest = connection.execute(select(a.c.id, a.c.at).order_by(a.c.id).limit(limit)).all()
    old = [row.id for row in oldest if row.at < before]
    if old:
        return old
    counted = func.count()
    overfull = select(a.c.webhook_id, counted.label("attempts")).group_by(a.c.webhook_id)
    row = connection.execute(overfull.having(counted > most).limit(1)).one_or_none()
    if row is None:
        return []
    its_oldest = select(a.c.id).where(a.c.webhook_id == row.webhook_id).order_by(a.c.id)
    return list(connection.execute(its_oldest.limit(min(limit, row.attempts - most))).scalars())


def forget_attempts(tx: Connection, ids: Sequence[str]) -> None:
    """Take these attempts out of the delivery log."""
    tx.execute(delete(a).where(a.c.id.in_(ids)))


def forget_secrets(tx: Connection, at: datetime) -> None:
    """Forget the secrets that sign nothing any more."""
    tx.execute(delete(s).where(s.c.expires_at <= at))
