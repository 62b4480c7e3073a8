"""People and their names. A name is never changed: another takes its place, and it is ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from registry.clock import new_id
from registry.domain.vocabulary import NameKind
from registry.errors import Stale

from . import documents, tables
from .records import Person, load_people


@dataclass(frozen=True, slots=True)
class NewName:
    """A name as a registrar gives it."""

    kind: NameKind
    full_name: str
    given: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedName:
    """A name that is or was in use, with who recorded it."""

    id: str
    name: NewName
    recorded_at: datetime
    recorded_by: str
    ended_at: datetime | None


def find_person(connection: Connection, practitioner_id: str) -> Person | None:
    """A person with the names in use, or ``None``. One who was merged is found as such."""
    return load_people(connection, [practitioner_id]).get(practitioner_id)


def insert_person(tx: Connection, *, languages: Sequence[str], withheld: bool, at: datetime) -> str:
    """Write a person who has no names yet."""
    id_ = new_id()
    row = {
        "id": id_,
        "version": 1,
        "withheld": withheld,
        "languages": documents.dump(list(languages)),
        "created_at": at,
    }
    tx.execute(insert(tables.practitioners), [row])
    return id_


def insert_names(
    tx: Connection, practitioner_id: str, names: Iterable[NewName], *, by: str, at: datetime
) -> list[str]:
    """Write names of a person; gives their identifiers."""
    rows = [
        {
            "id": new_id(),
            "practitioner_id": practitioner_id,
            "kind": name.kind,
            "full_name": name.full_name,
            "given": name.given,
            "family": name.family,
            "recorded_at": at,
            "recorded_by": by,
        }
        for name in names
    ]
    if rows:
        tx.execute(insert(tables.practitioner_names), rows)
    return [str(row["id"]) for row in rows]


def end_names(tx: Connection, name_ids: Sequence[str], at: datetime) -> None:
    """Take names out of use; they are kept."""
    n = tables.practitioner_names
    if name_ids:
        tx.execute(update(n).where(n.c.id.in_(name_ids), n.c.ended_at.is_(None)).values(ended_at=at))


def change_person(tx: Connection, person: Person, values: Mapping[str, Any]) -> None:
    """Change a person's row, unless someone else did since it was read.

    :raises registry.errors.Stale: someone did.
    """
    p = tables.practitioners
    same = (p.c.id == person.id) & (p.c.version == person.version)
    if tx.execute(update(p).where(same).values(version=p.c.version + 1, **values)).rowcount != 1:
        raise Stale("This practitioner was changed by someone else in the meantime; read it again.")


def list_names(connection: Connection, practitioner_id: str) -> list[RecordedName]:
    """Every name that a person ever had here, in the order in which they were recorded."""
    n = tables.practitioner_names
    rows = connection.execute(select(n).where(n.c.practitioner_id == practitioner_id).order_by(n.c.id))
    return [
        RecordedName(
            row.id,
            NewName(NameKind(row.kind), row.full_name, row.given, row.family),
            row.recorded_at,
            row.recorded_by,
            row.ended_at,
        )
        for row in rows
    ]


def bodies_of_person(connection: Connection, practitioner_id: str) -> frozenset[str]:
    """The bodies (by identifier) that keep a registration of a person."""
    r = tables.registrations
    found = connection.execute(select(r.c.body_id).where(r.c.practitioner_id == practitioner_id).distinct())
    return frozenset(found.scalars())


def first_recorded_by(connection: Connection, practitioner_id: str) -> str | None:
    """Who recorded a person's first name, and so the person."""
    n = tables.practitioner_names
    statement = select(n.c.recorded_by).where(n.c.practitioner_id == practitioner_id)
    return connection.execute(statement.order_by(n.c.id).limit(1)).scalar_one_or_none()
