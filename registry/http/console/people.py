"""What registrars record of people by hand: who they are, where they are registered, what they learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from flask import request
from sqlalchemy import Connection

from registry import clock
from registry.errors import Invalid
from registry.http.access import current_principal, require_body
from registry.http.admin.asked import require_say, require_sight, require_version
from registry.http.admin.courses import CourseChangeSchema, NewApprovalSchema, NewCourseSchema
from registry.http.admin.decision_schemas import NewRegistrationSchema
from registry.http.admin.people_schemas import (
    NewPractitionerSchema,
    PractitionerChangeSchema,
    WithdrawalSchema,
)
from registry.http.admin.registration_schemas import CorrectionSchema
from registry.http.admin.registrations import held_record
from registry.http.admin.trainings import NewTrainingSchema, TrainingChangeSchema
from registry.http.auditing import sees_withheld
from registry.http.fields import RequestSchema
from registry.http.requests import load
from registry.services import courses, people, registrations, trainings
from registry.services.bodies import get_body
from registry.services.people import PersonChange
from registry.store.courses import Course, list_courses
from registry.store.records import Body, Person
from registry.store.trainings import FACTS, KeptTraining

from .asking import Asked, Form, Widget, document_of, form_of, loaded, merged
from .bodies import working_body
from .forms import current_form
from .pages import Done, Shown, action, done, page, show
from .person import name_of
from .rendering import link

OF_TRAINING = tuple(name for name in NewTrainingSchema().fields if name != "body")
MOST_COURSES = 500


def _typed(
    schema: RequestSchema, names: Sequence[str], known: Mapping[str, Any] | None = None, **more: Any
) -> Form:
    """A form as it is at first; or again, with what was typed and what is wrong."""
    refused = current_form()
    if not refused.has_failed:
        return form_of(schema, names, None, known)
    form, _ = loaded(form_of(schema, names, request.form), schema, more)
    return merged(form, refused.errors)


def _given(schema: RequestSchema, names: Sequence[str], **more: Any) -> Any:
    """What was typed, as the API would understand it.

    :raises registry.errors.Invalid: it cannot be right.
    """
    return load(schema, {**document_of(form_of(schema, names, request.form), schema), **more}, "json")


def _version() -> int:
    given = request.form.get("version", "")
    if not given.isdecimal() or len(given) > 9:
        raise Invalid("The form does not say from which version of the record it was made.")
    return int(given)


def _asking(
    title: str, asked: Form, to: str, up: tuple[str, str], *, button: str, about: str = "", **more: Any
) -> Shown:
    shown = {"title": title, "asked": asked, "to": to, "up": up, "button": button, "about": about}
    return show("record.html", **{"version": None, "recorded_now": (), **shown, **more})


# ---- who they are ----

NAMES_AND_LANGUAGES = ("names", "languages")
OF_CHANGE = ("names", "previous_becomes", "languages", "reason")


@page("/people/new")
def console_new_person(tx: Connection) -> Shown:
    """Take a physiotherapist into the register."""
    working_body(tx)
    at_first = {"names": [{"kind": "published"}]}
    asked = _typed(NewPractitionerSchema(), NAMES_AND_LANGUAGES, at_first)
    return _asking(
        "Take somebody in",
        asked,
        link("console_add_person"),
        (link("console_search"), "Search"),
        button="Take in",
        about="Search first: who is registered elsewhere is the same person, and needs no second record.",
    )


@action("/people/new", again=console_new_person)
def console_add_person(tx: Connection) -> Done:
    """Take a physiotherapist into the register."""
    given = _given(NewPractitionerSchema(), NAMES_AND_LANGUAGES)
    person = people.add_person(tx, **given, by=current_principal().name, at=clock.now())
    return done("Taken in.", "console_person", practitioner_id=person.id)


def _person(tx: Connection, practitioner_id: str) -> Person:
    person = people.get_person(tx, practitioner_id)
    require_say(tx, practitioner_id)
    sees_withheld(person.id, withheld=person.withheld)
    return person


def _up(person: Person) -> tuple[str, str]:
    return link("console_person", practitioner_id=person.id), name_of(person)


@page("/people/<id:practitioner_id>/names")
def console_edit_person(tx: Connection, practitioner_id: str) -> Shown:
    """Change somebody's names or languages."""
    person = _person(tx, practitioner_id)
    parts = ("kind", "full_name", "given", "family")
    names = [{part: getattr(name, part) for part in parts} for name in person.names]
    known = {"names": names, "languages": person.languages}
    return _asking(
        "Names and languages",
        _typed(PractitionerChangeSchema(), OF_CHANGE, known),
        link("console_change_person", practitioner_id=person.id),
        _up(person),
        button="Record",
        about="All names in use from now on. One that is left out is ended, not deleted.",
        version=person.version,
        recorded_now=[f"{name.kind.value}: {name.full_name}" for name in person.names],
    )


@action("/people/<id:practitioner_id>/names", again=console_edit_person)
def console_change_person(tx: Connection, practitioner_id: str) -> Done:
    """Change somebody's names or languages."""
    person = _person(tx, practitioner_id)
    require_version(person, _version())
    change = PersonChange(**_given(PractitionerChangeSchema(), OF_CHANGE))
    people.change_person(tx, person, change, by=current_principal().name, at=clock.now())
    return done("The names are recorded.", "console_person", practitioner_id=person.id)


# ---- where they are registered ----

OF_REGISTRATION = (
    "number",
    "city",
    "effective_on",
    "through",
    "register_class",
    "conditions",
    "reason",
    "private_note",
)


@page("/people/<id:practitioner_id>/registrations/new")
def console_new_registration(tx: Connection, practitioner_id: str) -> Shown:
    """Open a registration with the body at hand."""
    body = working_body(tx)
    person = people.get_person(tx, practitioner_id)
    require_sight(tx, practitioner_id)
    sees_withheld(person.id, withheld=person.withheld)
    return _asking(
        f"Register {name_of(person)}",
        _typed(NewRegistrationSchema(), OF_REGISTRATION, practitioner=person.id),
        link("console_add_registration", practitioner_id=person.id),
        _up(person),
        button="Register",
        about=f"With {body.name}, by a first grant.",
    )


@action("/people/<id:practitioner_id>/registrations/new", again=console_new_registration)
def console_add_registration(tx: Connection, practitioner_id: str) -> Done:
    """Open a registration with the body at hand."""
    body = working_body(tx)
    require_sight(tx, practitioner_id)
    given = _given(NewRegistrationSchema(), OF_REGISTRATION, practitioner=practitioner_id)
    change = registrations.register(tx, body, **given, by=current_principal().name, at=clock.now())
    return done(f"Registered as {change.after.number}.", "console_person", practitioner_id=practitioner_id)


OF_CORRECTION = tuple(CorrectionSchema().fields)


@page("/registrations/<id:registration_id>/correct")
def console_edit_registration(tx: Connection, registration_id: str) -> Shown:
    """Correct a registration's number or city."""
    record = held_record(tx, registration_id)
    sees_withheld(record.person.id, withheld=record.person.withheld)
    known = {"number": record.number, "city": record.city}
    return _asking(
        "Number and city",
        _typed(CorrectionSchema(), OF_CORRECTION, known),
        link("console_correct_registration", registration_id=record.id),
        _up(record.person),
        button="Correct",
        about="As they should have been. What was decided is never changed.",
        version=record.version,
        recorded_now=[f"number: {record.number}", f"city: {record.city or 'none'}"],
    )


@action("/registrations/<id:registration_id>/correct", again=console_edit_registration)
def console_correct_registration(tx: Connection, registration_id: str) -> Done:
    """Correct a registration's number or city."""
    record = held_record(tx, registration_id, _version())
    city = request.form.get("city", "").strip() or None
    given = _given(CorrectionSchema(), OF_CORRECTION, city=city)
    correction = {"number": None, "city": record.city, **given}
    registrations.correct(tx, record, **correction, by=current_principal().name, at=clock.now())
    return done("Corrected.", "console_person", practitioner_id=record.person.id)


# ---- what they learned ----


def _with_courses(tx: Connection, form: Form, body: Body) -> Form:
    """The course is chosen by its title."""
    kept = list_courses(tx, body.id, after=None, limit=MOST_COURSES)
    options = [("", "–"), *((course.id, f"{course.title} ({course.provider})") for course in kept)]

    def chosen(one: Asked) -> Asked:
        return replace(one, widget=Widget.CHOICE, options=options) if one.name == "course_id" else one

    return Form([chosen(one) for one in form.fields], form.problems)


@page("/people/<id:practitioner_id>/trainings/new")
def console_new_training(tx: Connection, practitioner_id: str) -> Shown:
    """Record a training of somebody."""
    body, person = working_body(tx), _person(tx, practitioner_id)
    return _asking(
        "Add a training",
        _with_courses(tx, _typed(NewTrainingSchema(), OF_TRAINING, body=body.code), body),
        link("console_add_training", practitioner_id=person.id),
        _up(person),
        button="Record",
        about="It counts for every registration of the person. "
        "Title, provider and techniques are the course’s, if left empty.",
    )


@action("/people/<id:practitioner_id>/trainings/new", again=console_new_training)
def console_add_training(tx: Connection, practitioner_id: str) -> Done:
    """Record a training of somebody."""
    body, person = working_body(tx), _person(tx, practitioner_id)
    require_body(body.id)
    given = _given(NewTrainingSchema(), OF_TRAINING, body=body.code)
    facts = trainings.described_by_course(tx, given["facts"])
    trainings.add_training(tx, person, body, facts, by=current_principal().name, at=clock.now())
    return done("The training is recorded.", "console_person", practitioner_id=person.id)


OF_TRAINING_CHANGE = tuple(TrainingChangeSchema().fields)


def _training(tx: Connection, training_id: str, version: int | None = None) -> KeptTraining:
    training = trainings.get_training(tx, training_id)
    require_body(training.body_id)
    if version is not None:
        require_version(training, version)
    return training


@page("/trainings/<id:training_id>")
def console_edit_training(tx: Connection, training_id: str) -> Shown:
    """Correct a training, or count it no longer."""
    training = _training(tx, training_id)
    person = _person(tx, training.practitioner_id)
    facts = asdict(training.facts)
    body = get_body(tx, training.body_id)
    form = _typed(
        TrainingChangeSchema(), OF_TRAINING_CHANGE, {**facts, "techniques": training.facts.techniques}
    )
    return _asking(
        training.facts.title,
        _with_courses(tx, form, body),
        link("console_change_training", training_id=training.id),
        _up(person),
        button="Correct",
        version=training.version,
        recorded_now=[f"{name.replace('_', ' ')}: {facts[name]}" for name in FACTS if name != "techniques"],
        withdraw=link("console_withdraw_training", training_id=training.id),
    )


@action("/trainings/<id:training_id>", again=console_edit_training)
def console_change_training(tx: Connection, training_id: str) -> Done:
    """Correct what is recorded of a training."""
    training = _training(tx, training_id, _version())
    given = _given(TrainingChangeSchema(), OF_TRAINING_CHANGE)
    reason = given.pop("reason", None)
    body = get_body(tx, training.body_id)
    by, at = current_principal().name, clock.now()
    facts = replace(training.facts, **given)
    trainings.change_training(tx, training, facts, body=body, by=by, at=at, reason=reason)
    return done("The training is corrected.", "console_person", practitioner_id=training.practitioner_id)


@action("/trainings/<id:training_id>/withdraw", again=console_edit_training)
def console_withdraw_training(tx: Connection, training_id: str) -> Done:
    """Count a training no longer, as if it had not taken place."""
    training = _training(tx, training_id, _version())
    reason = load(WithdrawalSchema(), _only("reason"), "json")["reason"]
    trainings.withdraw_training(tx, training, reason=reason, by=current_principal().name, at=clock.now())
    return done("The training counts no longer.", "console_person", practitioner_id=training.practitioner_id)


def _only(name: str) -> dict[str, str]:
    """One field of what was typed, if it was filled in."""
    given = request.form.get(name, "")
    return {name: given} if given.strip() else {}


# ---- courses ----

OF_COURSE = tuple(NewCourseSchema().fields)
OF_COURSE_CHANGE = tuple(CourseChangeSchema().fields)
OF_APPROVAL = tuple(NewApprovalSchema().fields)


@page("/courses")
def console_courses(tx: Connection) -> Shown:
    """The courses of the body at hand."""
    body = working_body(tx)
    return show("courses.html", body=body, courses=list_courses(tx, body.id, after=None, limit=MOST_COURSES))


@page("/courses/new")
def console_new_course(tx: Connection) -> Shown:
    """Keep a course."""
    working_body(tx)
    return _asking(
        "Keep a course",
        _typed(NewCourseSchema(), OF_COURSE),
        link("console_add_course"),
        (link("console_courses"), "Courses"),
        button="Keep",
    )


@action("/courses/new", again=console_new_course)
def console_add_course(tx: Connection) -> Done:
    """Keep a course."""
    body = working_body(tx)
    given = _given(NewCourseSchema(), OF_COURSE)
    courses.add_course(tx, body, **given, by=current_principal().name, at=clock.now())
    return done("The course is kept.", "console_courses")


def _course(tx: Connection, course_id: str, version: int | None = None) -> Course:
    course = courses.get_course(tx, course_id)
    require_body(course.body_id)
    if version is not None:
        require_version(course, version)
    return course


@page("/courses/<id:course_id>")
def console_edit_course(tx: Connection, course_id: str) -> Shown:
    """Correct a course, or approve it for some time."""
    course = _course(tx, course_id)
    known = {"title": course.title, "provider": course.provider, "techniques": course.techniques}
    return show(
        "course.html",
        course=course,
        asked=_typed(CourseChangeSchema(), OF_COURSE_CHANGE, known),
        approval=form_of(NewApprovalSchema(), OF_APPROVAL),
    )


@action("/courses/<id:course_id>", again=console_edit_course)
def console_change_course(tx: Connection, course_id: str) -> Done:
    """Correct a course."""
    course = _course(tx, course_id, _version())
    given = _given(CourseChangeSchema(), OF_COURSE_CHANGE)
    reason = given.pop("reason", None)
    courses.change_course(tx, course, given, by=current_principal().name, at=clock.now(), reason=reason)
    return done("The course is corrected.", "console_courses")


@action("/courses/<id:course_id>/approvals", again=console_edit_course)
def console_approve_course(tx: Connection, course_id: str) -> Done:
    """Approve a course for some time."""
    course = _course(tx, course_id, _version())
    given = _given(NewApprovalSchema(), OF_APPROVAL)
    courses.approve_course(tx, course, **given, by=current_principal().name, at=clock.now())
    return done("The course is approved.", "console_edit_course", course_id=course.id)
