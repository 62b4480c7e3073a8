"""What a regulatory body decided: a fact that is recorded once and never changed or deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from .vocabulary import DecisionKind, Mode, PracticePermission, Standing, Technique


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on practice, in the body's words. ``withheld`` hides the words, never that there is one."""

    text: str
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What a term permits. A registration uses ``register_class`` and ``conditions`` alone.

    ``techniques`` are those that the body named; what they cover besides is a rule of the body.
    """

    register_class: str | None = None
    techniques: frozenset[Technique] = frozenset()
    mode: Mode = Mode.INDEPENDENT
    conditions: tuple[Condition, ...] = ()
    excluded_regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A status as a source worded it, and what the mapping profile took it to mean.

    ``leaves`` is the standing that holds from the decision's day while the term runs; the period must
    hold too, so ``in_force`` never revives a term that is over, and ``practice`` must permit it, so a word
    that is not understood never reads as a yes.
    """

    word: str
    practice: PracticePermission
    disciplinary: bool = False
    leaves: Standing = Standing.UNKNOWN


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a body about one registration or authorization.

    :param id: identifies the decision; breaks ties between decisions recorded at the same instant.
    :param effective_on: the first local day on which it has effect; for ``voided``, that of what it voids.
    :param through: the last local day of the term or suspension; ``None`` is open-ended.
    :param recorded_at: the instant (UTC, aware) at which the register learnt of it.
    :param voids: for ``voided``, the decision that it takes back.
    """

    id: str
    kind: DecisionKind
    effective_on: date
    recorded_at: datetime
    through: date | None = None
    scope: Scope | None = None
    report: StatusReport | None = None
    voids: str | None = None

    @property
    def order(self) -> tuple[date, datetime, str]:
        """Decisions take effect by day; within a day, as they were recorded."""
        return (self.effective_on, self.recorded_at, self.id)


@dataclass(frozen=True, slots=True)
class Known:
    """The decisions in effect as known at a moment, in the order in which they take effect."""

    decisions: tuple[Decision, ...] = ()
    voided: frozenset[str] = frozenset()


def known(decisions: Iterable[Decision], known_at: datetime | None = None) -> Known:
    """Those of ``decisions`` that stood at ``known_at`` (all that are recorded where it is ``None``).

    A voiding may itself be voided, which restores what it took back.
    """
    recorded = [d for d in decisions if known_at is None or d.recorded_at <= known_at]
    voided = _voided([d for d in recorded if d.kind is DecisionKind.VOIDED])
    standing = [d for d in recorded if d.kind is not DecisionKind.VOIDED and d.id not in voided]
    standing.sort(key=lambda d: d.order)
    return Known(tuple(standing), voided)


def _voided(voidings: Sequence[Decision]) -> frozenset[str]:
    """What ``voidings`` take back. What names what decides, so instants and ids need not be in order.

    Each pass settles what is one voiding further from one that nothing takes back.
    """
    voided: frozenset[str] = frozenset()
    for _ in voidings:
        voided = frozenset(d.voids for d in voidings if d.voids is not None and d.id not in voided)
    return voided
