"""One registration with all that was decided about it: the unit that is read, changed and folded together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, or_, select, update

from registry.domain.decisions import Decision, known
from registry.domain.eligibility import Training
from registry.domain.lapses import TrainingRecord
from registry.domain.rules import RulesHistory
from registry.domain.timeline import Timeline, fold
from registry.domain.verdict import AuthorizationTimeline, Standings
from registry.domain.vocabulary import DecisionKind, NameKind
from registry.errors import Stale

from . import documents, tables

MANY = 400
"""Identifiers in one IN list."""


@dataclass(frozen=True, slots=True)
class Body:
    """A regulatory body and the rules that it ever recorded. ``zone`` is an IANA name."""

    id: str
    code: str
    name: str
    jurisdiction: str
    zone: str
    website: str | None
    publishes_training: bool
    publishes_former_names: bool
    version: int
    rules: RulesHistory
    every_rules: tuple[Any, ...] = ()

    @property
    def asks_for_practice(self) -> bool:
        """Whether any version of the rules asks for years of practice."""
        return any(a.practice_years for v in self.rules.versions for a in v.requirements.values())


@dataclass(frozen=True, slots=True)
class Name:
    """A name, with what it is to its bearer."""

    id: str
    kind: NameKind
    full_name: str
    given: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A physiotherapist: names in use, and whether the record is withheld for the person's safety."""

    id: str
    version: int
    withheld: bool
    languages: tuple[str, ...]
    names: tuple[Name, ...]
    merged_into: str | None = None
    shows_former_names: bool = True
    is_erased: bool = False

    @property
    def published_name(self) -> str | None:
        """The name the public sees; ``None`` for a withheld record."""
        if self.withheld:
            return None
        return next((n.full_name for n in self.names if n.kind is NameKind.PUBLISHED), None)


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A decision with what is recorded about it for registrars."""

    decision: Decision
    authorization_id: str | None
    recorded_by: str
    reason: str | None = None
    private_note: str | None = None
    override_reason: str | None = None
    import_id: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedTraining:
    """A person's training as it is kept; ``training.approved`` holds the periods of the course's approval."""

    training: Training
    course_id: str | None
    course_body_id: str | None
    title: str
    provider: str | None


@dataclass(frozen=True, slots=True)
class RegistrationRecord:
    """One registration, its authorizations, and every decision about them.

    :param registered_elsewhere_since: first day of the person's earliest other registration, with any body;
        read where the body's rules ask for years of practice.
    """

    id: str
    body: Body
    person: Person
    number: str
    number_key: str
    city: str | None
    version: int
    created_at: datetime
    authorization_ids: tuple[str, ...] = ()
    decisions: tuple[RecordedDecision, ...] = ()
    trainings: tuple[RecordedTraining, ...] = ()
    registered_elsewhere_since: date | None = None

    def decisions_on(self, authorization_id: str | None) -> list[Decision]:
        """The decisions about one authorization, or (``None``) about the registration itself."""
        return [d.decision for d in self.decisions if d.authorization_id == authorization_id]

    def timeline(self, authorization_id: str | None, known_at: datetime | None = None) -> Timeline:
        """The fold of those decisions, as known at an instant (UTC; ``None`` for now)."""
        rules = self.body.rules if known_at is None else RulesHistory.of(self.body.every_rules, known_at)
        grace = rules.registration_grace if authorization_id is None else rules.authorization_grace
        return fold(self.decisions_on(authorization_id), known_at=known_at, grace=grace)

    def standings(self, known_at: datetime | None = None) -> Standings:
        """All that a verdict rests on, as known at an instant (UTC; ``None`` for now)."""
        ids = self.authorization_ids
        return Standings(
            self.timeline(None, known_at),
            tuple(AuthorizationTimeline(id_, self.timeline(id_, known_at)) for id_ in ids),
            self.body.rules if known_at is None else RulesHistory.of(self.body.every_rules, known_at),
        )

    def training_record(self) -> TrainingRecord:
        """The person's training as this body counts it."""
        otherwise = {
            d.authorization_id
            for d in self.decisions
            if d.decision.kind is DecisionKind.GRANTED and (d.override_reason or d.import_id)
        }
        return TrainingRecord(
            self.counted_trainings(), frozenset(id_ for id_ in otherwise if id_ is not None)
        )

    def counted_trainings(self) -> tuple[Training, ...]:
        """Trainings with the approval periods of this body's own courses alone."""
        return tuple(
            t.training if t.course_body_id == self.body.id else replace(t.training, approved=())
            for t in self.trainings
        )

    def with_decisions(self, added: Sequence[RecordedDecision]) -> RegistrationRecord:
        """The record as it is once ``added`` are recorded too."""
        new = [a for a in dict.fromkeys(d.authorization_id for d in added) if a is not None]
        ids = dict.fromkeys((*self.authorization_ids, *new))
        return replace(self, decisions=(*self.decisions, *added), authorization_ids=tuple(ids))

    def voided(self) -> frozenset[str]:
        """The decisions that have been taken back."""
        return known(d.decision for d in self.decisions).voided


def body_of(row: Any) -> Body:
    """A body from its row; its rules are read once for each text of its document."""
    document = documents.load_body(row.document)
    return Body(
        row.id,
        row.code,
        row.name,
        row.jurisdiction,
        row.zone,
        row.website,
        row.publishes_training,
        row.publishes_former_names,
        row.version,
        document["history"],
        document["versions"],
    )


def load_records(connection: Connection, registration_ids: Sequence[str]) -> Iterator[RegistrationRecord]:
    """The records of these registrations, in the order asked, with the same few statements for any number."""
    for start in range(0, len(registration_ids), MANY):
        wanted = registration_ids[start : start + MANY]
        yield from _load(connection, wanted)


def load_record(connection: Connection, registration_id: str) -> RegistrationRecord | None:
    """One record, or ``None``."""
    return next(load_records(connection, [registration_id]), None)


def _load(connection: Connection, wanted: Sequence[str]) -> Iterator[RegistrationRecord]:
    r = tables.registrations
    rows = {row.id: row for row in connection.execute(select(r).where(r.c.id.in_(wanted)))}
    people = load_people(connection, {row.practitioner_id for row in rows.values()})
    bodies = {
        row.id: body_of(row)
        for row in connection.execute(
            select(tables.bodies).where(tables.bodies.c.id.in_({row.body_id for row in rows.values()}))
        )
    }
    authorizations = _grouped(connection, _of(tables.needling_authorizations, wanted), "registration_id")
    decisions = _grouped(connection, _of(tables.decisions, wanted), "registration_id")
    trainings = load_trainings(connection, people)
    for id_ in wanted:
        row = rows.get(id_)
        if row is not None:
            yield RegistrationRecord(
                id=row.id,
                body=bodies[row.body_id],
                person=people[row.practitioner_id],
                number=row.number,
                number_key=row.number_key,
                city=row.city,
                version=row.version,
                created_at=row.created_at,
                authorization_ids=tuple(a.id for a in authorizations.get(id_, ())),
                decisions=tuple(decision_of(d) for d in decisions.get(id_, ())),
                trainings=tuple(trainings.get(row.practitioner_id, ())),
            )


def _of(table: Any, wanted: Sequence[str]) -> Select[Any]:
    return select(table).where(table.c.registration_id.in_(wanted)).order_by(table.c.id)


def _grouped(connection: Connection, statement: Select[Any], key: str) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(statement):
        found.setdefault(getattr(row, key), []).append(row)
    return found


def load_people(connection: Connection, ids: Iterable[str]) -> dict[str, Person]:
    """The people with these identifiers, with the names in use."""
    wanted = list(ids)
    p, n = tables.practitioners, tables.practitioner_names
    names = _grouped(
        connection,
        select(n).where(n.c.practitioner_id.in_(wanted), n.c.ended_at.is_(None)).order_by(n.c.id),
        "practitioner_id",
    )
    return {
        row.id: Person(
            row.id,
            row.version,
            row.withheld,
            tuple(json.loads(row.languages)),
            tuple(
                Name(n.id, NameKind(n.kind), n.full_name, n.given, n.family) for n in names.get(row.id, ())
            ),
            row.merged_into,
            row.shows_former_names is not False,
            row.erased_at is not None,
        )
        for row in connection.execute(select(p).where(p.c.id.in_(wanted)))
    }


def load_trainings(connection: Connection, ids: Iterable[str]) -> dict[str, list[RecordedTraining]]:
    """The trainings of these people that were not withdrawn, with the approval periods of their courses."""
    t, a, c = tables.trainings, tables.course_approvals, tables.courses
    rows = connection.execute(
        select(t, c.c.body_id.label("course_body_id"))
        .join(c, c.c.id == t.c.course_id, isouter=True)
        .where(t.c.practitioner_id.in_(list(ids)), t.c.withdrawn_at.is_(None))
        .order_by(t.c.completed_on, t.c.id)
    ).all()
    courses = {row.course_id for row in rows if row.course_id is not None}
    approvals = _grouped(
        connection, select(a).where(a.c.course_id.in_(courses)).order_by(a.c.first_day), "course_id"
    )
    found: dict[str, list[RecordedTraining]] = {}
    for row in rows:
        periods = tuple((p.first_day, p.last_day) for p in approvals.get(row.course_id, ()))
        training = Training(
            id=row.id,
            completed_on=row.completed_on,
            techniques=documents.load_techniques(row.techniques),
            hours_theory=row.hours_theory,
            hours_practical=row.hours_practical,
            hours_in_person=row.hours_in_person,
            supervised_sessions=row.supervised_sessions,
            examination_passed=row.examination_passed,
            safety_component=row.safety_component,
            approved=periods,
        )
        recorded = RecordedTraining(training, row.course_id, row.course_body_id, row.title, row.provider)
        found.setdefault(row.practitioner_id, []).append(recorded)
    return found


def decision_of(row: Row[Any]) -> RecordedDecision:
    """A decision from its row."""
    decision = Decision(
        id=row.id,
        kind=DecisionKind(row.kind),
        effective_on=row.effective_on,
        recorded_at=row.recorded_at,
        through=row.through,
        scope=None if row.scope is None else documents.scope_of(json.loads(row.scope)),
        report=None if row.report is None else documents.report_of(json.loads(row.report)),
        voids=row.voids,
    )
    return RecordedDecision(
        decision,
        row.authorization_id,
        row.recorded_by,
        row.reason,
        row.private_note,
        row.override_reason,
        row.import_id,
    )


def decision_row(registration_id: str, recorded: RecordedDecision) -> dict[str, Any]:
    """The row of a decision."""
    d = recorded.decision
    return {
        "id": d.id,
        "registration_id": registration_id,
        "authorization_id": recorded.authorization_id,
        "kind": d.kind,
        "effective_on": d.effective_on,
        "through": d.through,
        "scope": None if d.scope is None else documents.scope_text(d.scope),
        "report": None if d.report is None else documents.report_text(d.report),
        "voids": d.voids,
        "reason": recorded.reason,
        "private_note": recorded.private_note,
        "override_reason": recorded.override_reason,
        "import_id": recorded.import_id,
        "recorded_at": d.recorded_at,
        "recorded_by": recorded.recorded_by,
    }


def add_decisions(tx: Connection, record: RegistrationRecord, added: Sequence[RecordedDecision]) -> None:
    """Write decisions (and the authorizations that they open) of one registration."""
    known_ids = set(record.authorization_ids)
    opened = dict.fromkeys(d.authorization_id for d in added if d.authorization_id not in (None, *known_ids))
    if opened:
        created = added[0].decision.recorded_at
        rows = [{"id": id_, "registration_id": record.id, "created_at": created} for id_ in opened]
        tx.execute(insert(tables.needling_authorizations), rows)
    tx.execute(insert(tables.decisions), [decision_row(record.id, d) for d in added])


def claim(tx: Connection, record: RegistrationRecord) -> None:
    """Take the record for this transaction's change: nobody else changed it since it was read.

    :raises registry.errors.Stale: someone did.
    """
    r = tables.registrations
    changed = tx.execute(
        update(r).where(r.c.id == record.id, r.c.version == record.version).values(version=r.c.version + 1)
    )
    if changed.rowcount != 1:
        raise Stale("This record was changed by someone else in the meantime; read it again.")


def registrations_of_people(connection: Connection, people: Iterable[str]) -> list[str]:
    """The registrations of these people, by identifier."""
    r = tables.registrations
    found = connection.execute(select(r.c.id).where(r.c.practitioner_id.in_(list(people))).order_by(r.c.id))
    return list(found.scalars())


def find_registration(connection: Connection, body_id: str, number_key: str) -> str | None:
    """The identifier of a body's registration, by its number."""
    r = tables.registrations
    return connection.execute(
        select(r.c.id).where(r.c.body_id == body_id, r.c.number_key == number_key)
    ).scalar_one_or_none()


def body_names(connection: Connection) -> tuple[tuple[str, str], ...]:
    """Codes and names of all bodies, by name."""
    b = tables.bodies
    return tuple(
        (row.code, row.name) for row in connection.execute(select(b.c.code, b.c.name).order_by(b.c.name))
    )


def find_body(connection: Connection, code_or_id: str) -> Body | None:
    """A body by its code or its identifier."""
    b = tables.bodies
    row = connection.execute(select(b).where(or_(b.c.code == code_or_id, b.c.id == code_or_id))).one_or_none()
    return None if row is None else body_of(row)
