"""Ready public answers: their ETag, their cache life, and the 304 that saves giving them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request
from werkzeug.datastructures import Headers

from registry.http.answers import cache_control, to_json

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class ReadyResponse(Response):
    """A response whose headers are as they are to be sent: no locations to complete, the length known."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers, without another look at each."""
        del environ
        return self.headers


def weak(fingerprint: str) -> str:
    """A weak ETag: ``as_of`` moves with each answer while what is said stays the same."""
    return f'W/"{fingerprint}"'


def is_known(etag: str) -> bool:
    """Whether the request names this ETag among those that it has (RFC 9110, section 13.1.2)."""
    given = request.environ.get("HTTP_IF_NONE_MATCH")
    if given is None:
        return False
    tags = (tag.strip() for tag in given.split(","))
    return any(tag == "*" or tag.removeprefix("W/") == etag.removeprefix("W/") for tag in tags)


def public_answer(value: Any, *, etag: str, seconds: int) -> Response:
    """An answer for everyone, to be kept for so many seconds."""
    response = ReadyResponse(to_json(value), content_type="application/json")
    return describe(response, etag, seconds)


def unchanged(*, etag: str, seconds: int) -> Response:
    """What the caller has is still right."""
    response = ReadyResponse(status=304)
    for name in ("Content-Type", "Content-Length"):
        response.headers.pop(name, None)
    return describe(response, etag, seconds)


def describe(response: Response, etag: str, seconds: int) -> Response:
    """Put the validator and the cache life on a response."""
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = cache_control(seconds)
    return response
