"""Gunicorn's worker and its log, where they leave to be done what a register needs.

Imported in the server's first process, so it imports nothing of the application.
"""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from types import FrameType
from typing import Any

from gunicorn import glogging, util
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

from registry.log import LineFormatter

from .connections import MOST_COLLECTED, Arrival, Kept, PatientSocket

HEAD_SECONDS = 15.0
"""How long a request may take to arrive, as far as it is waited for before a thread takes it."""
LEAVE_SECONDS = 2.0
"""How long a connection that is done with may take to be closed by its client."""
ROOM = 8
"""Connections that a worker could still take when it begins to make room for others."""
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


def _holder(conn: TConn) -> str:
    """Whom a connection is counted for: the address that it comes from; in IPv6 its site."""
    address = str(conn.client[0]) if isinstance(conn.client, tuple) else ""
    return ":".join(ip_address(address).exploded.split(":")[:4]) if ":" in address else address


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # published without types
    """Answers several requests at a time; patient with slow clients, to a degree, and at nobody's expense.

    A thread takes a request when it has arrived. Of one that is too large to be collected it takes what has
    arrived, and receives the rest; half of the threads do so at a time, the other half is for all others.
    Nor does a thread wait until a client has taken its answer, or has closed its connection. What does not
    arrive in time is given up, and so is a connection that falls silent, or is slow while others wait. What
    cannot be read as HTTP is answered by a problem document, too.
    """

    number: int
    """Which of the workers alive it is; see :func:`registry.http.serving.pre_fork`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept = Kept()
        self._arriving: dict[TConn, Arrival] = {}
        self._large: deque[tuple[TConn, Arrival]] = deque()
        self._receiving: dict[TConn, float] = {}
        self._heads: dict[TConn, float] = {}
        self._sending: dict[TConn, Callable[[], None] | None] = {}
        self._leaving: dict[TConn, float] = {}
        self._here = threading.local()
        self.busy: set[TConn] = set()
        """Connections with a request that is being answered."""
        self.given_up = 0
        """Connections that were ended since others needed what they held."""
        self.when_ending: Callable[[], None] = lambda: None
        """Called when the worker is told to end; in a signal's handler, so it must not wait for anything."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end: requests under way are answered, and those that wait for events need not wait on."""
        super().handle_exit(sig, frame)
        self.when_ending()

    # What arrives, and leaves: in the worker's first thread, which waits for nobody.

    def accept(self, listener: socket.socket) -> None:
        """Somebody has connected."""
        if self.nr_conns >= self.worker_connections - ROOM:
            self._make_room()
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._make_room()
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        sock = PatientSocket.of(client, self._kept)
        conn = TConn(self.cfg, sock, address, listener.getsockname())
        sock.when_kept = partial(self.method_queue.defer, self._watch_sending, conn)
        self._await(conn)

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """Another request begins on a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await(conn)

    def _await(self, conn: TConn, received: bytes = b"") -> None:
        """Wait until a request has arrived, without a thread."""
        arrival = self._arriving[conn] = Arrival(time.monotonic())
        arrival.add(received)
        self._look(conn)

    def _look(self, conn: TConn, _client: object = None) -> None:
        """Something of a request may have come."""
        arrival = self._arriving[conn]
        while not arrival.is_enough():
            try:
                data = conn.sock.recv(MOST_COLLECTED)
            except BlockingIOError:
                if not arrival.is_watched:
                    arrival.is_watched = True
                    self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._look, conn))
                return
            except OSError:
                data = b""
                arrival.received.clear()
            if not data:
                break
            arrival.add(data)
        self._dispatch(conn)

    def _dispatch(self, conn: TConn) -> None:
        """Let a thread take what arrived; where that is nothing, there is nobody any more."""
        arrival = self._arriving.pop(conn)
        if arrival.is_watched:
            self.poller.unregister(conn.sock)
        if not arrival.received:
            self._close(conn)
        elif arrival.is_whole() or len(arrival.received) < MOST_COLLECTED:
            self._hand_over(conn, arrival)
        else:
            self._large.append((conn, arrival))
            self._receive_large()

    def _receive_large(self) -> None:
        """Let threads receive what is large, but not all of them."""
        while self._large and len(self._receiving) < max(1, self.cfg.threads // 2):
            conn, arrival = self._large.popleft()
            self._receiving[conn] = time.monotonic()
            self._hand_over(conn, arrival)

    def _hand_over(self, conn: TConn, arrival: Arrival) -> None:
        conn.sock.setblocking(True)
        if not conn.initialized:
            for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                conn.sock.setsockopt(socket.SOL_SOCKET, option, SILENCE)
        conn.init()
        conn.parser.unreader.unread(bytes(arrival.received))
        self.enqueue_req(conn)

    def finish_request(self, conn: TConn, done: Future[Any]) -> None:
        """A thread is done with a request: when its answer is sent, keep the connection or let it go."""
        if self._receiving.pop(conn, None) is not None:
            self._receive_large()
        is_kept = not done.cancelled() and done.exception() is None and done.result()
        if conn.sock.is_given_up or conn.sock.fileno() < 0:
            self._end_sending(conn)
            self._close(conn)
            return
        conn.sock.setblocking(False)
        follow = partial(self._go_on, conn, done) if is_kept else partial(self._let_go, conn)
        if conn.sock.is_waited_for():
            self._watch_sending(conn)
            self._sending[conn] = follow
        else:
            self._end_sending(conn)
            follow()

    def _go_on(self, conn: TConn, done: Future[Any]) -> None:
        received = conn.parser.unreader.take_buffered()
        if received:
            self._await(conn, received)
        else:
            super().finish_request(conn, done)

    def _watch_sending(self, conn: TConn) -> None:
        """Something is kept for a client."""
        if conn not in self._sending and conn.sock.is_waited_for():
            self._sending[conn] = None
            self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._send, conn))

    def _send(self, conn: TConn, _client: object = None) -> None:
        try:
            is_sent = conn.sock.flush()
        except OSError:
            follow = self._end_sending(conn)
            if follow is not None:  # else a thread is at it, and will find out
                self._close(conn)
            return
        if is_sent:
            follow = self._end_sending(conn)
            if follow is not None:
                follow()

    def _end_sending(self, conn: TConn) -> Callable[[], None] | None:
        if conn not in self._sending:
            return None
        self.poller.unregister(conn.sock)
        return self._sending.pop(conn)

    def _let_go(self, conn: TConn) -> None:
        """Say that no more will come, and wait without a thread until the client saw it (RFC 9112, 9.6)."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._see_off, conn))
        except (OSError, ValueError):
            self._close(conn)
        else:
            self._leaving[conn] = time.monotonic() + LEAVE_SECONDS

    def _see_off(self, conn: TConn, _client: object = None, *, overdue: bool = False) -> None:
        """A client that is done with says something more, or has closed its connection."""
        with suppress(OSError):
            try:
                if not overdue and conn.sock.recv(MOST_COLLECTED):
                    return
            except BlockingIOError:
                return
        del self._leaving[conn]
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        conn.sock.give_up()
        self.nr_conns -= 1
        conn.close()

    def _make_room(self) -> None:
        """End a connection that no request is on: of those of whom holds most, the one that waits longest."""
        waiting = [
            *(conn for conn, _ in self._large),
            *self._arriving,
            *self.keepalived_conns,
            *self._leaving,
        ]
        if not waiting:
            return
        of = Counter(_holder(conn) for conn in waiting)
        most = max(of.values())
        chosen = next(conn for conn in waiting if of[_holder(conn)] == most)
        self.given_up += 1
        if chosen in self._arriving:
            self._arriving[chosen].received.clear()
            self._dispatch(chosen)
        elif chosen in self._leaving:
            self._see_off(chosen, overdue=True)
        elif chosen in self.keepalived_conns:
            self.keepalived_conns.remove(chosen)
            self.poller.unregister(chosen.sock)
            self._close(chosen)
        else:
            self._large = deque(each for each in self._large if each[0] is not chosen)
            self._close(chosen)

    def murder_pending(self) -> None:
        """Give up what takes too long; called about every second."""
        now = time.monotonic()
        for conn, arrival in list(self._arriving.items()):
            if arrival.begun + (HEAD_SECONDS if self.alive or arrival.received else LEAVE_SECONDS) < now:
                if not arrival.has_head():
                    arrival.received.clear()
                conn.sock.shutdown_reading()  # a thread says so to whoever sent a head
                self._dispatch(conn)
        for conn, until in list(self._leaving.items()):
            if until < now:
                self._see_off(conn, overdue=True)
        for conn in list(self._sending):
            if conn.sock.moved_at + SILENT_SECONDS < now:
                self.log.info("Gave up a connection whose answer was not taken")
                conn.sock.give_up()
                self._send(conn)
        for conn, begun in list(self._heads.items()):
            if begun + HEAD_SECONDS < now:
                self._heads.pop(conn, None)
                conn.sock.shutdown_reading()
        for conn in list(self._receiving) if self._large else ():
            if conn.sock.is_slow(now):
                self.given_up += 1
                conn.sock.shutdown_reading()

    # What a thread does.

    def handle(self, conn: TConn) -> Any:
        """Read and answer a request; in one of the threads."""
        conn.sock.begin()
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
