"""A load generator: a fixed number of connections, each with one request under way, over plain sockets.

One thread and no HTTP library, so that its own cost stays far below the server's.
"""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LARGEST_PART = 262_144
"""Bytes that are taken from a socket at once."""
LAST_CHUNK = b"0\r\n\r\n"
"""How an answer ends whose length is not said ahead (RFC 9112, section 7.1)."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What one burst of requests saw. Times are in seconds.

    :param sizes: of the answers, in bytes as they were sent, each that occurred.
    """

    requests: int
    seconds: float
    latencies: tuple[float, ...]
    statuses: dict[int, int]
    sizes: frozenset[int]

    @property
    def rate(self) -> float:
        """Requests answered in a second."""
        return self.requests / self.seconds

    def percentile(self, percent: float) -> float:
        """The latency, in seconds, that so many percent stay below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def median(self) -> float:
        """The latency in the middle, in seconds."""
        return statistics.median(self.latencies)


class _Connection:
    """Sends what a socket has room for, and takes in answers without keeping them: a batch's is megabytes."""

    def __init__(self, port: int, selector: selectors.BaseSelector, buffer: memoryview) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._selector, self._buffer, self._unsent = selector, buffer, memoryview(b"")
        selector.register(self.socket, selectors.EVENT_READ, self)

    def begin(self, request: bytes) -> None:
        self._head, self._end = b"", b""
        self.status, self.size = 0, 0
        self._whole: int | None = None
        self.begun_at = time.perf_counter()
        self._unsent = memoryview(request)
        self._send()
        if self._unsent:
            self._selector.modify(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def proceed(self) -> None:
        """Send on; wait for the answer alone once everything is sent."""
        self._send()
        if not self._unsent:
            self._selector.modify(self.socket, selectors.EVENT_READ, self)

    def _send(self) -> None:
        """Send as much as there is room for."""
        while self._unsent:
            try:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            except BlockingIOError:
                return

    def receive(self) -> bool:
        """Take in what has come; whether the answer is whole."""
        count = self.socket.recv_into(self._buffer)
        if not count:
            raise ConnectionError("the server closed the connection")
        self.size += count
        if not self.status:
            self._head += self._buffer[:count]
            if not self._read_head():
                return False
        self._end = (self._end + self._buffer[max(0, count - len(LAST_CHUNK)) : count])[-len(LAST_CHUNK) :]
        return self._end == LAST_CHUNK if self._whole is None else self.size >= self._whole

    def _read_head(self) -> bool:
        head, mark, _ = self._head.partition(b"\r\n\r\n")
        if mark:
            self.status = int(head[9:12])
            length = 0 if self.status == 304 else _content_length(head)
            self._whole = None if length is None else len(head) + len(mark) + length
        return bool(mark)


def _content_length(head: bytes) -> int | None:
    """As the head says; ``None`` where the answer comes in chunks."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return None if b"chunked" in head.lower() else 0


def request_bytes(path: str, *, method: str = "GET", headers: Sequence[str] = (), body: bytes = b"") -> bytes:
    """One HTTP/1.1 request on a connection that is kept."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept: application/json", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def burst(port: int, requests: Iterator[bytes], *, seconds: float, connections: int = 8) -> Burst:
    """Keep ``connections`` busy for so many seconds, wait for what is under way, and count what came back."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    sizes: set[int] = set()
    buffer = memoryview(bytearray(LARGEST_PART))
    opened = [_Connection(port, selector, buffer) for _ in range(connections)]
    now = begun = time.perf_counter()
    until = begun + seconds
    for connection in opened:
        connection.begin(next(requests))
    under_way = len(opened)
    while under_way:
        ready = selector.select(timeout=60)
        if not ready:
            raise TimeoutError("the server does not answer")
        for key, events in ready:
            connection = key.data
            if events & selectors.EVENT_WRITE:
                connection.proceed()
            if events & selectors.EVENT_READ and connection.receive():
                now = time.perf_counter()
                latencies.append(now - connection.begun_at)
                statuses[connection.status] = statuses.get(connection.status, 0) + 1
                sizes.add(connection.size)
                if now < until:
                    connection.begin(next(requests))
                else:
                    under_way -= 1
    for connection in opened:
        connection.socket.close()
    selector.close()
    return Burst(len(latencies), now - begun, tuple(latencies), statuses, frozenset(sizes))
