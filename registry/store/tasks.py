"""What was asked for that takes long: kept until a process has done it, claimed by one at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, or_, select, update

from registry.clock import new_id
from registry.errors import Conflict, Stale

from . import documents
from .bulk import among
from .task_tables import TaskKind, tasks

t = tasks
UNFINISHED = t.c.finished_at.is_(None)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that was asked for. Instants are UTC.

    :param subject_id: of the import, or of the draft of rules; ``subject_version`` as who asked saw it.
    :param tries: how often a process has begun it.
    :param doing: what is being done, and ``rows`` how much of it is.
    :param refused: why nothing came of it; ``problems`` are particulars.
    """

    id: str
    kind: TaskKind
    body_id: str
    subject_id: str
    subject_version: int
    asked_at: datetime
    asked_by: str
    lease: str | None
    leased_until: datetime | None
    tries: int
    doing: str | None
    rows: int
    finished_at: datetime | None
    refused: str | None
    problems: tuple[dict[str, Any], ...]

    @property
    def is_under_way(self) -> bool:
        """Whether it waits to be done, or is being done."""
        return self.finished_at is None


def _task_of(row: Row[Any]) -> Task:
    values = {column.name: getattr(row, column.name) for column in t.c}
    values["kind"] = TaskKind(values["kind"])
    values["problems"] = tuple(json.loads(values["problems"] or "[]"))
    return Task(**values)


def add_task(
    tx: Connection,
    kind: TaskKind,
    subject: tuple[str, str, int],
    *,
    by: str,
    at: datetime,
) -> Task:
    """Ask for something.

    :param subject: the body, what it is to be done to, and the version of that.
    :raises registry.errors.Conflict: something is being done to it already.
    """
    body_id, subject_id, version = subject
    under_way = select(t.c.id).where(t.c.subject_id == subject_id, UNFINISHED)
    if tx.execute(under_way).first() is not None:
        raise Conflict("Something is being done to this already; wait until it is finished.")
    row = {
        "id": new_id(),
        "kind": kind,
        "body_id": body_id,
        "subject_id": subject_id,
        "subject_version": version,
        "asked_at": at,
        "asked_by": by,
        "tries": 0,
        "rows": 0,
    }
    tx.execute(insert(t), [row])
    return _task_of(tx.execute(select(t).where(t.c.id == row["id"])).one())


def latest_tasks(connection: Connection, subject_ids: Sequence[str]) -> dict[str, Task]:
    """What was last asked for, by what it is to be done to."""
    statement = select(t).where(among(connection, t.c.subject_id, subject_ids)).order_by(t.c.id)
    return {row.subject_id: _task_of(row) for row in connection.execute(statement)}


def any_due(connection: Connection, at: datetime) -> bool:
    """Whether something waits for a process at an instant (UTC)."""
    return connection.execute(_due(at).with_only_columns(t.c.id)).first() is not None


def _due(at: datetime) -> Select[Any]:
    free = or_(t.c.lease.is_(None), t.c.leased_until < at)
    return select(t).where(UNFINISHED, free).order_by(t.c.id).limit(1)


def claim_task(tx: Connection, *, at: datetime, until: datetime) -> Task | None:
    """The first thing that waits, held for this process until an instant (UTC); ``None`` where nothing does.

    One that another process held, and did not finish in its time, waits again.
    """
    row = tx.execute(_due(at).with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    claimed = {"lease": new_id(), "leased_until": until, "tries": row.tries + 1, "doing": None, "rows": 0}
    tx.execute(update(t).where(t.c.id == row.id).values(claimed))
    return _task_of(tx.execute(select(t).where(t.c.id == row.id)).one())


def note_progress(tx: Connection, task: Task, doing: str, rows: int, *, until: datetime) -> None:
    """Tell whoever asks how far it is, and hold it further.

    :raises registry.errors.Stale: another process holds it by now.
    """
    _change(tx, task, {"doing": doing, "rows": rows, "leased_until": until})


def finish_task(
    tx: Connection,
    task: Task,
    *,
    at: datetime,
    refused: str | None = None,
    problems: Sequence[Any] = (),
) -> None:
    """Note that it is done, or why nothing came of it; in the transaction that did it.

    :raises registry.errors.Stale: another process holds it by now: what this one did must be undone.
    """
    told = documents.dump(list(problems)) if problems else None
    _change(tx, task, {"finished_at": at, "refused": refused, "problems": told})


def _change(tx: Connection, task: Task, values: dict[str, Any]) -> None:
    own = (t.c.id == task.id) & (t.c.lease == task.lease) & UNFINISHED
    if tx.execute(update(t).where(own).values(values)).rowcount != 1:
        raise Stale("Another process has taken this over.")
