"""A night on which a great many terms end at once: how long until the sweep has announced each of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter

from registry.services.sweep import sweep
from registry.store import schema
from registry.store.database import writing

from .engines import Engine
from .figures import Figure, Goal
from .imports import import_snapshot
from .inside import inside
from .registers import HEADER, rows
from .turns import Effort

EXPIRIES = 100_000
LAST = HEADER.index("last")
NEEDLING_LAST = HEADER.index("needling_last")
MOST_SECONDS = Goal(60, at_least=False)
AFTER = timedelta(days=61)
"""From today to the last day of the terms: so far that no reminder of their end is due yet."""
NOON = 12


def measure(engine: Engine, effort: Effort) -> Iterator[Figure]:
    """In a register of its own, as many people as there are expiries, all of the same last day."""
    expiries = EXPIRIES if effort.is_full else EXPIRIES // 10
    last = datetime.now(UTC).date() + AFTER
    with engine.scratch() as url:
        schema.upgrade(url)
        snapshot = engine.folder / "night.csv"
        _write(snapshot, expiries, last)
        import_snapshot(snapshot, url)
        snapshot.unlink()
        with inside(url):
            _sweep(last)
            seconds, announced = _sweep(last + timedelta(days=1))
    if announced < expiries * 0.9:  # some were suspended or revoked long before
        raise RuntimeError(f"of {expiries} ends of terms {announced} were announced")
    yield Figure("sweep_of_a_night", engine.name, expiries, seconds, "s", MOST_SECONDS)


def _write(path: Path, people: int, last: date) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row in rows(people, last - AFTER):
            cells = list(row)
            cells[LAST] = last.isoformat()
            cells[NEEDLING_LAST] = cells[NEEDLING_LAST] and last.isoformat()
            writer.writerow(cells)


def _sweep(day: date) -> tuple[float, int]:
    """Sweep as on a day to come; the seconds that it took, and how much was announced."""
    at = datetime(day.year, day.month, day.day, NOON, tzinfo=UTC) + timedelta(hours=12)
    begun = perf_counter()
    announced = sum(swept.announced for swept in sweep(writing, at=at))
    return perf_counter() - begun, announced
