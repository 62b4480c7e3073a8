"""Failures as pages of the console, and the way to the sign-in for who is not signed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from registry.http.problems import ProblemType
from registry.http.sessions import CONSOLE, SignedOut
from registry.http.tracing import request_id

from .rendering import page_response

TITLES = {
    HTTPStatus.FORBIDDEN: "You may not do this",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page cannot be used like that",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Something in the address or the form cannot be right",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "This is too large",
}
"""For people, where the API speaks to programs."""
LONGEST = 1000
"""Characters of an address to come back to."""


def ask_to_sign_in(_error: SignedOut) -> AnyResponse:
    """To the sign-in, and back to the page that was asked for."""
    sign_in = url_for(f"{CONSOLE}console_sign_in")
    here = request.full_path.removesuffix("?")
    here = here if len(here) <= LONGEST else request.path[:LONGEST]
    asked = {"next": here} if request.method == "GET" else {"lost": "1"}
    response = redirect(f"{sign_in}?{urlencode(asked)}", 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def problem_page(
    problem: ProblemType, detail: str, particulars: Sequence[Mapping[str, Any]] = ()
) -> Response:
    """The page for a failure."""
    status = HTTPStatus(problem.status)
    response = page_response(
        "problem.html",
        {
            "title": TITLES.get(status, problem.title),
            "detail": detail,
            "particulars": particulars,
            "reference": request_id() if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "",
        },
        int(status),
    )
    response.headers.extend(problem.headers)
    if status is HTTPStatus.UNAUTHORIZED:
        del response.headers["WWW-Authenticate"]
    return response
