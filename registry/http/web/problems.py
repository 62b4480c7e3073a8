"""Failures as pages: what is wrong, and where to go on from there."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, request

from registry import clock
from registry.http.problems import ProblemType
from registry.http.tracing import request_id
from registry.services import look_up
from registry.services.search import Wanted, search
from registry.store.database import public_reading
from registry.store.records import Body

from .rendering import page
from .search import NOTHING_ASKED
from .speech import Said, Verbatim, phrase, say

TITLES = {
    HTTPStatus.NOT_FOUND: phrase("Nothing found here"),
    HTTPStatus.GONE: phrase("This was taken away"),
    HTTPStatus.METHOD_NOT_ALLOWED: phrase("This page cannot be used like that"),
    HTTPStatus.TOO_MANY_REQUESTS: phrase("Too many questions at once"),
    HTTPStatus.SERVICE_UNAVAILABLE: phrase("Not possible at this moment"),
    HTTPStatus.INTERNAL_SERVER_ERROR: phrase("Something went wrong here"),
}
NOT_HERE = phrase("Not in this register")
OTHER_TITLE = phrase("This cannot be answered")
DETAILS = {
    HTTPStatus.NOT_FOUND: phrase(
        "There is no page at this address. If you typed it, check it letter by letter. Or search by name or"
        " number."
    ),
    HTTPStatus.GONE: phrase("What was kept at this address is no longer kept."),
    HTTPStatus.METHOD_NOT_ALLOWED: phrase("Go back to the search and begin again."),
    HTTPStatus.TOO_MANY_REQUESTS: phrase("Please wait a minute, then try again."),
    HTTPStatus.SERVICE_UNAVAILABLE: phrase(
        "The register cannot be reached. Please try again in a minute. Until then, take nothing as a yes."
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: phrase(
        "The fault is ours, and it is recorded. Until it is repaired, take nothing as a yes."
    ),
}
OTHER_DETAIL = phrase("Something in the address or in the form cannot be right. Begin again with the search.")
NEVER_REGISTERED = phrase("%(body)s has never registered the number %(number)s. So the answer is no.")
NO_SUCH_BODY = phrase("No register is kept here under the code %(code)s.")
WITH_SEARCH = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


def problem_page(problem: ProblemType, *_: object) -> Response:
    """The page for a failure; it says in its own words what is wrong, and quotes no text of the request."""
    status = HTTPStatus(problem.status)
    detail = _never_registered() if status is HTTPStatus.NOT_FOUND else None
    elsewhere = _elsewhere() if detail is not None else ()
    with_search = status in WITH_SEARCH
    response = page(
        "problem.html",
        status=status,
        title=say(NOT_HERE if detail is not None else TITLES.get(status, OTHER_TITLE)),
        detail=detail or say(DETAILS.get(status, OTHER_DETAIL)),
        elsewhere=elsewhere,
        asked=NOTHING_ASKED if with_search else None,
        bodies=_bodies() if with_search else (),
        reference=request_id() if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "",
    )
    response.headers.extend(problem.headers)
    return response


def _bodies() -> tuple[Body, ...]:
    with public_reading() as connection:
        return tuple(look_up.list_bodies(connection))


def _asked_for() -> tuple[str, str] | None:
    """The body and the number that the address is about."""
    values = request.view_args or {}
    return (values["body"], values["number"]) if {"body", "number"} <= values.keys() else None


def _never_registered() -> Said | None:
    asked_for = _asked_for()
    if asked_for is None:
        return None
    code, number = asked_for
    body = next((body for body in _bodies() if body.code == code), None)
    if body is None:
        return say(NO_SUCH_BODY, code=Verbatim(code))
    return say(NEVER_REGISTERED, body=Verbatim(body.name), number=Verbatim(number))


def _elsewhere() -> tuple[look_up.PublicEntry, ...]:
    asked_for = _asked_for()
    if asked_for is None:
        return ()
    with public_reading() as connection:
        found = search(connection, Wanted(number=asked_for[1]), at=clock.now())
    return tuple(entry for person in found.people for entry in person.entries)
