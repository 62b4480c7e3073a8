"""Doing what takes long outside the request that asks for it: one thing at a time, safely by any number.

A task is claimed with a lease, done, and noted as finished in the transaction that did it. A process that
dies in the middle leaves nothing of what it did: when its lease is over, another does it from the beginning.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from registry import clock
from registry.domain.audit_chain import Happening
from registry.errors import Conflict, RegistryError, Stale, Unavailable
from registry.store import imports as import_store
from registry.store import tasks as store
from registry.store.rules_drafts import RulesDraft
from registry.store.task_tables import TaskKind
from registry.store.tasks import Task

from . import audit, rules_drafts
from .import_reversal import reverse_import
from .imports import apply_import, get_import, preview_import

Begin = Callable[[], AbstractContextManager[Connection]]

HELD_FOR = timedelta(seconds=60)
"""After which a process that gives no sign of life counts as dead."""

TOLD_EVERY = 0.5
"""Seconds between two signs of life."""

MOST_TRIES = 5
"""Processes that may die over a task before it is given up."""

GIVEN_UP = "It was begun several times and never came to its end. Nothing was changed."

log = structlog.get_logger(__name__)


def ask_about_import(
    tx: Connection, kind: TaskKind, import_id: str, version: int, *, by: str, at: datetime
) -> Task:
    """Ask that something be done to an import, as the caller saw it.

    :raises registry.errors.Stale: it has changed since.
    :raises registry.errors.Conflict: something is being done to it already.
    """
    found = get_import(tx, import_id)
    if found.version != version:
        raise Stale(import_store.CHANGED)
    return store.add_task(tx, kind, (found.body_id, import_id, version), by=by, at=at)


def ask_about_rules(tx: Connection, kind: TaskKind, draft: RulesDraft, *, by: str, at: datetime) -> Task:
    """Ask that a draft of rules, as the caller saw it, be weighed or made the body's rules.

    :raises registry.errors.Conflict: something is being done to it already.
    """
    return store.add_task(tx, kind, (draft.body_id, draft.id, draft.version), by=by, at=at)


def do_next(reading: Begin, writing: Begin, *, helpers: int = 0) -> Task | None:
    """Do the first thing that waits; what it was, or ``None`` where nothing does.

    :param reading: gives a connection without a transaction.
    :param writing: begins a transaction.
    :param helpers: processes that share the work of a large file.
    """
    with reading() as connection:
        if not store.any_due(connection, clock.now()):
            return None
    with writing() as tx:
        at = clock.now()
        task = store.claim_task(tx, at=at, until=at + HELD_FOR)
    if task is not None:
        _do(task, _Work(writing, task, helpers))
    return task


def _do(task: Task, work: _Work) -> None:
    try:
        if task.tries > MOST_TRIES:
            work.give_up(GIVEN_UP)
        else:
            work.do()
    except (Unavailable, Stale) as error:
        log.warning("task_postponed", task=task.id, kind=task.kind.value, detail=type(error).__name__)
    except RegistryError as error:
        work.give_up(error.detail, error.problems)
    except Exception:
        log.exception("task_failed", task=task.id, kind=task.kind.value)
        work.give_up("It cannot be done: an error in the register itself, which its log tells of.")


@dataclass(slots=True)
class _Work:
    """One task in the hands of this process."""

    writing: Begin
    task: Task
    helpers: int
    last_told: float = field(default_factory=time.monotonic)

    def do(self) -> None:
        """Do it, and note that it is done.

        :raises registry.errors.RegistryError: it cannot be done.
        """
        task, at = self.task, clock.now()
        if task.kind is TaskKind.PREVIEW_IMPORT:
            preview_import(self.writing, task.subject_id, by=task.asked_by, at=at, progress=self.tell)
            self._finish()
        elif task.kind is TaskKind.WEIGH_RULES:
            rules_drafts.weigh_draft(self.writing, task.subject_id, at=at, progress=self.tell)
            self._finish()
        else:
            with self.writing() as tx:
                self._do_at_once(tx, at)
                store.finish_task(tx, task, at=clock.now())
                self._tell_audit(tx)

    def _do_at_once(self, tx: Connection, at: datetime) -> None:
        task = self.task
        tell = (
            self.tell if tx.dialect.name == "postgresql" else _nobody
        )  # SQLite has one writer, which is this
        if task.kind is TaskKind.ADD_RULES:
            rules_drafts.save_draft(tx, task.subject_id, by=task.asked_by, at=at)
            return
        self._refuse_changed(tx)
        if task.kind is TaskKind.APPLY_IMPORT:
            by = task.asked_by
            apply_import(tx, task.subject_id, by=by, at=at, progress=tell, helpers=self.helpers)
        else:
            reverse_import(tx, task.subject_id, by=task.asked_by, at=at, progress=tell)

    def _refuse_changed(self, tx: Connection) -> None:
        if get_import(tx, self.task.subject_id).version != self.task.subject_version:
            raise Conflict("The import was changed after this was asked for; look at it again.")

    def _finish(self) -> None:
        with self.writing() as tx:
            store.finish_task(tx, self.task, at=clock.now())
            self._tell_audit(tx)

    def _tell_audit(self, tx: Connection) -> None:
        task = self.task
        told = {"subject": task.subject_id, "task": task.id}
        audit.tell(tx, Happening(clock.now(), task.asked_by, task.kind, body_id=task.body_id, details=told))

    def give_up(self, detail: str, problems: object = ()) -> None:
        """Note why nothing came of it; unless another process holds it by now."""
        told = list(problems) if isinstance(problems, (list, tuple)) else []
        try:
            with self.writing() as tx:
                store.finish_task(tx, self.task, at=clock.now(), refused=detail, problems=told)
        except RegistryError:
            log.warning("task_postponed", task=self.task.id, kind=self.task.kind.value)

    def tell(self, doing: str, rows: int) -> None:
        """Give a sign of life, now and then."""
        now = time.monotonic()
        if now - self.last_told >= TOLD_EVERY:
            self.last_told = now
            with self.writing() as tx:
                store.note_progress(tx, self.task, doing, rows, until=clock.now() + HELD_FOR)


def _nobody(_doing: str, _rows: int) -> None:
    """Progress that nobody can be told of."""
