"""Fetching one JSON document from where a setting says that it is: by https, whole, small, and soon."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from registry.delivery import addresses, exchanges
from registry.delivery.patience import begun
from registry.delivery.targets import DEFAULT_PORTS, Resolver, Target, system_resolver

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 5.0
MOST_BYTES = 262_144
JSON_WANTED = {"Accept": "application/json"}


class NotFetched(Exception):
    """There is no document, and why; no content of an answer is in it."""


@dataclass(frozen=True)
class Fetcher:
    """Fetches documents. It may be led into our own network: no stranger writes where they are.

    :param allow_loopback: also by http, where the name leads to this machine; for development.
    :param ca_bundle: a file of the certificate authorities to trust instead of the system's.
    """

    allow_loopback: bool = False
    ca_bundle: str | None = None
    total_seconds: float = TOTAL_SECONDS
    most_bytes: int = MOST_BYTES
    resolve: Resolver = system_resolver

    def __call__(self, url: str) -> dict[str, Any]:
        """The document; an answer that leads elsewhere is none.

        :raises NotFetched: there is none, or it is no JSON object, or it takes too long.
        """
        return self._exchanged(url, JSON_WANTED, None)

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        """The document that a form is answered with, which is sent once.

        :raises NotFetched: as above.
        """
        sent = {**JSON_WANTED, "Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._exchanged(url, sent, urlencode(form).encode())

    def _exchanged(self, url: str, headers: Mapping[str, str], body: bytes | None) -> dict[str, Any]:
        line = exchanges.Line()
        limits = exchanges.Limits(CONNECT_SECONDS, time.monotonic() + self.total_seconds, self.most_bytes)

        def exchange() -> exchanges.Answer:
            target = self._target(url)
            trust = exchanges.trusting(self.ca_bundle)
            if body is not None:
                return exchanges.post(target, headers, body, line, limits, trust)
            return exchanges.get(target, headers, line, limits, trust)

        exchanged = begun(exchange, "document")
        try:
            answer = exchanged.result(self.total_seconds)
        except NotFetched:
            raise
        except Exception as problem:  # whatever bytes may break
            line.cut()
            raise NotFetched(f"no answer ({type(problem).__name__})") from problem
        if answer.status != 200:
            raise NotFetched(f"answered with the status {answer.status}")
        return _object(answer.body)

    def _target(self, url: str) -> Target:
        parts = urlsplit(url)
        secure, host = parts.scheme == "https", parts.hostname
        if host is None or "@" in parts.netloc or parts.scheme not in DEFAULT_PORTS:
            raise NotFetched("is no address by https")
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        found = self.resolve(host, port)
        if not secure and not (self.allow_loopback and _all_loopback(found)):
            raise NotFetched("is no address by https")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(url, secure, host, port, path, tuple(found))


def _all_loopback(found: Sequence[str]) -> bool:
    parsed = [addresses.parsed(each) for each in found]
    return bool(parsed) and all(each is not None and addresses.is_loopback(each) for each in parsed)


def _object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NotFetched("answered no JSON") from error
    if not isinstance(document, dict):
        raise NotFetched("answered no JSON object")
    return document
