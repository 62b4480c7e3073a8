"""Where a request comes from: the address that the last proxy we trust saw, and the network it belongs to."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
OF_ONE_SITE = 64
"""Bits of an IPv6 address that are given to a site; it may fill in the rest as it likes (RFC 6177)."""


def believe_proxies(environ: WSGIEnvironment, hops: int) -> None:
    """Make ``REMOTE_ADDR`` the address that the outermost of our proxies saw.

    Each proxy appends the address that it saw; whatever stands further left was written by the caller. Where
    fewer stand there than we have proxies, the request came another way, and nothing of it is believed.

    :param hops: how many proxies are ours.
    """
    written = str(environ.get(FORWARDED_FOR, "")).split(",")
    seen = _address(written[-hops].strip()) if len(written) >= hops else None
    if seen is not None:
        environ["REMOTE_ADDR"] = str(seen)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, with or without a port; ``None`` where it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Whom an address stands for: itself in IPv4, its site in IPv6.

    Zones and IPv4 within IPv6 (RFC 4291, section 2.5.5.2) are seen through.
    """
    found = _address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return str(ip_network((found, OF_ONE_SITE), strict=False))
        found = found.ipv4_mapped
    return address if found is None else str(found)
