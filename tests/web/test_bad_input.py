"""Whatever is typed: a page that says what is wrong, no trace of the machinery, and nothing unescaped."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from registry.errors import Unavailable
from tests.support.people_in_every_state import BODY

SCRIPT = "<script>alert(1)</script>"
ODD: dict[str, str | bytes] = {
    "a script": SCRIPT,
    "markup in quotes": '"><img src=x onerror=alert(1)>',
    "10,000 letters": "a" * 10_000,
    "NUL": "Anna\0Smith",
    "a right-to-left override": "Anna\u202eSmith",
    "a private character": "Anna\ue000",
    "bytes that are no UTF-8": b"\xff\xfe\xfa",
    "a picture": "Anna 💉",
    "a template": "{{ 7*1234567 }}",
}
REFUSED = ODD.keys() - {"a template"}


@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize(
    "path", ["/?q=", "/ar/?q=", "/find?city=", f"/check/{BODY}/YES-1?on=", "/?technique="]
)
def test_it_is_refused_or_searched_for_and_never_repeated_raw(
    client: FlaskClient, path: str, what: str
) -> None:
    base, _, name = path.partition("?")
    response = client.get(base, query_string=_query(name.rstrip("="), ODD[what]))
    assert response.status_code in ((422,) if what in REFUSED else (200, 422))
    assert response.content_type == "text/html; charset=utf-8"
    for raw in (SCRIPT, "<img src=x", "8641969", "Traceback", "\0", "\u202e"):
        assert raw not in response.text
    assert len(response.data) < 25_000


def _query(name: str, value: str | bytes) -> str:
    from urllib.parse import quote

    return f"{name}={quote(value)}"


@pytest.mark.parametrize("what", ODD)
def test_as_a_number_it_is_not_found(client: FlaskClient, what: str) -> None:
    response = client.get(f"/check/{BODY}/{_query('', ODD[what])[1:]}", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert SCRIPT not in response.text
    assert 'role="search"' in response.text


def test_a_page_that_is_not_there_offers_the_search_to_people(client: FlaskClient) -> None:
    response = client.get("/nothing/here", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert response.status_code == 404
    assert 'role="search"' in response.text


@pytest.mark.parametrize("path", ["/nothing/here", "/v1/nothing"])
def test_and_a_problem_document_to_programs(client: FlaskClient, path: str) -> None:
    assert client.get(path).content_type == "application/problem+json"
    assert (
        client.get("/v1/nothing", headers={"Accept": "text/html"}).content_type == "application/problem+json"
    )


def test_a_page_cannot_be_posted_to(client: FlaskClient) -> None:
    response = client.post("/", headers={"Accept": "text/html"})
    assert response.status_code == 405
    assert response.headers["Allow"]
    assert "This page cannot be used like that" in response.text


def test_a_register_that_cannot_be_reached_is_no_yes(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> None:
        raise Unavailable("The register cannot be reached.")

    monkeypatch.setattr("registry.services.look_up.find", unavailable)
    response = app.test_client().get(f"/check/{BODY}/YES-1")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "Until then, take nothing as a yes." in response.text


def test_a_fault_of_ours_is_no_yes_and_tells_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("registry.services.look_up.find", fail)
    monkeypatch.setattr(app, "testing", False)
    response = app.test_client().get(f"/check/{BODY}/YES-1")
    assert response.status_code == 500
    assert "hunter2" not in response.text
    assert response.headers["X-Request-Id"] in response.text


def test_pages_say_what_browsers_may_do(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_no_page_has_a_script_or_a_style_of_its_own(client: FlaskClient) -> None:
    for path in ("/", "/about", "/find?city=Calgary", f"/check/{BODY}/YES-1", f"/check/{BODY}/YES-1/card"):
        page = client.get(path).text
        assert "<style" not in page
        assert " style=" not in page
        assert "<script>" not in page
        assert re.search(r"<[^>]*\son\w+=", page) is None


def test_assets_are_kept_for_good_under_their_version_alone(client: FlaskClient) -> None:
    page = client.get("/").text
    path = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert client.get(path).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in client.get(path.split("?")[0]).headers["Cache-Control"]
    assert client.get("/assets/../settings.py").status_code == 404
    assert "MIT License" in client.get("/assets/LICENSE-govuk-frontend.txt").text
