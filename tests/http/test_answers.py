"""ETags, conditions on requests, and how long answers are kept."""

from __future__ import annotations

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from registry.errors import Stale
from registry.http.answers import etag_of, if_match_version, not_modified
from registry.http.problems import PreconditionRequired

KEYS = "/v1/admin/keys"


def test_an_etag_names_the_version_and_what_is_shown() -> None:
    assert etag_of(b"one", 3) != etag_of(b"two", 3)
    assert etag_of(b"one", 3).startswith('"3-')
    assert etag_of(b"one") == etag_of(b"one")


@pytest.mark.parametrize("given", ['"3-0123456789abcdef"', ' "3-0123456789abcdef" '])
def test_if_match_names_the_version(app: Flask, given: str) -> None:
    with app.test_request_context(headers={"If-Match": given}):
        assert if_match_version() == 3


@pytest.mark.parametrize("given", ["", "*", " "])
def test_a_change_must_name_a_version(app: Flask, given: str) -> None:
    with app.test_request_context(headers={"If-Match": given}), pytest.raises(PreconditionRequired):
        if_match_version()


@pytest.mark.parametrize(
    "given",
    [
        *('W/"3-0123456789abcdef"', "3-0123456789abcdef", '"3"', '"x"', '"-1-0123456789abcdef"', '""'),
        *('"3-0123456789abcdef", "4-0123456789abcdef"', '"' + "9" * 5000 + '-0123456789abcdef"'),
        '"\u0663-0123456789abcdef"'.encode().decode("latin-1"),
    ],
)
def test_what_is_no_strong_etag_of_this_register_never_matches(app: Flask, given: str) -> None:
    with app.test_request_context(headers={"If-Match": given}), pytest.raises(Stale):
        if_match_version()


def test_an_answer_that_the_caller_has_is_not_sent_again(client: FlaskClient, keys, bearer) -> None:
    headers = bearer(keys.operator)
    client.get(KEYS, headers=headers)  # notes the use of the key, which the list shows
    first = client.get(KEYS, headers=headers)
    etag = first.headers["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = client.get(KEYS, headers={**headers, "If-None-Match": known})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == etag
        assert "Content-Type" not in again.headers
    assert client.get(KEYS, headers={**headers, "If-None-Match": '"other"'}).data == first.data


def test_a_head_tells_what_a_get_would(client: FlaskClient, keys, bearer) -> None:
    client.get(KEYS, headers=bearer(keys.operator))
    got = client.get(KEYS, headers=bearer(keys.operator))
    head = client.head(KEYS, headers=bearer(keys.operator))
    assert head.data == b""
    assert head.headers["ETag"] == got.headers["ETag"]
    assert head.headers["Content-Length"] == got.headers["Content-Length"]


def test_only_what_was_found_can_be_unchanged(app: Flask) -> None:
    with app.test_request_context(headers={"If-None-Match": "*"}):
        assert not_modified(Response(status=404)).status_code == 404
        assert not_modified(Response(status=200)).status_code == 200  # it has no ETag


def test_answers_to_keys_are_not_kept_by_caches(client: FlaskClient, keys, bearer) -> None:
    assert client.get(KEYS, headers=bearer(keys.operator)).headers["Cache-Control"] == "no-store"
    assert client.get(KEYS).headers["Cache-Control"] == "no-store"
