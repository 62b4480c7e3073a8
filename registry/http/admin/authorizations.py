"""Authorizations to needle, and what is decided about them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from registry import clock
from registry.domain.localtime import local_date
from registry.http.access import current_principal
from registry.http.answers import Answer
from registry.http.operations import Blueprint
from registry.services.decisions import record_decisions
from registry.services.wishes import Wish, drafts_of, registration_with_authorization
from registry.store.records import RegistrationRecord

from .decision_schemas import NewAuthorizationDecisionSchema, PreviewSchema
from .registration_schemas import AuthorizationRecordSchema, DayQuery, RecordedSchema
from .registrations import held_record, previewed, recorded
from .shown import Value, shown_decisions, shown_span, shown_timeline

blueprint = Blueprint(
    "authorizations", __name__, url_prefix="/v1/admin/authorizations", description="Authorizations"
)


def _held_record(tx: Connection, authorization_id: str, version: int | None = None) -> RegistrationRecord:
    return held_record(tx, registration_with_authorization(tx, authorization_id), version)


@blueprint.operation("GET", "/<id:authorization_id>", query=DayQuery, answer=AuthorizationRecordSchema)
def get_authorization(tx: Connection, authorization_id: str, query: dict[str, Any]) -> Answer:
    """Show an authorization with its timeline and decisions. Its version is that of its registration."""
    record = _held_record(tx, authorization_id)
    on = query["on"] or local_date(clock.now(), record.body.zone)
    timeline = record.timeline(authorization_id)
    own = [d for d in record.decisions if d.authorization_id == authorization_id]
    value = {
        "id": authorization_id,
        "registration_id": record.id,
        "body": record.body.code,
        "on": on,
        "standing": shown_span(timeline.on(on)),
        "timeline": shown_timeline(timeline),
        "decisions": shown_decisions(record, own),
    }
    return Answer(value, version=record.version)


@blueprint.operation(
    "POST",
    "/<id:authorization_id>/decisions",
    body=NewAuthorizationDecisionSchema,
    answer=RecordedSchema,
    status=201,
    changes_version=True,
)
def decide_on_authorization(tx: Connection, authorization_id: str, given: Wish, version: int) -> Answer:
    """Record a decision about an authorization."""
    record, at = _held_record(tx, authorization_id, version), clock.now()
    drafts = drafts_of(record, authorization_id, given)
    return recorded(tx, record_decisions(tx, record, drafts, by=current_principal().name, at=at), at)


@blueprint.operation(
    "POST",
    "/<id:authorization_id>/decisions/preview",
    body=NewAuthorizationDecisionSchema,
    answer=PreviewSchema,
    reads_only=True,
)
def preview_authorization_decision(tx: Connection, authorization_id: str, given: Wish) -> Value:
    """Show what a decision about an authorization would change, and record nothing."""
    return previewed(_held_record(tx, authorization_id), authorization_id, given)
