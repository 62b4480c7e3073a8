"""Lapses: what is amiss and what is coming, for those who keep a body's register."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import quote

from flask import url_for
from sqlalchemy import Connection

from registry import clock
from registry.domain.notices import NoticeState
from registry.domain.vocabulary import LapseKind, LapseState, Requirement, Standing, Technique
from registry.errors import NotFound
from registry.http.access import current_principal, own_body, require_body
from registry.http.answers import Answer
from registry.http.auditing import sees_withheld
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Id,
    Instant,
    Integer,
    List,
    Nested,
    RegistrationNumber,
    RequestSchema,
    ResponseSchema,
    Text,
    Word,
)
from registry.http.operations import Blueprint
from registry.services import lapses
from registry.services.bodies import get_body
from registry.services.colleagues import require_colleague
from registry.services.lapses import LapseItem, LapseQuestion
from registry.store.records import find_body

blueprint = Blueprint("lapses", __name__, url_prefix="/v1/admin/lapses", description="Lapses")

LONGEST_NOTE = 2000
LONGEST_NAME = 100
MOST_AT_ONCE = 200


class LapsesQuery(PageQuery):
    """Which lapses."""

    body = BodyCode(load_default=None, metadata={"description": "Only those of this body."})
    kind = Word(LapseKind, load_default=None)
    state = Word(LapseState, load_default=None)
    first = Date(
        load_default=None, data_key="from", metadata={"description": "That begin on this day or later."}
    )
    last = Date(
        load_default=None, data_key="to", metadata={"description": "That begin on this day or earlier."}
    )
    within_days = Integer(
        1, 3660, load_default=None, metadata={"description": "That begin in the days to come, so many."}
    )
    assigned_to = Text(
        LONGEST_NAME,
        load_default=None,
        metadata={"description": "Left to this principal, as records name it."},
    )
    new = Flag(
        load_default=False,
        metadata={"description": "Only what runs and began, or became known, yesterday or today."},
    )


class WhySchema(ResponseSchema):
    """What a lapse rests on; what does not matter to its kind is null."""

    term_from = Date(allow_none=True)
    term_through = Date(allow_none=True)
    registration_standing = Word(Standing, allow_none=True)
    registration_through = Date(allow_none=True, metadata={"description": "Its last day before the lapse."})
    authorization_through = Date(allow_none=True)
    technique = Word(Technique, allow_none=True)
    refresher_hours = Text(allow_none=True, metadata={"description": "What the body's rules ask for."})
    unmet = List(Word(Requirement), metadata={"description": "Requirements of the rules that are not met."})


WHY = tuple(WhySchema().fields)


class AcknowledgedSchema(ResponseSchema):
    """Who has seen a lapse."""

    by = Text()
    at = Instant()
    note = Text(LONGEST_NOTE, lines=True, allow_none=True)


class ResolvedSchema(ResponseSchema):
    """What ended a lapse."""

    at = Instant(allow_none=True, metadata={"description": "When it was noted; null until the next sweep."})
    by_decision = Id(allow_none=True, metadata={"description": "Null where no decision ended it."})


class ToldSchema(ResponseSchema):
    """The notice nearest to the end of a term that was to be sent to its holder."""

    days_before = Integer(metadata={"description": "Its threshold: 60, 30, 7 or 0 days."})
    state = Word(NoticeState)
    at = Instant(allow_none=True, metadata={"description": "When that was settled; null while it is not."})
    failure = Text(allow_none=True, metadata={"description": "The codes of a mail server."})


class LapseLinksSchema(ResponseSchema):
    """Where to go on."""

    self = Text()
    registration = Text()
    verification = Text()


class LapseSchema(ResponseSchema):
    """Something amiss through a run of local days of the body."""

    id = Id()
    body = BodyCode()
    kind = Word(LapseKind)
    state = Word(LapseState)
    since = Date(metadata={"description": "The first day; may lie ahead."})
    until = Date(allow_none=True, metadata={"description": "The last day; null while no end is known."})
    today = Date(metadata={"description": "The body's present day, on which the state rests."})
    days_until = Integer(allow_none=True, metadata={"description": "Days until it begins; null once begun."})
    days_amiss = Integer(allow_none=True, metadata={"description": "Days so far; null while it is coming."})
    why = Nested(WhySchema)
    number = RegistrationNumber()
    registration_id = Id()
    authorization_id = Id(allow_none=True, metadata={"description": "Null for one of the registration."})
    practitioner_id = Id()
    name = Text(allow_none=True, metadata={"description": "The published name, withheld or not."})
    withheld = Flag(metadata={"description": "Whether the public sees no name."})
    assigned_to = Text(
        LONGEST_NAME, allow_none=True, metadata={"description": "To whom it is left, as records name them."}
    )
    version = Integer(metadata={"description": "Counts what registrars did to it."})
    is_new = Flag(metadata={"description": "It began, or became known, yesterday or today."})
    notice = Nested(ToldSchema, allow_none=True, metadata={"description": "Null where none was due yet."})
    not_reached = Flag(metadata={"description": "Whether the holder may not know that the term ends."})
    acknowledged = Nested(AcknowledgedSchema, allow_none=True)
    resolved = Nested(ResolvedSchema, allow_none=True)
    links = Nested(LapseLinksSchema)


class AcknowledgementSchema(RequestSchema):
    """That a lapse was seen."""

    note = Text(LONGEST_NOTE, lines=True, load_default=None, metadata={"description": "For colleagues."})


class SeenLapseSchema(RequestSchema):
    """A lapse as it was seen."""

    id = Id(required=True)
    version = Integer(1, required=True, metadata={"description": "As its `version` said."})


class AcknowledgementsSchema(RequestSchema):
    """Lapses of one body that a registrar has seen."""

    body = BodyCode(required=True)
    lapses = List(Nested(SeenLapseSchema), least=1, most=MOST_AT_ONCE, required=True)
    note = Text(LONGEST_NOTE, lines=True, load_default=None)


class MissedSchema(ResponseSchema):
    """A lapse that was left as it is."""

    id = Id()
    detail = Text()


class BulkDoneSchema(ResponseSchema):
    """What came of a wish about many lapses."""

    acknowledged = List(Nested(LapseSchema))
    missed = List(Nested(MissedSchema))


class AssignmentSchema(RequestSchema):
    """To whom a lapse is left."""

    to = Text(
        LONGEST_NAME,
        required=True,
        allow_none=True,
        metadata={"description": "As records name them, such as `registrar:<id of a key>`; null for nobody."},
    )


class NewNoteSchema(RequestSchema):
    """A note about a lapse."""

    text = Text(LONGEST_NOTE, lines=True, required=True)


class NoteSchema(ResponseSchema):
    """What was written about a lapse."""

    id = Id()
    text = Text(LONGEST_NOTE, lines=True)
    recorded_at = Instant()
    recorded_by = Text()


@blueprint.operation("GET", "", query=LapsesQuery, answer=page_schema(LapseSchema))
def list_lapses(tx: Connection, query: dict[str, Any]) -> Answer:
    """List lapses by their first day: past, present and coming.

    A lapse that was averted before its day came is no longer listed.
    """
    question = LapseQuestion(
        own_body(_body_id(tx, query["body"])),
        query["kind"],
        query["first"],
        query["last"],
        query["state"],
        query["within_days"],
        query["assigned_to"],
        query["new"],
    )
    place = position(query, date, str)
    after = None if place is None else (place[0], place[1])
    limit = query["limit"] + 1
    found = lapses.list_lapses(tx, question, after=after, limit=limit, at=clock.now())
    return page_of(query, [_shown(item) for item in found], lambda item: [item["since"], item["id"]])


def _body_id(tx: Connection, code: str | None) -> str | None:
    body = None if code is None else find_body(tx, code)
    if code is not None and body is None:
        raise NotFound(f"No body is kept under the code {code}.")
    return None if body is None else body.id


@blueprint.operation("POST", "/acknowledge", body=AcknowledgementsSchema, answer=BulkDoneSchema)
def acknowledge_lapses(tx: Connection, given: dict[str, Any]) -> dict[str, Any]:
    """Note that lapses of a body were seen, many at once.

    What another has changed since it was seen is left as it is and told of; it keeps no other from being
    acknowledged.
    """
    body = get_body(tx, given["body"])
    require_body(body.id)
    seen = {one["id"]: one["version"] for one in given["lapses"]}
    by, at = current_principal().name, clock.now()
    done = lapses.acknowledge_lapses(tx, body.id, seen, given["note"], by=by, at=at)
    missed = [{"id": one.lapse_id, "detail": one.detail} for one in done.missed]
    return {"acknowledged": [_shown(item) for item in done.done], "missed": missed}


@blueprint.operation("GET", "/<id:lapse_id>", answer=LapseSchema)
def get_lapse(tx: Connection, lapse_id: str) -> Answer:
    """Show one lapse."""
    item = _own(lapses.get_lapse(tx, lapse_id, at=clock.now()))
    return Answer(_shown(item), version=item.lapse.version)


@blueprint.operation(
    "POST", "/<id:lapse_id>/assign", body=AssignmentSchema, answer=LapseSchema, changes_version=True
)
def assign_lapse(tx: Connection, lapse_id: str, given: dict[str, Any], version: int) -> Answer:
    """Leave a lapse to somebody who records for the body, or to nobody."""
    at = clock.now()
    item = lapses.require_seen(_own(lapses.get_lapse(tx, lapse_id, at=at, to_change=True)), version)
    if given["to"] is not None:
        require_colleague(tx, item.body.id, given["to"], at=at)
    item = lapses.assign_lapse(tx, item, given["to"], by=current_principal().name, at=at)
    return Answer(_shown(item), version=item.lapse.version)


@blueprint.operation("POST", "/<id:lapse_id>/notes", body=NewNoteSchema, answer=NoteSchema, status=201)
def note_on_lapse(tx: Connection, lapse_id: str, given: dict[str, Any]) -> Answer:
    """Write a note about a lapse. It is never changed."""
    at = clock.now()
    item = _own(lapses.get_lapse(tx, lapse_id, at=at, to_change=True))
    item = lapses.note_on_lapse(tx, item, given["text"], by=current_principal().name, at=at)
    location = url_for("lapses.list_lapse_notes", lapse_id=lapse_id)
    return Answer(lapses.list_notes(tx, item)[-1], location=location)


@blueprint.operation("GET", "/<id:lapse_id>/notes", query=PageQuery, answer=page_schema(NoteSchema))
def list_lapse_notes(tx: Connection, lapse_id: str, query: dict[str, Any]) -> Answer:
    """List what was written about a lapse, in the order in which it was."""
    item = _own(lapses.get_lapse(tx, lapse_id, at=clock.now()))
    place = position(query, str)
    notes = [note for note in lapses.list_notes(tx, item) if place is None or note.id > place[0]]
    return page_of(query, notes[: query["limit"] + 1], lambda note: [note.id])


@blueprint.operation("POST", "/<id:lapse_id>/acknowledge", body=AcknowledgementSchema, answer=LapseSchema)
def acknowledge_lapse(tx: Connection, lapse_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """Note that a lapse was seen. The same note by the same key again changes nothing."""
    at = clock.now()
    item = _own(lapses.get_lapse(tx, lapse_id, at=at, to_change=True))
    return _shown(lapses.acknowledge_lapse(tx, item, given["note"], by=current_principal().name, at=at))


@blueprint.operation("POST", "/<id:lapse_id>/reopen", answer=LapseSchema)
def reopen_lapse(tx: Connection, lapse_id: str) -> dict[str, Any]:
    """Take an acknowledgement back. One that nobody acknowledged is left as it is."""
    at = clock.now()
    item = _own(lapses.get_lapse(tx, lapse_id, at=at, to_change=True))
    return _shown(lapses.reopen_lapse(tx, item, by=current_principal().name, at=at))


def _own(item: LapseItem) -> LapseItem:
    require_body(item.body.id)
    return item


def _shown(item: LapseItem) -> dict[str, Any]:
    lapse, holder = item.lapse, item.holder
    sees_withheld(holder.practitioner_id, withheld=holder.withheld)
    return {
        "id": lapse.id,
        "body": item.body.code,
        "kind": lapse.kind,
        "state": item.state,
        "since": lapse.since,
        "until": lapse.until,
        "today": item.today,
        "days_until": item.days_until,
        "days_amiss": item.days_amiss,
        "why": _why(item),
        "number": holder.number,
        "registration_id": lapse.registration_id,
        "authorization_id": lapse.authorization_id,
        "practitioner_id": holder.practitioner_id,
        "name": holder.name,
        "withheld": holder.withheld,
        "assigned_to": lapse.assigned_to,
        "is_new": item.is_new,
        "version": lapse.version,
        "notice": _notice(item),
        "not_reached": item.not_reached,
        "acknowledged": _acknowledged(item),
        "resolved": _resolved(item),
        "links": _links(item),
    }


def _why(item: LapseItem) -> dict[str, Any]:
    why: dict[str, Any] = {name: item.lapse.why.get(name) or None for name in WHY}
    for name in ("term_from", "term_through", "registration_through", "authorization_through"):
        why[name] = None if why[name] is None else date.fromisoformat(why[name])
    return {**why, "unmet": why["unmet"].split(", ") if why["unmet"] else []}


def _notice(item: LapseItem) -> dict[str, Any] | None:
    told = item.notice
    if told is None:
        return None
    return {
        "days_before": told.key.threshold,
        "state": told.state,
        "at": told.settled_at,
        "failure": told.failure,
    }


def _acknowledged(item: LapseItem) -> dict[str, Any] | None:
    lapse = item.lapse
    if lapse.acknowledged_at is None:
        return None
    return {"by": lapse.acknowledged_by, "at": lapse.acknowledged_at, "note": lapse.note}


def _resolved(item: LapseItem) -> dict[str, Any] | None:
    if item.state is not LapseState.RESOLVED:
        return None
    return {"at": item.lapse.resolved_at, "by_decision": item.resolved_by}


def _links(item: LapseItem) -> dict[str, str]:
    entry = f"/v1/bodies/{item.body.code}/registrations/{quote(item.holder.number, safe='')}"
    return {
        "self": url_for("lapses.get_lapse", lapse_id=item.lapse.id),
        "registration": entry,
        "verification": f"{entry}/verification",
    }
