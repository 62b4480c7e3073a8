"""Finding a physiotherapist who may needle, in a city."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response

from registry import clock
from registry.domain.vocabulary import Mode, Technique
from registry.http.limits import paying_for_search
from registry.services.directory import Listed, Wanted, list_authorized
from registry.store.database import public_reading
from registry.store.records import Body

from .asking import NO_CITY, NO_LANGUAGE, Reading, read_arguments
from .cursors import Place, read_place
from .phrases import LISTED, Tone
from .rendering import NOT_KEPT, page
from .sentences import tone_of
from .speech import SPOKEN, Said, say
from .visits import current_visit

MOST = 20


@dataclass(frozen=True, slots=True)
class Item:
    """One of the list, as it is shown."""

    body: Body
    number: str
    name: str | None
    city: str
    languages: tuple[str, ...]
    tone: Tone
    words: Said


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of the list; ``next`` is the path of the next."""

    items: list[Item]
    next: str | None


def find_page() -> Response:
    """Who is authorized today for a technique, in a city."""
    asked, at = read_arguments(), clock.now()
    wanted = _wanted(asked) if asked.given else None
    if wanted is None:
        status = 422 if asked.errors else 200
        return _page(asked, None, asked.technique() or Technique.DRY_NEEDLING, status)
    return _page(asked, _listing(asked, wanted, at), wanted.technique, 200)


def _page(asked: Reading, listing: Shown | None, technique: Technique, status: int) -> Response:
    return page(
        "find.html", status=status, cache_control=NOT_KEPT, asked=asked, listing=listing, technique=technique
    )


def _wanted(asked: Reading) -> Wanted | None:
    """What is looked for; ``None`` where something is wrong with it."""
    city = asked.text("city", 120)
    if not city:
        asked.errors.setdefault("city", say(NO_CITY))
    technique = asked.technique() or Technique.DRY_NEEDLING
    mode = asked.mode() or Mode.SUPERVISED
    speaks = asked.one_of("speaks", SPOKEN, say(NO_LANGUAGE)) or None
    return None if asked.errors else Wanted(city, technique, mode, speaks)


def _listing(asked: Reading, wanted: Wanted, at: datetime) -> Shown:
    place = read_place(asked.given.get("after", ""), at.date())
    with paying_for_search(MOST) as paid, public_reading() as connection:
        listing = list_authorized(connection, wanted, day=place.day, after=place.after, most=MOST, at=at)
        paid.shows(len(listing.items))
    following = None
    if listing.last is not None:
        given = {
            name: value
            for name, value in asked.given.items()
            if name in ("city", "technique", "speaks", "mode")
        }
        following = current_visit().link("find_page", **given, after=str(Place(place.day, listing.last)))
    return Shown([_item(listed) for listed in listing.items], following)


def _item(listed: Listed) -> Item:
    tone = tone_of(listed.verdict)
    words = say(LISTED[tone])
    return Item(listed.body, listed.number, listed.name, listed.city, listed.languages, tone, words)
