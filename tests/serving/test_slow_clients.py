"""Clients that drip, stall or do not take what they asked for hold no thread for long."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.serving.conftest import VERIFICATION, fill
from tests.support.databases import SqliteDatabases
from tests.support.serving import PATIENCE, Server, eventually, serving

IMPATIENT = """
import struct
from registry.http import workers as _workers

_workers.HEAD_SECONDS = 1.0
_workers.SILENT_SECONDS = 1
_workers.SILENCE = struct.pack("ll", 1, 0)
"""
"""A second of each patience will do for a test."""

THREADS = 2
END_OF_CHUNKS = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def server(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    few = {"WEB_CONCURRENCY": "1", "REGISTRY_THREADS": str(THREADS), "REGISTRY_FEED_WAITERS": "1"}
    folder = tmp_path_factory.mktemp("server")
    with sqlite_databases.migrated() as url:
        fill(url)
        with serving(folder, url, configuration=IMPATIENT, **few) as server:
            yield server


def connected(server: Server, held: ExitStack) -> socket.socket:
    client = held.enter_context(closing(socket.socket()))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", server.port))
    return client


def given_up(server: Server) -> list[object]:
    """What is said of those that did not take their answers."""
    return [line for line in server.lines() if "not taken" in line.get("message", "")]


def is_closed(client: socket.socket) -> bool:
    try:
        return client.recv(65536) == b""
    except ConnectionError:
        return True


def test_heads_that_drip_are_given_up(server: Server) -> None:
    """As many as there are threads, each sending a little all the time."""
    with ExitStack() as held:
        slow = [connected(server, held) for _ in range(THREADS)]
        for client in slow:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        alive = set(slow)

        def drip() -> bool:
            for client in list(alive):
                try:
                    client.sendall(b"X-Slow: x\r\n")
                except ConnectionError:
                    alive.discard(client)
            return not alive

        eventually(drip, "they are not given up")
        assert server.ask(VERIFICATION).status == 200


def test_heads_that_stall_are_given_up(server: Server) -> None:
    with ExitStack() as held:
        slow = [connected(server, held) for _ in range(THREADS)]
        for client in slow:
            client.sendall(b"GET / HTTP/1.1\r\nHo")
        assert server.ask(VERIFICATION).status == 200
        assert all(is_closed(client) for client in slow)


def test_bodies_that_stall_are_given_up_and_told_so(server: Server) -> None:
    head = "POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with ExitStack() as held:
        slow = [connected(server, held) for _ in range(THREADS)]
        for client in slow:
            client.sendall(f'{head}Content-Length: 1000\r\n\r\n{{"questions"'.encode())
        assert server.ask(VERIFICATION).status == 200
        for client in slow:
            answer = client.makefile("rb").read()
            assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 408 ")), answer
            assert b"application/problem+json" in answer
    assert not [line for line in server.lines() if line["level"] in ("error", "critical")]


def test_who_does_not_take_the_answer_is_given_up(server: Server) -> None:
    questions = [{"body": "ca-ab", "number": "PT-1", "ref": "x" * 200}] * 10_000
    body = json.dumps({"questions": questions}).encode()
    head = "POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    before = len(given_up(server))
    with ExitStack() as held:
        slow = [connected(server, held) for _ in range(THREADS)]
        for client in slow:
            client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert server.ask(VERIFICATION).status == 200
        eventually(lambda: len(given_up(server)) >= before + THREADS, "they are not given up")
        for client in slow:
            answer = client.makefile("rb").read()
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert not answer.endswith(END_OF_CHUNKS), "it was sent all the same"
