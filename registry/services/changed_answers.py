"""What an event tells of the answers: what was answered to the plain question on a day, and is answered now.

Told is what a booking depends on: an answer that was, or is, a yes to someone; or that is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import lru_cache

from registry.domain.localtime import ONE_DAY
from registry.domain.verdict import (
    Question,
    Standings,
    answers_between,
    is_yes,
    techniques_ever_covered,
)
from registry.domain.vocabulary import Mode, Outcome, Technique
from registry.store import ready_answers

Told = dict[str, str]
Outcomes = Callable[[Technique, date], Outcome]


def changed_answers(before: Standings, after: Standings, days: Iterable[date]) -> list[Told]:
    """The answers on these local days that a change altered."""
    covered = techniques_ever_covered(before) | techniques_ever_covered(after)
    return list(_changed(_outcomes(before, covered), _outcomes(after, covered), days))


def turned_answers(kept: str, day: date) -> list[Told]:
    """The answers of a local day that differ from those of its eve, by time alone; from the kept answers."""
    outcome = _kept_outcomes(kept)
    return list(_changed(lambda technique, _: outcome(technique, day - ONE_DAY), outcome, [day]))


def first_answers(kept: str, days: Iterable[date]) -> list[Told]:
    """What :func:`changed_answers` says of a registration that was not there before, by its kept answers."""
    ready = ready_answers.of_text(kept)
    return [told for day in sorted(days) for told in _first_on(ready, day.isoformat())]


def _first_on(ready: ready_answers.Ready, day: str) -> Iterator[Told]:
    said = {named: _said_outcome(text) for named, text in ready.said_on(day)}
    if any(map(_matters, said.values())):
        for technique in Technique:
            outcome = said[technique if technique in said else ready_answers.ANY_OTHER]
            if _matters(outcome):
                yield {"technique": technique, "on": day, "was": Outcome.NOT_FOUND, "is": outcome}


def _kept_outcomes(kept: str) -> Outcomes:
    ready = ready_answers.of_text(kept)

    def outcome(technique: Technique, day: date) -> Outcome:
        text, _ = ready.on(technique, day.isoformat())
        return _said_outcome(text)

    return outcome


def _changed(was: Outcomes, is_: Outcomes, days: Iterable[date]) -> Iterator[Told]:
    for day in sorted(days):
        for technique in Technique:
            one, other = was(technique, day), is_(technique, day)
            if one is not other and (_matters(one) or _matters(other)):
                yield {"technique": technique, "on": day.isoformat(), "was": one, "is": other}


MATTERS = frozenset(o for o in Outcome if o is Outcome.UNKNOWN or is_yes(o, Mode.SUPERVISED))


def _matters(outcome: Outcome) -> bool:
    return outcome in MATTERS


def _outcomes(standings: Standings, covered: frozenset[Technique]) -> Outcomes:
    """What is answered; once for all techniques that no authorization ever covers."""
    known: dict[tuple[Technique | None, date], Outcome] = {}

    def outcome(technique: Technique, day: date) -> Outcome:
        key = (technique if technique in covered else None, day)
        if key not in known:
            ((verdict, _),) = answers_between(Question(technique, day), standings, day)
            known[key] = verdict.outcome
        return known[key]

    return outcome


@lru_cache(maxsize=4096)
def _said_outcome(text: str) -> Outcome:
    return ready_answers.said(text).outcome
