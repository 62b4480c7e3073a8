"""Courses, and the days through which their body approves them."""

from __future__ import annotations

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
    Id,
    Instant,
    Integer,
    List,
    Nested,
    RequestSchema,
    ResponseSchema,
    SetOf,
    Text,
    Word,
)
from registry.http.operations import Blueprint
from registry.services import courses
from registry.services.bodies import get_body
from registry.store.courses import Course, list_courses
from registry.store.records import Body

from .asked import require_version
from .people_schemas import reason_field

blueprint = Blueprint("courses", __name__, url_prefix="/v1/admin", description="Courses")
COURSE = "/courses/<id:course_id>"


class NewApprovalSchema(RequestSchema):
    """Days through which a course is approved, inclusive at both ends."""

    first_day = Date(required=True)
    last_day = Date(load_default=None, allow_none=True, metadata={"description": "Null: until it is ended."})


class ApprovalEndSchema(RequestSchema):
    """The last day of an approval."""

    last_day = Date(required=True)
    reason = reason_field()


class NewCourseSchema(RequestSchema):
    """A course to be kept."""

    title = Text(200, required=True)
    provider = Text(200, required=True)
    techniques = SetOf(Word(Technique), least=1, required=True)
    approvals = List(Nested(NewApprovalSchema), most=50, load_default=list)

    @ma.post_load
    def made(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Approvals as first and last days."""
        periods = [(approval["first_day"], approval["last_day"]) for approval in data["approvals"]]
        return {**data, "approvals": periods}


class CourseChangeSchema(RequestSchema):
    """What is to be corrected of a course; what is absent stays as it is."""

    title = Text(200)
    provider = Text(200)
    techniques = SetOf(Word(Technique), least=1)
    reason = reason_field()

    @ma.validates_schema
    def says_what(self, data: dict[str, Any], **_: Any) -> None:
        """Something is corrected."""
        if not data.keys() & {"title", "provider", "techniques"}:
            raise ma.ValidationError("Give title, provider or techniques.")


class ApprovalSchema(ResponseSchema):
    """Days through which a course is approved."""

    id = Id()
    first_day = Date()
    last_day = Date(allow_none=True)
    recorded_at = Instant()
    recorded_by = Text()


class CourseSchema(ResponseSchema):
    """A course, with every period of its approval."""

    id = Id()
    body = BodyCode()
    title = Text(200)
    provider = Text(200)
    techniques = SetOf(Word(Technique))
    version = Integer()
    created_at = Instant()
    approvals = List(Nested(ApprovalSchema))


def _shown(course: Course, body: Body) -> dict[str, Any]:
    fields = ("id", "title", "provider", "techniques", "version", "created_at", "approvals")
    return {"body": body.code, **{name: getattr(course, name) for name in fields}}


def _answer(course: Course, body: Body) -> Answer:
    location = url_for("courses.get_course", course_id=course.id)
    return Answer(_shown(course, body), version=course.version, location=location)


def _held(tx: Connection, course_id: str, version: int | None = None) -> tuple[Course, Body]:
    course = courses.get_course(tx, course_id)
    require_body(course.body_id)
    if version is not None:
        require_version(course, version)
    return course, get_body(tx, course.body_id)


def _own(tx: Connection, code: str) -> Body:
    body = get_body(tx, code)
    require_body(body.id)
    return body


@blueprint.operation(
    "POST", "/bodies/<code:code>/courses", body=NewCourseSchema, answer=CourseSchema, status=201
)
def create_course(tx: Connection, code: str, given: dict[str, Any]) -> Answer:
    """Take a course into a body's list."""
    keeper = _own(tx, code)
    return _answer(
        courses.add_course(tx, keeper, **given, by=current_principal().name, at=clock.now()), keeper
    )


@blueprint.operation("GET", "/bodies/<code:code>/courses", query=PageQuery, answer=page_schema(CourseSchema))
def list_courses_of_body(tx: Connection, code: str, query: dict[str, Any]) -> Answer:
    """List a body's courses, in the order in which they were recorded."""
    keeper, after = _own(tx, code), position(query, str)
    found = list_courses(tx, keeper.id, after=after[0] if after else None, limit=query["limit"] + 1)
    return page_of(query, [_shown(course, keeper) for course in found], lambda course: [course["id"]])


@blueprint.operation("GET", COURSE, answer=CourseSchema)
def get_course(tx: Connection, course_id: str) -> Answer:
    """Show a course."""
    return _answer(*_held(tx, course_id))


@blueprint.operation("PATCH", COURSE, body=CourseChangeSchema, answer=CourseSchema, changes_version=True)
def change_course(tx: Connection, course_id: str, given: dict[str, Any], version: int) -> Answer:
    """Correct what is said of a course. Trainings keep what was recorded of them."""
    course, body = _held(tx, course_id, version)
    reason = given.pop("reason", None)
    by, at = current_principal().name, clock.now()
    return _answer(courses.change_course(tx, course, given, by=by, at=at, reason=reason), body)


@blueprint.operation(
    "POST",
    f"{COURSE}/approvals",
    body=NewApprovalSchema,
    answer=CourseSchema,
    status=201,
    changes_version=True,
)
def approve_course(tx: Connection, course_id: str, given: dict[str, Any], version: int) -> Answer:
    """Approve a course through a run of days; the training of all who took it is counted anew."""
    course, body = _held(tx, course_id, version)
    by, at = current_principal().name, clock.now()
    return _answer(courses.approve_course(tx, course, **given, by=by, at=at), body)


@blueprint.operation(
    "PATCH",
    f"{COURSE}/approvals/<id:approval_id>",
    body=ApprovalEndSchema,
    answer=CourseSchema,
    changes_version=True,
)
def end_approval(
    tx: Connection, course_id: str, approval_id: str, given: dict[str, Any], version: int
) -> Answer:
    """Set the last day of an approval; the training of all who took the course is counted anew."""
    course, body = _held(tx, course_id, version)
    by, at = current_principal().name, clock.now()
    after = courses.end_approval(
        tx, course, approval_id, given["last_day"], reason=given.get("reason"), by=by, at=at
    )
    return _answer(after, body)
