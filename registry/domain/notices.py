"""Which notice a local day calls for: before a term ends that nothing extends, and when a suspension begins.

Thresholds are days before a term's last day. Of several that have come, only the nearest to the end is due:
who was not told at sixty days is told once at thirty, not twice. A threshold whose day lies before the term
began is none of that term's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from .announcements import EXPIRY_NOTICES, runs_out
from .runs import run_on
from .timeline import Timeline
from .vocabulary import Standing

THRESHOLDS = (*EXPIRY_NOTICES, 0)
"""Days before a term's last day on which its holder is told: 60, 30, 7, and on the day itself."""

TOLD_OF_SUSPENSION = timedelta(days=30)
"""A suspension that is older when it becomes known here is history, of which nobody is told by mail."""


class NoticeKind(StrEnum):
    """What a message is about."""

    TERM_ENDS = "term_ends"
    SUSPENDED = "suspended"
    DIGEST = "digest"


class NoticeState(StrEnum):
    """What became of a message."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    NO_ADDRESS = "no_address"
    REFUSED = "refused"
    BOUNCED = "bounced"
    PASSED_OVER = "passed_over"
    CANCELLED = "cancelled"


NOT_REACHED = frozenset(
    {NoticeState.NO_ADDRESS, NoticeState.REFUSED, NoticeState.BOUNCED, NoticeState.PASSED_OVER}
)
"""States of a message of which nobody can say that it was read."""

ON_ITS_WAY = frozenset({NoticeState.QUEUED, NoticeState.SENDING})


class TemplateKind(StrEnum):
    """The texts that a body may word by itself."""

    TERM_ENDS = "term_ends"
    ENDS_TODAY = "ends_today"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class TermNotice:
    """What is due before the end of a term.

    :param threshold: the one that is due now; ``None`` where the term is over.
    :param passed: those that had come before, of which none is sent any more.
    """

    last_day: date
    threshold: int | None
    passed: tuple[int, ...]


def threshold_on(day: date, last_day: date) -> int | None:
    """The threshold nearest to the end that has come on a day; ``None`` before all of them, and after it."""
    left = (last_day - day).days
    return min((each for each in THRESHOLDS if 0 <= left <= each), default=None)


def term_notice(timeline: Timeline, today: date, last_day: date) -> TermNotice | None:
    """What a local day calls for before the end of a term; ``None`` where nothing has come, or it goes on.

    :param last_day: of the term; where it lies before ``today``, all that was to be sent is passed over.
    """
    if not runs_out(timeline, min(today, last_day), last_day):
        return None
    began = timeline.on(last_day).term_from
    due = threshold_on(today, last_day)
    come = [each for each in THRESHOLDS if _has_come(each, today, last_day, began)]
    passed = tuple(each for each in come if each != due)
    if due not in come:
        due = None
    return TermNotice(last_day, due, passed) if come else None


def _has_come(threshold: int, today: date, last_day: date, began: date | None) -> bool:
    day = last_day - timedelta(days=threshold)
    return day <= today and (began is None or began <= day)


def suspension_notice(timeline: Timeline, today: date) -> date | None:
    """The first local day of the suspension that holds; ``None`` where none does that is to be told of."""
    if timeline.on(today).standing is not Standing.SUSPENDED:
        return None
    run = run_on(timeline, today, Standing.SUSPENDED)
    return None if run is None or today - run[0] > TOLD_OF_SUSPENSION else run[0]
