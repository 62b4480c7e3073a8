"""Looking a physiotherapist up, by name or by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flask import Response
from sqlalchemy import Connection

from registry import clock
from registry.domain.names import number_key, tokens
from registry.domain.vocabulary import Technique
from registry.http.limits import paying_for_search
from registry.services import look_up
from registry.services.look_up import PublicEntry
from registry.services.search import FoundPeople, Wanted, search
from registry.store.database import public_reading
from registry.store.records import Body

from .asking import CITY_TOO_SHORT, NO_BODY, NOTHING, TOO_SHORT, Reading, read_arguments
from .check import EVERY_TECHNIQUE, answer
from .cursors import Cursor, cursor_of, read_cursor
from .rendering import FOR_AN_HOUR, NOT_KEPT, page
from .sentences import Spoken
from .speech import Said, say
from .visits import current_visit

MOST = 20
SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Match:
    """A registration that was found, with what tells it from others of the same name."""

    entry: PublicEntry
    spoken: list[Spoken]


@dataclass(frozen=True, slots=True)
class Results:
    """A part of what was found.

    :param widened: whether nobody is authorized for the technique, and the others are shown instead.
    :param next: the path of the next part.
    """

    matches: list[Match]
    is_first: bool
    widened: bool
    next: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was typed, and what is wrong with it."""

    q: str
    city: str
    technique: str
    body: str
    errors: dict[str, Said]

    @property
    def is_narrowed(self) -> bool:
        """Whether more than a name or a number is asked for."""
        return bool(self.city or self.technique or self.body)


NOTHING_ASKED = Asked("", "", "", "", {})


def search_page() -> Response:
    """Look a physiotherapist up; without a question, the first page."""
    reading, at = read_arguments(), clock.now()
    with public_reading() as connection:
        bodies = look_up.list_bodies(connection)
        if not reading.given:
            return page(
                "search.html", cache_control=FOR_AN_HOUR, asked=NOTHING_ASKED, results=None, bodies=bodies
            )
        wanted = _wanted(reading, bodies)
        asked = _asked(reading)
        results = None if wanted is None else _results(connection, reading, wanted, at)
    status = 200 if wanted is not None else 422
    return page(
        "search.html", status=status, cache_control=NOT_KEPT, asked=asked, results=results, bodies=bodies
    )


def _asked(reading: Reading) -> Asked:
    q, city, technique, body = (reading.shown(name) for name in ("q", "city", "technique", "body"))
    return Asked(q, city, technique, body, reading.errors)


def _wanted(reading: Reading, bodies: Sequence[Body]) -> Wanted | None:
    """Whom to find; ``None`` where something is wrong with it."""
    q, city, technique = reading.text("q"), reading.text("city", 120), reading.technique()
    body = reading.one_of("body", {body.code for body in bodies}, say(NO_BODY))
    is_number = any(character.isdigit() for character in q) and bool(number_key(q))
    if not q:
        reading.errors.setdefault("q", say(NOTHING))
    elif not is_number and sum(map(len, tokens(q))) < SHORTEST:
        reading.errors["q"] = say(TOO_SHORT)
    if reading.shown("city") and sum(map(len, tokens(city))) < SHORTEST:
        reading.errors.setdefault("city", say(CITY_TOO_SHORT))
    if reading.errors:
        return None
    named = {"number": q} if is_number else {"name": q}
    return Wanted(city=city or None, body=body or None, technique=technique, **named)  # type: ignore[arg-type]  # both are text


def _results(connection: Connection, reading: Reading, wanted: Wanted, at: datetime) -> Results:
    cursor = read_cursor(reading.given.get("after", ""))
    with paying_for_search(MOST) as paid:
        found, widened = _found(connection, wanted, cursor, at)
        paid.shows(len(found.people))
    techniques = EVERY_TECHNIQUE if wanted.technique is None else (wanted.technique,)
    matches = [
        Match(entry, _spoken(connection, entry, techniques, at))
        for person in found.people
        for entry in person.entries
    ]
    return Results(matches, not cursor.position, widened, _next(reading, found, widened=widened))


def _found(connection: Connection, wanted: Wanted, cursor: Cursor, at: datetime) -> tuple[FoundPeople, bool]:
    """Those who fit; where no one has such an authorization, all who fit but for the technique."""
    if not cursor.widened:
        found = search(connection, wanted, at=at, limit=MOST, after=cursor.position)
        if found.people or found.after is not None or cursor.position or wanted.technique is None:
            return found, False
    wider = replace(wanted, technique=None)
    return search(connection, wider, at=at, limit=MOST, after=cursor.position), True


def _spoken(
    connection: Connection, entry: PublicEntry, techniques: tuple[Technique, ...], at: datetime
) -> list[Spoken]:
    found = look_up.find(connection, entry.body.code, entry.number)
    _, _, spoken = answer(found, entry, techniques, None, at)
    return spoken


def _next(reading: Reading, found: FoundPeople, *, widened: bool) -> str | None:
    if found.after is None:
        return None
    given = {
        name: value for name, value in reading.given.items() if name in ("q", "city", "technique", "body")
    }
    return current_visit().link("search_page", **given, after=cursor_of(found.after, widened=widened))
