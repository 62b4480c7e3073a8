"""The answers about a registration, kept ready beside its entry: a cache of verdicts that the domain gave.

A batch of questions reads this text instead of weighing ten thousand entries. It is written where the entry
is written, says by which rules it was made, and is not believed where the body has others.

One line says by which rules; one whom it is about; and one for each technique that some authorization ever
covers, the last for all others, lists the answers: last day, valid through, what is said. Tabs part them.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from registry.domain.decisions import Condition
from registry.domain.localtime import ONE_DAY
from registry.domain.rules import BodyRules, RulesHistory
from registry.domain.timeline import Timeline
from registry.domain.verdict import (
    Standby,
    Standings,
    answers_ever,
    techniques_ever_covered,
    turning_days,
)
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
    """What an answer says, whatever its days.

    :param resting_on: the authorizations that it rests on, by their places among the registration's.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    conditions: tuple[Condition, ...]
    excluded_regions: tuple[str, ...]
    resting_on: tuple[int, ...]


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


Line = tuple[str, tuple[tuple[int | None, int | None, str], ...]]
"""A technique with its answers: last day and valid through, by the turning day that follows; what is said."""

MOST_SHAPES = 4096
_weighed: dict[Hashable, tuple[Line, ...]] = {}


def _lines(standings: Standings) -> Iterator[str]:
    """The answers, weighed once for all standings of the same shape: days count by their order alone."""
    days = turning_days(standings, date.min)
    shape = _shape(standings, days)
    lines = _weighed.get(shape)
    if lines is None:
        if len(_weighed) >= MOST_SHAPES:
            _weighed.clear()
        lines = _weighed[shape] = tuple(_weigh(_published(standings), days))
    lasts = [(day - ONE_DAY).isoformat() for day in days]
    for technique, answers in lines:
        parts = [technique]
        for last, through, text in answers:
            parts += ("" if last is None else lasts[last], "" if through is None else lasts[through], text)
        yield "\t".join(parts)


def _shape(standings: Standings, days: Sequence[date]) -> Hashable:
    """All that a verdict reads, with days by their place among the turning days."""
    place = {day: index for index, day in enumerate(days)}
    rules = standings.rules
    timelines = [a.timeline for a in standings.authorizations]
    return (
        print_of(rules),
        tuple(place.get(version.holds_from) for version in rules.versions),
        None if standings.registration is None else _shape_of(standings.registration, place),
        tuple(_shape_of(timeline, place) for timeline in timelines),
    )


def _shape_of(timeline: Timeline, place: Mapping[date, int]) -> Hashable:
    return tuple(
        (place.get(span.first_day), span.holds, span.scope, span.term_from is None) for span in timeline.spans
    )


def _weigh(standings: Standings, days: Sequence[date]) -> Iterator[Line]:
    place: dict[date | None, int | None] = {day - ONE_DAY: index for index, day in enumerate(days)}
    at = {authorization.id: index for index, authorization in enumerate(standings.authorizations)}
    covered = sorted(techniques_ever_covered(standings))
    asked: list[tuple[str, Technique]] = [(technique.value, technique) for technique in covered]
    other = next((technique for technique in Technique if technique not in covered), None)
    if other is not None:
        asked.append((ANY_OTHER, other))
    for named, technique in asked:
        answers = answers_ever(technique, standings)
        yield (
            named,
            tuple(
                (place.get(one.last_day), place.get(one.verdict.valid_through), _said_text(one, at))
                for one in answers
            ),
        )


def _said_text(one: Standby, at: Mapping[str, int]) -> str:
    verdict = one.verdict
    conditions = [[None if c.withheld else c.text, c.withheld] for c in verdict.conditions]
    resting_on = [at[id_] for id_, _ in verdict.authorizations]
    return documents.dump(
        [verdict.outcome, verdict.reasons, conditions, verdict.excluded_regions, resting_on]
    )


@lru_cache(maxsize=16_384)
def said(text: str) -> Said:
    """What a kept answer says."""
    outcome, reasons, conditions, regions, resting_on = json.loads(text)
    return Said(
        Outcome(outcome),
        tuple(map(Reason, reasons)),
        tuple(Condition(words or "", withheld) for words, withheld in conditions),
        tuple(regions),
        tuple(resting_on),
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
        _, text, through = _said_on(self._line(technique), day)
        return text, through

    def said_on(self, day: str) -> Iterator[tuple[str, str]]:
        """What is said on an ISO day, as text, by technique; what "*" names is said of all others."""
        for line in self.lines:
            named, text, _ = _said_on(line, day)
            yield named, text

    def _line(self, technique: str) -> str:
        for line in self.lines:
            if line.startswith((technique + "\t", "*\t")):
                return line
        raise AssertionError("one line is for every other technique")


def _said_on(line: str, day: str) -> tuple[str, str, str]:
    """What a line is about, what it says on an ISO day, and the last day of the same."""
    named, *parts = line.split("\t")
    for at in range(0, len(parts), 3):
        last = parts[at]
        if not last or day <= last:
            return named, parts[at + 2], parts[at + 1]
    raise AssertionError("the last answer has no last day")


def of_text(text: str) -> Ready:
    """The inverse of :func:`to_text`, as far as a question needs it."""
    _, stated, *lines = text.split("\n")
    return Ready(stated, lines)


def by_these_rules(text: str, rules: RulesHistory) -> bool:
    """Whether kept answers were given by these rules of the body, and can be believed."""
    return text.startswith(print_of(rules))


MOST_PRINTS = 1024
_prints: dict[int, tuple[tuple[BodyRules, ...], str]] = {}


def print_of(rules: RulesHistory) -> str:
    """Tells one history of rules from every other, of whichever body: it is taken of all that they say.

    A body's history is read once and shared, so it is known by being the same object.
    """
    known = _prints.get(id(rules.versions))
    if known is not None and known[0] is rules.versions:
        return known[1]
    if len(_prints) >= MOST_PRINTS:
        _prints.clear()
    written = documents.dump([documents.rules_document(version) for version in rules.versions])
    printed = blake2b(written.encode(), digest_size=PRINT_LENGTH // 2).hexdigest()
    _prints[id(rules.versions)] = (rules.versions, printed)
    return printed


def stated_of(document: Mapping[str, Any]) -> Stated:
    """Whom a stored entry belongs to."""
    return Stated(
        document["number"], document["practitioner"], document.get("name"), document.get("withheld", False)
    )
