"""All that a body's staff see of a person in one place, as known now or at an earlier moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from registry.domain.decisions import Known, known
from registry.domain.localtime import local_date
from registry.domain.verdict import Standings
from registry.store.merges import Merge, merges_of_person
from registry.store.people import HeldRegistration, RecordedName, held_registrations, list_names
from registry.store.records import Person, RecordedDecision, RegistrationRecord, load_records
from registry.store.trainings import KeptTraining, list_trainings

from .booked_checks import ClinicTouched, clinics_relying_on

MOST_TRAININGS = 500


@dataclass(frozen=True, slots=True)
class KnownTraining:
    """A training, and whether it had been withdrawn by the moment that is looked at."""

    training: KeptTraining
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class RegistrationFile:
    """A registration as known at a moment.

    :param today: the body's local day of that moment.
    :param standings: of the registration and those of its authorizations that were known.
    :param decisions: what was recorded by then, voided or not, as it was recorded.
    :param voided: those of them that had been taken back.
    :param clinics: who relies on it now; empty for an earlier moment.
    """

    record: RegistrationRecord
    today: date
    standings: Standings
    decisions: Sequence[RecordedDecision]
    voided: frozenset[str]
    clinics: Sequence[ClinicTouched]

    def about(self, authorization_id: str | None) -> list[RecordedDecision]:
        """The decisions about one authorization, or (``None``) about the registration itself."""
        return [d for d in self.decisions if d.authorization_id == authorization_id]


@dataclass(frozen=True, slots=True)
class PersonFile:
    """A person's names, registrations, trainings and merges.

    :param names: in use at the moment.
    :param registrations: those that the reader's body keeps.
    :param elsewhere: those with other bodies, of which the reader sees what the public sees.
    """

    person: Person
    names: Sequence[RecordedName]
    registrations: Sequence[RegistrationFile]
    elsewhere: Sequence[HeldRegistration]
    trainings: Sequence[KnownTraining]
    merges: Sequence[Merge]


def read_file(
    connection: Connection, person: Person, *, body_id: str | None, known_at: datetime | None, at: datetime
) -> PersonFile:
    """A person's file.

    :param body_id: the body of a registrar or an auditor; ``None`` for operators, who see all.
    :param known_at: what was known at this instant (UTC); ``None`` for now.
    :param at: the present instant (UTC).
    """
    moment = known_at or at
    held = held_registrations(connection, [person.id]).get(person.id, [])
    records = list(load_records(connection, [one.id for one in held]))
    own = [record for record in records if body_id in (None, record.body.id) and record.created_at <= moment]
    shown = {record.id for record in own}
    told = {record.id for record in records if record.created_at <= moment}
    return PersonFile(
        person,
        [name for name in list_names(connection, person.id) if _is_in_use(name, moment)],
        [_file(connection, record, known_at, at) for record in own],
        [one for one in held if one.id in told - shown],
        list(_trainings(connection, person.id, moment)),
        [merge for merge in merges_of_person(connection, person.id) if merge.recorded_at <= moment],
    )


def _is_in_use(name: RecordedName, moment: datetime) -> bool:
    return name.recorded_at <= moment and (name.ended_at is None or name.ended_at > moment)


def _trainings(connection: Connection, person_id: str, moment: datetime) -> Iterator[KnownTraining]:
    found = list_trainings(connection, person_id, after=None, limit=MOST_TRAININGS)
    for training in sorted(found, key=lambda one: (one.facts.completed_on, one.id)):
        if training.recorded_at <= moment:
            withdrawn = training.withdrawn_at is not None and training.withdrawn_at <= moment
            yield KnownTraining(training, withdrawn)


def read_registration(
    connection: Connection, record: RegistrationRecord, *, known_at: datetime | None, at: datetime
) -> RegistrationFile:
    """One registration's part of the file. ``known_at`` and ``at`` as for :func:`read_file`."""
    return _file(connection, record, known_at, at)


def _file(
    connection: Connection, record: RegistrationRecord, known_at: datetime | None, at: datetime
) -> RegistrationFile:
    standings = record.standings(known_at)
    recorded = [d for d in record.decisions if known_at is None or d.decision.recorded_at <= known_at]
    recorded.sort(key=lambda one: (one.decision.recorded_at, one.decision.id))
    opened = {one.authorization_id for one in recorded}
    then: Known = known((d.decision for d in recorded), known_at)
    today = local_date(known_at or at, record.body.zone)
    return RegistrationFile(
        record,
        today,
        Standings(
            standings.registration,
            tuple(one for one in standings.authorizations if one.id in opened),
            standings.rules,
        ),
        recorded,
        then.voided,
        clinics_relying_on(connection, record.id, today) if known_at is None else (),
    )
