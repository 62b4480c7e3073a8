"""Registrations with a body: opened by their first grant, corrected, and told of in full."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.names import number_key
from registry.domain.vocabulary import AmendmentSubject, DecisionKind
from registry.errors import Conflict, Invalid
from registry.store import affected, tables
from registry.store.amendments import Subject, add_amendment
from registry.store.events import Event, add_events
from registry.store.records import Body, RegistrationRecord, find_registration
from registry.store.registrations import correct_registration, insert_registration
from registry.store.search import index_people
from registry.store.standing import rewrite_standings

from .bodies import get_body
from .decisions import Change, get_record, record_decisions
from .people import hold_person
from .wishes import Wish, drafts_of


@dataclass(frozen=True, slots=True)
class Applied:
    """What a person is registered under.

    :param number: as the body writes it; no two of a body's numbers differ in spelling alone.
    """

    practitioner_id: str
    number: str
    city: str | None = None


def register(tx: Connection, body: Body, applied: Applied, grant: Wish, *, by: str, at: datetime) -> Change:
    """Open a registration with its first grant.

    :raises registry.errors.NotFound: there is no such practitioner.
    :raises registry.errors.Conflict: the number is taken, or the practitioner was merged into another.
    :raises registry.errors.Invalid: the grant cannot be as described.
    """
    if grant.kind is not DecisionKind.GRANTED:
        raise Invalid.at("/kind", "A registration begins with a grant.")
    affected.lock(tx, tables.bodies, [body.id], to_read=True)
    body = get_body(tx, body.id)
    person = hold_person(tx, applied.practitioner_id)
    key = _free_number_key(tx, body, applied.number)
    values = {
        "practitioner_id": person.id,
        "body_id": body.id,
        "number": applied.number,
        "number_key": key,
        "city": applied.city,
    }
    record = get_record(tx, insert_registration(tx, values, at))
    index_people(tx, [person.id])
    return record_decisions(tx, record, drafts_of(record, None, grant), by=by, at=at)


def _free_number_key(tx: Connection, body: Body, number: str) -> str:
    key = number_key(number)
    if not key:
        raise Invalid.at("/number", "A registration number has a letter or a digit.")
    taken = find_registration(tx, body.id, key)
    if taken is not None:
        raise Conflict(f"{body.name} already keeps the number {number}.", [{"registration_id": taken}])
    return key


def correct(
    tx: Connection,
    record: RegistrationRecord,
    *,
    number: str | None,
    city: str | None,
    by: str,
    at: datetime,
    reason: str | None = None,
) -> RegistrationRecord:
    """Write a registration's number and city as they should have been.

    :param record: as the caller saw it.
    :param number: ``None`` leaves it.
    :param city: ``None`` says that none is known.
    :raises registry.errors.Stale: the record has changed since.
    :raises registry.errors.Conflict: the number is taken.
    """
    changed: dict[str, tuple[Any, Any]] = {}
    values: dict[str, Any] = {}
    if number is not None and number != record.number:
        changed["number"] = (record.number, number)
        values["number"] = number
        if number_key(number) != record.number_key:
            values["number_key"] = _free_number_key(tx, record.body, number)
    if city != record.city:
        changed["city"] = (record.city, city)
        values["city"] = city
    correct_registration(tx, record, values)
    after = get_record(tx, record.id)
    rewrite_standings(tx, [after], at=at)
    subject = Subject(AmendmentSubject.REGISTRATION, record.id)
    add_amendment(tx, subject, changed, reason=reason, by=by, at=at)
    index_people(tx, [record.person.id])
    if "number" in changed:
        add_events(tx, [_renumbered(record, after, at)])
    return after


def _renumbered(before: RegistrationRecord, after: RegistrationRecord, at: datetime) -> Event:
    today = local_date(at, after.body.zone)
    data = {"number": after.number, "was_number": before.number}
    return Event("registration.renumbered", after.body.id, after.id, today, at, data=data)
