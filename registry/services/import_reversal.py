"""Reversing an import: everything that it decided is voided, everything else that it changed is restored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from registry.clock import new_id
from registry.domain.decisions import Decision
from registry.domain.vocabulary import DecisionKind, NameKind
from registry.errors import Conflict, Senseless
from registry.store import import_rows, tables
from registry.store import imports as store
from registry.store.bulk import insert_rows
from registry.store.import_tables import ImportState
from registry.store.imports import Import
from registry.store.merges import merges_of_withheld
from registry.store.people import NewName, bodies_of_person, find_person
from registry.store.records import (
    MANY,
    RecordedDecision,
    RegistrationRecord,
    decision_row,
    load_record,
    load_records,
)
from registry.store.standing import rewrite_standings

from . import people, registrations
from .decisions import Change, after_all, events_of, refuse_double_grant, refuse_senseless
from .import_writing import told_names
from .imports import Progress, get_import, silent

MOST_TOLD = 100
"""Decisions in the way that a refusal lists."""


def reverse_import(
    tx: Connection, import_id: str, *, by: str, at: datetime, progress: Progress = silent
) -> Import:
    """Void all that an import decided, and restore the names, cities and languages that it changed.

    Who was registered by it alone is, from then on, never registered. The import can be applied again.

    :raises registry.errors.Conflict: it is not applied.
    :raises registry.errors.Senseless: later decisions rest on it; they are listed, and nothing is reversed.
    """
    found = get_import(tx, import_id)
    import_rows.lock_body(tx, found.body_id)
    found = get_import(tx, import_id)
    if found.state is not ImportState.APPLIED:
        raise Conflict(f"This import is {found.state}, not applied.", [{"state": found.state.value}])
    _restore(tx, found, by=by, at=at)
    events = import_rows.EventKeeper(tx, import_id, found.body_id, at)
    _Reversal(tx, found, by, at, events).void_all(progress)
    events.release()
    done = {"reversed_at": at, "reversed_by": by}
    store.change_import(tx, found, state=ImportState.REVERSED, **done)
    return get_import(tx, import_id)


class _Reversal:
    """The voiding of one import's decisions, a stretch of registrations at a time."""

    def __init__(
        self, tx: Connection, found: Import, by: str, at: datetime, events: import_rows.EventKeeper
    ) -> None:
        self._tx, self._found, self._by, self._at, self._events = tx, found, by, at, events
        self._in_the_way: list[Any] = []

    def void_all(self, progress: Progress) -> None:
        done = 0
        for ids in self._stretches():
            changes = [change for record in load_records(self._tx, ids) if (change := self._voided(record))]
            if not self._in_the_way:
                self._write(changes)
            done += len(ids)
            progress("reversing", done)
        if self._in_the_way:
            raise Senseless(
                "Later decisions rest on what this import decided; void them first.",
                self._in_the_way[:MOST_TOLD],
            )

    def _stretches(self) -> Iterator[list[str]]:
        after = ""
        while ids := import_rows.decided_registrations(self._tx, self._found.id, after=after, limit=MANY):
            import_rows.hold_registrations(self._tx, ids)
            yield ids
            after = ids[-1]

    def _voided(self, record: RegistrationRecord) -> Change | None:
        """The record without the import's decisions. A correction's voiding is itself voided."""
        at, gone = after_all(record, self._at), record.voided()
        voidings = tuple(
            self._voiding(decided, at)
            for decided in record.decisions
            if decided.import_id == self._found.id and decided.decision.id not in gone
        )
        change = Change(record, record.with_decisions(voidings), voidings)
        try:
            refuse_senseless(change)
            refuse_double_grant(change)
        except (Senseless, Conflict) as error:
            problems = error.problems or [{"detail": error.detail}]
            self._in_the_way += [{"number": record.number, **problem} for problem in problems]
        return change if voidings else None

    def _voiding(self, decided: RecordedDecision, at: datetime) -> RecordedDecision:
        voided = decided.decision
        voiding = Decision(new_id(), DecisionKind.VOIDED, voided.effective_on, at, voids=voided.id)
        return RecordedDecision(
            voiding, decided.authorization_id, self._by, f"import {self._found.id} reversed"
        )

    def _write(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        tx = self._tx
        import_rows.count_change(tx, [change.after.id for change in changes])
        rows = [decision_row(change.after.id, d) for change in changes for d in change.recorded]
        insert_rows(tx, tables.decisions, rows)
        causes = {change.after.id: change.recorded[-1].decision.id for change in changes}
        rewrite_standings(tx, [change.after for change in changes], at=self._at, cause=causes)
        told = (event for change in changes for event in events_of(change, self._at))
        self._events.keep([import_rows.event_values(event) for event in told])


def _restore(tx: Connection, found: Import, *, by: str, at: datetime) -> None:
    """Put back names, cities and languages, each unless someone has changed it since."""
    reason = f"import {found.id} reversed"
    for registration_id, told in reversed(store.read_changes(tx, found.id)):
        record = load_record(tx, registration_id)
        if record is None:
            raise AssertionError("registrations are never deleted")
        _restore_person(tx, record, told, by=by, at=at, reason=reason)
        city = told.get("city")
        record = load_record(tx, registration_id) or record
        if city is not None and record.city == city["is"]:
            registrations.correct(tx, record, number=None, city=city["was"], by=by, at=at, reason=reason)
    store.forget_changes(tx, found.id)


def _restore_person(
    tx: Connection, record: RegistrationRecord, told: dict[str, Any], *, by: str, at: datetime, reason: str
) -> None:
    person = find_person(tx, record.person.id)
    if person is None or person.merged_into is not None:
        return
    own = {
        "names": told_names(person),
        "languages": list(person.languages),
        "withheld": person.withheld,
    }
    wanted = {
        name: _READS[name](told[name]["was"])
        for name in _READS
        if name in told and own[name] == told[name]["is"]
    }
    if wanted.get("withheld") is False and _others_withhold(tx, record):
        del wanted["withheld"]
    if wanted:
        change = people.PersonChange(**wanted, reason=reason)
        people.change_person(tx, person, change, by=by, at=at)


def _others_withhold(tx: Connection, record: RegistrationRecord) -> bool:
    """Whether the holder may have to stay withheld for the sake of another body, or of a merged record."""
    others = bodies_of_person(tx, record.person.id) - {record.body.id}
    return bool(others or merges_of_withheld(tx, record.person.id))


_READS: dict[str, Callable[[Any], Any]] = {
    "names": lambda was: [NewName(NameKind(kind), *parts) for kind, *parts in was],
    "languages": tuple,
    "withheld": bool,
}
