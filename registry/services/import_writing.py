"""Writing what the rows of an import come to, many at once, with all that is derived from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from registry.domain.vocabulary import AmendmentSubject
from registry.store import imports, tables
from registry.store.amendments import Subject, add_amendment
from registry.store.bulk import insert_rows, write_packed
from registry.store.import_rows import EventKeeper, count_change, event_values, mark, write_cities
from registry.store.records import Person, decision_row, load_record
from registry.store.search import index_new_people, index_people
from registry.store.standing import rewrite_standings

from . import people
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
        """Record what rows come to whose registrations the register knows; this transaction holds them."""
        renamed = [self._rename(plan) for plan in plans]
        moved = [self._move(plan) for plan in renamed]
        self._record([plan for plan in moved if plan.changes_registration])
        mark(self.tx, [plan.mark(self.day) for plan in moved])

    def _rename(self, plan: Plan) -> Plan:
        """Write another name or other languages; the plan goes on with the record as it then is."""
        if plan.person is None:
            return plan
        before = plan.record.person
        after = people.change_person(self.tx, before, plan.person, by=self.by, at=self.at)
        imports.add_change(self.tx, self.import_id, plan.record.id, _person_told(before, after))
        record = load_record(self.tx, plan.record.id)
        if record is None:
            raise AssertionError("registrations are never deleted")
        return replace(plan, record=record)

    def _move(self, plan: Plan) -> Plan:
        """Note another city; the plan goes on with the record as it will be."""
        if plan.city is None:
            return plan
        record, city = plan.record, plan.city or None
        told = {"city": {"was": record.city, "is": city}}
        imports.add_change(self.tx, self.import_id, record.id, told)
        add_amendment(
            self.tx,
            Subject(AmendmentSubject.REGISTRATION, record.id),
            {"city": (record.city, city)},
            reason=f"import {self.import_id}",
            by=self.by,
            at=self.at,
        )
        return replace(plan, record=replace(record, city=city))

    def _record(self, plans: Sequence[Plan]) -> None:
        """Write cities and decisions, and what is derived from them."""
        if not plans:
            return
        tx, decided = self.tx, [plan for plan in plans if plan.recorded]
        moved = [plan.record for plan in plans if plan.city is not None]
        count_change(tx, [plan.record.id for plan in plans])
        write_cities(tx, {record.id: record.city for record in moved})
        granted = [row for plan in decided for row in authorization_values(plan)]
        insert_rows(tx, tables.needling_authorizations, granted)
        rows = [decision_row(plan.record.id, d) for plan in decided for d in plan.recorded]
        insert_rows(tx, tables.decisions, rows)
        causes = {plan.record.id: plan.recorded[-1].decision.id for plan in decided}
        rewrite_standings(tx, [plan.after() for plan in plans], at=self.at, cause=causes)
        index_people(tx, [record.person.id for record in moved])
        changes = (Change(plan.record, plan.after(), plan.recorded) for plan in decided)
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
