"""Lists go on where they stopped, whatever was added meanwhile; a cursor answers its own question alone."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from datetime import date
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from registry.errors import Invalid
from registry.http.cursors import cursor_at, position

KEYS = "/v1/admin/keys"


def walk(client: FlaskClient, headers: dict[str, str], path: str) -> list[str]:
    """The identifiers in all pages, by ``Link``."""
    found: list[str] = []
    following: str | None = path
    while following:
        response = client.get(following, headers=headers)
        assert response.status_code == 200
        found += [item["id"] for item in response.get_json()["items"]]
        link = re.fullmatch('<(.*)>; rel="next"', response.headers.get("Link", ""))
        assert (response.get_json()["next"] is None) == (link is None)
        following = link and link[1]
    return found


def test_pages_of_any_size_make_the_same_list(client: FlaskClient, keys, bearer) -> None:
    headers = bearer(keys.operator)
    whole = walk(client, headers, KEYS)
    assert len(set(whole)) == 6
    for limit in (1, 2, 5, 6, 7):
        assert walk(client, headers, f"{KEYS}?limit={limit}") == whole


def test_the_next_page_keeps_the_other_arguments(client: FlaskClient, keys, bearer) -> None:
    headers = bearer(keys.operator)
    assert len(walk(client, headers, f"{KEYS}?body=ca-own&limit=1")) == 2


def test_a_cursor_of_another_question_is_refused(client: FlaskClient, keys, bearer) -> None:
    headers = bearer(keys.operator)
    cursor = client.get(f"{KEYS}?limit=1", headers=headers).get_json()["next"]
    assert client.get(f"{KEYS}?cursor={cursor}", headers=headers).status_code == 200  # another limit is none
    response = client.get(f"{KEYS}?body=ca-own&cursor={cursor}", headers=headers)
    assert response.status_code == 422
    assert response.get_json(force=True)["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "====", "AAAA", "%00", "\u00e9", "a" * 1001, "W10", "e30", "MQ", "bnVsbA"),
        urlsafe_b64encode(b"[" * 700).decode(),
        urlsafe_b64encode(b'[1,"000000000000","x"]').decode(),
        urlsafe_b64encode(b"[1," + b"9" * 600 + b"]").decode(),
    ],
)
def test_what_is_no_cursor_is_refused(client: FlaskClient, keys, bearer, cursor: str) -> None:
    response = client.get(KEYS, query_string={"cursor": cursor}, headers=bearer(keys.operator))
    assert response.status_code == 422
    assert response.get_json(force=True)["errors"][0]["parameter"] == "cursor"


def test_a_position_comes_back_as_it_was(app: Flask) -> None:
    with app.test_request_context("/v1/lapses?kind=x"):
        cursor = cursor_at([date(2026, 3, 31), 7, "Đorđević"])
        assert position({"cursor": cursor}, date, int, str) == (date(2026, 3, 31), 7, "Đorđević")
        assert position({"cursor": None}, date) is None


@pytest.mark.parametrize("kinds", [(str, str), (date,), (int, int), (int,), (int, date)])
def test_a_position_of_another_kind_is_refused(app: Flask, kinds: tuple[type, ...]) -> None:
    with app.test_request_context("/v1/lapses"):
        cursor = cursor_at([5, "x"])
        with pytest.raises(Invalid):
            position({"cursor": cursor}, *kinds)


def test_a_cursor_is_safe_in_an_address(app: Flask) -> None:
    with app.test_request_context("/v1/lapses"):
        cursor = cursor_at(["\u00ff\u00fe~~~???"])
    assert re.fullmatch("[A-Za-z0-9_-]+", cursor)
    assert urlsplit(f"/x?cursor={cursor}").query == f"cursor={cursor}"
