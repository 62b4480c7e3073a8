"""A registrar's deadline day, by the keyboard alone; and two registrars at the same record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, Locator, Page

from registry import clock
from registry.domain.localtime import local_date
from registry.domain.rules import Renewal
from registry.services.people import get_person
from registry.settings import Settings
from registry.store.database import reading, writing
from registry.store.records import RegistrationRecord
from tests.support.application import serving
from tests.support.console import link_token
from tests.support.databases import SqliteDatabases
from tests.support.factories import make_body, make_person, make_registration, make_rules

BODY = "ca-own"
LATE = ("Ana Abara", "Bram Brontë", "Chloé Castillo", "Dae Đorđević", "Eszter Eriksen")
MOST_STOPS = 80


@pytest.fixture
def settings(sqlite_databases: SqliteDatabases) -> Iterator[Settings]:
    with sqlite_databases.migrated() as url:
        yield Settings(database_url=url)


@pytest.fixture
def late(app: Flask) -> list[RegistrationRecord]:
    """Five whose terms ended three days ago."""
    at = clock.now()
    with app.app_context(), writing() as tx:
        rules = make_rules(registration_renewal=Renewal(month=12, day=31))
        body = make_body(tx, BODY, rules=rules)
        today = local_date(at, body.zone)
        return [
            make_registration(
                tx,
                body,
                make_person(tx, name),
                number=f"PT-{number}",
                through=today - timedelta(days=3),
            )
            for number, name in enumerate(LATE, start=100)
        ]


@pytest.fixture
def server(app: Flask) -> Iterator[str]:
    with serving(app) as address:
        yield address


def link_for(app: Flask, label: str) -> str:
    with app.app_context(), writing() as tx:
        return f"/console/sign-in/link?token={link_token(tx, body=BODY, label=label)}"


def tab_to(page: Page, wanted: Locator) -> None:
    """Go on with the Tab key until it is there, as somebody would who looks where they are."""
    wanted.wait_for()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"the Tab key does not lead to {wanted}")


def press(page: Page, name: str, role: Any = "button", key: str = "Enter") -> None:
    tab_to(page, page.get_by_role(role, name=name, exact=True))
    page.keyboard.press(key)


def test_a_deadline_day_from_the_sign_in_to_an_empty_queue_by_the_keyboard(
    browser: Browser, app: Flask, late: list[RegistrationRecord], server: str
) -> None:
    with browser.new_context(locale="en-CA") as context:
        page = context.new_page()
        page.goto(server + link_for(app, "Nadia Okoye"))
        page.keyboard.press("Enter")  # the button has the focus
        page.wait_for_url("**/console/")

        press(page, "Lapses", "link")
        page.wait_for_url("**/console/lapses")
        assert page.get_by_role("row").filter(has_text="Registration lapsed").count() == len(late)

        # One comes in with their fee: renewed, after a look at what that does.
        press(page, "Renew PT-102", "link")
        press(page, "See what it would do")
        page.get_by_role("heading", name="What this would do").wait_for()
        press(page, "Record it")
        page.get_by_role("status").filter(has_text="Recorded").wait_for()

        # The others are written to: acknowledged together, with a note.
        press(page, "Lapses", "link")
        page.wait_for_url("**/console/lapses")
        assert page.get_by_role("row").filter(has_text="Registration lapsed").count() == len(late) - 1
        press(page, "Tick all on this page", key="Space")
        tab_to(page, page.get_by_label("Note"))
        page.keyboard.type("Written to today.")
        press(page, "Acknowledge")
        page.get_by_role("status").wait_for()
        assert page.get_by_text("Nothing waits").is_visible()
        assert page.get_by_role("row").count() == 0


def names_of(app: Flask, person_id: str) -> list[str]:
    with app.app_context(), reading() as connection:
        person = get_person(connection, person_id)
    return [name.full_name for name in person.names]


def test_a_second_registrar_is_shown_what_the_first_recorded_and_overwrites_nothing_unseen(
    browser: Browser, app: Flask, late: list[RegistrationRecord], server: str
) -> None:
    person = late[0].person.id
    with browser.new_context() as one, browser.new_context() as other:
        pages = []
        for context, label in ((one, "Nadia Okoye"), (other, "Jo Lind")):
            page = context.new_page()
            page.goto(server + link_for(app, label))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/console/")
            page.goto(f"{server}/console/people/{person}/names")
            pages.append(page)
        first, second = pages
        for page, name in ((first, "Ana Abara-Nwosu"), (second, "Anna Abara")):
            page.get_by_label("Name in full").first.fill(name)
        first.get_by_role("button", name="Record").click()
        first.get_by_role("status").wait_for()
        second.get_by_role("button", name="Record").click()
        second.get_by_role("alert").wait_for()
        assert names_of(app, person) == ["Ana Abara-Nwosu"]
        assert second.get_by_text("Ana Abara-Nwosu").first.is_visible()
        assert second.get_by_label("Name in full").first.input_value() == "Anna Abara"
        second.get_by_role("button", name="Record").click()
        second.get_by_role("status").wait_for()
        assert names_of(app, person) == ["Anna Abara"]
