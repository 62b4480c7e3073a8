"""What staff see of the register's records: all that is kept, as values for the schemas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from registry.domain.decisions import known
from registry.domain.eligibility import Unmet
from registry.domain.localtime import local_date
from registry.domain.timeline import Span, Timeline
from registry.domain.verdict import Verdict
from registry.domain.vocabulary import SubjectKind
from registry.http.auditing import sees_withheld
from registry.services.wishes import Consequence, Preview
from registry.store.amendments import Amendment, list_amendments
from registry.store.merges import merges_of_person
from registry.store.people import RecordedName, held_registrations, list_names
from registry.store.records import Person, RecordedDecision, RegistrationRecord

Value = dict[str, Any]


def shown_span(span: Span) -> Value:
    """A span with its scope. What began before there were days is shown as begun on no day."""
    shown = {name: getattr(span, name) for name in SPAN}
    return {**shown, "first_day": None if span.first_day == date.min else span.first_day}


SPAN = ("standing", "holds", "last_day", "term_from", "term_through", "scope", "report", "begun_by")


def shown_timeline(timeline: Timeline) -> list[Value]:
    """The spans from the first term on."""
    return [shown_span(span) for span in timeline.spans if span.term_from is not None]


def shown_draft(recorded: RecordedDecision) -> Value:
    """A decision, recorded or not."""
    decision = recorded.decision
    about = SubjectKind.REGISTRATION if recorded.authorization_id is None else SubjectKind.AUTHORIZATION
    return {
        "authorization_id": recorded.authorization_id,
        "subject": about,
        "kind": decision.kind,
        "effective_on": decision.effective_on,
        "through": decision.through,
        "scope": decision.scope,
        "status": decision.report,
        "voids": decision.voids,
        "reason": recorded.reason,
        "private_note": recorded.private_note,
        "override_reason": recorded.override_reason,
    }


def shown_decision(recorded: RecordedDecision, registration_id: str, voided: frozenset[str]) -> Value:
    """A decision on record."""
    return {
        **shown_draft(recorded),
        "id": recorded.decision.id,
        "registration_id": registration_id,
        "voided": recorded.decision.id in voided,
        "import_id": recorded.import_id,
        "recorded_at": recorded.decision.recorded_at,
        "recorded_by": recorded.recorded_by,
    }


def shown_decisions(
    record: RegistrationRecord, decisions: Iterable[RecordedDecision], known_at: datetime | None = None
) -> list[Value]:
    """Those of a record's decisions that were known at an instant (``None`` for now)."""
    voided = known((d.decision for d in record.decisions), known_at).voided
    return [
        shown_decision(recorded, record.id, voided)
        for recorded in decisions
        if known_at is None or recorded.decision.recorded_at <= known_at
    ]


def shown_summary(record: RegistrationRecord, at: datetime) -> Value:
    """A registration as a list shows it, on the body's today."""
    sees_withheld(record.person.id, withheld=record.person.withheld)
    return {
        "id": record.id,
        "body": record.body.code,
        "practitioner": {
            "id": record.person.id,
            "name": next((name.full_name for name in record.person.names if name.kind == "published"), None),
            "withheld": record.person.withheld,
        },
        "number": record.number,
        "city": record.city,
        "version": record.version,
        "created_at": record.created_at,
        "today": shown_span(record.timeline(None).on(local_date(at, record.body.zone))),
    }


def shown_record(
    record: RegistrationRecord, *, on: date | None, known_at: datetime | None, at: datetime
) -> Value:
    """A registration with all that was decided about it, as known at an instant (``None`` for now)."""
    day = on or local_date(known_at or at, record.body.zone)
    standings = record.standings(known_at)
    assert standings.registration is not None
    return {
        **shown_summary(record, at),
        "on": day,
        "known_at": known_at,
        "standing": shown_span(standings.registration.on(day)),
        "timeline": shown_timeline(standings.registration),
        "authorizations": [
            {
                "id": authorization.id,
                "standing": shown_span(authorization.timeline.on(day)),
                "timeline": shown_timeline(authorization.timeline),
            }
            for authorization in standings.authorizations
            if known_at is None or len(authorization.timeline.spans) > 1
        ],
        "decisions": shown_decisions(record, record.decisions, known_at),
    }


def shown_unmet(unmet: Unmet) -> Value:
    """A requirement that is not met."""
    return asdict(unmet)


def shown_preview(preview: Preview) -> Value:
    """What recording would lead to."""
    return {
        "decisions": [shown_draft(decision) for decision in preview.change.recorded],
        "unmet": [shown_unmet(unmet) for unmet in preview.unmet],
        "consequences": [_shown_consequence(consequence) for consequence in preview.consequences],
    }


def _shown_consequence(consequence: Consequence) -> Value:
    before, after = consequence.before, consequence.after
    return {
        "technique": after.question.technique,
        "on": after.question.on,
        "before": _shown_verdict(before),
        "after": _shown_verdict(after),
        "changes": not after.says_the_same_as(before) or after.valid_through != before.valid_through,
    }


def _shown_verdict(verdict: Verdict) -> Value:
    return {name: getattr(verdict, name) for name in ("outcome", "authorized", "reasons", "valid_through")}


def shown_name(name: RecordedName) -> Value:
    """A name that is or was in use."""
    return {
        **asdict(name.name),
        "id": name.id,
        "recorded_at": name.recorded_at,
        "recorded_by": name.recorded_by,
        "ended_at": name.ended_at,
    }


def shown_amendment(amendment: Amendment) -> Value:
    """A correction in place."""
    changed = [
        {"field": field, "was": told["was"], "now": told["is"]} for field, told in amendment.changed.items()
    ]
    return {
        "changed": changed,
        "reason": amendment.reason,
        "recorded_at": amendment.recorded_at,
        "recorded_by": amendment.recorded_by,
    }


def shown_amendments(connection: Connection, subject_id: str) -> list[Value]:
    """The corrections of one subject."""
    return [shown_amendment(amendment) for amendment in list_amendments(connection, subject_id)]


def shown_person(connection: Connection, person: Person) -> Value:
    """All that is kept of a practitioner."""
    sees_withheld(person.id, withheld=person.withheld)
    return {
        "id": person.id,
        "version": person.version,
        "names": [shown_name(name) for name in list_names(connection, person.id)],
        "languages": person.languages,
        "withheld": person.withheld,
        "shows_former_names": person.shows_former_names,
        "is_erased": person.is_erased,
        "merged_into": person.merged_into,
        "registrations": held_registrations(connection, [person.id]).get(person.id, []),
        "merges": merges_of_person(connection, person.id),
        "amendments": shown_amendments(connection, person.id),
    }
