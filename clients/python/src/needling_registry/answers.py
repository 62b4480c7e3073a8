"""Questions, and the answers to them: "may this person use this technique, on that day?".

``authorized`` is true only for a yes: the register said so, *and* the outcome is one that this version knows
as a yes to the question as it was asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from .vocabulary import Mode, Outcome, PracticePermission, Reason, Standing, Technique, is_yes


def asked_day(day: date) -> str:
    """A day as it is sent.

    :raises TypeError: it is a ``datetime``, whose day depends on the place: what counts is the body's own.
    """
    if isinstance(day, datetime) or not isinstance(day, date):
        raise TypeError(f"give a datetime.date, a local day where the body is, not {day!r}")
    return day.isoformat()


def asked_instant(instant: datetime) -> str:
    """An instant as it is sent.

    :raises ValueError: it is naive: nobody knows which instant that is.
    """
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"give a datetime with its time zone, not {instant!r}")
    return instant.isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May this person use a technique, on a day, according to a body?

    :param body: the code of the body, such as ``ca-ab``.
    :param number: of the registration, as the body writes it.
    :param technique: ``None`` for each of them.
    :param on: a local day of the body; ``None`` for its today.
    :param ref: your own name for the question, of at most 200 characters; the answer bears it.
    """

    body: str
    number: str
    technique: Technique | str | None = None
    on: date | None = None
    mode: Mode | str = Mode.INDEPENDENT
    ref: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is sent. Raises as :func:`asked_day` does."""
        given = {"body": self.body, "number": self.number, "mode": str(self.mode)}
        if self.technique is not None:
            given["technique"] = str(self.technique)
        if self.on is not None:
            given["on"] = asked_day(self.on)
        if self.ref is not None:
            given["ref"] = self.ref
        return given


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A regulatory body. ``time_zone`` is the IANA name of the zone in which its days begin."""

    code: str
    name: str
    jurisdiction: str
    time_zone: str
    website: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition on practice; ``text`` is ``None`` where the body withholds it."""

    text: str | None
    withheld: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedPractitioner:
    """Whom a number belongs to; ``name`` is ``None`` where the record is withheld."""

    id: str
    name: str | None
    withheld: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """A status as its body worded it, and what it was taken to mean."""

    word: str
    practice: PracticePermission
    disciplinary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationOnDay:
    """How a registration stands on the day: ``since`` and ``until`` are its first and last local day."""

    standing: Standing
    also: tuple[Standing, ...]
    since: date | None
    until: date | None
    term_from: date | None
    term_through: date | None
    source_status: SourceStatus | None
    register_class: str | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationOnDay:
    """How an authorization stands on the day."""

    id: str
    standing: Standing
    also: tuple[Standing, ...]
    since: date | None
    until: date | None
    term_from: date | None
    term_through: date | None
    source_status: SourceStatus | None
    mode: Mode | None
    conditions: tuple[Condition, ...]
    excluded_regions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefVerdict:
    """The answer for one technique.

    :param valid_through: the last local day of the same answer as known now; ``None``: no end is known.
    """

    technique: Technique
    authorized: bool
    outcome: Outcome
    reasons: tuple[Reason, ...]
    conditions: tuple[Condition, ...]
    excluded_regions: tuple[str, ...]
    valid_through: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer for one technique, with what it rests on.

    :param valid_through: the last local day of the same answer as known now; ``None``: no end is known.
    :param valid_until: the instant at which that day is over.
    """

    technique: Technique
    authorized: bool
    outcome: Outcome
    reasons: tuple[Reason, ...]
    conditions: tuple[Condition, ...]
    excluded_regions: tuple[str, ...]
    valid_through: date | None
    valid_until: datetime | None
    authorizations: tuple[AuthorizationOnDay, ...]


class _HasVerdict(Protocol):
    @property
    def authorized(self) -> bool: ...
    @property
    def outcome(self) -> Outcome: ...


V = TypeVar("V", Verdict, BriefVerdict)


def _judged(verdicts: Iterable[V], mode: Mode) -> tuple[V, ...]:
    """The verdicts, of which none is a yes by the register's word alone."""
    return tuple(
        replace(each, authorized=False) if each.authorized and not is_yes(each.outcome, mode) else each
        for each in verdicts
    )


def _all_yes(verdicts: tuple[_HasVerdict, ...]) -> bool:
    return bool(verdicts) and all(verdict.authorized for verdict in verdicts)


def _first_end(ends: Iterable[date | None]) -> date | None:
    return min((end for end in ends if end is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """May this person needle, on a day, according to one body?

    :param verdicts: one for each technique that was asked about.
    :param authorized: whether each of them is a yes.
    :param as_of: the instant (UTC) of the answer.
    """

    body: Body
    number: str
    practitioner: VerifiedPractitioner | None
    on: date
    mode: Mode
    known_at: datetime | None
    as_of: datetime
    authorized: bool
    registration: RegistrationOnDay | None
    verdicts: tuple[Verdict, ...]

    def __post_init__(self) -> None:
        verdicts = _judged(self.verdicts, self.mode)
        object.__setattr__(self, "verdicts", verdicts)
        object.__setattr__(self, "authorized", self.authorized and _all_yes(verdicts))

    @property
    def valid_through(self) -> date | None:
        """The last local day on which all of this holds, as known now; ``None``: no end is known."""
        return _first_end(verdict.valid_through for verdict in self.verdicts)

    @property
    def valid_until(self) -> datetime | None:
        """The instant (UTC) at which that day is over where the body is."""
        return min((v.valid_until for v in self.verdicts if v.valid_until is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongValue:
    """A value that cannot be right: where in the question (RFC 6901), and what would be."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionProblem:
    """Why one question of a batch got no answer."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[WrongValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one of many questions. Where ``error`` says why there is none, most else is ``None``.

    :param index: the place of the question among those that were given, from 0.
    """

    index: int
    ref: str | None
    body: str | None
    number: str | None
    practitioner: VerifiedPractitioner | None
    on: date | None
    mode: Mode | None
    as_of: datetime
    authorized: bool
    verdicts: tuple[BriefVerdict, ...]
    error: QuestionProblem | None

    def __post_init__(self) -> None:
        verdicts = _judged(self.verdicts, self.mode or Mode.INDEPENDENT)
        yes = self.authorized and self.error is None and self.on is not None and _all_yes(verdicts)
        object.__setattr__(self, "verdicts", verdicts)
        object.__setattr__(self, "authorized", yes)

    @property
    def valid_through(self) -> date | None:
        """The last local day on which all of this holds, as known now; ``None``: no end is known."""
        return _first_end(verdict.valid_through for verdict in self.verdicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBatch:
    """One answer to each question, in the order of the questions."""

    answers: tuple[Answer, ...]
