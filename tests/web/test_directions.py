"""A name may turn the direction of writing. It is shown as it is kept, and turns nothing but itself."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from registry.domain.decisions import Condition, StatusReport
from registry.domain.rules import TrainingRequirement
from registry.domain.vocabulary import DecisionKind, PracticePermission, Technique
from registry.http.directions import TURNING, contained, is_from_the_left, isolated
from registry.settings import Settings
from registry.store.database import writing
from tests.support.application import running, serving
from tests.support.factories import (
    decide,
    make_authorization,
    make_body,
    make_person,
    make_registration,
    make_rules,
    make_training,
)

TEXTS = {
    "override": "Ana \u202eavliS",
    "breaks out": "Ana\u2069\u2069\u202eavliS",
    "breaks out and in": "\u2069Ana\u202e\u2066avliS",
    "left open": "Ana\u2067 Silva",
    "left open often": "Ana" + "\u2067" * 140,
    "a paragraph": "Ana\u2029\u202eavliS",
    "a line": "Ana\u2028\u202eavliS",
    "ends too much": "\u202c\u202c\u2069\u202c\u2069Ana\u202e",
    "from the right": "مريم Ana",
    "no character": "Ana\ufffe\uffff",
}
"""By what they do, or try to do."""

THROUGH = date(2028, 1, 1)
LETTERS = "ab \u05d0\u0627\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029\u0085\u001c\n"


def leaks(text: str, *, isolates: bool) -> bool:
    """Whether a piece of text turns what stands behind it, by the rules X1 to X8 and P1 of UAX #9.

    :param isolates: whether the piece is the whole of an isolate, at whose end embeddings end, too.
    """
    opened: list[str] = []
    for character in text:
        if character in "\u2029\u0085\u001c\u001d\u001e" and isolates:
            return True
        if character in "\u202a\u202b\u202d\u202e":
            if not isolates and "isolate" not in opened:
                return True
            opened.append("embedding")
        elif character in "\u2066\u2067\u2068":
            opened.append("isolate")
        elif character == "\u202c" and opened[-1:] == ["embedding"]:
            opened.pop()
        elif character == "\u2069":
            if "isolate" not in opened:
                return True
            while opened.pop() != "isolate":
                pass
    return "isolate" in opened or (not isolates and bool(opened))


@given(st.text(LETTERS, max_size=40))
def test_what_is_contained_turns_nothing_and_loses_nothing_else(text: str) -> None:
    shown = contained(text)
    assert not leaks(shown, isolates=True)
    assert not leaks(isolated(text), isolates=False)
    assert contained(shown) == shown
    turns = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), "")
    paragraphs = dict.fromkeys(map(ord, "\u0085\u001c\u001d\u001e\u2028\u2029"), " ")
    assert shown.translate(turns) == text.translate(turns).translate(paragraphs)


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40))
def test_what_does_no_harm_is_left_as_it_is(text: str) -> None:
    if not TURNING.search(text) and "\ufffe" not in text and "\uffff" not in text:
        assert contained(text) == text


@pytest.mark.parametrize(
    ("text", "is_from_left"), [("Zoë O’Brien", True), ("PT-1", True), ("مريم", False), ("a\u202e", False)]
)
def test_only_what_would_turn_is_isolated(text: str, is_from_left: bool) -> None:
    assert is_from_the_left(text) is is_from_left


ISOLATING = ("bdi", "option")


class Page(HTMLParser):
    """Finds the pieces of text of a page that turn what stands behind them."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.leaking: list[str] = []
        self._isolated = 0
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._isolated += tag in ISOLATING
        self.leaking += [value for _, value in attrs if value and leaks(value, isolates=True)]

    def handle_endtag(self, tag: str) -> None:
        self._isolated -= tag in ISOLATING

    def handle_data(self, data: str) -> None:
        if leaks(data, isolates=self._isolated > 0):
            self.leaking.append(data)


@pytest.fixture(scope="module")
def app(sqlite_databases) -> Iterator[Flask]:
    with (
        sqlite_databases.migrated() as url,
        running(Settings(database_url=url, public_url="https://needles.example")) as app,
    ):
        with app.app_context():
            for number, text in enumerate(TEXTS.values()):
                _somebody_called(text, f"ca-{number}")
        yield app


def _somebody_called(text: str, code: str) -> None:
    """Someone of whom every text is this one."""
    rules = make_rules(eligible_classes=None, requirements={t: TrainingRequirement() for t in Technique})
    public: dict[str, Any] = {"publishes_training": True, "publishes_former_names": True}
    with writing() as tx:
        body = make_body(tx, code, rules=rules, name=f"College {text}", **public)
        person = make_person(
            tx, f"{text} Hostile", former=(f"{text} Former",), languages=("en", f"{text}%s%")
        )
        make_training(tx, person, body, title=text, provider=text, hours_theory=1)
        record = make_registration(
            tx, body, person, number="PT-1", city=f"Calgary {text}", register_class=text, through=THROUGH
        )
        limits: dict[str, Any] = {"conditions": (Condition(f"Only {text}"),), "excluded_regions": (text,)}
        make_authorization(tx, record, through=THROUGH, **limits)
        other = make_registration(tx, body, make_person(tx, f"{text} Hostile"), number="PT-2", city="Calgary")
        unread = StatusReport(text, PracticePermission.UNKNOWN)
        decide(tx, other, DecisionKind.STATUS_REPORTED, date(2026, 1, 1), report=unread)


def addresses() -> list[str]:
    found = ["/?q=hostile", "/?q=former", "/find?city=Calgary", "/ar/?q=hostile", "/fr/find?city=Calgary"]
    for number in range(len(TEXTS)):
        for page in (f"/check/ca-{number}/PT-1", f"/check/ca-{number}/PT-2"):
            found += [
                page,
                f"/ar{page}",
                f"/fr{page}/easy",
                f"{page}/easy",
                f"{page}/card",
                f"/ar{page}/card",
            ]
        found += [f"/check/ca-{number}/PT-3"]  # was never registered
    return found


def test_no_page_is_turned_by_a_name(client: FlaskClient, figures) -> None:
    seen = addresses()
    for path in seen:
        response = client.get(path, headers={"Accept": "text/html"})
        assert response.status_code in (200, 404), path
        assert Page(response.text).leaking == [], path
    figures.add("hostile inputs tried", len(seen))


@pytest.mark.parametrize("what", TEXTS)
def test_names_are_shown_as_they_are_kept(client: FlaskClient, what: str) -> None:
    number = list(TEXTS).index(what)
    page = html.unescape(client.get(f"/check/ca-{number}/PT-1").text)
    assert f"<bdi>{contained(TEXTS[what] + ' Hostile')}</bdi>" in page
    kept = client.get(f"/v1/bodies/ca-{number}/registrations/PT-1/verification").get_json()
    assert kept["practitioner"]["name"] == f"{TEXTS[what]} Hostile"


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("path", ["badge.svg", "changes.atom"])
def test_pictures_and_feeds_are_well_formed_and_not_turned(client: FlaskClient, path: str, what: str) -> None:
    for language in ("", "/ar"):
        response = client.get(f"{language}/check/ca-{list(TEXTS).index(what)}/PT-1/{path}")
        assert response.status_code == 200
        for element in ET.fromstring(response.text).iter():  # noqa: S314 - our own answer
            assert not leaks(element.text or "", isolates=False)


def test_a_language_that_nobody_knows_is_only_a_word(client: FlaskClient) -> None:
    assert "%s%" in client.get("/check/ca-0/PT-1").text


OUT_OF_ORDER = """
() => {
  const found = [];
  const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (node.parentElement.closest("bdi, script, option, [hidden]")) continue;
    let last = null;
    for (let at = 0; at < node.length; at++) {
      if (!/[A-Za-z]/.test(node.data[at])) continue;
      range.setStart(node, at); range.setEnd(node, at + 1);
      const box = range.getBoundingClientRect();
      if (!box.width) continue;
      if (last && Math.abs(box.top - last.top) < 4 && box.left < last.left) {
        found.push(node.data.trim()); break;
      }
      last = box;
    }
  }
  return found;
}
"""
"""The pieces of text outside of names whose Latin letters do not stand from left to right."""


@pytest.fixture
def read_in_order(app: Flask, browser: Browser) -> Iterator[Callable[[str], list[str]]]:
    with serving(app) as server, browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()

        def out_of_order(path: str) -> list[str]:
            page.goto(f"{server}{path}")
            page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
            found: list[str] = page.evaluate(OUT_OF_ORDER)
            return found

        yield out_of_order


def test_in_a_browser_every_sentence_stands_in_its_order(read_in_order: Callable[[str], list[str]]) -> None:
    for number, what in enumerate(TEXTS):
        for path in (f"/check/ca-{number}/PT-1", f"/check/ca-{number}/PT-2", f"/check/ca-{number}/PT-1/easy"):
            assert read_in_order(path) == [], (what, path)
    assert read_in_order("/?q=hostile") == []
