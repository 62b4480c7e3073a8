"""Nothing leaves this machine: neither a connection nor the look-up of a name."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme

KNOWN_NAMES = {"localhost", None, ""}


@dataclass
class Network:
    """What would have left.

    :param led: where connections to an address outside are led instead, by address and port.
    :param dialled: every address outside that a connection was begun to.
    """

    led: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    astray: list[str] = field(default_factory=list)


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """Leads connections to the outside to where the test wants them; a test that begins another one fails."""
    network = Network()
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not ip_address(address[0]).is_loopback:
            network.dialled.append(address[:2])
            if address[:2] not in network.led:
                network.astray.append(f"connected to {address}")
                raise OSError("the test wants no connection to the outside")
            address = network.led[address[:2]]
        connect(sock, address)

    def guarded_look_up(host: Any, *args: Any, **options: Any) -> Any:
        if host not in KNOWN_NAMES:
            try:
                ip_address(host)
            except ValueError:
                network.astray.append(f"looked up {host}")
                raise socket.gaierror(socket.EAI_NONAME, "the test wants no name looked up") from None
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield network
    assert network.astray == []


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of these tests."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file that a deployment would name to trust it."""
    path: Path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def certificate(authority: trustme.CA, *names: str, **options: Any) -> ssl.SSLContext:
    """What a receiver needs to be known by `names`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


def finished() -> None:
    """Waits until every attempt, also one that was given up on, has let go of all that it held."""
    for thread in threading.enumerate():
        if thread.name in ("webhook", "look-up"):
            thread.join()
