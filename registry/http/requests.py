"""Reading requests strictly: JSON that is JSON, arguments that are known and given once."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import IO, Any, NoReturn

from flask import Request, request
from marshmallow import Schema, ValidationError
from marshmallow import fields as ma
from werkzeug.datastructures import MultiDict

from .problems import EncodedBody, Malformed, UnsupportedMedia, invalid_values

MOST_DEPTH = 32
"""Arrays and objects within each other; what is read here needs fewer than ten."""

CONTAINERS = (dict, list)

LONGEST_INTEGER = 100
"""Digits. No field takes so many; reading them takes time that grows with their square."""


class OwnRequest(Request):
    """A request that closes the files made for it, also those of a form that turned out to be none."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._made: list[IO[bytes]] = []

    def _get_file_stream(self, *args: Any, **options: Any) -> IO[bytes]:
        stream = super()._get_file_stream(*args, **options)
        self._made.append(stream)
        return stream

    def close(self) -> None:
        """The request has been answered."""
        super().close()
        for stream in self._made:
            stream.close()


def read_body(*, cache: bool = True) -> bytes:
    """The request's body, which must come as it is: unpacked, a small one could be of any size.

    :param cache: whether another may read it, too.
    :raises EncodedBody: it is compressed, or encoded otherwise.
    """
    _refuse_encoded()
    return request.get_data(cache=cache)


def _refuse_encoded() -> None:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise EncodedBody("Send the body as it is, without Content-Encoding.")


def read_json(schema: Schema) -> Any:
    """The request's JSON body, loaded.

    :raises UnsupportedMedia: the body is not JSON by its type.
    :raises EncodedBody: it is compressed.
    :raises Malformed: it is not JSON in fact (RFC 8259), or names a member twice (RFC 7493).
    :raises registry.errors.Invalid: values are wrong.
    """
    if not request.is_json:
        raise UnsupportedMedia("Send JSON, with Content-Type: application/json.")
    document = parse_json(read_body())
    return load(schema, document, "json")


def parse_json(data: bytes) -> Any:
    """A JSON document, read strictly.

    :raises Malformed: it is not JSON (RFC 8259), names a member twice, holds a number that no double holds
        (RFC 7493, sections 2.3 and 2.2), or is nested too deeply.
    """
    try:
        document = DECODER.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is not well-formed JSON: {_why(error)}.") from error
    # Only what has more brackets than levels are allowed can be nested more deeply.
    if data.count(b"[") + data.count(b"{") > MOST_DEPTH and _is_deep(document):
        raise Malformed(f"The body is nested more than {MOST_DEPTH} levels deep.")
    return document


def _is_deep(document: Any) -> bool:
    level = [document]
    for _ in range(MOST_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, CONTAINERS)
        ]
        if not level:
            return False
    return True


def read_query(schema: Schema) -> Any:
    """The query arguments, loaded.

    :raises registry.errors.Invalid: values are wrong, arguments unknown or given twice.
    """
    return load(schema, _once_each(request.args, schema), "query")


def read_form(schema: Schema) -> Any:
    """The fields and files of a ``multipart/form-data`` body, loaded.

    :raises UnsupportedMedia: the body is of another type.
    :raises EncodedBody: it is compressed.
    :raises registry.errors.Invalid: values are wrong, fields unknown or given twice.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMedia("Send a form, with Content-Type: multipart/form-data.")
    _refuse_encoded()
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


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is beyond what a double holds")
    return number


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is given twice in one object")
    return members


DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number, object_pairs_hook=_object
)


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)
