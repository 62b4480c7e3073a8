"""Merges of duplicate records of a person: who was merged into whom, and exactly what was moved."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from registry.clock import new_id
from registry.errors import Conflict

from . import documents, tables


@dataclass(frozen=True, slots=True)
class Moved:
    """What a merge gave to the kept record, by identifier.

    :param names: the copies that were made of names.
    :param withheld: whether the kept record was not withheld before, and is since.
    """

    registrations: tuple[str, ...]
    trainings: tuple[str, ...]
    names: tuple[str, ...]
    withheld: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge of one record into another."""

    id: str
    kept_id: str
    merged_id: str
    moved: Moved
    reason: str
    recorded_at: datetime
    recorded_by: str
    reversed_at: datetime | None
    reversed_by: str | None


def insert_merge(
    tx: Connection, kept_id: str, merged_id: str, moved: Moved, reason: str, *, by: str, at: datetime
) -> str:
    """Write a merge."""
    id_ = new_id()
    row = {
        "id": id_,
        "kept_id": kept_id,
        "merged_id": merged_id,
        "moved": documents.dump(asdict(moved)),
        "reason": reason,
        "recorded_at": at,
        "recorded_by": by,
    }
    tx.execute(insert(tables.merges), [row])
    return id_


def mark_reversed(tx: Connection, merge_id: str, *, by: str, at: datetime) -> None:
    """Note that a merge was taken back.

    :raises registry.errors.Conflict: it was already.
    """
    m = tables.merges
    open_ = update(m).where(m.c.id == merge_id, m.c.reversed_at.is_(None))
    if tx.execute(open_.values(reversed_at=at, reversed_by=by)).rowcount != 1:
        raise Conflict("This merge was reversed already.")


def find_merge(connection: Connection, merge_id: str) -> Merge | None:
    """A merge, reversed or not; or ``None``."""
    found = _load(connection, tables.merges.c.id == merge_id)
    return found[0] if found else None


def merges_of_person(connection: Connection, practitioner_id: str) -> list[Merge]:
    """The merges that a person's record had a part in, in the order in which they were recorded."""
    m = tables.merges
    return _load(connection, or_(m.c.kept_id == practitioner_id, m.c.merged_id == practitioner_id))


def merges_of_withheld(connection: Connection, practitioner_id: str) -> frozenset[str]:
    """The merges, by identifier, that gave a person's record what a withheld one held, and still do."""
    m, p = tables.merges, tables.practitioners
    of_withheld = select(m.c.id).join(p, p.c.id == m.c.merged_id).where(p.c.withheld)
    there = of_withheld.where(m.c.kept_id == practitioner_id, m.c.reversed_at.is_(None))
    return frozenset(connection.execute(there).scalars())


def _load(connection: Connection, which: ColumnElement[bool]) -> list[Merge]:
    m = tables.merges
    return [
        Merge(
            row.id,
            row.kept_id,
            row.merged_id,
            _moved(row.moved),
            row.reason,
            row.recorded_at,
            row.recorded_by,
            row.reversed_at,
            row.reversed_by,
        )
        for row in connection.execute(select(m).where(which).order_by(m.c.id))
    ]


def _moved(text: str) -> Moved:
    document = json.loads(text)
    return Moved(
        tuple(document["registrations"]),
        tuple(document["trainings"]),
        tuple(document["names"]),
        document["withheld"],
    )
