"""Whatever is changed, in whatever order: what is derived stays what the facts say, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from registry.domain.rules import TrainingRequirement
from registry.domain.vocabulary import DecisionKind, NameKind, Technique
from registry.services import bodies, check, courses, decisions, merges, people, registrations, trainings
from registry.services.people import PersonChange, PreviousName
from registry.store import search
from registry.store.merges import merges_of_person
from registry.store.people import NewName
from registry.store.records import RegistrationRecord
from tests.support import factories as made
from tests.support.factories import AT, BY

ASKING = TrainingRequirement(hours_total=40, approved_course=True, refresher_hours=10, refresher_months=24)


@dataclass
class World:
    """Two bodies, a person whom both registered, and a duplicate record of the same person."""

    own: str
    other: str
    first: str
    elsewhere: str
    second: str
    course: str
    training: str

    def record(self, tx: Connection) -> RegistrationRecord:
        return decisions.get_record(tx, self.first)


def world(tx: Connection) -> World:
    own, other = made.make_body(tx, "own", publishes_training=True), made.make_body(tx, "other")
    person = made.make_person(tx, "Ana Silva", legal="Anna da Silva")
    first = made.make_registration(tx, own, person, number="PT-1", city="Banff")
    made.make_authorization(tx, first)
    elsewhere = made.make_registration(tx, other, person, number="PT-1")
    course = made.make_course(tx, own, approvals=[(date(2025, 1, 1), date(2025, 12, 31))])
    training = made.make_training(tx, person, own, course_id=course.id, hours_theory=40)
    second = made.make_registration(tx, own, made.make_person(tx, "Ana Sylva"), number="PT-2")
    return World(own.id, other.id, first.id, elsewhere.id, second.id, course.id, training.id)


def rename(tx: Connection, it: World) -> None:
    person = people.get_person(tx, it.record(tx).person.id)
    names = [NewName(NameKind.PUBLISHED, f"Ana {'B' * (person.version % 7 + 1)}")]
    change = PersonChange(names, PreviousName.FORMER, ["fr"])
    people.change_person(tx, person, change, by=BY, at=AT)


def withhold(tx: Connection, it: World) -> None:
    person = people.get_person(tx, it.record(tx).person.id)
    change = PersonChange(withheld=not person.withheld, reason="Threatened.")
    people.change_person(tx, person, change, by=BY, at=AT)


def correct(tx: Connection, it: World) -> None:
    record = it.record(tx)
    number = f"PT-1{record.version}"
    registrations.correct(tx, record, number=number, city="Jasper", by=BY, at=AT)


def ask_for_more(tx: Connection, it: World) -> None:
    rules = made.make_rules(
        requirements={Technique.DRY_NEEDLING: ASKING}, registration_grace_days=20, holds_from=date(2025, 6, 1)
    )
    bodies.add_rules(tx, bodies.get_body(tx, it.own), rules, by=BY, at=AT)


def publish_former_names(tx: Connection, it: World) -> None:
    body = bodies.get_body(tx, it.own)
    change = {"publishes_former_names": not body.publishes_former_names, "zone": "Australia/Sydney"}
    bodies.change_body(tx, body, change, by=BY, at=AT)


def shorten_approval(tx: Connection, it: World) -> None:
    course = courses.get_course(tx, it.course)
    courses.end_approval(tx, course, course.approvals[0].id, date(2025, 5, 31), by=BY, at=AT)


def approve_again(tx: Connection, it: World) -> None:
    course = courses.get_course(tx, it.course)
    if len(course.approvals) == 1:
        courses.approve_course(tx, course, date(2026, 1, 1), None, by=BY, at=AT)


def withdraw(tx: Connection, it: World) -> None:
    training = trainings.get_training(tx, it.training)
    if training.withdrawn_at is None:
        trainings.withdraw_training(tx, training, reason="Forged.", by=BY, at=AT)


def train_again(tx: Connection, it: World) -> None:
    person = it.record(tx).person
    made.make_training(tx, person, bodies.get_body(tx, it.own), course_id=it.course, hours_practical=12)


def suspend(tx: Connection, it: World) -> None:
    made.decide(tx, it.record(tx), DecisionKind.SUSPENDED, date(2025, 11, 1), through=date(2026, 2, 1))


def void_last(tx: Connection, it: World) -> None:
    record = it.record(tx)
    standing = [d.decision for d in record.decisions if d.decision.id not in record.voided()]
    suspensions = [d for d in standing if d.kind is DecisionKind.SUSPENDED]
    if suspensions:
        made.void(tx, record, suspensions[-1].id)


def merge_and_part(tx: Connection, it: World) -> None:
    kept = people.get_person(tx, it.record(tx).person.id)
    duplicate = decisions.get_record(tx, it.second).person.id
    if kept.id == duplicate:
        merge = next(one for one in merges_of_person(tx, kept.id) if one.reversed_at is None)
        merges.reverse_merge(tx, merge, by=BY, at=AT)
    else:
        merges.merge_people(tx, kept, duplicate, reason="One person.", by=BY, at=AT)


CHANGES: list[Callable[[Connection, World], None]] = [
    *(rename, withhold, correct, ask_for_more, publish_former_names, shorten_approval, approve_again),
    *(withdraw, train_again, suspend, void_last, merge_and_part),
]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with made.database(database_url) as engine:
        yield engine


def differences(engine: Engine) -> list[object]:
    @contextmanager
    def snapshot() -> Iterator[Connection]:
        with engine.begin() as connection:
            yield connection

    with engine.begin() as connection:
        unfound = list(search.differences(connection))
    return [*check.find_differences(snapshot), *unfound]


def apply(engine: Engine, it: World, change: Callable[[Connection, World], None]) -> None:
    with engine.begin() as tx:
        change(tx, it)
    assert differences(engine) == [], change.__name__


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_each_change_leaves_what_is_derived_in_step(engine, change):
    with engine.begin() as tx:
        it = world(tx)
    for _ in range(2):
        apply(engine, it, change)


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(order=st.permutations(CHANGES))
def test_no_order_of_changes_leaves_anything_behind(databases, order):
    with databases.migrated() as url, made.database(url) as engine:
        with engine.begin() as tx:
            it = world(tx)
        for change in order:
            apply(engine, it, change)
