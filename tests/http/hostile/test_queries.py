"""Whatever stands in a query: understood, or refused by the argument's name; never a failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient

from registry.http.cursors import cursor_at
from registry.http.web import cursors as of_pages
from registry.services import feed
from tests.http.conftest import Keys
from tests.http.hostile.conftest import Operation
from tests.support.attempts import Attempts, problem_in
from tests.support.effort import IS_LONG
from tests.support.hostile import TEXTS

PAGES = {
    "/": ("q", "city", "technique", "body", "after"),
    "/find": ("city", "technique", "mode", "speaks", "after"),
}
RAW = (
    "%",
    "%zz",
    "%00",
    "%ff",
    "%c0%ae",
    "%ed%a0%80",
    "%25%30%30",
    "&&==",
    "a=b=c",
    "[]=1",
    "%F0%9F",
    "+",
    ";",
)
"""As they stand in an address."""

ODD = (
    10**600,
    2**63,
    -(2**63) - 1,
    2**53 + 1,
    -1,
    "\x00",
    "a\x00",
    "\ud800",
    "x" * 600,
    "",
    "zz",
    "0",
    True,
    0.5,
)
"""Parts of a position in a list, as somebody would make them who makes cursors."""


def test_arguments_that_nobody_expects_never_break_anything(
    client: FlaskClient, keys: Keys, operations: list[Operation], attempts: Attempts
) -> None:
    asked = [(one, name) for one in operations for name in one.arguments if one.method == "GET"]
    for turn, (operation, name) in enumerate(asked):
        for text in TEXTS if IS_LONG else TEXTS[turn % 5 :: 5]:
            given = f"{name}={quote(text.encode('utf-8', 'surrogatepass'))}"
            response = operation.send(client, keys.operator, query_string=given)
            attempts.of(response, (operation.name, given))
            if response.status_code >= 400:
                problem_in(response)
        for raw in RAW:
            response = operation.send(client, keys.operator, query_string=f"{name}={raw}&{raw}")
            attempts.refused(response, (operation.name, name, raw), 422)


def test_arguments_of_pages_never_break_anything(client: FlaskClient, keys: Keys, attempts: Attempts) -> None:
    for path, names in PAGES.items():
        for turn, name in enumerate(names):
            for text in TEXTS if IS_LONG else TEXTS[turn % 3 :: 3]:
                given = f"q=ana&city=x&{name}={quote(text.encode('utf-8', 'surrogatepass'))}"
                attempts.of(client.get(path, query_string=given), (path, given))


def test_a_position_that_somebody_made_up_is_refused_or_empty(
    app: Flask, client: FlaskClient, keys: Keys, operations: list[Operation], attempts: Attempts
) -> None:
    paged = [one for one in operations if "cursor" in one.arguments]
    assert len(paged) > 10
    for operation in paged:
        for given in ({}, {"name": "silva"}) if "name" in operation.arguments else ({},):
            for parts in _positions():
                with app.test_request_context(operation.path, query_string=given):
                    cursor = cursor_at(parts)
                response = operation.send(client, keys.operator, query_string={**given, "cursor": cursor})
                attempts.of(response, (operation.name, parts))
                if response.status_code >= 400:
                    problem_in(response)


def _plain(part: Any) -> Any:
    return str(part) if isinstance(part, date) else part


def _positions() -> Iterator[list[Any]]:
    for odd in ODD:
        yield [odd]
        yield [date(2026, 3, 1), odd]
        for at in range(5):
            kinds: list[Any] = [0, "a", "b", "c", 0]
            kinds[at] = odd
            yield kinds


def test_nor_does_one_break_a_page_or_the_feed(
    client: FlaskClient, keys: Keys, bearer, attempts: Attempts
) -> None:
    for parts in _positions():
        cursor = of_pages.cursor_of(list(map(_plain, parts)), widened=False)
        attempts.of(client.get("/", query_string={"q": "ana", "after": cursor}), parts)
    for seq in (10**30, 2**63, 2**63 - 1, 2**53 + 1, -1):
        for event in ("", "0" * 36, "\x00", "x" * 500):
            after = feed.cursor_of(feed.Place(seq, event))
            response = client.get("/v1/changes", query_string={"after": after}, headers=bearer(keys.clinic))
            attempts.of(response, (seq, event))
