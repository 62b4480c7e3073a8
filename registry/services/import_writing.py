"""Writing what the rows of an import come to, many at once, with all that is derived from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from registry.store import imports, tables
from registry.store.bulk import insert_rows, write_packed
from registry.store.import_rows import EventKeeper, count_change, event_values, mark
from registry.store.records import Person, RegistrationRecord, decision_row, load_record
from registry.store.search import index_new_people, index_people
from registry.store.standing import rewrite_standings

from . import people, registrations
from .decisions import Change, events_of
from .import_openings import Opened, authorization_values
from .import_plans import Plan

Values = dict[str, Any]


@dataclass(slots=True)
class Writer:
    """Writes what the rows of one import come to, in its transaction.

    :param at: the instant (UTC) of recording.
    :param day: the local day of which the file speaks.
    """

    tx: Connection
    import_id: str
    by: str
    at: datetime
    day: date
    events: EventKeeper

    def open(self, opened: Opened) -> None:
        """Write registrations that are new to the register."""
        for packed in opened.packed:
            write_packed(self.tx, packed)
        index_new_people(self.tx, opened.plain)
        if opened.others:
            index_people(self.tx, opened.others)
        self.events.keep(opened.events)

    def change(self, plans: Sequence[Plan]) -> None:
        """Record what rows come to whose registrations the register knows."""
        changed = [self._change(plan) if plan.person or plan.city is not None else plan for plan in plans]
        self._decide([plan for plan in changed if plan.recorded])
        mark(self.tx, [plan.mark(self.day) for plan in changed])

    def _change(self, plan: Plan) -> Plan:
        """Write another name, city or language; the plan goes on with the record as it then is."""
        record, tx = plan.record, self.tx
        told: Values = {}
        if plan.person is not None:
            before = record.person
            after = people.change_person(tx, before, plan.person, by=self.by, at=self.at)
            told |= _person_told(before, after)
        if plan.city is not None:
            told["city"] = {"was": record.city, "is": plan.city or None}
            seen = self._read_again(record)
            reason = plan.person.reason if plan.person is not None else f"import {self.import_id}"
            registrations.correct(
                tx, seen, number=None, city=plan.city or None, by=self.by, at=self.at, reason=reason
            )
        imports.add_change(tx, self.import_id, record.id, told)
        return replace(plan, record=self._read_again(record))

    def _read_again(self, record: RegistrationRecord) -> RegistrationRecord:
        found = load_record(self.tx, record.id)
        if found is None:
            raise AssertionError("registrations are never deleted")
        return found

    def _decide(self, plans: Sequence[Plan]) -> None:
        """Record decisions about registrations that this transaction holds."""
        if not plans:
            return
        tx = self.tx
        count_change(tx, [plan.record.id for plan in plans])
        insert_rows(
            tx, tables.needling_authorizations, [row for plan in plans for row in authorization_values(plan)]
        )
        rows = [decision_row(plan.record.id, d) for plan in plans for d in plan.recorded]
        insert_rows(tx, tables.decisions, rows)
        causes = {plan.record.id: plan.recorded[-1].decision.id for plan in plans}
        rewrite_standings(tx, [plan.after() for plan in plans], at=self.at, cause=causes)
        changes = (Change(plan.record, plan.after(), plan.recorded) for plan in plans)
        self.events.keep([event_values(e) for change in changes for e in events_of(change, self.at)])


def _person_told(before: Person, after: Person) -> Values:
    """What changed of a person, so that it can be restored."""
    told: Values = {}
    if told_names(before) != told_names(after):
        told["names"] = {"was": told_names(before), "is": told_names(after)}
    if before.languages != after.languages:
        told["languages"] = {"was": list(before.languages), "is": list(after.languages)}
    if before.withheld is not after.withheld:
        told["withheld"] = {"was": before.withheld, "is": after.withheld}
    return told


def told_names(person: Person) -> list[list[str | None]]:
    """The names of a person, in an order that is always the same."""
    return sorted([[n.kind.value, n.full_name, n.given, n.family] for n in person.names], key=str)
