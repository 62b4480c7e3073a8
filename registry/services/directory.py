"""Who is authorized today, in a city: in an order that nobody can buy, and that changes every day.

The order of a day is drawn by hashing each registration with the day; whoever reads on is given the rest of
the same day's order, even over midnight.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b

from sqlalchemy import Connection

from registry.domain.names import city_key
from registry.domain.verdict import Verdict
from registry.domain.vocabulary import Mode, Technique
from registry.store.directory import entries_of, registrations_in
from registry.store.records import Body, body_of

from .look_up import Found, verify

STRETCH = 50
"""Entries that are read at once."""
DRAW_BYTES = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person looks for.

    :param mode: ``independent`` lists those alone who need no supervision; ``supervised``, the others too.
    :param speaks: an ISO 639 code; ``None`` for any language.
    """

    city: str
    technique: Technique
    mode: Mode = Mode.SUPERVISED
    speaks: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One who is authorized today; never a record that is withheld."""

    body: Body
    number: str
    name: str | None
    city: str
    languages: tuple[str, ...]
    verdict: Verdict
    place: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of the list; ``last`` is the place of its last, ``None`` where nothing follows."""

    items: tuple[Listed, ...]
    last: str | None


def list_authorized(
    connection: Connection, wanted: Wanted, *, day: date, after: str, most: int, at: datetime
) -> Listing:
    """Those who are authorized today for what is wanted, in the order of a day.

    :param day: the day (UTC) whose order is read.
    :param after: the place after which to go on; empty for the beginning.
    :param at: the present instant (UTC); "today" is each body's own.
    """
    drawn = sorted((_draw(day, id_), id_) for id_ in registrations_in(connection, city_key(wanted.city)))
    found: list[Listed] = []
    for listed in _authorized(connection, wanted, [pair for pair in drawn if pair[0] > after], at):
        if len(found) == most:
            return Listing(tuple(found), found[-1].place)
        found.append(listed)
    return Listing(tuple(found), None)


def _draw(day: date, registration_id: str) -> str:
    return blake2b(f"{day.isoformat()} {registration_id}".encode(), digest_size=DRAW_BYTES).hexdigest()


def _authorized(
    connection: Connection, wanted: Wanted, drawn: Sequence[tuple[str, str]], at: datetime
) -> Iterator[Listed]:
    for start in range(0, len(drawn), STRETCH):
        stretch = drawn[start : start + STRETCH]
        rows = {row.registration_id: row for row in entries_of(connection, [id_ for _, id_ in stretch])}
        for place, id_ in stretch:
            if id_ in rows:
                listed = _listed(body_of(rows[id_]), rows[id_].entry, wanted, place, at)
                if listed is not None:
                    yield listed


def _listed(body: Body, entry: str, wanted: Wanted, place: str, at: datetime) -> Listed | None:
    document = json.loads(entry)
    languages = tuple(document.get("languages", ()))
    if document["withheld"] or not document.get("city"):
        return None
    if wanted.speaks is not None and wanted.speaks not in {tag.partition("-")[0] for tag in languages}:
        return None
    verdict = verify(
        Found(body, entry), "", techniques=(wanted.technique,), mode=wanted.mode, on=None, at=at
    ).verdicts[0]
    if not verdict.authorized:
        return None
    return Listed(body, document["number"], document.get("name"), document["city"], languages, verdict, place)
