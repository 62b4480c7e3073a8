"""What was measured: a figure with its unit and goal, printed as a table and kept as JSON lines."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to reach: at least, or at most, so much."""

    value: float
    at_least: bool = True

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.value:g}"

    def is_met_by(self, value: float) -> bool:
        """Whether a measured value reaches it."""
        return value >= self.value if self.at_least else value <= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    :param load: how many processes of the machine wanted to run in the minute before it was noted.
    """

    figure: str
    engine: str
    people: int
    value: float
    unit: str
    goal: Goal | None = None
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 1))

    def line(self) -> str:
        """As one line of JSON."""
        document = {**asdict(self), "value": round(self.value, 4)}
        document["goal"] = None if self.goal is None else str(self.goal)
        return json.dumps(document)


@dataclass(frozen=True, slots=True)
class Absent:
    """What could not be measured, and why."""

    absent: str
    engine: str
    people: int
    why: str

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))


def last_results() -> dict[tuple[str, str, int], float]:
    """The newest recorded value of each figure, by figure, engine and people."""
    recorded = (path.read_text().splitlines() for path in sorted(RESULTS.glob("*.jsonl")))
    lines = (json.loads(line) for run in recorded for line in run)
    return {(d["figure"], d["engine"], d["people"]): d["value"] for d in lines if "figure" in d}


def table(found: Sequence[Figure | Absent], before: dict[tuple[str, str, int], float]) -> str:
    """The figures for a reader, beside those of the last recorded run; then what could not be measured."""
    rows = [("figure", "engine", "people", "value", "unit", "goal", "", "last")]
    for f in found:
        if isinstance(f, Absent):
            continue
        met = "" if f.goal is None else ("yes" if f.goal.is_met_by(f.value) else "NO")
        last = before.get((f.figure, f.engine, f.people))
        rows.append(
            (
                f.figure,
                f.engine,
                f"{f.people:,}",
                f"{f.value:,.2f}",
                f.unit,
                "" if f.goal is None else str(f.goal),
                met,
                "" if last is None else f"{last:,.2f}",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    absent = [each for each in found if isinstance(each, Absent)]
    lines += [
        f"{each.absent} ({each.engine}, {each.people:,}) was not measured: {each.why}" for each in absent
    ]
    return "\n".join(lines)


def record(figures: Iterable[Figure | Absent], name: str) -> Path:
    """Keep a run's figures beside those of earlier runs."""
    RESULTS.mkdir(exist_ok=True)
    when = datetime.now(UTC)
    path = RESULTS / f"{when:%Y-%m-%dT%H%M%SZ}-{name}.jsonl"
    head = {"run": name, "at": when.isoformat(), "python": platform.python_version(), "commit": _commit()}
    path.write_text("\n".join([json.dumps(head), *(figure.line() for figure in figures)]) + "\n")
    return path


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
        cwd=RESULTS.parent,
    )
    return found.stdout.strip()
