"""What a body's own snapshot says of its registrations: how things stand on one day, not what was decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from .decisions import Scope, StatusReport
from .timeline import Timeline
from .vocabulary import PracticePermission, Standing

LISTED = StatusReport("listed", PracticePermission.YES, leaves=Standing.IN_FORCE)
"""What stands for a status word where a register has none, and its list alone says that something holds."""

NOT_LISTED = StatusReport("not listed", PracticePermission.NO, leaves=Standing.LAPSED)
"""What a snapshot says of an authorization by naming it no longer."""

NOTHING_SAID = Scope()
ENDED = (Standing.REVOKED, Standing.SURRENDERED)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a snapshot says of one term: of a registration, or of an authorization.

    :param first_day: since when; ``None`` where it does not say.
    :param last_day: the last local day; ``None`` with ``open_ended`` where it says that there is none.
    :param renewed_day: the day of the last renewal, where it says so.
    :param status_day: the day since which the status word holds, where it says so.
    :param report: the status word; ``None`` where the list alone says that the term stands.
    :param scope: what is permitted, as far as the snapshot speaks of it.
    :param speaks_of: the fields of ``scope`` that it speaks of; the others stay as they are.
    """

    first_day: date | None = None
    last_day: date | None = None
    open_ended: bool = False
    renewed_day: date | None = None
    status_day: date | None = None
    report: StatusReport | None = None
    scope: Scope = NOTHING_SAID
    speaks_of: frozenset[str] = frozenset()

    @property
    def leaves(self) -> Standing:
        """The standing that the word leaves while the term runs."""
        return Standing.IN_FORCE if self.report is None else self.report.leaves

    @property
    def speaks_of_end(self) -> bool:
        """Whether the snapshot says how long the term lasts."""
        return self.last_day is not None or self.open_ended

    def scope_over(self, scope: Scope) -> Scope:
        """``scope`` with what the snapshot says instead."""
        if not self.speaks_of:
            return scope
        return replace(scope, **{name: getattr(self.scope, name) for name in self.speaks_of})


@dataclass(frozen=True, slots=True)
class StatedName:
    """A name as the snapshot gives it."""

    full_name: str
    given: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a snapshot: a registration and its holder. What is ``None`` it does not speak of.

    :param city: ``""`` where it says that there is none.
    :param withheld: the snapshot asks that the holder's identity be withheld.
    """

    number: str
    name: StatedName
    registration: Stated
    former_names: tuple[str, ...] | None = None
    city: str | None = None
    languages: tuple[str, ...] | None = None
    authorizations: tuple[Stated, ...] | None = None
    withheld: bool = False


def judged_index(timeline: Timeline, day: date, first_day: date | None) -> int:
    """The position of the span by which a register is compared with a snapshot of ``day``.

    That of the day itself; where no term runs on it, that of the next one that begins on ``first_day``, and
    before the first term, that with which it begins.
    """
    index = timeline.index_on(day)
    standing = timeline.spans[index].standing
    if first_day is not None and first_day > day and standing in (Standing.NOT_YET, Standing.LAPSED, *ENDED):
        for later in range(index + 1, len(timeline.spans)):
            if timeline.spans[later].term_from == first_day:
                return later
    not_begun = standing is Standing.NOT_YET and index + 1 < len(timeline.spans)
    return index + 1 if not_begun else index


def next_doubt(timeline: Timeline, day: date) -> date | None:
    """The first day after ``day`` on which the register may say otherwise, unless for a term's end.

    Until then, the same row of a later snapshot needs no new comparison. ``None`` where there is no such day.
    """
    held = timeline.on(day)
    for span in timeline.after(day):
        if span.begun_by is not None or Standing.SUSPENDED in held.holds or held.standing is Standing.NOT_YET:
            return span.first_day
        held = span
    return None
