"""Exports: a body's register as a file that imports again without difference."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, stream_with_context

from registry import clock
from registry.domain.localtime import local_date
from registry.http.access import require_body
from registry.http.auditing import tell_reading
from registry.http.fields import Date, QuerySchema, ResponseSchema
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.services.bodies import get_body
from registry.services.exports import Export, Form
from registry.store.database import reading

blueprint = Blueprint("exports", __name__, url_prefix="/v1/admin/exports", description="Exports")

CSV = "text/csv"
NDJSON = "application/x-ndjson"


class ExportQuery(QuerySchema):
    """As of which day."""

    on = Date(load_default=None, metadata={"description": "The body's day; today if absent."})


class CsvExportSchema(ResponseSchema):
    """One registration a line; lists stand in their cells as JSON."""


class NdjsonExportSchema(ResponseSchema):
    """One registration a line, as a JSON object."""


@blueprint.operation(
    "GET", "/<code:body>.csv", query=ExportQuery, answer=CsvExportSchema, answer_type=CSV, raw=True
)
def export_as_csv(body: str) -> Response:
    """Fetch a body's register as it stands, to be read with the profile `export`.

    Cells that a spreadsheet would run as formulas begin with an apostrophe, which importing takes off.
    """
    return _export(body, Form.CSV, f"{CSV}; charset=utf-8")


@blueprint.operation(
    "GET", "/<code:body>.ndjson", query=ExportQuery, answer=NdjsonExportSchema, answer_type=NDJSON, raw=True
)
def export_as_ndjson(body: str) -> Response:
    """Fetch a body's register as it stands, as lines of JSON, to be read with the profile `export`."""
    return _export(body, Form.NDJSON, NDJSON)


def _export(code: str, form: Form, content_type: str) -> Response:
    query = read_query(QUERY)
    with reading() as connection:
        body = get_body(connection, code)
    require_body(body.id)
    tell_reading(f"export_as_{form}", on=None if query["on"] is None else query["on"].isoformat())
    export = Export(body, query["on"] or local_date(clock.now(), body.zone))

    def text() -> Iterator[str]:
        with reading() as connection:
            yield from export.text(connection, form)

    named = {"Content-Disposition": f'attachment; filename="{body.code}.{form}"'}
    headers = {**named, "Cache-Control": "no-store"}
    return Response(stream_with_context(text()), content_type=content_type, headers=headers)


QUERY = ExportQuery()
