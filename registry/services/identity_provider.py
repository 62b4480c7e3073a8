"""The keys of the identity provider: discovered, kept for a while, and fetched again when it changes them.

Whoever holds no token of the provider's can still send one with a key that nobody knows. So it is asked again
for an unknown key only some seconds after the last time, one question at a time, few requests wait for the
answer, and none for long. What cannot be judged meanwhile is not let in, and told to come back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from registry.delivery.documents import NotFetched
from registry.delivery.patience import begun
from registry.errors import Unavailable

FRESH_SECONDS = 300.0
"""After which the provider is asked again, while its keys go on to be used."""
USABLE_SECONDS = 3600.0
"""After which keys are used no more, should the provider not have answered since."""
APART_SECONDS = 10.0
"""Between the end of one attempt and the next."""
PATIENCE_SECONDS = 3.0
MOST_WAITING = 2
"""Requests of one process that may wait for the provider; fewer than the server has threads."""

MOST_KEYS = 100
FEWEST_RSA_BITS, MOST_RSA_BITS = 2048, 8192
PUBLIC_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "RSA": ("n", "e"),
    "EC": ("crv", "x", "y"),
    "OKP": ("crv", "x"),
}
"""Of the kinds of keys that verify signatures (RFC 7518, section 6). A secret (``oct``) is never one."""
IMPORTED: Mapping[str, type[RSAKey | ECKey | OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}
DISCOVERY = "/.well-known/openid-configuration"

Fetch = Callable[[str], Mapping[str, Any]]
log = structlog.get_logger(__name__)


class UnknownSigner(Exception):
    """The provider has no such key."""


class ProviderUnavailable(Unavailable):
    """The provider cannot be asked at this moment."""

    def __init__(self) -> None:
        super().__init__("The identity provider does not answer, so nobody can come by it; try again.")


@dataclass(frozen=True, slots=True)
class _Known:
    """The keys of the provider by their identifiers, what it says of itself, and when they were fetched."""

    keys: Mapping[str, tuple[Key, ...]]
    at: float
    described: Mapping[str, Any] = field(default_factory=dict)


class IdentityProvider:
    """One provider; one for all threads of a process.

    :param issuer: as its tokens name it.
    :param fetch: gives a JSON object from an address, within some seconds; raises ``NotFetched``.
    :param monotonic: seconds.
    """

    def __init__(self, issuer: str, fetch: Fetch, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self._fetch, self._monotonic = fetch, monotonic
        self._lock = threading.Lock()
        self._places = threading.Semaphore(MOST_WAITING)
        self._known: _Known | None = None
        self._under_way: Future[None] | None = None
        self._not_before, self._has_failed = float("-inf"), False

    def keys(self, kid: str) -> tuple[Key, ...]:
        """The keys of an identifier.

        :raises UnknownSigner: the provider has none, as it said some seconds ago at most.
        :raises ProviderUnavailable: it has not said.
        """
        found = self._found(kid)
        if found is not None:
            if self._is_older_than(FRESH_SECONDS):
                self.ask()
            return found
        asked = self.ask()
        if asked is not None:
            self._wait(asked)
        found = self._found(kid)
        if found is not None:
            return found
        if self._has_failed or self._is_older_than(APART_SECONDS + PATIENCE_SECONDS):
            raise ProviderUnavailable
        raise UnknownSigner

    def description(self) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, section 3).

        :raises ProviderUnavailable: it has not said.
        """
        if self._is_older_than(FRESH_SECONDS):
            asked = self.ask()
            if asked is not None and self._is_older_than(USABLE_SECONDS):
                self._wait(asked)
        if self._known is None or self._is_older_than(USABLE_SECONDS):
            raise ProviderUnavailable
        return self._known.described

    def ask(self) -> Future[None] | None:
        """The question under way, begun where it may be; ``None`` where it is too early for another."""
        with self._lock:
            if self._under_way is None and self._monotonic() >= self._not_before:
                self._under_way = begun(self._refresh, "identity provider")
            return self._under_way

    def _found(self, kid: str) -> tuple[Key, ...] | None:
        return None if self._is_older_than(USABLE_SECONDS) else (self._known or NONE).keys.get(kid)

    def _is_older_than(self, seconds: float) -> bool:
        return self._known is None or self._monotonic() - self._known.at > seconds

    def _wait(self, asked: Future[None]) -> None:
        if not self._places.acquire(blocking=False):
            raise ProviderUnavailable
        try:
            asked.result(PATIENCE_SECONDS)
        except NotYet as error:
            raise ProviderUnavailable from error
        finally:
            self._places.release()

    def _refresh(self) -> None:
        failed = True
        try:
            self._known = self._fetched()
            failed = False
        except NotFetched as error:
            log.warning("identity_provider_unavailable", why=str(error))
        except Exception:
            log.exception("identity_provider_not_understood")
        finally:
            with self._lock:
                self._has_failed = failed
                self._not_before = self._monotonic() + APART_SECONDS
                self._under_way = None

    def _fetched(self) -> _Known:
        described = self._fetch(self.issuer.removesuffix("/") + DISCOVERY)
        if described.get("issuer") != self.issuer:  # OpenID Connect Discovery 1.0, section 4.3
            raise NotFetched("describes another issuer")
        address = described.get("jwks_uri")
        if not isinstance(address, str):
            raise NotFetched("names no keys")
        listed = self._fetch(address).get("keys")
        if not isinstance(listed, list):
            raise NotFetched("lists no keys")
        keys = _by_identifier(_read_key(each) for each in listed[:MOST_KEYS])
        return _Known(keys, self._monotonic(), described)


NONE = _Known({}, 0.0)


def _by_identifier(keys: Iterable[Key | None]) -> Mapping[str, tuple[Key, ...]]:
    found: dict[str, tuple[Key, ...]] = {}
    for key in keys:
        if key is not None and key.kid is not None:
            found[key.kid] = (*found.get(key.kid, ()), key)
    return found


def _read_key(listed: object) -> Key | None:
    """A key that verifies signatures; ``None`` for any other, which is no reason to forgo the rest."""
    if not isinstance(listed, dict) or not isinstance(listed.get("kty"), str):
        return None
    uses = listed.get("key_ops", ["verify"])
    if listed.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        return None
    if listed["kty"] not in PUBLIC_MEMBERS:
        return None
    if listed["kty"] == "RSA" and not _has_fit_size(listed.get("n")):
        return None
    members = ("kty", "kid", "alg", *PUBLIC_MEMBERS[listed["kty"]])
    public = {name: listed[name] for name in members if isinstance(listed.get(name), str)}
    try:
        return IMPORTED[listed["kty"]].import_key(public)
    except (JoseError, ValueError, KeyError, TypeError):
        log.warning("identity_provider_key_not_understood")
        return None


def _has_fit_size(modulus: object) -> bool:
    """By its length in base64, four characters for each three bytes."""
    return isinstance(modulus, str) and FEWEST_RSA_BITS <= len(modulus) * 6 <= MOST_RSA_BITS + 16
