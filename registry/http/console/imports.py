"""Imports by hand: a file sent in, its columns told, its changes read, wrong rows mended, applied."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import marshmallow as ma
from flask import Response, request
from sqlalchemy import Connection

from registry import clock
from registry.domain.localtime import local_date
from registry.domain.vocabulary import Technique
from registry.errors import Invalid, NotFound, Stale
from registry.http.access import current_principal, may_use, require_body
from registry.http.auditing import tell_reading
from registry.http.fields import Id, QuerySchema, Text, Word
from registry.http.operations import MAX_IMPORT_BYTES
from registry.services import import_corrections, import_mapping, import_profiles
from registry.services import imports as service
from registry.services.colleagues import labels_of
from registry.services.import_reversal import reverse_import
from registry.services.tasks import ask_about_import
from registry.sheets.reading import LONGEST_ROW
from registry.sheets.writing import csv_text
from registry.store import imports as store
from registry.store.import_tables import ImportState
from registry.store.imports import Import, Received
from registry.store.records import Body, find_body
from registry.store.task_tables import TaskKind
from registry.store.tasks import Task, latest_tasks

from . import import_forms
from .bodies import working_body
from .forms import FormSchema, Version
from .pages import Done, Shown, action, done, page, show
from .rendering import link

A_PAGE = 50
LONGEST_NAME = 200
DONE_AT_ONCE = 100_000
"""Bytes of a file that is compared, and applied, while its sender waits."""
PROFILE_NAME = re.compile("[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
LINE = re.compile("[0-9]{1,9}")
LONGEST_PLACE = 200

STATE_TONES = {
    ImportState.RECEIVED: "quiet",
    ImportState.PREVIEWED: "soon",
    ImportState.APPLIED: "yes",
    ImportState.REVERSED: "quiet",
    ImportState.FAILED: "no",
}
STATE_WORDS = {
    ImportState.RECEIVED: "not checked yet",
    ImportState.PREVIEWED: "checked, not applied",
    ImportState.APPLIED: "applied",
    ImportState.REVERSED: "reversed",
    ImportState.FAILED: "cannot be read",
}
TASK_WORDS = {
    TaskKind.PREVIEW_IMPORT: "Checking",
    TaskKind.APPLY_IMPORT: "Applying",
    TaskKind.REVERSE_IMPORT: "Reversing",
}


class Part(StrEnum):
    """What an import's page lists."""

    NEW = "new"
    CHANGED = "changed"
    VANISHED = "vanished"
    REJECTED = "rejected"


class ImportsPageQuery(QuerySchema):
    """Where the list of imports goes on."""

    before = Id(load_default=None)


class ImportQuery(QuerySchema):
    """What is listed of an import."""

    part = Word(Part, load_default=None)
    after = Text(LONGEST_PLACE, load_default=None)


def _own(tx: Connection, import_id: str) -> Import:
    found = service.get_import(tx, import_id)
    require_body(found.body_id)
    return found


def _seen(tx: Connection, import_id: str, version: int) -> Import:
    found = _own(tx, import_id)
    if found.version != version:
        raise Stale(store.CHANGED)
    return found


def _body_of(tx: Connection, found: Import) -> Body:
    body = find_body(tx, found.body_id)
    assert body is not None
    return body


@page("/imports", query=ImportsPageQuery)
def console_imports(tx: Connection, query: dict[str, Any]) -> Shown:
    """The imports of a body, the latest first; and a place to leave another file."""
    body = working_body(tx)
    found = store.list_imports(tx, body.id, before=query["before"], limit=A_PAGE + 1)
    shown = found[:A_PAGE]
    return show(
        "imports.html",
        body=body,
        imports=shown,
        tasks=latest_tasks(tx, [one.id for one in shown]),
        called=labels_of(tx, (one.received_by for one in shown)),
        remembered=store.list_profiles(tx, body.id),
        today=local_date(clock.now(), body.zone),
        tones=STATE_TONES,
        words=STATE_WORDS,
        doing=TASK_WORDS,
        may_import=may_use("console_send_import", current_principal()),
        older=link("console_imports", before=shown[-1].id) if len(found) > A_PAGE else None,
        is_first=query["before"] is None,
    )


class SendSchema(FormSchema):
    """What is told of a file."""

    on = ma.fields.Date(load_default=None)
    is_part = ma.fields.String(data_key="partial", load_default=None)


@action("/imports", form=SendSchema, again=console_imports, largest_body=MAX_IMPORT_BYTES)
def console_send_import(tx: Connection, given: dict[str, Any]) -> Done:
    """Keep a file; by a remembered profile it is checked at once, else its columns are to be told."""
    body, at, by = working_body(tx), clock.now(), current_principal().name
    file = request.files.get("file")
    if file is None or not file.filename:
        raise Invalid.at("/file", "Choose a file.")
    look = import_mapping.look_at(file.stream)
    name, document, is_known = import_mapping.choose_mapping(tx, body, look)
    day = given["on"] or local_date(at, body.zone)
    filename = "".join(c for c in file.filename if c.isprintable())[:LONGEST_NAME] or "file"
    received = Received(body.id, filename, name, document, day, given["is_part"] is not None)
    found = service.receive_import(tx, received, file.stream, by=by, at=at)
    if not is_known:
        told = "The file is kept. Say what its columns mean: they were guessed."
        return done(told, "console_import_mapping", import_id=found.id)
    told = _do(tx, TaskKind.PREVIEW_IMPORT, found)
    return done(
        f"The file is kept and read by the profile {name}. {told}", "console_import", import_id=found.id
    )


def _do(tx: Connection, kind: TaskKind, found: Import) -> str:
    """Do something to an import at once where it is small, else ask that it be done; what to tell."""
    by, at = current_principal().name, clock.now()
    if found.bytes > DONE_AT_ONCE:
        ask_about_import(tx, kind, found.id, found.version, by=by, at=at)
        return "It takes a while; this page shows how far it is."
    if (under_way := latest_tasks(tx, [found.id]).get(found.id)) is not None and under_way.is_under_way:
        raise Stale("Something is being done to this import; wait until it is finished.")
    if kind is TaskKind.PREVIEW_IMPORT:
        try:
            service.preview_import(lambda: nullcontext(tx), found.id, by=by, at=at)
        except Invalid:
            return "It cannot be read."
        return "It was checked; nothing is applied yet."
    if kind is TaskKind.APPLY_IMPORT:
        service.apply_import(tx, found.id, by=by, at=at)
        return "It is applied."
    reverse_import(tx, found.id, by=by, at=at)
    return "It is reversed."


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of what an import would change. ``following``: where the list goes on."""

    rows: Sequence[Any]
    following: str | None
    is_first: bool


@page("/imports/<id:import_id>", query=ImportQuery)
def console_import(tx: Connection, import_id: str, query: dict[str, Any]) -> Shown:
    """An import: how it stands, what it would change or did, and what can be done next."""
    found = _own(tx, import_id)
    body = _body_of(tx, found)
    task = latest_tasks(tx, [import_id]).get(import_id)
    part = query["part"] or _first_part(found)
    listed = _listed(tx, found, part, query["after"])
    corrected = len(store.list_corrections(tx, import_id))
    return show(
        "import.html",
        body=body,
        found=found,
        report=found.report if "rows" in found.report else None,
        problem=found.report.get("problem"),
        task=task,
        is_late=task is not None and _is_late(task),
        doing=None if task is None else TASK_WORDS.get(task.kind, "Working"),
        part=part,
        tabs=_tabs(found, part),
        listed=listed,
        header=_header(tx, found, part),
        corrected=corrected,
        tones=STATE_TONES,
        words=STATE_WORDS,
        called=labels_of(tx, (found.received_by, found.applied_by, found.reversed_by)),
        may_import=may_use("console_apply_import", current_principal()),
    )


LATE = timedelta(seconds=15)


def _is_late(task: Task) -> bool:
    """Whether nobody takes it up: no process may be there that does."""
    return task.is_under_way and task.lease is None and clock.now() - task.asked_at > LATE


def _first_part(found: Import) -> Part:
    counts = _counts(found)
    return next((part for part in (Part.REJECTED, Part.CHANGED, Part.NEW) if counts[part]), Part.CHANGED)


def _counts(found: Import) -> Mapping[Part, int]:
    return {part: found.report.get(part.value) or 0 for part in Part}


def _tabs(found: Import, part: Part) -> list[tuple[str, str, bool]]:
    counts = _counts(found)
    return [
        (
            f"{each.value.capitalize()} ({counts[each]:,})",
            link("console_import", import_id=found.id, part=each.value),
            each is part,
        )
        for each in Part
    ]


def _listed(tx: Connection, found: Import, part: Part, after: str | None) -> Listed:
    if "rows" not in found.report:
        return Listed([], None, is_first=True)
    limit = A_PAGE + 1
    line = int(after) if after is not None and LINE.fullmatch(after) else 0
    rows: Sequence[Any]
    keys: Sequence[str | int]
    if part is Part.VANISHED:
        rows = service.list_vanished(tx, found, after=after, limit=limit)
        keys = [row[0] for row in rows]
    elif part is Part.REJECTED:
        rows = import_corrections.list_rejected(tx, found, after=line, limit=limit)
        keys = [row.line for row in rows]
    else:
        rows = store.list_differences(tx, found.id, part.value, after=line, limit=limit)
        keys = [row["line"] for row in rows]
    more = None
    if len(rows) > A_PAGE:
        more = link("console_import", import_id=found.id, part=part.value, after=keys[A_PAGE - 1])
    return Listed(rows[:A_PAGE], more, is_first=after is None)


def _header(tx: Connection, found: Import, part: Part) -> list[tuple[int, str]]:
    """The columns of the file, where rows of it are shown."""
    if part is not Part.REJECTED or not _counts(found)[part]:
        return []
    return import_corrections.shown_columns(import_corrections.column_names(tx, found))


class SeenSchema(FormSchema):
    """The import as it was seen."""

    version = Version()


@action("/imports/<id:import_id>/check", form=SeenSchema, again=console_import)
def console_check_import(tx: Connection, import_id: str, given: dict[str, Any]) -> Done:
    """Compare a file with the register again."""
    told = _do(tx, TaskKind.PREVIEW_IMPORT, _seen(tx, import_id, given["version"]))
    return done(told, "console_import", import_id=import_id)


@action("/imports/<id:import_id>/apply", form=SeenSchema, again=console_import)
def console_apply_import(tx: Connection, import_id: str, given: dict[str, Any]) -> Done:
    """Record the decisions that explain the file, all or none."""
    told = _do(tx, TaskKind.APPLY_IMPORT, _seen(tx, import_id, given["version"]))
    return done(told, "console_import", import_id=import_id)


@action("/imports/<id:import_id>/reverse", form=SeenSchema, again=console_import)
def console_reverse_import(tx: Connection, import_id: str, given: dict[str, Any]) -> Done:
    """Void all that an import decided."""
    told = _do(tx, TaskKind.REVERSE_IMPORT, _seen(tx, import_id, given["version"]))
    return done(told, "console_import", import_id=import_id)


@page("/imports/<id:import_id>/mapping")
def console_import_mapping(tx: Connection, import_id: str) -> Shown:
    """What the columns of a file mean, with what its first rows come to."""
    return _mapping_as_chosen(tx, import_id)


def _mapping_as_chosen(tx: Connection, import_id: str) -> Shown:
    found = _own(tx, import_id)
    document = found.profile
    problem = ""
    if request.method == "POST":  # shown again: with what was chosen
        try:
            document = import_forms.document_of(found.profile, request.form)
        except Invalid as error:
            problem = error.detail
    return _mapping(tx, found, document, problem)


def _mapping(tx: Connection, found: Import, document: Mapping[str, Any], problem: str = "") -> Shown:
    try:
        beginning = import_mapping.read_beginning(tx, found, document)
    except Invalid as error:
        problem = problem or error.detail
        beginning = import_mapping.read_beginning(tx, found, found.profile)
    unmapped = found.report.get("unmapped_words") or {}
    return show(
        "import_mapping.html",
        body=_body_of(tx, found),
        found=found,
        mapping=import_forms.shown(dict(document), {**beginning.words, **unmapped}),
        beginning=beginning,
        problem=problem,
        is_guess=found.profile_name == import_mapping.GUESSED,
        meanings=[(key, text) for key, text, _ in import_forms.MEANINGS],
        as_it_is=import_forms.AS_IT_IS,
        techniques=TECHNIQUES,
        remembered_as=request.form.get("remember_as") or _remembered_as(found),
        may_import=may_use("console_map_import", current_principal()),
    )


TECHNIQUES = [(technique, technique.replace("_", " ")) for technique in Technique]


def _remembered_as(found: Import) -> str:
    return "register" if found.profile_name == import_mapping.GUESSED else found.profile_name


@action("/imports/<id:import_id>/mapping/show", reads_only=True)
def console_preview_mapping(tx: Connection, import_id: str) -> Shown:
    """Show what the first rows come to by what was chosen; nothing is kept."""
    return _mapping_as_chosen(tx, import_id)


@action("/imports/<id:import_id>/mapping", again=console_import_mapping)
def console_map_import(tx: Connection, import_id: str) -> Done:
    """Read the file by what was chosen, check it, and remember the mapping where that is wished."""
    version = request.form.get("version", "")
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise Invalid("The form does not say from which version of the import it was made.")
    found = _seen(tx, import_id, int(version))
    document = import_forms.document_of(found.profile, request.form)
    name = found.profile_name
    if request.form.get("remember"):
        name = request.form.get("remember_as", "").strip()
        if PROFILE_NAME.fullmatch(name) is None:
            detail = "Give lower-case letters, digits, hyphens and underscores, such as register-2026."
            raise Invalid.at("/remember_as", detail)
        by = current_principal().name
        import_profiles.keep_profile(tx, _body_of(tx, found), name, document, by=by, at=clock.now())
    elif name == import_mapping.GUESSED:
        name = "unnamed"
    changed = import_mapping.change_mapping(tx, found, name, document)
    return done(_do(tx, TaskKind.PREVIEW_IMPORT, changed), "console_import", import_id=import_id)


@page("/imports/<id:import_id>/rows/<line>")
def console_import_row(tx: Connection, import_id: str, line: str) -> Shown:
    """A row that was not taken in, to be mended."""
    found = _own(tx, import_id)
    row = import_corrections.get_rejected(tx, found, _line(line))
    header = import_corrections.column_names(tx, found)
    typed = request.method == "POST"
    cells = _typed_cells(len(header)) if typed else (row.correction or row).cells
    problems = import_corrections.check_row(tx, found, cells, row.line) if typed else row.problems
    by_column: dict[str, list[str]] = {}
    for problem in problems:
        by_column.setdefault(problem["column"] if problem["column"] in header else "", []).append(
            problem["detail"]
        )
    return show(
        "import_row.html",
        found=found,
        row=row,
        fields=[
            (index, name, cells[index] if index < len(cells) else "", by_column.get(name, []))
            for index, name in import_corrections.shown_columns(header)
        ],
        wrong=by_column.get("", []),
        original=row.correction.original if row.correction is not None else row.cells,
        header=header,
        called=labels_of(tx, (None if row.correction is None else row.correction.corrected_by,)),
        may_import=may_use("console_correct_row", current_principal()),
    )


@page("/imports/<id:import_id>/rejected.csv")
def console_download_rejected(tx: Connection, import_id: str) -> Response:
    """The rows that were not taken in as a file, to be mended there and sent in as a part."""
    found = _own(tx, import_id)
    header, rows, delimiter = service.rejected_rows(tx, found)
    text = "".join((*csv_text([header], delimiter), *csv_text(rows, delimiter)))
    tell_reading("console_download_rejected")
    named = {"Content-Disposition": f'attachment; filename="rejected-{found.id}.csv"'}
    headers = {**named, "Cache-Control": "no-store"}
    return Response(text.encode(), content_type="text/csv; charset=utf-8", headers=headers)


def _line(text: str) -> int:
    """The line of a file that an address names.

    :raises registry.errors.NotFound: it names none.
    """
    if LINE.fullmatch(text) is None:
        raise NotFound("No such row was rejected.")
    return int(text)


def _typed_cells(width: int) -> list[str]:
    cells = [request.form.get(f"cell-{index}", "").replace("\r\n", "\n") for index in range(width)]
    if sum(map(len, cells)) > LONGEST_ROW:
        raise Invalid(f"A row holds at most {LONGEST_ROW:,} characters.")
    return cells


@action("/imports/<id:import_id>/rows/<line>", again=console_import_row)
def console_correct_row(tx: Connection, import_id: str, line: str) -> Done:
    """Put a mended row in the place of one that was not taken in. One that is still wrong is not kept."""
    version = request.form.get("version", "")
    if not version.isascii() or not version.isdigit() or len(version) > 9:
        raise Invalid("The form does not say from which version of the import it was made.")
    found = _seen(tx, import_id, int(version))
    cells = _typed_cells(len(import_corrections.column_names(tx, found)))
    number = _line(line)
    problems = import_corrections.check_row(tx, found, cells, number)
    if problems:
        raise Invalid("This row still cannot be read.", [{"detail": one["detail"]} for one in problems])
    import_corrections.correct_row(tx, found, number, cells, by=current_principal().name, at=clock.now())
    told = f"Line {number} is mended. Check the import again when all are, or go on with the next."
    return done(told, "console_import", import_id=import_id, part=Part.REJECTED.value)


@action("/imports/<id:import_id>/corrected", form=SeenSchema, again=console_import)
def console_take_in_corrected(tx: Connection, import_id: str, given: dict[str, Any]) -> Done:
    """Make a partial import of the rows that were mended after the import was applied."""
    found = _seen(tx, import_id, given["version"])
    made = import_corrections.take_in_corrected(tx, found, by=current_principal().name, at=clock.now())
    told = _do(tx, TaskKind.PREVIEW_IMPORT, made)
    return done(f"The mended rows are an import of their own. {told}", "console_import", import_id=made.id)
