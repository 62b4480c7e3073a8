"""The shipped nginx before a real register: what it keeps, what it never keeps, whom it believes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from sqlalchemy import select

from registry.store.audit_tables import audit_entries
from registry.store.events import Event, add_events
from registry.store.records import find_body
from tests.deploy.conftest import DEPLOY
from tests.serving.conftest import VERIFICATION, Register, fill
from tests.support.databases import SqliteDatabases
from tests.support.factories import database
from tests.support.serving import PATIENCE, Answer, Server, ask, eventually, free_port, serving
from tests.support.tools import tool

SHIPPED = DEPLOY / "nginx"
NAMES = ("Quillfeather", "QF-7731", "203.0.113.77")


@dataclass(frozen=True)
class Proxy:
    """nginx, the server behind it, and what the register keeps."""

    port: int
    server: Server
    register: Register
    log: Path

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, /, **headers: str) -> Answer:
        return ask(self.port, path, method, body, headers)


def configured(folder: Path, port: int, upstream: int) -> Path:
    """The shipped configuration, with other ports, and the test's folder for what it writes."""
    for file in SHIPPED.glob("*.conf"):
        text = file.read_text()
        for shipped, here in {
            "/tmp/": f"{folder}/",  # noqa: S108 - what is replaced
            "/etc/nginx/tls/": f"{folder}/",
            "/dev/stdout": f"{folder}/access.log",
            "/dev/stderr": f"{folder}/error.log",
            "127.0.0.1:8000": f"127.0.0.1:{upstream}",
            "listen 8080": f"listen {port}",
            "listen 8443": f"listen {free_port()}",
        }.items():
            text = text.replace(shipped, here)
        (folder / file.name).write_text(text)
    return folder / "nginx.conf"


@contextmanager
def proxied(folder: Path, port: int, upstream: int) -> Iterator[None]:
    folder.mkdir()
    file = configured(folder, port, upstream)
    as_root = "user root; " if os.geteuid() == 0 else ""
    command = [tool("nginx", "nginx-light"), "-c", str(file), "-g", f"{as_root}daemon off;"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: listens(port, process), "nginx does not listen")
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "nginx ended"
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def proxy(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder, port = tmp_path_factory.mktemp("proxy"), free_port()
    few = {"WEB_CONCURRENCY": "1", "REGISTRY_TRUSTED_HOPS": "1", "REGISTRY_ACCESS_LOG": "all"}
    with sqlite_databases.migrated() as url:
        register = fill(url)
        with serving(folder, url, **few) as server, proxied(folder / "nginx", port, server.port):
            yield Proxy(port, server, register, folder / "nginx" / "access.log")


@pytest.mark.parametrize("with_tls", [False, True])
def test_nginx_takes_the_shipped_configuration(tmp_path: Path, with_tls: bool) -> None:
    file = configured(tmp_path, free_port(), 8000)
    if with_tls:
        both = "include registry.conf; include tls.conf;"
        file.write_text(file.read_text().replace("include registry.conf;", both))
        certificate = trustme.CA().issue_cert("registry.example")
        certificate.private_key_pem.write_to_path(tmp_path / "tls.key")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "tls.crt")
    tested = subprocess.run(
        [tool("nginx", "nginx-light"), "-t", "-c", str(file)], capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stderr
    assert "[warn]" not in tested.stderr.replace('"user" directive', "")


def test_public_answers_are_kept_as_long_as_they_say(proxy: Proxy) -> None:
    path = f"{VERIFICATION}&on=2026-05-05"
    first, second = proxy.ask(path), proxy.ask(path)
    assert (first.status, first.headers["x-cache"]) == (200, "MISS")
    assert (second.status, second.headers["x-cache"]) == (200, "HIT")
    assert second.body == first.body
    assert first.headers["cache-control"] == "public, max-age=59, must-revalidate"
    told = json.loads(first.body)
    assert told["authorized"] is True


def test_what_was_kept_here_must_be_asked_for_again_before_it_is_used_again(proxy: Proxy) -> None:
    """nginx does not say how old it is: who kept it for its full time again would have it too long."""
    path = f"{VERIFICATION}&on=2026-05-06"
    etag = proxy.ask(path).headers["etag"]
    kept = proxy.ask(path)
    assert kept.headers["cache-control"] == "public, max-age=0, must-revalidate"
    again = proxy.ask(path, **{"If-None-Match": etag})
    assert (again.status, again.headers["x-cache"]) == (304, "HIT")
    assert again.headers["cache-control"] == "public, max-age=0, must-revalidate"


def test_each_language_is_kept_for_itself(proxy: Proxy) -> None:
    path = "/check/ca-ab/PT-1"
    french, english = (proxy.ask(path, **{"Accept-Language": language}) for language in ("fr", "en"))
    assert b'lang="fr"' in french.body
    assert b'lang="en"' in english.body
    assert proxy.ask(path, **{"Accept-Language": "fr"}).body != english.body


@pytest.mark.parametrize("path", [VERIFICATION, "/v1/bodies", "/v1/practitioners?name=smith", "/docs"])
def test_nothing_is_kept_of_whoever_shows_a_key_nor_given_to_them(proxy: Proxy, path: str) -> None:
    path = f"{path}{'&' if '?' in path else '?'}q={quote(path)}" if path == "/docs" else path
    with_key = [proxy.ask(path, **proxy.register.as_clinic) for _ in range(2)]
    assert {answer.headers["x-cache"] for answer in with_key} == {"BYPASS"}
    proxy.ask(path)
    again = proxy.ask(path, **proxy.register.as_clinic)
    assert again.headers["x-cache"] == "BYPASS"


@pytest.mark.parametrize("path", ["/v1/admin/keys", "/v1/changes", "/v1/rosters", "/v1/webhooks"])
def test_what_needs_a_key_is_never_kept(proxy: Proxy, path: str) -> None:
    for _ in range(2):
        answer = proxy.ask(path, **proxy.register.as_operator)
        assert answer.status == 200, answer.body
        assert "x-cache" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    assert proxy.ask(path).status == 401


def test_refusals_are_not_kept(proxy: Proxy) -> None:
    for path in ("/v1/bodies/none", f"{VERIFICATION}&on=tomorrow", "/check/ca-ab/none"):
        for _ in range(2):
            answer = proxy.ask(path)
            assert answer.status in (404, 422)
            assert answer.headers["x-cache"] == "MISS"
            assert answer.headers["cache-control"] == "no-store"


def test_the_register_is_told_who_asks_and_not_what_they_say_of_themselves(proxy: Proxy) -> None:
    forged = {"X-Forwarded-For": "203.0.113.77", "Forwarded": "for=203.0.113.77", "X-Real-IP": "203.0.113.77"}
    body = json.dumps({"role": "clinic", "label": "Ward 4"}).encode()
    answer = proxy.ask("/v1/admin/keys", "POST", body, **proxy.register.as_operator, **forged)
    assert answer.status == 201, answer.body
    with database(proxy.register.url) as engine, engine.connect() as connection:
        addresses = set(connection.execute(select(audit_entries.c.address)).scalars()) - {None}
    assert addresses == {"127.0.0.1"}


def test_each_answer_has_an_identifier_of_its_own_which_the_logs_share(proxy: Proxy) -> None:
    path = f"{VERIFICATION}&on=2026-05-07"
    answers = [proxy.ask(path, **{"X-Request-Id": "made-up"}) for _ in range(3)]
    known_as = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(known_as)) == 3
    assert "made-up" not in known_as
    eventually(lambda: known_as[2] in proxy.log.read_text(), "nginx does not log it")
    logged = [json.loads(line) for line in proxy.log.read_text().splitlines()]
    assert [line["cache"] for line in logged if line["request_id"] in known_as] == ["MISS", "HIT", "HIT"]
    assert known_as[0] in {line["request_id"] for line in proxy.server.events("request")}


def test_one_asks_the_register_where_many_ask_at_once(proxy: Proxy) -> None:
    path = f"{VERIFICATION}&on=2026-05-08"
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: proxy.ask(path), range(48)))
    assert {answer.status for answer in answers} == {200}
    assert [answer.headers["x-cache"] for answer in answers].count("MISS") == 1


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert (told["status"], told["request_id"]) == (status, answer.headers["x-request-id"])


def test_what_is_too_large_is_answered_with_a_problem(proxy: Proxy) -> None:
    assert_problem(proxy.ask(f"/v1/bodies?{'a' * 9000}"), 414)
    assert_problem(proxy.ask("/v1/bodies", **{"X-Large": "a" * 9000}), 400)
    assert_problem(proxy.ask("/v1/admin/keys", "POST", b"a" * 1_100_000, **proxy.register.as_operator), 413)
    question = {"body": "ca-ab", "number": "PT-1", "ref": "x" * 190}
    questions = json.dumps({"questions": [question] * 9_000}).encode()
    assert len(questions) > 1_100_000
    as_json = {"Content-Type": "application/json"}
    assert proxy.ask("/v1/verifications", "POST", questions, **as_json).status == 200


def test_events_are_handed_on_as_they_come(proxy: Proxy) -> None:
    with closing(HTTPConnection("127.0.0.1", proxy.port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/v1/changes/stream?after=now", headers=proxy.register.as_clinic)
        stream = connection.getresponse()
        assert stream.readline().startswith(b"retry: ")
        with database(proxy.register.url) as engine, engine.begin() as tx:
            body = find_body(tx, "ca-ab")
            assert body is not None
            at = datetime.now(UTC)
            add_events(tx, [Event("rules.added", body.id, None, at.date(), at)])
        lines = iter(stream.readline, b"")
        assert any(line.startswith(b"data: ") and b"rules.added" in line for line in lines)


def test_those_who_run_the_service_are_elsewhere(proxy: Proxy) -> None:
    assert_problem(proxy.ask("/readyz"), 404)
    assert_problem(proxy.ask("/metrics"), 404)
    assert proxy.ask("/healthz").status == 200


def test_many_slow_clients_are_not_noticed_by_others(proxy: Proxy) -> None:
    with ExitStack() as held:
        for _ in range(60):
            client = held.enter_context(closing(socket.create_connection(("127.0.0.1", proxy.port))))
            client.sendall(b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert proxy.ask(f"{VERIFICATION}&on=2026-05-09").status == 200
        assert proxy.server.metric("registry_threads_busy") == 0


def test_a_register_that_is_away_is_told_and_nothing_old_is_given_instead(tmp_path: Path) -> None:
    port = free_port()
    with proxied(tmp_path / "nginx", port, free_port()):
        answer = ask(port, VERIFICATION)
        assert_problem(answer, 503)
        assert answer.headers["retry-after"] == "5"


def test_the_log_of_nginx_names_nobody(proxy: Proxy) -> None:
    proxy.ask(f"/v1/practitioners?name={NAMES[0]}", **{"User-Agent": NAMES[0], "Referer": NAMES[1]})
    proxy.ask(f"/check/ca-ab/{NAMES[1]}", **{"X-Forwarded-For": NAMES[2]})
    proxy.ask(f"/{NAMES[0]}{'a' * 9000}")
    logged = proxy.log.read_text() + (proxy.log.parent / "error.log").read_text()
    assert "127.0.0.1" not in logged
    for name in NAMES:
        assert name not in logged
