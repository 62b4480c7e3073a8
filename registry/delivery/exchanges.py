"""One request to one vetted address, and its answer: HTTP/1.1 over TLS, never more than was agreed to.

The library connects to the address, so it looks no name up; certificate, SNI and ``Host`` are the name's.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPResponse
from threading import Lock
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from registry.delivery.targets import Target

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BODY_SECONDS = 2.0
"""How long the next part of a body is waited for: some receivers announce no length and hang up late."""

MOST_ADDRESSES = 4
"""Of a host with many, those that are tried until one lets itself be connected to."""


class TooMuch(Exception):
    """The receiver answered more than it may."""


class BrokenOff(ConnectionError):
    """The connection ended."""


@dataclass(frozen=True)
class Limits:
    """How long and how much.

    :param connect_seconds: for the connection to one address, and again for the TLS handshake.
    :param until: the end of it all, as ``time.monotonic`` counts.
    :param most_bytes: of the answer, its fields included, as they come.
    """

    connect_seconds: float
    until: float
    most_bytes: int

    @property
    def left(self) -> float:
        """Seconds until the end; :raises TimeoutError: where there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@dataclass
class Line:
    """The connection of one exchange, which whoever waits for it may cut at any moment."""

    is_cut: bool = False
    _handle: socket.socket | None = None
    _lock: Lock = field(default_factory=Lock)

    def take(self, connection: socket.socket) -> None:
        """From now on a cut ends this; :raises TimeoutError: where it has been cut already."""
        with self._lock:
            if self.is_cut:
                raise TimeoutError
            # A handle of its own: the connection's may be closed, and its number be another's, at any moment.
            self._handle = socket.fromfd(connection.fileno(), connection.family, connection.type)

    def cut(self) -> bool:
        """Nothing more is sent or read from now on; whether there was a connection to cut."""
        with self._lock:
            self.is_cut = True
            if self._handle is None:
                return False
            with suppress(OSError):  # the receiver was quicker
                self._handle.shutdown(socket.SHUT_RDWR)
            return True

    def let_go(self) -> None:
        """Gives the handle back."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
            self._handle = None


@dataclass(frozen=True)
class Answer:
    """What a receiver answered: status, fields, and as much of the body as was agreed to, undecoded."""

    status: int
    fields: Mapping[str, str]
    body: bytes


class _SharedContext(ssl.SSLContext):
    """For many threads: the library sets ALPN before each handshake, where others may be reading it."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Keeps what was set at the beginning."""


def trusting(ca_bundle: str | None) -> ssl.SSLContext:
    """What TLS trusts: the authorities in the file `ca_bundle`, or else the system's.

    :raises OSError: where the file cannot be read, or holds no certificate.
    """
    context = _SharedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION
    ssl.SSLContext.set_alpn_protocols(context, ["http/1.1"])
    if ca_bundle is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=ca_bundle)
    return context


def post(
    target: Target, headers: Mapping[str, str], body: bytes, line: Line, limits: Limits, trust: ssl.SSLContext
) -> Answer:
    """Sends `body` once, to the first of the target's addresses that lets itself be connected to.

    :raises Exception: whatever a receiver's bytes may break.
    """
    return _exchange("POST", target, headers, body, line, limits, trust)


def get(
    target: Target, headers: Mapping[str, str], line: Line, limits: Limits, trust: ssl.SSLContext
) -> Answer:
    """Asks the first of the target's addresses that lets itself be connected to.

    :raises Exception: whatever the answer may break.
    """
    return _exchange("GET", target, headers, None, line, limits, trust)


def _exchange(
    method: str,
    target: Target,
    headers: Mapping[str, str],
    body: bytes | None,
    line: Line,
    limits: Limits,
    trust: ssl.SSLContext,
) -> Answer:
    connection = _connected(target, limits, trust)
    try:
        line.take(connection.sock)
        connection.timeout = limits.left
        connection.request(
            method,
            target.path_and_query,
            body,
            {"Host": target.authority, "Accept-Encoding": "identity", "Connection": "close", **headers},
            preload_content=False,
            decode_content=False,
        )
        return _answer(connection, limits.most_bytes)
    finally:
        connection.close()
        line.let_go()


def _connected(target: Target, limits: Limits, trust: ssl.SSLContext) -> HTTPConnection:
    problem: HTTPError | None = None
    for address in target.addresses[:MOST_ADDRESSES]:
        seconds = min(limits.connect_seconds, limits.left)
        connection = (
            HTTPSConnection(
                address, target.port, timeout=seconds, ssl_context=trust, server_hostname=target.host
            )
            if target.secure
            else HTTPConnection(address, target.port, timeout=seconds)
        )
        try:
            connection.connect()
        except (NewConnectionError, ConnectTimeoutError) as unreachable:
            problem = unreachable
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    assert problem is not None
    raise problem


def _answer(connection: HTTPConnection, most_bytes: int) -> Answer:
    with closing(_Meter(most_bytes)) as meter:
        connection.response_class = meter.response  # type: ignore[assignment] # http.client only calls it
        line = connection.sock
        response = connection.getresponse()
        body = bytearray()
        with suppress(Exception):  # the status is known: what becomes of the body changes nothing
            line.settimeout(BODY_SECONDS)
            while part := response.read1(most_bytes):
                body += part
        return Answer(response.status, response.headers, bytes(body))


@dataclass
class _Meter:
    """Counts what a receiver answers, and takes an end of the connection for no end of anything else.

    To ``http.client`` it ends the fields: a receiver that dies between two of them looks well to it.
    """

    left: int
    _raw: io.RawIOBase | None = None

    def response(self, connection: socket.socket, *args: Any, **options: Any) -> HTTPResponse:
        response = HTTPResponse(connection, *args, **options)
        self._raw = _Metered(response.fp.detach(), self)
        response.fp = io.BufferedReader(self._raw)
        return response

    def close(self) -> None:
        """Nothing more is read; whoever made the response may have lost it to an exception."""
        if self._raw is not None:
            self._raw.close()


class _Metered(io.RawIOBase):
    def __init__(self, raw: io.RawIOBase, meter: _Meter) -> None:
        self._raw = raw
        self._meter = meter

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if self._meter.left <= 0:
            raise TooMuch
        count = self._raw.readinto(memoryview(buffer)[: self._meter.left])
        if count == 0:
            raise BrokenOff
        self._meter.left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
