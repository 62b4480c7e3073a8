"""Practitioners and their names."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import Connection

from registry import clock
from registry.http.access import current_principal, own_body
from registry.http.answers import Answer
from registry.http.auditing import sees_withheld
from registry.http.cursors import page_of, page_schema, position
from registry.http.operations import Blueprint
from registry.services import people
from registry.services.people import PersonChange
from registry.store.people import held_registrations
from registry.store.records import Person

from .asked import require_say, require_version
from .people_schemas import (
    ListedPractitionerSchema,
    NewPractitionerSchema,
    PractitionerChangeSchema,
    PractitionerRecordSchema,
    PractitionersQuery,
)
from .shown import Value, shown_person

blueprint = Blueprint(
    "practitioner_records", __name__, url_prefix="/v1/admin/practitioners", description="Practitioners"
)


@blueprint.operation("POST", "", body=NewPractitionerSchema, answer=PractitionerRecordSchema, status=201)
def create_practitioner(tx: Connection, given: dict[str, Any]) -> Answer:
    """Take a practitioner into the register.

    Search first: a practitioner registered with another body is the same person, and needs no second record.
    """
    person = people.add_person(tx, **given, by=current_principal().name, at=clock.now())
    location = url_for("practitioner_records.get_practitioner_record", practitioner_id=person.id)
    return Answer(shown_person(tx, person), version=person.version, location=location)


@blueprint.operation("GET", "", query=PractitionersQuery, answer=page_schema(ListedPractitionerSchema))
def list_practitioner_records(tx: Connection, query: dict[str, Any]) -> Answer:
    """List practitioners whom the own body registered, by any of their names.

    Operators see those of every body.
    """
    after = position(query, str)
    found = people.list_people(
        tx,
        body_id=own_body(None),
        by=current_principal().name,
        name=query["name"],
        after=after[0] if after else None,
        limit=query["limit"] + 1,
    )
    return page_of(query, _listed(tx, found), lambda person: [person["id"]])


def _listed(tx: Connection, found: list[Person]) -> list[Value]:
    held = held_registrations(tx, [person.id for person in found])
    for person in found:
        sees_withheld(person.id, withheld=person.withheld)
    return [
        {
            "id": person.id,
            "names": person.names,
            "withheld": person.withheld,
            "registrations": held.get(person.id, []),
        }
        for person in found
    ]


@blueprint.operation("GET", "/<id:practitioner_id>", answer=PractitionerRecordSchema)
def get_practitioner_record(tx: Connection, practitioner_id: str) -> Answer:
    """Show all that is kept of a practitioner."""
    require_say(tx, practitioner_id)
    person = people.get_person(tx, practitioner_id)
    return Answer(shown_person(tx, person), version=person.version)


@blueprint.operation(
    "PATCH",
    "/<id:practitioner_id>",
    body=PractitionerChangeSchema,
    answer=PractitionerRecordSchema,
    changes_version=True,
)
def change_practitioner(tx: Connection, practitioner_id: str, given: dict[str, Any], version: int) -> Answer:
    """Change a practitioner's names or languages, or whether the record is withheld.

    `names` are all names in use from now on. A name that is left out is ended, not deleted. A withheld record
    of which several bodies keep a registration is released by an operator.
    """
    require_say(tx, practitioner_id)
    person = people.get_person(tx, practitioner_id)
    require_version(person, version)
    if person.withheld and given.get("withheld") is False:
        require_say(tx, practitioner_id, wholly=True)
    change = PersonChange(**given)
    after = people.change_person(tx, person, change, by=current_principal().name, at=clock.now())
    return Answer(shown_person(tx, after), version=after.version)
