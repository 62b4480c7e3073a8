"""Decisions on record: shown, and taken back. None is ever changed or deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from registry import clock
from registry.http.access import current_principal
from registry.http.answers import Answer
from registry.http.operations import Blueprint
from registry.services.decisions import Draft, record_decisions
from registry.services.wishes import decision_in, preview, registration_with_decision, void_draft
from registry.store.records import RegistrationRecord

from .decision_schemas import DecisionSchema, PreviewSchema, VoidSchema
from .registration_schemas import RecordedSchema
from .registrations import held_record, recorded
from .shown import Value, shown_decision, shown_preview

blueprint = Blueprint("decisions", __name__, url_prefix="/v1/admin/decisions", description="Decisions")


def _held_record(tx: Connection, decision_id: str, version: int | None = None) -> RegistrationRecord:
    return held_record(tx, registration_with_decision(tx, decision_id), version)


def _voidings(record: RegistrationRecord, decision_id: str, given: dict[str, Any]) -> list[Draft]:
    told = {"reason": given["reason"], "private_note": given.get("private_note")}
    others = sorted(given["void_also"] - {decision_id})
    return [void_draft(record, id_, **told) for id_ in (*others, decision_id)]


@blueprint.operation("GET", "/<id:decision_id>", answer=DecisionSchema)
def get_decision(tx: Connection, decision_id: str) -> Answer:
    """Show a decision. Its version is that of the registration that it is about."""
    record = _held_record(tx, decision_id)
    value = shown_decision(decision_in(record, decision_id), record.id, record.voided())
    return Answer(value, version=record.version)


@blueprint.operation(
    "POST",
    "/<id:decision_id>/void",
    body=VoidSchema,
    answer=RecordedSchema,
    status=201,
    changes_version=True,
)
def void_decision(tx: Connection, decision_id: str, given: dict[str, Any], version: int) -> Answer:
    """Take a decision back, as if it had never been, from now on.

    What the register answered until now stays on record. Voiding a voiding restores what it took back.
    """
    record, at = _held_record(tx, decision_id, version), clock.now()
    drafts = _voidings(record, decision_id, given)
    return recorded(tx, record_decisions(tx, record, drafts, by=current_principal().name, at=at), at)


@blueprint.operation(
    "POST", "/<id:decision_id>/void/preview", body=VoidSchema, answer=PreviewSchema, reads_only=True
)
def preview_voiding(tx: Connection, decision_id: str, given: dict[str, Any]) -> Value:
    """Show what taking a decision back would change, and record nothing."""
    record = _held_record(tx, decision_id)
    drafts = _voidings(record, decision_id, given)
    return shown_preview(preview(record, drafts, by=current_principal().name, at=clock.now()))
