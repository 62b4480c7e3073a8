"""Exports: a body's register as a file that imports again without difference."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response, stream_with_context

from registry import clock
from registry.domain.localtime import local_date
from registry.http.access import require_body
from registry.http.fields import Date, QuerySchema, ResponseSchema, Word
from registry.http.operations import Blueprint
from registry.http.requests import read_query
from registry.services.bodies import get_body
from registry.services.exports import Export, Form
from registry.store.database import reading

blueprint = Blueprint("exports", __name__, url_prefix="/v1/admin/exports", description="Exports")

TYPES = {Form.CSV: "text/csv; charset=utf-8", Form.NDJSON: "application/x-ndjson"}


class ExportQuery(QuerySchema):
    """In which form, and as of which day."""

    format = Word(Form, load_default=Form.CSV)
    on = Date(load_default=None, metadata={"description": "The body's day; today if absent."})


class ExportedSchema(ResponseSchema):
    """`text/csv` or `application/x-ndjson`: one registration a line, to be read with the profile `export`."""


@blueprint.operation(
    "GET", "/<code:body>", query=ExportQuery, answer=ExportedSchema, answer_type="text/csv", raw=True
)
def export_register(body: str) -> Response:
    """Fetch a body's register as it stands.

    Cells that a spreadsheet would run as formulas begin with an apostrophe, which importing takes off.
    """
    query = read_query(QUERY)
    with reading() as connection:
        found = get_body(connection, body)
    require_body(found.id)
    export = Export(found, query["on"] or local_date(clock.now(), found.zone))

    def text() -> Iterator[str]:
        with reading() as connection:
            yield from export.text(connection, query["format"])

    headers = {
        "Content-Disposition": f'attachment; filename="{found.code}.{query["format"]}"',
        "Cache-Control": "no-store",
    }
    return Response(stream_with_context(text()), content_type=TYPES[query["format"]], headers=headers)


QUERY = ExportQuery()
