"""Rosters: a clinic's staff, put down once and asked about as one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from .answers import Answer, VerifiedPractitioner
from .vocabulary import Mode, Outcome, Reason, Technique


class Member(NamedTuple):
    """Someone on a roster: the code of a body, and the number that it registered them by."""

    body: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSummary:
    """A roster, and how many are on it."""

    name: str
    size: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterMember:
    """Someone on a roster, whether the body ever registered the number or not."""

    body: str
    number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A roster. ``etag`` names exactly this version of it."""

    name: str
    size: int
    created_at: datetime
    changed_at: datetime
    members: tuple[RosterMember, ...]
    etag: str = field(default="", compare=False, metadata={"ours": True})

    def consists_of(self, members: frozenset[Member]) -> bool:
        """Whether these are on it, and nobody else."""
        return frozenset(Member(each.body, each.number) for each in self.members) == members


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterSummaryPage:
    """Some of your rosters, and where to go on."""

    items: tuple[RosterSummary, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysWithoutRun:
    """Days, inclusive, that get one answer, which is not a yes. ``ongoing``: the day after gets it too."""

    first: date = field(metadata={"name": "from"})
    last: date = field(metadata={"name": "to"})
    days: int
    outcome: Outcome
    reasons: tuple[Reason, ...]
    ongoing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysWithout:
    """On which days of the range someone was not authorized."""

    body: str
    number: str
    practitioner: VerifiedPractitioner | None
    days: int
    runs: tuple[DaysWithoutRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterStanding:
    """How everyone on a roster stands: ``answers`` for a day, or ``days_without`` for a range."""

    roster: str
    technique: Technique | None
    mode: Mode
    first: date | None = field(metadata={"name": "from"})
    last: date | None = field(metadata={"name": "to"})
    answers: tuple[Answer, ...]
    days_without: tuple[DaysWithout, ...]
