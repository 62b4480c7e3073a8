"""The audit as it is kept: appended under a lock of its own, so that each entry follows exactly one other.

An entry also vouches for what was recorded meanwhile: it holds a hash of the events, and of the decisions
that they tell of, since the entry before. What an import records by the hundred thousand is vouched for in
parts, by the entries that follow and by the sweep.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, text

from registry.clock import new_id
from registry.domain.audit_chain import BEFORE_THE_FIRST, ERASING, AuditEntry, Happening, sealed

from . import documents, tables
from .audit_tables import audit_entries

a, d, e = audit_entries, tables.decisions, tables.events

AUDIT_LOCK = 0x6175_6474
"""Advisory lock (PostgreSQL) under which entries are appended; SQLite has one writer at a time as it is."""

VOUCHED_AT_ONCE = 1000
"""Events that one entry vouches for at most, so that appending one takes no time that anyone notices."""

AT_A_TIME = 1000

EVENT_FACTS = (
    *("seq", "id", "type", "body_id", "registration_id", "authorization_id", "decision_id"),
    *("day", "occurred_at", "data", "announces"),
)
DECISION_FACTS = (
    *("id", "registration_id", "authorization_id", "kind", "effective_on", "through", "scope", "report"),
    *("voids", "reason", "override_reason", "import_id", "recorded_at", "recorded_by"),
)
"""What the hashes cover, for ever: a column that is added later is not in what was hashed before. A private
note is left out, since the law may order it erased while the decision stands."""

FACTS = [*(e.c[name] for name in EVENT_FACTS), *(d.c[name].label(f"d_{name}") for name in DECISION_FACTS)]


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry, as far as the next one must know it."""

    seq: int = 0
    hash: str = BEFORE_THE_FIRST
    sealed_through: int = 0


def append(tx: Connection, happening: Happening) -> AuditEntry:
    """Append an entry. To be called last in a transaction: until it ends, nobody else appends one."""
    hold(tx)
    head = newest(tx)
    through = _vouched_through(tx, head.sealed_through)
    facts = None if through == head.sealed_through else facts_between(tx, head.sealed_through, through)
    entry = sealed(
        happening,
        seq=head.seq + 1,
        id_=new_id(),
        sealed_through=through,
        facts=facts,
        previous=head.hash,
    )
    tx.execute(insert(a), _row(entry))
    return entry


def newest(connection: Connection) -> Head:
    """The newest entry."""
    statement = select(a.c.seq, a.c.hash, a.c.sealed_through).order_by(a.c.seq.desc()).limit(1)
    row = connection.execute(statement).one_or_none()
    return Head() if row is None else Head(*row)


def _vouched_through(connection: Connection, after: int) -> int:
    following = select(e.c.seq).where(e.c.seq > after).order_by(e.c.seq).limit(VOUCHED_AT_ONCE).subquery()
    found: int | None = connection.execute(select(func.max(following.c.seq))).scalar_one()
    return after if found is None else found


def is_all_vouched_for(connection: Connection) -> bool:
    """Whether some entry vouches for each event."""
    after = newest(connection).sealed_through
    return connection.execute(select(e.c.seq).where(e.c.seq > after).limit(1)).first() is None


def facts_between(connection: Connection, after: int, through: int) -> str:
    """The hash of the events numbered after one and through another, and of the decisions they tell of."""
    digest, last = sha256(), after
    while last < through:
        statement = (
            select(*FACTS)
            .outerjoin_from(e, d, d.c.id == e.c.decision_id)
            .where(e.c.seq > last, e.c.seq <= through)
            .order_by(e.c.seq)
            .limit(AT_A_TIME)
        )
        rows = connection.execute(statement).all()
        if not rows:
            break
        for row in rows:
            digest.update(documents.dump([_plain(value) for value in row]).encode() + b"\n")
        last = rows[-1].seq
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def resealed(connection: Connection) -> Iterator[tuple[int, str]]:
    """What erasures say that the facts of earlier entries hash to since; of several the latest comes last."""
    for entry in every_entry(connection, Wanted(actions=ERASING)):
        told = (entry.happening.details or {}).get("resealed", {})
        yield from ((int(seq), facts) for seq, facts in told.items() if int(seq) < entry.seq)


def hold(tx: Connection) -> None:
    """Let nobody else append an entry until the transaction ends."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": AUDIT_LOCK})


def facts_to_reseal(
    tx: Connection, registration_ids: Collection[str], decision_ids: Collection[str]
) -> dict[str, str]:
    """By the numbers of the entries that vouch for these decisions: what their facts hash to now.

    To be called while nobody appends (:func:`hold`): who did would vouch for the decisions as they were.
    """
    changed, found = frozenset(decision_ids), dict[str, str]()
    told = select(e.c.seq, e.c.decision_id).where(e.c.registration_id.in_(registration_ids)).order_by(e.c.seq)
    for event in tx.execute(told).all():
        if event.decision_id not in changed:
            continue
        covering = select(a.c.seq, a.c.sealed_through).where(a.c.sealed_through >= event.seq)
        vouching = tx.execute(covering.order_by(a.c.seq).limit(1)).one_or_none()
        if vouching is None or str(vouching.seq) in found:
            continue
        earlier = select(a.c.sealed_through).where(a.c.seq == vouching.seq - 1)
        before: int = tx.execute(earlier).scalar_one_or_none() or 0
        found[str(vouching.seq)] = facts_between(tx, before, vouching.sealed_through)
    return found


def mentioning(connection: Connection, ids: Collection[str]) -> Iterator[AuditEntry]:
    """Entries whose particulars name one of these identifiers, in their order. Reads the whole audit."""
    named = or_(*(a.c.details.contains(id_, autoescape=True) for id_ in sorted(ids)))
    for row in connection.execute(select(a).where(named).order_by(a.c.seq)):
        yield _entry(row)


def _row(entry: AuditEntry) -> dict[str, Any]:
    told = entry.happening
    return {
        "seq": entry.seq,
        "id": entry.id,
        "at": told.at,
        "principal": told.principal,
        "address": told.address,
        "request_id": told.request_id,
        "action": told.action,
        "body_id": told.body_id,
        "details": documents.dump(told.details),
        "sealed_through": entry.sealed_through,
        "facts": entry.facts,
        "previous": entry.previous,
        "hash": entry.hash,
    }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: those that meet all that is given. Instants are UTC; ``until`` is not included.

    :param actions: any of these; all where it is empty.
    """

    body_id: str | None = None
    principal: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    actions: tuple[str, ...] = ()


EVERYTHING = Wanted()


def entries_after(
    connection: Connection, seq: int, limit: int, wanted: Wanted = EVERYTHING
) -> list[AuditEntry]:
    """Entries by number, those after one of them."""
    return _found(connection, wanted, a.c.seq > seq, a.c.seq, limit)


def entries_before(
    connection: Connection, seq: int | None, limit: int, wanted: Wanted = EVERYTHING
) -> list[AuditEntry]:
    """Entries, the newest first, those before one of them (``None``: from the newest)."""
    place = a.c.seq > 0 if seq is None else a.c.seq < seq
    return _found(connection, wanted, place, a.c.seq.desc(), limit)


def _found(connection: Connection, wanted: Wanted, place: Any, order: Any, limit: int) -> list[AuditEntry]:
    statement = select(a).where(place).order_by(order).limit(limit)
    for column, value in ((a.c.body_id, wanted.body_id), (a.c.principal, wanted.principal)):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.action is not None:
        statement = statement.where(a.c.action == wanted.action)
    if wanted.actions:
        statement = statement.where(a.c.action.in_(wanted.actions))
    if wanted.since is not None:
        statement = statement.where(a.c.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(a.c.at < wanted.until)
    return [_entry(row) for row in connection.execute(statement)]


def every_entry(connection: Connection, wanted: Wanted = EVERYTHING) -> Iterator[AuditEntry]:
    """All entries in their order, a part in memory at a time."""
    seq = 0
    while part := entries_after(connection, seq, AT_A_TIME, wanted):
        yield from part
        seq = part[-1].seq


def _entry(row: Row[Any]) -> AuditEntry:
    happening = Happening(
        row.at,
        row.principal,
        row.action,
        row.address,
        row.request_id,
        row.body_id,
        json.loads(row.details),
    )
    return AuditEntry(row.seq, row.id, happening, row.sealed_through, row.facts, row.previous, row.hash)
