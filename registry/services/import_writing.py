"""Writing what the rows of an import come to, many at once, with all that is derived from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.vocabulary import Standing as StandingWord
from registry.domain.vocabulary import SubjectKind
from registry.store import documents, import_rows, imports, tables
from registry.store.bulk import insert_rows
from registry.store.events import Event
from registry.store.import_rows import Mark, count_change
from registry.store.records import Person, RegistrationRecord, decision_row, load_record
from registry.store.search import index_new_people, index_people
from registry.store.standing import Standing, rewrite_standings

from . import people, registrations
from .decisions import Change, events_of
from .import_plans import Plan

Values = dict[str, Any]


@dataclass(slots=True)
class Writer:
    """Writes the plans of one import in its transaction.

    :param at: the instant (UTC) of recording.
    :param day: the local day of which the file speaks.
    :ivar events: how many events are kept for the end.
    """

    tx: Connection
    import_id: str
    by: str
    at: datetime
    day: date
    events: int = 0

    def write(self, plans: Sequence[Plan]) -> None:
        """Record what these rows come to."""
        self._open([plan for plan in plans if plan.is_new])
        known = [plan for plan in plans if not plan.is_new]
        changed = [self._change(plan) if plan.person or plan.city is not None else plan for plan in known]
        self._decide([plan for plan in changed if plan.recorded])
        self._mark(changed)

    # --- Registrations that are new to the register ---

    def _open(self, plans: Sequence[Plan]) -> None:
        if not plans:
            return
        tx = self.tx
        insert_rows(tx, tables.practitioners, [self._practitioner(plan) for plan in plans])
        insert_rows(tx, tables.practitioner_names, [row for plan in plans for row in self._names(plan)])
        insert_rows(tx, tables.registrations, [self._registration(plan) for plan in plans])
        insert_rows(tx, tables.needling_authorizations, [r for p in plans for r in self._authorizations(p)])
        rows = [decision_row(plan.record.id, d) for plan in plans for d in plan.recorded]
        insert_rows(tx, tables.decisions, rows)
        records = [plan.after() for plan in plans]
        derived = rewrite_standings(tx, records, at=self.at, new=True)
        self._index(plans)
        import_rows.mark(tx, [self._mark_of(plan) for plan in plans], new=True)
        today = local_date(self.at, plans[0].record.body.zone)
        self._hold(
            [e for p, s in zip(plans, derived, strict=True) for e in _opening_events(p, s, today, self.at)]
        )

    def _practitioner(self, plan: Plan) -> Values:
        person = plan.record.person
        return {
            "id": person.id,
            "version": person.version,
            "withheld": person.withheld,
            "languages": documents.dump(person.languages) if person.languages else "[]",
            "created_at": self.at,
        }

    def _names(self, plan: Plan) -> Iterator[Values]:
        for name in plan.record.person.names:
            yield {
                "id": name.id,
                "practitioner_id": plan.record.person.id,
                "kind": name.kind,
                "full_name": name.full_name,
                "given": name.given,
                "family": name.family,
                "recorded_at": self.at,
                "recorded_by": self.by,
            }

    def _registration(self, plan: Plan) -> Values:
        record = plan.record
        return {
            "id": record.id,
            "practitioner_id": record.person.id,
            "body_id": record.body.id,
            "number": record.number,
            "number_key": record.number_key,
            "city": record.city,
            "version": record.version,
            "created_at": self.at,
        }

    def _authorizations(self, plan: Plan) -> Iterator[Values]:
        known = (None, *plan.record.authorization_ids)
        for id_ in dict.fromkeys(
            d.authorization_id for d in plan.recorded if d.authorization_id not in known
        ):
            yield {"id": id_, "registration_id": plan.record.id, "created_at": self.at}

    def _index(self, plans: Sequence[Plan]) -> None:
        people_ = [plan.record.person for plan in plans]
        plain = [p for p in people_ if len(p.names) == 1 and not p.withheld]
        index_new_people(self.tx, [(p.id, [name.full_name for name in p.names]) for p in plain])
        others = [p.id for p in people_ if len(p.names) != 1 or p.withheld]
        if others:
            index_people(self.tx, others)

    # --- Registrations that the register knows ---

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
        insert_rows(tx, tables.needling_authorizations, [r for p in plans for r in self._authorizations(p)])
        rows = [decision_row(plan.record.id, d) for plan in plans for d in plan.recorded]
        insert_rows(tx, tables.decisions, rows)
        causes = {plan.record.id: plan.recorded[-1].decision.id for plan in plans}
        rewrite_standings(tx, [plan.after() for plan in plans], at=self.at, cause=causes)
        changes = (Change(plan.record, plan.after(), plan.recorded) for plan in plans)
        self._hold([event for change in changes for event in events_of(change, self.at)])

    def _mark(self, plans: Sequence[Plan]) -> None:
        import_rows.mark(self.tx, [self._mark_of(plan) for plan in plans])

    def _mark_of(self, plan: Plan) -> Mark:
        claimed = 1 if plan.recorded and not plan.is_new else 0
        record = plan.record
        return Mark(
            registration_id=record.id,
            fingerprint=plan.fingerprint,
            registration_version=record.version + claimed,
            practitioner_version=record.person.version,
            compared_on=self.day,
            doubt_from=plan.doubt_from(self.day),
        )

    def _hold(self, events: Sequence[Event]) -> None:
        import_rows.hold_events(self.tx, self.import_id, self.events, events, self.at)
        self.events += len(events)


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


def _opening_events(plan: Plan, derived: Standing, today: date, at: datetime) -> Iterator[Event]:
    """What the feed tells of a registration that an import opened: what ``events_of`` would, but quicker."""
    stands = {
        span["subject_id"]: span["standing"]
        for span in derived.spans
        if span["first_day"] <= today and (span["last_day"] is None or today <= span["last_day"])
    }
    record = plan.record
    for recorded in plan.recorded:
        decision, subject = recorded.decision, recorded.authorization_id
        kind = SubjectKind.REGISTRATION if subject is None else SubjectKind.AUTHORIZATION
        data: Values = {
            "number": record.number,
            "effective_on": decision.effective_on.isoformat(),
            "was": StandingWord.NOT_YET.value,
            "is": stands.get(subject or record.id, StandingWord.NOT_YET).value,
            "corrects_the_past": decision.effective_on < today,
        }
        if decision.through is not None:
            data["through"] = decision.through.isoformat()
        yield Event(
            f"{kind.value}.{decision.kind.value}",
            record.body.id,
            record.id,
            decision.effective_on,
            at,
            subject,
            decision.id,
            data,
        )
