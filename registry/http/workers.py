"""Gunicorn's worker and its log, where they leave to be done what a register needs.

Imported in the server's first process, so it imports nothing of the application.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from types import FrameType
from typing import Any

from gunicorn import glogging, util
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

from registry.log import LineFormatter

HEAD_SECONDS = 15.0
"""How long the head of a request may take to arrive, from its first byte."""
SILENT_SECONDS = 30
"""How long a connection may neither bring nor take a byte while a request is under way on it."""
SILENCE = struct.pack("ll", SILENT_SECONDS, 0)

UNREADABLE = {
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.ForbiddenProxyRequest: HTTPStatus.FORBIDDEN,
    errors.ParseException: HTTPStatus.BAD_REQUEST,
}
"""By what gunicorn raises of a request that cannot be read; the first that fits."""
OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)
"""What it raises of an answer, though it is of the same family."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # published without types
    """Answers several requests at a time; patient with slow clients, to a degree.

    A request whose head does not arrive in time is given up, and so is a connection that falls silent. One
    that cannot be read as HTTP is answered by a problem document, too.
    """

    number: int
    """Which of the workers alive it is; see :func:`registry.http.serving.pre_fork`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heads: dict[TConn, float] = {}
        self._here = threading.local()
        self.busy: set[TConn] = set()
        """Connections with a request that is being answered."""
        self.when_ending: Callable[[], None] = lambda: None
        """Called when the worker is told to end; in a signal's handler, so it must not wait for anything."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end: requests under way are answered, and those that wait for events need not wait on."""
        super().handle_exit(sig, frame)
        self.when_ending()

    def handle(self, conn: TConn) -> Any:
        """Read and answer a request; in one of the threads."""
        if not conn.initialized:
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                conn.sock.setsockopt(socket.SOL_SOCKET, option, SILENCE)
        self._heads[conn] = time.monotonic()
        self._here.answered = False
        try:
            return super().handle(conn)
        finally:
            self._heads.pop(conn, None)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answer a request whose head has arrived."""
        self._heads.pop(conn, None)
        self.busy.add(conn)
        try:
            keep = super().handle_request(req, conn)
        finally:
            self.busy.discard(conn)
        self._here.answered = True
        return keep

    def murder_pending(self) -> None:
        """Give up what takes too long; called about every second."""
        super().murder_pending()
        overdue = time.monotonic() - HEAD_SECONDS
        for conn, begun in list(self._heads.items()):
            if begun < overdue:
                self._heads.pop(conn, None)
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)  # which ends the wait for more

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that could not be read; what it said is neither logged nor sent back."""
        del req, addr
        if isinstance(exc, OURS) or not isinstance(exc, errors.ParseException):
            self.log.error("The application failed", exc_info=exc)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        else:
            status = next(status for kind, status in UNREADABLE.items() if isinstance(exc, kind))
            self.log.info("Refused, as it cannot be read: %s", int(status))
        if self._here.answered:
            return  # it was what followed the head that could not be read, and nobody had wanted to read it
        from registry.http.problems import unreadable  # the application's own, loaded by now

        head, body = unreadable(status)
        lines = [f"HTTP/1.1 {int(status)} {status.phrase}", "Connection: close", *head, "", ""]
        with suppress(OSError):
            util.write_nonblock(client, "\r\n".join(lines).encode("latin-1") + body)


class JsonLog(glogging.Logger):  # type: ignore[misc]  # published without types
    """What gunicorn logs, as lines like all others; requests are logged by their routes, and not here."""

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log a failure; clients that fell silent are none."""
        if isinstance(sys.exc_info()[1], BlockingIOError):
            self.info("Gave up a connection that fell silent")
        else:
            super().exception(msg, *args, **kwargs)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing."""

    def _set_handler(self, log: Any, output: str | None, fmt: Any, stream: Any = None) -> None:
        del fmt
        super()._set_handler(log, output, LineFormatter(), stream)
