"""The log of a whole session: it tells what was done, and nobody's name, number, reason or secret."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import text

from registry.services.principals import Role
from tests.support.factories import (
    database,
    make_authorization,
    make_body,
    make_key,
    make_person,
    make_registration,
)
from tests.support.serving import PATIENCE, Answer, Server, serving
from tests.support.sheets import PROFILE, csv_file, person

GIVEN, FAMILY, FORMER = "Oonagh-Marie", "Quillfeather", "Zweifelhoff"
NUMBER, OTHER_NUMBER, IMPORTED = "QF-7731", "QF-4408", "QF-9920"
REASON, LABEL = "a complaint by Ms Wintersnow", "Drew Appleyard, night shift"
ADDRESS, AGENT = "203.0.113.77", "Browser of Drew Appleyard"
PRIVATE = (
    *(GIVEN, FAMILY, FORMER, NUMBER, OTHER_NUMBER, IMPORTED, "Wintersnow", "complaint", "Appleyard"),
    *(ADDRESS, "hunter2", "hook-token", "whsec_", "patient-9"),
)
NAME = f"{GIVEN} {FAMILY}"
VERIFICATION = f"/v1/bodies/ca-ab/registrations/{NUMBER}/verification"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def keys(database_url: str) -> dict[Role, str]:
    with database(database_url) as engine, engine.begin() as tx:
        body = make_body(tx, "ca-ab")
        who = make_person(tx, NAME, former=[FORMER])
        record = make_registration(tx, body, who, number=NUMBER, through=None)
        make_authorization(tx, record, through=None)
        registrar, operator = make_key(tx, Role.REGISTRAR, body), make_key(tx)
        return {Role.REGISTRAR: registrar, Role.OPERATOR: operator, Role.CLINIC: make_key(tx, Role.CLINIC)}


@pytest.fixture
def server(database_url: str, keys: dict[Role, str], tmp_path: Path) -> Iterator[Server]:
    assert keys
    misspelt = {"REGISTRY_DATABASE_PASSWD": "hunter2"}
    with serving(tmp_path, database_url, REGISTRY_ACCESS_LOG="all", **misspelt) as server:
        yield server


def send(server: Server, path: str, value: Any, method: str = "POST", **headers: str) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return server.ask(path, method, body, **{"Content-Type": "application/json", **headers})


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "X-Forwarded-For": ADDRESS, "User-Agent": AGENT}


def the_public_asks(server: Server) -> None:
    asks = {
        VERIFICATION: 200,
        f"{VERIFICATION}?technique={FAMILY}": 422,
        f"/v1/bodies/ca-ab/registrations/{OTHER_NUMBER}": 404,
        f"/v1/practitioners?name={quote(NAME)}": 200,
        f"/v1/practitioners?name={quote(FORMER)}&cursor={FAMILY}": 422,
        f"/check/ca-ab/{NUMBER}": 200,
        f"/check/ca-ab/{OTHER_NUMBER}": 404,
        f"/find?q={quote(NAME)}": 404,
        f"/{quote(NAME)}?number={NUMBER}": 404,
        f"/v1/bodies/{quote(NAME)}": 404,
        f"/v1/%00/{FAMILY}%ff": 404,
        f"/metrics?who={FAMILY}": 404,
    }
    for path, status in asks.items():
        referer = f"https://clinic.example/{FAMILY}"
        answer = server.ask(path, **{"User-Agent": AGENT, "X-Forwarded-For": ADDRESS, "Referer": referer})
        assert answer.status == status or path.startswith(("/find", "/v1/bodies/", "/v1/%00")), path
    numbers = (NUMBER, OTHER_NUMBER, FAMILY)
    questions = [{"body": "ca-ab", "number": number, "ref": "patient-9"} for number in numbers]
    assert send(server, "/v1/verifications", {"questions": questions}).status == 200
    assert send(server, "/v1/verifications", {"questions": [{"number": FAMILY, FORMER: 1}]}).status < 500
    assert send(server, "/v1/verifications", f'{{"questions": [{FAMILY}'.encode()).status == 400
    assert server.ask(VERIFICATION, traceparent=f"00-{TRACE}-b7ad6b7169203331-01").status == 200


def staff_record(server: Server, keys: dict[Role, str]) -> None:
    registrar, operator = bearer(keys[Role.REGISTRAR]), bearer(keys[Role.OPERATOR])
    people, registrations = "/v1/admin/practitioners", "/v1/admin/bodies/ca-ab/registrations"
    name = {"kind": "legal", "given": GIVEN, "family": FAMILY, "full_name": NAME}
    once = {"Idempotency-Key": str(uuid4())}
    made = send(server, people, {"names": [{**name, "kind": "published"}, name]}, **registrar, **once)
    assert made.status == 201, made.body
    id_ = made.json()["id"]
    wanted = {"practitioner": id_, "number": OTHER_NUMBER, "register_class": "general", "reason": REASON}
    answer = send(server, registrations, {**wanted, "effective_on": "2026-01-01"}, **registrar)
    assert answer.status == 201, answer.body
    assert send(server, registrations, {**wanted, "effective_on": FAMILY}, **registrar).status == 422
    assert send(server, people, {"names": [{**name, FORMER: FAMILY}]}, **registrar).status == 422
    assert send(server, f"{people}/{id_}", {"names": [name]}, "PATCH", **registrar).status == 428
    assert server.ask(f"{people}?name={quote(FORMER)}", **registrar).status in (200, 422)
    for wrong in (f"ndl_{FAMILY}", "hunter2", f"{keys[Role.OPERATOR]}x"):
        assert server.ask(people, **bearer(wrong)).status == 401
    key = send(server, "/v1/admin/keys", {"role": "clinic", "label": LABEL}, **operator)
    assert key.status == 201, key.body
    webhook = {"url": f"https://127.0.0.1/{FAMILY}?token=hook-token", "description": LABEL}
    assert send(server, "/v1/webhooks", webhook, **bearer(keys[Role.CLINIC])).status == 422


def a_register_is_imported(server: Server, keys: dict[Role, str]) -> None:
    registrar = bearer(keys[Role.REGISTRAR])
    profile = send(server, "/v1/admin/bodies/ca-ab/profiles/tests", PROFILE, "PUT", **registrar)
    assert profile.status == 200, profile.body
    rows = [person(IMPORTED), person(OTHER_NUMBER, Status=FORMER), person(f"{IMPORTED}0", From=FAMILY)]
    fields = {"body": "ca-ab", "profile": "tests"}
    parts = [f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    file = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{FAMILY}.csv"\r\n\r\n'
    body = "".join(parts).encode() + file.encode() + csv_file(rows).getvalue() + b"\r\n--x--\r\n"
    as_form = {"Content-Type": "multipart/form-data; boundary=x"}
    sent = server.ask("/v1/admin/imports", "POST", body, **registrar, **as_form)
    assert sent.status == 201, sent.body
    path = f"/v1/admin/imports/{sent.json()['id']}"
    for step in ("dry-run", "apply", "reverse"):
        answer = send(server, f"{path}/{step}", {}, **registrar)
        assert answer.status < 500, answer.body


def nonsense_is_sent(server: Server) -> None:
    for request in (
        f"GET /{FAMILY} HTTP/9.9\r\n\r\n",
        f"GET /{FAMILY}{'x' * 9000} HTTP/1.1\r\n\r\n",
        f"{FAMILY}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\n{FAMILY} {NUMBER}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {FAMILY}\r\n\r\n",
        f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {FAMILY}\r\n\r\n",
        f"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{FAMILY}\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
            client.sendall(request.encode())
            client.shutdown(socket.SHUT_WR)
            with client.makefile("rb") as answers:
                answer = answers.read()
        assert re.match(rb"HTTP/1.1 (4\d\d|501) ", answer), answer
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"application/problem+json" in head
        assert FAMILY not in json.dumps({**json.loads(body), "instance": None})


def the_database_breaks(server: Server, database_url: str, keys: dict[Role, str]) -> None:
    """Its messages hold the statement, with the values that it was given."""
    with database(database_url) as engine, engine.begin() as tx:
        for table in ("entries", "practitioner_names"):
            tx.execute(text(f"ALTER TABLE {table} RENAME TO {table}_moved"))
    for path in (VERIFICATION, f"/v1/practitioners?name={quote(NAME)}", f"/check/ca-ab/{NUMBER}"):
        assert server.ask(path).status >= 500, path
    name = {"kind": "published", "given": GIVEN, "family": FAMILY}
    answer = send(server, "/v1/admin/practitioners", {"names": [name]}, **bearer(keys[Role.REGISTRAR]))
    assert answer.status >= 500, answer.body
    assert FAMILY not in answer.body.decode()


def test_a_whole_session_leaves_nobody_in_the_log(
    server: Server, keys: dict[Role, str], database_url: str
) -> None:
    the_public_asks(server)
    staff_record(server, keys)
    a_register_is_imported(server, keys)
    nonsense_is_sent(server)
    the_database_breaks(server, database_url, keys)
    assert server.stop() == 0
    logged = server.log.read_text()
    for private in (*PRIVATE, *keys.values()):
        for form in {private, private.lower(), quote(private), json.dumps(private)[1:-1]}:
            assert form not in logged, form
    lines = server.lines()
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    requests = server.events("request")
    routes = {line["route"] for line in requests}
    assert routes >= {"verify_registration", "search_practitioners", "check_page", "apply_import"}
    assert [line["trace_id"] for line in requests if "trace_id" in line] == [TRACE]
    assert any(line["request_id"] == TRACE for line in requests)
    assert {line["operation"] for line in server.events("changed")} >= {"create_practitioner", "create_key"}
    failures = [line for line in lines if "failure" in line]
    assert len(failures) >= 3
    assert all(each["type"] and each["at"] for line in failures for each in line["failure"])
    assert [line["detail"] for line in server.events("unknown_setting")]
