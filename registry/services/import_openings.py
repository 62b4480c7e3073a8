"""Registrations that an import opens: planned, derived and packed without a database, so by helpers too."""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from sqlalchemy import Table

from registry.clock import new_id
from registry.domain.localtime import local_date
from registry.domain.timeline import Timeline
from registry.domain.vocabulary import Standing as StandingWord
from registry.domain.vocabulary import SubjectKind
from registry.sheets.profiles import read_profile
from registry.sheets.rows import RowReader, WrongRow
from registry.store import documents, import_tables, tables
from registry.store.bulk import Packed, pack
from registry.store.events import Event
from registry.store.import_rows import event_values, mark_values
from registry.store.imports import Reject
from registry.store.records import decision_row
from registry.store.standing import Standing, derive

from .changed_answers import first_answers
from .import_differences import Document, difference_of
from .import_findings import Findings
from .import_plans import Plan, Planner, Refused, reject

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fresh:
    """A row that is to be looked at in full."""

    line: int
    fingerprint: str
    cells: list[str]


@dataclass(slots=True)
class Opened:
    """What came of some rows: how many of which kind, and the rows of tables that record it.

    :ivar packed: in an order in which they can be written.
    :ivar plain: people with one name, to be indexed quickly; ``others`` are the rest.
    :ivar differences: where nothing is to be written, what each row would open, to be looked at.
    """

    findings: Findings = field(default_factory=Findings)
    rejects: list[Reject] = field(default_factory=list)
    packed: list[Packed] = field(default_factory=list)
    events: list[Values] = field(default_factory=list)
    plain: list[tuple[str, list[str]]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    differences: list[Document] = field(default_factory=list)


@dataclass(slots=True)
class Opener:
    """Opens registrations.

    :param engine: of the database that the rows are packed for; ``None`` where nothing is to be written.
    """

    planner: Planner
    reader: RowReader
    engine: str | None

    def open(self, rows: Sequence[Fresh]) -> Opened:
        """What comes of rows whose numbers are new to the register."""
        self.reader.unmapped.clear()
        opened = Opened()
        plans = [plan for row in rows if (plan := self._plan(row, opened)) is not None]
        for plan in plans:
            opened.findings.add(plan)
        opened.findings.unmapped.update(self.reader.unmapped)
        opened.findings.counts["rejected"] += len(opened.rejects)
        if self.engine is not None and plans:
            self._pack(self.engine, plans, opened)
        elif self.engine is None:
            opened.differences = [difference_of(plan, self.planner.day) for plan in plans]
        return opened

    def _plan(self, row: Fresh, opened: Opened) -> Plan | None:
        try:
            entry = self.reader.read(row.cells, self.planner.day)
            return self.planner.open(row.line, row.fingerprint, entry)
        except WrongRow as wrong:
            problems = [(p.column, p.value, p.detail) for p in wrong.problems]
            opened.rejects.append(reject(row.line, row.cells, *problems))
        except Refused as refused:
            opened.rejects.append(reject(row.line, row.cells, ("", "", str(refused))))
        return None

    def _pack(self, engine: str, plans: Sequence[Plan], opened: Opened) -> None:
        planner = self.planner
        derived = [derive(plan.after()) for plan in plans]
        by_table: list[tuple[Table, list[Values]]] = [
            (tables.practitioners, [self._practitioner(plan) for plan in plans]),
            (tables.practitioner_names, [row for plan in plans for row in self._names(plan)]),
            (tables.registrations, [self._registration(plan) for plan in plans]),
            (tables.needling_authorizations, [row for plan in plans for row in authorization_values(plan)]),
            (tables.decisions, [decision_row(p.record.id, d) for p in plans for d in p.recorded]),
            (tables.spans, [row for own in derived for row in own.spans]),
            (tables.entries, [own.entry for own in derived]),
            (tables.lapses, [self._lapse(row) for own in derived for row in own.lapses.values()]),
            (import_tables.import_marks, [mark_values(plan.mark(planner.day)) for plan in plans]),
        ]
        opened.packed = [pack(engine, table, rows) for table, rows in by_table if rows]
        today = local_date(planner.at, planner.body.zone)
        for plan, own in zip(plans, derived, strict=True):
            opened.events += [event_values(event) for event in _opening_events(plan, own, today)]
            self._note_names(plan, opened)

    def _lapse(self, row: Values) -> Values:
        return {"id": new_id(), "noticed_at": self.planner.at, **row}

    def _practitioner(self, plan: Plan) -> Values:
        person = plan.record.person
        return {
            "id": person.id,
            "version": person.version,
            "withheld": person.withheld,
            "languages": documents.dump(person.languages) if person.languages else "[]",
            "created_at": self.planner.at,
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
                "recorded_at": self.planner.at,
                "recorded_by": self.planner.by,
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
            "created_at": record.created_at,
        }

    def _note_names(self, plan: Plan, opened: Opened) -> None:
        person = plan.record.person
        if person.withheld or len(person.names) != 1:
            opened.others.append(person.id)
        else:
            opened.plain.append((person.id, [person.names[0].full_name]))


def authorization_values(plan: Plan) -> Iterator[Values]:
    """The rows of the authorizations that a plan opens."""
    known = (None, *plan.record.authorization_ids)
    for id_ in dict.fromkeys(d.authorization_id for d in plan.recorded if d.authorization_id not in known):
        at = plan.recorded[0].decision.recorded_at
        yield {"id": id_, "registration_id": plan.record.id, "created_at": at}


def _opening_events(plan: Plan, derived: Standing, today: date) -> Iterator[Event]:
    """What the feed tells of a registration that an import opened: what ``events_of`` would, but quicker."""
    record, standings = plan.record, derived.standings
    timelines: dict[str | None, Timeline] = {a.id: a.timeline for a in standings.authorizations}
    timelines[None] = standings.registration or Timeline()
    told: dict[frozenset[date], list[dict[str, str]]] = {}
    for recorded in plan.recorded:
        decision, subject = recorded.decision, recorded.authorization_id
        kind = SubjectKind.REGISTRATION if subject is None else SubjectKind.AUTHORIZATION
        data: Values = {
            "number": record.number,
            "effective_on": decision.effective_on.isoformat(),
            "was": StandingWord.NOT_YET.value,
            "is": timelines[subject].on(today).standing.value,
            "corrects_the_past": decision.effective_on < today,
        }
        if decision.through is not None:
            data["through"] = decision.through.isoformat()
        days = frozenset((decision.effective_on, today))
        if days not in told:
            told[days] = first_answers(derived.entry["answers"], days)
        answers = told[days]
        if answers:
            data["answers"] = answers
        yield Event(
            f"{kind.value}.{decision.kind.value}",
            record.body.id,
            record.id,
            decision.effective_on,
            decision.recorded_at,
            subject,
            decision.id,
            data,
        )


class Openings:
    """Opens registrations here, as they come."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def put(self, rows: list[Fresh]) -> Iterator[Opened]:
        """Hand in rows; what came of some handed in before, or of these."""
        if rows:
            yield self._opener.open(rows)

    def rest(self) -> Iterator[Opened]:
        """What came of all that were handed in and not answered for."""
        yield from ()


class HelpedOpenings(Openings):
    """Has helpers, each a process of its own, open registrations while this one writes."""

    def __init__(self, opener: Opener, header: Sequence[str], helpers: int) -> None:
        super().__init__(opener)
        given = (opener.planner, opener.reader.profile.document, list(header), opener.engine)
        self._most = 2 * helpers
        self._waiting: deque[Future[Opened]] = deque()
        self._pool = ProcessPoolExecutor(
            helpers, multiprocessing.get_context("spawn"), initializer=_begin_to_help, initargs=given
        )
        for _ in range(helpers):  # they start when they are first asked
            self._pool.submit(_help, [])

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def put(self, rows: list[Fresh]) -> Iterator[Opened]:
        """Hand in rows. Where the helpers have enough to do, these are opened here meanwhile."""
        if rows and len(self._waiting) < self._most:
            self._waiting.append(self._pool.submit(_help, rows))
        else:
            yield from super().put(rows)
        while self._waiting and self._waiting[0].done():
            yield self._waiting.popleft().result()

    def rest(self) -> Iterator[Opened]:
        while self._waiting:
            yield self._waiting.popleft().result()


_helping: list[Opener] = []


def spare_the_collector() -> None:
    """Have Python look for unreachable objects more rarely: an import makes many, hardly any in circles.

    For processes that do nothing else.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _begin_to_help(
    planner: Planner, profile: Mapping[str, Any], header: list[str], engine: str | None
) -> None:
    spare_the_collector()
    _helping[:] = [Opener(planner, RowReader(read_profile(profile), header), engine)]


def _help(rows: list[Fresh]) -> Opened:
    return _helping[0].open(rows)
