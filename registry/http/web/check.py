"""The answer for one registration: its page, its easy version, and what a clinic hangs on its wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import Response

from registry import clock
from registry.domain.localtime import local_date
from registry.domain.vocabulary import Mode, Technique
from registry.http.answers import cache_control
from registry.http.metrics import count_verdicts
from registry.services import histories, look_up
from registry.services.histories import History
from registry.services.look_up import Found, PublicEntry, Verification
from registry.store.database import public_reading
from registry.store.public_events import PublicEvent

from .asking import Reading, read_arguments
from .rendering import NOT_KEPT, page
from .sentences import Spoken, speak

EVERY_TECHNIQUE = tuple(Technique)


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a registration on a day, ready to be shown.

    :param others: the person's other registrations; empty for a record that is withheld.
    :param changes: what happened to the registration, latest first.
    """

    verification: Verification
    entry: PublicEntry
    history: History
    spoken: list[Spoken]
    others: tuple[PublicEntry, ...]
    changes: tuple[PublicEvent, ...]

    @property
    def today(self) -> date:
        """The body's present day."""
        return local_date(self.verification.at, self.verification.body.zone)

    @property
    def seconds_kept(self) -> int:
        """How long the page may be kept. Any page ends with the day: it says "today", "was" and "will be"."""
        verification = self.verification
        age = (verification.at - verification.as_of).total_seconds()
        return look_up.seconds_kept(verification.at, verification.body.zone, today=True, age=age)


def check_page(body: str, number: str) -> Response:
    """May this physiotherapist needle, today or on another day?"""
    return _checked_page("check.html", body, number)


def easy_check_page(body: str, number: str) -> Response:
    """The same in few and short words."""
    return _checked_page("check_easy.html", body, number)


def card_page(body: str, number: str) -> Response:
    """A card to print: it leads to the answer and bears none itself."""
    checked = look_at(body, number, Reading({}), clock.now())
    return page("card.html", checked=checked, cache_control=cache_control(checked.seconds_kept))


def _checked_page(template: str, body: str, number: str) -> Response:
    asked = read_arguments()
    checked = look_at(body, number, asked, clock.now())
    status, kept = (200, cache_control(checked.seconds_kept)) if not asked.errors else (422, NOT_KEPT)
    return page(template, status=status, cache_control=kept, checked=checked, asked=asked)


def look_at(body: str, number: str, asked: Reading, at: datetime) -> Checked:
    """All that a page about a registration shows.

    :param asked: may hold a day (``on``) and a technique; where one is wrong, the answer is for today and
        for every technique, and ``asked.errors`` says so.
    :raises registry.errors.NotFound: there is no such body, or it never registered this number.
    """
    on, technique = asked.day("on"), asked.technique()
    techniques = EVERY_TECHNIQUE if technique is None else (technique,)
    with public_reading() as connection:
        found = look_up.find(connection, body, number)
        entry = look_up.get_entry(found, number, on=on, at=at)
        others = (
            ()
            if entry.withheld
            else look_up.get_practitioner(connection, entry.practitioner_id, at=at).entries
        )
        changes = histories.changes_of(connection, entry.id)
    verification, history, spoken = answer(found, entry, techniques, on, at)
    elsewhere = tuple(other for other in others if other.id != entry.id)
    return Checked(verification, entry, history, spoken, elsewhere, tuple(changes))


def answer(
    found: Found, entry: PublicEntry, techniques: tuple[Technique, ...], on: date | None, at: datetime
) -> tuple[Verification, History, list[Spoken]]:
    """The answer for techniques on a day (``None`` for the body's today), as data and as sentences."""
    verification = look_up.verify(
        found, entry.number, techniques=techniques, mode=Mode.INDEPENDENT, on=on, at=at
    )
    count_verdicts(verification.verdicts)
    history = histories.history_of(found)
    covered = {authorization.id: authorization.techniques for authorization in entry.authorizations}
    return verification, history, speak(verification, history, covered)


def answer_today(
    body: str, number: str, technique: Technique | None, at: datetime
) -> tuple[Verification, Spoken]:
    """The first of today's answers, for what shows nothing else; ``None`` asks about every technique.

    It is told from nothing that is older than an answer may be kept: it has no room for its age.

    :raises registry.errors.NotFound: there is no such body, or it never registered this number.
    """
    techniques = EVERY_TECHNIQUE if technique is None else (technique,)
    with public_reading(most_age=look_up.LONGEST_KEPT) as connection:
        found = look_up.find(connection, body, number)
    entry = look_up.get_entry(found, number, on=None, at=at)
    verification, _, spoken = answer(found, entry, techniques, None, at)
    return verification, spoken[0]
