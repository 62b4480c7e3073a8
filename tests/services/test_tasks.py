"""What takes long, done outside the request: once, whatever dies in the middle, and told how far it is."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from registry.domain.rules import TrainingRequirement
from registry.domain.vocabulary import DecisionKind, Technique
from registry.errors import Conflict, Stale
from registry.services import imports as import_service
from registry.services import tasks as service
from registry.services.bodies import get_body
from registry.services.imports import get_import
from registry.services.rules_drafts import get_draft, make_draft
from registry.services.tasks import ask_about_import, ask_about_rules, do_next
from registry.store import audit_tables, tables
from registry.store.bodies import list_rules
from registry.store.import_tables import ImportState
from registry.store.task_tables import TaskKind
from registry.store.tasks import claim_task, latest_tasks, note_progress
from tests.support.factories import database, make_rules
from tests.support.imports import AT, BY, Register
from tests.support.sheets import csv_file, people

LATER = timedelta(seconds=service.HELD_FOR.total_seconds() + 1)


class Killed(BaseException):
    """Stands for the end of a process, which no handler sees."""


@pytest.fixture
def register(database_url):
    with database(database_url) as engine, time_machine.travel(AT, tick=False):
        yield Register(engine)


def asked(register, found, kind=TaskKind.APPLY_IMPORT):
    with register.engine.begin() as tx:
        return ask_about_import(tx, kind, found.id, get_import(tx, found.id).version, by=BY, at=AT)


def done_at(register, at, **more):
    with time_machine.travel(at, tick=False):
        return do_next(register.engine.connect, register.engine.begin, **more)


def task_about(register, subject):
    with register.engine.begin() as tx:
        return latest_tasks(tx, [subject.id])[subject.id]


def state_of(register, found):
    with register.engine.begin() as tx:
        return get_import(tx, found.id).state


def test_an_import_is_applied_once_by_who_asked_for_it(register):
    found = register.preview(csv_file(people(30)))
    asked(register, found)
    with pytest.raises(Conflict):
        asked(register, found)
    assert done_at(register, AT) is not None
    assert done_at(register, AT) is None
    assert state_of(register, found) is ImportState.APPLIED
    assert register.count(tables.registrations) == 30
    task = task_about(register, found)
    assert (task.refused, task.is_under_way) == (None, False)
    with register.engine.begin() as tx:
        a = audit_tables.audit_entries
        told = tx.execute(select(a.c.principal, a.c.action).order_by(a.c.seq.desc()).limit(1)).one()
        assert get_import(tx, found.id).applied_by == BY
    assert tuple(told) == (BY, "apply_import")


@pytest.mark.parametrize("moment", ["reading", "applying", "at the end"])
def test_a_process_that_dies_in_the_middle_loses_nothing_and_doubles_nothing(register, monkeypatch, moment):
    found = register.preview(csv_file(people(30)))
    asked(register, found)
    with monkeypatch.context() as patched:

        def die(*_args, **_more):
            raise Killed

        if moment == "at the end":
            patched.setattr("registry.store.tasks.finish_task", die)
        else:
            as_it_was = import_service.apply_import

            def apply(tx, import_id, *, progress, **more):
                def tell(doing, rows):
                    if doing == moment:
                        raise Killed
                    progress(doing, rows)

                return as_it_was(tx, import_id, progress=tell, **more)

            patched.setattr(service, "apply_import", apply)
        with pytest.raises(Killed):
            done_at(register, AT)
    assert register.count(tables.registrations) == 0
    assert state_of(register, found) is ImportState.PREVIEWED
    assert done_at(register, AT + timedelta(seconds=1)) is None  # it may live yet
    assert done_at(register, AT + LATER) is not None
    assert register.count(tables.registrations) == 30
    assert register.count(tables.decisions) == register_decisions(register)
    assert register.differences() == []
    assert task_about(register, found).tries == 2


def register_decisions(register):
    with register.engine.begin() as tx:
        d = tables.decisions
        return tx.execute(
            select(func.count()).select_from(
                select(d.c.registration_id, d.c.authorization_id, d.c.kind).distinct().subquery()
            )
        ).scalar_one()


def test_who_comes_back_after_another_took_over_undoes_what_it_did(register):
    found = register.preview(csv_file(people(3)))
    asked(register, found)
    with register.engine.begin() as tx:
        slow = claim_task(tx, at=AT, until=AT)
    assert slow is not None
    assert done_at(register, AT + LATER) is not None
    with pytest.raises(Stale), register.engine.begin() as tx:
        note_progress(tx, slow, "applying", 1, until=AT)
    assert register.count(tables.registrations) == 3


def test_what_was_changed_after_it_was_asked_for_is_not_done(register):
    found = register.preview(csv_file(people(3)))
    asked(register, found)
    register.apply(found)
    done_at(register, AT)
    task = task_about(register, found)
    assert "changed after" in task.refused
    with register.engine.begin() as tx, pytest.raises(Stale):
        ask_about_import(tx, TaskKind.APPLY_IMPORT, found.id, found.version, by=BY, at=AT)


def test_what_ends_no_process_but_its_own_is_given_up_and_says_so(register, monkeypatch):
    found = register.preview(csv_file(people(3)))
    asked(register, found)
    for tries in range(service.MOST_TRIES):
        with register.engine.begin() as tx:
            at = AT + tries * LATER
            assert claim_task(tx, at=at, until=at) is not None
    done_at(register, AT + 10 * LATER)
    assert task_about(register, found).refused == service.GIVEN_UP
    assert register.count(tables.registrations) == 0


def test_a_refusal_is_kept_with_its_particulars(register):
    applied = register.take_in(csv_file(people(1)))
    with register.engine.begin() as tx:
        number = tx.execute(select(tables.registrations.c.number_key)).scalar_one()
    register.at += timedelta(hours=1)
    register.decide(number, DecisionKind.SUSPENDED, AT.date())
    asked(register, applied, TaskKind.REVERSE_IMPORT)
    done_at(register, register.at)
    task = task_about(register, applied)
    assert "rest on" in task.refused
    assert task.problems[0]["number"] == register.record(number).number
    assert state_of(register, applied) is ImportState.APPLIED


def test_a_dry_run_tells_how_far_it_is(register, monkeypatch):
    monkeypatch.setattr(service, "TOLD_EVERY", 0.0)
    found = register.receive(csv_file(people(1500)))
    asked(register, found, TaskKind.PREVIEW_IMPORT)
    seen = []

    @contextmanager
    def begin():
        with register.engine.begin() as tx:
            yield tx
        with register.engine.connect() as connection:
            task = latest_tasks(connection, [found.id])[found.id]
            seen.append((task.doing, task.rows))

    do_next(register.engine.connect, begin)
    assert [each for each in dict.fromkeys(seen) if each[0]] == [
        ("reading", 1000),
        ("reading", 1500),
        ("comparing", 1000),
        ("comparing", 1500),
    ]
    assert state_of(register, found) is ImportState.PREVIEWED


def test_rules_are_weighed_and_then_made_by_the_same_way(register):
    register.take_in(csv_file(people(5)))
    asks = make_rules(
        holds_from=AT.date(),
        eligible_classes=None,
        requirements={Technique.DRY_NEEDLING: TrainingRequirement(hours_total=10)},
    )
    with register.engine.begin() as tx:
        body = get_body(tx, register.body.id)
        draft = make_draft(tx, body, asks, "Standard of 2026.", by=BY, at=AT)
        ask_about_rules(tx, TaskKind.WEIGH_RULES, draft, by=BY, at=AT)
    done_at(register, AT)
    with register.engine.begin() as tx:
        draft = get_draft(tx, draft.id)
        assert draft.report is not None
        assert draft.report["registrations"] == 5
        assert len(list_rules(tx, body.id)) == 1
        ask_about_rules(tx, TaskKind.ADD_RULES, draft, by=BY, at=AT)
    done_at(register, AT)
    with register.engine.begin() as tx:
        assert len(list_rules(tx, body.id)) == 2
        assert get_draft(tx, draft.id).saved_at is not None
    assert register.differences() == []
