"""The log: JSON lines on standard error, for those who run the service, about nobody who is in the register.

What our own code logs are names of operations, codes and identifiers. A failure is told by its kinds, its
codes and the places that it went through, never by its message: databases and libraries quote in it what was
sent or kept. Of what libraries log, the wording is told and the numbers in it, not the texts.
"""

from __future__ import annotations

import errno
import json
import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePath
from traceback import walk_tb
from typing import Any, Final

import structlog

MOST_PLACES = 20
"""Of one failure, the innermost."""

HOLDING_NOBODY: Final = frozenset(
    {
        "Autorestarting worker after current request.",
        "Gave up a connection that fell silent",
        "Gave up a connection whose answer was not taken",
        "Booting worker with pid: %s",
        "Exception in worker process",
        "Handling signal: %s",
        "Hang up: %s",
        "Listening at: %s",
        "Listening at: %s (%s)",
        "Master has been promoted.",
        "Parent changed, shutting down: %s",
        "Reason: %s",
        "Shutting down: %s",
        "Starting gunicorn %s",
        "Using worker: %s",
        "WORKER TIMEOUT (pid:%s)",
        "Worker (pid:%s) exited with code %s.",
        "Worker (pid:%s) was sent %s!",
        "Worker (pid:%s) was sent %s! Perhaps out of memory?",
        "Refused, as it cannot be read: %s",
        "The application failed",
        "Worker exiting (pid: %s)",
    }
)
"""The server's own sentences, whose texts are of its processes and never of a request."""

SEVERITIES = {"critical": "critical", "error": "error", "warning": "warning", "warn": "warning"}

Event = MutableMapping[str, Any]


def configure_log() -> None:
    """JSON lines on standard error, from the level INFO; of libraries, warnings and worse."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _tell_failure,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),  # as it is when something is logged
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    if not any(isinstance(handler, LineHandler) for handler in root.handlers):
        root.addHandler(LineHandler(logging.WARNING))


def configure_log_of_service() -> None:
    """The same for a process that nobody watches: what nothing catches, and warnings, are logged like all."""
    configure_log()
    logging.captureWarnings(capture=True)
    log = structlog.get_logger(__name__)

    def tell_uncaught(_kind: type[BaseException], error: BaseException, _trace: object) -> None:
        log.critical("not_caught", exc_info=error)

    def tell_uncaught_in_thread(caught: threading.ExceptHookArgs) -> None:
        log.critical("not_caught", thread=getattr(caught.thread, "name", None), exc_info=caught.exc_value)

    sys.excepthook = tell_uncaught
    threading.excepthook = tell_uncaught_in_thread


def failure(error: BaseException) -> list[dict[str, Any]]:
    """What may be told of a failure and of those that led to it, the last one first."""
    return [_told(each) for each in _chain(error)]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _told(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    told: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    if code := _code(error):
        told["code"] = code
    if _quotes_nobody(error, code):
        told["message"] = str(error)
    places = [f"{_short(frame.f_code.co_filename)}:{line}" for frame, line in walk_tb(error.__traceback__)]
    told["at"] = places[-MOST_PLACES:]
    return told


def _code(error: BaseException) -> str | None:
    """What the database or the system calls it."""
    if isinstance(error, OSError) and error.errno is not None:
        return errno.errorcode.get(error.errno, str(error.errno))
    code = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return code if isinstance(code, str) else None


def _quotes_nobody(error: BaseException, code: str | None) -> bool:
    """Whether a message is of modules, or of the way to the database, alone."""
    if isinstance(error, ImportError):
        return True
    kind = type(error)
    return kind.__module__.startswith("psycopg") and kind.__name__ == "OperationalError" and code is None


def _short(file: str) -> str:
    """A file's name from its package on."""
    parts = PurePath(file).parts
    for root in ("site-packages", "registry"):
        if root in parts:
            place = len(parts) - 1 - parts[::-1].index(root)
            return "/".join(parts[place + (root == "site-packages") :])
    return parts[-1] if parts else file


def _tell_failure(_logger: object, _method: str, event: Event) -> Event:
    """Of structlog: in place of the exception, what may be told of it."""
    error = _error_of(event.pop("exc_info", None))
    if error is not None:
        event["failure"] = failure(error)
    return event


def _error_of(given: object) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    found = given if isinstance(given, tuple) else sys.exc_info() if given else (None, None, None)
    error = found[1]
    return error if isinstance(error, BaseException) else None


class LineFormatter(logging.Formatter):
    """A record of Python's logging as a line like all others."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told: dict[str, Any] = {
            "event": "logged",
            "logger": record.name,
            "message": _wording(record),
            "level": SEVERITIES.get(record.levelname.lower(), "info"),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "pid": record.process,
        }
        if not record.name.startswith("gunicorn."):  # whose records all come from the same line of its own
            told["at"] = f"{_short(record.pathname)}:{record.lineno}"
        error = _error_of(record.exc_info)
        if error is not None:
            told["failure"] = failure(error)
        return json.dumps(told)


def _wording(record: logging.LogRecord) -> str | None:
    """What is logged, as far as it tells of nobody; a sentence that comes finished may tell of anybody."""
    template = record.msg
    if not isinstance(template, str):
        return None
    if template in HOLDING_NOBODY:
        return record.getMessage()
    if not record.args or not isinstance(record.args, tuple):
        return None
    numbers = tuple(value if isinstance(value, int | float) else "..." for value in record.args)
    try:
        return template % numbers
    except (TypeError, ValueError):
        return None


class LineHandler(logging.Handler):
    """Writes to standard error, as it is when something is logged."""

    def __init__(self, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self.setFormatter(LineFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        with suppress(Exception):  # the log must not break what it tells of, nor quote it otherwise
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
