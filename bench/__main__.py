"""Measure, print a table, keep the figures: ``python -m bench [--quick] [--people N ...] [--keep DIR]``."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from registry.store import schema

from . import imports, verification, webhooks
from .figures import Figure, last_results, record, table
from .registers import write_snapshot

FULL = (10_000, 100_000, 1_000_000)
QUICK = (2_000, 20_000)


def main() -> None:
    """Run the benchmarks that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small registers, short bursts: under five minutes"
    )
    parser.add_argument("--people", type=int, nargs="+", help="sizes of the registers")
    parser.add_argument("--keep", type=Path, help="a folder for the registers, kept and used again")
    arguments = parser.parse_args()
    sizes = arguments.people or (QUICK if arguments.quick else FULL)
    rounds, seconds = (5, 1.0) if arguments.quick else (9, 3.0)
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        found = list(_measure(arguments.keep or Path(folder), sizes, rounds, seconds))
    print(table(found, last_results()))
    print(f"\nrecorded in {record(found, 'quick' if arguments.quick else 'full').name}")


def _measure(folder: Path, sizes: tuple[int, ...], rounds: int, seconds: float) -> Iterator[Figure]:
    folder.mkdir(parents=True, exist_ok=True)
    registers: dict[int, str] = {}
    for size in sizes:
        path = folder / f"{size}.db"
        registers[size] = f"sqlite:///{path}"
        if not path.exists():
            yield from _fill(folder, size, registers[size])
    yield from verification.measure("sqlite", registers, rounds, seconds)
    yield from _webhooks()


def _webhooks() -> Iterator[Figure]:
    own = tempfile.TemporaryDirectory(prefix="registry-bench-webhooks-")
    with own as name, webhooks.databases(Path(name)) as addresses:
        for engine, url in addresses.items():
            print(f"delivering webhooks, {engine} ...", flush=True)
            yield from webhooks.measure(engine, url)


def _fill(folder: Path, size: int, url: str) -> Iterator[Figure]:
    snapshot = folder / f"{size}.csv"
    write_snapshot(snapshot, size, datetime.now(UTC).date())
    schema.upgrade(url)
    print(f"importing {size:,} rows ...", flush=True)
    elapsed, mib = imports.import_snapshot(snapshot, url)
    yield from imports.figures("sqlite", size, elapsed, mib)


main()
