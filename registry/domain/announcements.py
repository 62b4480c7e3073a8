"""What the passing of time brings about, so that it can be announced on its day.

A span that begins is told by what is new in it, first match wins:

1. ``lapsed``: the term and its grace are over.
2. ``term_ended``: a revocation or a surrender that was recorded ahead takes effect.
3. ``standing_unknown``: a status word that was recorded ahead is not understood.
4. ``suspension_begun``: a suspension that was recorded ahead takes effect.
5. ``grace_begun``: the last day is over, the grace is not.
6. ``term_begun``: a term that was recorded ahead begins.
7. ``suspension_over``: its last day is over, or a reinstatement that was recorded ahead takes effect.
8. ``scope_changed``: another class, technique, mode, condition or region holds; or another status word.

``expiring`` is told ahead: so many days before a last day that nothing on record extends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from .localtime import day_after, day_before
from .timeline import Span, Timeline
from .vocabulary import Standing, Turning

EXPIRY_NOTICES = (60, 30, 7)
"""Days before a term's last day on which its expiry is told ahead."""

ENDED = frozenset({Standing.REVOKED, Standing.SURRENDERED})
OVER = frozenset({Standing.LAPSED, Standing.IN_GRACE})


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that a local day brings.

    :param was: the standing on the day before; ``is_`` that of the day.
    :param term_through: the last day of the term concerned; ``None`` for an open-ended one.
    :param days_left: for ``expiring``, the days until then.
    :param begun_by: the decision, recorded ahead, that takes effect; ``None`` where none does.
    """

    turning: Turning
    day: date
    was: Standing
    is_: Standing
    term_through: date | None
    days_left: int | None = None
    begun_by: str | None = None


def announcements_on(timeline: Timeline, day: date) -> Iterator[Announcement]:
    """What a local day brings to one registration or authorization, the expiry told ahead first."""
    for days_left in EXPIRY_NOTICES:
        expiring = _expiring(timeline, day, days_left)
        if expiring is not None:
            yield expiring
    begun = _begun(timeline, day)
    if begun is not None:
        yield begun


def _begun(timeline: Timeline, day: date) -> Announcement | None:
    eve, span = day_before(day), timeline.on(day)
    if eve is None or span.first_day != day:
        return None
    before = timeline.on(eve)
    turning = _what_begins(before, span)
    return Announcement(
        turning, day, before.standing, span.standing, span.term_through, begun_by=span.begun_by
    )


def _what_begins(before: Span, span: Span) -> Turning:
    new = set(span.holds).difference(before.holds)
    if Standing.LAPSED in new:
        return Turning.LAPSED
    if new & ENDED:
        return Turning.TERM_ENDED
    if Standing.UNKNOWN in new:
        return Turning.STANDING_UNKNOWN
    if Standing.SUSPENDED in new:
        return Turning.SUSPENSION_BEGUN
    if Standing.IN_GRACE in new:
        return Turning.GRACE_BEGUN
    if span.term_from != before.term_from:
        return Turning.TERM_BEGUN
    if Standing.SUSPENDED in before.holds and Standing.SUSPENDED not in span.holds:
        return Turning.SUSPENSION_OVER
    if span.standing.permits_practice and not before.standing.permits_practice:
        return Turning.TERM_BEGUN
    return Turning.SCOPE_CHANGED


def _expiring(timeline: Timeline, day: date, days_left: int) -> Announcement | None:
    if (date.max - day).days <= days_left:
        return None
    last_day = day + timedelta(days=days_left)
    if not runs_out(timeline, day, last_day):
        return None
    standing = timeline.on(day).standing
    return Announcement(Turning.EXPIRING, day, standing, standing, last_day, days_left)


def runs_out(timeline: Timeline, day: date, last_day: date) -> bool:
    """Whether a term runs on a local day, suspended or not, that ends with ``last_day`` and is not extended.

    As far as is on record: the day after its last, its grace begins or it has lapsed.
    """
    last = timeline.on(last_day)
    if last.term_through != last_day or not _is_one_term(timeline.on(day), last):
        return False
    following = day_after(last_day)
    return following is not None and not OVER.isdisjoint(timeline.on(following).holds)


def _is_one_term(now: Span, last: Span) -> bool:
    """Whether a term runs on both days, suspended or not, and it is the same."""
    gone = {*ENDED, Standing.LAPSED}
    return now.term_from is not None and now.term_from == last.term_from and gone.isdisjoint(last.holds)
