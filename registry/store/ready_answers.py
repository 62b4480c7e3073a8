"""The answers about a registration, kept ready beside its entry: a cache of verdicts that the domain gave.

A batch of questions reads this text instead of weighing ten thousand entries. It is written where the entry
is written, says by which rules it was made, and is not believed where the body has others. Such as this::

    71857576257465c7
    "PT-2001"   "01a1f96c-fe2a-7468-99a3-7c31835e7653"   "Ana Lee"   false
    2021-05-23 2022-02-09 2027-08-14
    dry_needling   0   0   [2,[1,13],[],[],[0]]   1   1   [6,[13],[],[],[0]]   ...
    *   0   0   [2,[1,11],[],[],[]]   2   2   [5,[11],[],[],[]]   ...

One line says by which rules; one whom it is about; one on which days something ends. The others, one for each
technique that some authorization ever covers and the last for all the rest, list the answers: until which of
those days one is given, and through which the same is said, both by their places (nothing: without end); and
what is said, its words by their places in the vocabulary. Tabs part them. These lines hold nothing of one
person's own, so that thousands of registrations have the same.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

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
OUTCOMES, REASONS = tuple(Outcome), tuple(Reason)
HOW_IT_IS_READ = documents.dump([2, OUTCOMES, REASONS])
"""The form of the text, by its number, and the words that stand for places: part of every print."""


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
    days = turning_days(standings, date.min)
    lasts = [(day - ONE_DAY).isoformat() for day in days]
    lines = _lines(_published(standings), days)
    return "\n".join((print_of(standings.rules), "\t".join(named), " ".join(lasts), lines))


def _published(standings: Standings) -> Standings:
    registration = standings.registration
    return Standings(
        None if registration is None else documents.published_timeline(registration),
        [replace(a, timeline=documents.published_timeline(a.timeline)) for a in standings.authorizations],
        standings.rules,
    )


MOST_SHAPES = 4096
_weighed: dict[Hashable, str] = {}


def _lines(standings: Standings, days: Sequence[date]) -> str:
    """The answers, weighed once for all standings of the same shape: days count by their order alone."""
    shape = _shape(standings, days)
    lines = _weighed.get(shape)
    if lines is None:
        if len(_weighed) >= MOST_SHAPES:
            _weighed.clear()
        lines = _weighed[shape] = "\n".join(_weigh(standings, days))
    return lines


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


def _weigh(standings: Standings, days: Sequence[date]) -> Iterator[str]:
    place = {day - ONE_DAY: str(index) for index, day in enumerate(days)}
    at = {authorization.id: index for index, authorization in enumerate(standings.authorizations)}
    covered = sorted(techniques_ever_covered(standings))
    asked: list[tuple[str, Technique]] = [(technique.value, technique) for technique in covered]
    other = next((technique for technique in Technique if technique not in covered), None)
    if other is not None:
        asked.append((ANY_OTHER, other))
    for named, technique in asked:
        parts = [named]
        for one in answers_ever(technique, standings):
            last, through = one.last_day, one.verdict.valid_through
            parts += ("" if last is None else place[last], "" if through is None else place[through])
            parts.append(_said_text(one, at))
        yield "\t".join(parts)


def _said_text(one: Standby, at: Mapping[str, int]) -> str:
    verdict = one.verdict
    conditions = [[None if c.withheld else c.text, c.withheld] for c in verdict.conditions]
    resting_on = [at[id_] for id_, _ in verdict.authorizations]
    outcome, reasons = OUTCOMES.index(verdict.outcome), list(map(REASONS.index, verdict.reasons))
    return documents.dump([outcome, reasons, conditions, verdict.excluded_regions, resting_on])


@lru_cache(maxsize=16_384)
def said(text: str) -> Said:
    """What a kept answer says."""
    outcome, reasons, conditions, regions, resting_on = json.loads(text)
    return Said(
        OUTCOMES[outcome],
        tuple(REASONS[place] for place in reasons),
        tuple(Condition(words or "", withheld) for words, withheld in conditions),
        tuple(regions),
        tuple(resting_on),
    )


Line = tuple[tuple[str, int | None], ...]
"""What is said of a technique, as text, in each run of days, and the run that is the last of the same."""


class Ready(NamedTuple):
    """The answers of one registration, ready to be picked.

    :param stated: the fields of :class:`Stated`, each as JSON, with tabs between them.
    :param lasts: the last day (ISO) of each run of days in which nothing changes; the last run has none.
    :param lines: by technique; "*" is every other.
    """

    stated: str
    lasts: list[str]
    lines: Mapping[str, Line]

    def on(self, technique: str, day: str) -> tuple[str, str]:
        """What is said of a technique on an ISO day, as text, and the last day of the same ("" for none)."""
        line = self.lines.get(technique) or self.lines[ANY_OTHER]
        text, through = line[bisect_left(self.lasts, day)]
        return text, "" if through is None else self.lasts[through]

    def said_on(self, day: str) -> Iterator[tuple[str, str]]:
        """What is said on an ISO day, as text, by technique; what "*" names is said of all others."""
        run = bisect_left(self.lasts, day)
        for named, line in self.lines.items():
            yield named, line[run][0]


def of_text(text: str) -> Ready:
    """The inverse of :func:`to_text`, as far as a question needs it."""
    _, stated, lasts, lines = text.split("\n", 3)
    days = lasts.split()
    return Ready(stated, days, _read_lines(lines, len(days) + 1))


@lru_cache(maxsize=MOST_SHAPES)
def _read_lines(text: str, runs: int) -> Mapping[str, Line]:
    """Most registrations share these lines with many others, so that they are read once for all of them."""
    return dict(_read_line(line.split("\t"), runs) for line in text.split("\n"))


def _read_line(parts: Sequence[str], runs: int) -> tuple[str, Line]:
    named, *answers = parts
    line: list[tuple[str, int | None]] = []
    for last, through, text in zip(answers[::3], answers[1::3], answers[2::3], strict=True):
        until = int(last) + 1 if last else runs
        line += [(text, int(through) if through else None)] * (until - len(line))
    return named, tuple(line)


def by_these_rules(text: str, rules: RulesHistory) -> bool:
    """Whether kept answers were given by these rules of the body, and can be believed."""
    return text.startswith(print_of(rules))


MOST_PRINTS = 1024
_prints: dict[int, tuple[tuple[BodyRules, ...], str]] = {}


def print_of(rules: RulesHistory) -> str:
    """Tells one history of rules from every other, of whichever body: it is taken of all that they say.

    It tells this way of keeping answers from others, too: where one word of the vocabulary is new, nothing
    that was kept before is believed, rather than read as something else.

    A body's history is read once and shared, so it is known by being the same object.
    """
    known = _prints.get(id(rules.versions))
    if known is not None and known[0] is rules.versions:
        return known[1]
    if len(_prints) >= MOST_PRINTS:
        _prints.clear()
    written = documents.dump([documents.rules_document(version) for version in rules.versions])
    printed = blake2b((HOW_IT_IS_READ + written).encode(), digest_size=PRINT_LENGTH // 2).hexdigest()
    _prints[id(rules.versions)] = (rules.versions, printed)
    return printed


def stated_of(document: Mapping[str, Any]) -> Stated:
    """Whom a stored entry belongs to."""
    return Stated(
        document["number"], document["practitioner"], document.get("name"), document.get("withheld", False)
    )
