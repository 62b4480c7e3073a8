"""A body's next snapshot, one row in a hundred of it changed: how long until the register says the same."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from .engines import Engine
from .figures import Figure, Goal
from .imports import import_snapshot
from .registers import CITIES, HEADER
from .turns import Effort

ONE_IN = 100
CITY = HEADER.index("city")
MOST_SECONDS = Goal(60, at_least=False)


def measure(engine: Engine, registers: Mapping[int, str], _effort: Effort) -> Iterator[Figure]:
    """Imported into the largest register: a changed snapshot, and then the one that it was filled from.

    :param registers: database URLs by the number of people in them.
    """
    people, url = max(registers.items())
    original = engine.folder / f"{people}.csv"
    changed = engine.folder / f"{people}-changed.csv"
    _change(original, changed)
    taken = [import_snapshot(snapshot, url)[0] for snapshot in (changed, original)]
    changed.unlink()
    yield Figure("import_of_1_percent_changed", engine.name, people, max(taken), "s", MOST_SECONDS)


def _change(original: Path, changed: Path) -> None:
    """Write a snapshot in which one person in a hundred has moved to another city, and terms are longer."""
    with (
        original.open(newline="", encoding="utf-8") as read,
        changed.open("w", newline="", encoding="utf-8") as written,
    ):
        writer = csv.writer(written)
        for index, row in enumerate(csv.reader(read)):
            if index % ONE_IN == 1:
                row[CITY] = CITIES[(CITIES.index(row[CITY]) + 1) % len(CITIES)]
                row[HEADER.index("last")] = _later(row[HEADER.index("last")])
                last = HEADER.index("needling_last")
                row[last] = row[last] and _later(row[last])
            writer.writerow(row)


def _later(day: str) -> str:
    """The same day of a year later; no leap day becomes a day that there is not."""
    return f"{int(day[:4]) + 1}{day[4:]}".replace("-02-29", "-02-28")
