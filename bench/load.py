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

RECEIVE = 65536


@dataclass(frozen=True, slots=True)
class Burst:
    """What one burst of requests saw. Times are in seconds."""

    requests: int
    seconds: float
    latencies: tuple[float, ...]
    statuses: dict[int, int]

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
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status once the whole answer is here; ``None`` before."""
        part = self.socket.recv(RECEIVE)
        if not part:
            raise ConnectionError("the server closed the connection")
        self.received += part
        head, mark, body = self.received.partition(b"\r\n\r\n")
        if not mark:
            return None
        status = int(head[9:12])
        length = _content_length(head)
        return status if status == 304 or len(body) >= length else None


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def request_bytes(path: str, *, method: str = "GET", headers: Sequence[str] = (), body: bytes = b"") -> bytes:
    """One HTTP/1.1 request on a connection that is kept."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept: application/json", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def burst(port: int, requests: Iterator[bytes], *, seconds: float, connections: int = 8) -> Burst:
    """Keep ``connections`` busy for so many seconds and count what came back."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    opened = [_Connection(port) for _ in range(connections)]
    for connection in opened:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    begun = time.perf_counter()
    for connection in opened:
        connection.send(next(requests))
    until = begun + seconds
    now = begun
    while now < until:
        for key, _ in selector.select(timeout=5):
            connection = key.data
            status = connection.receive()
            if status is not None:
                now = time.perf_counter()
                latencies.append(now - connection.sent_at)
                statuses[status] = statuses.get(status, 0) + 1
                connection.send(next(requests))
        now = time.perf_counter()
    for connection in opened:
        connection.socket.close()
    return Burst(len(latencies), time.perf_counter() - begun, tuple(latencies), statuses)
