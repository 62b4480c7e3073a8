"""Reading requests strictly: JSON that is JSON, arguments that are known and given once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from flask import request
from marshmallow import Schema, ValidationError
from marshmallow import fields as ma
from werkzeug.datastructures import MultiDict

from .problems import Malformed, UnsupportedMedia, invalid_values


def read_json(schema: Schema) -> Any:
    """The request's JSON body, loaded.

    :raises UnsupportedMedia: the body is not JSON by its type.
    :raises Malformed: it is not JSON in fact (RFC 8259), or names a member twice (RFC 7493).
    :raises registry.errors.Invalid: values are wrong.
    """
    if not request.is_json:
        raise UnsupportedMedia("Send JSON, with Content-Type: application/json.")
    document = parse_json(request.get_data(cache=True))
    return load(schema, document, "json")


def parse_json(data: bytes) -> Any:
    """A JSON document, read strictly.

    :raises Malformed: it is not JSON (RFC 8259), or names a member twice (RFC 7493).
    """
    try:
        return json.loads(data.decode(), parse_constant=_refuse_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is not well-formed JSON: {_why(error)}.") from error


def read_query(schema: Schema) -> Any:
    """The query arguments, loaded.

    :raises registry.errors.Invalid: values are wrong, arguments unknown or given twice.
    """
    return load(schema, _once_each(request.args, schema), "query")


def read_form(schema: Schema) -> Any:
    """The fields and files of a ``multipart/form-data`` body, loaded.

    :raises UnsupportedMedia: the body is of another type.
    :raises registry.errors.Invalid: values are wrong, fields unknown or given twice.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMedia("Send a form, with Content-Type: multipart/form-data.")
    given = MultiDict([*request.form.items(multi=True), *request.files.items(multi=True)])
    return load(schema, _once_each(given, schema), "form")


def load(schema: Schema, document: Any, location: str) -> Any:
    """What a schema makes of a document.

    :param location: ``json``, ``query`` or ``form``: decides how a wrong value's place is named.
    :raises registry.errors.Invalid: values are wrong.
    """
    try:
        return schema.load(document)
    except ValidationError as error:
        raise invalid_values({location: error.messages}) from error


def _once_each(given: MultiDict[str, Any], schema: Schema) -> Mapping[str, Any]:
    several = {f.data_key or name for name, f in schema.fields.items() if isinstance(f, ma.List)}
    lists = dict(given.lists())
    twice = {
        name: ["Give this only once."] for name, v in lists.items() if len(v) > 1 and name not in several
    }
    if twice:
        raise invalid_values({"query": twice})
    return {name: values if name in several else values[0] for name, values in lists.items()}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is given twice in one object")
    return members


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)
