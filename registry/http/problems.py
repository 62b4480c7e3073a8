"""Every failure as a problem document (RFC 9457): one table says which error becomes which problem."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import structlog
from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import RequestRedirect

from registry import errors
from registry.clock import new_id

from .metrics import UNAVAILABLE
from .tracing import request_id

PROBLEM_JSON = "application/problem+json"
MOST_PARTICULARS = 100
LONGEST_NAME = 100
"""Characters of a member's name that a refusal repeats."""
RETRY_AFTER_SECONDS = 5
PAGES = "registry.problem_pages"
FOR_PROGRAMS = ("/v1/", "/fhir/")

log = structlog.get_logger(__name__)


class Unauthenticated(errors.RegistryError):
    """No key where one is needed, or one that is not in force."""


class TooManyRequests(errors.RegistryError):
    """A limit is reached.

    :param seconds: after which there is something left again.
    :param policies: the names of the limits, as the field RateLimit-Policy has them.
    """

    def __init__(self, seconds: int, policies: Sequence[str]) -> None:
        super().__init__(f"The limit is reached ({', '.join(policies)}); ask again after {seconds} seconds.")
        self.seconds, self.policies = seconds, policies


class PreconditionRequired(errors.RegistryError):
    """A change without the version that it starts from."""


class KeyReused(errors.RegistryError):
    """An Idempotency-Key that was given with another request before."""


class StillRunning(errors.RegistryError):
    """The first request with this Idempotency-Key has not ended."""


class Malformed(errors.RegistryError):
    """A request that cannot be read at all."""


class UnsupportedMedia(errors.RegistryError):
    """A body in a format that is not read here."""


class EncodedBody(errors.RegistryError):
    """A body that is compressed, or encoded otherwise."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: its status, the last part of its address, its title and what to do about it."""

    status: HTTPStatus
    slug: str
    title: str
    remedy: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def uri(self) -> str:
        """Its address, by the full path, which RFC 9457 (section 3.1.1) has for relative references."""
        return f"/problems/{self.slug}"


S = HTTPStatus
PROBLEMS: Mapping[type[errors.RegistryError], ProblemType] = {
    errors.Invalid: ProblemType(
        S.UNPROCESSABLE_ENTITY,
        "invalid-values",
        "Values cannot be right",
        "Each entry of errors names the place (pointer into the body, or parameter) and what would be right.",
    ),
    errors.Senseless: ProblemType(
        S.UNPROCESSABLE_ENTITY,
        "senseless-decisions",
        "Decisions make no sense",
        "Each entry of errors names a decision and what stands against it on its day.",
    ),
    errors.NotFound: ProblemType(
        S.NOT_FOUND, "not-found", "Nothing is kept here", "Check the address and the identifiers in it."
    ),
    errors.Gone: ProblemType(S.GONE, "gone", "It was taken away", "It was kept here once and is no more."),
    errors.Conflict: ProblemType(
        S.CONFLICT,
        "conflict",
        "It contradicts what is recorded",
        "Read the resource again; the detail says what stands against the wish.",
    ),
    errors.Unmet: ProblemType(
        S.CONFLICT,
        "unmet-requirements",
        "Requirements are not met",
        "Each entry of errors names a requirement of the body's rules, what it asks and what was found."
        " Record what is missing, or why the requirement is overridden.",
    ),
    errors.Stale: ProblemType(
        S.PRECONDITION_FAILED,
        "stale-version",
        "It was changed since it was read",
        "Read the resource again, look at what changed, and send the change with the new ETag in If-Match.",
    ),
    errors.Forbidden: ProblemType(
        S.FORBIDDEN, "forbidden", "Not allowed to this key", "Use a key whose role and body allow it."
    ),
    errors.Unavailable: ProblemType(
        S.SERVICE_UNAVAILABLE,
        "unavailable",
        "Not possible at this moment",
        "Try again after the seconds in Retry-After; nothing was changed.",
        (("Retry-After", str(RETRY_AFTER_SECONDS)),),
    ),
    errors.InDoubt: ProblemType(
        S.SERVICE_UNAVAILABLE,
        "outcome-unknown",
        "It may have been recorded, or not",
        "Read what is recorded before you send it again; or send it again with the same Idempotency-Key, and"
        " it is done once.",
        (("Retry-After", str(RETRY_AFTER_SECONDS)),),
    ),
    Unauthenticated: ProblemType(
        S.UNAUTHORIZED,
        "unauthenticated",
        "A valid key is needed",
        "Send Authorization: Bearer and a key or token that has neither expired nor been revoked.",
        (("WWW-Authenticate", 'Bearer realm="registry"'),),
    ),
    TooManyRequests: ProblemType(
        S.TOO_MANY_REQUESTS,
        "too-many-requests",
        "Too much was asked in a while",
        "Wait for the seconds in Retry-After. RateLimit-Policy names the limits, RateLimit what is left of"
        " them. With a key there is more.",
    ),
    PreconditionRequired: ProblemType(
        S.PRECONDITION_REQUIRED,
        "version-required",
        "Say which version is changed",
        "Send If-Match with the ETag that came with the resource.",
    ),
    KeyReused: ProblemType(
        S.UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "The Idempotency-Key belongs to another request",
        "Use a new key for a new request; repeat a request with exactly the same body.",
    ),
    StillRunning: ProblemType(
        S.CONFLICT,
        "still-running",
        "The first request with this key is still running",
        "Wait a moment and send the same request again.",
        (("Retry-After", "1"),),
    ),
    Malformed: ProblemType(
        S.BAD_REQUEST, "malformed", "The request cannot be read", "Send well-formed JSON in UTF-8."
    ),
    UnsupportedMedia: ProblemType(
        S.UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "This format is not read here",
        "Send the format that the detail names, with its Content-Type.",
        (("Accept", "application/json"),),
    ),
    EncodedBody: ProblemType(
        S.UNSUPPORTED_MEDIA_TYPE,
        "encoded-body",
        "The body is encoded",
        "Send it as it is, without Content-Encoding.",
        (("Accept-Encoding", "identity"),),
    ),
}

OTHERS: Mapping[int, ProblemType] = {
    S.NOT_FOUND: PROBLEMS[errors.NotFound],
    S.BAD_REQUEST: PROBLEMS[Malformed],
    S.UNSUPPORTED_MEDIA_TYPE: PROBLEMS[UnsupportedMedia],
    S.METHOD_NOT_ALLOWED: ProblemType(
        S.METHOD_NOT_ALLOWED, "method-not-allowed", "Not with this method", "Allow lists the methods."
    ),
    S.REQUEST_ENTITY_TOO_LARGE: ProblemType(
        S.REQUEST_ENTITY_TOO_LARGE, "too-large", "The body is too large", "Send less at once."
    ),
    S.REQUEST_TIMEOUT: ProblemType(
        S.REQUEST_TIMEOUT, "request-timeout", "It took too long to arrive", "Send the whole request at once."
    ),
    S.REQUEST_URI_TOO_LONG: ProblemType(
        S.REQUEST_URI_TOO_LONG,
        "address-too-long",
        "The address is too long",
        "Ask for less at once; an address may have about 8,000 characters.",
    ),
    S.REQUEST_HEADER_FIELDS_TOO_LARGE: ProblemType(
        S.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "headers-too-large",
        "The headers are too large",
        "Send at most 64 headers, of at most 8,190 bytes each.",
    ),
    S.INTERNAL_SERVER_ERROR: ProblemType(
        S.INTERNAL_SERVER_ERROR,
        "internal-error",
        "Something failed here",
        "It is logged under the request_id; tell it to whoever runs the service.",
    ),
}
BY_SLUG = {problem.slug: problem for problem in (*PROBLEMS.values(), *OTHERS.values())}


def problem_of(error: errors.RegistryError) -> ProblemType:
    """The problem that an error is to the outside: that of its own class, or of the nearest above."""
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def problem_response(
    problem: ProblemType,
    detail: str,
    particulars: Sequence[Mapping[str, Any]] = (),
    members: Mapping[str, Any] = MappingProxyType({}),
) -> Response:
    """A problem document; for people, the page that stands for it (:func:`show_problems_with`).

    The document is written in ASCII: what is quoted from a request may be no valid Unicode.

    :param members: that only problems of this type have.
    """
    page = _page_for_people()
    if page is not None:
        return page(problem, detail, particulars)
    document: dict[str, Any] = {
        "type": problem.uri,
        "title": problem.title,
        "status": int(problem.status),
        "detail": detail,
        "instance": quote(request.path),
        "request_id": request_id(),
        **members,
    }
    if particulars:
        document["errors"] = list(particulars[:MOST_PARTICULARS])
    response = Response(json.dumps(document), int(problem.status), content_type=PROBLEM_JSON)
    response.headers.extend(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


Page = Callable[[ProblemType, str, Sequence[Mapping[str, Any]]], Response]
"""Shows a problem to people: its type, its detail, its particulars."""

LOST = ""
"""In place of a blueprint: for browsers at an address where there is nothing."""


def show_problems_with(app: Flask, page: Page, *blueprints: str) -> None:
    """Show problems to people by ``page`` at the addresses of these blueprints (:data:`LOST`: at none)."""
    app.extensions.setdefault(PAGES, {}).update(dict.fromkeys(blueprints, page))


def _page_for_people() -> Page | None:
    """Where the request is for a page, or, at an address that is none, a browser sent it: what shows it."""
    pages: Mapping[str, Page] = current_app.extensions.get(PAGES, {})
    if request.url_rule is not None:
        return pages.get(request.blueprint) if request.blueprint else None
    if request.path.startswith(FOR_PROGRAMS):
        return None
    is_browser = request.accept_mimetypes.best_match([PROBLEM_JSON, "text/html"]) == "text/html"
    return pages.get(LOST) if is_browser else None


def invalid_values(messages: Mapping[str, Any]) -> errors.Invalid:
    """marshmallow's messages, by location, as one error that lists the places."""
    found = sorted(
        (_place(location, path), message)
        for location, of_location in messages.items()
        for path, message in _leaves(of_location, ())
    )
    particulars = [{key: place, "detail": message} for (key, place), message in found]
    return errors.Invalid(_summary(particulars), particulars)


def _place(location: str, path: tuple[str, ...]) -> tuple[str, str]:
    if location in ("json", "form", "files"):
        return "pointer", "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)
    return ("header" if location == "headers" else "parameter"), ".".join(path)


def _leaves(messages: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            yield from _leaves(value, path if key == "_schema" else (*path, _shortened(str(key))))
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from _leaves(message, path)
    else:
        yield path, str(messages)


def _shortened(name: str) -> str:
    """A name as it was sent; of one that is longer than any here, its beginning."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _summary(particulars: Sequence[Mapping[str, str]]) -> str:
    first = particulars[0]
    place = first.get("pointer") or first.get("parameter") or first.get("header")
    message = f"{place}: {first['detail']}" if place else first["detail"]
    return message if len(particulars) == 1 else f"{message} ({len(particulars) - 1} more in errors)"


def handle_errors(app: Flask) -> None:
    """Whatever a view raises, the answer is a problem document."""
    app.register_error_handler(errors.RegistryError, _registry_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(IntegrityError, _integrity_error)
    app.register_error_handler(Exception, _unknown_error)


def _registry_error(error: errors.RegistryError) -> Response:
    if isinstance(error, errors.Unavailable):
        UNAVAILABLE.labels(_reason(error)).inc()
        log.warning("unavailable", request_id=request_id(), exc_info=error)
    if isinstance(error, TooManyRequests):
        return _too_many_requests(error)
    if isinstance(error, Unauthenticated | errors.Forbidden) and "HTTP_AUTHORIZATION" in request.environ:
        _log_refusal(problem_of(error))
    response = problem_response(problem_of(error), error.detail, error.problems)
    if isinstance(error, Unauthenticated) and "HTTP_AUTHORIZATION" in request.environ:
        response.headers["WWW-Authenticate"] += ', error="invalid_token"'  # RFC 6750, section 3.1
    return response


def _log_refusal(problem: ProblemType) -> None:
    """Tell the log of a key or token that did not open what it was tried on: whose it is, never which."""
    log.warning(
        "refused",
        status=int(problem.status),
        operation=(request.endpoint or "").rpartition(".")[2],
        principal=getattr(g.get("principal"), "name", None),
        request_id=request_id(),
    )


def _reason(error: errors.Unavailable) -> str:
    """Why something was not possible at the moment, in one of a few words."""
    if isinstance(error.__cause__, PoolTimeoutError):
        return "pool_exhausted"
    return "refused" if error.__cause__ is None else "database"


def _too_many_requests(error: TooManyRequests) -> Response:
    members = {"violated-policies": list(error.policies)}
    response = problem_response(problem_of(error), error.detail, members=members)
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _http_error(error: HTTPException) -> Response | HTTPException:
    if isinstance(error, RequestRedirect) or error.code is None or error.code < S.BAD_REQUEST:
        return error
    status = HTTPStatus(error.code)
    detail = _DETAILS.get(error.code) or error.description or status.phrase
    response = problem_response(_of_status(status), detail)
    for name, value in error.get_headers(request.environ):
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


_DETAILS = {
    NotFound.code: "There is nothing at this address.",
    S.REQUEST_ENTITY_TOO_LARGE: "The body is larger than is taken here.",
    S.METHOD_NOT_ALLOWED: "This address does not take that method.",
}


def _integrity_error(error: IntegrityError) -> Response:
    """Two who recorded the same at the same moment are no failure of the service; the rest is."""
    if not is_duplicate(error):
        return _unknown_error(error)
    detail = "Someone recorded the same at the same moment; read again what is recorded now."
    return problem_response(PROBLEMS[errors.Conflict], detail)


def is_duplicate(error: IntegrityError) -> bool:
    """Whether somebody else recorded the same."""
    original = error.orig
    if getattr(original, "sqlstate", None) == "23505":  # unique_violation
        return True
    name = getattr(original, "sqlite_errorname", None)
    return name in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")


def _unknown_error(error: Exception) -> Response:
    log.error("failed", request_id=request_id(), endpoint=request.endpoint, exc_info=error)
    return problem_response(
        OTHERS[S.INTERNAL_SERVER_ERROR], "The request failed for a reason that is not the caller's."
    )


def unreadable(status: HTTPStatus) -> tuple[list[str], bytes]:
    """Lines of the head, and the body, of the answer to what cannot be read as a request at all."""
    problem, known_as = _of_status(status), new_id()
    document = {
        "type": problem.uri,
        "title": problem.title,
        "status": int(status),
        "detail": problem.remedy,
        "request_id": known_as,
    }
    body = json.dumps(document).encode()
    head = [f"Content-Type: {PROBLEM_JSON}", f"Content-Length: {len(body)}", "Cache-Control: no-store"]
    return [*head, "X-Content-Type-Options: nosniff", f"X-Request-Id: {known_as}"], body


def _of_status(status: HTTPStatus) -> ProblemType:
    fallback = ProblemType(status, status.phrase.lower().replace(" ", "-"), status.phrase, status.description)
    return OTHERS.get(status, fallback)


def problem_page(slug: str) -> Response:
    """A page for readers who follow the type of a problem."""
    problem = BY_SLUG.get(slug)
    if problem is None:
        raise errors.NotFound("There is no such type of problem.")
    title, remedy = escape(problem.title), escape(problem.remedy)
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    page += f"<h1>{title}</h1><p>HTTP status {int(problem.status)}.</p><p>{remedy}</p></html>\n"
    return Response(page, content_type="text/html; charset=utf-8")
