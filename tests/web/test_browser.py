"""The pages in a real browser: at 320 and 1280 pixels, with and without scripts, light and dark,"
" either way."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page

from registry.http.web.blueprint import PAGES
from tests.support.application import serving
from tests.support.pages import Visitor
from tests.support.people_in_every_state import BODY, NUMBERS, OTHER

ADDRESSES = {
    "search": "/",
    "matches": "/?q=authorization",
    "nobody": "/?q=qwxyz&city=Calgary",
    "refused search": "/?q=a&technique=x",
    "yes": f"/check/{BODY}/YES-1",
    "conditions": f"/check/{BODY}/COND-1",
    "several answers": f"/check/{BODY}/MIX-1",
    "no": f"/check/{BODY}/SUSP-1",
    "cannot tell": f"/check/{BODY}/RUNREAD-1",
    "withheld": f"/check/{BODY}/HID-1",
    "refused day": f"/check/{BODY}/YES-1?on=2026-02-30",
    "easy": f"/check/{BODY}/MIX-1/easy",
    "card": f"/check/{BODY}/YES-1/card",
    "about": "/about",
    "easy about": "/about/easy",
    "find": "/find",
    "list": "/find?city=Calgary",
    "never registered": f"/check/{OTHER}/COND-1",
    "not found": "/en/nothing",
}
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}
WIDTHS = (320, 1280)
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def server(app: Flask) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def visitor(browser: Browser, server: str) -> Iterator[Visitor]:
    with browser.new_context(viewport={"width": 320, "height": 640}, accept_downloads=False) as context:
        yield Visitor(context, server)


@pytest.fixture
def without_scripts(browser: Browser, server: str) -> Iterator[Visitor]:
    with browser.new_context(java_script_enabled=False) as context:
        yield Visitor(context, server)


def test_every_page_is_visited() -> None:
    visited = [path.partition("?")[0] for path in ADDRESSES.values()]
    patterns = {rule: re.compile(re.sub(r"<[^>]*>", "[^/]+", rule)) for rule in PAGES}
    missing = [rule for rule, pattern in patterns.items() if not any(map(pattern.fullmatch, visited))]
    assert missing == []


def _overflow(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def _violations(page: Page) -> list[str]:
    results: Any = Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    return [
        f"{found['id']}: {node['html'][:200]}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
@pytest.mark.parametrize("name", ADDRESSES)
def test_everyone_can_use_the_page(visitor: Visitor, name: str, language: str) -> None:
    path = ADDRESSES[name].removeprefix("/en")
    page = visitor.go(f"/{language}{path}")
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
        assert _overflow(page) == 0
        assert _violations(page) == []
    assert visitor.elsewhere == []
    assert visitor.complaints == []


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_page_is_whole_without_scripts(visitor: Visitor, without_scripts: Visitor, name: str) -> None:
    page = without_scripts.go(ADDRESSES[name])
    for width, scheme in product(WIDTHS, SCHEMES):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
        assert _overflow(page) == 0
    page.set_viewport_size({"width": 320, "height": 640})
    with_scripts = visitor.go(ADDRESSES[name])
    assert set(_words(page)) <= set(_words(with_scripts))
    assert without_scripts.elsewhere == []


def _words(page: Page) -> list[str]:
    return [line.strip() for line in page.locator("main").inner_text().splitlines() if ":" not in line]


@pytest.mark.parametrize("name", ["search", "several answers", "list", "about"])
@pytest.mark.parametrize("language", ["en", "ar"])
def test_text_grows_to_four_times_its_size(visitor: Visitor, name: str, language: str) -> None:
    """Zoomed to 400 %, a window of 1280 pixels is one of 320. And text alone may grow, in either window."""
    page = visitor.go(f"/{language}{ADDRESSES[name]}")
    assert _overflow(page) == 0
    for width, size in ((320, "200%"), (1280, "400%")):
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
        assert _overflow(page) == 0


def test_from_the_search_to_the_verdict_by_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.go("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "govuk-skip-link"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("obrien lukasz zoe")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=*")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == f"/check/{BODY}/YES-1":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/check/{BODY}/YES-1")
    assert page.locator(".answer__word").first.inner_text().endswith("Yes.")


def test_what_is_wrong_is_read_first_after_a_refusal(visitor: Visitor) -> None:
    page = visitor.go("/?q=a")
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "q"


@pytest.mark.parametrize("number", NUMBERS)
def test_the_sentence_is_the_answer_of_the_api(without_scripts: Visitor, number: str) -> None:
    without_scripts.compares_with_the_api(BODY, number)


def test_the_card_fits_one_a6_page(visitor: Visitor) -> None:
    page = visitor.go(ADDRESSES["card"])
    session = page.context.new_cdp_session(page)
    printed = b64decode(session.send("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1
    assert re.search(rb"/MediaBox\s*\[\s*0 0 29[78][.\d]* 4(19|20)[.\d]*\s*\]", printed)


def test_an_answer_is_never_told_by_colour_alone(visitor: Visitor) -> None:
    for number, sign in (("YES-1", "✓"), ("SUSP-1", "✕"), ("SUP-1", "!"), ("RUNREAD-1", "?")):
        page = visitor.go(f"/check/{BODY}/{number}")
        assert page.locator(".answer__sign").first.inner_text() == sign
        assert page.locator(".answer__word").first.inner_text().strip(f"{sign}\n ")


def test_a_language_is_chosen_and_kept(visitor: Visitor) -> None:
    page = visitor.go(f"/check/{BODY}/COND-1")
    page.get_by_role("link", name="Français").click()
    assert page.url.endswith(f"/fr/check/{BODY}/COND-1")
    assert "Oui, avec des conditions." in page.locator(".answer__word").first.inner_text()
    visitor.go("/")
    assert page.locator("html").get_attribute("lang") == "fr"
