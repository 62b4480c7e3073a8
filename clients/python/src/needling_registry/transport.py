"""Requests and their replies: sent again while that helps, read to the end within bounds."""

from __future__ import annotations

import ipaddress
import json
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import urllib3
from urllib3.exceptions import HTTPError, SSLError
from urllib3.exceptions import TimeoutError as TookTooLong

from .errors import Problem, RegistryError, TimedOut, Unreachable, Unreadable, refusal
from .reading import parse, read
from .retries import Retries

PROBLEM_JSON = "application/problem+json"
MAY_PASS = frozenset({429, 500, 502, 503, 504})
STILL_RUNNING = 409
"""With ``Retry-After``: the first request under the same Idempotency-Key has not ended yet."""
LARGEST_REPLY = 200_000_000
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, to which path.

    :param body: what to send as JSON; or ``content``, with its own ``Content-Type`` among the headers.
    :param writes: a POST that changes something: every attempt bears the same Idempotency-Key.
    :param wait: seconds for which the register itself may wait before it answers.
    """

    method: str
    path: str
    query: Mapping[str, str | None] = field(default_factory=dict)
    body: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    writes: bool = False
    wait: float = 0.0

    @property
    def target(self) -> str:
        """The path, and the query arguments that are given."""
        given = {name: value for name, value in self.query.items() if value is not None}
        return f"{self.path}?{urlencode(given)}" if given else self.path


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, where the register said so."""
        return retry_after_of(self.headers)

    def json(self) -> Any:
        """The content. Raises :class:`Unreadable` where it is no JSON."""
        return parse(self.content)


class Transport:
    """The way to one register. May be shared by threads."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        retries: Retries,
        pool: urllib3.PoolManager | None,
        insecure_http: bool,
    ) -> None:
        self._base = _checked(url, insecure_http=insecure_http)
        self._key = key
        self.retries = retries
        self._pool = pool or urllib3.PoolManager(maxsize=10)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base!r})"

    def send(self, request: Request) -> Reply:
        """Send a request, again where that may help.

        :raises Refused: the register said no.
        :raises Unreachable: nobody answered.
        """
        retries, url, (content, headers) = self.retries, self._base + request.target, self._sent(request)
        deadline = time.monotonic() + retries.patience + request.wait
        attempt = 0
        while True:
            attempt += 1
            limit = min(time.monotonic() + retries.attempt_timeout + request.wait, deadline)
            retry_after = None
            try:
                reply = self._once(request.method, url, content, headers, limit)
            except SSLError as error:  # the same however often it is tried
                raise Unreachable(f"{self._base} is not to be trusted: {error}") from error
            except HTTPError as error:
                failure: RegistryError = _unreachable(self._base, error)
            else:
                if reply.status < 300:
                    return reply
                failure, retry_after = _failure(reply), reply.retry_after
                if not _may_pass(reply):
                    raise failure
            delay = retries.delay(attempt, retry_after)
            if attempt >= retries.attempts or time.monotonic() + delay >= deadline:
                raise failure
            retries.sleep(delay)

    def _sent(self, request: Request) -> tuple[bytes | None, Mapping[str, str]]:
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        content = request.content
        if request.body is not None:
            content = json.dumps(request.body, ensure_ascii=False, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        if request.writes:
            headers["Idempotency-Key"] = str(uuid4())
        return content, {**headers, **request.headers}

    def _once(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], limit: float
    ) -> Reply:
        seconds = max(limit - time.monotonic(), 0.001)
        timeout = urllib3.Timeout(connect=min(seconds, 5.0), read=seconds)
        response = self._pool.request(
            method, url, body=content, headers=dict(headers), timeout=timeout,
            retries=False, redirect=False, preload_content=False,
        )  # fmt: skip
        try:
            whole = _read_all(response, limit)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return Reply(response.status, response.headers, whole)


def _version() -> str:
    try:
        return version("needling-registry-client")
    except PackageNotFoundError:  # read from a folder, not installed
        return "0"


USER_AGENT = f"needling-registry-client/{_version()}"


def _read_all(response: urllib3.BaseHTTPResponse, limit: float) -> bytes:
    """The content, also where it comes a byte at a time; each piece may take as long as the whole attempt."""
    pieces, size = [], 0
    while piece := response.read1(PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_REPLY:
            raise Unreadable(f"The register's answer has more than {LARGEST_REPLY:,} bytes.")
        if time.monotonic() > limit:
            raise TookTooLong("the answer came too slowly")
    return b"".join(pieces)


def _checked(url: str, *, insecure_http: bool) -> str:
    parts = urllib3.util.parse_url(url)
    if parts.scheme not in ("https", "http") or not parts.host or parts.query or parts.fragment or parts.auth:
        raise ValueError(f"give the address of a register, such as https://registry.example, not {url!r}")
    if parts.scheme == "http" and not insecure_http and not _is_loopback(parts.host):
        raise ValueError(
            f"{url!r} is not https: keys could be read, and answers changed, by anyone on the way;"
            " insecure_http=True says that nobody is"
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _unreachable(base: str, error: HTTPError) -> Unreachable:
    kind = TimedOut if isinstance(error, TookTooLong) else Unreachable
    failure = kind(f"{base} did not answer: {error}")
    failure.__cause__ = error
    return failure


def _may_pass(reply: Reply) -> bool:
    if reply.status == STILL_RUNNING:
        return reply.retry_after is not None
    return reply.status in MAY_PASS


def _failure(reply: Reply) -> RegistryError:
    if reply.status < 400:
        return Unreadable(
            f"HTTP {reply.status}: the register's answers are not elsewhere; nothing is followed."
        )
    problem = None
    if reply.headers.get("Content-Type", "").partition(";")[0].strip().lower() == PROBLEM_JSON:
        with suppress(Unreadable):  # the status stands
            problem = read(Problem, reply.json())
    return refusal(reply.status, problem, reply.retry_after)


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """``Retry-After`` in seconds from now (RFC 9110, section 10.2.3); ``None`` where it says nothing."""
    given = headers.get("Retry-After", "").strip()
    try:
        seconds = float(given)
    except ValueError:
        try:
            instant = parsedate_to_datetime(given)
        except ValueError:
            return None
        seconds = (instant - datetime.now(UTC)).total_seconds() if instant.tzinfo else 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else None
