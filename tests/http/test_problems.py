"""Whatever goes wrong, the answer is a problem document that says what would be right."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from registry import errors
from registry.http import problems
from registry.store.database import writing

pytestmark = pytest.mark.usefixtures("keys")
KEYS = "/v1/admin/keys"


def assert_problem(response: TestResponse, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = response.get_json(force=True)
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= document.keys()
    assert document["type"] == f"/problems/{slug}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["X-Request-Id"]
    assert response.headers["Cache-Control"] == "no-store"
    return document


@pytest.fixture
def raising(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], FlaskClient]:
    """A client of an application whose ``/healthz`` raises."""

    def client_of(error: Exception) -> FlaskClient:
        def view() -> None:
            raise error

        monkeypatch.setitem(app.view_functions, "service.healthz", view)
        return app.test_client()

    return client_of


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (errors.Invalid, 422, "invalid-values"),
        (errors.Senseless, 422, "senseless-decisions"),
        (errors.NotFound, 404, "not-found"),
        (errors.Gone, 410, "gone"),
        (errors.Conflict, 409, "conflict"),
        (errors.Stale, 412, "stale-version"),
        (errors.Unmet, 409, "unmet-requirements"),
        (errors.Forbidden, 403, "forbidden"),
        (errors.Unavailable, 503, "unavailable"),
    ],
)
def test_each_error_of_the_register_is_one_problem(raising, error, status: int, slug: str) -> None:
    response = raising(error("In a sentence.", [{"requirement": "hours_total"}])).get("/healthz")
    document = assert_problem(response, status, slug)
    assert document["detail"] == "In a sentence."
    assert document["errors"] == [{"requirement": "hours_total"}]
    assert document["instance"] == "/healthz"


def test_no_error_of_the_register_is_without_a_problem() -> None:
    def below(kind: type[errors.RegistryError]) -> set[type[errors.RegistryError]]:
        found = {kind}
        for child in kind.__subclasses__():
            found |= below(child)
        return found

    for kind in below(errors.RegistryError) - {errors.RegistryError}:
        assert problems.problem_of(kind.__new__(kind)).status >= 400  # whatever it is made of


def test_what_may_be_tried_again_says_when(raising) -> None:
    assert int(raising(errors.Unavailable("Busy.")).get("/healthz").headers["Retry-After"]) > 0


def test_an_unknown_failure_tells_nothing_but_a_request_id(
    raising, capsys: pytest.CaptureFixture[str]
) -> None:
    response = raising(ZeroDivisionError("a secret")).get("/healthz?name=private")
    document = assert_problem(response, 500, "internal-error")
    assert "secret" not in response.text
    lines = capsys.readouterr().err
    failed, request = map(json.loads, lines.splitlines())
    assert failed["request_id"] == request["request_id"] == document["request_id"]
    assert failed["failure"][0]["type"] == "builtins.ZeroDivisionError"
    assert (request["route"], request["status"]) == ("healthz", 500)
    assert "private" not in lines
    assert "secret" not in lines


def test_two_who_record_the_same_at_once_are_in_conflict(
    app: Flask, client: FlaskClient, keys, raising
) -> None:
    with app.app_context(), writing() as tx:
        keys_table = "INSERT INTO idempotency_keys VALUES ('p', 'k', 'f', 'l', '2026-01-01 00:00:00', NULL)"
        tx.exec_driver_sql(keys_table)
        with pytest.raises(Exception, match="idempotency_keys") as twice, tx.begin_nested():
            tx.exec_driver_sql(keys_table)
    assert_problem(raising(twice.value).get("/healthz"), 409, "conflict")


def test_another_broken_rule_of_the_database_is_a_failure(app: Flask, raising) -> None:
    with app.app_context(), writing() as tx:
        broken = "INSERT INTO idempotency_keys VALUES ('p', 'k', NULL, 'l', '2026-01-01 00:00:00', NULL)"
        with pytest.raises(Exception, match=r"(?i)null") as error, tx.begin_nested():
            tx.exec_driver_sql(broken)
    assert_problem(raising(error.value).get("/healthz"), 500, "internal-error")


def test_an_unknown_address(client: FlaskClient) -> None:
    assert_problem(client.get("/nowhere"), 404, "not-found")
    assert_problem(client.get("/v1//bodies"), 404, "not-found")
    document = assert_problem(client.get("/%00\u00e9 <b>"), 404, "not-found")
    assert document["instance"] == "/%00%C3%A9%20%3Cb%3E"


def test_an_unsuitable_method_tells_the_suitable_ones(client: FlaskClient) -> None:
    response = client.post("/healthz")
    assert_problem(response, 405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_body_that_is_too_large(client: FlaskClient, keys, bearer) -> None:
    response = client.post(KEYS, headers=bearer(keys.operator), json={"label": "x" * 1_000_001})
    assert_problem(response, 413, "too-large")


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "text/json"]
)
def test_a_body_that_is_not_json_by_its_type(
    client: FlaskClient, keys, bearer, content_type: str | None
) -> None:
    response = client.post(KEYS, headers=bearer(keys.operator), data="{}", content_type=content_type)
    assert_problem(response, 415, "unsupported-media-type")
    assert response.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"{'a': 1}", b'{"a": 1,}', b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1, "a": 2}'),
        *(
            b'{"a": "\xff"}',
            b"\xef\xbb\xbf{}",
            b"[" * 100_000,
            b'{"a": ' + b"9" * 5000 + b"}",
            b'{"a": "\x00"}',
        ),
    ],
)
def test_a_body_that_is_not_json_in_fact(client: FlaskClient, keys, bearer, body: bytes) -> None:
    headers = bearer(keys.operator)
    response = client.post(KEYS, headers=headers, data=body, content_type="application/json")
    assert_problem(response, 400, "malformed")


def test_each_wrong_member_is_pointed_at(client: FlaskClient, keys, bearer) -> None:
    wrong = {"role": "emperor", "label": "a\x00b", "expires_at": "tomorrow", "a/b~c": 1}
    document = assert_problem(
        client.post(KEYS, headers=bearer(keys.operator), json=wrong), 422, "invalid-values"
    )
    pointed = {each["pointer"]: each["detail"] for each in document["errors"]}
    assert pointed.keys() == {"/role", "/label", "/expires_at", "/a~1b~0c"}
    assert pointed["/role"] == "Give one of clinic, auditor, registrar, operator."


def test_each_wrong_argument_is_named(client: FlaskClient, keys, bearer) -> None:
    response = client.get(f"{KEYS}?limit=many&order=up", headers=bearer(keys.operator))
    document = assert_problem(response, 422, "invalid-values")
    assert {each["parameter"] for each in document["errors"]} == {"limit", "order"}
    assert_problem(
        client.get(f"{KEYS}?limit=1&limit=2", headers=bearer(keys.operator)), 422, "invalid-values"
    )


def test_arguments_are_refused_where_there_are_none(client: FlaskClient, keys, bearer) -> None:
    response = client.delete(
        f"{KEYS}/01890a5d-ac96-774b-bcce-b302099a8057?force=1", headers=bearer(keys.operator)
    )
    assert_problem(response, 422, "invalid-values")


def test_what_is_no_unicode_is_told_as_it_came(client: FlaskClient, keys, bearer) -> None:
    body = b'{"\\ud800": 1, "label": "\\udfff", "role": "clinic"}'
    headers = bearer(keys.operator)
    response = client.post(KEYS, headers=headers, data=body, content_type="application/json")
    document = assert_problem(response, 422, "invalid-values")
    assert {each["pointer"] for each in document["errors"]} == {"/\ud800", "/label"}


def test_thousands_of_wrong_members_are_not_told_one_by_one(client: FlaskClient, keys, bearer) -> None:
    wrong = {f"member{n}": n for n in range(5000)}
    document = assert_problem(
        client.post(KEYS, headers=bearer(keys.operator), json=wrong), 422, "invalid-values"
    )
    assert len(document["errors"]) == 100


def test_each_type_of_problem_has_a_page(client: FlaskClient) -> None:
    for slug, problem in problems.BY_SLUG.items():
        page = client.get(f"/problems/{slug}")
        assert page.status_code == 200
        assert problem.title.replace("'", "&#x27;") in page.text
    assert_problem(client.get("/problems/none"), 404, "not-found")


@pytest.mark.parametrize("given", ["from-a-proxy-1", "0af7651916cd43dd8448eb211c80319c"])
def test_a_request_keeps_the_identifier_that_it_came_with(client: FlaskClient, given: str) -> None:
    assert client.get("/nowhere", headers={"X-Request-Id": given}).get_json(force=True)["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 101, "<script>", '"'])
def test_an_identifier_that_could_confuse_a_log_is_replaced(client: FlaskClient, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given
