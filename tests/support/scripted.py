"""A server that answers by a script, for what a real register does not do when it is asked to."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENT = 30
"""Seconds after which a test that still waits has failed."""


@dataclass(frozen=True)
class Asked:
    """A request that came in; names of headers in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Talking:
    """The connection of one request, for a step of the script that wants no plain answer."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler

    def say(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def hang_up(self) -> None:
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)


Step = Callable[[Asked, Talking], None]


@dataclass
class Script:
    """The steps that are left, and what was asked so far. The last step is repeated."""

    steps: list[Step]
    asked: list[Asked] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def next(self, asked: Asked) -> Step:
        self.asked.append(asked)
        self.at.append(time.monotonic())
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


def answer(value: Any = None, status: int = 200, *, content: bytes | None = None, **headers: Any) -> Step:
    """Answer with a JSON value, or with ``content``. Headers as ``Retry_After="2"``."""
    sent = json.dumps(value).encode() if content is None else content
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    named = {"Content-Type": "application/json", "Content-Length": str(len(sent)), **named}

    def step(_: Asked, talking: Talking) -> None:
        lines = [f"HTTP/1.1 {status} As told", *(f"{name}: {text}" for name, text in named.items()), "", ""]
        talking.say("\r\n".join(lines).encode() + sent)

    return step


def problem(status: int, **members: Any) -> Step:
    """Answer with a problem document; ``headers`` besides."""
    headers = members.pop("headers", {})
    document = {"type": "/problems/x", "title": "A title", "status": status, "detail": "A detail.", **members}
    return answer(document, status, **{"Content-Type": "application/problem+json", **headers})


def hang_up(_: Asked, talking: Talking) -> None:
    """Break off before anything is answered."""
    talking.hang_up()


def break_off(content: bytes) -> Step:
    """Promise more than is sent, and break off."""

    def step(_: Asked, talking: Talking) -> None:
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content) + 9}\r\n\r\n"
        )
        talking.say(head.encode() + content)
        talking.hang_up()

    return step


def silence(script: Script) -> Step:
    """Answer nothing, until the test is over."""

    def step(_: Asked, talking: Talking) -> None:
        script.over.wait(PATIENT)
        talking.hang_up()

    return step


def drip(script: Script) -> Step:
    """Answer a byte at a time, and never the whole."""

    def step(asked: Asked, talking: Talking) -> None:
        talking.say(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(PATIENT * 50):
            talking.say(b" ")
            if script.over.wait(0.02):
                break
        talking.hang_up()

    return step


@contextmanager
def scripted(*steps: Step) -> Iterator[tuple[str, Script]]:
    """A server on a port of its own: its address, and what it was asked."""
    script = Script(list(steps))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, content)
            try:
                script.next(asked)(asked, Talking(self))
            except OSError:
                self.close_connection = True  # the client has gone

        do_GET = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - so called by the library

        def log_message(self, *_: object) -> None:
            """Nothing: a test says what is wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", script
    finally:
        script.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
