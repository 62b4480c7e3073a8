"""Hundreds of clients that send or take next to nothing keep nobody else from being answered.

They are never given up for taking long: whoever is answered meanwhile is answered beside all of them.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest

from tests.serving.conftest import VERIFICATION, fill
from tests.support.databases import SqliteDatabases
from tests.support.figures import Figures
from tests.support.serving import PATIENCE, Server, eventually, serving

ENDLESSLY_PATIENT = """
import struct
from registry.http import workers as _workers

_workers.HEAD_SECONDS = _workers.LEAVE_SECONDS = _workers.SILENT_SECONDS = 3600
_workers.SILENCE = struct.pack("ll", 3600, 0)
"""
MANY = 250
SOON_ENDED = {"REGISTRY_GRACEFUL_SECONDS": "1"}
"""With all who are waited for."""
QUESTION = {"body": "ca-ab", "number": "PT-1"}
AS_JSON = {"Content-Type": "application/json"}
POST = "POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LARGE_FIELDS = "".join(f"X-{number}: {'a' * 8000}\r\n" for number in range(9))
KINDS = {
    "say nothing": "",
    "begin a head": "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "begin a body": f'{POST}Content-Length: 1000\r\n\r\n{{"questions"',
    "begin a body in chunks": f"{POST}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n",
    "begin a large body": f"{POST}Content-Length: 4000000\r\n\r\n{{{' ' * 70_000}",
    "begin a very large head": f"GET / HTTP/1.1\r\nHost: x\r\n{LARGE_FIELDS}",
    "take no answer": "GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n",
    "do not close": "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
}
"""What they send, by what they do; then they wait."""


@pytest.fixture(scope="module")
def url(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    with sqlite_databases.migrated() as url:
        fill(url)
        yield url


@pytest.fixture(scope="module")
def server(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, url, configuration=ENDLESSLY_PATIENT, **SOON_ENDED) as server:
        yield server


Connect = Callable[..., socket.socket]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Connects, and stays connected while the test runs."""
    with ExitStack() as held:

        def connected(port: int = server.port) -> socket.socket:
            client = held.enter_context(closing(socket.socket()))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(PATIENCE)
            client.connect(("127.0.0.1", port))
            return client

        yield connected


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_slow_keeps_nobody_from_being_answered(
    server: Server, connect: Connect, figures: Figures, kind: str
) -> None:
    for _ in range(MANY):
        connect().sendall(KINDS[kind].encode())
    body = json.dumps({"questions": [QUESTION] * 5}).encode()
    statuses = [server.ask(VERIFICATION).status for _ in range(20)]
    statuses += [server.ask("/v1/verifications", "POST", body, **AS_JSON).status for _ in range(5)]
    figures.add("slow clients held", MANY)
    figures.add("answers kept from others meanwhile", len(statuses) - statuses.count(200))
    assert statuses == [200] * 25
    assert not [line for line in server.lines() if line["level"] in ("error", "critical")]


def test_who_sends_much_is_answered_though_others_send_as_much_and_slowly(
    server: Server, connect: Connect
) -> None:
    for _ in range(8):
        connect().sendall(KINDS["begin a large body"].encode())
    body = json.dumps({"questions": [{**QUESTION, "ref": "x" * 150}] * 500}).encode()
    assert len(body) > 70_000
    assert server.ask("/v1/verifications", "POST", body, **AS_JSON).status == 200


def test_where_all_connections_are_taken_those_who_hold_most_lose_one(
    url: str, tmp_path_factory: pytest.TempPathFactory, connect: Connect
) -> None:
    few = f"{ENDLESSLY_PATIENT}\nworker_connections = 40\n"
    folder = tmp_path_factory.mktemp("small")
    with serving(folder, url, configuration=few, WEB_CONCURRENCY="1", **SOON_ENDED) as small:
        early = HTTPConnection("127.0.0.1", small.port, PATIENCE, source_address=("127.0.0.2", 0))
        with closing(early):
            early.connect()
            for _ in range(MANY):
                connect(small.port).sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            assert small.ask(VERIFICATION).status == 200
            eventually(
                lambda: small.metric("registry_connections_given_up_total") > MANY - 50, "none is given up"
            )
            assert small.metric("registry_connections") <= 40
            early.request("GET", VERIFICATION)  # whoever holds one connection keeps it
            assert early.getresponse().status == 200
