"""Privacy: whom the public finds, where they are written to, what is held about them, and erasing it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask import current_app
from sqlalchemy import Connection
from werkzeug import Response

from registry import clock
from registry.domain.names import number_key
from registry.errors import Forbidden, Invalid
from registry.http.access import current_principal, may_use
from registry.http.admin.asked import require_say, require_version
from registry.http.admin.privacy import export_for_subject
from registry.http.auditing import also_tell, sees_withheld
from registry.http.fields import LanguageTag, MailAddress, QuerySchema, RegistrationNumber, Text, Word
from registry.services import contacts as contact_service
from registry.services import people
from registry.services.erasure import ErasureBasis, erase_identity
from registry.services.people import PersonChange
from registry.services.principals import Role
from registry.services.retention import periods_of, what_would_go
from registry.store import contacts
from registry.store.people import held_registrations, list_names
from registry.store.records import find_registration, load_record

from .bodies import working_body
from .forms import FormSchema, Version
from .pages import Done, Shown, action, done, page, show

BASES: Mapping[ErasureBasis, str] = {
    ErasureBasis.REQUEST: "They asked for it",
    ErasureBasis.RETENTION: "It was kept for as long as it may be",
    ErasureBasis.COURT_ORDER: "A court ordered it",
}


class Answer(StrEnum):
    """Yes or no."""

    YES = "yes"
    NO = "no"


class FindQuery(QuerySchema):
    """Whose record."""

    number = RegistrationNumber(load_default=None)


@page("/privacy", query=FindQuery)
def console_privacy(tx: Connection, query: dict[str, Any]) -> Shown:
    """Find a record by its number; what is kept for a time alone, and what of it would go."""
    body, found = working_body(tx), None
    if query["number"] is not None:
        found = find_registration(tx, body.id, number_key(query["number"]))
    record = None if found is None else load_record(tx, found)
    if record is not None:
        sees_withheld(record.person.id, withheld=record.person.withheld)
    going = None
    if current_principal().role is Role.OPERATOR:
        periods = periods_of(current_app.extensions["registry.settings"])
        going = what_would_go(tx, periods, at=clock.now())
    return show("privacy.html", body=body, query=query, record=record, going=going)


@page("/privacy/<id:practitioner_id>")
def console_privacy_of(tx: Connection, practitioner_id: str) -> Shown:
    """What the public sees of somebody, and what is to be done about it."""
    person = people.get_person(tx, practitioner_id)
    require_say(tx, practitioner_id)
    sees_withheld(person.id, withheld=person.withheld)
    return show(
        "privacy_person.html",
        person=person,
        names=list_names(tx, person.id),
        registrations=held_registrations(tx, [person.id]).get(person.id, []),
        contact=contacts.find_contact(tx, person.id),
        wholly=_has_whole_say(tx, practitioner_id),
        bases=[(basis, BASES[basis]) for basis in ErasureBasis],
        may_erase=may_use("console_erase", current_principal()),
        may_export=may_use("console_export_subject", current_principal()),
        may_change=may_use("console_withhold", current_principal()),
    )


def _has_whole_say(tx: Connection, practitioner_id: str) -> bool:
    try:
        require_say(tx, practitioner_id, wholly=True)
    except Forbidden:
        return False
    return True


class WithholdSchema(FormSchema):
    """Whether the public sees somebody."""

    withheld = Word(Answer, required=True)
    reason = Text(2000, lines=True, required=True)
    version = Version()


@action("/privacy/<id:practitioner_id>/withhold", form=WithholdSchema, again=console_privacy_of)
def console_withhold(tx: Connection, practitioner_id: str, given: dict[str, Any]) -> Done:
    """Withhold a record, or release it."""
    withheld = given["withheld"] is Answer.YES
    require_say(tx, practitioner_id, wholly=not withheld)
    change = PersonChange(withheld=withheld, reason=given["reason"])
    _change(tx, practitioner_id, change, given["version"])
    told = "The public sees nobody there any more." if withheld else "The public sees the record again."
    return done(told, "console_privacy_of", practitioner_id=practitioner_id)


class FormerNamesSchema(FormSchema):
    """Whether former names are public."""

    shown = Word(Answer, required=True)
    version = Version()


@action("/privacy/<id:practitioner_id>/former-names", form=FormerNamesSchema, again=console_privacy_of)
def console_former_names(tx: Connection, practitioner_id: str, given: dict[str, Any]) -> Done:
    """Let former names be public where the body publishes such, or keep them private."""
    require_say(tx, practitioner_id)
    change = PersonChange(shows_former_names=given["shown"] is Answer.YES)
    _change(tx, practitioner_id, change, given["version"])
    return done("It is kept so.", "console_privacy_of", practitioner_id=practitioner_id)


def _change(tx: Connection, practitioner_id: str, change: PersonChange, version: int) -> None:
    person = people.get_person(tx, practitioner_id)
    require_version(person, version)
    people.change_person(tx, person, change, by=current_principal().name, at=clock.now())


class ContactSchema(FormSchema):
    """Where somebody is written to; without an address, nowhere."""

    email = MailAddress(load_default=None)
    language = LanguageTag(load_default=None)
    version = Version()


@action("/privacy/<id:practitioner_id>/contact", form=ContactSchema, again=console_privacy_of)
def console_contact(tx: Connection, practitioner_id: str, given: dict[str, Any]) -> Done:
    """Keep where somebody is written to, or forget it."""
    require_say(tx, practitioner_id)
    person, version = people.get_person(tx, practitioner_id), given["version"]
    if given["email"] is None:
        contact_service.forget_contact(tx, practitioner_id, version)
        return done("No address is kept any more.", "console_privacy_of", practitioner_id=practitioner_id)
    by, at, language = current_principal().name, clock.now(), given["language"]
    contact_service.put_contact(tx, person, given["email"], language, version=version, by=by, at=at)
    return done("The address is kept.", "console_privacy_of", practitioner_id=practitioner_id)


@page("/privacy/<id:practitioner_id>/record.zip")
def console_export_subject(tx: Connection, practitioner_id: str) -> Response:
    """Everything that is held about somebody, for them."""
    people.get_person(tx, practitioner_id)
    require_say(tx, practitioner_id, wholly=True)
    response: Response = export_for_subject(practitioner_id)
    return response


class EraseSchema(FormSchema):
    """That nothing is to be kept of who somebody is. The number is typed, so that nobody errs."""

    basis = Word(ErasureBasis, required=True)
    number = RegistrationNumber(required=True)
    version = Version()


@action("/privacy/<id:practitioner_id>/erase", form=EraseSchema, again=console_privacy_of)
def console_erase(tx: Connection, practitioner_id: str, given: dict[str, Any]) -> Done:
    """Erase who somebody is."""
    require_say(tx, practitioner_id, wholly=True)
    person = people.get_person(tx, practitioner_id)
    require_version(person, given["version"])
    held = held_registrations(tx, [person.id]).get(person.id, [])
    if number_key(given["number"]) not in {number_key(each.number) for each in held}:
        raise Invalid.at("/number", "Type a registration number of this person.")
    erased = erase_identity(tx, person, given["basis"], at=clock.now())
    also_tell(**erased.told)
    return done(
        f"Erased. What was decided is kept under {erased.pseudonym}.",
        "console_privacy_of",
        practitioner_id=practitioner_id,
    )
