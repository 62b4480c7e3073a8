"""What rules would change before they are made: who would no longer meet them, by name and count.

A draft is weighed with the domain's own functions: each registration is derived once by the rules as they are
and once as they would be, exactly as saving derives it. Only a draft that was weighed, against the rules that
still hold, can be saved.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from registry.domain.eligibility import Unmet
from registry.domain.lapses import Lapse, lapses_of
from registry.domain.localtime import local_date
from registry.domain.rules import BodyRules, RulesHistory
from registry.domain.verdict import Question, give_verdict
from registry.domain.vocabulary import Outcome, Technique
from registry.errors import Conflict, NotFound, Stale
from registry.store import affected
from registry.store import rules_drafts as store
from registry.store.bodies import RulesVersion
from registry.store.practice import registered_since
from registry.store.records import MANY, Body, RegistrationRecord, load_records
from registry.store.rules_drafts import RulesDraft

from .bodies import add_rules, get_body
from .decisions import unmet_for_grant, unmet_problem

Begin = Callable[[], AbstractContextManager[Connection]]
Progress = Callable[[str, int], None]

PERMITTED = frozenset({Outcome.AUTHORIZED, Outcome.AUTHORIZED_WITH_CONDITIONS})


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer about a technique, as it is and as it would be."""

    technique: Technique
    before: Outcome
    after: Outcome

    @property
    def is_lost(self) -> bool:
        """Whether who may needle on their own could not any more."""
        return self.before in PERMITTED and self.after not in PERMITTED

    @property
    def is_gained(self) -> bool:
        """Whether who may not needle on their own could."""
        return self.before not in PERMITTED and self.after in PERMITTED


@dataclass(frozen=True, slots=True)
class Effect:
    """What other rules would mean to one registration.

    :param unmet: what its current authorizations would no longer meet.
    :param answers: on the day, where they would be others.
    :param lapses: that there would be besides, on the day or later.
    """

    unmet: tuple[Unmet, ...] = ()
    answers: tuple[Answer, ...] = ()
    lapses: tuple[Lapse, ...] = ()

    def told(self) -> dict[str, Any]:
        """The same, ready to be kept."""
        return {
            "unmet": [unmet_problem(one) for one in self.unmet],
            "answers": [
                {"technique": a.technique.value, "before": a.before.value, "after": a.after.value}
                for a in self.answers
            ],
            "lapses": [
                {"kind": one.kind.value, "since": one.since.isoformat(), "why": dict(one.why)}
                for one in self.lapses
            ],
        }


def with_rules(body: Body, rules: BodyRules) -> Body:
    """The body as it would be with another version of its rules, recorded after all others."""
    latest = max((version.recorded_at for version in body.every_rules), default=rules.recorded_at)
    added = replace(rules, recorded_at=max(rules.recorded_at, latest + timedelta(microseconds=1)))
    versions = (*body.every_rules, added)
    return replace(body, rules=RulesHistory.of(versions), every_rules=versions)


def effect_of(record: RegistrationRecord, candidate: Body, day: date) -> Effect:
    """What another body's worth of rules would mean to a registration on a local day."""
    after = replace(record, body=candidate)
    before_standings, after_standings = record.standings(), after.standings()
    unmet: list[Unmet] = []
    for authorization in before_standings.authorizations:
        span = authorization.timeline.on(day)
        if span.standing.permits_practice and span.scope is not None:
            had = set(unmet_for_grant(record, span.scope, day))
            unmet += [one for one in unmet_for_grant(after, span.scope, day) if one not in had]
    answers = []
    for technique in Technique:
        question = Question(technique, day)
        was = give_verdict(question, before_standings).outcome
        would = give_verdict(question, after_standings).outcome
        if was is not would:
            answers.append(Answer(technique, was, would))
    training = record.training_record()
    had_lapses = {_told_apart(lapse) for lapse in lapses_of(before_standings, training)}
    lapses = (
        lapse
        for lapse in lapses_of(after_standings, training)
        if _told_apart(lapse) not in had_lapses and (lapse.until is None or lapse.until >= day)
    )
    return Effect(tuple(dict.fromkeys(unmet)), tuple(answers), tuple(lapses))


def _told_apart(lapse: Lapse) -> tuple[Any, ...]:
    return (lapse.kind, lapse.authorization_id, lapse.since, dict(lapse.why).get("technique", ""))


@dataclass(slots=True)
class Weighed:
    """What was found out so far, counted. A person of several registrations counts with each."""

    registrations: int = 0
    current: int = 0
    concerned: int = 0
    no_longer_meet: int = 0
    lose: int = 0
    gain: int = 0
    unmet: Counter[str] = field(default_factory=Counter)
    lapses: Counter[str] = field(default_factory=Counter)

    def add(self, record: RegistrationRecord, effect: Effect, day: date) -> bool:
        """Count one registration; whether it would be concerned."""
        self.registrations += 1
        ids = record.authorization_ids
        self.current += sum(record.timeline(id_).on(day).standing.permits_practice for id_ in ids)
        if effect == Effect():
            return False
        self.concerned += 1
        self.no_longer_meet += bool(effect.unmet)
        self.lose += any(answer.is_lost for answer in effect.answers)
        self.gain += any(answer.is_gained for answer in effect.answers)
        self.unmet.update({one.requirement.value for one in effect.unmet})
        self.lapses.update({one.kind.value for one in effect.lapses})
        return True

    def report(self, day: date, at: datetime) -> dict[str, Any]:
        """What is kept and shown of it."""
        counted = ("registrations", "current", "concerned", "no_longer_meet", "lose", "gain")
        return {
            **{name: getattr(self, name) for name in counted},
            "unmet": dict(self.unmet),
            "lapses": dict(self.lapses),
            "day": day.isoformat(),
            "at": at.isoformat(),
        }


def make_draft(
    tx: Connection, body: Body, rules: BodyRules, reason: str | None, *, by: str, at: datetime
) -> RulesDraft:
    """Keep a draft of rules, to be weighed.

    :param body: as the caller saw it.
    """
    return get_draft(tx, store.insert_draft(tx, (body.id, body.version), rules, reason, by=by, at=at))


def get_draft(connection: Connection, draft_id: str) -> RulesDraft:
    """One draft.

    :raises registry.errors.NotFound: there is none.
    """
    found = store.find_draft(connection, draft_id)
    if found is None:
        raise NotFound(f"No draft of rules is kept under the identifier {draft_id}.")
    return found


def weigh_draft(begin: Begin, draft_id: str, *, at: datetime, progress: Progress) -> RulesDraft:
    """Find out whom a draft would concern, a stretch of registrations at a time. Nothing else changes.

    The day that is looked at is the first on which the rules would hold, or today where that has passed.

    :param begin: begins a transaction, for each stretch.
    :param at: the present instant (UTC).
    """
    with begin() as tx:
        draft = get_draft(tx, draft_id)
        body = get_body(tx, draft.body_id)
        store.forget_effects(tx, draft_id)
    candidate = with_rules(body, draft.rules)
    day = max(draft.rules.holds_from, local_date(at, body.zone))
    weighed, after = Weighed(), ""
    while True:
        with begin() as tx:
            ids = affected.registrations_after(tx, body.id, after, MANY)
            concerned = {
                record.id: effect.told()
                for record in _read(tx, ids, body, candidate)
                if weighed.add(record, effect := effect_of(record, candidate, day), day)
            }
            store.add_effects(tx, draft_id, concerned)
        progress("weighing", weighed.registrations)
        if len(ids) < MANY:
            break
        after = ids[-1]
    with begin() as tx:
        store.change_draft(tx, draft, report=weighed.report(day, at))
        return get_draft(tx, draft_id)


def _read(tx: Connection, ids: list[str], body: Body, candidate: Body) -> Iterator[RegistrationRecord]:
    practice = body.asks_for_practice or candidate.asks_for_practice
    for record in load_records(tx, ids):
        if practice:
            since = registered_since(tx, record.person.id, besides=record.id)
            yield replace(record, registered_elsewhere_since=since)
        else:
            yield record


def require_savable(connection: Connection, draft: RulesDraft) -> Body:
    """The body of a draft that can be saved.

    :raises registry.errors.Conflict: it was not weighed, or is saved already.
    :raises registry.errors.Stale: the body or its rules have changed since it was made.
    """
    if draft.saved_at is not None:
        raise Conflict("These rules are saved already.")
    if draft.report is None:
        raise Conflict("What these rules would change has not been found out yet.")
    body = get_body(connection, draft.body_id)
    if body.version != draft.body_version:
        raise Stale("The body or its rules have changed meanwhile: see again what these rules would change.")
    return body


def save_draft(tx: Connection, draft_id: str, *, by: str, at: datetime) -> RulesVersion:
    """Make a draft the body's rules, and derive every registration of the body by them.

    Raises as :func:`require_savable` does.
    """
    draft = get_draft(tx, draft_id)
    body = require_savable(tx, draft)
    store.forget_effects(tx, draft_id)
    store.change_draft(tx, draft, saved_at=at)
    return add_rules(tx, body, draft.rules, by=by, at=at, reason=draft.reason)
