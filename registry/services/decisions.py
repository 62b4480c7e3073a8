"""Recording what a body decided: checked on its day, refused where senseless, announced in the feed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import Any

from sqlalchemy import Connection

from registry.clock import new_id
from registry.domain.decisions import Decision, Scope, StatusReport
from registry.domain.eligibility import Applicant, Unmet, unmet_requirements
from registry.domain.lapses import overlap
from registry.domain.localtime import local_date
from registry.domain.timeline import Objection, Span, Timeline
from registry.domain.verdict import Standings
from registry.domain.vocabulary import DecisionKind, Standing, SubjectKind, Technique
from registry.errors import Conflict, Invalid, NotFound, Senseless
from registry.errors import Unmet as UnmetRequirements
from registry.store.events import Event, add_events
from registry.store.practice import registered_since
from registry.store.records import (
    RecordedDecision,
    RegistrationRecord,
    add_decisions,
    claim,
    load_record,
)
from registry.store.standing import rewrite_standings

from .changed_answers import changed_answers

NEW = "new"
"""Stands for the authorization that a grant opens."""

OBJECTIONS = {
    Objection.TERM_RUNNING: "a term is running on that day; renew it instead",
    Objection.SUSPENSION_RUNNING: "a suspension covers that day; reinstate first",
    Objection.NO_TERM: "no term has begun by that day",
    Objection.TERM_ENDED: "the term was revoked or surrendered by that day",
    Objection.NOT_SUSPENDED: "no suspension covers that day",
    Objection.TERM_HAS_NO_END: "the term has no last day that could be extended",
    Objection.DOES_NOT_EXTEND: "the last day is not after the term's present last day",
    Objection.ENDS_BEFORE_IT_BEGINS: "the last day lies before the first",
    Objection.SETS_NOTHING: "it does not say what holds from then on",
}

NO_TERM_RUNS = frozenset({Standing.NOT_YET, Standing.LAPSED, Standing.REVOKED, Standing.SURRENDERED})


@dataclass(frozen=True, slots=True)
class Draft:
    """A decision that is to be recorded.

    :param authorization_id: the authorization it is about; ``None`` for the registration, :data:`NEW` for
        the one that a grant opens.
    :param effective_on: the first local day of its effect; for a voiding, taken from what it voids.
    :param reason: for registrars and, where a body publishes reasons, for the public.
    :param override_reason: why unmet requirements were passed over.
    """

    kind: DecisionKind
    authorization_id: str | None
    effective_on: date
    through: date | None = None
    scope: Scope | None = None
    report: StatusReport | None = None
    voids: str | None = None
    reason: str | None = None
    private_note: str | None = None
    override_reason: str | None = None
    import_id: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A record before and after decisions were recorded."""

    before: RegistrationRecord
    after: RegistrationRecord
    recorded: tuple[RecordedDecision, ...]


def get_record(tx: Connection, registration_id: str) -> RegistrationRecord:
    """One registration's record.

    :raises registry.errors.NotFound: there is none.
    """
    record = load_record(tx, registration_id)
    if record is None:
        raise NotFound(f"No registration is kept under the identifier {registration_id}.")
    if not record.body.asks_for_practice:
        return record
    since = registered_since(tx, record.person.id, besides=record.id)
    return replace(record, registered_elsewhere_since=since)


def record_decisions(
    tx: Connection, record: RegistrationRecord, drafts: Sequence[Draft], *, by: str, at: datetime
) -> Change:
    """Record decisions about one registration and its authorizations, together or not at all.

    :param record: as read in this transaction, at the version that the caller saw.
    :param by: who records, as the audit names them.
    :param at: the present instant (UTC).
    :raises registry.errors.Stale: the record has changed since it was read.
    :raises registry.errors.Senseless: one of them, or a later one on record, would make no sense.
    :raises registry.errors.Unmet: requirements of what is newly granted are unmet, without an override.
    :raises registry.errors.Conflict: two authorizations would grant the same.
    """
    change = consider(record, drafts, by=by, at=at)
    claim(tx, record)
    add_decisions(tx, change.before, change.recorded)
    rewrite_standings(tx, [change.after], at=at, cause=change.recorded[-1].decision.id)
    add_events(tx, list(events_of(change, at)))
    return replace(change, after=replace(change.after, version=record.version + 1))


def consider(record: RegistrationRecord, drafts: Sequence[Draft], *, by: str, at: datetime) -> Change:
    """What :func:`record_decisions` would leave, recording nothing. Raises the same errors."""
    change = weigh(record, drafts, by=by, at=at)
    for decision in change.recorded:
        if decision.override_reason is None and decision.import_id is None:
            _refuse_unmet(change, decision)
    return change


def weigh(record: RegistrationRecord, drafts: Sequence[Draft], *, by: str, at: datetime) -> Change:
    """What decisions would leave, whether or not requirements are met.

    :raises registry.errors.Senseless: one of them, or a later one on record, would make no sense.
    :raises registry.errors.Conflict: two authorizations would grant the same.
    """
    recorded = tuple(_recorded(record, drafts, by, after_all(record, at)))
    change = Change(record, record.with_decisions(recorded), recorded)
    refuse_senseless(change)
    refuse_double_grant(change)
    return change


def after_all(record: RegistrationRecord, at: datetime) -> datetime:
    """An instant later than all on record, even if this machine's clock was set back."""
    latest = max((d.decision.recorded_at for d in record.decisions), default=None)
    return at if latest is None or latest < at else latest + timedelta(microseconds=1)


def _recorded(
    record: RegistrationRecord, drafts: Sequence[Draft], by: str, at: datetime
) -> Iterator[RecordedDecision]:
    opened: str | None = None
    for draft in drafts:
        voided = None if draft.voids is None else _to_void(record, draft.voids)
        authorization_id = draft.authorization_id if voided is None else voided.authorization_id
        if authorization_id == NEW:
            opened = opened if opened and draft.kind is not DecisionKind.GRANTED else new_id()
            authorization_id = opened
        elif authorization_id is not None and authorization_id not in record.authorization_ids:
            raise NotFound(f"This registration has no authorization {authorization_id}.")
        decision = Decision(
            id=new_id(),
            kind=draft.kind,
            effective_on=draft.effective_on if voided is None else voided.decision.effective_on,
            recorded_at=at,
            through=draft.through,
            scope=draft.scope,
            report=draft.report,
            voids=draft.voids,
        )
        yield RecordedDecision(
            decision,
            authorization_id,
            by,
            draft.reason,
            draft.private_note,
            draft.override_reason,
            draft.import_id,
        )


def _to_void(record: RegistrationRecord, decision_id: str) -> RecordedDecision:
    found = next((d for d in record.decisions if d.decision.id == decision_id), None)
    if found is None:
        raise NotFound(f"This registration has no decision {decision_id}.")
    if decision_id in record.voided():
        raise Conflict(f"The decision {decision_id} is voided already.")
    return found


def refuse_senseless(change: Change) -> None:
    """:raises registry.errors.Senseless: a change makes decisions senseless that were not so before."""
    before = {d.id for d, _ in _objections(change.before)}
    new = {d.decision.id for d in change.recorded}
    problems = [
        {
            "decision": decision.id,
            "kind": decision.kind.value,
            "effective_on": decision.effective_on.isoformat(),
            "recorded": decision.id not in new,
            "objection": objection.value,
            "detail": OBJECTIONS[objection],
        }
        for decision, objection in _objections(change.after)
        if decision.id not in before
    ]
    if not problems:
        return
    own = [problem for problem in problems if not problem["recorded"]]
    if own:
        raise Senseless(f"This decision makes no sense on its day: {own[0]['detail']}.", problems)
    raise Senseless(
        "Decisions already on record would make no sense after this one; void them in the same request.",
        problems,
    )


def _objections(record: RegistrationRecord) -> Iterator[tuple[Decision, Objection]]:
    for subject in (None, *record.authorization_ids):
        yield from record.timeline(subject).objections


def refuse_double_grant(change: Change) -> None:
    """No two authorizations of one registration come to name one technique on the same day.

    Whatever brings it about: a grant, a renewal, a wider scope, or the voiding of what had ended one of them.

    :raises registry.errors.Conflict: they would.
    """
    doubled = sorted(_doubled(change.after) - _doubled(change.before))
    if doubled:
        one, other, technique = doubled[0]
        raise Conflict(
            f"The authorizations {one} and {other} would both grant {technique} on some of these days.",
            [{"authorizations": [one, other], "technique": technique} for one, other, technique in doubled],
        )


def _doubled(record: RegistrationRecord) -> set[tuple[str, str, str]]:
    """The pairs of authorizations that both run on some day, with each technique that both name then."""
    if len(record.authorization_ids) == 1:
        return set()
    timelines = ((id_, record.timeline(id_)) for id_ in record.authorization_ids)
    return {
        (one, other, technique.value)
        for (one, mine), (other, theirs) in combinations(timelines, 2)
        for a, b in _both_running(mine, theirs)
        for technique in _techniques(a) & _techniques(b)
    }


def _techniques(span: Span) -> frozenset[Technique]:
    return frozenset() if span.scope is None else span.scope.techniques


def _both_running(one: Timeline, other: Timeline) -> Iterator[tuple[Span, Span]]:
    for mine in one.spans:
        for theirs in other.spans:
            running = mine.standing not in NO_TERM_RUNS and theirs.standing not in NO_TERM_RUNS
            if running and overlap((mine.first_day, mine.last_day), (theirs.first_day, theirs.last_day)):
                yield mine, theirs


def unmet_for_grant(record: RegistrationRecord, scope: Scope, on: date) -> tuple[Unmet, ...]:
    """What the body's rules of a local day ask for, and the person lacks, before a grant of ``scope``."""
    timeline = record.timeline(None)
    firsts = [record.registered_elsewhere_since, *(span.term_from for span in timeline.spans)]
    since = min((first for first in firsts if first is not None), default=None)
    applicant = Applicant(timeline.on(on), record.counted_trainings(), since)
    return unmet_requirements(record.body.rules.on(on), applicant, scope.techniques, on)


def unmet_problem(unmet: Unmet) -> dict[str, Any]:
    """An unmet requirement, ready to be shown."""
    return {
        "requirement": unmet.requirement.value,
        "technique": None if unmet.technique is None else unmet.technique.value,
        "required": unmet.required,
        "found": unmet.found,
    }


def newly_granted(change: Change, recorded: RecordedDecision) -> frozenset[Technique]:
    """The techniques that a decision gives an authorization: all that a grant names, what a change adds."""
    decision = recorded.decision
    if recorded.authorization_id is None or decision.scope is None:
        return frozenset()
    if decision.kind is DecisionKind.GRANTED:
        return decision.scope.techniques
    had = change.before.timeline(recorded.authorization_id).on(decision.effective_on)
    return decision.scope.techniques - _techniques(had)


def _refuse_unmet(change: Change, recorded: RecordedDecision) -> None:
    decision = recorded.decision
    grants = decision.kind is DecisionKind.GRANTED and recorded.authorization_id is not None
    if grants and (decision.scope is None or not decision.scope.techniques):
        raise Invalid.at("/techniques", "A grant says what it grants.")
    named = newly_granted(change, recorded)
    unmet = unmet_for_grant(change.after, Scope(techniques=named), decision.effective_on) if named else ()
    if unmet:
        raise UnmetRequirements(
            "The rules of that day ask for more; meet these requirements or record why they are overridden.",
            [unmet_problem(one) for one in unmet],
        )


def events_of(change: Change, at: datetime) -> Iterator[Event]:
    """What the feed tells of each decision: what stood on the body's present day, before and after."""
    body = change.after.body
    today = local_date(at, body.zone)
    before, after = change.before.standings(), change.after.standings()
    for recorded in change.recorded:
        decision, subject = recorded.decision, recorded.authorization_id
        kind = SubjectKind.REGISTRATION if subject is None else SubjectKind.AUTHORIZATION
        data: dict[str, Any] = {
            "number": change.after.number,
            "effective_on": decision.effective_on.isoformat(),
            "was": standing_on(before, subject, today).value,
            "is": standing_on(after, subject, today).value,
            "corrects_the_past": decision.effective_on < today,
        }
        if decision.through is not None:
            data["through"] = decision.through.isoformat()
        if decision.voids is not None:
            data["voids"] = decision.voids
        answers = changed_answers(before, after, {decision.effective_on, today})
        if answers:
            data["answers"] = answers
        yield Event(
            f"{kind.value}.{decision.kind.value}",
            body.id,
            change.after.id,
            decision.effective_on,
            at,
            subject,
            decision.id,
            data,
        )


def standing_on(standings: Standings, authorization_id: str | None, day: date) -> Standing:
    """How the registration, or one of its authorizations, stands on a local day."""
    timeline = standings.registration
    if authorization_id is not None:
        found = (a.timeline for a in standings.authorizations if a.id == authorization_id)
        timeline = next(found, None)
    return Standing.NOT_YET if timeline is None else timeline.on(day).standing
