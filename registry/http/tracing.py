"""One identifier for each request, in its answer and in the log; and the log itself.

The log tells what was done, not who was looked up: no query string, no path with a number in it, no body.
"""

from __future__ import annotations

import logging
import sys

import structlog
from flask import has_request_context, request

from .headers import KNOWN_AS


def request_id() -> str:
    """The identifier that the caller or a proxy gave, if it is a plain one; else a new one."""
    return str(request.environ[KNOWN_AS]) if has_request_context() else "none"


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
