"""What the server takes from whoever connects to it, as it is shipped."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import pytest

from tests.support.databases import SqliteDatabases
from tests.support.serving import PATIENCE, Server, serving

LIES = {
    "SCRIPT_NAME": "/evil",
    "PATH_INFO": "/v1/bodies",
    "REMOTE_USER": "operator",
    "REMOTE_ADDR": "203.0.113.9",
    "HTTP_AUTHORIZATION": "Bearer x",
    "wsgi.url_scheme": "https",
}


@pytest.fixture(scope="module")
def server(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with sqlite_databases.migrated() as url, serving(folder, url, WEB_CONCURRENCY="1") as server:
        yield server


def sent(server: Server, *lines: str) -> tuple[int, str]:
    """The status, and all of the answer, to a request written by hand."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as line:
        line.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        answer = b""
        while part := line.recv(65536):
            answer += part
    return int(answer.split(b" ", 2)[1]), answer.decode("latin-1")


def test_nobody_tells_the_application_where_it_is(server: Server) -> None:
    """gunicorn believes a few fields of whoever is on the same machine, a proxy for instance that passes on
    all that it is sent: links would lead where an attacker says, in pages that a cache keeps."""
    for path in ("/about", "/evil/about"):
        honest = sent(server, f"GET {path} HTTP/1.1", "Host: registry.example")
        for name, value in LIES.items():
            status, answer = sent(
                server, f"GET {path} HTTP/1.1", "Host: registry.example", f"{name}: {value}"
            )
            assert status == honest[0], (path, name)
            assert 'href="/evil' not in answer, (path, name)


POST = "POST /v1/verifications HTTP/1.1"
SECOND = "GET /v1/admin/keys HTTP/1.1\r\nHost: registry.example"
AMBIGUOUS = {
    "both lengths": [POST, "Host: a", "Content-Length: 4", "Transfer-Encoding: chunked", "", "0", "", SECOND],
    "two lengths": [POST, "Host: a", "Content-Length: 0", "Content-Length: 60", "", SECOND],
    "a list of lengths": [POST, "Host: a", "Content-Length: 0, 60", "", SECOND],
    "a signed length": [POST, "Host: a", "Content-Length: +0", "", SECOND],
    "another coding": [POST, "Host: a", "Transfer-Encoding: xchunked", "", "0", "", SECOND],
    "chunked twice": [POST, "Host: a", "Transfer-Encoding: chunked, chunked", "", "0", "", SECOND],
    "a folded field": [POST, "Host: a", "Transfer-Encoding:", " chunked", "", "0", "", SECOND],
    "a blank before the colon": [POST, "Host: a", "Content-Length : 60", "", SECOND],
    "a bare carriage return": [POST, "Host: a", "X: y\rContent-Length: 60", "", SECOND],
    "two hosts": ["GET /v1/bodies HTTP/1.1", "Host: a", "Host: b", "", SECOND],
}


@pytest.mark.parametrize("how", AMBIGUOUS)
def test_a_request_with_two_ends_is_refused_and_nothing_behind_it_is_read(server: Server, how: str) -> None:
    """A proxy that sees another end takes what follows for part of this one (request smuggling)."""
    status, answer = sent(server, *AMBIGUOUS[how])
    assert 400 <= status < 500 or status == 501, answer
    assert answer.count("HTTP/1.1 ") == 1, answer


def test_the_server_tells_nobody_which_version_it_is(server: Server) -> None:
    """Neither in an answer nor where it could not read the question."""
    for line in ("GET /v1/bodies HTTP/1.1", "GET /none HTTP/1.1", "nonsense"):
        _, answer = sent(server, line, "Host: registry.example")
        head = answer.partition("\r\n\r\n")[0].lower()
        assert not re.search(r"(gunicorn|werkzeug|flask|python)/?[0-9 ]", head), head
