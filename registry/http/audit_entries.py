"""Entries of the audit as they are shown, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import marshmallow as ma
from flask import Response, stream_with_context

from registry.domain.audit_chain import AuditEntry
from registry.store import audit as store
from registry.store.audit import Wanted
from registry.store.database import snapshot

from .answers import to_json
from .fields import Id, Instant, Integer, ResponseSchema, Text

NDJSON = "application/x-ndjson"


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


def exported(wanted: Wanted) -> Response:
    """The entries as lines of JSON, the oldest first, to be kept as a file."""

    def lines() -> Iterator[bytes]:
        with snapshot() as connection:
            for entry in store.every_entry(connection, wanted):
                yield to_json(ENTRY.dump(shown_entry(entry))) + b"\n"

    headers = {"Content-Disposition": 'attachment; filename="audit.ndjson"', "Cache-Control": "no-store"}
    return Response(stream_with_context(lines()), content_type=NDJSON, headers=headers)


ENTRY = AuditEntrySchema()
