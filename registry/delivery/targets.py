"""Where a webhook may be sent: https, a public host, nothing hidden in the address.

The same check on create, on update and at every attempt; who connects uses the addresses that were looked at
and asks no resolver again.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import idna

from registry.delivery import addresses
from registry.delivery.patience import begun
from registry.errors import Invalid
from registry.settings import Settings

MOST_CHARACTERS = 2_000
LOOK_UP_SECONDS = 5.0
DEFAULT_PORTS = {"https": 443, "http": 80}

# What is written here is sent as it stands, so only what RFC 3986 lets stand is let in.
_SHAPE = re.compile(
    r"(?P<scheme>[a-z]+)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[^/?#@:\[\]\\%]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/(?:[a-z0-9._~!$&'()*+,;=:@/-]|%[0-9a-f]{2})*)?"
    r"(?P<query>\?(?:[a-z0-9._~!$&'()*+,;=:@/?-]|%[0-9a-f]{2})*)?",
    re.ASCII | re.IGNORECASE,
)
_NAME = re.compile(r"(?!.{254})[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_OF_THIS_MACHINE = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback", "localhost6")


class UnfitTarget(Invalid):
    """No webhook is sent there; ``detail`` says why, and no address that the caller did not write."""


class UnknownHost(UnfitTarget):
    """The name of the host leads to no address, at least at the moment."""


class Resolver(Protocol):
    """Looks up a name.

    :raises OSError: where the name cannot be looked up.
    """

    def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of `host`, IPv4 and IPv6, as text."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """What this machine's own resolver answers within `LOOK_UP_SECONDS`; by itself it might take longer."""
    looked_up = begun(
        lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP), "look-up"
    )
    return list(dict.fromkeys(str(address[0]) for *_, address in looked_up.result(LOOK_UP_SECONDS)))


@dataclass(frozen=True)
class Policy:
    """What a deployment lets targets be.

    :param allow_loopback: also this machine, by http or https; for development.
    """

    allow_loopback: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """What this deployment's settings say."""
        return cls(settings.webhooks_allow_loopback)


@dataclass(frozen=True)
class Target:
    """An address that was found fit.

    :param url: as it was written.
    :param secure: whether it is https.
    :param host: the name in ASCII, lower case, or an address without brackets.
    :param path_and_query: what to ask the host for, starting with a slash.
    :param addresses: where to connect, in the resolver's order; each was looked at.
    """

    url: str
    secure: bool
    host: str
    port: int
    path_and_query: str
    addresses: tuple[str, ...]

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` field of a request has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host if self.port == DEFAULT_PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"
        )


def vet(url: str, policy: Policy, resolve: Resolver = system_resolver) -> Target:
    """The target that `url` means, its name looked up once.

    :raises UnfitTarget: where nothing may be sent there.
    :raises UnknownHost: where its name leads nowhere.
    """
    shape = _shape(url)
    secure = shape["scheme"].lower() == "https"
    if not secure and not policy.allow_loopback:
        raise UnfitTarget("Webhooks are sent by https only: write an address that begins with https://.")
    port = int(shape["port"] or DEFAULT_PORTS["https" if secure else "http"])
    if not 1 <= port <= 65_535:
        raise UnfitTarget("A port is a number from 1 to 65535.")
    host = _host(shape["host"], policy)
    return Target(
        url=url,
        secure=secure,
        host=host,
        port=port,
        path_and_query=(shape["path"] or "/") + (shape["query"] or ""),
        addresses=_addresses(host, port, secure, policy, resolve),
    )


def _shape(url: str) -> re.Match[str]:
    if len(url) > MOST_CHARACTERS:
        raise UnfitTarget(f"The address is too long: at most {MOST_CHARACTERS} characters.")
    if shape := _SHAPE.fullmatch(url):
        if shape["scheme"].lower() not in DEFAULT_PORTS:
            raise UnfitTarget("Webhooks are sent by https only: write an address that begins with https://.")
        return shape
    raise UnfitTarget(_what_is_wrong(url))


def _what_is_wrong(url: str) -> str:
    """In words, for an address that has not the shape of one; decides nothing."""
    authority = re.split(r"[/?#\\]", url.partition("://")[2], maxsplit=1)[0]
    if "@" in authority:
        return "The address must not hold a user name or password: the signature shows who sends."
    if "#" in url:
        return "The address must not hold a fragment (#...)."
    return (
        "This is not the address of a webhook: write https://, the host, and a path in which anything but "
        "ASCII letters, digits and punctuation is percent-encoded; without blanks and backslashes."
    )


def _host(text: str, policy: Policy) -> str:
    """The host in ASCII and lower case; an address without its brackets."""
    if text.startswith("["):
        if addresses.parsed(text[1:-1]) is None:
            raise UnfitTarget("The address in brackets is not an IPv6 address.")
        return text[1:-1].lower()
    name = _in_ascii(text)
    if _ENDS_IN_A_NUMBER.fullmatch(name):
        if addresses.parsed(name) is None:
            raise UnfitTarget("Write an IPv4 address as four decimal numbers: 192.0.2.1.")
        return name
    if name in _OF_THIS_MACHINE or name.endswith((".localhost", ".localdomain")):
        if not policy.allow_loopback:
            raise UnfitTarget("Webhooks are not sent to this machine itself.")
    elif "." not in name:
        raise UnfitTarget("Write the whole name of the host: hooks.example.org, not hooks.")
    return name


def _in_ascii(text: str) -> str:
    try:
        name = idna.encode(text, uts46=True, std3_rules=True).decode("ascii").lower()
    except UnicodeError:  # what idna raises is one
        name = ""
    if not text.isprintable() or not _NAME.fullmatch(name):
        raise UnfitTarget(
            "The host is not a name that the Internet knows: labels of letters, digits and hyphens, joined "
            "by dots, without one at the end."
        )
    return name


def _addresses(host: str, port: int, secure: bool, policy: Policy, resolve: Resolver) -> tuple[str, ...]:
    texts = [host] if addresses.parsed(host) else _looked_up(host, port, resolve)
    found = [addresses.parsed(text) for text in texts]
    known = [address for address in found if address is not None]
    public = len(known) == len(found) and all(map(addresses.is_public, known))
    loopback = len(known) == len(found) and all(map(addresses.is_loopback, known))
    if not (secure and public) and not (policy.allow_loopback and loopback):
        raise UnfitTarget(
            "Webhooks are sent only to hosts all of whose addresses are public."
            if secure
            else "Webhooks are sent by http only to this machine itself; to any other, by https."
        )
    return tuple(dict.fromkeys(map(str, known)))


def _looked_up(host: str, port: int, resolve: Resolver) -> Sequence[str]:
    try:
        texts = resolve(host, port)
    except (OSError, UnicodeError) as problem:
        raise UnknownHost("The name of the host is not known.") from problem
    if not texts:
        raise UnknownHost("The name of the host is not known.")
    return texts
