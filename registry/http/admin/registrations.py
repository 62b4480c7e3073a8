"""Registrations: opened, corrected, told of in full; and what is decided about them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import Connection

from registry import clock
from registry.domain.decisions import Scope
from registry.domain.localtime import local_date
from registry.errors import Invalid, NotFound
from registry.http.access import current_principal, require_body
from registry.http.answers import Answer
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.operations import Blueprint
from registry.services import registrations
from registry.services.bodies import get_body
from registry.services.decisions import NEW, Change, get_record, record_decisions, unmet_for_grant
from registry.services.wishes import Wish, drafts_of, grant_authorization, preview
from registry.store.records import RegistrationRecord, load_records
from registry.store.registrations import hold_registration, list_registrations

from .asked import require_sight, require_version
from .decision_schemas import (
    DecisionSchema,
    NewGrantSchema,
    NewRegistrationDecisionSchema,
    NewRegistrationSchema,
    PreviewSchema,
)
from .registration_schemas import (
    CorrectionSchema,
    DecisionsQuery,
    EligibilityQuery,
    EligibilitySchema,
    ListedRegistrationSchema,
    RecordedSchema,
    RecordQuery,
    RegistrationRecordSchema,
)
from .shown import (
    Value,
    shown_amendments,
    shown_decisions,
    shown_preview,
    shown_record,
    shown_summary,
    shown_unmet,
)

blueprint = Blueprint("registration_records", __name__, url_prefix="/v1/admin", description="Registrations")
REGISTRATION = "/registrations/<id:registration_id>"


def held_record(tx: Connection, registration_id: str, version: int | None = None) -> RegistrationRecord:
    """A registration's record, if it is the principal's business and (where a version is named) as seen."""
    if version is not None:
        hold_registration(tx, registration_id)
    record = get_record(tx, registration_id)
    require_body(record.body.id)
    if version is not None:
        require_version(record, version)
    return record


def whole(tx: Connection, record: RegistrationRecord, at: datetime, **asked: Any) -> Value:
    """A record as staff see it."""
    shown = shown_record(record, on=asked.get("on"), known_at=asked.get("known_at"), at=at)
    return {**shown, "amendments": shown_amendments(tx, record.id)}


def recorded(tx: Connection, change: Change, at: datetime) -> Answer:
    """What was recorded, with where the last decision is kept."""
    after = change.after
    value = {"decisions": shown_decisions(after, change.recorded), "registration": whole(tx, after, at)}
    location = url_for("decisions.get_decision", decision_id=change.recorded[-1].decision.id)
    return Answer(value, version=after.version, location=location)


@blueprint.operation(
    "POST",
    "/bodies/<code:code>/registrations",
    body=NewRegistrationSchema,
    answer=RegistrationRecordSchema,
    status=201,
)
def create_registration(tx: Connection, code: str, given: dict[str, Any]) -> Answer:
    """Open a registration with its first grant.

    Of someone whose record is withheld, and whom no body but others registered, an operator opens it.
    """
    keeper = get_body(tx, code)
    require_body(keeper.id)
    require_sight(tx, given["applied"].practitioner_id)
    at = clock.now()
    change = registrations.register(tx, keeper, **given, by=current_principal().name, at=at)
    after = change.after
    location = url_for("registration_records.get_registration_record", registration_id=after.id)
    return Answer(whole(tx, after, at), version=after.version, location=location)


@blueprint.operation(
    "GET", "/bodies/<code:code>/registrations", query=PageQuery, answer=page_schema(ListedRegistrationSchema)
)
def list_registration_records(tx: Connection, code: str, query: dict[str, Any]) -> Answer:
    """List a body's registrations, in the order in which they were recorded."""
    keeper = get_body(tx, code)
    require_body(keeper.id)
    after = position(query, str)
    ids = list_registrations(tx, keeper.id, after=after[0] if after else None, limit=query["limit"] + 1)
    at = clock.now()
    found = [shown_summary(record, at) for record in load_records(tx, ids)]
    return page_of(query, found, lambda registration: [registration["id"]])


@blueprint.operation("GET", REGISTRATION, query=RecordQuery, answer=RegistrationRecordSchema)
def get_registration_record(tx: Connection, registration_id: str, query: dict[str, Any]) -> Answer:
    """Show a registration with its authorizations, timelines and decisions."""
    record = held_record(tx, registration_id)
    at, known_at = clock.now(), query["known_at"]
    if known_at is not None and known_at > at:
        particulars = [{"parameter": "known_at", "detail": "Give an instant that has come."}]
        raise Invalid("known_at: Give an instant that has come.", particulars)
    return Answer(whole(tx, record, at, **query), version=record.version)


@blueprint.operation(
    "PATCH", REGISTRATION, body=CorrectionSchema, answer=RegistrationRecordSchema, changes_version=True
)
def correct_registration(tx: Connection, registration_id: str, given: dict[str, Any], version: int) -> Answer:
    """Correct a registration's number or city. What was decided about it is never changed."""
    record = held_record(tx, registration_id, version)
    correction = {"number": None, "city": record.city, **given}
    at = clock.now()
    after = registrations.correct(tx, record, **correction, by=current_principal().name, at=at)
    return Answer(whole(tx, after, at), version=after.version)


@blueprint.operation(
    "GET", f"{REGISTRATION}/decisions", query=DecisionsQuery, answer=page_schema(DecisionSchema)
)
def list_decisions(tx: Connection, registration_id: str, query: dict[str, Any]) -> Answer:
    """List all that was decided about a registration and its authorizations, voided or not, as recorded."""
    record = held_record(tx, registration_id)
    about, after = query["authorization"], position(query, str)
    if about is not None and about not in record.authorization_ids:
        raise NotFound(f"This registration has no authorization {about}.")
    found = [
        decision
        for decision in sorted(record.decisions, key=lambda d: d.decision.id)
        if about in (None, decision.authorization_id)
        if after is None or decision.decision.id > after[0]
    ]
    shown = shown_decisions(record, found[: query["limit"] + 1])
    return page_of(query, shown, lambda decision: [decision["id"]])


@blueprint.operation(
    "POST",
    f"{REGISTRATION}/decisions",
    body=NewRegistrationDecisionSchema,
    answer=RecordedSchema,
    status=201,
    changes_version=True,
)
def decide_on_registration(tx: Connection, registration_id: str, given: Wish, version: int) -> Answer:
    """Record a decision about a registration."""
    record, at = held_record(tx, registration_id, version), clock.now()
    drafts = drafts_of(record, None, given)
    return recorded(tx, record_decisions(tx, record, drafts, by=current_principal().name, at=at), at)


@blueprint.operation(
    "POST",
    f"{REGISTRATION}/decisions/preview",
    body=NewRegistrationDecisionSchema,
    answer=PreviewSchema,
    reads_only=True,
)
def preview_registration_decision(tx: Connection, registration_id: str, given: Wish) -> Value:
    """Show what a decision about a registration would change, and record nothing."""
    record = held_record(tx, registration_id)
    return previewed(record, None, given)


def previewed(record: RegistrationRecord, authorization_id: str | None, wish: Wish) -> Value:
    """What a wish would change."""
    drafts = drafts_of(record, authorization_id, wish)
    return shown_preview(preview(record, drafts, by=current_principal().name, at=clock.now()))


@blueprint.operation(
    "POST",
    f"{REGISTRATION}/authorizations",
    body=NewGrantSchema,
    answer=RecordedSchema,
    status=201,
    changes_version=True,
)
def grant_needling_authorization(tx: Connection, registration_id: str, given: Wish, version: int) -> Answer:
    """Grant an authorization, if the body's rules of its first day are met or knowingly overridden."""
    record, at = held_record(tx, registration_id, version), clock.now()
    change, _ = grant_authorization(tx, record, given, by=current_principal().name, at=at)
    return recorded(tx, change, at)


@blueprint.operation(
    "POST",
    f"{REGISTRATION}/authorizations/preview",
    body=NewGrantSchema,
    answer=PreviewSchema,
    reads_only=True,
)
def preview_grant(tx: Connection, registration_id: str, given: Wish) -> Value:
    """Show what granting an authorization would change and what it lacks, and record nothing."""
    return previewed(held_record(tx, registration_id), NEW, given)


@blueprint.operation("GET", f"{REGISTRATION}/eligibility", query=EligibilityQuery, answer=EligibilitySchema)
def check_eligibility(tx: Connection, registration_id: str, query: dict[str, Any]) -> Value:
    """Say what stands in the way of an authorization, by the body's rules of a day."""
    record = held_record(tx, registration_id)
    on = query["on"] or local_date(clock.now(), record.body.zone)
    unmet = unmet_for_grant(record, Scope(techniques=query["techniques"]), on)
    return {
        "on": on,
        "techniques": query["techniques"],
        "eligible": not unmet,
        "unmet": [shown_unmet(one) for one in unmet],
    }
