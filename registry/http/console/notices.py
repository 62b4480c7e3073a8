"""Notices: what was sent and what came of it, a body's own words, and who gets its digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app
from sqlalchemy import Connection

from registry import clock
from registry.domain.localtime import local_date
from registry.domain.notices import NoticeKind, NoticeState, TemplateKind
from registry.errors import NotFound
from registry.http.access import current_principal, may_use
from registry.http.fields import Id, LanguageTag, MailAddress, QuerySchema, Text, Word
from registry.services import contacts as service
from registry.services.digests import who_was_not_reached
from registry.services.notice_texts import LONGEST_SUBJECT, LONGEST_TEXT, PLACEHOLDERS, Wording, Written
from registry.settings import Settings
from registry.store import contacts as store
from registry.store import notices
from registry.store.lapses import holders
from registry.store.notices import Wanted

from .bodies import working_body
from .forms import FormSchema, Version
from .pages import Done, Shown, action, done, page, show

ON_A_PAGE = 50
MOST_COUNTED = 10_000
NAMES: Mapping[TemplateKind, str] = {
    TemplateKind.TERM_ENDS: "A term ends",
    TemplateKind.ENDS_TODAY: "A term ends today",
    TemplateKind.SUSPENDED: "Suspended",
}
KINDS: Mapping[NoticeKind, str] = {
    NoticeKind.TERM_ENDS: "Before the end",
    NoticeKind.SUSPENDED: "Suspension",
    NoticeKind.DIGEST: "Digest",
}
STATES: Mapping[NoticeState, tuple[str, str]] = {
    NoticeState.QUEUED: ("To be sent", "quiet"),
    NoticeState.SENDING: ("Being sent", "quiet"),
    NoticeState.SENT: ("Sent", "yes"),
    NoticeState.NO_ADDRESS: ("No address known", "no"),
    NoticeState.REFUSED: ("Address refused", "no"),
    NoticeState.BOUNCED: ("Came back", "no"),
    NoticeState.PASSED_OVER: ("Not sent in time", "soon"),
    NoticeState.CANCELLED: ("Not due any more", "quiet"),
}
"""Each with its tone."""


class NoticesQuery(QuerySchema):
    """Which messages."""

    state = Word(NoticeState, load_default=None)
    before = Id(load_default=None)


@page("/notices", query=NoticesQuery)
def console_notices(tx: Connection, query: dict[str, Any]) -> Shown:
    """What was sent and what came of it; who was not reached."""
    body = working_body(tx)
    state = query["state"]
    wanted = Wanted(body.id, None if state is None else frozenset({state}))
    found = notices.page_of_notices(tx, wanted, query["before"], ON_A_PAGE + 1)
    shown = found[:ON_A_PAGE]
    numbers = holders(tx, {one.registration_id for one in shown if one.registration_id is not None})
    counted = notices.counts_of_body(tx, body.id)
    settings: Settings = current_app.extensions["registry.settings"]
    return show(
        "notices.html",
        body=body,
        query=query,
        shown=[(one, numbers.get(one.registration_id or "")) for one in shown],
        older=found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None,
        waiting=sum(counted.get(state, 0) for state in ("queued", "sending")),
        sent=counted.get(NoticeState.SENT, 0),
        not_reached=len(who_was_not_reached(tx, body, local_date(clock.now(), body.zone), MOST_COUNTED)),
        states=[(state, name) for state, (name, _) in STATES.items()],
        named=STATES,
        kinds=KINDS,
        words=service.list_words(tx, body),
        names=NAMES,
        recipients=store.recipients_of(tx, body.id),
        may_change=may_use("console_save_words", current_principal()),
        sends=bool(settings.mail_host),
    )


@page("/notices/words/<notice:notice>/<language:language>")
def console_notice_words(tx: Connection, notice: TemplateKind, language: str) -> Shown:
    """The words of a notice in a language."""
    return _words_page(tx, notice, language, None)


def _words_page(tx: Connection, notice: TemplateKind, language: str, preview: Written | None) -> Shown:
    body = working_body(tx)
    try:
        kept = service.get_words(tx, body, notice, language)
    except NotFound:
        kept = service.Words(notice, language, Wording("", ""), 0)
    return show(
        "notices_words.html",
        body=body,
        kept=kept,
        name=NAMES[notice],
        placeholders=sorted(PLACEHOLDERS[notice]),
        preview=preview,
        typed=None,
        may_change=may_use("console_save_words", current_principal()),
    )


class WordsSchema(FormSchema):
    """A body's own words."""

    subject = Text(LONGEST_SUBJECT, required=True)
    text = Text(LONGEST_TEXT, lines=True, required=True)
    version = Version()


@action(
    "/notices/words/<notice:notice>/<language:language>/preview",
    form=WordsSchema,
    again=console_notice_words,
    reads_only=True,
)
def console_preview_words(
    tx: Connection, notice: TemplateKind, language: str, given: dict[str, Any]
) -> Shown:
    """A notice as somebody invented would get it."""
    body = working_body(tx)
    settings: Settings = current_app.extensions["registry.settings"]
    words = Wording(given["subject"], given["text"])
    written = service.preview_words(body, notice, language, words, settings.public_url)
    shown = _words_page(tx, notice, language, written)
    return show(shown.template, **{**shown.context, "typed": words})


@action("/notices/words/<notice:notice>/<language:language>", form=WordsSchema, again=console_notice_words)
def console_save_words(tx: Connection, notice: TemplateKind, language: str, given: dict[str, Any]) -> Done:
    """Let the body use its own words."""
    words, by = Wording(given["subject"], given["text"]), current_principal().name
    body, at = working_body(tx), clock.now()
    service.put_words(tx, body, notice, language, words, version=given["version"], by=by, at=at)
    return done("The words are kept.", "console_notice_words", notice=notice, language=language)


class VersionSchema(FormSchema):
    """What was seen."""

    version = Version()


@action(
    "/notices/words/<notice:notice>/<language:language>/built-in",
    form=VersionSchema,
    again=console_notice_words,
)
def console_drop_words(tx: Connection, notice: TemplateKind, language: str, given: dict[str, Any]) -> Done:
    """Go back to the built-in words."""
    service.drop_words(tx, working_body(tx), notice, language, version=given["version"])
    return done("The built-in words hold again.", "console_notices")


class LanguageSchema(FormSchema):
    """Another language to word a notice in."""

    kind = Word(TemplateKind, required=True)
    language = LanguageTag(required=True)


@action("/notices/words", form=LanguageSchema, again=console_notices, reads_only=True)
def console_word_in_language(tx: Connection, given: dict[str, Any]) -> Shown:
    """Begin to word a notice in another language."""
    return _words_page(tx, given["kind"], given["language"], None)


class RecipientSchema(FormSchema):
    """Who is to get the digest."""

    email = MailAddress(required=True)


@action("/notices/recipients", form=RecipientSchema, again=console_notices)
def console_add_recipient(tx: Connection, given: dict[str, Any]) -> Done:
    """Send the digest to somebody."""
    by, at = current_principal().name, clock.now()
    service.add_recipient(tx, working_body(tx), given["email"], None, by=by, at=at)
    return done("The digest is sent there from now on.", "console_notices")


@action("/notices/recipients/<id:recipient_id>/remove", again=console_notices)
def console_remove_recipient(tx: Connection, recipient_id: str) -> Done:
    """Send somebody no more digests."""
    body, recipient = working_body(tx), service.get_recipient(tx, recipient_id)
    if recipient.body_id != body.id:
        raise NotFound("Nobody of this body's digest is kept there.")
    service.remove_recipient(tx, recipient)
    return done("No more digests are sent there.", "console_notices")
