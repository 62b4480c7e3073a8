"""One identifier for each request, in its answer and in the log; and the log itself.

The log tells what was done, not who was looked up: no query string, no path with a number in it, no body.
"""

from __future__ import annotations

import logging
import re
import sys

import structlog
from flask import g, has_request_context, request

from registry.clock import new_id

HEADER = "X-Request-Id"
ACCEPTABLE = re.compile("[A-Za-z0-9._:-]{1,100}")


def request_id() -> str:
    """The identifier that the caller or a proxy gave, if it is a plain one; else a new one."""
    if not has_request_context():
        return "none"
    known: str | None = g.get("request_id")
    if known is None:
        given = request.headers.get(HEADER, "")
        g.request_id = known = given if ACCEPTABLE.fullmatch(given) else new_id()
    return known


def configure_log() -> None:
    """JSON lines on standard error, from the level INFO."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # as it is when something is logged
        cache_logger_on_first_use=False,
    )
