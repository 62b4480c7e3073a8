"""Whether the service is alive, and whether it is ready; and pages about its problems."""

from __future__ import annotations

from functools import lru_cache

from flask import Blueprint, Response, jsonify

from registry.errors import Unavailable
from registry.store import schema
from registry.store.database import reading

from .problems import problem_page

blueprint = Blueprint("service", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers; nothing more."""
    return _ok()


@blueprint.get("/readyz")
def readyz() -> Response:
    """The database can be reached and has the schema that this code is written for.

    :raises registry.errors.Unavailable: it cannot, or has not.
    """
    with reading() as connection:
        if schema.revision_of(connection) != _needed_revision():
            raise Unavailable(
                "The database has another schema than this version needs; run registry migrate."
            )
    return _ok()


@blueprint.get("/problems/<slug>")
def problem_type(slug: str) -> Response:
    """What a type of problem means and what to do about it."""
    return problem_page(slug)


@lru_cache(maxsize=1)
def _needed_revision() -> str | None:
    return schema.newest_revision()


def _ok() -> Response:
    response = jsonify(status="ok")
    response.headers["Cache-Control"] = "no-store"
    return response
