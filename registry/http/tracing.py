"""One identifier for each request, in its answer and in the log (:mod:`registry.log`)."""

from __future__ import annotations

from flask import has_request_context, request

from .headers import KNOWN_AS


def request_id() -> str:
    """The identifier that the caller or a proxy gave, if it is a plain one; else a new one."""
    return str(request.environ[KNOWN_AS]) if has_request_context() else "none"
