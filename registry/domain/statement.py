"""What the register itself says of a term on one day, so that it can be written down as a snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from .decisions import StatusReport
from .snapshot import ENDED, NOTHING_SAID, Stated, judged_index
from .timeline import PERMITTING, Span, Timeline
from .vocabulary import PracticePermission, Standing


def state(timeline: Timeline, day: date) -> Stated | None:
    """The latest term that is decided, as it stands on a local day, or on its first if that is still to come.

    Explained to the register that it was taken from, it changes nothing. Explained to one that knows nothing
    else, it leaves the same from the day on; of past days it tells no more than is sure.

    :returns: ``None`` where nothing is decided.
    """
    latest = timeline.spans[-1]
    if latest.term_from is None:
        return None
    index = judged_index(timeline, day, latest.term_from)
    span = timeline.spans[index]
    leaves = _leaves(span)
    return Stated(
        first_day=latest.term_from,
        last_day=latest.term_through,
        open_ended=latest.term_through is None,
        status_day=_since(timeline, index, leaves),
        report=_report(span.report, leaves),
        scope=span.scope or NOTHING_SAID,
    )


def _leaves(span: Span) -> Standing:
    """The standing to be told: of several that hold, the one that a term's end does not bring about."""
    for standing in (Standing.UNKNOWN, *ENDED, Standing.SUSPENDED, Standing.LAPSED):
        if standing in span.holds:
            return standing
    return Standing.IN_FORCE


def _report(report: StatusReport | None, leaves: Standing) -> StatusReport | None:
    if report is None:
        practice = PracticePermission.UNKNOWN if leaves is Standing.UNKNOWN else PracticePermission.NO
        return None if leaves is Standing.IN_FORCE else StatusReport("", practice, leaves=leaves)
    practice = report.practice
    if leaves is Standing.UNKNOWN:
        practice = PracticePermission.UNKNOWN
    elif leaves is Standing.IN_FORCE and practice not in PERMITTING:
        practice = PracticePermission.YES
    return replace(report, practice=practice, leaves=leaves)


def _since(timeline: Timeline, index: int, leaves: Standing) -> date | None:
    """Since when a standing holds, where the days before it in the term are known to be in force."""
    span = timeline.spans[index]
    if leaves is Standing.IN_FORCE or _is_by_date(timeline, index, leaves):
        return None
    while index > 0 and leaves in timeline.spans[index - 1].holds:
        index -= 1
    first = timeline.spans[index]
    term_from = span.term_from or first.first_day
    if first.first_day <= term_from:
        return None if leaves is Standing.UNKNOWN else term_from
    return first.first_day if timeline.spans[index - 1].standing.permits_practice else None


def _is_by_date(timeline: Timeline, index: int, leaves: Standing) -> bool:
    """Whether a term lapsed by nothing but the passing of its last day."""
    if leaves is not Standing.LAPSED:
        return False
    while index > 0 and Standing.LAPSED in timeline.spans[index - 1].holds:
        index -= 1
    through = timeline.spans[index].term_through
    return through is not None and through <= timeline.spans[index].first_day
