"""One attempt to deliver one message, bounded whatever the receiver does."""

from __future__ import annotations

import os
import re
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException

import structlog
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from registry.delivery import exchanges
from registry.delivery.patience import begun
from registry.delivery.signing import signed_headers
from registry.delivery.targets import Policy, Resolver, UnfitTarget, system_resolver, vet
from registry.settings import Settings

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
MOST_BYTES = 65_536
MOST_EXCERPT = 500
"""Characters of an answer that are kept."""

MOST_RETRY_AFTER = 86_400.0
"""Seconds: a receiver that asks for more gets this."""

_GRACE_SECONDS = 1.0
"""How long an exchange that was cut has to say what it had by then."""


@dataclass(frozen=True)
class Message:
    """What is to be delivered.

    :param id: the same at each attempt; receivers know by it what they have.
    :param body: JSON, signed and sent byte for byte.
    """

    id: str
    body: bytes


@dataclass(frozen=True)
class Attempt:
    """What became of an attempt.

    :param status: what the receiver answered; None where it did not.
    :param failure: why there is no status, in a sentence; None where there is one.
    :param retry_after: seconds that the receiver wants to be left alone, at most `MOST_RETRY_AFTER`.
    :param milliseconds: how long it took.
    :param excerpt: the beginning of the answer, printable, at most `MOST_EXCERPT` characters.
    """

    status: int | None
    failure: str | None
    retry_after: float | None
    milliseconds: int
    excerpt: str

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken it: 2xx."""
        return self.status is not None and 200 <= self.status <= 299

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more: 410."""
        return self.status == 410


class Sender:
    """Delivers messages; one for all threads.

    :param resolve: asked once at each attempt.
    :param connect_timeout: seconds for a connection, and again for the TLS handshake.
    :param total_timeout: seconds for an attempt from beginning to end, the look-up of the name included.
    :param most_bytes: of an answer that are read.
    :param ca_bundle: a file of the certificate authorities to trust instead of the system's.
    :raises OSError: where that file is none.
    """

    def __init__(
        self,
        policy: Policy,
        resolve: Resolver = system_resolver,
        connect_timeout: float = CONNECT_SECONDS,
        total_timeout: float = TOTAL_SECONDS,
        most_bytes: int = MOST_BYTES,
        ca_bundle: str | None = None,
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self._connect_timeout = connect_timeout
        self._total_timeout = total_timeout
        self._most_bytes = most_bytes
        self._trust = exchanges.trusting(ca_bundle)

    @classmethod
    def of(cls, settings: Settings, resolve: Resolver = system_resolver) -> Sender:
        """What this deployment's settings say."""
        return cls(
            Policy.of(settings),
            resolve,
            settings.webhooks_connect_seconds,
            settings.webhooks_total_seconds,
            ca_bundle=settings.webhooks_ca_bundle or None,
        )

    def send(self, url: str, message: Message, secrets: Sequence[str], at: datetime) -> Attempt:
        """One attempt; what a receiver does raises nothing.

        :param secrets: of the endpoint; each signs.
        :param at: the instant of the attempt, with a zone.
        :raises ValueError: where the message cannot be signed.
        """
        start = time.monotonic()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "needling-registry",
            **signed_headers(secrets, message.id, at, message.body),
        }
        line = exchanges.Line()
        limits = exchanges.Limits(self._connect_timeout, start + self._total_timeout, self._most_bytes)

        def exchange() -> exchanges.Answer:
            target = vet(url, self._policy, self._resolve)
            return exchanges.post(target, headers, message.body, line, limits, self._trust)

        exchanged = begun(exchange, "webhook")
        answer, failure = None, None
        try:
            try:
                answer = exchanged.result(self._total_timeout)
            except TimeoutError:
                answer = exchanged.result(_GRACE_SECONDS if line.cut() else 0)
        except Exception as problem:  # noqa: BLE001 - a receiver's bytes reach all of it: what breaks is the attempt
            failure = "It took too long." if line.is_cut else why(problem)
        took = timedelta(seconds=time.monotonic() - start)
        return Attempt(
            status=answer.status if answer else None,
            failure=failure,
            retry_after=retry_after(answer.fields.get("Retry-After"), at + took) if answer else None,
            milliseconds=took // timedelta(milliseconds=1),
            excerpt=excerpt(answer.body) if answer else "",
        )


def why(problem: Exception) -> str:
    """In a sentence for whoever owns the endpoint; no address is in it."""
    match problem:
        case UnfitTarget():
            return problem.detail
        case exchanges.TooMuch():
            return "The answer was too long."
        case ssl.SSLCertVerificationError():
            return f"The certificate is not good for this host: {_printable(problem.verify_message, 200)}."
        case ssl.SSLError():
            return f"TLS failed: {_printable(problem.reason or 'no reason', 200)}."
        case NewConnectionError():
            cause = problem.__cause__
            reason = os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else "unreachable"
            return f"No connection: {reason}."
        case TimeoutError() | ConnectTimeoutError():
            return "It took too long."
        case OSError():
            return "The connection was broken off before there was an answer."
        case HTTPException() | HTTPError() | ValueError():
            return f"The answer is not HTTP ({type(problem).__name__})."
        case _:
            log.error("An attempt failed as none should", exc_info=problem)
            return f"The attempt failed ({type(problem).__name__})."


def excerpt(body: bytes) -> str:
    """The beginning of an answer, as one line of printable characters."""
    return _printable(body[: MOST_EXCERPT * 4].decode("utf-8", "replace"), MOST_EXCERPT)


def _printable(text: str, most: int) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:most]


def retry_after(field: str | None, at: datetime) -> float | None:
    """The seconds that a ``Retry-After`` asks for (RFC 9110, section 10.2.3), from 0 to `MOST_RETRY_AFTER`.

    :param at: now, from where a date is counted.
    :returns: None where it asks for nothing that can be understood.
    """
    text = (field or "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return min(float(text[:400]), MOST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - at).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), MOST_RETRY_AFTER)
