"""May this registration use dry needling on a day? The same ladder for every peer that is written in Python.

It is simpler than the register's own: the peers' tables hold nothing that would need more (see
:mod:`bench.peers.tables`, which refuses what they cannot hold).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypedDict

TECHNIQUE = "dry_needling"
IN_FORCE = "in_force"
LIVE = (IN_FORCE, "in_grace")
NOT_YET = "not_yet"
UNKNOWN = "unknown"
FOREVER = date.max
"""The last day of what has no known end, as the peers' tables hold it: so a day is between two others."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How something stands on the day.

    :param also: what holds besides, such as ``suspended`` of what has lapsed.
    :param through: the last day of it.
    """

    standing: str
    also: str | None
    through: date


class Answer(TypedDict):
    """What every peer answers, as JSON."""

    body: str
    number: str
    name: str | None
    on: date
    authorized: bool
    outcome: str
    reasons: list[str]
    valid_through: date | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a registration on the day that was asked about.

    :param may_needle: whether the register class may, by the body's rules; ``None`` where none say.
    :param rules_through: the last day of those rules.
    :param authorization: for the technique; ``None`` where there is none.
    """

    name: str | None
    registration: Standing
    conditions: str | None
    may_needle: bool | None
    rules_through: date | None
    authorization: Standing | None


def answer(body: str, number: str, on: date, known: Known | None) -> Answer:
    """The answer to the question; nothing is ``known`` of a number that the body never registered."""
    if known is None:
        return _answer(body, number, None, on, "not_found", ["never_registered"], None)
    ends = [
        known.registration.through,
        FOREVER if known.authorization is None else known.authorization.through,
        known.rules_through or FOREVER,
    ]
    through = min(ends)
    last = None if through == FOREVER else through
    return _answer(body, number, known.name, on, _outcome(known), _reasons(known), last)


def _answer(
    body: str, number: str, name: str | None, on: date, outcome: str, reasons: list[str], through: date | None
) -> Answer:
    return {
        "body": body,
        "number": number,
        "name": name,
        "on": on,
        "authorized": outcome in ("authorized", "authorized_with_conditions"),
        "outcome": outcome,
        "reasons": reasons,
        "valid_through": through,
    }


def _outcome(known: Known) -> str:
    registration, authorization = known.registration, known.authorization
    if registration.standing == UNKNOWN:
        return "unknown"
    if registration.standing not in LIVE:
        return "registration_not_in_force"
    if known.may_needle is False:
        return "class_not_eligible"
    if authorization is None:
        return "technique_not_covered"
    if authorization.standing == UNKNOWN:
        return "unknown"
    if authorization.standing not in LIVE:
        return "authorization_not_in_force"
    return "authorized_with_conditions" if known.conditions else "authorized"


def _reasons(known: Known) -> list[str]:
    found = _standing_reasons("registration", known.registration)
    if known.may_needle is False and known.registration.standing != NOT_YET:
        found.append("class_not_eligible")
    if known.authorization is None:
        found.append("technique_not_covered")
    else:
        found += _standing_reasons("authorization", known.authorization)
    if known.conditions:
        found.append("registration_conditions")
    return found


def _standing_reasons(subject: str, standing: Standing) -> list[str]:
    holds = (standing.standing, standing.also)
    return [f"{subject}_{each}" for each in holds if each is not None and each != IN_FORCE]
