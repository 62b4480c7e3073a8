"""What part of the register somebody without a key carries away in ten minutes, under the shipped limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, product
from random import Random
from string import ascii_lowercase

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from registry.http.limits import EXTENSION, Limits
from registry.settings import Settings
from registry.store.counts import SharedCounts
from registry.store.database import writing
from tests.support.application import running
from tests.support.factories import make_body, make_person, make_registration
from tests.support.figures import Figures

PEOPLE = 560
TEN_MINUTES = 600.0
A_REQUEST_TAKES = 0.1
"""Seconds, of those that are simulated."""
MOST = 300 + 200
"""Look-ups, and people shown by searches, that the shipped settings allow in ten minutes."""


@dataclass
class Scraper:
    """Somebody who asks whatever may show people, notes whom it shows, and never gives up."""

    client: FlaskClient
    now: float = 0.0
    seen: set[str] = field(default_factory=set)
    asked: int = 0
    refused: int = 0

    def ask(self, path: str, body: object = None) -> TestResponse:
        self.now += A_REQUEST_TAKES
        self.asked += 1
        response = self.client.post(path, json=body) if body is not None else self.client.get(path)
        self.refused += response.status_code == 429
        assert response.status_code < 500
        return response

    def is_over(self) -> bool:
        return self.now >= TEN_MINUTES - 3 * A_REQUEST_TAKES


@pytest.fixture
def app(sqlite_url: str) -> Iterator[Flask]:
    drawn = Random(7)  # noqa: S311 - the same people in every run
    syllables = ("ba", "che", "di", "fo", "gru", "ha", "jo", "ki", "lu", "me", "no", "ra", "si", "to", "ve")
    with running(Settings(database_url=sqlite_url), limited=True) as app:
        with app.app_context(), writing() as tx:
            body = make_body(tx, "ca-xx")
            for place in range(PEOPLE):
                given, family = ("".join(drawn.choices(syllables, k=3)).title() for _ in range(2))
                person = make_person(tx, f"{given} {family}")
                make_registration(tx, body, person, number=f"PT-{place:05}", city="Banff")
        yield app


def searches() -> Iterator[str]:
    """By two letters, and by two of a given and two of a family name; then by city."""
    pairs = ["".join(each) for each in product(ascii_lowercase, repeat=2)]
    for pair in pairs:
        yield f"/v1/practitioners?limit=50&name={pair}"
        yield f"/v1/practitioners?limit=50&name={pair}+{pairs[(pairs.index(pair) * 7) % len(pairs)]}"
    yield "/v1/practitioners?limit=50&city=banff"
    yield from (f"/?q={pair}" for pair in pairs)


def take_all(scraper: Scraper) -> None:
    """Search by prefixes and follow each cursor; guess numbers, alone and by the batch; until it is over."""
    numbers = count()
    for path in searches():
        following: str | None = ""
        while following is not None and not scraper.is_over():
            more = f"&cursor={following}" if following else ""
            answer = scraper.ask(path + more)
            following = None
            if answer.status_code == 200 and answer.is_json:
                document = answer.get_json()
                scraper.seen |= numbers_in(document)
                following = document.get("next")
            number = f"PT-{next(numbers):05}"
            if scraper.ask(f"/v1/bodies/ca-xx/registrations/{number}").status_code == 200:
                scraper.seen.add(number)
            batch = [{"body": "ca-xx", "number": f"PT-{next(numbers):05}"} for _ in range(10)]
            answer = scraper.ask("/v1/verifications", {"questions": batch})
            if answer.status_code == 200:
                scraper.seen |= numbers_in(answer.get_json())
        if scraper.is_over():
            return


def numbers_in(document: object) -> set[str]:
    found = json.dumps(document).split("PT-")
    return {f"PT-{rest[:5]}" for rest in found[1:]}


def test_a_scraper_carries_away_in_ten_minutes_what_the_limits_say_and_no_more(
    app: Flask, figures: Figures
) -> None:
    scraper = Scraper(app.test_client())
    counts = SharedCounts(clock=lambda: scraper.now)
    app.extensions[EXTENSION] = Limits(app.extensions["registry.settings"], counts)
    while not scraper.is_over():
        take_all(scraper)
    figures.add("people shown to a scraper in ten simulated minutes", len(scraper.seen))
    figures.add("their share of a register of 100,000", len(scraper.seen) / 1_000, "%")
    figures.add("requests of the scraper", scraper.asked)
    assert scraper.refused > scraper.asked / 2, "it was not held up"
    assert 100 < len(scraper.seen) <= MOST
