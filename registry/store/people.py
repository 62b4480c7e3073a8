"""People and their names. A name is never changed: another takes its place, and it is ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from registry.clock import new_id
from registry.domain.vocabulary import NameKind
from registry.errors import Stale

from . import documents, tables
from .records import Person, load_people

STRETCH = 1000
"""People whose names are read together."""


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


@dataclass(frozen=True, slots=True)
class HeldRegistration:
    """A registration that a person holds; ``body`` is the body's code."""

    id: str
    body: str
    number: str


def held_registrations(connection: Connection, people: Sequence[str]) -> dict[str, list[HeldRegistration]]:
    """The registrations of people, by person, in the order in which they were recorded."""
    r, b = tables.registrations, tables.bodies
    statement = select(r.c.practitioner_id, r.c.id, r.c.number, b.c.code).join(b, b.c.id == r.c.body_id)
    found: dict[str, list[HeldRegistration]] = {}
    for row in connection.execute(statement.where(r.c.practitioner_id.in_(people)).order_by(r.c.id)):
        found.setdefault(row.practitioner_id, []).append(HeldRegistration(row.id, row.code, row.number))
    return found


def names_of_people(
    connection: Connection, body_id: str | None, by: str, after: str | None
) -> Iterator[tuple[str, list[str]]]:
    """People in the order in which they were recorded, each with every name that they ever had here.

    Merged records are left out. Read a stretch at a time: who stops early has read little.

    :param body_id: only those with a registration there, or with none and recorded by ``by``; ``None``: all.
    :param after: only those after this identifier.
    """
    p, n = tables.practitioners, tables.practitioner_names
    last = after or ""
    while True:
        people = select(p.c.id).where(p.c.id > last, p.c.merged_into.is_(None), *_known_to(body_id, by))
        stretch = people.order_by(p.c.id).limit(STRETCH).subquery()
        names = select(n.c.practitioner_id, n.c.full_name).join(stretch, stretch.c.id == n.c.practitioner_id)
        found: dict[str, list[str]] = {}
        for row in connection.execute(names.order_by(n.c.practitioner_id, n.c.id)):
            found.setdefault(row.practitioner_id, []).append(row.full_name)
        yield from found.items()
        if len(found) < STRETCH:
            return
        last = next(reversed(found))


def _known_to(body_id: str | None, by: str) -> list[ColumnElement[bool]]:
    if body_id is None:
        return []
    p, n, r = tables.practitioners, tables.practitioner_names, tables.registrations
    registered = select(r.c.id).where(r.c.practitioner_id == p.c.id)
    own = select(n.c.id).where(n.c.practitioner_id == p.c.id, n.c.recorded_by == by)
    return [or_(registered.where(r.c.body_id == body_id).exists(), and_(~registered.exists(), own.exists()))]
