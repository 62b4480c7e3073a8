"""The audit: who saw or did what, for those who watch a body's registrars; and a checkpoint to keep."""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy import Connection

from registry.errors import NotFound
from registry.http.access import own_body
from registry.http.answers import Answer
from registry.http.audit_entries import NDJSON, AuditEntrySchema, exported, shown_entry
from registry.http.auditing import tell_reading
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import BodyCode, Instant, QuerySchema, ResponseSchema, Text
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.services.bodies import get_body
from registry.store import audit as store
from registry.store.audit import Wanted
from registry.store.database import reading

blueprint = Blueprint("audit", __name__, url_prefix="/v1/admin/audit", description="The audit")

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

    return exported(wanted)


@blueprint.operation("GET", "/checkpoint", answer=CheckpointSchema)
def get_audit_checkpoint(tx: Connection) -> Answer:
    """Show the newest entry's number and hash, to be kept outside. It tells nothing of what was done."""
    head = store.newest(tx)
    if head.seq == 0:
        raise NotFound("The audit has no entry yet.")
    return Answer({"checkpoint": f"{head.seq}:{head.hash}"})


def _wanted(connection: Connection, query: dict[str, Any]) -> Wanted:
    body = None if query["body"] is None else get_body(connection, query["body"]).id
    named = {name: query[name] for name in ("principal", "action", "since", "until")}
    return Wanted(body_id=own_body(body), **named)


AUDIT_QUERY = AuditQuery()
