"""Needling training of practitioners: recorded, corrected, withdrawn; never deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.vocabulary import AmendmentSubject
from registry.errors import Conflict, Invalid, NotFound
from registry.store import affected, trainings
from registry.store.amendments import Subject, add_amendment
from registry.store.records import Body, Person, registrations_of_people
from registry.store.trainings import FACTS, KeptTraining, TrainingFacts

from .courses import hold_course
from .people import hold_person


def get_training(connection: Connection, training_id: str) -> KeptTraining:
    """A training, withdrawn or not.

    :raises registry.errors.NotFound: there is none.
    """
    training = trainings.find_training(connection, training_id)
    if training is None:
        raise NotFound(f"No training is kept under the identifier {training_id}.")
    return training


def add_training(
    tx: Connection, person: Person, body: Body, facts: TrainingFacts, *, by: str, at: datetime
) -> KeptTraining:
    """Record a training, and count it for every registration of the person.

    :param body: the body that records it.
    :raises registry.errors.Invalid: it cannot be as described.
    :raises registry.errors.Conflict: the person was merged into another.
    """
    _refuse_impossible(tx, facts, body, at)
    hold_person(tx, person.id)
    id_ = trainings.insert_training(tx, person.id, body.id, facts, by=by, at=at)
    return _counted_anew(tx, id_, at)


def change_training(
    tx: Connection,
    training: KeptTraining,
    facts: TrainingFacts,
    *,
    body: Body,
    by: str,
    at: datetime,
    reason: str | None = None,
) -> KeptTraining:
    """Correct what is recorded of a training.

    :param training: as the caller saw it.
    :param body: the body that recorded it.
    :raises registry.errors.Invalid: it cannot be as described.
    :raises registry.errors.Stale: it has changed since.
    :raises registry.errors.Conflict: it was withdrawn.
    """
    _refuse_withdrawn(training)
    _refuse_impossible(tx, facts, body, at)
    hold_person(tx, training.practitioner_id)
    trainings.change_training(tx, training, facts)
    changed = {
        field: (getattr(training.facts, field), getattr(facts, field))
        for field in FACTS
        if getattr(training.facts, field) != getattr(facts, field)
    }
    subject = Subject(AmendmentSubject.TRAINING, training.id)
    add_amendment(tx, subject, changed, reason=reason, by=by, at=at)
    return _counted_anew(tx, training.id, at)


def withdraw_training(
    tx: Connection, training: KeptTraining, *, reason: str, by: str, at: datetime
) -> KeptTraining:
    """Count a training no longer, as if it had not taken place; it is kept with the reason.

    :raises registry.errors.Stale: it has changed since it was read.
    :raises registry.errors.Conflict: it was withdrawn already.
    """
    _refuse_withdrawn(training)
    hold_person(tx, training.practitioner_id)
    trainings.withdraw_training(tx, training, because=reason, at=at)
    subject = Subject(AmendmentSubject.TRAINING, training.id)
    add_amendment(tx, subject, {"withdrawn": (False, True)}, reason=reason, by=by, at=at)
    return _counted_anew(tx, training.id, at)


def _counted_anew(tx: Connection, training_id: str, at: datetime) -> KeptTraining:
    training = get_training(tx, training_id)
    affected.derive_anew(tx, registrations_of_people(tx, [training.practitioner_id]), at=at)
    return training


def _refuse_withdrawn(training: KeptTraining) -> None:
    if training.withdrawn_at is not None:
        raise Conflict("This training was withdrawn; record another.")


def _refuse_impossible(tx: Connection, facts: TrainingFacts, body: Body, at: datetime) -> None:
    today = local_date(at, body.zone)
    if facts.completed_on > today:
        raise Invalid.at("/completed_on", f"A training was completed by today, {today.isoformat()}.")
    if facts.hours_in_person > facts.hours_theory + facts.hours_practical:
        raise Invalid.at("/hours_in_person", "These are at most the hours of theory and practice together.")
    if facts.course_id is not None and hold_course(tx, facts.course_id) is None:
        raise Invalid.at("/course_id", f"No course is kept under the identifier {facts.course_id}.")


def described_by_course(tx: Connection, facts: TrainingFacts) -> TrainingFacts:
    """``facts`` with title, provider and techniques of the course where they do not say them themselves.

    :raises registry.errors.Invalid: neither says them, or there is no such course.
    """
    course = None if facts.course_id is None else hold_course(tx, facts.course_id)
    if course is None:
        if not facts.title:
            raise Invalid.at("/title", "Give a title, or the course that was taken.")
        if not facts.techniques:
            raise Invalid.at("/techniques", "Give the techniques, or the course that was taken.")
        return facts
    return replace(
        facts,
        title=facts.title or course.title,
        provider=facts.provider or course.provider,
        techniques=facts.techniques or course.techniques,
    )
