"""Which addresses are public: those that a stranger may have this service connect to.

Python's ``is_global`` alone is no answer: in 3.11 it is true of ``64:ff9b::7f00:1`` and ``2002:7f00:1::``,
which lead to 127.0.0.1, of multicast, and of ranges that IANA has taken back. So IPv6 has to lie in 2000::/3,
the only block that is given out, and what IANA's registries of special-purpose addresses except is refused by
name.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

GIVEN_OUT = IPv6Network("2000::/3")
"""Global unicast (RFC 4291, section 2.4): nothing outside it belongs to a host of the public Internet."""

NOT_PUBLIC_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # shared by a carrier's customers (RFC 6598)
        "127.0.0.0/8",  # loopback (RFC 1122)
        "168.63.129.16/32",  # a cloud provider's platform, answered inside each of its machines
        "169.254.0.0/16",  # link-local (RFC 3927), where clouds keep their metadata
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.31.196.0/24",  # AS112, answered by whoever is nearest (RFC 7535)
        "192.52.193.0/24",  # multicast tunnelling (RFC 7450)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "192.175.48.0/24",  # AS112 (RFC 7534)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/4",  # multicast (RFC 5771), documentation of it included (RFC 6676)
        "240.0.0.0/4",  # reserved (RFC 1112), and broadcast
    )
)
NOT_PUBLIC_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments (RFC 2928): Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4: an IPv4 address inside (RFC 3056)
        "2620:4f:8000::/48",  # AS112 (RFC 7534)
        "3ffe::/16",  # 6bone, taken back (RFC 3701)
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def parsed(text: str) -> Address | None:
    """The address that `text` writes, an IPv4 address mapped into IPv6 taken out; None where it writes none.

    Knows only the customary spelling: ``127.1``, ``0177.0.0.1`` and ``2130706433`` are none.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped and address.scope_id is None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    """Whether hosts of the public Internet have such addresses."""
    if not address.is_global:  # what Python learns of IANA before we do
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_4)
    if address.scope_id is not None or address not in GIVEN_OUT:
        return False
    return not any(address in network for network in NOT_PUBLIC_6)


def is_loopback(address: Address) -> bool:
    """Whether it leads back to this machine: 127.0.0.0/8 and ::1."""
    return address.is_loopback and getattr(address, "scope_id", None) is None
