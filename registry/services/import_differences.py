"""What a dry run would make of one row, to be read by a registrar: each value before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import Any

from registry.domain.vocabulary import DecisionKind, NameKind, Standing
from registry.store.records import Name, Person, RegistrationRecord

from .exports import row_of
from .import_plans import Plan
from .people import PersonChange, PreviousName

Document = dict[str, Any]

MOST_KEPT = 200_000
"""Rows of a kind that are kept to be looked at; the counts are of all."""

TOLD = (
    *("name", "former_names", "city", "languages", "withheld", "register_class", "first_day", "last_day"),
    *("standing", "status", "conditions", "authorizations"),
)
"""What is compared, in the order in which it is shown."""


class DifferenceKind(StrEnum):
    """What a row would be to the register."""

    NEW = "new"
    CHANGED = "changed"


def difference_of(plan: Plan, day: date) -> Document:
    """What a row that changes something would change.

    :param day: the local day of which the file speaks.
    :returns: ``number``, ``name``, and in ``values`` by column what was (``None``: nothing) and will be.
    """
    told = _of_new(plan) if plan.is_new else _of_changed(plan, day)
    return {
        "line": plan.line,
        "number": plan.record.number,
        "registration": None if plan.is_new else plan.record.id,
        "name": _published(plan.record.person),
        "values": [{"column": column, "before": was, "after": now} for column, was, now in told],
        "decisions": [
            {
                "subject": "registration" if d.authorization_id is None else "authorization",
                "kind": d.decision.kind.value,
                "effective_on": d.decision.effective_on.isoformat(),
            }
            for d in plan.recorded
        ],
    }


def _published(person: Person) -> str | None:
    return next((name.full_name for name in person.names if name.kind is NameKind.PUBLISHED), None)


def _of_new(plan: Plan) -> Iterator[tuple[str, Any, Any]]:
    """What a row opens, read off its decisions: most rows of a first import are new."""
    record = plan.record
    yield "name", None, _published(record.person)
    if record.city:
        yield "city", None, record.city
    for recorded in plan.recorded:
        decision = recorded.decision
        if decision.kind is not DecisionKind.GRANTED or decision.scope is None:
            continue
        through = None if decision.through is None else decision.through.isoformat()
        if recorded.authorization_id is None:
            yield "register_class", None, decision.scope.register_class
            yield "first_day", None, decision.effective_on.isoformat()
            yield "last_day", None, through
        else:
            named = sorted(technique.value for technique in decision.scope.techniques)
            term = {"first_day": decision.effective_on.isoformat(), "last_day": through}
            leaves = _reported(plan, recorded.authorization_id)
            if leaves is not None:
                term["standing"] = leaves
            yield "authorizations", None, [{"techniques": named, **term}]
    leaves = _reported(plan, None)
    if leaves is not None:
        yield "standing", None, leaves
    own = (d.decision.report for d in plan.recorded if d.authorization_id is None)
    report = next((report for report in own if report is not None), None)
    if report is not None:
        yield "status", None, report.word


def _reported(plan: Plan, subject: str | None) -> str | None:
    """What a status leaves of a registration or an authorization, where that is not in force."""
    reports = (d.decision.report for d in plan.recorded if d.authorization_id == subject)
    leaves = next((report.leaves for report in reports if report is not None), Standing.IN_FORCE)
    return None if leaves is Standing.IN_FORCE else leaves.value


def _of_changed(plan: Plan, day: date) -> Iterator[tuple[str, Any, Any]]:
    before = row_of(plan.record, day) or {}
    after = row_of(_with_person(plan.after(), plan), day) or {}
    for column in TOLD:
        was, now = before.get(column), after.get(column)
        if was != now:
            yield column, was, now


def _with_person(record: RegistrationRecord, plan: Plan) -> RegistrationRecord:
    if plan.city is not None:
        record = replace(record, city=plan.city or None)
    return record if plan.person is None else replace(record, person=_changed(record.person, plan.person))


def _changed(person: Person, change: PersonChange) -> Person:
    names = person.names
    if change.names is not None:
        names = tuple(Name("", n.kind, n.full_name, n.given, n.family) for n in change.names)
        if change.previous_becomes is PreviousName.FORMER:
            replaced = [n for n in person.names if n.kind is NameKind.PUBLISHED]
            names += tuple(replace(n, kind=NameKind.FORMER) for n in replaced)
    languages = person.languages if change.languages is None else tuple(change.languages)
    withheld = person.withheld if change.withheld is None else change.withheld
    return replace(person, names=names, languages=languages, withheld=withheld)
