"""A request that is sent twice is done once, and answered the same; whatever dies in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from registry import clock
from registry.http import idempotency
from registry.services import keys as service
from registry.store import idempotency as store
from registry.store import tables
from registry.store.database import db, reading, writing

KEYS = "/v1/admin/keys"
WISH = {"role": "clinic", "label": "Hillside Clinic"}


def create(client: FlaskClient, headers: dict[str, str], wish: dict[str, Any] | None = None) -> Any:
    return client.post(KEYS, headers=headers, json=wish or WISH)


def made(app: Flask) -> int:
    with app.app_context(), reading() as connection:
        found = connection.execute(select(tables.api_keys.c.id).where(tables.api_keys.c.role == "clinic"))
        return len(found.all())


@pytest.fixture
def headers(keys, bearer) -> dict[str, str]:
    return bearer(keys.operator, **{"Idempotency-Key": '"first"'})


@pytest.fixture(autouse=True)
def clinics_before(app: Flask, keys) -> Iterator[None]:
    assert made(app) == 1
    return iter(())


def test_the_same_request_is_done_once_and_answered_the_same(
    app: Flask, client: FlaskClient, headers
) -> None:
    first, again = create(client, headers), create(client, headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Location"] == first.headers["Location"]
    assert again.content_type == first.content_type
    assert {**first.get_json(), "secret": None} == again.get_json()
    assert made(app) == 2


def test_a_secret_is_not_kept_for_the_replay(app: Flask, client: FlaskClient, headers) -> None:
    secret = create(client, headers).get_json()["secret"]
    with app.app_context(), reading() as connection:
        kept = connection.execute(select(tables.idempotency_keys.c.response)).scalar_one()
    assert "secret" in kept
    assert secret not in kept


def test_a_key_is_the_same_in_quotes_and_bare(app: Flask, client: FlaskClient, headers) -> None:
    create(client, headers)
    assert create(client, {**headers, "Idempotency-Key": "first"}).headers["Idempotency-Replayed"] == "true"


def test_a_key_belongs_to_one_body(app: Flask, client: FlaskClient, headers) -> None:
    create(client, headers)
    response = create(client, headers, {**WISH, "label": "Another"})
    assert response.status_code == 422
    assert response.get_json(force=True)["type"] == "/problems/idempotency-key-reused"
    assert made(app) == 2


def test_a_key_belongs_to_one_principal(app: Flask, client: FlaskClient, headers) -> None:
    other = create(client, headers, {"role": "operator", "label": "Other"}).get_json()["secret"]
    headers = {**headers, "Authorization": f"Bearer {other}"}
    assert "Idempotency-Replayed" not in create(client, headers).headers
    assert made(app) == 2


def test_without_a_key_each_request_is_another(app: Flask, client: FlaskClient, keys, bearer) -> None:
    create(client, bearer(keys.operator))
    create(client, bearer(keys.operator))
    assert made(app) == 3


def test_a_refused_request_frees_its_key(app: Flask, client: FlaskClient, headers) -> None:
    assert create(client, headers, {**WISH, "body": "ca-own"}).status_code == 422
    assert create(client, headers).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 258, '"' + "x" * 256 + '"', "a\tb", "\u00e9"])
def test_a_key_of_the_wrong_shape_is_refused(app: Flask, client: FlaskClient, headers, key: str) -> None:
    response = create(client, {**headers, "Idempotency-Key": key})
    assert response.status_code == 422
    assert response.get_json(force=True)["errors"][0]["header"] == "Idempotency-Key"
    assert made(app) == 1


def test_of_many_at_once_one_is_done(app: Flask, headers) -> None:
    start = threading.Barrier(8)

    def send(_: int) -> Any:
        start.wait(30)
        return create(app.test_client(), headers)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(8)))
    done = [a for a in answers if a.status_code == 201]
    assert {a.status_code for a in answers} <= {201, 409}
    assert sum("Idempotency-Replayed" not in a.headers for a in done) == 1
    assert len({a.get_json()["id"] for a in done}) == 1
    assert made(app) == 2


def test_many_with_keys_of_their_own_are_all_done(app: Flask, headers) -> None:
    def send(number: int) -> int:
        own = {**headers, "Idempotency-Key": str(number)}
        return create(app.test_client(), own).status_code

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(send, range(24))) == [201] * 24
    assert made(app) == 25


def leave_running(app: Flask, client: FlaskClient, headers: dict[str, str]) -> None:
    """As a process leaves it that died before its change was committed."""
    create(client, headers)
    with app.app_context(), writing() as tx:
        tx.execute(update(tables.idempotency_keys).values(response=None))


def test_a_request_that_is_running_is_not_begun_again(app: Flask, client: FlaskClient, headers) -> None:
    leave_running(app, client, headers)
    response = create(client, headers)
    assert response.status_code == 409
    assert response.get_json(force=True)["type"] == "/problems/still-running"
    assert response.headers["Retry-After"] == "1"


def test_a_request_that_died_is_taken_over_when_its_lease_is_over(
    app: Flask, client: FlaskClient, headers
) -> None:
    leave_running(app, client, headers)
    with time_machine.travel(clock.now() + idempotency.LEASE + timedelta(seconds=1)):
        response = create(client, headers)
    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response.headers


def test_a_request_that_wakes_after_it_was_taken_over_changes_nothing(
    app: Flask, client: FlaskClient, headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_key = service.create_key

    def and_be_taken_over(tx: Any, **wish: Any) -> Any:
        key = create_key(tx, **wish)
        tx.execute(update(tables.idempotency_keys).values(lease=clock.new_id()))
        return key

    monkeypatch.setattr(service, "create_key", and_be_taken_over)
    assert create(client, headers).status_code == 409
    assert made(app) == 1


def test_keys_are_forgotten_after_two_days_and_not_within_one(
    app: Flask, client: FlaskClient, headers
) -> None:
    first = create(client, headers).get_json()["id"]
    with time_machine.travel(clock.now() + timedelta(hours=24)):
        assert create(client, headers).get_json()["id"] == first
    with time_machine.travel(clock.now() + timedelta(hours=49)):
        assert create(client, headers).get_json()["id"] != first


def test_a_replay_is_not_kept_by_caches(client: FlaskClient, headers) -> None:
    create(client, headers)
    assert create(client, headers).headers["Cache-Control"] == "no-store"


def test_what_was_done_although_nobody_learned_of_it_is_not_done_again(
    app: Flask, client: FlaskClient, headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database takes the commit, and the connection breaks before it says so."""
    with app.app_context():
        engine = db.engine
    kept, commit, keep = [], engine.dialect.do_commit, store.keep

    def keep_and_note(*given: Any, **named: Any) -> bool:
        kept.append(given)
        return keep(*given, **named)

    def commit_in_vain(connection: Any) -> None:
        commit(connection)
        if kept:
            kept.clear()
            if engine.dialect.name == "postgresql":
                connection.driver_connection.close()
            raise engine.dialect.loaded_dbapi.OperationalError("the connection broke")

    monkeypatch.setattr(store, "keep", keep_and_note)
    monkeypatch.setattr(engine.dialect, "do_commit", commit_in_vain)
    broken, again = create(client, headers), create(client, headers)
    assert broken.status_code == 503
    assert int(broken.headers["Retry-After"]) > 0
    if engine.dialect.name == "postgresql":
        assert broken.get_json()["type"] == "/problems/outcome-unknown"
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert made(app) == 2
