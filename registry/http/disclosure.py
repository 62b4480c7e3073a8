"""The public answers as JSON values: the one allow-list of what leaves the register unasked.

Admin views extend these, and name no public field a second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from registry.domain.decisions import Condition
from registry.domain.localtime import day_ends
from registry.domain.timeline import Span
from registry.domain.verdict import Verdict
from registry.services.look_up import (
    PublicEntry,
    PublicPractitioner,
    PublishedAuthorization,
    PublishedTraining,
    Verification,
)
from registry.store.records import Body

Value = dict[str, Any]


def shown_instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def shown_day(day: date | None) -> str | None:
    """An ISO date; ``None`` for no known day."""
    return None if day is None or day == date.min else day.isoformat()


def shown_body(body: Body) -> Value:
    """A body, on its own and inside every answer that it stands behind."""
    return {
        "code": body.code,
        "name": body.name,
        "jurisdiction": body.jurisdiction,
        "time_zone": body.zone,
        "website": body.website,
    }


def shown_conditions(conditions: Iterable[Condition]) -> list[Value]:
    """Conditions; of one that is withheld, only that there is one."""
    return [{"text": None if c.withheld else c.text, "withheld": c.withheld} for c in conditions]


def shown_span(span: Span) -> Value:
    """How a registration or an authorization stands, since when and until when."""
    report = span.report
    source_status = None
    if report is not None:
        source_status = {
            "word": report.word,
            "practice": report.practice.value,
            "disciplinary": report.disciplinary,
        }
    return {
        "standing": span.standing.value,
        "also": [standing.value for standing in span.holds[1:]],
        "since": shown_day(span.first_day),
        "until": shown_day(span.last_day),
        "term_from": shown_day(span.term_from),
        "term_through": shown_day(span.term_through),
        "source_status": source_status,
    }


def shown_registration(span: Span) -> Value:
    """A registration on a day."""
    shown, scope = shown_span(span), span.scope
    shown["register_class"] = None if scope is None else scope.register_class
    shown["conditions"] = [] if scope is None else shown_conditions(scope.conditions)
    return shown


def shown_authorization(id_: str, span: Span) -> Value:
    """An authorization on a day."""
    shown, scope = {"id": id_, **shown_span(span)}, span.scope
    shown["mode"] = None if scope is None else scope.mode.value
    shown["conditions"] = [] if scope is None else shown_conditions(scope.conditions)
    shown["excluded_regions"] = [] if scope is None else list(scope.excluded_regions)
    return shown


def shown_verdict(verdict: Verdict, zone: str) -> Value:
    """The answer for one technique; ``valid_until`` is the instant at which ``valid_through`` is over."""
    through = verdict.valid_through
    return {
        "technique": verdict.question.technique.value,
        "authorized": verdict.authorized,
        "outcome": verdict.outcome.value,
        "reasons": [reason.value for reason in verdict.reasons],
        "conditions": shown_conditions(verdict.conditions),
        "excluded_regions": list(verdict.excluded_regions),
        "valid_through": shown_day(through),
        "valid_until": None if through is None else shown_instant(day_ends(through, zone)),
        "authorizations": [shown_authorization(id_, span) for id_, span in verdict.authorizations],
    }


def shown_verification(verification: Verification) -> Value:
    """The verdicts of one body on one number and day."""
    body = verification.body
    registration = verification.verdicts[0].registration
    practitioner = None
    if verification.practitioner_id is not None:
        practitioner = {
            "id": verification.practitioner_id,
            "name": verification.name,
            "withheld": verification.withheld,
        }
    return {
        "body": shown_body(body),
        "number": verification.number,
        "practitioner": practitioner,
        "on": verification.on.isoformat(),
        "mode": verification.mode.value,
        "known_at": shown_instant(verification.known_at),
        "as_of": shown_instant(verification.as_of),
        "authorized": verification.authorized,
        "registration": None if registration is None else shown_registration(registration),
        "verdicts": [shown_verdict(verdict, body.zone) for verdict in verification.verdicts],
    }


def shown_entry(entry: PublicEntry) -> Value:
    """The public entry of a registration."""
    return {
        "body": shown_body(entry.body),
        "number": entry.number,
        "practitioner": {
            "id": entry.practitioner_id,
            "name": entry.name,
            "former_names": list(entry.former_names),
            "languages": list(entry.languages),
            "withheld": entry.withheld,
        },
        "city": entry.city,
        "on": entry.on.isoformat(),
        "as_of": shown_instant(entry.as_of),
        "registration": shown_registration(entry.registration),
        "authorizations": [_shown_published(authorization) for authorization in entry.authorizations],
        "trainings": [shown_training(training) for training in entry.trainings],
    }


def _shown_published(authorization: PublishedAuthorization) -> Value:
    covered = [technique.value for technique in authorization.techniques]
    return {**shown_authorization(authorization.id, authorization.span), "techniques": covered}


def shown_training(training: PublishedTraining) -> Value:
    """Training that a body publishes; hours are clock hours."""
    return {
        "title": training.title,
        "provider": training.provider,
        "techniques": [technique.value for technique in training.techniques],
        "completed_on": training.completed_on.isoformat(),
        "hours": training.hours,
        "approved": training.approved,
    }


def shown_practitioner(practitioner: PublicPractitioner) -> Value:
    """A person, with every registration apart."""
    return {
        "id": practitioner.id,
        "name": practitioner.name,
        "languages": list(practitioner.languages),
        "withheld": practitioner.withheld,
        "registrations": [shown_entry(entry) for entry in practitioner.entries],
    }
