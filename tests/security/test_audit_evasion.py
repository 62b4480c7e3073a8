"""Nothing is changed, and nobody's hidden name is seen, without the audit: whichever way it is asked for."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from registry.domain.audit_chain import AuditEntry
from registry.services.audit import verify
from registry.services.principals import Role
from registry.store.audit import every_entry
from registry.store.database import reading
from tests.http.admin.conftest import Staff
from tests.http.test_access import Asking, Request

READS = {
    *("verify_batch", "preview_import", "preview_registration_decision", "preview_grant"),
    "preview_notice_words",
    *("preview_authorization_decision", "preview_voiding"),
}
"""What is posted and changes nothing that is answered for."""


@pytest.fixture
def told(app: Flask) -> Callable[[], list[AuditEntry]]:
    def entries() -> list[AuditEntry]:
        with app.app_context(), reading() as connection:
            return list(every_entry(connection))

    return entries


def test_every_operation_that_changes_something_is_told_by_its_name(
    app: Flask, requests: list[Request], keys: Any, told: Callable[[], list[AuditEntry]]
) -> None:
    asking, silent, done = Asking(Role.OPERATOR, keys.operator), [], 0
    versions = {f'"{version}-0000000000000000"' for version in range(1, 6)}
    for request in requests:
        if request.method == "GET" or request.operation in READS:
            continue
        for version in versions:
            before = len(told())
            answer = sent(app, request, asking, version)
            if answer.status_code < 300:
                actions = [entry.happening.action for entry in told()[before:]]
                silent += [] if actions == [request.operation] else [(request.operation, actions)]
                done += 1
                break
    assert silent == []
    assert done >= 25
    with app.app_context(), reading() as connection:
        assert verify(connection).breaks == ()


def sent(app: Flask, request: Request, asking: Asking, version: str) -> Any:
    headers = {"If-Match": version, "Authorization": f"Bearer {asking.secret}"}
    given: dict[str, Any] = {"json": request.body}
    if request.is_form:
        given = {"data": {**request.body, "file": (io.BytesIO(request.body["file"].encode()), "file.csv")}}
    client = app.test_client()
    return client.open(
        request.path, method=request.method, query_string=request.query, headers=headers, **given
    )


@pytest.fixture
def hidden(registrar: Staff) -> str:
    person: str = registrar.practitioner("Zebulon Hidden", withheld=True)["id"]
    registrar.registration(practitioner=person)
    return person


def test_a_hidden_name_is_not_seen_by_asking_for_headers_or_for_what_is_new_alone(
    registrar: Staff, auditor: Staff, hidden: str, told: Callable[[], list[AuditEntry]]
) -> None:
    """A HEAD tells the length, a 304 that nothing has changed: both are told as if the record were read."""
    path = f"/v1/admin/practitioners/{hidden}"
    etag = auditor.get(path).headers["ETag"]
    before = len(told())
    headers = {"Authorization": f"Bearer {auditor.key}"}
    assert auditor.client.head(path, headers=headers).status_code == 200
    known = {**headers, "If-None-Match": etag}
    assert auditor.client.get(path, headers=known).status_code == 304
    actions = [entry.happening.action for entry in told()[before:]]
    assert actions == ["withheld_records_shown"] * 2


def test_an_entry_says_who_and_from_where_whatever_the_request_claims(
    client: FlaskClient, registrar: Staff, bearer: Any, told: Callable[[], list[AuditEntry]]
) -> None:
    lies = {
        "X-Forwarded-For": "198.51.100.9",
        "X-Real-IP": "198.51.100.9",
        "From": "operator@registry.example",
        "X-Remote-User": "operator",
        "X-Request-Id": 'x","principal":"operator:nobody',
    }
    person = {"names": [{"kind": "published", "full_name": "Ana Silva"}]}
    answer = client.post("/v1/admin/practitioners", json=person, headers=bearer(registrar.key, **lies))
    assert answer.status_code == 201
    happening = told()[-1].happening
    assert happening.address == "127.0.0.1"
    assert happening.principal.startswith("registrar:")
    assert happening.request_id == answer.headers["X-Request-Id"] != lies["X-Request-Id"]
