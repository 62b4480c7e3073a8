"""The public look-up of people."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any

from flask import Response, request

from registry import clock
from registry.domain.vocabulary import Technique
from registry.http.cursors import PageQuery, cursor_at, page_schema, path_of_next, position
from registry.http.disclosure import shown_practitioner
from registry.http.fields import BodyCode, Date, Flag, Integer, QuerySchema, RegistrationNumber, Text, Word
from registry.http.limits import paying_for_search
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.http.schemas import PractitionerSchema
from registry.services import look_up
from registry.services.search import MOST, Wanted, search
from registry.store.database import age_of_request, public_reading

from .answers import is_known, public_answer, unchanged, weak

blueprint = Blueprint(
    "public_practitioners", __name__, url_prefix="/v1/practitioners", description="Public look-up of people"
)


POSITION = (int, str, str, str, int)
"""The kinds of the parts of :class:`registry.store.name_lookup.Position`."""


class SearchQuerySchema(PageQuery):
    """Whom to find: all that is given must hold."""

    name = Text(
        100, metadata={"description": "Any parts of a name, in any order; accents and slips are forgiven."}
    )
    city = Text(100, metadata={"description": "A city, or its beginning."})
    number = RegistrationNumber(metadata={"description": "A registration number, of whichever body."})
    body = BodyCode(metadata={"description": "Only registrations of this body."})
    technique = Word(Technique, metadata={"description": "Only who has an authorization that covers it."})
    authorized = Flag(
        load_default=False,
        metadata={"description": "Only who may use the technique (or any) on their own, on the day."},
    )
    on = Date(metadata={"description": "A local day; each body's today where it is left out."})
    limit = Integer(1, MOST, load_default=20, metadata={"description": "How many at most."})


class NoQuerySchema(QuerySchema):
    """No arguments."""


NO_QUERY = NoQuerySchema()
SEARCH_QUERY = SearchQuerySchema()


@blueprint.operation("GET", "", query=SearchQuerySchema, answer=page_schema(PractitionerSchema), raw=True)
def search_practitioners() -> Response:
    """Find practitioners by name, city or number.

    Several may fit, and all of them are shown, the likeliest first. A page may hold fewer than asked for and
    still have a next one.
    """
    query: dict[str, Any] = read_query(SEARCH_QUERY)
    at, after = clock.now(), position(query, *POSITION)
    limit = query.pop("limit")
    del query["cursor"]
    with paying_for_search(limit) as paid, public_reading() as connection:
        found = search(connection, Wanted(**query), at=at, limit=limit, after=after or ())
        paid.shows(len(found.people))
    following = None if found.after is None else cursor_at(found.after)
    most = look_up.longest_kept(age_of_request())
    seconds = min((kept_for(person, at) for person in found.people), default=most)
    etag = weak(fingerprint_of(found.people, following))
    if is_known(etag):
        return unchanged(etag=etag, seconds=seconds)
    items = [shown_practitioner(person) for person in found.people]
    response = public_answer({"items": items, "next": following}, etag=etag, seconds=seconds)
    if following is not None:
        response.headers["Link"] = f'<{path_of_next(following)}>; rel="next"'
    return response


def kept_for(practitioner: look_up.PublicPractitioner, at: datetime) -> int:
    """For how many seconds an answer about a person may be kept: to the first midnight among the bodies."""
    age = age_of_request()
    return min(look_up.seconds_kept(at, e.body.zone, today=True, age=age) for e in practitioner.entries)


def fingerprint_of(people: tuple[look_up.PublicPractitioner, ...], following: str | None) -> str:
    """Changes whenever the page may have changed."""
    parts = "".join(person.etag for person in people) + (following or "")
    return blake2b(parts.encode(), digest_size=12).hexdigest()


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
    seconds = kept_for(practitioner, at)
    etag = weak(practitioner.etag)
    if is_known(etag):
        return unchanged(etag=etag, seconds=seconds)
    return public_answer(shown_practitioner(practitioner), etag=etag, seconds=seconds)
