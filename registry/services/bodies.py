"""Regulatory bodies, and the rules that they make: appended, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.rules import BodyRules
from registry.domain.vocabulary import AmendmentSubject
from registry.errors import Conflict, NotFound
from registry.store import affected, bodies, tables
from registry.store.amendments import Subject, add_amendment
from registry.store.events import Event, add_events
from registry.store.records import Body, find_body

SHOWN_IN_ENTRIES = frozenset({"publishes_training", "publishes_former_names", "zone"})
"""What a public entry, or the day on which a lapse comes true, depends on."""


@dataclass(frozen=True, slots=True)
class BodyFacts:
    """What an operator says of a body.

    :param code: names the body in addresses; it is never changed, for another would answer to the old ones.
    :param jurisdiction: ISO 3166-1 alpha-2 or ISO 3166-2.
    :param zone: an IANA time zone; the body's days begin and end in it.
    """

    code: str
    name: str
    jurisdiction: str
    zone: str
    website: str | None = None
    publishes_training: bool = False
    publishes_former_names: bool = False


def get_body(connection: Connection, code_or_id: str) -> Body:
    """A body.

    :raises registry.errors.NotFound: there is none.
    """
    body = find_body(connection, code_or_id)
    if body is None:
        raise NotFound(f"No regulatory body is kept under the code {code_or_id}.")
    return body


def create_body(tx: Connection, facts: BodyFacts, *, at: datetime) -> Body:
    """Take a body into the register. Nobody is authorized by it until its rules are recorded.

    :raises registry.errors.Conflict: the code is another body's.
    """
    if find_body(tx, facts.code) is not None:
        raise Conflict(f"Another body has the code {facts.code}.")
    bodies.insert_body(tx, asdict(facts), at)
    return get_body(tx, facts.code)


def change_body(
    tx: Connection,
    body: Body,
    values: Mapping[str, Any],
    *,
    by: str,
    at: datetime,
    reason: str | None = None,
) -> Body:
    """Correct what is said of a body, and every entry that shows it.

    :param body: as the caller saw it.
    :param values: fields of :class:`BodyFacts`, but for the code.
    :raises registry.errors.Stale: it has changed since.
    """
    changed = {
        field: (getattr(body, field), value)
        for field, value in values.items()
        if getattr(body, field) != value
    }
    bodies.change_body(tx, body, {field: value for field, (_, value) in changed.items()})
    add_amendment(tx, Subject(AmendmentSubject.BODY, body.id), changed, reason=reason, by=by, at=at)
    if SHOWN_IN_ENTRIES & changed.keys():
        affected.derive_anew(tx, affected.registrations_of_body(tx, body.id), at=at)
    return get_body(tx, body.id)


def add_rules(
    tx: Connection, body: Body, rules: BodyRules, *, by: str, at: datetime, reason: str | None = None
) -> bodies.RulesVersion:
    """Append a version of a body's rules, and derive every registration of the body by it.

    The feed tells of it once, not of each registration whose answers it may have changed; and not where there
    are none.

    :param body: as the caller saw it.
    :param rules: ``recorded_at`` is set here.
    :raises registry.errors.Stale: the body or its rules have changed since.
    """
    affected.lock(tx, tables.bodies, [body.id])
    version = bodies.insert_rules(tx, body, replace(rules, recorded_at=at), by, reason)
    affected.derive_anew(tx, affected.registrations_of_body(tx, body.id), at=at)
    if next(affected.registrations_of_body(tx, body.id), None) is not None:
        told = {"corrects_the_past": rules.holds_from < local_date(at, body.zone)}
        add_events(tx, [Event("body.rules_added", body.id, None, rules.holds_from, at, data=told)])
    return version
