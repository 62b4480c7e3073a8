"""What imports look like over HTTP."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import marshmallow as ma
from werkzeug.datastructures import FileStorage

from registry.domain.vocabulary import DecisionKind, SubjectKind
from registry.http.cursors import PageQuery
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    HouseField,
    Id,
    Instant,
    Integer,
    List,
    Nested,
    Patterned,
    QuerySchema,
    RequestSchema,
    ResponseSchema,
    Text,
    Word,
)
from registry.store.import_tables import ImportState
from registry.store.imports import Import, Reject
from registry.store.task_tables import TaskKind
from registry.store.tasks import Task

LONGEST_FILENAME = 200


class ProfileName(Patterned):
    """What a mapping profile is called."""

    wanted = "a profile's name: lower-case letters, digits, hyphens and underscores, such as register-2026"
    example = "register-2026"
    longest: int | None = 64
    shape = re.compile("[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")


class File(HouseField[FileStorage]):
    """A file in a form."""

    wanted = "a file"

    def read(self, value: object) -> FileStorage:
        """The file as it came."""
        if not isinstance(value, FileStorage):
            raise self.make_error("invalid")
        return value

    def json_schema(self) -> dict[str, Any]:
        """Bytes."""
        return {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}


class NewImportSchema(QuerySchema):
    """A body's snapshot, to be compared with the register."""

    body = BodyCode(required=True)
    profile = ProfileName(
        required=True, metadata={"description": "How it is read: one of the body's, or one that comes along."}
    )
    on = Date(
        load_default=None,
        metadata={"description": "The body's day of which the file speaks; today if absent."},
    )
    is_partial = Flag(
        data_key="partial",
        attribute="partial",
        load_default=False,
        metadata={"description": "The file is not the whole register: who is not in it has not vanished."},
    )
    file = File(required=True, metadata={"description": "CSV, XLSX or NDJSON, told by what it holds."})


class ImportsQuery(PageQuery):
    """Which imports."""

    body = BodyCode(load_default=None, metadata={"description": "Only those of this body."})


class ReportedDay(Date):
    """A day in a kept report, where it is text already."""

    def write(self, value: Any) -> str:
        """The day as it is kept."""
        return str(value)


class CountSchema(ResponseSchema):
    """How many of a kind."""

    kind = Text()
    count = Integer()


class SampleDecisionSchema(ResponseSchema):
    """A decision that explains a row."""

    subject = Word(SubjectKind)
    kind = Word(DecisionKind)
    effective_on = ReportedDay()
    through = ReportedDay(allow_none=True)
    voids = Id(allow_none=True)


class SampleSchema(ResponseSchema):
    """One of the rows of a kind."""

    line = Integer()
    number = Text()
    decisions = List(Nested(SampleDecisionSchema))
    changes = List(Text())


class SamplesSchema(ResponseSchema):
    """Some of the rows of a kind."""

    kind = Text()
    rows = List(Nested(SampleSchema))


class ImportReportSchema(ResponseSchema):
    """What the comparison of a file with the register found."""

    rows = Integer()
    new = Integer(metadata={"description": "Registrations that the register did not have."})
    changed = Integer()
    unchanged = Integer()
    rejected = Integer(metadata={"description": "Rows that were not taken in; `rejected` lists each."})
    passed_over = Integer(metadata={"description": "Rows of a kind that the profile leaves out."})
    duplicates = Integer(metadata={"description": "Rows that say again what another says."})
    names_kept = Integer(metadata={"description": "People not renamed, for they hold several registrations."})
    vanished = Integer(
        allow_none=True,
        metadata={"description": "Registrations that the file does not name; null for a partial one."},
    )
    decisions = List(Nested(CountSchema))
    changes = List(Nested(CountSchema))
    unmapped_words = List(
        Nested(CountSchema),
        metadata={"description": "Status words that the profile does not know: taken as unknown."},
    )
    samples = List(Nested(SamplesSchema))


class TaskState(StrEnum):
    """How far something is that was asked for."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


IMPORT_TASKS = (TaskKind.PREVIEW_IMPORT, TaskKind.APPLY_IMPORT, TaskKind.REVERSE_IMPORT)


class NewImportTaskSchema(RequestSchema):
    """What is to be done to an import by a process of its own."""

    do = Word(TaskKind, IMPORT_TASKS, required=True)
    version = Integer(1, required=True, metadata={"description": "Of the import, as its `version` said."})


class ImportTaskSchema(ResponseSchema):
    """What was last asked to be done to an import, and how far that is."""

    do = Word(TaskKind, IMPORT_TASKS)
    state = Word(TaskState)
    asked_at = Instant()
    asked_by = Text()
    doing = Text(allow_none=True)
    rows = Integer(metadata={"description": "How many are done of it."})
    finished_at = Instant(allow_none=True)
    refused = Text(allow_none=True, metadata={"description": "Why nothing came of it."})


class ImportSchema(ResponseSchema):
    """A file that a register was, or is to be, compared with."""

    id = Id()
    body = BodyCode()
    filename = Text()
    sha256 = Text()
    bytes = Integer()
    profile = Text(metadata={"description": "The name of the profile by which it is read."})
    on = Date()
    is_partial = Flag(data_key="partial", attribute="partial")
    state = Word(ImportState)
    rows_read = Integer(metadata={"description": "So far, while it is compared."})
    problem = Text(allow_none=True, metadata={"description": "Why the file could not be read to its end."})
    report = Nested(ImportReportSchema, allow_none=True)
    version = Integer(metadata={"description": "Counts its changes."})
    task = Nested(
        ImportTaskSchema, allow_none=True, metadata={"description": "What was last asked to be done to it."}
    )
    received_at = Instant()
    received_by = Text()
    applied_at = Instant(allow_none=True)
    applied_by = Text(allow_none=True)
    reversed_at = Instant(allow_none=True)
    reversed_by = Text(allow_none=True)


class RowProblemSchema(ResponseSchema):
    """What is wrong with a value of a row; `column` is empty where it is the row as a whole."""

    column = Text()
    value = Text()
    detail = Text()


class RejectedRowSchema(ResponseSchema):
    """A row that was not taken in."""

    line = Integer()
    cells = List(Text())
    problems = List(Nested(RowProblemSchema))


class VanishedSchema(ResponseSchema):
    """A registration that a file does not name."""

    id = Id()
    number = Text()


class ProfileDocumentSchema(RequestSchema):
    """A mapping profile; see docs/imports.md for what its parts say."""

    title = Text(load_default=None)
    body = ma.fields.Dict(load_default=None)
    file = ma.fields.Dict(load_default=None)
    only_rows = ma.fields.Dict(data_key="only", attribute="only", load_default=None)
    columns = ma.fields.Dict(required=True)
    registration = ma.fields.Dict(load_default=None)
    authorizations = List(ma.fields.Dict(), most=20, load_default=None)
    dates = ma.fields.Dict(load_default=None)

    @ma.post_load
    def without_what_is_absent(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The document as it was given."""
        return {name: value for name, value in data.items() if value is not None}


class KeptProfileSchema(ResponseSchema):
    """A mapping profile that a body keeps."""

    name = ProfileName()
    document = ma.fields.Dict()
    changed_at = Instant()
    changed_by = Text()


def shown_import(found: Import, code: str, task: Task | None) -> dict[str, Any]:
    """An import, for :class:`ImportSchema`; ``task``: what was last asked to be done to it."""
    report = found.report
    own = ("id", "filename", "sha256", "bytes", "partial", "state", "rows_read")
    when = ("received_at", "received_by", "applied_at", "applied_by", "reversed_at", "reversed_by")
    return {
        **{name: getattr(found, name) for name in (*own, *when)},
        "body": code,
        "profile": found.profile_name,
        "on": found.snapshot_day,
        "problem": report.get("problem"),
        "version": found.version,
        "task": None if task is None else shown_task(task),
        "report": _shown_report(report) if "rows" in report else None,
    }


def shown_task(task: Task) -> dict[str, Any]:
    """Something that was asked for, for :class:`ImportTaskSchema`."""
    state = TaskState.REFUSED if task.refused is not None else TaskState.DONE
    if task.is_under_way:
        state = TaskState.WAITING if task.lease is None else TaskState.RUNNING
    told = ("asked_at", "asked_by", "doing", "rows", "finished_at", "refused")
    return {"do": task.kind, "state": state, **{name: getattr(task, name) for name in told}}


def _shown_report(report: dict[str, Any]) -> dict[str, Any]:
    counted = ("decisions", "changes", "unmapped_words")
    lists = {name: [{"kind": k, "count": n} for k, n in report[name].items()] for name in counted}
    samples = [{"kind": kind, "rows": rows} for kind, rows in sorted(report["samples"].items())]
    return {**report, **lists, "samples": samples}


def shown_reject(reject: Reject) -> dict[str, Any]:
    """A rejected row, for :class:`RejectedRowSchema`."""
    return {"line": reject.line, "cells": reject.cells, "problems": reject.problems}
