"""Whatever is sent as a body: understood, or refused with a problem document; never a failure."""

from __future__ import annotations

import gzip
import io
import json
import zlib

import pytest
from flask import Flask
from flask.testing import FlaskClient

from registry.http.examples import REQUESTS
from registry.http.requests import MOST_DEPTH
from registry.services.batches import MOST_QUESTIONS
from registry.services.rosters import MOST_MEMBERS
from tests.http.conftest import Keys
from tests.http.hostile.conftest import Operation
from tests.support.attempts import Attempts, problem_in
from tests.support.effort import IS_LONG
from tests.support.hostile import TEXTS, VALUES, altered

PROFILE = "/v1/admin/bodies/ca-own/profiles/own"
VERIFICATIONS = "/v1/verifications"
ROSTER = "/v1/rosters/staff"
IMPORTS = "/v1/admin/imports"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
QUESTION = {"body": "ca-own", "number": "PT-1"}


def test_values_and_texts_that_nobody_expects_never_break_anything(
    client: FlaskClient, keys: Keys, taking_json: list[Operation], attempts: Attempts
) -> None:
    for turn, operation in enumerate(taking_json):
        for body in altered(operation.example, (*VALUES, *TEXTS), turn=None if IS_LONG else turn):
            response = operation.send(client, keys.operator, json=body)
            attempts.of(response, (operation.name, body))
            if response.status_code >= 400:
                problem_in(response)


@pytest.mark.parametrize(
    "coding", ["gzip", "deflate", "br", "zstd", "x-gzip", "gzip, gzip", "GZIP", "aes128gcm"]
)
def test_a_compressed_body_is_refused_unread(
    client: FlaskClient, keys: Keys, operations: list[Operation], attempts: Attempts, coding: str
) -> None:
    packed = {"deflate": zlib.compress}.get(coding, gzip.compress)
    for operation in operations:
        if operation.method in ("POST", "PUT", "PATCH") and operation.takes is not None:
            sent = packed(json.dumps(operation.example or {}).encode())
            headers = {"Content-Encoding": coding, "Content-Type": operation.takes}
            response = operation.send(client, keys.operator, data=sent, headers=headers)
            document = attempts.refused(response, (operation.name, coding), 415)
            assert document["type"] == "/problems/encoded-body"
            assert response.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
def test_a_body_that_says_that_it_is_not_encoded_is_read(
    client: FlaskClient, keys: Keys, coding: str
) -> None:
    headers = {"Content-Encoding": coding}
    assert client.post(VERIFICATIONS, json={"questions": [QUESTION]}, headers=headers).status_code == 200


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-ndjson"])
def test_nor_is_a_compressed_table_unpacked(client: FlaskClient, keys: Keys, bearer, media_type: str) -> None:
    path, method = (ROSTER, "PUT") if media_type == "text/csv" else (VERIFICATIONS, "POST")
    headers = bearer(keys.clinic, **{"Content-Encoding": "gzip", "Content-Type": media_type})
    response = client.open(path, method=method, data=gzip.compress(b"x" * 10_000_000), headers=headers)
    assert problem_in(response)["type"] == "/problems/encoded-body"


@pytest.mark.parametrize("opening", ['{"a":', "["])
def test_as_deep_as_is_allowed_and_no_deeper(client: FlaskClient, keys: Keys, bearer, opening: str) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    for depth, status in ((MOST_DEPTH, 422), (MOST_DEPTH + 1, 400)):
        inner = depth - 1
        body = f'{{"columns":{opening * inner}1{closing * inner}}}'
        headers = bearer(keys.operator, **{"Content-Type": "application/json"})
        assert client.put(PROFILE, data=body, headers=headers).status_code == status


def test_wide_is_not_deep(client: FlaskClient, keys: Keys) -> None:
    response = client.post(VERIFICATIONS, json={"questions": [QUESTION] * 1000})
    assert response.status_code == 200


@pytest.mark.parametrize("hours", ["-0", "-0.0", "0e-400", "1e-400", "-1e-400"])
def test_nothing_is_nothing_with_any_sign(
    client: FlaskClient, keys: Keys, parts: dict[str, str], bearer, hours: str
) -> None:
    training = {**REQUESTS["NewTraining"], "body": "ca-own", "hours_theory": "HOURS", "hours_in_person": 0}
    path = f"/v1/admin/practitioners/{parts['practitioner_id']}/trainings"
    body = json.dumps(training).replace('"HOURS"', hours)
    headers = bearer(keys.operator, **{"Content-Type": "application/json"})
    response = client.post(path, data=body, headers=headers)
    assert response.status_code == 201
    assert '"hours_theory":0.0,' in response.text


@pytest.mark.parametrize("hours", ["1e400", "NaN", "1e308", "1e16", "-1e-300", "4.9e-324", "0.1", "9" * 90])
def test_what_is_no_number_of_hours_is_refused(
    client: FlaskClient, keys: Keys, parts: dict[str, str], bearer, hours: str
) -> None:
    training = {**REQUESTS["NewTraining"], "body": "ca-own", "hours_theory": "HOURS"}
    path = f"/v1/admin/practitioners/{parts['practitioner_id']}/trainings"
    body = json.dumps(training).replace('"HOURS"', hours)
    headers = bearer(keys.operator, **{"Content-Type": "application/json"})
    document = problem_in(client.post(path, data=body, headers=headers))
    assert document["status"] in (400, 422)
    assert len(document["detail"]) < 300


class TestSize:
    """Limits hold before anything is read into memory, or right after the part that is too much."""

    def test_a_body_that_says_it_is_too_large_is_not_read(
        self, client: FlaskClient, keys: Keys, operations: list[Operation], attempts: Attempts
    ) -> None:
        for operation in operations:
            if operation.takes is not None:
                environ = {"CONTENT_LENGTH": str(10**15), "wsgi.input": Unreadable()}
                headers = {"Content-Type": operation.takes}
                response = operation.send(client, keys.operator, environ_overrides=environ, headers=headers)
                attempts.refused(response, operation.name, 413)

    def test_neither_is_one_of_the_wrong_kind(
        self, client: FlaskClient, keys: Keys, taking_json: list[Operation], attempts: Attempts
    ) -> None:
        for operation in taking_json:
            environ = {"CONTENT_LENGTH": "1000", "wsgi.input": Unreadable()}
            headers = {"Content-Type": "application/octet-stream"}
            response = operation.send(client, keys.operator, environ_overrides=environ, headers=headers)
            attempts.refused(response, operation.name, 415)

    def test_one_byte_too_many_is_too_much(self, client: FlaskClient, keys: Keys, bearer, app: Flask) -> None:
        limit = app.config["MAX_CONTENT_LENGTH"]
        headers = bearer(keys.operator, **{"Content-Type": "application/json"})
        for length, status in ((limit, 422), (limit + 1, 413)):
            body = b'{"label":"' + b"a" * (length - 12) + b'"}'
            assert len(body) == length
            assert problem_in(client.post("/v1/admin/keys", data=body, headers=headers))["status"] == status

    def test_a_batch_has_a_limit_in_bytes_and_in_questions(self, client: FlaskClient) -> None:
        most = [QUESTION] * (MOST_QUESTIONS + 1)
        assert problem_in(client.post(VERIFICATIONS, json={"questions": most}))["status"] == 422
        lines = b'{"body":"a","number":"1"}\n' * (MOST_QUESTIONS + 1)
        response = client.post(VERIFICATIONS, data=lines, content_type="application/x-ndjson")
        assert problem_in(response)["status"] == 422
        response = client.post(VERIFICATIONS, data=b" " * 5_000_001, content_type="application/json")
        assert problem_in(response)["status"] == 413

    def test_a_roster_has_a_limit_however_it_comes(self, client: FlaskClient, keys: Keys, bearer) -> None:
        table = b"body,number\n" + b"ca-own,PT-1\n" * (MOST_MEMBERS + 1)
        headers = bearer(keys.clinic)
        response = client.put(ROSTER, data=table, content_type="text/csv", headers=headers)
        assert problem_in(response)["status"] == 422
        response = client.put(ROSTER, json={"members": [QUESTION] * (MOST_MEMBERS + 1)}, headers=headers)
        assert problem_in(response)["status"] == 422

    @pytest.mark.parametrize(
        ("fields", "status"), [({f"f{n}": "x" for n in range(1001)}, 413), ({"body": "x" * 600_000}, 413)]
    )
    def test_a_form_has_limits_of_its_own(
        self, client: FlaskClient, keys: Keys, bearer, fields: dict[str, str], status: int
    ) -> None:
        form = "".join(
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        response = client.post(IMPORTS, data=f"{form}--b--\r\n", headers=bearer(keys.operator, **FORM))
        assert problem_in(response)["status"] == status


class Unreadable(io.RawIOBase):
    """A body that nobody must begin to read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError(f"{size} bytes of it were to be read")


FORMS = (
    b"",
    b"--b",
    b"--b--",
    b"--b--\r\n",
    b"\r\n" * 10_000,
    b"--b\r\n\r\n",
    b"--b\r\nContent-Disposition: form-data; name=body\r\n\r\nca-own",
    b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a\x00b"\r\n\r\nx\r\n--b--\r\n',
    b"--b\r\nContent-Disposition: form-data; name=\xff\xfe\r\n\r\n\xff\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name*=utf-8''%ff%fe; filename*=x''%00\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\n" + b"X: y\r\n" * 5_000 + b"\r\nx\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=body; " + b"a=b; " * 20_000 + b"\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n" + b"\r\n" * 200_000 + b"--b-",
    b"--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n" + b"\r" * 500_000 + b"\r\n--b--",
    b"--b\r\nContent-Disposition: form-data; name=body\r\nContent-Transfer-Encoding: base64\r\n\r\n!",
    b"--b\r\nContent-Disposition: form-data; name=body\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+A-",
)
BOUNDARIES = ("b", '"b"', "", '""', "b" * 5000, "\xff", "a b", '"', "b; boundary=c", "--b", "'b'")


def test_a_form_that_is_none_is_refused(client: FlaskClient, keys: Keys, bearer, attempts: Attempts) -> None:
    for boundary in BOUNDARIES:
        for form in FORMS if boundary == "b" else FORMS[:8]:
            content_type = f"multipart/form-data; boundary={boundary}"
            response = client.post(
                IMPORTS, data=form, headers=bearer(keys.operator), content_type=content_type
            )
            attempts.refused(response, (boundary, form), 400, 413, 415, 422)


MEDIA_TYPES = (
    *(
        "",
        "json",
        "application",
        "application/",
        "/json",
        "text/json",
        "application/xml",
        "*/*",
        "a/b/c",
        ";",
        ",",
    ),
    *(
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/mixed; boundary=b",
        "application/jsonp",
    ),
    *(
        "application/json, text/plain",
        "APPLICATION/JSONX",
        "application/json\x00",
        "\xff",
        "application/" + "j" * 5000,
    ),
)
READ_AS_JSON = (
    "application/json; charset=utf-7",
    "application/json; charset=\xff",
    'application/json; a="',
    "APPLICATION/JSON",
)


def test_what_comes_under_another_name_is_not_taken_for_json(
    client: FlaskClient, keys: Keys, taking_json: list[Operation], attempts: Attempts
) -> None:
    for operation in taking_json:
        for media_type in MEDIA_TYPES:
            headers = {"Content-Type": media_type}
            response = operation.send(client, keys.operator, data=b'{"a": 1}', headers=headers)
            attempts.refused(response, (operation.name, media_type), 415)
        for media_type in READ_AS_JSON:
            headers = {"Content-Type": media_type}
            response = operation.send(client, keys.operator, data=b'{"a": "\xff"}', headers=headers)
            attempts.refused(response, (operation.name, media_type), 400)
