"""What a registrar asks to be decided, made into drafts of decisions; and what they would lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from registry.domain.decisions import Scope, StatusReport
from registry.domain.eligibility import Unmet
from registry.domain.localtime import day_after, local_date
from registry.domain.rules import Renewal
from registry.domain.verdict import Question, Verdict, give_verdict
from registry.domain.vocabulary import DecisionKind, Standing, Technique
from registry.errors import NotFound
from registry.store.records import RecordedDecision, RegistrationRecord
from registry.store.registrations import registration_of_authorization, registration_of_decision

from .decisions import (
    NEW,
    Change,
    Draft,
    newly_granted,
    record_decisions,
    unmet_for_grant,
    weigh,
)

GOES_ON = frozenset({Standing.IN_FORCE, Standing.IN_GRACE, Standing.SUSPENDED, Standing.UNKNOWN})
"""How a term can stand that a renewal continues, rather than beginning another."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One decision that a registrar asks for.

    :param effective_on: a local day of the body.
    :param through: the last local day; ``None`` is open-ended.
    :param through_by_rules: take the last day of a grant or renewal from the body's rules instead.
    :param scope: the fields of :class:`~registry.domain.decisions.Scope` that are said; a grant has the
        others at their defaults, ``conditions_set`` leaves them as they stand on its day.
    """

    kind: DecisionKind
    effective_on: date
    through: date | None = None
    through_by_rules: bool = False
    scope: Mapping[str, Any] = field(default_factory=dict)
    report: StatusReport | None = None
    reason: str | None = None
    private_note: str | None = None
    override_reason: str | None = None
    void_also: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a decision would change, technique by technique, today and on the day of its effect."""

    before: Verdict
    after: Verdict


@dataclass(frozen=True, slots=True)
class Preview:
    """What recording would lead to; nothing is recorded.

    :param unmet: what a grant would have to override.
    """

    change: Change
    consequences: tuple[Consequence, ...]
    unmet: tuple[Unmet, ...]


def registration_with_authorization(connection: Connection, authorization_id: str) -> str:
    """The registration, by identifier, that an authorization belongs to.

    :raises registry.errors.NotFound: there is none.
    """
    registration_id = registration_of_authorization(connection, authorization_id)
    if registration_id is None:
        raise NotFound(f"No authorization is kept under the identifier {authorization_id}.")
    return registration_id


def registration_with_decision(connection: Connection, decision_id: str) -> str:
    """The registration, by identifier, that a decision is about.

    :raises registry.errors.NotFound: there is none.
    """
    registration_id = registration_of_decision(connection, decision_id)
    if registration_id is None:
        raise NotFound(f"No decision is kept under the identifier {decision_id}.")
    return registration_id


def drafts_of(record: RegistrationRecord, authorization_id: str | None, wish: Wish) -> list[Draft]:
    """The decisions that a wish asks for: what it voids first, then its own.

    :param authorization_id: the authorization that it is about; ``None`` for the registration, ``NEW`` for
        one to be opened.
    """
    voids = [void_draft(record, id_, reason=wish.reason) for id_ in wish.void_also]
    remaining = [d for d in record.decisions if d.decision.id not in wish.void_also]
    left = replace(record, decisions=tuple(remaining))
    own = Draft(
        wish.kind,
        authorization_id,
        wish.effective_on,
        through=_through(left, authorization_id, wish),
        scope=_scope(left, authorization_id, wish),
        report=wish.report,
        reason=wish.reason,
        private_note=wish.private_note,
        override_reason=wish.override_reason,
    )
    return [*voids, own]


def void_draft(
    record: RegistrationRecord, decision_id: str, *, reason: str | None, private_note: str | None = None
) -> Draft:
    """The decision that takes another back.

    :raises registry.errors.NotFound: the record has no such decision.
    """
    voided = decision_in(record, decision_id)
    return Draft(
        DecisionKind.VOIDED,
        voided.authorization_id,
        voided.decision.effective_on,
        voids=decision_id,
        reason=reason,
        private_note=private_note,
    )


def decision_in(record: RegistrationRecord, decision_id: str) -> RecordedDecision:
    """One decision of a record.

    :raises registry.errors.NotFound: it has no such decision.
    """
    found = next((d for d in record.decisions if d.decision.id == decision_id), None)
    if found is None:
        raise NotFound(f"This registration has no decision {decision_id}.")
    return found


def _through(record: RegistrationRecord, authorization_id: str | None, wish: Wish) -> date | None:
    if not wish.through_by_rules or wish.kind not in (DecisionKind.GRANTED, DecisionKind.RENEWED):
        return wish.through
    first_day = wish.effective_on
    if wish.kind is DecisionKind.RENEWED:
        span = record.timeline(authorization_id).on(first_day)
        if span.term_through is not None and span.standing in GOES_ON:
            first_day = max(first_day, day_after(span.term_through) or first_day)
    return _renewal(record, authorization_id, first_day).last_day(first_day)


def _renewal(record: RegistrationRecord, authorization_id: str | None, day: date) -> Renewal:
    rules = record.body.rules.on(day)
    return rules.registration_renewal if authorization_id is None else rules.authorization_renewal


def _scope(record: RegistrationRecord, authorization_id: str | None, wish: Wish) -> Scope | None:
    if wish.kind is DecisionKind.GRANTED:
        return Scope(**wish.scope)
    if wish.kind is DecisionKind.CONDITIONS_SET:
        standing = record.timeline(authorization_id).on(wish.effective_on).scope
        return replace(standing or Scope(), **wish.scope)
    return None


def preview(record: RegistrationRecord, drafts: Sequence[Draft], *, by: str, at: datetime) -> Preview:
    """What recording ``drafts`` would change, technique by technique.

    Raises as recording would, but for unmet requirements, which it names.
    """
    change = weigh(record, drafts, by=by, at=at)
    days = {local_date(at, record.body.zone), *(d.decision.effective_on for d in change.recorded)}
    return Preview(
        change,
        tuple(_consequences(change, sorted(days))),
        tuple(unmet for recorded in change.recorded for unmet in _unmet(change, recorded)),
    )


def _consequences(change: Change, days: Sequence[date]) -> Iterator[Consequence]:
    before, after = change.before.standings(), change.after.standings()
    for technique in Technique:
        for day in days:
            question = Question(technique, day)
            yield Consequence(give_verdict(question, before), give_verdict(question, after))


def _unmet(change: Change, recorded: RecordedDecision) -> tuple[Unmet, ...]:
    named = newly_granted(change, recorded)
    return (
        unmet_for_grant(change.after, Scope(techniques=named), recorded.decision.effective_on)
        if named
        else ()
    )


def grant_authorization(
    tx: Connection, record: RegistrationRecord, wish: Wish, *, by: str, at: datetime
) -> tuple[Change, str]:
    """Open an authorization with its first grant; gives its identifier. Raises as recording does."""
    change = record_decisions(tx, record, drafts_of(record, NEW, wish), by=by, at=at)
    opened = change.recorded[-1].authorization_id
    assert opened is not None
    return change, opened
