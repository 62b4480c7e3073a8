"""Measure, print a table, keep the figures: ``python -m bench``; ``--help`` says what may be chosen."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from registry.store import schema

from . import (
    batches,
    changed,
    console,
    imports,
    lapse_pages,
    nights,
    reads,
    searches,
    starts,
    verification,
    webhooks,
)
from .engines import ENGINES, Engine
from .figures import Absent, Figure, last_results, record, table
from .peers import comparison
from .registers import make_body, write_snapshot
from .turns import Effort

FULL = (10_000, 100_000, 2_000_000)
QUICK = (2_000, 20_000)

Measure = Callable[[Engine, Mapping[int, str], Effort], Iterator[Figure | Absent]]


def _webhooks(engine: Engine, _registers: Mapping[int, str], _effort: Effort) -> Iterator[Figure]:
    with engine.scratch() as url:
        yield from webhooks.measure(engine.name, url)


def _nights(engine: Engine, _registers: Mapping[int, str], effort: Effort) -> Iterator[Figure]:
    yield from nights.measure(engine, effort)


SUBJECTS: Mapping[str, Measure] = {
    "verification": verification.measure,
    "reads": reads.measure,
    "batches": batches.measure,
    "searches": searches.measure,
    "lapses": lapse_pages.measure,
    "starts": starts.measure,
    "nights": _nights,
    "changed": changed.measure,
    "console": console.measure,
    "webhooks": _webhooks,
    "peers": comparison.measure,
}
"""What is measured, each with an engine, the URLs of its filled registers by size, and how long."""
WHERE_ASKED = frozenset({"peers"})
"""What is measured only where it is asked for: it installs what nothing else needs."""


def main() -> None:
    """Run the benchmarks that the arguments ask for."""
    arguments = _arguments()
    sizes = arguments.people or (QUICK if arguments.quick else FULL)
    if arguments.only == ["peers"]:
        sizes = [comparison.best_size(sizes)]  # they are asked about no other
    effort = Effort(5, 1.0, is_full=False) if arguments.quick else Effort(9, 3.0)
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as temporary:
        folder = (arguments.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # a database server that may not be root's must get through
        found = [
            figure
            for name in arguments.engines
            for figure in _measure(name, folder, sizes, effort, arguments.only)
        ]
    print(table(found, last_results()))
    print(f"\nrecorded in {record(found, 'quick' if arguments.quick else 'full').name}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small registers, short bursts: under five minutes"
    )
    parser.add_argument("--people", type=int, nargs="+", help="sizes of the registers")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SUBJECTS,
        default=[subject for subject in SUBJECTS if subject not in WHERE_ASKED],
        help="subjects to measure; all but the peers where it is left out",
    )
    parser.add_argument("--keep", type=Path, help="a folder for the registers, kept and used again")
    return parser.parse_args()


def _measure(
    name: str, folder: Path, sizes: Sequence[int], effort: Effort, subjects: Sequence[str]
) -> Iterator[Figure | Absent]:
    with ENGINES[name](folder) as engine:
        registers: dict[int, str] = {}
        for size in sizes:
            register = f"register-{size}"
            registers[size] = engine.url(register)
            if engine.has(register):
                schema.upgrade(registers[size])
            else:
                yield from _fill(engine, folder, register, size)
        for subject in subjects:
            print(f"{name}: {subject} ...", flush=True)
            yield from SUBJECTS[subject](engine, registers, effort)


def _fill(engine: Engine, folder: Path, register: str, size: int) -> Iterator[Figure]:
    snapshot = folder / f"{size}.csv"
    if not snapshot.exists():
        write_snapshot(snapshot, size, datetime.now(UTC).date())
    print(f"{engine.name}: importing {size:,} rows ...", flush=True)
    with engine.filling(register) as url:
        schema.upgrade(url)
        make_body(url)
        elapsed, mib = imports.import_snapshot(snapshot, url)
    yield from imports.figures(engine.name, size, elapsed, mib)


main()
