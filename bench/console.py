"""Every page of the console, by the time that the server takes for it: 50,000 people in one body or more."""

from __future__ import annotations

import re
import statistics
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from html import unescape
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from registry import clock
from registry.http.app import create_app
from registry.http.sessions import is_of_console
from registry.services import console_sessions
from registry.services.principals import Role
from registry.settings import OFF, PROCESS, Settings
from registry.store.database import disconnect, writing

from .engines import Engine
from .figures import Figure, Goal
from .registers import BODY
from .turns import Effort

ORIGIN = "http://localhost:8000"
LINKED = re.compile('(?:href|action)="(/console[^"#]*)')
NO_PAGES = ("console_asset", "console_link", "console_sign_in", "console_nowhere")
BEGINNINGS = ("/console", "/console/sessions")
ALSO = {
    "console_search_name": "/console/search?q=an",
    "console_search_number": "/console/search?q=PT-0001234",
    "console_lapses_by_name": "/console/lapses?sort=name",
    "console_coming": "/console/lapses?view=coming",
    "console_coming_by_name": "/console/lapses?view=coming&sort=name",
}
"""Addresses of pages whose time depends on what is asked."""
MOST_ADDRESSES = 400
FEWEST_PEOPLE, MOST_PEOPLE = 50_000, 200_000
SLOWEST = Goal(200, at_least=False)

Get = Callable[[str], TestResponse]


def pages_of(app: Flask, get: Get, first: Sequence[str] = BEGINNINGS) -> dict[str, str]:
    """Pages that links and forms lead to: an address of each, by the name of its view.

    :param get: a page as somebody is shown it who is signed in.
    """
    found: dict[str, str] = {}
    seen, waiting = set(first), deque(first)
    while waiting and len(seen) < MOST_ADDRESSES:
        address = waiting.popleft()
        name = page_name(app, address)
        if name is None or name in found:
            continue
        response = get(address)
        if response.status_code != 200 or response.mimetype != "text/html":
            continue
        found[name] = address
        linked = [unescape(each) for each in LINKED.findall(response.text)]
        waiting.extend(each for each in linked if each not in seen)
        seen.update(linked)
    return found


def page_name(app: Flask, address: str) -> str | None:
    """The view of a page at an address; ``None`` where there is none, or none for who is signed in."""
    try:
        endpoint, _ = app.url_map.bind("localhost").match(urlsplit(address).path, "GET")
    except HTTPException:
        return None
    name = str(endpoint).rpartition(".")[2]
    return name if is_of_console(endpoint) and name not in NO_PAGES else None


def measure(engine: Engine, registers: Mapping[int, str], effort: Effort) -> Iterator[Figure]:
    """The median and the 95th percentile of each page, at registers of some size.

    :param registers: database URLs by the number of people in them.
    """
    for people, url in sorted(registers.items()):
        if people <= MOST_PEOPLE and (people >= FEWEST_PEOPLE or not effort.is_full):
            for name, seconds in _timed(url, 10 * effort.rounds).items():
                most = sorted(seconds)[int(len(seconds) * 0.95)] * 1000
                yield Figure(f"{name}_p50", engine.name, people, statistics.median(seconds) * 1000, "ms")
                yield Figure(f"{name}_p95", engine.name, people, most, "ms", SLOWEST)


def _timed(url: str, times: int) -> dict[str, list[float]]:
    unlimited: dict[str, Any] = {
        name: OFF for name in Settings.__dataclass_fields__ if name.startswith("limit_")
    }
    app = create_app(replace(Settings(database_url=url, counts=PROCESS), **unlimited))
    try:
        get = signed_in(app)
        return {
            name: [_seconds(get, address) for _ in range(times)]
            for name, address in {**pages_of(app, get), **ALSO}.items()
        }
    finally:
        disconnect(app)


def _seconds(get: Get, address: str) -> float:
    begun = perf_counter()
    get(address).get_data()
    return perf_counter() - begun


def signed_in(app: Flask) -> Get:
    """A registrar of the measured body, at work."""
    client: FlaskClient = app.test_client()
    at = clock.now()
    with app.app_context(), writing() as tx:
        token = console_sessions.make_link(
            tx,
            role=Role.REGISTRAR,
            body=BODY,
            label="bench",
            scopes=None,
            good_for=timedelta(minutes=1),
            by="bench",
            at=at,
        )
    sent = {"base_url": ORIGIN, "headers": {"Sec-Fetch-Site": "same-origin"}}
    client.post("/console/sign-in/link", data={"token": token}, **sent)
    return lambda address: client.get(address, buffered=True, **sent)
