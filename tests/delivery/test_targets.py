"""Which addresses a webhook may be sent to."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import Event

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.delivery import targets
from registry.delivery.addresses import is_public
from registry.delivery.targets import Policy, UnfitTarget, UnknownHost, vet
from registry.errors import Invalid

PUBLIC = Policy()
DEVELOPMENT = Policy(allow_loopback=True)

# IANA's registries of special-purpose addresses, multicast, and what STANDARDS names; not read off the code.
NOT_PUBLIC = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
    *("203.0.113.0/24", "224.0.0.0/4", "233.252.0.0/24", "240.0.0.0/4", "255.255.255.255/32"),
    *("169.254.169.254/32", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32"),
    *("::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64"),
    *(
        "100:0:0:1::/64",
        "2001::/32",
        "2001:2::/48",
        "2001:10::/28",
        "2001:20::/28",
        "2001:db8::/32",
        "2002::/16",
    ),
    *("3ffe::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fd00:ec2::254/128", "fe80::/10", "fec0::/10"),
    *("ff00::/8", "ff02::1/128", "4000::/3", "8000::/3", "e000::/4"),
]
IS_GLOBAL_ERRS = [
    *("64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "::127.0.0.1", "224.0.0.1", "ff02::1", "fec0::1"),
    *("192.88.99.1", "192.0.0.8", "5f00::1"),
]
NETWORKS_OF_HOSTS = ["8.0.0.0/9", "93.184.216.0/24", "151.101.0.0/16", "2606:4700::/32", "2a00:1450::/32"]


def answering(*addresses: str) -> targets.Resolver:
    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


def unasked(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{host} is no name to look up")


RESOLVED = answering("93.184.216.34", "2606:4700::6810:1")


def inside(network: str) -> st.SearchStrategy[IPv4Address | IPv6Address]:
    kind = IPv6Network if ":" in network else IPv4Network
    known = kind(network)
    return st.one_of(
        st.integers(int(known[0]), int(known[-1])), st.sampled_from([int(known[0]), int(known[-1])])
    ).map(IPv6Address if ":" in network else IPv4Address)


not_public = st.sampled_from(NOT_PUBLIC).flatmap(inside)
not_public_4 = st.sampled_from([each for each in NOT_PUBLIC if ":" not in each]).flatmap(inside)
public = st.sampled_from(NETWORKS_OF_HOSTS).flatmap(inside)


def wide(text: str) -> str:
    """In the full-width forms that a browser takes for the common ones."""
    return "".join(chr(0xFEE0 + ord(each)) for each in text)


def brackets(text: str) -> str:
    return f"[{text}]" if ":" in text else text


def spellings(address: IPv4Address | IPv6Address) -> list[str]:
    """How else an address may be written as a host: as it is, and as some programs take it."""
    if isinstance(address, IPv6Address):
        tail = IPv4Address(int(address) & 0xFFFF_FFFF)
        head = address.exploded.rsplit(":", 2)[0]
        texts = [str(address), address.exploded, str(address).upper(), f"{head}:{tail}"]
        return [f"[{text}]" for text in [*texts, f"{address}%25lo", f"{address}%lo", f"{address}%251"]]
    number, (a, b, c, d) = int(address), address.packed
    return [
        *(
            str(address),
            f"{address}.",
            str(number),
            hex(number),
            hex(number).upper(),
            oct(number).replace("o", ""),
        ),
        *(f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"{a:03}.{b:03}.{c:03}.{d:03}"),
        *(
            f"{a}.{b}.{(c << 8) | d}",
            f"{a}.{number & 0xFFFFFF}",
            f"{a}.{b}.{c}.{d:#x}",
            f"{number + (1 << 32)}",
        ),
        *("。".join(map(wide, str(address).split("."))),),
        *(str(address).replace(".", "%2e"), str(address).replace("1", "%31"), str(address).replace("1", "①")),
        *(f"[{mapped}]" for mapped in (f"::ffff:{address}", f"::FFFF:{a:x}{b:02x}:{c:x}{d:02x}")),
        *(
            f"[0:0:0:0:0:ffff:{address}]",
            f"[::{address}]",
            f"[64:ff9b::{address}]",
            f"[64:ff9b:1::{address}]",
        ),
        *(f"[{IPv6Address((0x2002 << 112) | (number << 80))}]", f"[::ffff:0:{address}]"),
        *(f"[{IPv6Address((0x20010000 << 96) | (number ^ 0xFFFF_FFFF))}]",),
    ]


@given(not_public)
def test_no_answer_that_is_not_public_passes(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address)
    for answer in ([str(address)], ["93.184.216.34", str(address)], [str(address), "2606:4700::1"]):
        with pytest.raises(UnfitTarget, match="public"):
            vet("https://hooks.example.org/", PUBLIC, answering(*answer))


@given(not_public)
def test_no_spelling_of_an_address_that_is_not_public_passes(address: IPv4Address | IPv6Address) -> None:
    for host in spellings(address):
        with pytest.raises(UnfitTarget):
            vet(f"https://{host}/", PUBLIC, unasked)


@given(not_public_4)
def test_an_address_does_not_pass_inside_another(address: IPv4Address) -> None:
    number = int(address)
    for disguise in (
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address(number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x64FF9B0001 << 80) | number),
        IPv6Address((0x2002 << 112) | (number << 80) | 1),
        IPv6Address((0x20010000 << 96) | (number ^ 0xFFFF_FFFF)),
    ):
        with pytest.raises(UnfitTarget):
            vet("https://hooks.example.org/", PUBLIC, answering(str(disguise)))


@pytest.mark.parametrize("address", IS_GLOBAL_ERRS)
def test_where_python_errs_we_do_not(address: str) -> None:
    assert ip_address(address).is_global, "this Python knows better: a line of the list may go"
    assert not is_public(ip_address(address))
    with pytest.raises(UnfitTarget):
        vet(f"https://{brackets(address)}/", PUBLIC, unasked)


@given(public)
def test_public_addresses_pass(address: IPv4Address | IPv6Address) -> None:
    literal = vet(f"https://{brackets(str(address))}/", PUBLIC, unasked)
    named = vet("https://hooks.example.org/", PUBLIC, answering(str(address)))

    assert literal.addresses == named.addresses == (str(address),)
    assert literal.host == str(address)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
        ),
        *("169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0"),
        *("192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255"),
        *("198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"),
        *("2001:200::", "2001:db7:ffff::1", "2001:db9::", "2003::", "3ffd::1", "3fff:1000::"),
    ],
)
def test_their_neighbours_pass(address: str) -> None:
    assert vet("https://hooks.example.org/", PUBLIC, answering(address)).addresses == (address,)


@pytest.mark.parametrize(
    "answer", [["fe80::1%eth0"], ["2606:4700::1%eth0"], ["not an address"], ["93.184.216.34", ""], ["127.1"]]
)
def test_an_answer_that_nobody_can_judge_is_refused(answer: list[str]) -> None:
    with pytest.raises(UnfitTarget):
        vet("https://hooks.example.org/", PUBLIC, answering(*answer))


def test_a_mapped_address_is_the_one_inside() -> None:
    target = vet("https://hooks.example.org/", PUBLIC, answering("::ffff:93.184.216.34", "93.184.216.34"))

    assert target.addresses == ("93.184.216.34",)


def test_what_a_target_is_made_of() -> None:
    target = vet("HTTPS://Hooks.Example.ORG:8443/in?a=1&b=%2F", PUBLIC, RESOLVED)

    assert target.url == "HTTPS://Hooks.Example.ORG:8443/in?a=1&b=%2F"
    assert (target.secure, target.host, target.port) == (True, "hooks.example.org", 8443)
    assert target.path_and_query == "/in?a=1&b=%2F"
    assert target.addresses == ("93.184.216.34", "2606:4700::6810:1")
    assert target.authority == "hooks.example.org:8443"


@pytest.mark.parametrize(
    ("url", "authority", "path_and_query"),
    [
        ("https://hooks.example.org", "hooks.example.org", "/"),
        ("https://hooks.example.org:443?a", "hooks.example.org", "/?a"),
        ("https://hooks.example.org:80//a/../b", "hooks.example.org:80", "//a/../b"),
        ("https://[2606:4700::1]/", "[2606:4700::1]", "/"),
        ("https://[2606:4700:0::1]:8443/", "[2606:4700:0::1]:8443", "/"),
        ("https://bücher.example/", "xn--bcher-kva.example", "/"),
        ("https://BÜCHER。example/", "xn--bcher-kva.example", "/"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
        ("https://faß.example/", "xn--fa-hia.example", "/"),
        ("https://1.2.3.example/", "1.2.3.example", "/"),
        ("https://0xa.example/", "0xa.example", "/"),
    ],
)
def test_what_the_host_is_asked_for(url: str, authority: str, path_and_query: str) -> None:
    target = vet(url, PUBLIC, RESOLVED)

    assert (target.authority, target.path_and_query) == (authority, path_and_query)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "//hooks.example.org/",
        "https:hooks.example.org/",
        "https:/hooks.example.org/",
        "https:///hooks.example.org/",
        "https://",
        "https://?a",
        "https://:443/",
        " https://hooks.example.org/",
        "https://hooks.example.org/ ",
        "https://hooks.example.org/\n",
        "https://hooks.example.org\n/",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/a\r\nX-Admin: 1",
        "https://hooks.example.org/a\tb",
        "https://hooks.example.org/\x00",
        "https://hooks.example.org\x00.evil.example/",
        "https://hooks.example.org/\x7f",
        "https://hooks.example.org/é",
        "https://hooks.example.org/%",
        "https://hooks.example.org/%4",
        "https://hooks.example.org/%zz",
        "https://hooks.example.org/\\..\\",
        "https://hooks.example.org\\@evil.example/",
        "https:\\\\hooks.example.org/",
        "https://hooks.example.org/\u2028",
        'https://hooks.example.org/"',
        "https://hooks.example.org/<a>",
        "https://user@hooks.example.org/",
        "https://user:password@hooks.example.org/",
        "https://@hooks.example.org/",
        "https://user@127.0.0.1@hooks.example.org/",
        "https://hooks.example.org#@evil.example/",
        "https://hooks.example.org/#",
        "https://hooks.example.org/#a",
        "https://hooks.example.org:0/",
        "https://hooks.example.org:65536/",
        "https://hooks.example.org:99999999/",
        "https://hooks.example.org:-1/",
        "https://hooks.example.org:+443/",
        "https://hooks.example.org:/",
        "https://hooks.example.org:https/",
        "https://hooks.example.org:443:443/",
        f"https://hooks.example.org:{wide('443')}/",
        "https://hooks.example.org:4 43/",
        "https://hooks.example.org./",
        "https://hooks..example.org/",
        "https://.example.org/",
        "https://-hooks.example.org/",
        "https://hooks-.example.org/",
        "https://hooks_.example.org/",
        "https://ho oks.example.org/",
        "https://hooks.example.org%00/",
        "https://hooks%2eexample.org/",
        "https://hooks\u00ad.example.org/",
        "https://hooks\u200b.example.org/",
        "https://hooks\u202e.example.org/",
        "https://xn--zzzzzz.example/",
        "https://☃.example/",
        "https://hooks\uff0f.example.org/",
        "https://hooks\uff20evil.example/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 127}example/",
        "https://[::1",
        "https://::1/",
        "https://[2606:4700::1/",
        "https://[2606:4700::1]evil.example/",
        "https://[2606:4700::1%25eth0]/",
        "https://[2606:4700::g]/",
        "https://[v1.a]/",
        "https://[hooks.example.org]/",
        "https://[]/",
        "https://[[2606:4700::1]]/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "gopher://hooks.example.org/",
        "javascript://hooks.example.org/",
        "http\u017f://hooks.example.org/",
        "https+unix://hooks.example.org/",
        "wss://hooks.example.org/",
    ],
)
def test_what_is_no_address_of_a_webhook_is_refused(url: str) -> None:
    for policy in (PUBLIC, DEVELOPMENT):
        with pytest.raises(UnfitTarget):
            vet(url, policy, RESOLVED)


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "api.localhost", "localhost.localdomain", "ip6-localhost"),
        *(
            "ⓛocalhost",
            wide("localhost"),
            "intranet",
            "metadata",
            "0",
            "1",
            "2130706433",
            "0x7f000001",
            "127.1",
        ),
        *("017700000001", "0.0.0.1", "127.0.0.1.", "1.2.3", "1.2.3.4.5", "256.1.1.1", "hooks.example.1"),
        *(
            "hooks.example.0x1",
            "0x7f.1",
            "\u0661\u0662\u0667.\u0660.\u0660.\u0661",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[fe80::1]",
        ),
    ],
)
def test_what_leads_to_this_machine_or_nowhere_is_refused_before_it_is_looked_up(host: str) -> None:
    with pytest.raises(UnfitTarget):
        vet(f"https://{host}/", PUBLIC, unasked)


def test_an_address_may_be_long_but_not_longer() -> None:
    beginning = "https://hooks.example.org/"
    longest = beginning + "a" * (targets.MOST_CHARACTERS - len(beginning))

    assert vet(longest, PUBLIC, RESOLVED).url == longest
    with pytest.raises(UnfitTarget, match="too long"):
        vet(longest + "a", PUBLIC, RESOLVED)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://hooks.example.org/", "https only"),
        ("ftp://hooks.example.org/", "https only"),
        ("https://user:secret@hooks.example.org/", "password"),
        ("https://hooks.example.org/#part", "fragment"),
        ("https://hooks.example.org:0/", "port"),
        ("https://127.1/", "four decimal numbers"),
        ("https://localhost/", "this machine"),
        ("https://intranet/", "whole name"),
        ("https://hooks.example.org./", "without one at the end"),
        ("https://[fe80::1%25eth0]/", "not the address of a webhook"),
        ("https://[1:2]/", "not an IPv6 address"),
    ],
)
def test_a_refusal_says_why(url: str, word: str) -> None:
    with pytest.raises(UnfitTarget, match=word) as refused:
        vet(url, PUBLIC, RESOLVED)

    assert "secret" not in refused.value.detail


def test_a_refusal_tells_nobody_where_a_name_leads() -> None:
    with pytest.raises(UnfitTarget) as refused:
        vet("https://db.example.org/", PUBLIC, answering("10.20.30.40"))

    assert isinstance(refused.value, Invalid)
    assert not isinstance(refused.value, UnknownHost)
    assert "10.20" not in refused.value.detail + str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/in", "http://[::1]/in", "https://127.0.0.53/in"])
def test_development_may_send_to_its_own_machine(url: str) -> None:
    with pytest.raises(UnfitTarget):
        vet(url, PUBLIC, unasked)
    assert vet(url, DEVELOPMENT, unasked).path_and_query == "/in"


@pytest.mark.parametrize("name", ["localhost", "booking.localhost", "booking.example"])
def test_development_may_send_to_its_own_machine_by_name(name: str) -> None:
    answer = answering("::1", "127.0.0.1")

    assert vet(f"http://{name}:5001/", DEVELOPMENT, answer).addresses == ("::1", "127.0.0.1")
    assert vet(f"https://{name}:5001/", DEVELOPMENT, answer).addresses == ("::1", "127.0.0.1")


@pytest.mark.parametrize(
    "answer",
    [
        *(["93.184.216.34"], ["127.0.0.1", "93.184.216.34"], ["127.0.0.1", "10.0.0.1"], ["0.0.0.1"], ["::"]),
        *(
            ["192.168.0.2"],
            ["169.254.169.254"],
            ["::127.0.0.1"],
            ["64:ff9b::7f00:1"],
            ["fe80::1%lo"],
            ["::1%lo"],
        ),
    ],
)
def test_development_sends_by_http_to_no_other(answer: list[str]) -> None:
    with pytest.raises(UnfitTarget):
        vet("http://booking.example/", DEVELOPMENT, answering(*answer))


def test_development_sends_by_https_to_the_public_or_to_itself_but_not_to_a_mixture() -> None:
    assert vet("https://hooks.example.org/", DEVELOPMENT, RESOLVED).addresses
    for answer in (["127.0.0.1", "93.184.216.34"], ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"]):
        with pytest.raises(UnfitTarget):
            vet("https://hooks.example.org/", DEVELOPMENT, answering(*answer))


def failing(problem: Exception) -> targets.Resolver:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise problem

    return resolve


@pytest.mark.parametrize(
    "resolve",
    [
        failing(socket.gaierror(socket.EAI_NONAME, "unknown")),
        failing(TimeoutError()),
        failing(UnicodeError()),
        answering(),
    ],
)
def test_a_name_that_leads_nowhere_is_unknown(resolve: targets.Resolver) -> None:
    with pytest.raises(UnknownHost, match="not known"):
        vet("https://hooks.example.org/", PUBLIC, resolve)


def test_the_resolver_is_asked_once_for_the_name_in_ascii() -> None:
    asked = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["93.184.216.34"]

    vet("https://BÜCHER.example:8443/", PUBLIC, resolve)

    assert asked == [("xn--bcher-kva.example", 8443)]


def test_the_machines_own_resolver_knows_its_own_name() -> None:
    assert set(targets.system_resolver("localhost", 443)) <= {"127.0.0.1", "::1"}


def test_the_machines_own_resolver_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = Event()
    monkeypatch.setattr(targets, "LOOK_UP_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait())

    with pytest.raises(UnknownHost):
        vet("https://hooks.example.org/", PUBLIC)
    answered.set()


@given(st.text(), st.sampled_from(["", "https://", "http://", "https://hooks.example.org"]))
@example("[", "https://")
@example("xn--", "https://")
def test_whatever_is_typed_is_refused_or_understood(text: str, beginning: str) -> None:
    try:
        target = vet(beginning + text, PUBLIC, RESOLVED)
    except UnfitTarget:
        return
    assert target.host.isascii()
    assert target.host.isprintable()
    assert target.path_and_query.isascii()
    assert not set(target.authority + target.path_and_query) & set(" \t\r\n\0\\#@") - {"@"}
    assert "@" not in target.authority
