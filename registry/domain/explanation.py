"""The decisions that explain how a register came to stand as a body's snapshot says it does.

A snapshot says how things stand on one day; the register keeps what was decided. :func:`explain` compares
one :class:`~registry.domain.snapshot.Stated` term with what is on record and drafts the decisions between the
two. What it drafts is folded again and must leave, on the snapshot's day, what the snapshot says; where no
decisions can, it raises :class:`Unexplainable` rather than guess. Where a snapshot does not say when a thing
happened, the days before it are left ``unknown`` or as they were: a wrong yes for a past day is worse than no
answer.

What was on record -> what the snapshot says, and what is drafted:

=====================================  =====================================================================
nothing                                ``granted`` from the stated first day, then what the status word leaves
a later last day, or none any more     ``renewed``, from the day that the snapshot gives for it; else after
                                       the old term, unless that is over by the snapshot's day
an earlier last day, another first     a correction: the decision that said otherwise is voided and recorded
                                       anew
revoked or surrendered -> in force     ``granted`` anew
another class, condition, technique    ``conditions_set``
suspended -> in force                  ``reinstated``
another standing or word               the decision that leaves it, or ``status_reported``
=====================================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import takewhile

from .decisions import Decision, Scope, StatusReport, known
from .localtime import day_after
from .snapshot import ENDED, LISTED, NOT_LISTED, Stated, judged_index
from .timeline import GraceDays, Objection, Span, Timeline, fold
from .vocabulary import DecisionKind, PracticePermission, Standing

DECIDES = {
    Standing.SUSPENDED: DecisionKind.SUSPENDED,
    Standing.REVOKED: DecisionKind.REVOKED,
    Standing.SURRENDERED: DecisionKind.SURRENDERED,
}
"""The decision that leaves a standing; every other one is reported."""

TERMS = (DecisionKind.GRANTED, DecisionKind.RENEWED)
"""What sets a term."""


class Unexplainable(Exception):
    """No decisions lead from what is on record to what the snapshot says. The message says why."""


@dataclass(slots=True)
class _Explanation:
    """The work of :func:`explain`: what is stated, what is on record, what has been drafted so far."""

    stated: Stated
    record: Sequence[Decision]
    day: date
    at: datetime
    new_id: Callable[[], str]
    grace: GraceDays
    drafts: list[Decision] = field(default_factory=list)
    folded: Timeline | None = None

    def draft(
        self,
        kind: DecisionKind,
        on: date,
        *,
        through: date | None = None,
        scope: Scope | None = None,
        report: StatusReport | None = None,
        voids: str | None = None,
    ) -> None:
        self.drafts.append(Decision(self.new_id(), kind, on, self.at, through, scope, report, voids))
        self.folded = None

    def timeline(self) -> Timeline:
        """What is on record and drafted so far, folded."""
        if self.folded is None:
            self.folded = fold((*self.record, *self.drafts), grace=self.grace)
        return self.folded

    def terms(self) -> list[Decision]:
        """The decisions that have set the terms so far, in order."""
        objected = {decision.id for decision, _ in self.timeline().objections}
        return [
            decision
            for decision in known((*self.record, *self.drafts)).decisions
            if decision.kind in TERMS and decision.id not in objected
        ]

    def latest_term(self) -> Decision:
        terms = self.terms()
        if not terms:
            raise Unexplainable("no term is on record")
        return terms[-1]

    def judged_on(self, timeline: Timeline) -> tuple[date, Span]:
        """The snapshot's day with its span; where no term runs then, that on which the stated one begins."""
        index = judged_index(timeline, self.day, self.stated.first_day)
        span = timeline.spans[index]
        return max(self.day, span.first_day), span

    # --- A registration or authorization that is new to the register ---

    def open(self) -> None:
        stated = self.stated
        first = stated.first_day or min(self.day, stated.last_day or self.day)
        since = stated.status_day
        later = stated.leaves is Standing.UNKNOWN and since is not None and first < since
        report = None if later else stated.report
        self.draft(DecisionKind.GRANTED, first, through=stated.last_day, scope=stated.scope, report=report)
        if later and since is not None:
            self.draft(DecisionKind.STATUS_REPORTED, since, report=stated.report)
        self.settle_opened(first)

    def settle_opened(self, first: date) -> None:
        """What the status word leaves of a term that was granted just now."""
        stated, report = self.stated, self.stated.report
        if report is None or report.leaves in (Standing.IN_FORCE, Standing.UNKNOWN):
            return  # the grant, with its word, leaves it so
        if report.leaves is Standing.LAPSED and self.has_run_out():
            return
        since = max(first, stated.status_day or self.day)
        if stated.status_day is None and first < since and not self.has_ended(stated.last_day):
            unread = replace(report, practice=PracticePermission.UNKNOWN, leaves=Standing.UNKNOWN)
            self.draft(DecisionKind.STATUS_REPORTED, first, report=unread)
        self.decide(report, since)

    def has_ended(self, last_day: date | None) -> bool:
        return self.stated.leaves is Standing.LAPSED and last_day is not None and last_day < self.day

    def has_run_out(self) -> bool:
        """Whether the term is over, and no sooner than on its last day."""
        since, last = self.stated.status_day, self.stated.last_day
        return self.is_over(last) and (since is None or last is None or last <= since)

    def is_over(self, last_day: date | None) -> bool:
        """Whether a term through ``last_day`` is over by the snapshot's day, grace included."""
        return last_day is not None and (self.day - last_day).days > self.grace(last_day)

    def decide(self, report: StatusReport, on: date) -> None:
        """Draft what leaves the standing that the word means."""
        self.draft(DECIDES.get(report.leaves, DecisionKind.STATUS_REPORTED), on, report=report)

    # --- One that the register knows ---

    def compare(self) -> None:
        _, span = self.judged_on(self.timeline())
        ended = any(standing in ENDED for standing in span.holds)
        if ended and self.stated.leaves in (Standing.IN_FORCE, Standing.SUSPENDED):
            self.grant_anew(span)
        else:
            self.settle_terms(ended=ended)
        self.settle_scope()
        self.settle_standing()

    def grant_anew(self, ended: Span) -> None:
        stated = self.stated
        first = stated.first_day
        if first is None or not ended.first_day <= first:
            first = min(self.day, stated.last_day or self.day)
        scope = stated.scope_over(ended.scope or Scope())
        self.draft(DecisionKind.GRANTED, first, through=stated.last_day, scope=scope, report=stated.report)

    def settle_terms(self, *, ended: bool) -> None:
        stated = self.stated
        through = self.latest_term().through
        if stated.speaks_of_end and stated.last_day != through:
            later = through is not None and (stated.last_day is None or stated.last_day > through)
            if later and not ended:
                self.renew(through)
            else:
                self.end_on(stated.last_day)
        terms = self.terms()
        if stated.first_day is not None and all(t.effective_on != stated.first_day for t in terms):
            self.begin_on(stated.first_day, terms)

    def renew(self, through: date | None) -> None:
        stated = self.stated
        last = stated.last_day
        goes_with_it = stated.leaves in (Standing.IN_FORCE, Standing.UNKNOWN)
        report = stated.report if goes_with_it else None
        on = self.renewal_day(through)
        on = (
            on if goes_with_it else min(on, self.day)
        )  # else the renewal would lift, on its day, what is reported
        self.draft(DecisionKind.RENEWED, on, through=last, report=report)

    def renewal_day(self, through: date | None) -> date:
        """When the renewal began: as stated, or after the old term, or (if that is over) not before now."""
        latest = self.latest_term().effective_on
        last = self.stated.last_day or date.max
        for stated in (self.stated.renewed_day, self.stated.first_day):
            if stated is not None and latest < stated <= last:
                return stated
        following = self.day if through is None else day_after(through)
        on = self.day if following is None or self.is_over(through) else following
        return min(on, last)

    def end_on(self, last: date | None) -> None:
        """Correct the last term's end. Renewals that would begin after it, or add nothing, go."""
        terms = self.terms()
        while last is not None and terms and _says_nothing(terms, last):
            self.void(terms.pop())
        if not terms:
            raise Unexplainable("the term would end before it began")
        if terms[-1].through != last:
            self.correct(terms[-1], terms[-1].effective_on, last)

    def begin_on(self, first: date, terms: Sequence[Decision]) -> None:
        """Correct the first day of the term that began nearest to it."""
        nearest = min(terms, key=lambda term: abs((term.effective_on - first).days))
        if nearest.through is not None and first > nearest.through:
            raise Unexplainable(f"its first day, {first}, is after the end of the term on record")
        self.correct(nearest, first, nearest.through)

    def correct(self, decision: Decision, on: date, through: date | None) -> None:
        """Record a term anew. What was decided on its first day about it follows it, as it did."""
        followers = self.followers(decision)
        for each in (*reversed(followers), decision):
            self.void(each)
        for each, last in ((decision, through), *((each, each.through) for each in followers)):
            self.draft(each.kind, on, through=last, scope=each.scope, report=each.report)

    def followers(self, term: Decision) -> list[Decision]:
        """Decisions of a term's first day that were recorded after it, up to the next term's."""
        later = [
            decision
            for decision in known((*self.record, *self.drafts)).decisions
            if decision.effective_on == term.effective_on and decision.order > term.order
        ]
        return list(takewhile(lambda decision: decision.kind not in TERMS, later))

    def void(self, decision: Decision) -> None:
        if decision in self.drafts:
            self.drafts.remove(decision)
            self.folded = None
        else:
            self.draft(DecisionKind.VOIDED, decision.effective_on, voids=decision.id)

    def settle_scope(self) -> None:
        on, span = self.judged_on(self.timeline())
        if span.scope is None or any(standing in ENDED for standing in span.holds):
            return
        wanted = self.stated.scope_over(span.scope)
        if wanted != span.scope:
            self.draft(DecisionKind.CONDITIONS_SET, on, scope=wanted)

    def settle_standing(self) -> None:
        on, span = self.judged_on(self.timeline())
        if self.agrees(on, span):
            return
        leaves = self.stated.leaves
        report = self.stated.report or LISTED
        since = self.since(on, span)
        ending = next((standing for standing in span.holds if standing in ENDED), None)
        if ending is not None and leaves in ENDED and leaves is not ending:
            self.void_ending()
            self.decide(report, since)
        elif ending is not None and leaves is not Standing.UNKNOWN:
            self.draft(DecisionKind.STATUS_REPORTED, on, report=replace(report, leaves=Standing.LAPSED))
        elif leaves is Standing.IN_FORCE and Standing.SUSPENDED in span.holds:
            self.draft(DecisionKind.REINSTATED, since, report=report)
        else:
            self.decide(report, since)

    def since(self, on: date, span: Span) -> date:
        """From when another standing holds: the stated day, unless it is older than what it would change."""
        stated = self.stated.status_day
        return stated if stated is not None and span.first_day <= stated <= on else on

    def void_ending(self) -> None:
        """Take back the decision that ended the term: the snapshot says that it ended otherwise."""
        kinds = (DecisionKind.REVOKED, DecisionKind.SURRENDERED)
        self.void(next(d for d in reversed(known(self.record).decisions) if d.kind in kinds))

    # --- Whether the drafts leave what the snapshot says ---

    def agrees(self, on: date, span: Span) -> bool:
        """Whether a span of the register says of its days what the snapshot says, word and standing."""
        stated = self.stated
        if stated.report is not None and not _same_word(span.report, stated.report):
            return False
        if stated.leaves is Standing.IN_FORCE:
            return span.holds == (self.by_date(on, span),)
        if stated.leaves is Standing.LAPSED:
            return Standing.UNKNOWN not in span.holds and (
                Standing.LAPSED in span.holds or any(standing in ENDED for standing in span.holds)
            )
        if stated.leaves is Standing.UNKNOWN:
            return span.standing is Standing.UNKNOWN
        return Standing.UNKNOWN not in span.holds and stated.leaves in span.holds

    def by_date(self, on: date, span: Span) -> Standing:
        """How a term stands on a day if nothing but its days count."""
        last = span.term_through
        if last is None or on <= last:
            return Standing.IN_FORCE
        return Standing.IN_GRACE if (on - last).days <= self.grace(last) else Standing.LAPSED

    def check(self) -> None:
        """:raises Unexplainable: the drafts do not leave what the snapshot says."""
        timeline = self.timeline()
        before = {decision.id for decision, _ in fold(self.record, grace=self.grace).objections}
        for decision, objection in timeline.objections:
            if decision.id not in before:
                raise Unexplainable(_senseless(decision, objection))
        on, span = self.judged_on(timeline)
        if not self.agrees(on, span):
            raise Unexplainable(f"the register has it {span.standing} on {on}, the file {self.stated.leaves}")
        ended = any(standing in ENDED for standing in span.holds)
        if not ended and span.scope is not None and self.stated.scope_over(span.scope) != span.scope:
            raise Unexplainable("its class or conditions are to change again on that day")
        self.check_days()
        self.check_later(timeline)

    def check_days(self) -> None:
        terms = self.terms()
        if self.stated.speaks_of_end and terms[-1].through != self.stated.last_day:
            raise Unexplainable(f"the register has it end on {terms[-1].through}")
        first = self.stated.first_day
        if first is not None and all(term.effective_on != first for term in terms):
            raise Unexplainable(f"the register has it begin on {terms[0].effective_on}")

    def check_later(self, timeline: Timeline) -> None:
        """What is not in force by its word is not brought into force later by what was drafted."""
        if self.stated.leaves is Standing.IN_FORCE:
            return
        drafted = {draft.id for draft in self.drafts}
        for span in timeline.after(self.day):
            if span.begun_by in drafted and span.standing.permits_practice:
                raise Unexplainable(
                    f"it is {self.stated.leaves}, yet with a term that begins {span.first_day}"
                )


def _says_nothing(terms: Sequence[Decision], last: date) -> bool:
    """Whether the last of ``terms`` would begin after ``last``, or extend nothing if it ended then."""
    if terms[-1].effective_on > last:
        return True
    if terms[-1].kind is DecisionKind.GRANTED or len(terms) == 1:
        return False
    before = terms[-2].through
    return before is not None and before >= last


def _same_word(one: StatusReport | None, other: StatusReport) -> bool:
    """Whether two reports use the same word; one without a word says nothing of words."""
    if not other.word:
        return True
    return one is not None and (one.word, one.disciplinary) == (other.word, other.disciplinary)


def _senseless(decision: Decision, objection: Objection) -> str:
    what = decision.kind.value.replace("_", " ")
    return f'"{what}" of {decision.effective_on} would make no sense ({objection.value.replace("_", " ")})'


def explain(
    stated: Stated,
    record: Sequence[Decision],
    *,
    day: date,
    at: datetime,
    new_id: Callable[[], str],
    grace: GraceDays = lambda _last_day: 0,
) -> list[Decision]:
    """The decisions that lead from what is on record to what a snapshot says; none where both agree.

    :param record: every decision on record about the registration or authorization.
    :param day: the local day of which the snapshot speaks.
    :param at: the instant (UTC) of recording, later than that of any decision on record.
    :param new_id: names a draft; names given later sort later.
    :param grace: days of grace by the rules of a term's last day.
    :raises Unexplainable: nothing that a body can decide leads there.
    """
    explanation = _Explanation(stated, record, day, at, new_id, grace)
    if known(record).decisions:
        explanation.compare()
        if explanation.drafts:
            explanation.check()
    else:
        explanation.open()
        if len(explanation.drafts) > 1:
            explanation.check()
    return explanation.drafts


def explain_unlisted(
    record: Sequence[Decision],
    *,
    day: date,
    at: datetime,
    new_id: Callable[[], str],
    grace: GraceDays = lambda _last_day: 0,
) -> list[Decision]:
    """What ends an authorization that a snapshot names no longer, where it would still be a yes."""
    if not fold(record, grace=grace).on(day).standing.permits_practice:
        return []
    return explain(Stated(report=NOT_LISTED), record, day=day, at=at, new_id=new_id, grace=grace)
