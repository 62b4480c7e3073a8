"""``registry check``: whether what is stored is what the facts lead to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from registry import clock
from registry.services.check import Difference, Progress, find_differences
from registry.services.check import repair as rewrite
from registry.store.database import snapshot, writing

from .database import connected, recording

ROUNDS = 3
"""A body's registrations are looked at once the body itself is right; more rounds would find nothing new."""

BATCH = 10_000
"""Differences that are repaired together."""


@click.command()
@click.option("--repair", is_flag=True, help="Rewrite what differs; facts are never changed.")
@click.option("--quiet", is_flag=True, help="Say nothing where nothing differs.")
def check(*, repair: bool, quiet: bool) -> None:
    """Fold every decision anew, and name each difference to what is stored; exit with 1 where any is left."""
    progress = Progress()
    with connected():
        found = left = _told(find_differences(snapshot, progress))
        if found and repair:
            left = repaired()
            with recording("repair", differences=found, left=left):
                pass
    if found or not quiet:
        told = f", {found - left} repaired" if repair else ""
        click.echo(f"{progress.registrations} registrations checked, {found} differences{told}.")
    if left:
        raise SystemExit(1)


def _told(differences: Iterable[Difference]) -> int:
    count = 0
    for difference in differences:
        click.echo(str(difference))
        count += 1
    return count


def repaired() -> int:
    """Repair until nothing differs; how many differences withstood it."""
    for _ in range(ROUNDS):
        found = False
        for batch in _batches(find_differences(snapshot)):
            found = True
            rewrite(writing, batch, at=clock.now())
        if not found:
            return 0
    return _told(find_differences(snapshot))


def _batches(differences: Iterator[Difference]) -> Iterator[list[Difference]]:
    batch: list[Difference] = []
    for difference in differences:
        batch.append(difference)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
