"""What is no JSON is refused, whatever the address expects: each with a problem document."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.http.conftest import Keys
from tests.http.hostile.conftest import Operation
from tests.support.attempts import Attempts
from tests.support.effort import IS_LONG
from tests.support.hostile import BROKEN, damaged


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One engine is enough: none of it gets as far."""
    return sqlite_url


def test_what_is_no_json_is_refused_everywhere(
    client: FlaskClient, keys: Keys, taking_json: list[Operation], attempts: Attempts
) -> None:
    for operation in taking_json:
        for body in (*BROKEN, *damaged(operation.example, every=1 if IS_LONG else 40)):
            response = operation.send_json(client, keys.operator, body)
            attempts.refused(response, (operation.name, body), 400)


def test_a_document_that_is_damaged_anywhere_is_refused(
    client: FlaskClient, keys: Keys, taking_json: list[Operation], attempts: Attempts
) -> None:
    operation = next(one for one in taking_json if one.name == "create_registration")
    for body in damaged(operation.example):
        attempts.refused(operation.send_json(client, keys.operator, body), body, 400)
