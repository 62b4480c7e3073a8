"""In which language a page is spoken, and that it is spoken throughout."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from tests.support.people_in_every_state import BODY

PAGES = (
    "/",
    "/about",
    "/about/easy",
    "/find?city=Calgary",
    f"/check/{BODY}/COND-1",
    f"/check/{BODY}/COND-1/card",
)


def _language(client: FlaskClient, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    found = re.search(r'<html [^>]*lang="(\w+)"', response.text)
    assert found is not None
    assert response.headers["Content-Language"] == found[1]
    return found[1]


def test_the_address_goes_before_the_cookie_and_the_cookie_before_the_browser(client: FlaskClient) -> None:
    browser = {"Accept-Language": "de;q=0.9, ar-EG;q=0.8, en;q=0.5"}
    assert _language(client, "/about") == "en"
    assert _language(client, "/about", **browser) == "ar"
    client.set_cookie("language", "fr")
    assert _language(client, "/about", **browser) == "fr"
    assert _language(client, "/en/about", **browser) == "en"


def test_a_language_that_is_not_wanted_is_not_taken(client: FlaskClient) -> None:
    assert _language(client, "/about", **{"Accept-Language": "fr;q=0, *"}) == "en"


def test_caches_keep_the_languages_apart(client: FlaskClient) -> None:
    assert client.get("/about").headers["Vary"] == "Accept-Language, Cookie"
    assert "Vary" not in client.get("/fr/about").headers


def test_a_chosen_language_is_remembered_and_leads_back(client: FlaskClient) -> None:
    response = client.get(f"/language/fr?to=/check/{BODY}/YES-1%3Fon%3D2026-12-01")
    assert response.location == f"/fr/check/{BODY}/YES-1?on=2026-12-01"
    assert client.get_cookie("language") is not None
    assert _language(client, "/") == "fr"


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x", "", "x"]
)
def test_nobody_is_led_elsewhere(client: FlaskClient, to: str) -> None:
    assert client.get("/language/fr", query_string={"to": to}).location == "/fr/"


def test_links_stay_in_the_language_of_the_address(client: FlaskClient) -> None:
    links = re.findall(r'<a [^>]*href="(/[^"]*)"', client.get(f"/ar/check/{BODY}/YES-1").text)
    assert links
    assert all(link.startswith(("/ar/", "/language/")) for link in links)


@pytest.mark.parametrize("path", PAGES)
def test_no_english_is_left_in_a_page_of_another_language(client: FlaskClient, path: str) -> None:
    """Compared word by word with the English page; what the register keeps, and sources, stay as they are."""
    english = _own_words(client.get(f"/en{path}").text)
    for code in ("fr", "ar"):
        shared = english & _own_words(client.get(f"/{code}{path}").text)
        assert {phrase for phrase in shared if len(phrase.split()) > 2} == set()


def _own_words(page: str) -> set[str]:
    main = page[page.index("<main") : page.index("</main>")]
    main = re.sub(r"<(bdi|code|option)[ >].*?</\1>", "", main, flags=re.DOTALL)
    return {
        " ".join(text.split()) for text in re.findall(r">([^<]+)<", main) if re.search("[A-Za-z]{3}", text)
    }


def test_the_direction_is_that_of_the_language(client: FlaskClient) -> None:
    assert 'lang="ar" dir="rtl"' in client.get("/ar/").text
    assert 'lang="fr" dir="ltr"' in client.get("/fr/").text


def test_no_other_first_part_is_a_language(client: FlaskClient) -> None:
    assert client.get("/de/about").status_code == 404
