"""Courses that a body knows, and the days through which it approves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from registry.domain.lapses import overlap
from registry.domain.vocabulary import AmendmentSubject, Technique
from registry.errors import Conflict, Invalid, NotFound
from registry.store import affected, courses, tables
from registry.store.amendments import Subject, add_amendment
from registry.store.courses import Approval, Course
from registry.store.records import Body


def get_course(connection: Connection, course_id: str) -> Course:
    """A course with its approvals.

    :raises registry.errors.NotFound: there is none.
    """
    course = courses.find_course(connection, course_id)
    if course is None:
        raise NotFound(f"No course is kept under the identifier {course_id}.")
    return course


def add_course(
    tx: Connection,
    body: Body,
    *,
    title: str,
    provider: str,
    techniques: frozenset[Technique],
    by: str,
    at: datetime,
    approvals: Sequence[tuple[date, date | None]] = (),
) -> Course:
    """Take a course into a body's list, with the days (first, last or open) through which it is approved.

    :raises registry.errors.Invalid: a period ends before it begins.
    :raises registry.errors.Conflict: periods share days.
    """
    values = {"title": title, "provider": provider, "techniques": techniques}
    course = get_course(tx, courses.insert_course(tx, body.id, values, at))
    for position, period in enumerate(approvals):
        _refuse_impossible_period(course, *period, pointer=f"/approvals/{position}/last_day")
        courses.insert_approval(tx, course.id, *period, by=by, at=at)
        course = get_course(tx, course.id)
    return course


def change_course(
    tx: Connection,
    course: Course,
    values: Mapping[str, Any],
    *,
    by: str,
    at: datetime,
    reason: str | None = None,
) -> Course:
    """Correct the title, provider or techniques of a course. Trainings keep what was recorded of them.

    :param course: as the caller saw it.
    :raises registry.errors.Stale: it has changed since.
    """
    changed = {
        field: (getattr(course, field), value)
        for field, value in values.items()
        if getattr(course, field) != value
    }
    courses.change_course(tx, course, {field: value for field, (_, value) in changed.items()})
    add_amendment(tx, Subject(AmendmentSubject.COURSE, course.id), changed, reason=reason, by=by, at=at)
    return get_course(tx, course.id)


def approve_course(
    tx: Connection, course: Course, first_day: date, last_day: date | None, *, by: str, at: datetime
) -> Course:
    """Approve a course through a run of local days, and count the training of all who took it anew.

    :param last_day: ``None`` for as long as nobody ends it.
    :raises registry.errors.Invalid: the period ends before it begins.
    :raises registry.errors.Conflict: it shares days with another.
    :raises registry.errors.Stale: the course has changed since it was read.
    """
    _refuse_impossible_period(course, first_day, last_day)
    courses.change_course(tx, course, {})
    courses.insert_approval(tx, course.id, first_day, last_day, by=by, at=at)
    return _counted_anew(tx, course, at)


def end_approval(
    tx: Connection,
    course: Course,
    approval_id: str,
    last_day: date,
    *,
    by: str,
    at: datetime,
    reason: str | None = None,
) -> Course:
    """Set the last local day of a period of approval, earlier or later than it was.

    Raises as :func:`approve_course` does, and :class:`registry.errors.NotFound`.
    """
    approval = next((a for a in course.approvals if a.id == approval_id), None)
    if approval is None:
        raise NotFound(f"This course has no approval {approval_id}.")
    _refuse_impossible_period(course, approval.first_day, last_day, besides=approval)
    courses.change_course(tx, course, {})
    courses.end_approval(tx, approval.id, last_day)
    changed = {f"approval {approval.id}": (approval.last_day, last_day)}
    add_amendment(tx, Subject(AmendmentSubject.COURSE, course.id), changed, reason=reason, by=by, at=at)
    return _counted_anew(tx, course, at)


def _counted_anew(tx: Connection, course: Course, at: datetime) -> Course:
    affected.derive_anew(tx, affected.registrations_of_course(tx, course.id), at=at)
    return get_course(tx, course.id)


def hold_course(tx: Connection, course_id: str) -> Course | None:
    """A course whose approvals nobody changes until the transaction ends, or ``None``."""
    affected.lock(tx, tables.courses, [course_id], to_read=True)
    return courses.find_course(tx, course_id)


def _refuse_impossible_period(
    course: Course,
    first_day: date,
    last_day: date | None,
    *,
    besides: Approval | None = None,
    pointer: str = "/last_day",
) -> None:
    if last_day is not None and last_day < first_day:
        raise Invalid.at(pointer, f"The last day is not before the first, {first_day.isoformat()}.")
    for other in course.approvals:
        shares = overlap((first_day, last_day), (other.first_day, other.last_day))
        if shares is not None and other != besides:
            raise Conflict(f"The approval {other.id} already covers some of these days.")
