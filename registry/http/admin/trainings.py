"""Needling training of practitioners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import url_for
from sqlalchemy import Connection

from registry import clock
from registry.domain.vocabulary import Technique
from registry.http.access import current_principal, require_body
from registry.http.answers import Answer
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Hours,
    Id,
    Instant,
    Integer,
    RequestSchema,
    ResponseSchema,
    SetOf,
    Text,
    Word,
)
from registry.http.operations import Blueprint
from registry.services import people, trainings
from registry.services.bodies import get_body
from registry.store.trainings import FACTS, KeptTraining, TrainingFacts, list_trainings

from .asked import require_say, require_version
from .people_schemas import LONGEST_REASON, WithdrawalSchema, reason_field

blueprint = Blueprint("trainings", __name__, url_prefix="/v1/admin", description="Trainings")
TRAINING = "/trainings/<id:training_id>"


class TrainingChangeSchema(RequestSchema):
    """What is to be corrected of a training; what is absent stays as it is."""

    course_id = Id(
        allow_none=True, metadata={"description": "The course that was taken, where a body keeps it."}
    )
    title = Text(200, metadata={"description": "That of the course, if absent."})
    provider = Text(200, allow_none=True, metadata={"description": "That of the course, if absent."})
    techniques = SetOf(Word(Technique), least=1, metadata={"description": "Those of the course, if absent."})
    completed_on = Date()
    hours_theory = Hours()
    hours_practical = Hours()
    hours_in_person = Hours(metadata={"description": "Of theory and practice together."})
    supervised_sessions = Integer(0, 10_000)
    examination_passed = Flag(metadata={"description": "Whether a summative examination was passed."})
    safety_component = Flag()
    reason = reason_field()


class NewTrainingSchema(TrainingChangeSchema):
    """A training that was completed."""

    class Meta(TrainingChangeSchema.Meta):
        exclude = ("reason",)

    body = BodyCode(required=True, metadata={"description": "The body that records it."})
    completed_on = Date(required=True)

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The facts, and who records them."""
        body = data.pop("body")
        told = {"title": "", "provider": None, "techniques": frozenset(), **data}
        return {"body": body, "facts": TrainingFacts(**told)}


class TrainingRecordSchema(ResponseSchema):
    """A training on record."""

    id = Id()
    practitioner_id = Id()
    body = BodyCode(metadata={"description": "The body that recorded it."})
    course_id = Id(allow_none=True)
    title = Text(200)
    provider = Text(200, allow_none=True)
    techniques = SetOf(Word(Technique))
    completed_on = Date()
    hours_theory = Hours()
    hours_practical = Hours()
    hours_in_person = Hours()
    supervised_sessions = Integer()
    examination_passed = Flag()
    safety_component = Flag()
    version = Integer()
    recorded_at = Instant()
    recorded_by = Text()
    withdrawn_at = Instant(allow_none=True, metadata={"description": "Since when it counts no longer."})
    withdrawn_because = Text(LONGEST_REASON, lines=True, allow_none=True)


KEPT = (
    *("id", "practitioner_id", "version", "recorded_at", "recorded_by"),
    *("withdrawn_at", "withdrawn_because"),
)


def _shown(tx: Connection, training: KeptTraining) -> dict[str, Any]:
    facts = {name: getattr(training.facts, name) for name in FACTS}
    kept = {name: getattr(training, name) for name in KEPT}
    return {**facts, **kept, "body": get_body(tx, training.body_id).code}


def _answer(tx: Connection, training: KeptTraining) -> Answer:
    location = url_for("trainings.get_training", training_id=training.id)
    return Answer(_shown(tx, training), version=training.version, location=location)


def _held(tx: Connection, training_id: str, version: int) -> KeptTraining:
    """A training that the principal's body recorded, as seen."""
    training = trainings.get_training(tx, training_id)
    require_body(training.body_id)
    require_version(training, version)
    return training


@blueprint.operation(
    "POST",
    "/practitioners/<id:practitioner_id>/trainings",
    body=NewTrainingSchema,
    answer=TrainingRecordSchema,
    status=201,
)
def create_training(tx: Connection, practitioner_id: str, given: dict[str, Any]) -> Answer:
    """Record a training; it counts for every registration of the practitioner."""
    require_say(tx, practitioner_id)
    person = people.get_person(tx, practitioner_id)
    body = get_body(tx, given["body"])
    require_body(body.id)
    facts = trainings.described_by_course(tx, given["facts"])
    by, at = current_principal().name, clock.now()
    return _answer(tx, trainings.add_training(tx, person, body, facts, by=by, at=at))


@blueprint.operation(
    "GET",
    "/practitioners/<id:practitioner_id>/trainings",
    query=PageQuery,
    answer=page_schema(TrainingRecordSchema),
)
def list_trainings_of_practitioner(tx: Connection, practitioner_id: str, query: dict[str, Any]) -> Answer:
    """List a practitioner's trainings, withdrawn ones too, in the order in which they were recorded."""
    require_say(tx, practitioner_id)
    person, after = people.get_person(tx, practitioner_id), position(query, str)
    found = list_trainings(tx, person.id, after=after[0] if after else None, limit=query["limit"] + 1)
    shown = [_shown(tx, training) for training in found]
    return page_of(query, shown, lambda training: [training["id"]])


@blueprint.operation("GET", TRAINING, answer=TrainingRecordSchema)
def get_training(tx: Connection, training_id: str) -> Answer:
    """Show a training."""
    training = trainings.get_training(tx, training_id)
    require_say(tx, training.practitioner_id)
    return _answer(tx, training)


@blueprint.operation(
    "PATCH", TRAINING, body=TrainingChangeSchema, answer=TrainingRecordSchema, changes_version=True
)
def change_training(tx: Connection, training_id: str, given: dict[str, Any], version: int) -> Answer:
    """Correct what is recorded of a training. The body that recorded it may."""
    training = _held(tx, training_id, version)
    reason = given.pop("reason", None)
    facts = replace(training.facts, **given)
    by, at = current_principal().name, clock.now()
    body = get_body(tx, training.body_id)
    after = trainings.change_training(tx, training, facts, body=body, by=by, at=at, reason=reason)
    return _answer(tx, after)


@blueprint.operation(
    "POST", f"{TRAINING}/withdraw", body=WithdrawalSchema, answer=TrainingRecordSchema, changes_version=True
)
def withdraw_training(tx: Connection, training_id: str, given: dict[str, Any], version: int) -> Answer:
    """Count a training no longer, as if it had not taken place. It is kept, with the reason."""
    training = _held(tx, training_id, version)
    by, at = current_principal().name, clock.now()
    after = trainings.withdraw_training(tx, training, reason=given["reason"], by=by, at=at)
    return _answer(tx, after)
