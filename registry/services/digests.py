"""The digest: once a day, what those who keep a body's register must see to. Numbers, never names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from registry.delivery.mail import Letter
from registry.domain.localtime import local_date
from registry.domain.notices import THRESHOLDS
from registry.store import contacts
from registry.store import notices as store
from registry.store.digests import lapsing_between
from registry.store.lapses import holders
from registry.store.notices import StoredNotice
from registry.store.records import Body

from .notice_texts import as_html, day_in

MOST_LISTED = 50
DAYS_AHEAD = (7, 30, 60)
LOOKED_BACK = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Line:
    """A term of which nobody can say that its holder knows that it ends."""

    number: str
    day: date
    state: str


@dataclass(frozen=True, slots=True)
class Digest:
    """What a body's day brings to those who keep its register.

    :param lapsed: registrations and authorizations that lapsed today.
    :param lapsing: that will, within so many days from now.
    :param not_reached: terms whose holders were not reached; ``more``: how many are not listed.
    """

    today: date
    lapsed: int
    lapsing: tuple[tuple[int, int], ...]
    not_reached: tuple[Line, ...]
    more: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that cannot wait."""
        return not (self.lapsed or self.not_reached or self.lapsing[0][1])


def find_digest(connection: Connection, body: Body, today: date) -> Digest:
    """What a body's local day brings."""
    lapsed = lapsing_between(connection, body.id, today, today)
    tomorrow = today + timedelta(days=1)
    lapsing = tuple(
        (days, lapsing_between(connection, body.id, tomorrow, today + timedelta(days=days)))
        for days in DAYS_AHEAD
    )
    found = who_was_not_reached(connection, body, today, MOST_LISTED + 1)
    listed = tuple(_lines(connection, found[:MOST_LISTED]))
    return Digest(today, lapsed, lapsing, listed, len(found) > MOST_LISTED)


def who_was_not_reached(connection: Connection, body: Body, today: date, limit: int) -> list[StoredNotice]:
    """The notices nearest to the end of terms, and those of suspensions, that reached nobody.

    Of terms that end within the thresholds, and of what was two weeks ago at most: letters come back late.
    """
    first, last = today - LOOKED_BACK, today + timedelta(days=max(THRESHOLDS))
    return store.not_reached(connection, body.id, first, last, limit)


def _lines(connection: Connection, found: Sequence[StoredNotice]) -> list[Line]:
    ids = {one.registration_id for one in found if one.registration_id is not None}
    numbers = {id_: holder.number for id_, holder in holders(connection, ids).items()}
    return [Line(numbers[one.registration_id or ""], one.key.day, one.state.value) for one in found]


def write_digest(
    connection: Connection, body: Body, notice: StoredNotice, base: str, *, at: datetime
) -> Letter | None:
    """The letter; ``None`` where nothing is in it, or nobody gets it any more.

    :param base: the address of the register.
    """
    recipient = contacts.find_recipient(connection, notice.key.subject_id)
    if recipient is None:
        return None
    digest = find_digest(connection, body, local_date(at, body.zone))
    if digest.is_empty:
        return None
    language = (recipient.language or "en").partition("-")[0]
    words = WORDS.get(language, WORDS["en"])
    language = language if language in WORDS else "en"
    link = f"{base}/digest/{recipient.token}"
    text = words.text(digest, body.name, link)
    subject = words.subject.format(body=body.name, day=day_in(language, digest.today))
    return Letter(
        notice.id,
        recipient.email,
        body.name,
        subject,
        f"{text}\n",
        as_html(text, link, language),
        language,
        unsubscribe=link,
    )


@dataclass(frozen=True, slots=True)
class Words:
    """What a digest says in a language."""

    language: str
    subject: str
    lapsed: str
    lapsing: str
    not_reached: str
    more: str
    none: str
    states: dict[str, str]
    ends: str

    def text(self, digest: Digest, body: str, link: str) -> str:
        """The digest as text."""
        lines = [body, "", self.lapsed.format(count=digest.lapsed)]
        lines += [self.lapsing.format(days=days, count=count) for days, count in digest.lapsing]
        lines += ["", self.not_reached if digest.not_reached else self.none]
        for one in digest.not_reached:
            lines.append(f"{one.number} · {day_in(self.language, one.day)} · {self.states[one.state]}")
        if digest.more:
            lines.append(self.more)
        return "\n".join([*lines, "", self.ends, link])


WORDS = {
    "en": Words(
        "en",
        "{body}: what is about to lapse, {day}",
        "Lapsed today: {count}",
        "Lapsing within {days} days: {count}",
        "Not reached, so that they may not know. Please get in touch with them by other means:",
        "... and more: see the lapse queue.",
        "Everybody whose term ends within 60 days was reached.",
        {
            "no_address": "no address known",
            "refused": "address refused",
            "bounced": "came back",
            "passed_over": "could not be sent in time",
        },
        "To get no more of these:",
    ),
    "fr": Words(
        "fr",
        "{body} : ce qui va prendre fin, {day}",
        "Échus aujourd’hui : {count}",
        "Échéances dans les {days} jours : {count}",
        "Non joints, donc peut-être non informés. Veuillez les contacter autrement :",
        "... et d’autres : voir la file des échéances.",
        "Toutes les personnes dont un terme prend fin dans les 60 jours ont été jointes.",
        {
            "no_address": "pas d’adresse connue",
            "refused": "adresse refusée",
            "bounced": "retourné",
            "passed_over": "n’a pas pu être envoyé à temps",
        },
        "Pour ne plus recevoir ces messages :",
    ),
}
