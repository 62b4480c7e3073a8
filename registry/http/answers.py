"""Answers: JSON with its ETag and its cache life, and the conditions that a request puts on them.

The ETag of a kept resource is ``"<version>-<hash of what is shown>"``. What is shown may change while nothing
is recorded (a term ends at midnight), so the hash decides on 304; a change starts from the version alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
from flask import Response, request
from marshmallow import Schema

from registry.errors import Stale

from .problems import PreconditionRequired

VERSION = re.compile('"([0-9]{1,15})-[0-9a-f]{16}"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view answers with, where it is more than the value that the schema dumps.

    :param version: of the resource; gives the ETag that a change must name.
    :param location: the path of what was created.
    :param max_age: seconds for which the public and caches may keep the answer; ``None`` for not at all.
    :param next_page: the path of the next page, for ``Link``.
    """

    value: Any
    version: int | None = None
    location: str | None = None
    max_age: int | None = None
    next_page: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def to_json(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def render(result: Any, schema: Schema | None, status: int) -> Response:
    """The response for what a view returned: a value, an :class:`Answer`, or a ready response."""
    if isinstance(result, Response):
        return result
    answer = result if isinstance(result, Answer) else Answer(result)
    body = b"" if schema is None else to_json(schema.dump(answer.value))
    response = Response(body, status, content_type="application/json")
    if schema is None:
        del response.headers["Content-Type"]
    _describe(response, answer, body)
    return response


def _describe(response: Response, answer: Answer, body: bytes) -> None:
    headers = response.headers
    if body and (answer.version is not None or request.method in ("GET", "HEAD")):
        headers["ETag"] = etag_of(body, answer.version)
    if answer.location is not None:
        headers["Location"] = answer.location
    if answer.next_page is not None:
        headers["Link"] = f'<{answer.next_page}>; rel="next"'
    headers["Cache-Control"] = cache_control(answer.max_age)
    headers.update(answer.headers)


def etag_of(body: bytes, version: int | None = None) -> str:
    """A strong ETag for exactly these bytes, which names the version where there is one."""
    shown = blake2b(body, digest_size=8).hexdigest()
    return f'"{shown}"' if version is None else f'"{version}-{shown}"'


def cache_control(max_age: int | None) -> str:
    """How long caches may keep an answer, in seconds; ``None``: not at all."""
    return "no-store" if max_age is None else f"public, max-age={max_age}, must-revalidate"


def not_modified(response: Response) -> Response:
    """The response as 304, if it is what the request says it has already (RFC 9110, section 13.1.2)."""
    known = request.environ.get("HTTP_IF_NONE_MATCH")
    if known is None or request.method not in ("GET", "HEAD") or response.status_code != 200:
        return response
    etag, _ = response.get_etag()
    if etag is not None and request.if_none_match.contains_weak(etag):
        response.status_code = 304
        response.set_data(b"")
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    return response


def if_match_version() -> int:
    """The version that the request wants to change.

    :raises PreconditionRequired: the request names none; ``*`` would overwrite what nobody looked at.
    :raises registry.errors.Stale: it names something that was never an ETag of this register.
    """
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        raise PreconditionRequired("Send If-Match with the ETag that came with the resource.")
    match = VERSION.fullmatch(given)
    if match is None:
        raise Stale("If-Match names no version of this resource; send the ETag as it came, in its quotes.")
    return int(match[1])
