"""The public look-up of people."""

from __future__ import annotations

from flask import Response, request

from registry import clock
from registry.http.disclosure import shown_practitioner
from registry.http.fields import QuerySchema
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.http.schemas import PractitionerSchema
from registry.services import look_up
from registry.store.database import public_reading

from .answers import is_known, public_answer, unchanged, weak

blueprint = Blueprint(
    "public_practitioners", __name__, url_prefix="/v1/practitioners", description="Public look-up of people"
)


class NoQuerySchema(QuerySchema):
    """No arguments."""


NO_QUERY = NoQuerySchema()


@blueprint.operation("GET", "/<id:practitioner_id>", answer=PractitionerSchema, raw=True)
def show_practitioner(practitioner_id: str) -> Response:
    """Show a person with every registration.

    An identifier that was merged into another shows that other.
    """
    if request.query_string:
        read_query(NO_QUERY)
    at = clock.now()
    with public_reading() as connection:
        practitioner = look_up.get_practitioner(connection, practitioner_id, at=at)
    seconds = min(look_up.seconds_kept(at, e.body.zone, today=True) for e in practitioner.entries)
    etag = weak(practitioner.etag)
    if is_known(etag):
        return unchanged(etag=etag, seconds=seconds)
    return public_answer(shown_practitioner(practitioner), etag=etag, seconds=seconds)
