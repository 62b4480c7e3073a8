"""Registers for tests of the search: people by the hundred, and errors, the same in every run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from random import Random

from sqlalchemy import Connection, insert

from registry.domain.names import city_key
from registry.domain.vocabulary import NameKind
from registry.store import tables
from registry.store.name_lookup import Match, Position, find_people, understand
from registry.store.search import index_people
from tests.support.factories import AT, BY, database, make_body

OPEN_BODY, CLOSED_BODY = "ca-open", "ca-closed"
"""The codes of a body that publishes former names, and of one that does not."""

ONSETS = (
    "b",
    "ch",
    "d",
    "f",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "th",
    "br",
)
VOWELS = ("a", "e", "i", "o", "u", "ai", "ee")
ENDS = ("n", "r", "son", "ski", "ley", "ton", "berg", "ez", "ini", "sen", "well", "")
CITIES = ("Leeds", "New York", "Newark", "São Paulo", "St. John’s", "京都")
MARKED = str.maketrans("oueln", "öüéłñ")


@dataclass(frozen=True)
class Somebody:
    """One person to be found."""

    id: str
    name: str
    former: str | None = None
    city: str | None = None
    code: str = OPEN_BODY
    withheld: bool = False


def invented(count: int, seed: int = 1) -> list[Somebody]:
    """People with names of every build; a few share names, some had others before."""
    chance = Random(seed)  # noqa: S311 - names for tests, no secrets
    families = [_word(chance) for _ in range(max(8, count * 2 // 3))]
    given = [_word(chance) for _ in range(max(8, count // 3))]
    return [_somebody(chance, number, given, families) for number in range(count)]


def _word(chance: Random) -> str:
    syllables = "".join(
        chance.choice(ONSETS) + chance.choice(VOWELS) for _ in range(chance.choice((1, 2, 2, 3)))
    )
    return (syllables + chance.choice(ENDS)).title()


def _somebody(chance: Random, number: int, given: Sequence[str], families: Sequence[str]) -> Somebody:
    name, family = chance.choice(given), chance.choice(families)
    build = chance.random()
    if build < 0.1:
        name = f"{name} {chance.choice(given)}"
    elif build < 0.2:
        family = f"{family}-{chance.choice(families)}"
    elif build < 0.25:
        family = f"O’{family}"
    elif build < 0.3:
        family = f"de la {family}"
    elif build < 0.4:
        family = family.translate(MARKED)
    return Somebody(
        id=f"person-{number:06}",
        name=f"{name} {family}",
        former=f"{name} {chance.choice(families)}" if chance.random() < 0.1 else None,
        city=chance.choice((*CITIES, None)),
        code=chance.choice((OPEN_BODY, CLOSED_BODY)),
        withheld=chance.random() < 0.02,
    )


def take_in(tx: Connection, people: Iterable[Somebody]) -> None:
    """Write people with a registration each, and index them. The first bring the two bodies along."""
    codes = {row.code: row.id for row in tx.execute(tables.bodies.select())}
    if not codes:
        for code in (OPEN_BODY, CLOSED_BODY):
            codes[code] = make_body(tx, code, publishes_former_names=code == OPEN_BODY).id
    for table, rows in _rows(list(people), codes):
        if rows:
            tx.execute(insert(table), rows)
    index_people(tx, [person.id for person in people])


def _rows(people: Sequence[Somebody], codes: dict[str, str]):
    yield (
        tables.practitioners,
        [
            {"id": p.id, "version": 1, "withheld": p.withheld, "languages": "[]", "created_at": AT}
            for p in people
        ],
    )
    yield (
        tables.practitioner_names,
        [
            {
                "id": f"{kind}-{p.id}",
                "practitioner_id": p.id,
                "kind": kind,
                "full_name": name,
                "recorded_at": AT,
                "recorded_by": BY,
            }
            for p in people
            for kind, name in ((NameKind.PUBLISHED, p.name), (NameKind.FORMER, p.former))
            if name is not None
        ],
    )
    registrations = [
        {
            "id": f"registration-{p.id}",
            "practitioner_id": p.id,
            "body_id": codes[p.code],
            "number": p.id[-6:],
            "number_key": p.id[-6:],
            "city": p.city,
            "version": 1,
            "created_at": AT,
        }
        for p in people
    ]
    yield tables.registrations, registrations
    yield (
        tables.entries,
        [
            {
                "body_id": row["body_id"],
                "number_key": row["number_key"],
                "registration_id": row["id"],
                "practitioner_id": row["practitioner_id"],
                "city_key": None if row["city"] is None else city_key(str(row["city"])),
                "document": "{}",
            }
            for row in registrations
        ],
    )


@contextmanager
def register_of(url: str, people: Iterable[Somebody]) -> Iterator[Connection]:
    """A transaction on a register of these people, undone afterwards."""
    with database(url) as engine, engine.connect() as connection, connection.begin():
        take_in(connection, list(people))
        yield connection


def found(
    connection: Connection,
    name: str,
    *,
    city: str | None = None,
    body: str | None = None,
    most: int = 50,
    size: int = 21,
) -> list[Match]:
    """Who is found first."""
    asked = understand(connection, name, city)
    return list(islice(find_people(connection, asked, Position(), body=body, size=size), most))


def mistyped(chance: Random, name: str) -> str:
    """A name with one error in it: a letter too many, too few, another, or two swapped; or a space astray."""
    at = chance.randrange(len(name))
    letter = chance.choice("abcdefghijklmnopqrstuvwxyz")
    return chance.choice(
        (
            name[:at] + letter + name[at:],
            name[:at] + name[at + 1 :],
            name[:at] + letter + name[at + 1 :],
            name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :],
        )
    )
