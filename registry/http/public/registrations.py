"""The public look-up of a registration: its entry, and the answer to "may this person needle?"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from flask import Response, request

from registry import clock
from registry.domain.localtime import local_date
from registry.domain.vocabulary import Mode, Technique
from registry.http.booked_checks import note_afterwards
from registry.http.disclosure import shown_entry, shown_verification
from registry.http.fields import Date, Instant, QuerySchema, Word
from registry.http.metrics import count_unchanged, count_verdicts
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.http.schemas import EntrySchema, VerificationSchema
from registry.services import batches, look_up
from registry.services.look_up import seconds_kept
from registry.store.database import public_reading

from .answers import is_known, public_answer, unchanged, weak

blueprint = Blueprint(
    "public_registrations", __name__, url_prefix="/v1/bodies", description="Public look-up of registrations"
)

EVERY_TECHNIQUE = tuple(Technique)


class EntryQuerySchema(QuerySchema):
    """The day that an entry is shown for."""

    on = Date(metadata={"description": "A local day of the body; today where it is left out."})


class VerificationQuerySchema(EntryQuerySchema):
    """A question about one registration."""

    technique = Word(Technique, metadata={"description": "One technique; each of them where it is left out."})
    mode = Word(
        Mode,
        load_default=Mode.INDEPENDENT,
        metadata={"description": "On their own, or under another's supervision."},
    )
    known_at = Instant(
        metadata={"description": "As the register knew it at this instant: what it answered then."}
    )


VERIFICATION_QUERY = VerificationQuerySchema()
ENTRY_QUERY = EntryQuerySchema()


@dataclass(frozen=True, slots=True)
class Asked:
    """The query arguments of a verification, read."""

    techniques: tuple[Technique, ...] = EVERY_TECHNIQUE
    mode: Mode = Mode.INDEPENDENT
    on: date | None = None
    known_at: datetime | None = None


@lru_cache(maxsize=1024)
def _asked(query_string: bytes) -> Asked:
    """The question of the request at hand. Clients ask the same of everyone, so each wording is read once."""
    if not query_string:
        return Asked()
    given: dict[str, Any] = read_query(VERIFICATION_QUERY)
    technique = given.pop("technique", None)
    return Asked(EVERY_TECHNIQUE if technique is None else (technique,), **given)


@blueprint.operation(
    "GET",
    "/<code:body>/registrations/<number:number>/verification",
    query=VerificationQuerySchema,
    answer=VerificationSchema,
    raw=True,
)
def verify_registration(body: str, number: str) -> Response:
    """May this person needle, on a day, according to this body?

    A number that the body never registered is answered too: `not_found`, and not authorized.

    Asked with a clinic's key about a day to come, within a year, the question is noted until that day has
    passed, for registrars who decide about the registration: see `POST /v1/verifications`.
    """
    asked, at = _asked(request.query_string), clock.now()
    if asked.known_at is not None:
        return _verify_as_known(body, number, asked, asked.known_at, at)
    found = look_up.find_alone(body, number)
    if asked.on is not None:
        technique = asked.techniques[0] if len(asked.techniques) == 1 else None
        note_afterwards((batches.Asked(body, number, technique, asked.on, asked.mode),), at)
    today = asked.on is None
    seconds = seconds_kept(at, found.body.zone, today=today, age=found.age)
    day = asked.on or local_date(at, found.body.zone)
    etag = weak(found.fingerprint(number, asked.techniques, asked.mode, day, today))
    if is_known(etag):
        count_unchanged(asked.techniques)
        return unchanged(etag=etag, seconds=seconds)
    answer = look_up.verify(found, number, techniques=asked.techniques, mode=asked.mode, on=asked.on, at=at)
    count_verdicts(answer.verdicts)
    return public_answer(shown_verification(answer), etag=etag, seconds=seconds)


def _verify_as_known(body: str, number: str, asked: Asked, known_at: datetime, at: datetime) -> Response:
    # What was known at an instant is told only from what shows all that was recorded until then.
    with public_reading(most_age=max(0.0, (at - known_at).total_seconds())) as connection:
        found = look_up.find(connection, body, number)
        answer = look_up.verify_as_known(
            connection,
            found,
            number,
            techniques=asked.techniques,
            mode=asked.mode,
            on=asked.on,
            known_at=known_at,
            at=at,
        )
    count_verdicts(answer.verdicts)
    etag, seconds = weak(found.fingerprint(number, asked)), look_up.longest_kept(found.age)
    return public_answer(shown_verification(answer), etag=etag, seconds=seconds)


@blueprint.operation(
    "GET",
    "/<code:body>/registrations/<number:number>",
    query=EntryQuerySchema,
    answer=EntrySchema,
    raw=True,
)
def show_registration(body: str, number: str) -> Response:
    """Show the public entry of a registration."""
    on = read_query(ENTRY_QUERY).get("on") if request.query_string else None
    at = clock.now()
    found = look_up.find_alone(body, number)
    seconds = seconds_kept(at, found.body.zone, today=on is None, age=found.age)
    entry = look_up.get_entry(found, number, on=on, at=at)
    etag = weak(entry.etag)
    if is_known(etag):
        return unchanged(etag=etag, seconds=seconds)
    return public_answer(shown_entry(entry), etag=etag, seconds=seconds)
