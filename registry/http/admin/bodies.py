"""Regulatory bodies, kept by operators; and their rules, which their registrars may add to."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import url_for
from sqlalchemy import Connection

from registry import clock
from registry.http.access import current_principal, require_body
from registry.http.answers import Answer
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.disclosure import shown_body
from registry.http.fields import (
    BodyCode,
    Flag,
    HttpsAddress,
    Id,
    Integer,
    Jurisdiction,
    List,
    Nested,
    RequestSchema,
    Text,
    TimeZone,
)
from registry.http.operations import Blueprint
from registry.http.schemas import BodySchema
from registry.services import bodies
from registry.services.bodies import BodyFacts
from registry.store.bodies import list_rules
from registry.store.records import Body

from .asked import require_version
from .people_schemas import AmendmentSchema, reason_field
from .rules_schemas import NewRulesSchema, RulesSchema, in_order, shown_rules
from .shown import shown_amendments

blueprint = Blueprint("body_records", __name__, url_prefix="/v1/admin/bodies", description="Bodies and rules")
PUBLISHES_TRAINING = {"description": "Whether entries show completed training."}
PUBLISHES_FORMER = {"description": "Whether former names are shown, and find a person."}


class BodyChangeSchema(RequestSchema):
    """What is to be changed of a body; what is absent stays as it is. The code is never changed."""

    name = Text(200)
    jurisdiction = Jurisdiction()
    time_zone = TimeZone(attribute="zone")
    website = HttpsAddress(allow_none=True)
    publishes_training = Flag(metadata=PUBLISHES_TRAINING)
    publishes_former_names = Flag(metadata=PUBLISHES_FORMER)
    reason = reason_field()

    @ma.validates_schema
    def says_what(self, data: dict[str, Any], **_: Any) -> None:
        """Something is changed."""
        if not data.keys() - {"reason"}:
            raise ma.ValidationError("Give what is to be changed.")


class NewBodySchema(RequestSchema):
    """A body to be taken into the register."""

    code = BodyCode(required=True)
    name = Text(200, required=True)
    jurisdiction = Jurisdiction(required=True)
    time_zone = TimeZone(
        required=True, attribute="zone", metadata={"description": "The body's days begin and end in it."}
    )
    website = HttpsAddress(allow_none=True, load_default=None)
    publishes_training = Flag(load_default=False, metadata=PUBLISHES_TRAINING)
    publishes_former_names = Flag(load_default=False, metadata=PUBLISHES_FORMER)

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> BodyFacts:
        """What is said of the body."""
        return BodyFacts(**data)


class BodyRecordSchema(BodySchema):
    """All that is kept of a body, but for its rules."""

    id = Id()
    publishes_training = Flag()
    publishes_former_names = Flag()
    version = Integer()
    amendments = List(Nested(AmendmentSchema))


def _answer(tx: Connection, body: Body) -> Answer:
    kept = {name: getattr(body, name) for name in ("id", "publishes_training", "publishes_former_names")}
    value = {**shown_body(body), **kept, "version": body.version}
    value["amendments"] = shown_amendments(tx, body.id)
    location = url_for("body_records.get_body_record", code=body.code)
    return Answer(value, version=body.version, location=location)


def _own(tx: Connection, code: str, version: int | None = None) -> Body:
    body = bodies.get_body(tx, code)
    require_body(body.id)
    if version is not None:
        require_version(body, version)
    return body


@blueprint.operation("POST", "", body=NewBodySchema, answer=BodyRecordSchema, status=201)
def create_body(tx: Connection, given: BodyFacts) -> Answer:
    """Take a body into the register. It authorizes nobody until its rules are recorded."""
    return _answer(tx, bodies.create_body(tx, given, at=clock.now()))


@blueprint.operation("GET", "/<code:code>", answer=BodyRecordSchema)
def get_body_record(tx: Connection, code: str) -> Answer:
    """Show all that is kept of a body, but for its rules."""
    return _answer(tx, _own(tx, code))


@blueprint.operation(
    "PATCH", "/<code:code>", body=BodyChangeSchema, answer=BodyRecordSchema, changes_version=True
)
def change_body(tx: Connection, code: str, given: dict[str, Any], version: int) -> Answer:
    """Change what is said of a body, and every entry that shows it."""
    reason = given.pop("reason", None)
    kept, by, at = _own(tx, code, version), current_principal().name, clock.now()
    return _answer(tx, bodies.change_body(tx, kept, given, by=by, at=at, reason=reason))


@blueprint.operation(
    "POST",
    "/<code:code>/rules",
    body=NewRulesSchema,
    answer=RulesSchema,
    status=201,
    changes_version=True,
)
def add_rules(tx: Connection, code: str, given: dict[str, Any], version: int) -> Answer:
    """Add a version of a body's rules; earlier ones are kept. Send the version of the body.

    Every registration of the body is derived anew by it, in the same transaction.
    """
    kept, by, at = _own(tx, code, version), current_principal().name, clock.now()
    added = bodies.add_rules(tx, kept, given["rules"], by=by, at=at, reason=given["reason"])
    location = url_for("body_records.list_rules_of_body", code=code)
    return Answer(shown_rules(added), version=bodies.get_body(tx, code).version, location=location)


@blueprint.operation("GET", "/<code:code>/rules", query=PageQuery, answer=page_schema(RulesSchema))
def list_rules_of_body(tx: Connection, code: str, query: dict[str, Any]) -> Answer:
    """List every version of a body's rules, in the order in which they were recorded."""
    kept, after = _own(tx, code), position(query, str)
    versions = list_rules(tx, kept.id)
    found = in_order(versions, after[0] if after else None, query["limit"] + 1)
    return page_of(query, [shown_rules(version) for version in found], lambda version: [version["id"]])
