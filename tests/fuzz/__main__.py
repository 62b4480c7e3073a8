"""Fuzzes the targets for a while each: ``python -m tests.fuzz [TARGET ...] --seconds 60``.

atheris drives them, guided by what is reached; where it is not installed Hypothesis does, blindly. What
breaks an invariant is kept in ``.fuzz/found``, and told; ``python -m tests.fuzz.one TARGET FILE`` tries it
again.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from tests.fuzz.corpus import write_seeds
from tests.fuzz.targets import TARGETS
from tests.fuzz.unguided import drive

KEPT = Path(".fuzz")
LIMITS = ("-timeout=20", "-rss_limit_mb=2048", "-max_len=20000", "-print_final_stats=1")
UNITS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(TARGETS)))
@click.option("--seconds", default=60, show_default=True, help="For how long each.")
def main(names: tuple[str, ...], seconds: int) -> None:
    """Fuzz the targets; exit with 1 where one broke its invariant."""
    guided = find_spec("atheris") is not None
    if not guided:
        click.echo("atheris is not installed: Hypothesis drives the targets instead, without guidance.")
    tried, broken = 0, []
    for name in names or TARGETS:
        count, message = (with_atheris if guided else drive)(name, seconds)
        click.echo(f"{name}: {count:,} inputs{'' if message is None else ', BROKEN'}")
        tried += count
        if message is not None:
            click.echo(message)
            broken.append(name)
    click.echo(f"inputs tried {tried:,}, invariants broken {len(broken)}")
    sys.exit(bool(broken))


def with_atheris(name: str, seconds: int) -> tuple[int, str | None]:
    """How many inputs a target was given in so many seconds, and what broke it."""
    corpus, seeds, found = KEPT / "corpus" / name, KEPT / "seeds" / name, KEPT / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    write_seeds(name, seeds)
    command = [sys.executable, "-m", "tests.fuzz.one", name, *LIMITS, f"-max_total_time={seconds}"]
    command += [f"-artifact_prefix={found}/{name}-", str(corpus), str(seeds)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    units = UNITS.search(done.stderr)
    count = 0 if units is None else int(units[1])
    return count, None if done.returncode == 0 else f"{done.stdout[-1000:]}{done.stderr[-3000:]}"


if __name__ == "__main__":
    main()
