"""The rows of a file against the register, a stretch at a time, with a few statements for any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    Select,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from registry.clock import new_id

from . import documents, tables
from .bulk import among, insert_rows
from .database import order_events
from .events import Event
from .import_tables import import_events, import_marks, import_rows

i, m, r, p = import_rows, import_marks, tables.registrations, tables.practitioners


@dataclass(frozen=True, slots=True)
class Seen:
    """A row of the file: its number, what it says in short, and its line."""

    number_key: str
    fingerprint: str
    line: int
    other_line: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A number of the file, with what the file and the register have of it.

    :param fingerprint: of the first row that names it, at ``line``.
    :param other_line: of another row that says something else of it.
    :param marked: the fingerprint of the row by which the registration was last found to agree.
    """

    number_key: str
    fingerprint: str
    line: int
    other_line: int | None
    registration_id: str | None
    registration_version: int | None
    practitioner_version: int | None
    marked: str | None
    marked_registration: int | None
    marked_practitioner: int | None
    compared_on: date | None
    doubt_from: date | None

    def agrees_on(self, day: date) -> bool:
        """Whether the row was found to agree before, and nothing has changed that it was compared with."""
        return (
            self.marked == self.fingerprint
            and self.marked_registration == self.registration_version
            and self.marked_practitioner == self.practitioner_version
            and self.compared_on is not None
            and self.compared_on <= day
            and (self.doubt_from is None or day < self.doubt_from)
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """That a registration agrees with a row. See :data:`registry.store.import_tables.import_marks`."""

    registration_id: str
    fingerprint: str
    registration_version: int
    practitioner_version: int
    compared_on: date
    doubt_from: date | None


def note_rows(tx: Connection, import_id: str, seen: Sequence[Seen]) -> None:
    """Keep which numbers a file names. Of a number named before, whether it now says something else."""
    rows = [
        {
            "import_id": import_id,
            "number_key": row.number_key,
            "fingerprint": row.fingerprint,
            "line": row.line,
            "other_line": row.other_line,
        }
        for row in seen
    ]
    if not rows:
        return
    if tx.dialect.name == "postgresql":
        tx.execute(_POSTGRES_NOTE, {"rows": documents.dump(rows)})
    else:
        tx.execute(_SQLITE_NOTE, rows)


def _noting(statement: Any) -> Any:
    new = statement.excluded
    other = case(
        (i.c.fingerprint != new.fingerprint, new.line), else_=func.coalesce(i.c.other_line, new.other_line)
    )
    return statement.on_conflict_do_update(
        index_elements=["import_id", "number_key"], set_={"other_line": other}
    )


_SQLITE_NOTE = _noting(sqlite.insert(i))
_COLUMNS = ("import_id", "number_key", "fingerprint", "line", "other_line")
_RECORDS = (
    func.json_to_recordset(cast(bindparam("rows"), JSON))
    .table_valued(*(i.c[name] for name in _COLUMNS), name="noted")
    .render_derived(with_types=True)
)
_POSTGRES_NOTE = _noting(
    postgresql.insert(i).from_select(_COLUMNS, select(*(_RECORDS.c[name] for name in _COLUMNS)))
)


def ask(tx: Connection, import_id: str, body_id: str, number_keys: Sequence[str]) -> dict[str, Asked]:
    """What the file and the register have of these numbers."""
    named = select(i.c.number_key, i.c.fingerprint, i.c.line, i.c.other_line)
    named = named.where(i.c.import_id == import_id, among(tx, i.c.number_key, number_keys))
    kept = _kept(tx, body_id, number_keys)
    return {row[0]: Asked(*row, *kept.get(row[0], NOT_KEPT)) for row in tx.execute(named)}


NOT_KEPT = (None,) * 8


def _kept(tx: Connection, body_id: str, number_keys: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    statement: Select[Any] = (
        select(
            r.c.number_key,
            r.c.id,
            r.c.version,
            p.c.version,
            m.c.fingerprint,
            m.c.registration_version,
            m.c.practitioner_version,
            m.c.compared_on,
            m.c.doubt_from,
        )
        .join(p, p.c.id == r.c.practitioner_id)
        .join(m, m.c.registration_id == r.c.id, isouter=True)
        .where(r.c.body_id == body_id, among(tx, r.c.number_key, number_keys))
    )
    return {row[0]: tuple(row[1:]) for row in tx.execute(statement)}


def mark_values(one: Mark) -> dict[str, Any]:
    """The row of a mark."""
    return {
        "registration_id": one.registration_id,
        "fingerprint": one.fingerprint,
        "registration_version": one.registration_version,
        "practitioner_version": one.practitioner_version,
        "compared_on": one.compared_on,
        "doubt_from": one.doubt_from,
    }


def mark(tx: Connection, marks: Sequence[Mark]) -> None:
    """Note that registrations agree with their rows."""
    if not marks:
        return
    dialect: Any = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(m)
    rows = [mark_values(one) for one in marks]
    changed = {name: statement.excluded[name] for name in rows[0] if name != "registration_id"}
    tx.execute(statement.on_conflict_do_update(index_elements=["registration_id"], set_=changed), rows)


def count_numbers(tx: Connection, import_id: str) -> tuple[int, int]:
    """How many numbers a file names, and of how many of them its rows disagree."""
    found = tx.execute(
        select(func.count(), func.count(i.c.other_line)).where(i.c.import_id == import_id)
    ).one()
    return found[0], found[1]


def _vanished(import_id: str, body_id: str) -> Select[Any]:
    """Registrations of which something is decided, and that a file does not name."""
    s = tables.spans
    named = exists().where(i.c.import_id == import_id, i.c.number_key == r.c.number_key)
    known = exists().where(s.c.subject_id == r.c.id)
    return select(r.c.number_key, r.c.number, r.c.id).where(r.c.body_id == body_id, ~named, known)


def count_vanished(tx: Connection, import_id: str, body_id: str) -> int:
    """How many registrations of a body the file does not name."""
    return int(
        tx.execute(select(func.count()).select_from(_vanished(import_id, body_id).subquery())).scalar_one()
    )


def list_vanished(
    connection: Connection, import_id: str, body_id: str, *, after: str | None, limit: int
) -> list[tuple[str, str, str]]:
    """A stretch of them: number as compared, number, identifier."""
    statement = _vanished(import_id, body_id).order_by(r.c.number_key).limit(limit)
    if after is not None:
        statement = statement.where(r.c.number_key > after)
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


@dataclass(slots=True)
class EventKeeper:
    """Keeps the events of an import until it is done, so that nobody who numbers events waits for it.

    SQLite has one writer as it is: there they join the feed at once.
    """

    tx: Connection
    import_id: str
    body_id: str
    at: datetime
    kept: int = 0

    def keep(self, events: Sequence[dict[str, Any]]) -> None:
        """Keep events; each is what :func:`event_values` gives."""
        if self.tx.dialect.name == "sqlite":
            own = {"body_id": self.body_id, "occurred_at": self.at}
            insert_rows(self.tx, tables.events, [event | own for event in events])
            return
        numbered = enumerate(events, start=self.kept)
        rows = [event | {"import_id": self.import_id, "position": n} for n, event in numbered]
        insert_rows(self.tx, import_events, rows)
        self.kept += len(rows)

    def release(self) -> None:
        """Append what is kept to the feed. Call it last in the transaction."""
        if not self.kept:
            return
        e, held = tables.events, import_events
        order_events(self.tx)
        own = ("id", "type", "registration_id", "authorization_id", "decision_id", "day", "data")
        chosen = select(
            *(held.c[name] for name in own), literal(self.body_id), literal(self.at, e.c.occurred_at.type)
        ).where(held.c.import_id == self.import_id)
        into = insert(e).from_select((*own, "body_id", "occurred_at"), chosen.order_by(held.c.position))
        self.tx.execute(into)
        self.tx.execute(held.delete().where(held.c.import_id == self.import_id))


def event_values(event: Event) -> dict[str, Any]:
    """An event as it is kept."""
    return {
        "id": new_id(),
        "type": event.type,
        "registration_id": event.registration_id,
        "authorization_id": event.authorization_id,
        "decision_id": event.decision_id,
        "day": event.day,
        "data": documents.dump(event.data),
    }


def decided_registrations(connection: Connection, import_id: str, *, after: str, limit: int) -> list[str]:
    """A stretch of the registrations about which an import decided anything, by identifier."""
    d = tables.decisions
    statement = (
        select(d.c.registration_id)
        .where(d.c.import_id == import_id, d.c.registration_id > after)
        .distinct()
        .order_by(d.c.registration_id)
        .limit(limit)
    )
    return list(connection.execute(statement).scalars())


def hold_registrations(tx: Connection, registration_ids: Sequence[str]) -> None:
    """Until this transaction ends, nobody else changes these registrations."""
    held = select(r.c.id).where(among(tx, r.c.id, registration_ids)).order_by(r.c.id)
    tx.execute(held.with_for_update()).all()


def count_change(tx: Connection, registration_ids: Sequence[str]) -> None:
    """Give registrations that this transaction holds the next version."""
    tx.execute(update(r).where(among(tx, r.c.id, registration_ids)).values(version=r.c.version + 1))


def write_cities(tx: Connection, cities: Mapping[str, str | None]) -> None:
    """Write the cities of registrations that this transaction holds."""
    rows = [{"which": id_, "new": city} for id_, city in cities.items()]
    if rows:
        tx.execute(update(r).where(r.c.id == bindparam("which")).values(city=bindparam("new")), rows)


def lock_body(tx: Connection, body_id: str) -> None:
    """Until this transaction ends, no other imports into this body's register."""
    b = tables.bodies
    tx.execute(select(b.c.id).where(b.c.id == body_id).with_for_update()).all()
