"""Rosters as they are kept: of one owner each, with members by body and number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, func, insert, select, update

from registry.clock import new_id
from registry.errors import Stale

from . import tables
from .roster_tables import roster_members, rosters

o, m, b, r = rosters, roster_members, tables.bodies, tables.registrations
MEMBERS = (
    select(func.count()).select_from(m).where(m.c.roster_id == o.c.id).scalar_subquery().label("members")
)


@dataclass(frozen=True, slots=True)
class Roster:
    """Whom a clinic follows, under its own name for them. ``members``: how many."""

    id: str
    name: str
    version: int
    created_at: datetime
    changed_at: datetime
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """One of a roster, by the code of a body and the number as it was put down."""

    body: str
    number: str


def _selected(owner_id: str) -> Select[Any]:
    columns = (o.c.id, o.c.name, o.c.version, o.c.created_at, o.c.changed_at)
    return select(*columns, MEMBERS).where(o.c.owner_id == owner_id)


def find_roster(connection: Connection, owner_id: str, name: str) -> Roster | None:
    """An owner's roster of that name."""
    row = connection.execute(_selected(owner_id).where(o.c.name == name)).one_or_none()
    return None if row is None else Roster(*row)


def list_rosters(connection: Connection, owner_id: str, *, after: str | None, limit: int) -> list[Roster]:
    """An owner's rosters by name, those after ``after``."""
    wanted = _selected(owner_id).order_by(o.c.name).limit(limit)
    if after is not None:
        wanted = wanted.where(o.c.name > after)
    return [Roster(*row) for row in connection.execute(wanted)]


def members_of(connection: Connection, roster_id: str) -> list[Row[Any]]:
    """A roster's members by body and number: ``body``, ``body_id``, ``number``, ``number_key``."""
    statement = (
        select(b.c.code.label("body"), m.c.body_id, m.c.number, m.c.number_key)
        .join(b, b.c.id == m.c.body_id)
        .where(m.c.roster_id == roster_id)
        .order_by(b.c.code, m.c.number_key)
    )
    return list(connection.execute(statement))


def add_roster(tx: Connection, owner_id: str, name: str, at: datetime) -> Roster:
    """Keep a new roster, with no members yet."""
    roster = Roster(new_id(), name, 1, at, at, 0)
    row = {"id": roster.id, "owner_id": owner_id, "name": name, "version": 1}
    tx.execute(insert(o), {**row, "created_at": at, "changed_at": at})
    return roster


def claim_roster(tx: Connection, roster: Roster, at: datetime) -> None:
    """Take the roster for this transaction's change.

    :raises registry.errors.Stale: someone changed it since it was read.
    """
    same = and_(o.c.id == roster.id, o.c.version == roster.version)
    changed = tx.execute(update(o).where(same).values(version=roster.version + 1, changed_at=at))
    if changed.rowcount != 1:
        raise Stale("This roster was changed in the meantime; read it again.")


def replace_members(tx: Connection, roster_id: str, members: Sequence[tuple[str, str, str]]) -> None:
    """Make these its members.

    :param members: each a body's identifier, the number and its key.
    """
    tx.execute(delete(m).where(m.c.roster_id == roster_id))
    rows = [
        {"roster_id": roster_id, "body_id": body_id, "number": number, "number_key": key}
        for body_id, number, key in members
    ]
    if rows:
        tx.execute(insert(m), rows)
    named = and_(r.c.body_id == m.c.body_id, r.c.number_key == m.c.number_key)
    now = select(r.c.id).where(named).scalar_subquery()
    statement = update(m).where(m.c.roster_id == bindparam("roster")).values(registration_id=now)
    tx.execute(statement, {"roster": roster_id})


def delete_roster(tx: Connection, roster: Roster) -> None:
    """Take a claimed roster away."""
    tx.execute(delete(m).where(m.c.roster_id == roster.id))
    tx.execute(delete(o).where(o.c.id == roster.id))
