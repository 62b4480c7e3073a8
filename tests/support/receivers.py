"""Receivers of webhooks, good and bad: on loopback, doing with each connection what they are told."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Request:
    """What a receiver was sent.

    :param fields: names in lower case.
    """

    line: str
    fields: dict[str, str]
    body: bytes


Behaviour = Callable[[socket.socket], None]


@dataclass
class Receiver:
    """A receiver that listens.

    :param connections: how many were begun with it, whatever became of them.
    :param names: the SNI of each TLS handshake, None where it had none.
    :param protocols: what was agreed to be spoken over TLS (ALPN).
    """

    address: str
    port: int
    secure: bool
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    names: list[str | None] = field(default_factory=list)
    protocols: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}/in"


def read_request(connection: socket.socket) -> Request:
    """The request that a connection begins with; what is left of it where the sender breaks off."""
    received = b""
    while b"\r\n\r\n" not in received and (part := connection.recv(65_536)):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
    while len(body) < int(fields.get("content-length", 0)) and (part := connection.recv(65_536)):
        body += part
    return Request(line, fields, body)


@contextmanager
def receiving(
    answer: bytes | Behaviour = OK,
    *,
    before: Behaviour | None = None,
    tls: ssl.SSLContext | None = None,
    handshake: Event | None = None,
    address: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Receiver]:
    """A receiver that reads each request and answers it.

    :param answer: the bytes to send, or what to do with the connection once the request was read.
    :param before: what to do with the connection instead of all that, before TLS.
    :param tls: its certificate.
    :param handshake: what the receiver waits for before it answers a TLS handshake.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.create_server((address, port), family=family, backlog=64)
    receiver = Receiver(address, listening.getsockname()[1], tls is not None)
    talks: list[tuple[Thread, socket.socket]] = []

    def talk(plain: socket.socket) -> None:
        with suppress(OSError), plain:
            if before is not None:
                before(plain)
                return
            if handshake is not None:
                handshake.wait()
            with _secured(plain, tls, receiver) as connection:
                receiver.requests.append(read_request(connection))
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65_536):
                        pass

    def listen() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            receiver.connections += 1
            thread = Thread(target=talk, args=(connection,), daemon=True)
            talks.append((thread, connection))
            thread.start()

    listener = Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield receiver
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listener.join()
        listening.close()
        for thread, connection in talks:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


def _secured(plain: socket.socket, tls: ssl.SSLContext | None, receiver: Receiver) -> socket.socket:
    if tls is None:
        return plain
    tls.sni_callback = lambda _, name, __: receiver.names.append(name)
    secured = tls.wrap_socket(plain, server_side=True)
    receiver.protocols.append(secured.selected_alpn_protocol())
    return secured


def dripping(beginning: bytes, drop: bytes) -> Behaviour:
    """Sends `beginning`, then `drop` again and again, for as long as anybody listens."""

    def drip(connection: socket.socket) -> None:
        pause = Event()
        connection.sendall(beginning)
        while not pause.wait(0.01):
            connection.sendall(drop)

    return drip


def pouring(beginning: bytes, drop: bytes, times: int) -> Behaviour:
    """Sends `beginning`, then `drop` many times, as fast as it is taken."""

    def pour(connection: socket.socket) -> None:
        connection.sendall(beginning)
        for _ in range(times):
            connection.sendall(drop)

    return pour


def hanging(connection: socket.socket) -> None:
    """Says nothing for as long as the other side holds on."""
    while connection.recv(65_536):
        pass
