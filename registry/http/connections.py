"""Connections of a worker, as far as no thread has to wait for their clients.

What a client sends is collected until it is a request, and what it does not take at once is kept for it. Both
are bounded. Imported in the server's first process, so it imports nothing of the application.
"""

from __future__ import annotations

import errno
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

MOST_COLLECTED = 1 << 16
"""Bytes of a request that are collected before a thread takes it. Larger ones are few, and are received by
few threads at a time."""
MOST_KEPT = 1 << 22
"""Bytes of an answer that are kept for a client that does not take them at once."""
MOST_KEPT_IN_ALL = 1 << 26
"""The same for all clients of a worker; who has waited longest makes way."""
SYSTEM_KEEPS = 1 << 18
"""Bytes of the same that the system keeps, besides; else it keeps as much again."""
GRACE_SECONDS = 3.0
SLOW = 20_000
"""Bytes a second. A client that sends less while others wait is slow."""

END_OF_HEAD = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding[ \t]*:", re.IGNORECASE)
EXPECTS = re.compile(rb"\r\nexpect[ \t]*:", re.IGNORECASE)
LAST_CHUNK = re.compile(rb"(?:^|\r\n)0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n")


@dataclass(slots=True)
class Arrival:
    """What has arrived of a request. How it is to be read is the parser's to say: this only says when.

    :param begun: when it was begun to wait for it; seconds of the monotonic clock.
    """

    begun: float
    received: bytearray = field(default_factory=bytearray)
    is_watched: bool = False
    _head: int | None = None
    _whole: int | None = None

    def add(self, data: bytes) -> None:
        """More has come."""
        searched = max(0, len(self.received) - len(END_OF_HEAD))
        self.received += data
        if self._head is None:
            end = self.received.find(END_OF_HEAD, searched)
            if end >= 0:
                self._measure(end + len(END_OF_HEAD))

    def _measure(self, head: int) -> None:
        self._head = self._whole = head
        said = bytes(self.received[:head])
        length = LENGTH.search(said)
        if CHUNKED.search(said):
            self._whole = None
        elif length is not None and not EXPECTS.search(said):  # who expects an answer sends no body before it
            self._whole = head + int(length[1])

    def has_head(self) -> bool:
        """Whether the head of the request is there."""
        return self._head is not None

    def is_whole(self) -> bool:
        """Whether all of the request is there; or, of one that asks first, its head."""
        if self._head is None:
            return False
        if self._whole is not None:
            return len(self.received) >= self._whole
        return LAST_CHUNK.search(self.received, self._head - 2) is not None

    def is_enough(self) -> bool:
        """Whether a thread may take it: all is there, or so much that no more is collected."""
        return len(self.received) >= MOST_COLLECTED or self.is_whole()


class Kept:
    """What is kept for the clients of a worker, and whose turn it is to make way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[PatientSocket, int] = {}

    def changes(self, client: PatientSocket, size: int) -> PatientSocket | None:
        """So much is kept for a client now: another one, if that is to make way."""
        with self._lock:
            if size:
                self._of[client] = size
            else:
                self._of.pop(client, None)
            if sum(self._of.values()) <= MOST_KEPT_IN_ALL:
                return None
            longest = next(iter(self._of))
            if longest is client:
                return None
            del self._of[longest]
            return longest


class PatientSocket(socket.socket):
    """A client's connection. What the client does not take at once is kept, and sent when it can be."""

    kept: Kept
    when_kept: Callable[[], None]

    @classmethod
    def of(cls, accepted: socket.socket, kept: Kept) -> Self:
        """The same connection."""
        client = cls(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        client.setblocking(False)
        if client.family != socket.AF_UNIX:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM_KEEPS)
        client.kept, client.when_kept = kept, lambda: None
        return client

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self.is_given_up = False
        self.moved_at = time.monotonic()
        """When the client last took something that was kept."""
        self.begin()

    def begin(self) -> None:
        """A thread takes a request."""
        self._received, self._waited, self._since = 0, 0.0, 0.0

    def recv(self, *args: Any) -> bytes:
        """As every socket; what comes, and how long it is waited for, is counted."""
        self._since = began = time.monotonic()
        try:
            data = super().recv(*args)
        finally:
            self._waited += time.monotonic() - began
            self._since = 0.0
        self._received += len(data)
        return data

    def is_slow(self, now: float) -> bool:
        """Whether a thread waits for the client at this moment, and has done so for too little."""
        since = self._since
        waited = self._waited + (now - since if since else 0.0)
        return since > 0 and waited > GRACE_SECONDS and self._received < waited * SLOW

    def sendall(self, data: Any, _flags: int = 0) -> None:
        """Send as much as is taken at once, and keep the rest; wait only where that would be too much."""
        view = memoryview(data).cast("B")
        with self._lock:
            self._check()
            sent = 0 if self._waiting else self._send(view)
            rest = view[sent:]
            if not rest:
                return
            if not self._waiting:
                self.moved_at = time.monotonic()
            if len(self._waiting) + len(rest) > MOST_KEPT:
                self._wait_for_client(rest)
                return
            self._waiting += rest
            makes_way = self.kept.changes(self, len(self._waiting))
        if makes_way is not None:
            makes_way.give_up()
        self.when_kept()

    def _check(self) -> None:
        if self.is_given_up:
            raise BrokenPipeError(errno.EPIPE, "the connection was given up")

    def _send(self, view: memoryview | bytearray) -> int:
        try:
            return self.send(view, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def _wait_for_client(self, rest: memoryview) -> None:
        super().sendall(self._waiting)
        self._waiting.clear()
        self.kept.changes(self, 0)
        super().sendall(rest)

    def is_waited_for(self) -> bool:
        """Whether something is kept for the client."""
        return bool(self._waiting)

    def flush(self) -> bool:
        """Send of what is kept as much as is taken: whether nothing is left, or a thread sends it.

        :raises OSError: the client is gone.
        """
        if not self._lock.acquire(blocking=False):
            return True
        try:
            self._check()
            while self._waiting and (sent := self._send(self._waiting[:SYSTEM_KEEPS])):
                del self._waiting[:sent]
                self.moved_at = time.monotonic()
            self.kept.changes(self, len(self._waiting))
            return not self._waiting
        finally:
            self._lock.release()

    def give_up(self) -> None:
        """End the connection, whoever waits for what on it; it is closed by whom it belongs to."""
        self.is_given_up = True
        self.kept.changes(self, 0)
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)

    def shutdown_reading(self) -> None:
        """End every wait for more of what the client sends; what is there can be read."""
        with suppress(OSError):
            self.shutdown(socket.SHUT_RD)
