"""Find practitioners: by name, city or number; of one body, for one technique, only the authorized.

Several people may fit, and all are shown, the likeliest first; which one is meant is for the reader to say.
A page costs a bounded amount of work: where a condition leaves few of many, it may hold fewer people than
asked for, or none, and still have a next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.name_search import NameQuery
from registry.domain.names import city_key, number_key, tokens
from registry.domain.verdict import Question, give_verdict
from registry.domain.vocabulary import Technique
from registry.errors import Invalid
from registry.store.database import age_of
from registry.store.entry_lists import StoredEntry, body_exists, entries_by_number, entries_of_people
from registry.store.name_lookup import Match, Position, find_people, is_found_by, understand

from .look_up import PublicPractitioner, entry_of, standings_of

MOST = 50
"""People on one page."""

MOST_EXAMINED = 200
"""People whose entries are read for one page."""

AT_ONCE = 100
"""People who are read at once where most of them may not fit."""

FEWEST_LETTERS = 2
"""Letters of a name or a city with which a search begins: one would be a walk through the register."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom to find. All that is given must hold, of one and the same registration.

    :param name: any parts of a published name in any order; of a former one where the body publishes these.
    :param city: a city or its beginning.
    :param body: the code of a body.
    :param technique: that an authorization covers, whether it is in force or not.
    :param authorized: only who may use ``technique`` (or any, where none is given) independently on the day.
    :param on: a local day; ``None`` for each body's today.
    """

    name: str | None = None
    city: str | None = None
    number: str | None = None
    body: str | None = None
    technique: Technique | None = None
    authorized: bool = False
    on: date | None = None


@dataclass(frozen=True, slots=True)
class FoundPeople:
    """A page of who was found, each with the registrations that fit.

    :param after: where the next page begins; ``None`` on the last.
    """

    people: tuple[PublicPractitioner, ...]
    after: Position | None


def search(
    connection: Connection, wanted: Wanted, *, at: datetime, limit: int = 20, after: Sequence[str | int] = ()
) -> FoundPeople:
    """A page of the practitioners who fit.

    :param at: the present instant (UTC).
    :param limit: how many at most, up to :data:`MOST`.
    :param after: ``FoundPeople.after`` of the page before; empty for the first.
    :raises registry.errors.Invalid: too little to search for is given, there is no such body, or ``after`` is
        no position.
    """
    _refuse_too_little(wanted)
    if wanted.body is not None and not body_exists(connection, wanted.body):
        raise _invalid("body", f"No body is kept under the code {wanted.body}; GET /v1/bodies lists them.")
    limit = min(limit, MOST)
    if wanted.number is not None:
        return FoundPeople(tuple(_people_with_number(connection, wanted, at)), None)
    query = understand(connection, wanted.name or "", wanted.city)
    size = limit + 1 if wanted.technique is None and not wanted.authorized else AT_ONCE
    matches = find_people(connection, query, _position(after), body=wanted.body, size=size)
    batches = iter(lambda: list(islice(matches, size)), [])
    return _page(connection, wanted, batches, at, limit)


def _refuse_too_little(wanted: Wanted) -> None:
    if wanted.name is None and wanted.city is None and wanted.number is None:
        raise _invalid("name", "Give a name, a city or a number to search for.")
    if wanted.name is not None and sum(map(len, tokens(wanted.name))) < FEWEST_LETTERS:
        raise _invalid("name", f"Give at least {FEWEST_LETTERS} letters of the name.")
    if wanted.city is not None and len(city_key(wanted.city)) < FEWEST_LETTERS:
        raise _invalid("city", f"Give at least {FEWEST_LETTERS} letters of the city.")
    if wanted.number is not None and not number_key(wanted.number):
        raise _invalid("number", "Give a registration number; it has a letter or a digit.")


def _invalid(parameter: str, detail: str) -> Invalid:
    return Invalid(f"{parameter}: {detail}", [{"parameter": parameter, "detail": detail}])


def _position(after: Sequence[str | int]) -> Position:
    """The position that a cursor gave; nobody but the register writes cursors, but anyone may send one."""
    if not after:
        return Position()
    if [type(part) for part in after] == [int, str, str, str, int]:
        stage, word, second, id_, former = after
        texts = f"{word}{second}{id_}"
        if texts.isprintable() and former in (-1, 0, 1):
            return Position(int(stage), str(word), str(second), str(id_), int(former))
    raise _invalid("cursor", "Give the cursor exactly as the page before gave it.")


def _page(
    connection: Connection, wanted: Wanted, batches: Iterable[Sequence[Match]], at: datetime, limit: int
) -> FoundPeople:
    people: list[PublicPractitioner] = []
    reached, examined, age = Position(), 0, age_of(connection)
    for batch in batches:
        entries = entries_of_people(connection, [match.practitioner_id for match in batch])
        for match in batch:
            found = _person(wanted, match, entries.get(match.practitioner_id, ()), at, age)
            if found is not None and len(people) == limit:
                return FoundPeople(tuple(people), reached)
            people += [] if found is None else [found]
            reached = match.position
        examined += len(batch)
        if examined >= MOST_EXAMINED:
            return FoundPeople(tuple(people), reached)
    return FoundPeople(tuple(people), None)


def _people_with_number(connection: Connection, wanted: Wanted, at: datetime) -> Iterator[PublicPractitioner]:
    """Who holds a number: with each body another person. A name or a city finds no one who is withheld."""
    by_person: dict[str, list[StoredEntry]] = {}
    for entry in entries_by_number(connection, number_key(wanted.number or "")):
        by_person.setdefault(entry.practitioner_id, []).append(entry)
    query = understand(connection, wanted.name or "", None)
    for id_, entries in by_person.items():
        match = _match(connection, query, id_)
        person = None if match is None else _person(wanted, match, entries, at, age_of(connection))
        if person is not None:
            yield person


def _match(connection: Connection, query: NameQuery, practitioner_id: str) -> Match | None:
    if not query.typed:
        return Match(practitioner_id, by_former=False, position=Position())
    return is_found_by(connection, query, practitioner_id)


def _person(
    wanted: Wanted, match: Match, entries: Iterable[StoredEntry], at: datetime, age: float
) -> PublicPractitioner | None:
    """A person with the registrations that fit; ``None`` where none does."""
    fitting = [entry for entry in entries if _fits(wanted, match, entry, at)]
    shown = [entry_of(entry.body, entry.document, on=wanted.on, at=at, age=age) for entry in fitting]
    known = tuple(entry for entry in shown if not entry.never_registered)
    if not known:
        return None
    first = known[0]
    return PublicPractitioner(
        first.practitioner_id, first.practitioner_id, first.withheld, first.name, first.languages, known
    )


def _fits(wanted: Wanted, match: Match, entry: StoredEntry, at: datetime) -> bool:
    """Whether one registration is as wanted, in what the names do not say."""
    if match.by_former and not entry.body.publishes_former_names:
        return False
    if wanted.body is not None and entry.body.code != wanted.body:
        return False
    if wanted.city is not None and not _is_in(entry, city_key(wanted.city)):
        return False
    if wanted.technique is None and not wanted.authorized:
        return True
    return _is_authorized(wanted, entry, at)


def _is_in(entry: StoredEntry, city: str) -> bool:
    """Whether an entry shows a city that is or begins so; an entry that is withheld shows none."""
    if not (entry.city_key or "").startswith(city):
        return False
    return not json.loads(entry.document)["withheld"]


def _is_authorized(wanted: Wanted, entry: StoredEntry, at: datetime) -> bool:
    """Whether an authorization covers the technique; or, if that is wanted, whether the verdict is a yes."""
    standings = standings_of(json.loads(entry.document), entry.body)
    day = wanted.on or local_date(at, entry.body.zone)
    techniques = Technique if wanted.technique is None else (wanted.technique,)
    verdicts = (give_verdict(Question(technique, day), standings) for technique in techniques)
    return any(v.authorized if wanted.authorized else bool(v.authorizations) for v in verdicts)
