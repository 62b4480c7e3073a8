"""Courses, and the days through which their body approved them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from registry.clock import new_id
from registry.domain.vocabulary import Technique
from registry.errors import Stale

from . import documents, tables


@dataclass(frozen=True, slots=True)
class Approval:
    """Local days, inclusive at both ends, through which a course is approved; ``None`` for no known last."""

    id: str
    first_day: date
    last_day: date | None
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class Course:
    """A course as one body knows it."""

    id: str
    body_id: str
    title: str
    provider: str
    techniques: frozenset[Technique]
    version: int
    created_at: datetime
    approvals: tuple[Approval, ...] = ()


def insert_course(tx: Connection, body_id: str, values: Mapping[str, Any], at: datetime) -> str:
    """Write a course that nobody approved yet."""
    id_ = new_id()
    row = {"id": id_, "body_id": body_id, "version": 1, "created_at": at, **_columns(values)}
    tx.execute(insert(tables.courses), [row])
    return id_


def change_course(tx: Connection, course: Course, values: Mapping[str, Any]) -> None:
    """Change a course's row, unless someone else did since it was read.

    :raises registry.errors.Stale: someone did.
    """
    c = tables.courses
    same = (c.c.id == course.id) & (c.c.version == course.version)
    changed = tx.execute(update(c).where(same).values(version=c.c.version + 1, **_columns(values)))
    if changed.rowcount != 1:
        raise Stale("This course was changed by someone else in the meantime; read it again.")


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    columns = dict(values)
    if "techniques" in columns:
        columns["techniques"] = documents.dump_techniques(columns["techniques"])
    return columns


def find_course(connection: Connection, course_id: str) -> Course | None:
    """A course with its approvals, or ``None``."""
    rows = connection.execute(select(tables.courses).where(tables.courses.c.id == course_id)).all()
    return next(iter(_with_approvals(connection, rows)), None)


def list_courses(connection: Connection, body_id: str, *, after: str | None, limit: int) -> list[Course]:
    """A stretch of a body's courses, in the order in which they were recorded."""
    c = tables.courses
    statement = select(c).where(c.c.body_id == body_id).order_by(c.c.id).limit(limit)
    if after is not None:
        statement = statement.where(c.c.id > after)
    return _with_approvals(connection, connection.execute(statement).all())


def _with_approvals(connection: Connection, rows: Iterable[Row[Any]]) -> list[Course]:
    rows = list(rows)
    a = tables.course_approvals
    found: dict[str, list[Approval]] = {}
    statement = select(a).where(a.c.course_id.in_([row.id for row in rows])).order_by(a.c.first_day, a.c.id)
    for p in connection.execute(statement):
        approval = Approval(p.id, p.first_day, p.last_day, p.recorded_at, p.recorded_by)
        found.setdefault(p.course_id, []).append(approval)
    return [
        Course(
            row.id,
            row.body_id,
            row.title,
            row.provider,
            documents.load_techniques(row.techniques),
            row.version,
            row.created_at,
            tuple(found.get(row.id, ())),
        )
        for row in rows
    ]


def insert_approval(
    tx: Connection, course_id: str, first_day: date, last_day: date | None, *, by: str, at: datetime
) -> None:
    """Write a period of approval."""
    row = {
        "id": new_id(),
        "course_id": course_id,
        "first_day": first_day,
        "last_day": last_day,
        "recorded_at": at,
        "recorded_by": by,
    }
    tx.execute(insert(tables.course_approvals), [row])


def end_approval(tx: Connection, approval_id: str, last_day: date) -> None:
    """Set the last day of a period of approval."""
    a = tables.course_approvals
    tx.execute(update(a).where(a.c.id == approval_id).values(last_day=last_day))
