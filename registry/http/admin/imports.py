"""Imports: a body's own snapshot, received, previewed, applied, reversed; and the profiles that read it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from flask import Response, url_for
from sqlalchemy import Connection

from registry import clock
from registry.domain.localtime import local_date
from registry.http.access import current_principal, own_body, require_body
from registry.http.answers import Answer, render
from registry.http.auditing import tell_reading
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import QuerySchema, ResponseSchema
from registry.http.operations import MAX_IMPORT_BYTES, Blueprint
from registry.http.requests import read_query
from registry.services import import_profiles, tasks
from registry.services import imports as service
from registry.services.bodies import get_body
from registry.services.import_reversal import reverse_import as reverse
from registry.sheets.writing import csv_text
from registry.store import imports as store
from registry.store.database import reading, writing
from registry.store.imports import Import, Received
from registry.store.tasks import latest_tasks

from .import_schemas import (
    LONGEST_FILENAME,
    ImportSchema,
    ImportsQuery,
    KeptProfileSchema,
    NewImportSchema,
    NewImportTaskSchema,
    ProfileDocumentSchema,
    RejectedRowSchema,
    VanishedSchema,
    shown_import,
    shown_reject,
)

blueprint = Blueprint("imports", __name__, url_prefix="/v1/admin", description="Imports")
IMPORT = "/imports/<id:import_id>"
PROFILES = "/bodies/<code:code>/profiles"

COMPARED_AT_ONCE = 1_000_000
"""Bytes of a file that is compared while its sender waits."""


def _owned(tx: Connection, import_id: str) -> Import:
    found = service.get_import(tx, import_id)
    require_body(found.body_id)
    return found


def _shown(tx: Connection, found: Import) -> dict[str, Any]:
    task = latest_tasks(tx, [found.id]).get(found.id)
    return shown_import(found, get_body(tx, found.body_id).code, task)


@blueprint.operation(
    "POST", "/imports", form=NewImportSchema, answer=ImportSchema, status=201, largest_body=MAX_IMPORT_BYTES
)
def create_import(tx: Connection, given: dict[str, Any]) -> Answer:
    """Send in a body's snapshot.

    A file of up to a million bytes is compared at once, and the answer says what it would come to. A larger
    one is only kept: ask for its dry run next, and see `rows_read` meanwhile. The register stays as it is
    until the import is applied.
    """
    body, at, by = get_body(tx, given["body"]), clock.now(), current_principal().name
    require_body(body.id)
    file = given["file"]
    document = import_profiles.choose_profile(tx, body.id, given["profile"])
    day = given["on"] or local_date(at, body.zone)
    name = _printable(file.filename) or "file"
    received = Received(body.id, name, given["profile"], document, day, given["partial"])
    found = service.receive_import(tx, received, file.stream, by=by, at=at)
    if found.bytes <= COMPARED_AT_ONCE:
        found = service.preview_import(lambda: nullcontext(tx), found.id, by=by, at=at)
    return Answer(_shown(tx, found), location=url_for("imports.get_import", import_id=found.id))


def _printable(filename: str | None) -> str:
    return "".join(c for c in filename or "" if c.isprintable())[:LONGEST_FILENAME]


@blueprint.operation("GET", "/imports", query=ImportsQuery, answer=page_schema(ImportSchema))
def list_imports(tx: Connection, query: dict[str, Any]) -> Answer:
    """List imports, the latest first."""
    before = position(query, str)
    code = query["body"]
    body_id = own_body(None if code is None else get_body(tx, code).id)
    limit = query["limit"] + 1
    found = store.list_imports(tx, body_id, before=before[0] if before else None, limit=limit)
    return page_of(query, [_shown(tx, one) for one in found], lambda one: [one["id"]])


@blueprint.operation("GET", IMPORT, answer=ImportSchema)
def get_import(tx: Connection, import_id: str) -> dict[str, Any]:
    """Show an import, with what the last comparison found."""
    return _shown(tx, _owned(tx, import_id))


@blueprint.operation("POST", f"{IMPORT}/dry-run", answer=ImportSchema, raw=True, reads_only=True)
def preview_import(import_id: str) -> Response:
    """Compare a file with the register, and say what it would come to. Nothing else changes.

    While it runs, `rows_read` of the import tells how far it is.
    """
    read_query(QuerySchema())
    with reading() as connection:
        _owned(connection, import_id)
    by = current_principal().name
    found = service.preview_import(writing, import_id, by=by, at=clock.now())
    with reading() as connection:
        return render(_shown(connection, found), ImportSchema(), 200)


@blueprint.operation("POST", f"{IMPORT}/apply", answer=ImportSchema)
def apply_import(tx: Connection, import_id: str) -> dict[str, Any]:
    """Record the decisions that explain the file, all or none, against the register as it is by now."""
    _owned(tx, import_id)
    by = current_principal().name
    return _shown(tx, service.apply_import(tx, import_id, by=by, at=clock.now()))


@blueprint.operation("POST", f"{IMPORT}/reverse", answer=ImportSchema)
def reverse_import(tx: Connection, import_id: str) -> dict[str, Any]:
    """Void all that an import decided, and restore the names, cities and languages that it changed.

    Refused where later decisions rest on it, with the list of them.
    """
    _owned(tx, import_id)
    return _shown(tx, reverse(tx, import_id, by=current_principal().name, at=clock.now()))


@blueprint.operation("POST", f"{IMPORT}/tasks", body=NewImportTaskSchema, answer=ImportSchema, status=202)
def ask_about_import(tx: Connection, import_id: str, given: dict[str, Any]) -> Answer:
    """Ask that an import be compared, applied or reversed by a process of its own: `registry work`.

    For files that take longer than a client waits. `task` of the import tells how far it is, and why nothing
    came of it where that is so. It is refused while something is being done to the import already.
    """
    found = _owned(tx, import_id)
    by, at = current_principal().name, clock.now()
    tasks.ask_about_import(tx, given["do"], import_id, given["version"], by=by, at=at)
    return Answer(_shown(tx, found), location=url_for("imports.get_import", import_id=import_id))


@blueprint.operation("GET", f"{IMPORT}/rejected", query=PageQuery, answer=page_schema(RejectedRowSchema))
def list_rejected_rows(tx: Connection, import_id: str, query: dict[str, Any]) -> Answer:
    """List the rows that were not taken in, each with what is wrong and what would be right."""
    found = _owned(tx, import_id)
    after = position(query, int)
    rows = store.list_rejects(tx, found.id, after=after[0] if after else 0, limit=query["limit"] + 1)
    return page_of(query, [shown_reject(row) for row in rows], lambda row: [row["line"]])


class RejectedFileSchema(ResponseSchema):
    """`text/csv`: the rejected rows with their original columns, behind two that say what is wrong."""


@blueprint.operation("GET", f"{IMPORT}/rejected.csv", answer=RejectedFileSchema, answer_type="text/csv")
def download_rejected_rows(tx: Connection, import_id: str) -> Response:
    """Fetch the rows that were not taken in, to be corrected and sent in again as a partial import."""
    found = _owned(tx, import_id)
    header, rows, delimiter = service.rejected_rows(tx, found)
    text = "".join((*csv_text([header], delimiter), *csv_text(rows, delimiter)))
    tell_reading("download_rejected_rows")
    return _file(text, "text/csv; charset=utf-8", f"rejected-{found.id}.csv")


def _file(text: str, content_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text.encode(), content_type=content_type, headers=headers)


@blueprint.operation("GET", f"{IMPORT}/vanished", query=PageQuery, answer=page_schema(VanishedSchema))
def list_vanished_registrations(tx: Connection, import_id: str, query: dict[str, Any]) -> Answer:
    """List the registrations that the file does not name. They are kept as they are."""
    found = _owned(tx, import_id)
    after = position(query, str)
    rows = service.list_vanished(tx, found, after=after[0] if after else None, limit=query["limit"] + 1)
    shown = [{"key": key, "number": number, "id": id_} for key, number, id_ in rows]
    return page_of(query, shown, lambda row: [row["key"]])


@blueprint.operation("GET", PROFILES, query=PageQuery, answer=page_schema(KeptProfileSchema))
def list_import_profiles(tx: Connection, code: str, query: dict[str, Any]) -> Answer:
    """List the mapping profiles that a body keeps."""
    keeper = get_body(tx, code)
    require_body(keeper.id)
    after = position(query, str)
    kept = [p for p in store.list_profiles(tx, keeper.id) if after is None or p.name > after[0]]
    return page_of(query, kept[: query["limit"] + 1], lambda profile: [profile.name])


@blueprint.operation("GET", f"{PROFILES}/<code:name>", answer=KeptProfileSchema)
def get_import_profile(tx: Connection, code: str, name: str) -> Answer:
    """Show a mapping profile of a body."""
    keeper = get_body(tx, code)
    require_body(keeper.id)
    kept = import_profiles.get_profile(tx, keeper, name)
    return Answer(kept, version=kept.version)


@blueprint.operation("PUT", f"{PROFILES}/<code:name>", body=ProfileDocumentSchema, answer=KeptProfileSchema)
def put_import_profile(tx: Connection, code: str, name: str, given: dict[str, Any]) -> Answer:
    """Keep a mapping profile, in the place of the one of that name."""
    keeper = get_body(tx, code)
    require_body(keeper.id)
    by = current_principal().name
    kept = import_profiles.keep_profile(tx, keeper, name, given, by=by, at=clock.now())
    return Answer(kept, version=kept.version)
