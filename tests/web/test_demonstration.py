"""The demonstration register: its pages say what its API answers, of everyone in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser
from sqlalchemy import text

from registry.demo import SHOWCASES, load_demonstration
from registry.http.web.languages import LANGUAGES
from registry.settings import Settings
from tests.support.application import running, serving
from tests.support.databases import SqliteDatabases
from tests.support.factories import database
from tests.support.pages import FIRST_WORDS, Visitor
from tests.support.people_in_every_state import NOW


@pytest.fixture(scope="module")
def demonstration_url(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    with sqlite_databases.migrated() as url:
        with database(url) as engine, engine.begin() as tx:
            load_demonstration(tx, NOW)
        yield url


@pytest.fixture(scope="module")
def demonstration(demonstration_url: str) -> Iterator[Flask]:
    with running(Settings(database_url=demonstration_url)) as app:
        yield app


@pytest.fixture(scope="module")
def demonstration_server(demonstration: Flask) -> Iterator[str]:
    with serving(demonstration) as address:
        yield address


EVERYONE = text(
    "SELECT b.code, r.number FROM registrations r JOIN bodies b ON b.id = r.body_id ORDER BY r.id"
)


def test_each_page_says_of_each_technique_what_the_api_answers(
    demonstration: Flask, demonstration_url: str
) -> None:
    client = demonstration.test_client()
    with database(demonstration_url) as engine, engine.connect() as connection:
        everyone = connection.execute(EVERYONE).all()
    seen = set()
    for body, number in everyone:
        answer = client.get(f"/v1/bodies/{body}/registrations/{number}/verification").get_json()
        page = client.get(f"/check/{body}/{number}").text
        rows = dict(re.findall(r'data-technique="(\w+)".*?</span> ([^<]+)</span>', page))
        assert rows == {v["technique"]: FIRST_WORDS.get(v["outcome"], "No.") for v in answer["verdicts"]}
        seen |= {v["outcome"] for v in answer["verdicts"]}
    assert {showcase.outcome for showcase in SHOWCASES} <= seen


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_showcase_can_be_read_in_every_language(demonstration: Flask, code: str) -> None:
    client = demonstration.test_client()
    for showcase in SHOWCASES:
        for kind in ("", "/easy", "/card", "/badge.svg", "/changes.atom"):
            path = f"/{code}/check/{showcase.body}/{showcase.number}{kind}"
            assert client.get(path).status_code == 200, path


def test_the_sentence_is_the_answer_of_the_api(browser: Browser, demonstration_server: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        visitor = Visitor(context, demonstration_server)
        for showcase in SHOWCASES:
            visitor.compares_with_the_api(showcase.body, showcase.number)
        assert visitor.elsewhere == []
