"""Where people are written to, who gets a body's digest, and a body's own words. Private: for staff alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

from sqlalchemy import Connection

from registry.delivery.mail import mail_address
from registry.domain.notices import TemplateKind
from registry.errors import Conflict, Invalid, NotFound, Stale
from registry.store import contacts as store
from registry.store import notices
from registry.store.contacts import Contact, Recipient
from registry.store.contacts import Wording as KeptWording
from registry.store.records import Body, Person

from .notice_texts import (
    BUILT_IN,
    Told,
    Wording,
    Written,
    check_wording,
    write,
)
from .people import refuse_erased, refuse_merged

TOKEN_BYTES = 24
EXAMPLE_DAY = date(2026, 9, 30)
MOST_RECIPIENTS = 50


@dataclass(frozen=True, slots=True)
class Words:
    """What a body says in a notice in a language: its own words, or the built-in ones (version 0)."""

    kind: TemplateKind
    language: str
    wording: Wording
    version: int

    @property
    def own(self) -> bool:
        """Whether they are the body's own."""
        return self.version > 0


def checked_address(email: str) -> str:
    """:raises registry.errors.Invalid: nothing can be sent to it."""
    try:
        return mail_address(email)
    except ValueError as error:
        raise Invalid.at("/email", f"Give a mail address: {error}.") from error


def put_contact(
    tx: Connection,
    person: Person,
    email: str,
    language: str | None,
    *,
    version: int,
    by: str,
    at: datetime,
) -> Contact:
    """Keep where a person is written to. What reached them nowhere and is still due is sent there.

    :param version: of what is replaced; 0 where there is nothing yet.
    :raises registry.errors.Invalid: it is no mail address.
    :raises registry.errors.Stale: somebody was faster.
    :raises registry.errors.Conflict: the person was merged into another.
    """
    refuse_merged(person)
    refuse_erased(person)
    address = checked_address(email)
    known = store.find_contact(tx, person.id)
    if (0 if known is None else known.version) != version:
        raise Stale("This address was changed by someone else in the meantime; read it again.")
    kept = store.write_contact(tx, person.id, address, language, version=version or None, by=by, at=at)
    if known is None or known.email != address:
        notices.queue_again(tx, [person.id], at=at)
    return kept


def forget_contact(tx: Connection, practitioner_id: str, version: int) -> None:
    """Forget where a person is written to.

    :raises registry.errors.Stale: somebody was faster.
    """
    if version and not store.delete_contact(tx, practitioner_id, version):
        raise Stale("This address was changed by someone else in the meantime; read it again.")


def add_recipient(
    tx: Connection, body: Body, email: str, language: str | None, *, by: str, at: datetime
) -> Recipient:
    """Let somebody get a body's digest.

    :raises registry.errors.Conflict: they get it already, or there are too many.
    :raises registry.errors.Invalid: it is no mail address.
    """
    address = checked_address(email)
    known = store.recipients_of(tx, body.id)
    if any(each.email == address for each in known):
        raise Conflict("The digest is sent there already.")
    if len(known) >= MOST_RECIPIENTS:
        raise Conflict(f"A digest is sent to {MOST_RECIPIENTS} addresses at most.")
    return store.add_recipient(
        tx, body.id, address, language, secrets.token_urlsafe(TOKEN_BYTES), by=by, at=at
    )


def remove_recipient(tx: Connection, recipient: Recipient) -> None:
    """Send somebody no more digests."""
    store.delete_recipient(tx, recipient.id)


def get_recipient(connection: Connection, recipient_id: str) -> Recipient:
    """Who gets a digest.

    :raises registry.errors.NotFound: nobody is kept under this identifier.
    """
    found = store.find_recipient(connection, recipient_id)
    if found is None:
        raise NotFound(f"No recipient of a digest is kept under the identifier {recipient_id}.")
    return found


def unsubscribe(tx: Connection, token: str) -> Recipient | None:
    """End the digests that name this token; ``None`` where that was done before, or there never were any."""
    found = store.recipient_with(tx, token)
    if found is not None:
        store.delete_recipient(tx, found.id)
    return found


def list_words(connection: Connection, body: Body) -> list[Words]:
    """All that a body says, in every language that it or the register has words in."""
    own = {
        (TemplateKind(each.kind), each.language): _words(each)
        for each in store.wordings_of(connection, body.id)
    }
    built_in = {key: Words(*key, wording, 0) for key, wording in BUILT_IN.items()}
    found = built_in | own
    return [found[key] for key in sorted(found)]


def get_words(connection: Connection, body: Body, kind: TemplateKind, language: str) -> Words:
    """What a body says in one notice in one language.

    :raises registry.errors.NotFound: nothing, in this language.
    """
    own = store.find_wording(connection, body.id, kind, language)
    if own is not None:
        return _words(own)
    if (kind, language) not in BUILT_IN:
        raise NotFound(f"There are no words for this notice in {language}.")
    return Words(kind, language, BUILT_IN[kind, language], 0)


def _words(kept: KeptWording) -> Words:
    return Words(TemplateKind(kept.kind), kept.language, Wording(kept.subject, kept.text), kept.version)


def put_words(
    tx: Connection,
    body: Body,
    kind: TemplateKind,
    language: str,
    wording: Wording,
    *,
    version: int,
    by: str,
    at: datetime,
) -> Words:
    """Let a body say something in its own words.

    :param version: of its words until now; 0 where it has none of its own.
    :raises registry.errors.Invalid: they hold what is no placeholder.
    :raises registry.errors.Stale: somebody was faster.
    """
    check_wording(kind, wording)
    known = store.find_wording(tx, body.id, kind, language)
    if (known.version if known else 0) != version:
        raise Stale("These words were changed by someone else in the meantime; read them again.")
    kept = KeptWording(body.id, kind, language, wording.subject, wording.text, version + 1, at, by)
    store.write_wording(tx, kept)
    return get_words(tx, body, kind, language)


def drop_words(tx: Connection, body: Body, kind: TemplateKind, language: str, *, version: int) -> None:
    """Go back to the built-in words.

    :raises registry.errors.NotFound: the body has none of its own.
    :raises registry.errors.Stale: somebody was faster.
    """
    known = store.find_wording(tx, body.id, kind, language)
    if known is None:
        raise NotFound("The body has no words of its own for this notice in this language.")
    if known.version != version or not store.delete_wording(tx, known):
        raise Stale("These words were changed by someone else in the meantime; read them again.")


def preview_words(body: Body, kind: TemplateKind, language: str, wording: Wording, base: str) -> Written:
    """How a notice would look in these words, to somebody invented.

    :param base: the address of the register.
    :raises registry.errors.Invalid: they hold what is no placeholder.
    """
    check_wording(kind, wording)
    told = Told(
        "Ana Ito",
        "PT-10442",
        body.name,
        link_to(base, body.code, "PT-10442"),
        is_authorization=False,
        days={"last_day": EXAMPLE_DAY, "first_day": EXAMPLE_DAY},
        days_left=30,
    )
    return write(wording, language, told)


def link_to(base: str, code: str, number: str) -> str:
    """The page that says how a registration stands."""
    return f"{base}/check/{quote(code, safe='')}/{quote(number, safe='')}"
