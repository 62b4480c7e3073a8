"""Privacy: erasing who somebody is, and handing out what is held about them."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy import Connection

from registry import clock
from registry.http.auditing import also_tell, sees_withheld, tell_reading, tell_withheld_seen
from registry.http.fields import Flag, Id, Integer, QuerySchema, RequestSchema, ResponseSchema, Text, Word
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.services import people
from registry.services.access_export import as_zip, held_about
from registry.services.erasure import Erased, ErasureBasis, erase_identity
from registry.store.database import snapshot

from .asked import require_say, require_version

blueprint = Blueprint("privacy", __name__, url_prefix="/v1/admin/practitioners", description="Privacy")

ZIP = "application/zip"


class ErasureSchema(RequestSchema):
    """That nothing is to be kept of who somebody is."""

    basis = Word(
        ErasureBasis,
        required=True,
        metadata={"description": "On what ground. Who may practise now is erased by a court's order alone."},
    )


class ErasedSchema(ResponseSchema):
    """What an erasure did."""

    practitioner_id = Id()
    pseudonym = Text(metadata={"description": "What stands for the name since; shown to staff alone."})
    registrations = Integer(metadata={"description": "That are kept under it."})
    decisions = Integer(metadata={"description": "Of which words were taken out."})
    import_files = Integer(
        metadata={"description": "Files of imports that are gone, since they told of them."}
    )


@blueprint.operation(
    "POST", "/<id:practitioner_id>/erase", body=ErasureSchema, answer=ErasedSchema, changes_version=True
)
def erase_practitioner(tx: Connection, practitioner_id: str, given: dict[str, Any], version: int) -> Erased:
    """Erase who a practitioner is: names, address, words about them. Decisions stay, under a pseudonym.

    It cannot be taken back. Whoever asks by body and number is answered as before. A person of whom several
    bodies keep a registration is erased by an operator.
    """
    require_say(tx, practitioner_id, wholly=True)
    person = people.get_person(tx, practitioner_id)
    require_version(person, version)
    erased = erase_identity(tx, person, given["basis"], at=clock.now())
    also_tell(**erased.told)
    return erased


class AccessQuery(QuerySchema):
    """What of it."""

    private_notes = Flag(
        load_default=False,
        metadata={"description": "With the notes that registrars keep for themselves."},
    )


ACCESS_QUERY = AccessQuery()


@blueprint.operation(
    "GET",
    "/<id:practitioner_id>/access-export",
    query=AccessQuery,
    raw=True,
    other_answers=((200, ZIP),),
)
def export_for_subject(practitioner_id: str) -> Response:
    """Hand out everything that is held about a practitioner, for them: a zip with JSON and a page to read.

    It says who saw or changed their record, and is told to the audit.
    """
    query = read_query(ACCESS_QUERY)
    with snapshot() as connection:
        require_say(connection, practitioner_id, wholly=True)
        person = people.get_person(connection, practitioner_id)
        sees_withheld(person.id, withheld=person.withheld)
        held = held_about(connection, practitioner_id, at=clock.now(), **query)
    tell_reading("export_for_subject", practitioner=practitioner_id, **query)
    tell_withheld_seen("export_for_subject")
    response = Response(as_zip(held), content_type=ZIP)
    response.headers["Content-Disposition"] = f'attachment; filename="record-{practitioner_id}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response
