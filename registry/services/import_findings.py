"""What a comparison found: counted, with some rows of each kind to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .import_plans import Plan

SAMPLES = 20
"""Rows of each kind that a report shows."""

MOST_WORDS = 1000
"""Status words that a report counts."""

COUNTED = ("rows", "new", "changed", "unchanged", "rejected", "passed_over", "duplicates", "names_kept")


@dataclass(slots=True)
class Findings:
    """Counts, and samples by what came of the rows. Every rejected row is kept apart."""

    counts: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, plan: Plan) -> None:
        """Count what came of one row."""
        kind = "new" if plan.is_new else "unchanged" if plan.changes_nothing else "changed"
        self.counts[kind] += 1
        self.counts["names_kept"] += plan.name_kept
        decided = list(_decided(plan))
        changed = list(_changed(plan))
        self.decisions.update(decided)
        self.changes.update(changed)
        for name in ("new",) if plan.is_new else dict.fromkeys((*decided, *changed)):
            shown = self.samples.setdefault(name, [])
            if len(shown) < SAMPLES:
                shown.append(_sample(plan))

    def merge(self, other: Findings) -> None:
        """Add what came of other rows."""
        for mine, theirs in (
            (self.counts, other.counts),
            (self.decisions, other.decisions),
            (self.changes, other.changes),
            (self.unmapped, other.unmapped),
        ):
            mine.update(theirs)
        for name, samples in other.samples.items():
            shown = self.samples.setdefault(name, [])
            shown.extend(samples[: SAMPLES - len(shown)])

    def report(self, vanished: int | None) -> dict[str, Any]:
        """What is kept and shown of it."""
        return {
            **{name: self.counts[name] for name in COUNTED},
            "vanished": vanished,
            "decisions": dict(sorted(self.decisions.items())),
            "changes": dict(sorted(self.changes.items())),
            "unmapped_words": dict(self.unmapped.most_common(MOST_WORDS)),
            "samples": self.samples,
        }


def _decided(plan: Plan) -> Iterator[str]:
    for recorded in plan.recorded:
        subject = "registration" if recorded.authorization_id is None else "authorization"
        yield f"{subject}.{recorded.decision.kind}"


def _changed(plan: Plan) -> Iterator[str]:
    if plan.city is not None:
        yield "city"
    person = plan.person
    if person is not None and person.names is not None:
        yield "name"
    if person is not None and person.languages is not None:
        yield "languages"
    if person is not None and person.withheld is not None:
        yield "withheld"


def _sample(plan: Plan) -> dict[str, Any]:
    return {
        "line": plan.line,
        "number": plan.record.number,
        "decisions": [
            {
                "subject": "registration" if d.authorization_id is None else "authorization",
                "kind": d.decision.kind.value,
                "effective_on": d.decision.effective_on.isoformat(),
                "through": None if d.decision.through is None else d.decision.through.isoformat(),
                "voids": d.decision.voids,
            }
            for d in plan.recorded
        ],
        "changes": list(_changed(plan)),
    }
