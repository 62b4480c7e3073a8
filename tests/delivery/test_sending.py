"""Single attempts, against real receivers."""

from __future__ import annotations

import gc
import gzip
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from registry import clock
from registry.delivery import exchanges, targets
from registry.delivery.sending import MOST_EXCERPT, Attempt, Message, Sender, excerpt
from registry.delivery.signing import new_secret
from registry.delivery.targets import Policy
from tests.delivery.conftest import Network, finished
from tests.support.receivers import OK, Behaviour, Receiver, Request, dripping, hanging, pouring, receiving

DEVELOPMENT = Policy(allow_loopback=True)
SECRETS = [new_secret()]
MESSAGE = Message("evt_1", '{"type": "authorization.suspended", "data": {"name": "Zoë"}}'.encode())
TOO_LONG = "It took too long."

sender = Sender(DEVELOPMENT)
impatient = Sender(DEVELOPMENT, connect_timeout=0.2, total_timeout=0.3)


def send(url: str, by: Sender = sender, message: Message = MESSAGE) -> Attempt:
    return by.send(url, message, SECRETS, clock.now())


def status_of(attempt: Attempt) -> tuple[int | None, str | None]:
    return attempt.status, attempt.failure


def answer(status: str, *fields: str, body: bytes = b"") -> bytes:
    head = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def test_a_message_arrives_as_it_was_signed() -> None:
    secrets = [new_secret(), new_secret()]
    with receiving() as receiver:
        attempt = sender.send(f"{receiver.url}/a?b=%2F", MESSAGE, secrets, clock.now())

    assert status_of(attempt) == (200, None)
    assert attempt.delivered
    assert not attempt.gone
    assert attempt.excerpt == "ok"
    (request,) = receiver.requests
    assert request.line == "POST /in/a?b=%2F HTTP/1.1"
    assert request.body == MESSAGE.body
    assert set(request.fields) == {
        *("host", "content-length", "content-type", "user-agent", "accept-encoding", "connection"),
        *("webhook-id", "webhook-timestamp", "webhook-signature"),
    }
    assert request.fields["host"] == f"127.0.0.1:{receiver.port}"
    assert request.fields["content-type"] == "application/json"
    assert request.fields["webhook-id"] == "evt_1"
    for secret in secrets:
        assert Webhook(secret).verify(request.body, request.fields)["data"] == {"name": "Zoë"}


def test_each_attempt_signs_its_own_instant() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    with receiving() as receiver:
        for minutes in (0, 5):
            sender.send(receiver.url, MESSAGE, SECRETS, at + timedelta(minutes=minutes))

    first, second = (request.fields for request in receiver.requests)
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 300
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_a_message_that_cannot_be_signed_is_not_sent() -> None:
    with receiving() as receiver, pytest.raises(ValueError, match="identifier"):
        send(receiver.url, message=Message("evt.1", b"{}"))
    assert receiver.connections == 0


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content", "299 Well"])
def test_2xx_is_delivered(status: str) -> None:
    with receiving(answer(status)) as receiver:
        attempt = send(receiver.url)

    assert attempt.delivered
    assert status_of(attempt) == (int(status[:3]), None)


@pytest.mark.parametrize("status", ["300 Many", "400 Bad", "404 No", "429 Slow", "500 Broken"])
def test_no_other_answer_is(status: str) -> None:
    with receiving(answer(status, body=b"why")) as receiver:
        attempt = send(receiver.url)

    assert not attempt.delivered
    assert not attempt.gone
    assert (attempt.status, attempt.failure, attempt.excerpt) == (int(status[:3]), None, "why")


def test_410_means_that_it_is_gone() -> None:
    with receiving(answer("410 Gone")) as receiver:
        attempt = send(receiver.url)

    assert attempt.gone
    assert not attempt.delivered


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(status: str) -> None:
    with receiving() as other, receiving(answer(status, f"Location: {other.url}")) as receiver:
        attempt = send(receiver.url)

    assert (attempt.status, attempt.delivered) == (int(status[:3]), False)
    assert len(receiver.requests) == 1
    assert other.connections == 0


def test_an_interim_answer_is_not_the_answer() -> None:
    with receiving(b"HTTP/1.1 100 Continue\r\n\r\n" + OK) as receiver:
        assert status_of(send(receiver.url)) == (200, None)


@pytest.mark.parametrize(
    ("field", "seconds"), [("120", 120), ("Sun, 01 Mar 2026 12:02:00 GMT", 120), ("soon", None)]
)
def test_a_receiver_may_ask_to_be_left_alone(field: str, seconds: float | None) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with receiving(answer("429 Slow", f"Retry-After: {field}")) as receiver:
        attempt = sender.send(receiver.url, MESSAGE, SECRETS, at)

    if seconds is None:
        assert attempt.retry_after is None
    else:
        assert attempt.retry_after is not None
        assert seconds - 60 < attempt.retry_after <= seconds  # a date is counted from the end of the attempt


# What the environment says.


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment_is_used(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        attempt = send(receiver.url, Sender(DEVELOPMENT))

    assert attempt.delivered
    assert (len(receiver.requests), proxy.connections) == (1, 0)


def test_no_password_of_this_machine_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    with receiving(answer("401 Who", "WWW-Authenticate: Basic realm=a", "Set-Cookie: a=b")) as receiver:
        for _ in range(2):
            send(receiver.url)

    assert len(receiver.requests) == 2
    for request in receiver.requests:
        assert not {"authorization", "cookie", "proxy-authorization"} & set(request.fields)


# Where it is sent.


class Names:
    """A resolver of the test, with an answer for each time that it is asked; counts."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


def test_the_name_is_looked_up_once_at_each_attempt() -> None:
    names = Names(["127.0.0.1"])
    with receiving() as receiver:
        url = f"http://booking.example:{receiver.port}/in"
        for _ in range(3):
            assert send(url, Sender(DEVELOPMENT, names)).delivered

    assert names.asked == [("booking.example", receiver.port)] * 3
    assert {request.fields["host"] for request in receiver.requests} == {f"booking.example:{receiver.port}"}


def test_a_name_that_moves_in_between_is_refused(network: Network) -> None:
    """Looked at on creation it was public; at the attempt it leads to this machine."""
    names = Names(["93.184.216.34"], ["127.0.0.1"])
    with receiving() as receiver:
        url = f"https://hooks.example.org:{receiver.port}/in"
        assert targets.vet(url, Policy(), names).addresses == ("93.184.216.34",)
        attempt = send(url, Sender(Policy(), names))

    assert attempt.failure == "Webhooks are sent only to hosts all of whose addresses are public."
    assert attempt.status is None
    assert receiver.connections == 0
    assert network.dialled == []


@pytest.mark.parametrize(
    "addresses",
    [["93.184.216.34", "127.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]],
)
def test_a_name_with_any_address_inside_is_refused(addresses: list[str]) -> None:
    with receiving() as receiver:
        attempt = send(f"https://hooks.example.org:{receiver.port}/in", Sender(Policy(), Names(addresses)))

    assert (attempt.status, attempt.failure is None, receiver.connections) == (None, False, 0)


def test_what_is_no_target_is_a_failed_attempt() -> None:
    for url in ("http://hooks.example.org/", "https://user@hooks.example.org/", "nonsense", "https://[::1"):
        attempt = send(url, Sender(Policy()))

        assert attempt.status is None
        assert attempt.failure


def test_a_name_that_nobody_knows_is_a_failed_attempt() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    assert send("https://hooks.example.org/", Sender(Policy(), resolve)).failure == (
        "The name of the host is not known."
    )


def test_of_several_addresses_one_that_can_be_reached_is_used() -> None:
    with receiving(address="127.0.0.1") as receiver:
        url = f"http://booking.example:{receiver.port}/in"
        attempt = send(url, Sender(DEVELOPMENT, Names(["::1", "127.0.0.2", "127.0.0.1"])))

    assert attempt.delivered
    assert len(receiver.requests) == 1


def test_a_receiver_that_took_the_message_is_not_asked_again_at_another_address() -> None:
    with (
        receiving(lambda _: None, address="127.0.0.2") as first,
        receiving(address="127.0.0.3", port=first.port) as second,
    ):
        url = f"http://booking.example:{first.port}/in"
        attempt = send(url, Sender(DEVELOPMENT, Names(["127.0.0.2", "127.0.0.3"])))

    assert attempt.status is None
    assert (len(first.requests), second.connections) == (1, 0)


def test_a_receiver_that_has_ipv6_only() -> None:
    with receiving(address="::1") as receiver:
        assert send(receiver.url).delivered

    assert receiver.requests[0].fields["host"] == f"[::1]:{receiver.port}"


# What bad receivers do.


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_nobody_listens() -> None:
    with receiving() as receiver:
        pass

    attempt = send(receiver.url)

    assert status_of(attempt) == (None, "No connection: Connection refused.")


@pytest.mark.parametrize(
    "beginning", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"]
)
@pytest.mark.parametrize("end", [lambda _: None, reset])
def test_a_connection_that_ends_before_the_answer_has_begun_delivers_nothing(
    beginning: bytes, end: Callable[[socket.socket], None]
) -> None:
    def behave(connection: socket.socket) -> None:
        connection.sendall(beginning)
        end(connection)

    with receiving(behave) as receiver:
        attempt = send(receiver.url)

    assert status_of(attempt) == (None, "The connection was broken off before there was an answer.")


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 50\r\n\r\nhalf",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense",
    ],
)
def test_a_body_that_ends_too_soon_changes_nothing_about_the_status(rest: bytes) -> None:
    for status, delivered in ((b"200 OK", True), (b"500 Broken", False)):
        with receiving(b"HTTP/1.1 " + status + b"\r\n" + rest) as receiver:
            attempt = send(receiver.url)

        assert attempt.delivered is delivered
        assert attempt.excerpt == "half"


def test_a_receiver_that_never_answers() -> None:
    with receiving(hanging) as receiver:
        attempt = send(receiver.url, impatient)

    assert status_of(attempt) == (None, TOO_LONG)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 ", b"O"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nA: ", b"b"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_an_answer_that_drips_is_waited_for_no_longer_than_any(beginning: bytes, drop: bytes) -> None:
    with receiving(dripping(beginning, drop)) as receiver:
        attempt = send(receiver.url, impatient)

    assert status_of(attempt) == (None, TOO_LONG)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        (b"\r\n", b"d"),
        (b"Content-Length: 1000000\r\n\r\n", b"d"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nd\r\n"),
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\nd\r\n", b"0"),
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\nd\r\n0\r\n", b"A: b\r\n"),
    ],
)
def test_a_body_that_drips_is_not_waited_for_either(beginning: bytes, drop: bytes) -> None:
    for status, delivered in ((b"200 OK", True), (b"503 Busy", False)):
        with receiving(dripping(b"HTTP/1.1 " + status + b"\r\n" + beginning, drop)) as receiver:
            attempt = send(receiver.url, impatient)

        assert attempt.delivered is delivered
        assert attempt.status == int(status[:3])
        assert attempt.excerpt.startswith("d")


def test_a_receiver_may_think_for_longer_than_it_may_take_to_be_connected_to() -> None:
    def think(connection: socket.socket) -> None:
        Event().wait(0.8)
        connection.sendall(OK)

    with receiving(think) as receiver:
        assert send(receiver.url, Sender(DEVELOPMENT, connect_timeout=0.5, total_timeout=600)).delivered


def test_a_line_that_was_cut_takes_no_connection() -> None:
    line = exchanges.Line()
    left, right = socket.socketpair()
    with left, right:
        assert not line.cut()
        with pytest.raises(TimeoutError):
            line.take(left)


def test_a_receiver_that_takes_nothing() -> None:
    died = Event()

    def read_nothing(_: socket.socket) -> None:
        died.wait()

    with receiving(before=read_nothing) as receiver:
        attempt = send(receiver.url, impatient, Message("evt_1", b" " * 50_000_000))
        died.set()

    assert status_of(attempt) == (None, TOO_LONG)


def test_a_receiver_that_has_said_all_but_does_not_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchanges, "BODY_SECONDS", 0.05)

    def answer_and_hang(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nfine")
        hanging(connection)

    with receiving(answer_and_hang) as receiver:
        attempt = send(receiver.url, Sender(DEVELOPMENT, total_timeout=600))

    assert attempt.delivered
    assert attempt.excerpt == "fine"


def test_an_attempt_that_fails_as_none_should_is_told_to_the_log() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise KeyError(host)

    with capture_logs() as told:
        attempt = send("https://hooks.example.org/", Sender(Policy(), resolve))

    assert status_of(attempt) == (None, "The attempt failed (KeyError).")
    assert [(each["event"], each["log_level"]) for each in told] == [
        ("An attempt failed as none should", "error")
    ]


def test_a_receiver_whose_machine_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = []
        for _ in range(4):  # until its queue is full, and it answers no more
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(full.getsockname())
        attempt = send(f"http://127.0.0.1:{full.getsockname()[1]}/", impatient)
        for each in waiting:
            each.close()

    assert status_of(attempt) == (None, TOO_LONG)


def test_a_name_that_is_looked_up_for_ever() -> None:
    answered = Event()

    def resolve(host: str, port: int) -> Sequence[str]:
        answered.wait()
        return ["127.0.0.1"]

    with receiving() as receiver:
        attempt = send(f"http://booking.example:{receiver.port}/", Sender(DEVELOPMENT, resolve, 0.1, 0.1))
        answered.set()
        finished()

    assert status_of(attempt) == (None, TOO_LONG)
    assert receiver.connections == 0, "who was given up on sends nothing afterwards"


MEGABYTE = b"a" * 1_000_000


@pytest.mark.parametrize(
    ("beginning", "drop"),
    [
        (b"Content-Length: 100000000\r\n\r\n", MEGABYTE),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"f4240\r\n" + MEGABYTE + b"\r\n"),
        (b"\r\n", MEGABYTE),
    ],
)
def test_no_more_of_a_body_is_read_than_agreed(beginning: bytes, drop: bytes) -> None:
    poured = []

    def behave(connection: socket.socket) -> None:
        try:
            pouring(b"HTTP/1.1 200 OK\r\n" + beginning, drop, 100)(connection)
        except OSError as refused:
            poured.append(refused)

    with receiving(behave) as receiver:
        attempt = send(receiver.url)

    assert attempt.delivered
    assert attempt.excerpt == "a" * MOST_EXCERPT
    assert poured, "the receiver could send all of its 100 MB"


@pytest.mark.parametrize(
    ("drop", "failure"),
    [
        (b"A: " + b"b" * 1_000 + b"\r\n", "The answer was too long."),
        (b"A: b\r\n", "The answer is not HTTP (HTTPException)."),
        (b"b" * 100_000, "The answer was too long."),
    ],
)
def test_no_more_fields_are_read_than_agreed(drop: bytes, failure: str) -> None:
    with receiving(pouring(b"HTTP/1.1 200 OK\r\n", drop, 100_000)) as receiver:
        attempt = send(receiver.url)

    assert status_of(attempt) == (None, failure)


def test_no_more_interim_answers_are_read_than_agreed() -> None:
    with receiving(pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 100_000)) as receiver:
        assert status_of(send(receiver.url)) == (None, "The answer was too long.")


def test_how_much_is_read_can_be_agreed() -> None:
    body = answer("200 OK", body=b"a" * 300)
    with receiving(body) as receiver:
        assert send(receiver.url, Sender(DEVELOPMENT, most_bytes=len(body))).excerpt == "a" * 300
        shortened = send(receiver.url, Sender(DEVELOPMENT, most_bytes=100))

    assert shortened.delivered
    assert set(shortened.excerpt) == {"a"}
    assert len(shortened.excerpt) < 100


def test_nothing_is_decompressed() -> None:
    bomb = gzip.compress(b"a" * 50_000_000)
    with receiving(answer("500 Broken", "Content-Encoding: gzip", body=bomb)) as receiver:
        attempt = send(receiver.url)

    assert attempt.status == 500
    assert "aaa" not in attempt.excerpt
    assert receiver.requests[0].fields["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", ""),
        (b"fine", "fine"),
        (b"a\x00b\x1b[2Jc\x7fd", "a b [2Jc d"),
        (b"two\r\nlines\t\t of  words \n", "two lines of words"),
        ("Zoë – 良い".encode(), "Zoë – 良い"),
        (b"\xff\xfe half", "\ufffd\ufffd half"),
        ("right\u202eleft\u2028line\u200bjoined\ufeff".encode(), "right left line joined"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"a" * 5_000, "a" * MOST_EXCERPT),
        ("𝄞".encode() * 5_000, "𝄞" * MOST_EXCERPT),
    ],
)
def test_of_an_answer_a_line_is_kept_that_can_be_shown(body: bytes, kept: str) -> None:
    with receiving(answer("400 Bad", body=body)) as receiver:
        assert send(receiver.url).excerpt == kept


@given(st.binary(max_size=3_000))
def test_whatever_is_kept_is_printable_and_short(body: bytes) -> None:
    kept = excerpt(body)

    assert kept.isprintable()
    assert len(kept) <= MOST_EXCERPT
    assert "\0" not in kept
    kept.encode("utf-8")


lines = st.sampled_from(
    [
        *(b"HTTP/1.1 200 OK", b"HTTP/1.1 500", b"HTTP/1.1 100 Continue", b"HTTP/2 200", b"HTTP/1.1 99999 A"),
        *(b"HTTP/1.1 -1 A", b"ICY 200 OK", b"HTTP/1.1 410 Gone", b"Content-Length: 5", b"Content-Length: -5"),
        *(b"Content-Length: 5, 6", b"Content-Length: " + b"9" * 5_000, b"Transfer-Encoding: chunked"),
        *(b"Transfer-Encoding: gzip, chunked", b"Content-Encoding: gzip", b"Retry-After: " + b"9" * 5_000),
        *(
            b"Content-Type: multipart/mixed; boundary",
            b"Content-Type: message/http",
            b": a",
            b" a",
            b"a",
            b"A:",
        ),
        *(
            b"Connection: keep-alive",
            b"Upgrade: h2c",
            b"Set-Cookie: a=\xff",
            b"",
            b"",
            b"",
            b"-1",
            b"ffffffffffff",
        ),
        *(b"5", b"hello", b"0", b"HTTP/1.1 200 \xff\x00", b"HTTP/1.1 304 Same", b"Content-Length: 1e3"),
    ]
)
answers = st.binary(max_size=300) | st.lists(lines | st.binary(max_size=20), max_size=12).map(b"\r\n".join)


@pytest.fixture(scope="module")
def scripted() -> Iterator[tuple[Receiver, list[bytes]]]:
    script: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        connection.sendall(script[-1])

    with receiving(behave) as receiver:
        yield receiver, script


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(answers, st.booleans())
def test_no_answer_raises_anything(
    scripted: tuple[Receiver, list[bytes]], garbage: bytes, after_a_status: bool
) -> None:
    receiver, script = scripted
    script.append((b"HTTP/1.1 200 OK\r\n" if after_a_status else b"") + garbage)

    attempt = send(receiver.url)

    assert (attempt.status is None) is (attempt.failure is not None)
    assert attempt.excerpt.isprintable()
    assert attempt.failure is None or attempt.failure.isprintable()


# Many at once, and nothing left behind.


def open_sockets() -> int:
    count = 0
    for each in Path("/proc/self/fd").iterdir():
        try:
            count += str(each.readlink()).startswith("socket:")
        except FileNotFoundError:  # the folder's own
            continue
    return count


@pytest.fixture
def uncollected() -> Iterator[None]:
    """What is closed is closed by whoever opened it, not by chance."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    "behaviour",
    [
        OK,
        reset,
        hanging,
        b"nonsense\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense",
        dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
        dripping(b"", b"H"),
        pouring(b"HTTP/1.1 200 OK\r\n\r\n", MEGABYTE, 100),
        pouring(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 100_000),
        None,
    ],
)
def test_nothing_stays_open_whatever_happened(behaviour: bytes | Behaviour | None) -> None:
    finished()
    before = open_sockets()
    kept = []
    with receiving(OK if behaviour is None else behaviour) as receiver:
        if behaviour is not None:
            kept += [send(receiver.url, impatient) for _ in range(3)]
        kept.append(send(receiver.url.replace("http:", "https:"), impatient))
    kept.append(send(receiver.url, impatient))
    finished()

    assert open_sockets() == before
    assert kept


def test_one_sender_serves_many_threads() -> None:
    def one(number: int) -> tuple[str, Attempt]:
        message = Message(f"evt_{number}", f'{{"n": {number}}}'.encode())
        return message.id, send(receiver.url, message=message)

    def echo(connection: socket.socket) -> None:
        connection.sendall(answer("200 OK", body=b"thanks"))

    with receiving(echo) as receiver, ThreadPoolExecutor(16) as pool:
        outcomes = dict(pool.map(one, range(200)))

    assert all(outcome.delivered and outcome.excerpt == "thanks" for outcome in outcomes.values())
    arrived: dict[str, Request] = {request.fields["webhook-id"]: request for request in receiver.requests}
    assert arrived.keys() == outcomes.keys()
    for name, request in arrived.items():
        assert Webhook(SECRETS[0]).verify(request.body, request.fields) == {
            "n": int(name.removeprefix("evt_"))
        }


def test_one_dead_receiver_holds_up_no_other() -> None:
    died = Event()

    def hang(_: socket.socket) -> None:
        died.wait()

    with receiving(hang) as dead, receiving() as well, ThreadPoolExecutor(1) as pool:
        patient = Sender(DEVELOPMENT, total_timeout=600)
        hung = pool.submit(send, dead.url, patient)
        assert all(send(well.url, patient).delivered for _ in range(10))
        assert not hung.done()
        died.set()
        assert hung.result().failure


def test_a_process_ends_while_a_name_is_still_being_looked_up() -> None:
    script = (
        "from threading import Event; from registry.delivery.patience import begun; begun(Event().wait, 'a')"
    )

    assert subprocess.run([sys.executable, "-c", script], timeout=120, check=False).returncode == 0
