"""Runs of days through which one standing holds, whatever else changes meanwhile."""

from __future__ import annotations

from datetime import date

from .timeline import Timeline
from .vocabulary import Standing


def run_on(timeline: Timeline, day: date, standing: Standing) -> tuple[date, date | None] | None:
    """The first and last local day of the run that covers ``day``; ``None`` where the standing does not hold.

    The last day is ``None`` where the run goes on until another decision.
    """
    at = timeline.index_on(day)
    if standing not in timeline.spans[at].holds:
        return None
    first = last = at
    while first > 0 and standing in timeline.spans[first - 1].holds:
        first -= 1
    while last + 1 < len(timeline.spans) and standing in timeline.spans[last + 1].holds:
        last += 1
    return timeline.spans[first].first_day, timeline.spans[last].last_day
