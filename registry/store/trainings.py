"""Needling training that people completed, as one body recorded it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from registry.clock import new_id
from registry.domain.vocabulary import Technique
from registry.errors import Stale

from . import documents, tables


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What is known of a training. Hours are clock hours.

    :param course_id: the course that was taken, where a body keeps it.
    """

    title: str
    provider: str | None
    techniques: frozenset[Technique]
    completed_on: date
    hours_theory: float = 0
    hours_practical: float = 0
    hours_in_person: float = 0
    supervised_sessions: int = 0
    examination_passed: bool = False
    safety_component: bool = False
    course_id: str | None = None


FACTS = tuple(field.name for field in fields(TrainingFacts))


@dataclass(frozen=True, slots=True)
class KeptTraining:
    """A training on record.

    :param body_id: the body that recorded it, and alone may change it.
    """

    id: str
    practitioner_id: str
    body_id: str
    facts: TrainingFacts
    version: int
    recorded_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None
    withdrawn_because: str | None


def _columns(facts: TrainingFacts) -> dict[str, Any]:
    columns = {name: getattr(facts, name) for name in FACTS}
    return {**columns, "techniques": documents.dump_techniques(facts.techniques)}


def insert_training(
    tx: Connection, practitioner_id: str, body_id: str, facts: TrainingFacts, *, by: str, at: datetime
) -> str:
    """Write a training."""
    id_ = new_id()
    row = {
        "id": id_,
        "practitioner_id": practitioner_id,
        "body_id": body_id,
        "version": 1,
        "recorded_at": at,
        "recorded_by": by,
        **_columns(facts),
    }
    tx.execute(insert(tables.trainings), [row])
    return id_


def change_training(tx: Connection, training: KeptTraining, facts: TrainingFacts) -> None:
    """Write other facts in a training's place. Raises as :func:`_change` does."""
    _change(tx, training, _columns(facts))


def withdraw_training(tx: Connection, training: KeptTraining, *, because: str, at: datetime) -> None:
    """Count a training no longer; it is kept. Raises as :func:`_change` does."""
    _change(tx, training, {"withdrawn_at": at, "withdrawn_because": because})


def _change(tx: Connection, training: KeptTraining, values: Mapping[str, Any]) -> None:
    """:raises registry.errors.Stale: someone else changed the training since it was read."""
    t = tables.trainings
    same = (t.c.id == training.id) & (t.c.version == training.version)
    if tx.execute(update(t).where(same).values(version=t.c.version + 1, **values)).rowcount != 1:
        raise Stale("This training was changed by someone else in the meantime; read it again.")


def find_training(connection: Connection, training_id: str) -> KeptTraining | None:
    """A training, withdrawn or not; or ``None``."""
    t = tables.trainings
    row = connection.execute(select(t).where(t.c.id == training_id)).one_or_none()
    return None if row is None else _kept(row)


def list_trainings(
    connection: Connection, practitioner_id: str, *, after: str | None, limit: int
) -> list[KeptTraining]:
    """A stretch of a person's trainings, withdrawn ones too, in the order in which they were recorded."""
    t = tables.trainings
    statement = select(t).where(t.c.practitioner_id == practitioner_id).order_by(t.c.id).limit(limit)
    if after is not None:
        statement = statement.where(t.c.id > after)
    return [_kept(row) for row in connection.execute(statement)]


def trainings_of_person(connection: Connection, practitioner_id: str) -> Sequence[str]:
    """The trainings of a person, withdrawn ones too, by identifier."""
    t = tables.trainings
    statement = select(t.c.id).where(t.c.practitioner_id == practitioner_id).order_by(t.c.id)
    return connection.execute(statement).scalars().all()


def move_trainings(tx: Connection, training_ids: Sequence[str], practitioner_id: str) -> None:
    """Make these trainings another person's."""
    t = tables.trainings
    moved = {"practitioner_id": practitioner_id, "version": t.c.version + 1}
    if training_ids:
        tx.execute(update(t).where(t.c.id.in_(training_ids)).values(**moved))


def _kept(row: Row[Any]) -> KeptTraining:
    facts = {name: getattr(row, name) for name in FACTS}
    return KeptTraining(
        row.id,
        row.practitioner_id,
        row.body_id,
        TrainingFacts(**{**facts, "techniques": documents.load_techniques(row.techniques)}),
        row.version,
        row.recorded_at,
        row.recorded_by,
        row.withdrawn_at,
        row.withdrawn_because,
    )
