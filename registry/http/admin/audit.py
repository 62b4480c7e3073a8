"""The audit: who saw or did what, for those who watch a body's registrars; and a checkpoint to keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import Response, stream_with_context
from sqlalchemy import Connection

from registry.domain.audit_chain import AuditEntry
from registry.errors import NotFound
from registry.http.access import own_body
from registry.http.answers import Answer, to_json
from registry.http.auditing import tell_reading
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import BodyCode, Id, Instant, Integer, QuerySchema, ResponseSchema, Text
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.services.bodies import get_body
from registry.store import audit as store
from registry.store.audit import Wanted
from registry.store.database import reading, snapshot

blueprint = Blueprint("audit", __name__, url_prefix="/v1/admin/audit", description="The audit")

NDJSON = "application/x-ndjson"
NAMED = "As the entries name it."


class AuditQuery(QuerySchema):
    """Which entries."""

    body = BodyCode(load_default=None, metadata={"description": "Only what concerned this body."})
    principal = Text(200, load_default=None, metadata={"description": NAMED})
    action = Text(100, load_default=None, metadata={"description": NAMED})
    since = Instant(load_default=None, metadata={"description": "At this instant or later."})
    until = Instant(load_default=None, metadata={"description": "Before this instant."})


class AuditPageQuery(AuditQuery, PageQuery):
    """Which entries, and how many."""


class AuditEntrySchema(ResponseSchema):
    """Who saw or did what, when, from where. `hash` covers all the other members and the entry before."""

    seq = Integer(1)
    id = Id()
    at = Instant()
    principal = Text(metadata={"examples": ["registrar:01890a5d-ac96-774b-bcce-b302099a8057"]})
    action = Text(metadata={"description": "The operation.", "examples": ["decide_on_registration"]})
    body_id = Id(allow_none=True)
    address = Text(allow_none=True, metadata={"description": "Of the client; null for a command."})
    request_id = Text(allow_none=True)
    details = ma.fields.Dict(metadata={"description": "Identifiers and counts, by the action."})
    sealed_through = Integer(0, metadata={"description": "The newest event that is vouched for so far."})
    facts = Text(allow_none=True, metadata={"description": "The hash of what this entry vouches for."})
    previous = Text()
    hash = Text()


class AuditFileSchema(ResponseSchema):
    """`application/x-ndjson`: an entry a line, the oldest first."""


class CheckpointSchema(ResponseSchema):
    """The newest entry's number and hash, to which `registry audit verify --kept` holds the register."""

    checkpoint = Text(metadata={"examples": ["1042:" + "0123456789abcdef" * 4]})


@blueprint.operation("GET", "", query=AuditPageQuery, answer=page_schema(AuditEntrySchema))
def list_audit_entries(tx: Connection, query: dict[str, Any]) -> Answer:
    """List the entries of the audit, the newest first.

    Auditors see what concerned their body. Who reads the audit is told in it, too.
    """
    before, wanted = position(query, int), _wanted(tx, query)
    tell_reading("list_audit_entries")
    found = store.entries_before(tx, before[0] if before else None, query["limit"] + 1, wanted)
    return page_of(query, [shown_entry(entry) for entry in found], lambda entry: [entry["seq"]])


@blueprint.operation(
    "GET", "/entries.ndjson", query=AuditQuery, answer=AuditFileSchema, answer_type=NDJSON, raw=True
)
def export_audit() -> Response:
    """Fetch the entries of the audit as lines of JSON, the oldest first."""
    query = read_query(AUDIT_QUERY)
    with reading() as connection:
        wanted = _wanted(connection, query)
    tell_reading("export_audit")

    def lines() -> Iterator[bytes]:
        with snapshot() as connection:
            for entry in store.every_entry(connection, wanted):
                yield to_json(ENTRY.dump(shown_entry(entry))) + b"\n"

    headers = {"Content-Disposition": 'attachment; filename="audit.ndjson"', "Cache-Control": "no-store"}
    return Response(stream_with_context(lines()), content_type=NDJSON, headers=headers)


@blueprint.operation("GET", "/checkpoint", answer=CheckpointSchema)
def get_audit_checkpoint(tx: Connection) -> Answer:
    """Show the newest entry's number and hash, to be kept outside. It tells nothing of what was done."""
    head = store.newest(tx)
    if head.seq == 0:
        raise NotFound("The audit has no entry yet.")
    return Answer({"checkpoint": f"{head.seq}:{head.hash}"})


def shown_entry(entry: AuditEntry) -> dict[str, Any]:
    """An entry as values for its schema."""
    told = entry.happening
    return {
        "seq": entry.seq,
        "id": entry.id,
        "at": told.at,
        "principal": told.principal,
        "action": told.action,
        "body_id": told.body_id,
        "address": told.address,
        "request_id": told.request_id,
        "details": dict(told.details or {}),
        "sealed_through": entry.sealed_through,
        "facts": entry.facts,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _wanted(connection: Connection, query: dict[str, Any]) -> Wanted:
    body = None if query["body"] is None else get_body(connection, query["body"]).id
    named = {name: query[name] for name in ("principal", "action", "since", "until")}
    return Wanted(body_id=own_body(body), **named)


AUDIT_QUERY, ENTRY = AuditQuery(), AuditEntrySchema()
