"""What every operation is held to, whatever its view does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select

from registry.errors import Conflict
from registry.http import access
from registry.http import app as application
from registry.http.access import (
    EVERYONE,
    READERS_OF_BODY,
    REGISTRARS_OF_BODY,
    UndeclaredRouteError,
    own_body,
    require_body,
)
from registry.http.answers import Answer
from registry.http.fields import Integer, QuerySchema, RequestSchema, ResponseSchema
from registry.http.operations import Blueprint
from registry.settings import Settings
from registry.store import tables
from registry.store.database import reading
from registry.store.records import find_body
from tests.support.application import running

ROW = {"principal": "p", "key": "k", "fingerprint": "f", "lease": "l"}


class PointSchema(RequestSchema):
    x = Integer(required=True)


class SeenSchema(ResponseSchema):
    seen = Integer()


class PointQuery(QuerySchema):
    y = Integer(load_default=0)


def note(tx: Connection) -> None:
    """Leave a mark in the database."""
    from registry import clock

    tx.execute(insert(tables.idempotency_keys), {**ROW, "begun_at": clock.now()})


def marks(app: Flask) -> int:
    with app.app_context(), reading() as connection:
        marked = select(tables.idempotency_keys).where(tables.idempotency_keys.c.principal == "p")
        return len(connection.execute(marked).all())


Register = Callable[[Blueprint], FlaskClient]


@pytest.fixture
def register(settings: Settings, keys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    """A client of an application that has one more blueprint."""
    opened = []

    def registered(blueprint: Blueprint) -> FlaskClient:
        monkeypatch.setattr(application, "BLUEPRINTS", (*application.BLUEPRINTS, blueprint))
        context = running(settings)
        opened.append(context)
        return context.__enter__().test_client()

    yield registered
    for context in opened:
        context.__exit__(None, None, None)


def permit(monkeypatch: pytest.MonkeyPatch, operation: str, rule: access.Rule) -> None:
    monkeypatch.setattr(access, "ACCESS", {**access.ACCESS, operation: rule})


def test_a_route_without_a_rule_cannot_be_registered() -> None:
    blueprint = Blueprint("undeclared", __name__)
    with pytest.raises(UndeclaredRouteError, match="add_anything"):

        @blueprint.operation("POST", "/anything")
        def add_anything(tx: Connection) -> None:
            """Add anything."""


def test_an_application_with_a_plain_route_without_a_rule_does_not_start(register: Register) -> None:
    blueprint = Blueprint("undeclared", __name__)

    @blueprint.route("/anything")
    def show_anything() -> str:
        return ""

    with pytest.raises(UndeclaredRouteError, match="show_anything"):
        register(blueprint)


def test_two_operations_of_one_name_do_not_start(register: Register) -> None:
    blueprint = Blueprint("twice", __name__)

    @blueprint.operation("GET", "/anything", raw=True)
    def list_bodies() -> str:
        """Another of this name."""
        return ""

    with pytest.raises(access.UndeclaredRouteError, match="list_bodies"):
        register(blueprint)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_view_that_forgets_to_ask_for_the_body_answers_nothing_and_changes_nothing(
    register: Register, keys, bearer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    permit(monkeypatch, "forget", REGISTRARS_OF_BODY)
    blueprint = Blueprint("forgetful", __name__)

    @blueprint.operation(method, "/forget", answer=SeenSchema)
    def forget(tx: Connection) -> dict[str, int]:
        """Forget whose it is."""
        if method == "POST":
            note(tx)
        return {"seen": 1}

    client = register(blueprint)
    response = client.open("/forget", method=method, headers=bearer(keys.registrar))
    assert response.status_code == 500
    assert marks(client.application) == 0


def test_a_registrar_of_another_body_is_refused(
    register: Register, keys, bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit(monkeypatch, "change_body_of", READERS_OF_BODY)
    blueprint = Blueprint("bodily", __name__)

    @blueprint.operation("PUT", "/of/<code:body>", answer=SeenSchema)
    def change_body_of(tx: Connection, body: str) -> dict[str, int]:
        """Change it, then ask."""
        found = find_body(tx, body)
        assert found is not None
        note(tx)
        require_body(found.id)
        return {"seen": 1}

    client = register(blueprint)
    for key, status in ((keys.other_registrar, 403), (keys.other_auditor, 403), (keys.clinic, 403)):
        assert client.put("/of/ca-own", headers=bearer(key)).status_code == status
        assert marks(client.application) == 0
    assert client.put("/of/ca-own", headers=bearer(keys.registrar)).status_code == 200


def test_a_list_is_narrowed_to_the_own_body(
    register: Register, keys, bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit(monkeypatch, "narrow", READERS_OF_BODY)
    blueprint = Blueprint("narrow", __name__)

    @blueprint.operation("GET", "/narrow", answer=SeenSchema)
    def narrow(tx: Connection) -> dict[str, int]:
        """Tell whether the list is narrowed."""
        body_id = own_body(None)
        return {"seen": 0 if body_id is None else 1}

    client = register(blueprint)
    assert client.get("/narrow", headers=bearer(keys.auditor)).get_json() == {"seen": 1}
    assert client.get("/narrow", headers=bearer(keys.operator)).get_json() == {"seen": 0}


@pytest.mark.parametrize("failure", [Conflict("No."), ZeroDivisionError()])
def test_a_request_that_fails_changes_nothing(
    register: Register, keys, bearer, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    permit(monkeypatch, "fail", EVERYONE)
    blueprint = Blueprint("failing", __name__)

    @blueprint.operation("POST", "/fail")
    def fail(tx: Connection) -> None:
        """Change something, then fail."""
        note(tx)
        raise failure

    client = register(blueprint)
    assert client.post("/fail").status_code in (409, 500)
    assert marks(client.application) == 0


def test_a_view_is_given_what_it_declares(
    register: Register, keys, bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    permit(monkeypatch, "see", EVERYONE)
    blueprint = Blueprint("seeing", __name__)
    seen: list[Any] = []

    @blueprint.operation(
        "PATCH",
        "/see/<number:number>",
        body=PointSchema,
        query=PointQuery,
        answer=SeenSchema,
        changes_version=True,
    )
    def see(tx: Connection, **given: Any) -> Answer:
        """See what is given."""
        seen.append(given)
        return Answer({"seen": 1}, version=8)

    client = register(blueprint)
    headers = {"If-Match": '"7-0123456789abcdef"'}
    response = client.patch("/see/PT%201%2F2?y=5", json={"x": 3}, headers=headers)
    assert response.status_code == 200
    assert response.headers["ETag"].startswith('"8-')
    assert seen == [{"number": "PT 1/2", "given": {"x": 3}, "query": {"y": 5}, "version": 7}]
    assert client.patch("/see/1", json={"x": 3}).status_code == 428
    assert client.patch("/see/1", json={"x": 3}, headers={"If-Match": '"x"'}).status_code == 412
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("PT-1", "PT-1"),
        ("PT%201", "PT 1"),
        ("a/b", "a/b"),
        ("Zoe%CC%88", "Zo\u00eb"),
        ("%20", None),
        ("..", None),
        ("%00", None),
        ("x%0A", None),
        ("1" * 41, None),
        ("%FF", None),
        ("", None),
    ],
)
def test_a_number_in_an_address(
    register: Register, monkeypatch: pytest.MonkeyPatch, path: str, found: str | None
) -> None:
    permit(monkeypatch, "see_number", EVERYONE)
    permit(monkeypatch, "see_more", EVERYONE)
    blueprint = Blueprint("numbers", __name__)
    seen: list[str] = []

    @blueprint.operation("GET", "/of/<number:number>", answer=SeenSchema)
    def see_number(tx: Connection, number: str) -> dict[str, int]:
        """See it."""
        seen.append(number)
        return {"seen": 1}

    @blueprint.operation("GET", "/of/<number:number>/more", answer=SeenSchema)
    def see_more(tx: Connection, number: str) -> dict[str, int]:
        """See more of it."""
        seen.append(f"more of {number}")
        return {"seen": 1}

    client = register(blueprint)
    assert client.get(f"/of/{path}").status_code == (404 if found is None else 200)
    assert client.get(f"/of/{path}/more").status_code == (404 if found is None else 200)
    assert seen == ([] if found is None else [found, f"more of {found}"])
