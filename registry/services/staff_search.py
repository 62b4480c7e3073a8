"""Finding people as a body's staff do: by a number, and by any name that they have or had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.names import fold, number_key
from registry.domain.timeline import Span
from registry.errors import Invalid
from registry.store import staff_search as store
from registry.store.name_lookup import Position, understand
from registry.store.name_lookup import find_people as find_by_index
from registry.store.people import HeldRegistration, held_registrations
from registry.store.records import Person, RegistrationRecord, load_people, load_records

from .search import FEWEST_LETTERS

MOST = 50
"""People who are shown; who searches for more has not said enough."""
MOST_UNREGISTERED = 200
"""People of any body among whom those are looked for who have no registration yet."""


@dataclass(frozen=True, slots=True)
class Held:
    """A registration of somebody who was found; ``span``: how it stands, where it is the reader's affair."""

    registration: HeldRegistration
    span: Span | None


@dataclass(frozen=True, slots=True)
class Hit:
    """Somebody who was found."""

    person: Person
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """Who was found; ``more``: whether there are others."""

    people: tuple[Hit, ...]
    more: bool


def find_people(
    connection: Connection, asked: str, *, body_id: str | None, body_code: str | None, by: str, at: datetime
) -> Hits:
    """The people of a body (``None``: of any) with this number, or whose names have words that begin so.

    :param by: the reader, who finds whom they took in and nobody has registered yet.
    :param at: the present instant (UTC).
    :raises registry.errors.Invalid: too little is given.
    """
    if len("".join(fold(asked).split())) < FEWEST_LETTERS:
        detail = f"Give at least {FEWEST_LETTERS} letters of a name, or a registration number."
        raise Invalid(f"q: {detail}", [{"parameter": "q", "detail": detail}])
    numbered = store.people_with_number(connection, number_key(asked), body_id) if number_key(asked) else []
    indexed = _by_index(connection, asked, body_code, None if body_id is None else by)
    others = _otherwise_named(connection, asked, body_id, by)
    ids = list(islice(dict.fromkeys(chain(numbered, indexed, others)), MOST + 1))
    return Hits(tuple(_hits(connection, ids[:MOST], body_id, at)), len(ids) > MOST)


def _by_index(connection: Connection, asked: str, body_code: str | None, by: str | None) -> Iterator[str]:
    """Who is found by a published or a former name: the likeliest first, those of no body at the end."""
    query = understand(connection, asked, None)
    if not query.typed:
        return
    found = find_by_index(connection, query, Position(), body=body_code, size=MOST + 1)
    yield from (match.practitioner_id for match in islice(found, MOST + 1))
    if by is not None:
        anywhere = find_by_index(connection, query, Position(), body=None, size=MOST_UNREGISTERED)
        likely = [match.practitioner_id for match in islice(anywhere, MOST_UNREGISTERED)]
        yield from store.unregistered(connection, likely, by)


def _otherwise_named(connection: Connection, asked: str, body_id: str | None, by: str) -> Iterator[str]:
    words = fold(asked).split()
    for row in store.names_kept_back(connection, body_id, by):
        parts = fold(row.full_name).split()
        if all(any(part.startswith(word) for part in parts) for word in words):
            yield row.practitioner_id


def _hits(connection: Connection, ids: list[str], body_id: str | None, at: datetime) -> Iterator[Hit]:
    people = load_people(connection, ids)
    held = held_registrations(connection, ids)
    every = [one.id for id_ in ids for one in held.get(id_, ())]
    records = {record.id: record for record in load_records(connection, every)}
    for id_ in ids:
        if people[id_].merged_into is None:
            own = [_held(one, records[one.id], body_id, at) for one in held.get(id_, ())]
            yield Hit(people[id_], tuple(own))


def _held(one: HeldRegistration, record: RegistrationRecord, body_id: str | None, at: datetime) -> Held:
    if body_id not in (None, record.body.id):
        return Held(one, None)
    today: date = local_date(at, record.body.zone)
    return Held(one, record.timeline(None).on(today))
