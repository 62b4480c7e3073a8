"""Notices: where people are written to, what was sent and what came of it, a body's own words, its digest."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import Connection

from registry import clock
from registry.domain.notices import NOT_REACHED, NoticeKind, NoticeState, TemplateKind
from registry.errors import NotFound
from registry.http.access import current_principal, own_body, require_body
from registry.http.answers import Answer
from registry.http.auditing import sees_withheld
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Id,
    Instant,
    Integer,
    LanguageTag,
    List,
    MailAddress,
    Nested,
    RegistrationNumber,
    RequestSchema,
    ResponseSchema,
    Text,
    Word,
)
from registry.http.operations import Blueprint
from registry.services import contacts as service
from registry.services import people
from registry.services.bodies import get_body
from registry.services.contacts import Words
from registry.services.notice_texts import LONGEST_SUBJECT, LONGEST_TEXT, Wording
from registry.settings import Settings
from registry.store import contacts as store
from registry.store import notices
from registry.store.lapses import holders
from registry.store.notices import StoredNotice, Wanted
from registry.store.records import Body, find_body

from .asked import require_say

blueprint = Blueprint("notices", __name__, url_prefix="/v1/admin", description="Notices")

CONTACT = "/practitioners/<id:practitioner_id>/contact"
WORDS = "/bodies/<code:code>/notice-words"
WORDING = f"{WORDS}/<notice:notice>/<language:language>"
RECIPIENTS = "/bodies/<code:code>/digest-recipients"


class ContactSchema(ResponseSchema):
    """Where a person is written to. Private."""

    email = MailAddress(allow_none=True, metadata={"description": "Null where none is known."})
    language = LanguageTag(allow_none=True, metadata={"description": "Of correspondence."})
    changed_at = Instant(allow_none=True)
    changed_by = Text(allow_none=True)


class NewContactSchema(RequestSchema):
    """Where a person is to be written to."""

    email = MailAddress(required=True)
    language = LanguageTag(load_default=None, metadata={"description": "Of correspondence."})


NOWHERE = {"email": None, "language": None, "changed_at": None, "changed_by": None}


@blueprint.operation("GET", CONTACT, answer=ContactSchema)
def get_contact(tx: Connection, practitioner_id: str) -> Answer:
    """Show where a practitioner is written to."""
    require_say(tx, practitioner_id)
    return _contact(tx, practitioner_id)


def _contact(tx: Connection, practitioner_id: str) -> Answer:
    person = people.get_person(tx, practitioner_id)
    sees_withheld(person.id, withheld=person.withheld)
    kept = store.find_contact(tx, practitioner_id)
    return Answer(kept or NOWHERE, version=kept.version if kept else 0)


@blueprint.operation("PUT", CONTACT, body=NewContactSchema, answer=ContactSchema, changes_version=True)
def put_contact(tx: Connection, practitioner_id: str, given: dict[str, Any], version: int) -> Answer:
    """Keep where a practitioner is written to. What came back and is still due is sent there."""
    require_say(tx, practitioner_id)
    person = people.get_person(tx, practitioner_id)
    by, at = current_principal().name, clock.now()
    service.put_contact(tx, person, given["email"], given["language"], version=version, by=by, at=at)
    return _contact(tx, practitioner_id)


@blueprint.operation("DELETE", CONTACT, changes_version=True)
def delete_contact(tx: Connection, practitioner_id: str, version: int) -> None:
    """Forget where a practitioner is written to."""
    require_say(tx, practitioner_id)
    service.forget_contact(tx, practitioner_id, version)


class NoticesQuery(PageQuery):
    """Which messages."""

    body = BodyCode(load_default=None, metadata={"description": "Only those of this body."})
    state = Word(NoticeState, load_default=None)
    not_reached = Flag(
        load_default=False, metadata={"description": "Only those of which nobody can say that they arrived."}
    )
    registration = Id(load_default=None, metadata={"description": "Only those about this registration."})


class NoticeSchema(ResponseSchema):
    """A message, and what became of it. Neither its text nor an address is kept."""

    id = Id()
    body = BodyCode()
    kind = Word(NoticeKind)
    day = Date(
        metadata={"description": "The last day of a term, the first of a suspension, or the digest's."}
    )
    days_before = Integer(metadata={"description": "Its threshold; 0 where there is none."})
    registration_id = Id(allow_none=True, metadata={"description": "Null for a digest."})
    authorization_id = Id(allow_none=True, metadata={"description": "Null for one about a registration."})
    number = RegistrationNumber(allow_none=True)
    state = Word(NoticeState)
    attempts = Integer()
    failure = Text(allow_none=True, metadata={"description": "The codes of a mail server."})
    queued_at = Instant()
    settled_at = Instant(allow_none=True)


@blueprint.operation("GET", "/notices", query=NoticesQuery, answer=page_schema(NoticeSchema))
def list_notices(tx: Connection, query: dict[str, Any]) -> Answer:
    """List messages, the newest first: queued, sent, and those that reached nobody."""
    body = None if query["body"] is None else get_body(tx, query["body"])
    states = frozenset({query["state"]}) if query["state"] else None
    if query["not_reached"]:
        states = NOT_REACHED if states is None else states & NOT_REACHED
    wanted = Wanted(own_body(body.id if body else None), states, query["registration"])
    after = position(query, str)
    found = notices.page_of_notices(tx, wanted, after[0] if after else None, query["limit"] + 1)
    return page_of(query, _shown(tx, found), lambda shown: [shown["id"]])


def _shown(tx: Connection, found: list[StoredNotice]) -> list[dict[str, Any]]:
    held = holders(tx, {one.registration_id for one in found if one.registration_id is not None})
    bodies = {id_: find_body(tx, id_) for id_ in {one.body_id for one in found}}
    return [
        {
            "id": one.id,
            "body": bodies[one.body_id].code,  # type: ignore[union-attr]  # the row refers to it
            "kind": one.key.kind,
            "day": one.key.day,
            "days_before": one.key.threshold,
            "registration_id": one.registration_id,
            "authorization_id": one.authorization_id,
            "number": held[one.registration_id].number if one.registration_id else None,
            "state": one.state,
            "attempts": one.attempts,
            "failure": one.failure,
            "queued_at": one.queued_at,
            "settled_at": one.settled_at,
        }
        for one in found
    ]


class NewWordsSchema(RequestSchema):
    """A body's own words for a notice. What stands between `{{` and `}}` is filled in."""

    subject = Text(LONGEST_SUBJECT, required=True)
    text = Text(LONGEST_TEXT, lines=True, required=True)


class WordsSchema(ResponseSchema):
    """The words of a notice."""

    kind = Word(TemplateKind)
    language = LanguageTag()
    subject = Text(LONGEST_SUBJECT, attribute="wording.subject")
    text = Text(LONGEST_TEXT, lines=True, attribute="wording.text")
    own = Flag(metadata={"description": "Whether they are the body's own; else they are built in."})


class WordsListSchema(ResponseSchema):
    """All the words that a body uses."""

    items = List(Nested(WordsSchema))


class WrittenNoticeSchema(ResponseSchema):
    """A notice as somebody invented would get it."""

    subject = Text(1000)
    text = Text(LONGEST_TEXT * 2, lines=True)
    html = Text(LONGEST_TEXT * 4, lines=True)


def _own(tx: Connection, code: str) -> Body:
    body = get_body(tx, code)
    require_body(body.id)
    return body


def _answer(words: Words) -> Answer:
    return Answer(words, version=words.version)


@blueprint.operation("GET", WORDS, answer=WordsListSchema)
def list_notice_words(tx: Connection, code: str) -> dict[str, Any]:
    """List the words of a body's notices: its own, and those that are built in."""
    return {"items": service.list_words(tx, _own(tx, code))}


@blueprint.operation("GET", WORDING, answer=WordsSchema)
def get_notice_words(tx: Connection, code: str, notice: TemplateKind, language: str) -> Answer:
    """Show the words of a notice in a language."""
    return _answer(service.get_words(tx, _own(tx, code), notice, language))


@blueprint.operation("PUT", WORDING, body=NewWordsSchema, answer=WordsSchema, changes_version=True)
def put_notice_words(
    tx: Connection, code: str, notice: TemplateKind, language: str, given: dict[str, Any], version: int
) -> Answer:
    """Let a body use its own words in a notice."""
    body, by = _own(tx, code), current_principal().name
    words = Wording(**given)
    kept = service.put_words(tx, body, notice, language, words, version=version, by=by, at=clock.now())
    return _answer(kept)


@blueprint.operation("DELETE", WORDING, changes_version=True)
def delete_notice_words(tx: Connection, code: str, notice: TemplateKind, language: str, version: int) -> None:
    """Go back to the built-in words."""
    service.drop_words(tx, _own(tx, code), notice, language, version=version)


@blueprint.operation(
    "POST", f"{WORDING}/preview", body=NewWordsSchema, answer=WrittenNoticeSchema, reads_only=True
)
def preview_notice_words(
    tx: Connection, code: str, notice: TemplateKind, language: str, given: dict[str, Any]
) -> Any:
    """Show a notice as somebody invented would get it in these words."""
    settings: Settings = current_app.extensions["registry.settings"]
    body = _own(tx, code)
    return service.preview_words(body, notice, language, Wording(**given), settings.public_url)


class RecipientSchema(ResponseSchema):
    """Who gets a body's digest."""

    id = Id()
    email = MailAddress()
    language = LanguageTag(allow_none=True)
    added_at = Instant()
    added_by = Text()


class RecipientsSchema(ResponseSchema):
    """All who get a body's digest."""

    items = List(Nested(RecipientSchema))


class NewRecipientSchema(RequestSchema):
    """Who is to get a body's digest."""

    email = MailAddress(required=True)
    language = LanguageTag(load_default=None)


@blueprint.operation("GET", RECIPIENTS, answer=RecipientsSchema)
def list_digest_recipients(tx: Connection, code: str) -> dict[str, Any]:
    """List who gets a body's digest."""
    return {"items": store.recipients_of(tx, _own(tx, code).id)}


@blueprint.operation("POST", RECIPIENTS, body=NewRecipientSchema, answer=RecipientSchema, status=201)
def add_digest_recipient(tx: Connection, code: str, given: dict[str, Any]) -> Answer:
    """Send a body's digest to somebody each day on which there is something in it."""
    body, by = _own(tx, code), current_principal().name
    return Answer(service.add_recipient(tx, body, **given, by=by, at=clock.now()))


@blueprint.operation("DELETE", f"{RECIPIENTS}/<id:recipient_id>")
def remove_digest_recipient(tx: Connection, code: str, recipient_id: str) -> None:
    """Send somebody no more digests."""
    body = _own(tx, code)
    recipient = service.get_recipient(tx, recipient_id)
    if recipient.body_id != body.id:
        raise NotFound(f"No recipient of this body's digest is kept under {recipient_id}.")
    service.remove_recipient(tx, recipient)
