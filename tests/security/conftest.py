"""Two bodies and a key for every role, as the tests of the API have them; and their staff."""

from __future__ import annotations

from tests.http.admin.conftest import auditor, clock, operator, registrar, stranger
from tests.http.conftest import app, bearer, client, keys, parts, settings
from tests.http.test_access import requests

__all__ = [
    "app",
    "auditor",
    "bearer",
    "client",
    "clock",
    "keys",
    "operator",
    "parts",
    "registrar",
    "requests",
    "settings",
    "stranger",
]
