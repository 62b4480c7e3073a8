"""Attempts by https: the connection is the vetted address's, certificate, SNI and Host are the name's."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
import trustme
from standardwebhooks import Webhook

from registry import clock
from registry.delivery.exchanges import trusting
from registry.delivery.sending import Attempt, Message, Sender
from registry.delivery.signing import new_secret
from registry.delivery.targets import Policy
from registry.settings import Settings
from tests.delivery.conftest import Network, certificate, finished
from tests.support.receivers import Behaviour, Receiver, dripping, hanging, pouring, receiving

NAME = "hooks.example.org"
ADDRESS = "93.184.216.34"
OTHER_ADDRESS = "2606:4700::6810:1"
SECRET = new_secret()
MESSAGE = Message("evt_1", b'{"type": "ping"}')
TOO_LONG = "It took too long."


def resolve(host: str, port: int) -> Sequence[str]:
    assert host == NAME
    return [ADDRESS]


def send(url: str, by: Sender) -> Attempt:
    return by.send(url, MESSAGE, [SECRET], clock.now())


@pytest.fixture(scope="module")
def sender(ca_bundle: str) -> Sender:
    """As in production, but for the names and for the authority that it trusts."""
    return Sender(Policy(), resolve, ca_bundle=ca_bundle)


@pytest.fixture(scope="module")
def impatient(ca_bundle: str) -> Sender:
    return Sender(Policy(), resolve, connect_timeout=0.3, total_timeout=0.5, ca_bundle=ca_bundle)


@pytest.fixture
def receiver(authority: trustme.CA, network: Network) -> Iterator[Receiver]:
    with receiving(tls=certificate(authority, NAME)) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        yield receiver


def test_the_vetted_address_is_dialled_and_the_name_is_asked_for(
    receiver: Receiver, sender: Sender, network: Network
) -> None:
    attempt = send(f"https://{NAME}/in", sender)

    assert attempt.delivered
    assert network.dialled == [(ADDRESS, 443)]
    assert receiver.names == [NAME]
    (request,) = receiver.requests
    assert request.line == "POST /in HTTP/1.1"
    assert request.fields["host"] == NAME
    assert Webhook(SECRET).verify(request.body, request.fields) == {"type": "ping"}


def test_no_attempt_asks_for_a_name_twice(receiver: Receiver, ca_bundle: str, network: Network) -> None:
    """Between the look at an address and the connection to it there is no moment for another answer."""
    answers = [[ADDRESS], ["127.0.0.1"], [ADDRESS], ["127.0.0.1"]]
    asked: list[str] = []

    def changing(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    attempts = [send(f"https://{NAME}/", Sender(Policy(), changing, ca_bundle=ca_bundle)) for _ in answers]

    assert [attempt.delivered for attempt in attempts] == [True, False, True, False]
    assert asked == [NAME] * 4
    assert network.dialled == [(ADDRESS, 443)] * 2
    assert len(receiver.requests) == 2


def test_an_address_that_does_not_answer_gives_way_to_the_next(
    receiver: Receiver, ca_bundle: str, network: Network
) -> None:
    with receiving() as closed:
        pass
    network.led[OTHER_ADDRESS, 443] = ("127.0.0.1", closed.port)
    network.led["93.184.216.35", 443] = ("127.0.0.1", closed.port)
    addresses = ["93.184.216.35", ADDRESS]

    assert send(f"https://{NAME}/", Sender(Policy(), lambda *_: addresses, ca_bundle=ca_bundle)).delivered
    assert network.dialled == [("93.184.216.35", 443), (ADDRESS, 443)]


def test_a_name_in_another_script_is_verified_in_ascii(
    authority: trustme.CA, ca_bundle: str, network: Network
) -> None:
    with receiving(tls=certificate(authority, "xn--bcher-kva.example")) as receiver:
        network.led[ADDRESS, 8443] = ("127.0.0.1", receiver.port)
        by = Sender(Policy(), lambda *_: [ADDRESS], ca_bundle=ca_bundle)
        assert send("https://Bücher.example:8443/", by).delivered

    assert receiver.names == ["xn--bcher-kva.example"]
    assert receiver.requests[0].fields["host"] == "xn--bcher-kva.example:8443"


@pytest.mark.parametrize("address", [ADDRESS, OTHER_ADDRESS])
def test_a_target_without_a_name_needs_a_certificate_for_its_address(
    address: str, authority: trustme.CA, ca_bundle: str, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = f"[{address}]" if ":" in address else address
    loopback = "::1" if ":" in address else "127.0.0.1"
    by = Sender(Policy(), resolve, ca_bundle=ca_bundle)
    with (
        receiving(tls=certificate(authority, address), address=loopback) as right,
        receiving(tls=certificate(authority, NAME), address=loopback) as wrong,
    ):
        network.led[address, 443] = (loopback, right.port)
        network.led[address, 444] = (loopback, wrong.port)

        assert send(f"https://{host}/", by).delivered
        refused = send(f"https://{host}:444/", by)

    assert right.names == [None]
    assert refused.failure is not None
    assert refused.failure.startswith("The certificate is not good for this host: ")
    assert wrong.requests == []


@pytest.mark.parametrize(
    "names", [["evil.example"], ["example.org"], ["*.hooks.example.org"], ["*.example.com"], [ADDRESS]]
)
def test_a_certificate_for_another_name_is_a_failure(
    names: list[str], authority: trustme.CA, sender: Sender, network: Network
) -> None:
    with receiving(tls=certificate(authority, *names)) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", sender)

    assert attempt.status is None
    assert attempt.failure is not None
    assert attempt.failure.startswith("The certificate is not good for this host: Hostname mismatch")
    assert ADDRESS not in attempt.failure
    assert receiver.requests == []


def test_a_common_name_is_no_name(authority: trustme.CA, sender: Sender, network: Network) -> None:
    with receiving(tls=certificate(authority, "evil.example", common_name=NAME)) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)

        assert not send(f"https://{NAME}/", sender).delivered
    assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority_is_a_failure(sender: Sender, network: Network) -> None:
    with receiving(tls=certificate(trustme.CA(), NAME)) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", sender)

    assert attempt.failure is not None
    assert attempt.failure.startswith("The certificate is not good for this host: ")
    assert receiver.requests == []


def test_without_a_bundle_only_the_systems_authorities_are_trusted(receiver: Receiver) -> None:
    attempt = send(f"https://{NAME}/", Sender(Policy(), resolve))

    assert attempt.failure is not None
    assert attempt.failure.startswith("The certificate is not good for this host: ")
    assert receiver.requests == []


@pytest.mark.parametrize("policy", [Policy(), Policy(allow_loopback=True)])
def test_development_verifies_certificates_too(
    policy: Policy, authority: trustme.CA, ca_bundle: str, network: Network
) -> None:
    with receiving(tls=certificate(authority, "evil.example")) as receiver:
        network.led[ADDRESS, receiver.port] = ("127.0.0.1", receiver.port)
        address = "127.0.0.1" if policy.allow_loopback else ADDRESS
        by = Sender(policy, lambda *_: [address], ca_bundle=ca_bundle)

        assert not send(f"https://{NAME}:{receiver.port}/", by).delivered
    assert receiver.requests == []


def test_a_certificate_that_has_run_out_is_a_failure(
    authority: trustme.CA, sender: Sender, network: Network
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    expired = certificate(authority, NAME, not_before=yesterday - timedelta(days=9), not_after=yesterday)
    with receiving(tls=expired) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", sender)

    assert attempt.failure == "The certificate is not good for this host: certificate has expired."
    assert receiver.requests == []


def test_the_newer_http_is_not_asked_for(authority: trustme.CA, sender: Sender, network: Network) -> None:
    both = certificate(authority, NAME)
    both.set_alpn_protocols(["h2", "http/1.1"])
    with receiving(tls=both) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        for _ in range(2):
            assert send(f"https://{NAME}/", sender).delivered

    assert receiver.protocols == ["http/1.1", "http/1.1"]


def test_one_sender_serves_many_threads(receiver: Receiver, sender: Sender) -> None:
    with ThreadPoolExecutor(16) as pool:
        attempts = list(pool.map(lambda _: send(f"https://{NAME}/", sender), range(100)))

    assert {(attempt.status, attempt.failure) for attempt in attempts} == {(200, None)}
    assert len(receiver.requests) == 100


def test_old_tls_is_not_spoken(authority: trustme.CA, sender: Sender, network: Network) -> None:
    old = certificate(authority, NAME)
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        old.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with receiving(tls=old) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", sender)

    assert attempt.failure is not None
    assert attempt.failure.startswith("TLS failed: ")
    assert receiver.requests == []


def test_a_receiver_that_speaks_no_tls_is_sent_nothing(sender: Sender, network: Network) -> None:
    sent = []

    def answer(connection: socket.socket) -> None:
        sent.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with receiving(before=answer) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", sender)

    assert attempt.failure is not None
    assert attempt.failure.startswith("TLS failed: ")
    assert MESSAGE.body not in b"".join(sent)
    assert b"evt_1" not in b"".join(sent)


HELLO_THAT_NEVER_ENDS = b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb"


@pytest.mark.parametrize(
    "behave",
    [
        hanging,
        dripping(HELLO_THAT_NEVER_ENDS[:5], b"\x02"),
        dripping(HELLO_THAT_NEVER_ENDS, b"\x03"),
    ],
)
def test_a_handshake_that_never_ends_is_not_waited_for(
    behave: Behaviour, impatient: Sender, network: Network
) -> None:
    with receiving(before=behave) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", impatient)

    assert (attempt.status, attempt.failure) == (None, TOO_LONG)


def test_an_answer_that_drips_is_waited_for_no_longer_than_any(
    authority: trustme.CA, impatient: Sender, network: Network
) -> None:
    with receiving(dripping(b"HTTP/1.1 200 OK\r\nA: ", b"b"), tls=certificate(authority, NAME)) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", impatient)

    assert (attempt.status, attempt.failure) == (None, TOO_LONG)


def test_no_more_of_a_body_is_read_than_agreed(
    authority: trustme.CA, sender: Sender, network: Network
) -> None:
    refused = []

    def behave(connection: socket.socket) -> None:
        try:
            pouring(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1_000_000, 100)(connection)
        except OSError as error:
            refused.append(error)

    with receiving(behave, tls=certificate(authority, NAME)) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", sender)

    assert attempt.delivered
    assert refused, "the receiver could send all of its 100 MB"


def test_what_was_given_up_on_is_not_sent_later(
    authority: trustme.CA, ca_bundle: str, network: Network
) -> None:
    given_up = Event()
    by = Sender(Policy(), resolve, connect_timeout=60, total_timeout=0.2, ca_bundle=ca_bundle)
    with receiving(tls=certificate(authority, NAME), handshake=given_up) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", by)
        given_up.set()
        finished()

    assert (attempt.status, attempt.failure) == (None, TOO_LONG)
    assert receiver.connections == 1
    assert [request.body for request in receiver.requests] in ([], [b""])


def test_what_hung_is_sent_once(authority: trustme.CA, impatient: Sender, network: Network) -> None:
    with receiving(hanging, tls=certificate(authority, NAME)) as receiver:
        network.led[ADDRESS, 443] = ("127.0.0.1", receiver.port)
        attempt = send(f"https://{NAME}/", impatient)

    assert (attempt.status, attempt.failure) == (None, TOO_LONG)
    assert len(receiver.requests) == 1


def test_a_bundle_is_trusted_instead_of_the_system(ca_bundle: str) -> None:
    assert trusting(ca_bundle).cert_store_stats()["x509_ca"] == 1


def test_a_deployment_may_trust_an_authority_of_its_own(receiver: Receiver, ca_bundle: str) -> None:
    assert send(f"https://{NAME}/", Sender.of(Settings(webhooks_ca_bundle=ca_bundle), resolve)).delivered
    assert not send(f"https://{NAME}/", Sender.of(Settings(), resolve)).delivered


def test_a_deployment_may_send_to_its_own_machine_if_it_says_so() -> None:
    with receiving() as receiver:
        assert not send(receiver.url, Sender.of(Settings())).delivered
        assert send(receiver.url, Sender.of(Settings(webhooks_allow_loopback=True))).delivered
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("bundle", [None, b"", b"not a certificate"])
def test_a_bundle_that_is_none_stops_the_start(bundle: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if bundle is not None:
        path.write_bytes(bundle)

    with pytest.raises(OSError, match=r"[Cc]ert|No such file"):
        Sender(Policy(), ca_bundle=str(path))
