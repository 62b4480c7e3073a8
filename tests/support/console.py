"""A browser at the console, without a browser: cookies, form tokens, what browsers say of themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from registry import clock
from registry.services.console_sessions import make_link
from registry.services.principals import AccessScope, Role
from registry.store.database import writing

ORIGIN = "https://registry.example"
"""The ``public_url`` of the settings that tests of the console use."""

TOKEN = re.compile('name="csrf" value="([0-9a-f]{64})"')
AGENT = "Mozilla/5.0 (tests)"


@dataclass
class Desk:
    """Somebody signed in; ``get`` and ``post`` as their browser would."""

    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> TestResponse:
        """A page."""
        headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin", **self.headers}
        return self.client.get(path, base_url=ORIGIN, headers=headers, buffered=True, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """A form that a page of the console has, sent with its token."""
        headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin", "Origin": ORIGIN, **self.headers}
        sent = {"csrf": self.token(), **(data or {})}
        return self.client.post(path, base_url=ORIGIN, data=sent, headers=headers, **options)

    def token(self) -> str:
        """What the forms of this session carry."""
        found = TOKEN.search(self.get("/console/sessions").text)
        assert found is not None, "not signed in"
        return found[1]

    def told(self, path: str) -> str:
        """The words of a page, without its markup."""
        return words_of(self.get(path))


def words_of(response: TestResponse) -> str:
    """The words of a page, without its markup."""
    return " ".join(unescape(re.sub("<[^>]+>", " ", response.text)).split())


def link_token(
    tx: Connection,
    *,
    role: Role = Role.REGISTRAR,
    body: str | None = None,
    label: str = "Rana Registrar",
    scopes: frozenset[AccessScope] | None = None,
) -> str:
    """What a link carries that has just been made."""
    return make_link(
        tx,
        role=role,
        body=body,
        label=label,
        scopes=scopes,
        good_for=timedelta(minutes=15),
        by="operator:tests",
        at=clock.now(),
    )


def sign_in(app: Flask, **options: Any) -> Desk:
    """Somebody signed in by a link (:func:`link_token`)."""
    with app.app_context(), writing() as tx:
        token = link_token(tx, **options)
    desk = Desk(app.test_client())
    headers = {"User-Agent": AGENT, "Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}
    response = desk.client.post(
        "/console/sign-in/link", base_url=ORIGIN, data={"token": token}, headers=headers
    )
    assert response.status_code == 303, response.text
    return desk
