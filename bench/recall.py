"""How often is the wanted person among the first twenty, where those who ask mistype?

Takes two CSV files of people with the columns ``rec_id``, ``given_name`` and ``surname``: one to index, and
the same people with errors in them, where ``rec-7-dup-0`` is ``rec-7-org``. Febrl's data set 4 is one such.

    python -m bench.recall febrl4a.csv febrl4b.csv
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import Connection, create_engine, insert

from registry import clock
from registry.store import schema, tables
from registry.store.name_lookup import Position, find_people, understand
from registry.store.search import index_people

FIRST = 20
Names = dict[str, str]


def read_names(path: Path) -> Names:
    """The names of a file, by the number of the record."""
    with path.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines, skipinitialspace=True)
        return {row["rec_id"].split("-")[1]: f"{row['given_name']} {row['surname']}".strip() for row in rows}


def take_in(tx: Connection, people: Names) -> None:
    """Write people with their names, and index them."""
    at = clock.now()
    everyone = [
        {"id": id_, "version": 1, "withheld": False, "languages": "[]", "created_at": at} for id_ in people
    ]
    tx.execute(insert(tables.practitioners), everyone)
    named = {"kind": "published", "recorded_at": at, "recorded_by": "bench"}
    names = [
        {"id": id_, "practitioner_id": id_, "full_name": name, **named}
        for id_, name in people.items()
        if name
    ]
    tx.execute(insert(tables.practitioner_names), names)
    index_people(tx, people)


def place_of(connection: Connection, query: str, wanted: str) -> int | None:
    """The place, from 1, at which the wanted person is found; ``None`` beyond the first."""
    asked = understand(connection, query, None)
    found = find_people(connection, asked, Position(), body=None, size=FIRST + 1) if asked.typed else iter(())
    for place, match in enumerate(islice(found, FIRST), 1):
        if match.practitioner_id == wanted:
            return place
    return None


@contextmanager
def register_of(people: Names) -> Iterator[Connection]:
    """A connection to a register of these people alone, gone afterwards."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/recall.db"
        schema.upgrade(url)
        engine = create_engine(url)
        with engine.begin() as tx:
            take_in(tx, people)
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def main(indexed: str, queried: str) -> None:
    """Measure and print."""
    people, queries = read_names(Path(indexed)), read_names(Path(queried))
    with register_of(people) as connection:
        begun = perf_counter()
        places = {id_: place_of(connection, query, id_) for id_, query in queries.items()}
        seconds = perf_counter() - begun
    found = sum(place is not None for place in places.values()) / len(queries)
    first = sum(place == 1 for place in places.values()) / len(queries)
    print(f"{len(queries)} queries, {1000 * seconds / len(queries):.2f} ms each")
    print(f"found among the first {FIRST}: {found:.3f}; at the first place: {first:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
