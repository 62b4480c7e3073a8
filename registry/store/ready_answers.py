"""The answers about a registration, kept ready beside its entry: a cache of verdicts that the domain gave.

A batch of questions reads this text instead of weighing ten thousand entries. It is written where the entry
is written, says by which rules it was made, and is not believed where the body has others.

One line says by which rules; one whom it is about; and one for each technique that some authorization ever
covers, the last for all others, lists the answers: last day, valid through, what is said. Tabs part them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from registry.domain.decisions import Condition
from registry.domain.rules import RulesHistory
from registry.domain.verdict import Standby, Standings, answers_ever, techniques_ever_covered
from registry.domain.vocabulary import Outcome, Reason, Technique

from . import documents

PRINT_LENGTH = 16
ANY_OTHER = "*"


@dataclass(frozen=True, slots=True)
class Stated:
    """Whom a registration belongs to; ``name`` is ``None`` where the record is withheld."""

    number: str
    practitioner_id: str
    name: str | None
    withheld: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says, whatever its days."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    conditions: tuple[Condition, ...]
    excluded_regions: tuple[str, ...]


def to_text(stated: Stated, standings: Standings) -> str:
    """Every answer about a registration, ready to be kept."""
    named = map(documents.dump, (stated.number, stated.practitioner_id, stated.name, stated.withheld))
    return "\n".join([print_of(standings.rules), "\t".join(named), *_lines(_published(standings))])


def _published(standings: Standings) -> Standings:
    registration = standings.registration
    return Standings(
        None if registration is None else documents.published_timeline(registration),
        [replace(a, timeline=documents.published_timeline(a.timeline)) for a in standings.authorizations],
        standings.rules,
    )


def _lines(standings: Standings) -> Iterator[str]:
    covered = sorted(techniques_ever_covered(standings))
    for technique in covered:
        yield _line(technique, answers_ever(technique, standings))
    other = next((technique for technique in Technique if technique not in covered), None)
    if other is not None:
        yield _line(ANY_OTHER, answers_ever(other, standings))


def _line(technique: str, answers: list[Standby]) -> str:
    parts = [technique]
    for one in answers:
        parts += (_day(one.last_day), _day(one.verdict.valid_through), _said_text(one))
    return "\t".join(parts)


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _said_text(one: Standby) -> str:
    verdict = one.verdict
    conditions = [[None if c.withheld else c.text, c.withheld] for c in verdict.conditions]
    return documents.dump([verdict.outcome, verdict.reasons, conditions, verdict.excluded_regions])


def said(text: str) -> Said:
    """What a kept answer says."""
    outcome, reasons, conditions, regions = json.loads(text)
    return Said(
        Outcome(outcome),
        tuple(map(Reason, reasons)),
        tuple(Condition(words or "", withheld) for words, withheld in conditions),
        tuple(regions),
    )


@dataclass(frozen=True, slots=True)
class Ready:
    """The answers of one registration, cut into their lines.

    :param stated: the fields of :class:`Stated`, each as JSON, with tabs between them.
    """

    stated: str
    lines: list[str]

    def on(self, technique: str, day: str) -> tuple[str, str]:
        """What is said of a technique on an ISO day, as text, and the last day of the same ("" for none)."""
        parts = self._line(technique).split("\t")
        for at in range(1, len(parts), 3):
            last = parts[at]
            if not last or day <= last:
                return parts[at + 2], parts[at + 1]
        raise AssertionError("the last answer has no last day")

    def _line(self, technique: str) -> str:
        for line in self.lines:
            if line.startswith((technique + "\t", "*\t")):
                return line
        raise AssertionError("one line is for every other technique")


def of_text(text: str) -> Ready:
    """The inverse of :func:`to_text`, as far as a question needs it."""
    _, stated, *lines = text.split("\n")
    return Ready(stated, lines)


def print_of(rules: RulesHistory) -> str:
    """Tells one history of a body's rules from another: versions are appended, never changed."""
    return _print_of(tuple((version.holds_from, version.recorded_at) for version in rules.versions))


@lru_cache(maxsize=1024)
def _print_of(versions: tuple[tuple[date, datetime], ...]) -> str:
    written = ";".join(f"{day.isoformat()} {at.isoformat()}" for day, at in versions)
    return blake2b(written.encode(), digest_size=PRINT_LENGTH // 2).hexdigest()


def stated_of(document: Mapping[str, Any]) -> Stated:
    """Whom a stored entry belongs to."""
    return Stated(
        document["number"], document["practitioner"], document.get("name"), document.get("withheld", False)
    )
