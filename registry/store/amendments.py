"""What was corrected in place: each correction with what was there before, by whom and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from registry.clock import new_id
from registry.domain.vocabulary import AmendmentSubject

from . import documents, tables


@dataclass(frozen=True, slots=True)
class Amendment:
    """A correction. ``changed`` holds, by field, what was there and what is there since."""

    id: str
    changed: dict[str, dict[str, Any]]
    reason: str | None
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a correction is about."""

    kind: AmendmentSubject
    id: str


def add_amendment(
    tx: Connection,
    subject: Subject,
    changed: Mapping[str, tuple[Any, Any]],
    *,
    reason: str | None,
    by: str,
    at: datetime,
) -> None:
    """Record a correction; nothing where nothing changed.

    :param changed: by field, the value before and the value after.
    """
    if not changed:
        return
    told = {field: {"was": _plain(was), "is": _plain(now)} for field, (was, now) in changed.items()}
    row = {
        "id": new_id(),
        "subject": subject.kind,
        "subject_id": subject.id,
        "changed": documents.dump(told),
        "reason": reason,
        "recorded_at": at,
        "recorded_by": by,
    }
    tx.execute(insert(tables.amendments), [row])


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset) else value


def list_amendments(connection: Connection, subject_id: str) -> list[Amendment]:
    """The corrections of one subject, in the order in which they were recorded."""
    a = tables.amendments
    rows = connection.execute(select(a).where(a.c.subject_id == subject_id).order_by(a.c.id))
    return [
        Amendment(row.id, json.loads(row.changed), row.reason, row.recorded_at, row.recorded_by)
        for row in rows
    ]
