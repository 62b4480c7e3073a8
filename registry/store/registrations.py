"""Registrations as rows: written, corrected, listed. Their records are read in ``records``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from registry.clock import new_id

from . import affected, tables
from .records import RegistrationRecord, claim


def insert_registration(tx: Connection, values: Mapping[str, Any], at: datetime) -> str:
    """Write a registration about which nothing is decided yet.

    :param values: ``practitioner_id``, ``body_id``, ``number``, ``number_key``, ``city``.
    """
    id_ = new_id()
    tx.execute(insert(tables.registrations), [{"id": id_, "version": 1, "created_at": at, **values}])
    return id_


def hold_registration(tx: Connection, registration_id: str) -> None:
    """Let nobody else change a registration until the transaction ends; who waited reads what is new."""
    affected.lock(tx, tables.registrations, [registration_id])


def correct_registration(tx: Connection, record: RegistrationRecord, values: Mapping[str, Any]) -> None:
    """Write another number or city.

    :raises registry.errors.Stale: the record has changed since it was read.
    """
    claim(tx, record)
    r = tables.registrations
    if values:
        tx.execute(update(r).where(r.c.id == record.id).values(**values))


def move_registrations(tx: Connection, registration_ids: Sequence[str], practitioner_id: str) -> None:
    """Make these registrations another person's."""
    r = tables.registrations
    moved = update(r).where(r.c.id.in_(registration_ids)).values(practitioner_id=practitioner_id)
    if registration_ids:
        tx.execute(moved)


def list_registrations(connection: Connection, body_id: str, *, after: str | None, limit: int) -> list[str]:
    """A stretch of a body's registrations, by identifier, in the order in which they were recorded."""
    r = tables.registrations
    statement = select(r.c.id).where(r.c.body_id == body_id).order_by(r.c.id).limit(limit)
    if after is not None:
        statement = statement.where(r.c.id > after)
    return list(connection.execute(statement).scalars())


def registration_of_decision(connection: Connection, decision_id: str) -> str | None:
    """The registration that a decision is about, directly or through an authorization."""
    d = tables.decisions
    statement = select(d.c.registration_id).where(d.c.id == decision_id)
    return connection.execute(statement).scalar_one_or_none()


def registration_of_authorization(connection: Connection, authorization_id: str) -> str | None:
    """The registration that an authorization was granted on."""
    a = tables.needling_authorizations
    statement = select(a.c.registration_id).where(a.c.id == authorization_id)
    return connection.execute(statement).scalar_one_or_none()
