"""The console in a real browser, over the demonstration register: every page, and what others might try."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Connection

from bench.console import BEGINNINGS, NO_PAGES, pages_of
from registry import clock
from registry.demo import load_demonstration
from registry.http.sessions import is_of_console
from registry.services import merges, people
from registry.services.import_mapping import look_at
from registry.services.imports import preview_import, receive_import
from registry.services.principals import Role
from registry.services.rules_drafts import make_draft, weigh_draft
from registry.settings import Settings
from registry.sheets.guessing import document_of
from registry.store.database import reading, writing
from registry.store.imports import Received
from registry.store.merges import merges_of_person
from registry.store.records import Body, find_body
from tests.support.application import running, serving
from tests.support.console import link_token, sign_in
from tests.support.databases import SqliteDatabases
from tests.support.factories import BY, make_course, make_person, make_registration, make_training
from tests.support.pages import Visitor

BODY = "ca-ab"
HOSTILE = "\u202e\"'><img src=x onerror=pwned=1><script>pwned=1</script>{{7919*7919}}"
WCAG = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}
VIEWS = ((320, "light"), (1280, "dark"))
"""Each width and each scheme once: no colour depends on the width, and no width on the colours."""


@pytest.fixture(scope="module")
def demonstration_url(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    with sqlite_databases.migrated() as url:
        yield url


@pytest.fixture(scope="module")
def demonstration(demonstration_url: str) -> Iterator[Flask]:
    with running(Settings(database_url=demonstration_url)) as app:
        with app.app_context(), writing() as tx:
            load_demonstration(tx, clock.now())
            app.extensions["tests.hostile"] = make_hostile_person(tx)
        yield app


def make_hostile_person(tx: Connection) -> str:
    """Somebody whose every word would be obeyed by a page that did not escape it: their identifier."""
    at, day = clock.now(), clock.now().date()
    body = find_body(tx, BODY)
    assert body is not None
    person = make_person(
        tx, f"Robin {HOSTILE}", legal=f"Legal {HOSTILE}", former=[f"Former {HOSTILE}"], at=at
    )
    first, last = day - timedelta(days=300), day - timedelta(days=3)
    city = f"Calgary {HOSTILE}"
    make_registration(tx, body, person, number="PT-666", city=city, effective_on=first, through=last, at=at)
    make_training(tx, person, body, title=f"Needles {HOSTILE}", at=at)
    make_course(tx, body, f"Course {HOSTILE}", provider=HOSTILE, at=at)
    duplicate = make_person(tx, f"Robyn {HOSTILE}", at=at)
    make_registration(tx, body, duplicate, number="PT-667", at=at)
    make_hostile_file(tx, body)
    rules = replace(body.rules.on(day), holds_from=day, eligible_classes=frozenset({HOSTILE}))
    draft = make_draft(tx, body, rules, f"Because {HOSTILE}", by=BY, at=at)
    weigh_draft(lambda: nullcontext(tx), draft.id, at=at, progress=lambda *_: None)
    kept = people.get_person(tx, person.id)
    merges.merge_people(tx, kept, duplicate.id, reason=f"The same {HOSTILE}", by=BY, at=at)
    return person.id


def make_hostile_file(tx: Connection, body: Body) -> None:
    """An import whose cells would be obeyed; one of its rows is rejected."""
    cells = f'"{HOSTILE.replace(chr(34), chr(34) * 2)}"'
    rows = [f"H-{n},Robin,{cells},{cells},2025-01-01,{end}" for n, end in enumerate(["2030-01-01", "never"])]
    text = "\n".join(("Reg. No,First name,Last name,Status,Registered,Expires", *rows))
    look = look_at(file := io.BytesIO(text.encode()))
    document = document_of(look.guess, look.header) | {"dates": {"formats": ["YYYY-MM-DD"]}}
    document["registration"] |= {"first_day": "Registered", "last_day": "Expires"}
    received = Received(body.id, f"{HOSTILE}.csv", "guessed", document, clock.now().date(), partial=False)
    found = receive_import(tx, received, file, by=BY, at=clock.now())
    preview_import(lambda: nullcontext(tx), found.id, by=BY, at=clock.now())


@pytest.fixture(scope="module")
def server(demonstration: Flask) -> Iterator[str]:
    with serving(demonstration) as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-CA") as context:
        yield context


def enter(visitor: Visitor, app: Flask, **options: Any) -> Page:
    """Sign in by a link, as somebody would."""
    with app.app_context(), writing() as tx:
        token = link_token(tx, **options)
    page = visitor.go(f"/console/sign-in/link?token={token}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{visitor.server}/console/")
    return page


@pytest.fixture
def visitor(context: BrowserContext, server: str, demonstration: Flask) -> Visitor:
    """A registrar, signed in."""
    visitor = Visitor(context, server)
    enter(visitor, demonstration, body=BODY)
    return visitor


def addresses(app: Flask) -> dict[str, str]:
    """Every page that links lead an operator to, and those of who is not signed in."""
    desk = sign_in(app, role=Role.OPERATOR, label="Olu Operator")
    assert desk.post("/console/body", {"body": BODY}).status_code == 303
    hostile = app.extensions["tests.hostile"]
    with app.app_context(), reading() as connection:
        merge = merges_of_person(connection, hostile)[0].id
    first = (f"/console/people/{hostile}", f"/console/merges/{merge}", *BEGINNINGS)
    return pages_of(app, desk.get, first)


def violations(page: Page) -> list[str]:
    results: Any = Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
    return [
        f"{found['id']}: {node['html'][:200]}"
        for found in results.response["violations"]
        for node in found["nodes"]
    ]


def obeyed(page: Page) -> list[str]:
    """What of a hostile name became more than text."""
    is_obeyed = page.evaluate("'pwned' in window || document.querySelector('img[src=x]') !== null")
    return ["a name was obeyed"] if is_obeyed or "62710561" in page.content() else []


def overflow(page: Page) -> int:
    width: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


def test_everyone_can_use_every_page(context: BrowserContext, server: str, demonstration: Flask) -> None:
    operator = Visitor(context, server)
    found = addresses(demonstration)
    visited = {
        "not signed in": "/console/sign-in",
        "lost": "/console/sign-in?lost=1&left=1",
        "link": "/console/sign-in/link",
    }
    wrong: dict[str, list[Any]] = {}

    def look(name: str, path: str) -> None:
        page = operator.go(path)
        for width, scheme in VIEWS:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # light or dark
            seen = [
                *violations(page),
                *obeyed(page),
                *([f"{overflow(page)} pixels too wide"] if overflow(page) else []),
            ]
            if seen or operator.complaints or operator.elsewhere:
                wrong[f"{name} {width} {scheme}"] = [*seen, *operator.complaints, *operator.elsewhere]
                operator.complaints.clear()
                operator.elsewhere.clear()

    for name, path in visited.items():
        look(name, path)
    enter(operator, demonstration, role=Role.OPERATOR, label="Olu Operator")
    operator.page.get_by_label("Body", exact=True).select_option(BODY)
    operator.page.get_by_role("button", name="Go").click()
    for name, path in {**found, "nothing there": "/console/nothing/here"}.items():
        look(name, path)
    assert wrong == {}


def test_links_lead_to_every_page(demonstration: Flask) -> None:
    """So that the test above looks at all of them, and nobody has to know an address."""
    routes = [rule for rule in demonstration.url_map.iter_rules() if is_of_console(rule.endpoint)]
    names = {rule.endpoint.rpartition(".")[2] for rule in routes if "GET" in (rule.methods or ())}
    unseen = names - addresses(demonstration).keys() - set(NO_PAGES) - NOT_PAGES
    assert unseen == set()


NOT_PAGES = {
    *("console_go_to_provider", "console_come_from_provider", "console_leave_provider"),
    *("console_export_audit", "console_export_lapses", "console_export_subject", "console_download_rejected"),
}
"""What is asked for with GET and answers with a redirect or a file."""


def test_a_session_that_was_copied_into_another_browser_opens_nothing(
    browser: Browser, visitor: Visitor
) -> None:
    cookies = visitor.page.context.cookies()
    assert [each["name"] for each in cookies] == ["registry-console"]
    with browser.new_context(user_agent="Mozilla/5.0 (another)") as other:
        other.add_cookies([{k: each[k] for k in ("name", "value", "domain", "path")} for each in cookies])  # type: ignore[misc]  # by name
        page = other.new_page()
        page.goto(f"{visitor.server}/console/")
        assert page.url.startswith(f"{visitor.server}/console/sign-in?")
    visitor.page.reload()
    assert visitor.page.url.startswith(f"{visitor.server}/console/sign-in?")


class Elsewhere(BaseHTTPRequestHandler):
    """Another site: a page that frames the console, and one that sends it a form."""

    def __init__(self, target: str, *arguments: Any) -> None:
        self.target = target
        super().__init__(*arguments)

    def do_GET(self) -> None:
        pages = {
            "/frame": f'<iframe id="in" src="{self.target}/console/" width="900" height="600"></iframe>',
            "/form": f'<form method="post" action="{self.target}/console/sessions/end"></form>'
            "<script>document.forms[0].submit()</script>",
        }
        page = f"<!doctype html><title>Elsewhere</title>{pages.get(self.path, '')}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere(server: str) -> Iterator[list[str]]:
    """Another site: by another name of this machine, and by the same name at another port."""
    other = ThreadingHTTPServer(("127.0.0.1", 0), partial(Elsewhere, server))
    thread = Thread(target=other.serve_forever, daemon=True)
    thread.start()
    yield [f"http://{host}:{other.server_port}" for host in ("localhost", "127.0.0.1")]
    other.shutdown()
    thread.join()
    other.server_close()


def test_no_other_site_shows_the_console_in_a_frame(visitor: Visitor, elsewhere: list[str]) -> None:
    for site in elsewhere:
        visitor.page.goto(f"{site}/frame")
        frame = visitor.page.locator("#in").element_handle().content_frame()
        assert frame is not None
        visitor.page.wait_for_load_state("networkidle")
        assert "Sign out" not in frame.content()
        assert "console" not in frame.content()


def test_no_other_site_sends_a_form_in_somebodys_name(visitor: Visitor, elsewhere: list[str]) -> None:
    for site in elsewhere:
        visitor.page.goto(f"{site}/form")
        visitor.page.wait_for_url(f"{visitor.server}/**")
        visitor.page.goto(f"{visitor.server}/console/sessions")
        assert visitor.page.url.endswith("/console/sessions")


def test_a_desk_is_not_a_browser_that_anyone_left(visitor: Visitor) -> None:
    """Back, after signing out, shows nothing of what was there."""
    page = visitor.go("/console/lapses")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/console/sign-in*")
    page.go_back()
    assert page.get_by_role("heading", name="Sign in").is_visible()
