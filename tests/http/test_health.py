"""Alive is one thing, ready another, and all being well a third."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text

from registry import clock
from registry.errors import Unavailable
from registry.http import health, operation_metrics
from registry.services.readiness import Findings, Limits, State, look
from registry.services.sweep import sweep
from registry.settings import Settings
from registry.store import schema
from registry.store.database import public_reading, reading, writing
from registry.store.events import Event, add_events
from registry.store.runs import SWEEP, last_run, note_run
from tests.support.application import running
from tests.support.factories import make_body

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = Limits(sweep=3600, feed=60)


def swept(app: Flask, at: datetime) -> None:
    with app.app_context():
        list(sweep(writing, at=at))


def found(app: Flask, at: datetime = AT) -> Findings:
    with app.app_context():
        return look(public_reading, reading, LIMITS, at=at)


def states(findings: Findings) -> dict[str, str]:
    return {check.name: check.state.value for check in findings.checks}


def test_alive_whatever_else(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}


def test_ready_tells_each_check_with_its_state_and_age(app: Flask, client: FlaskClient) -> None:
    swept(app, datetime.now(UTC) - timedelta(seconds=30))
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = answer.get_json()
    assert told["status"] == "ok"
    checks = {check["check"]: check for check in told["checks"]}
    assert checks.keys() == {"public_reads", "database", "migrations", "sweep", "feed"}
    assert all(check["state"] == "ok" and check["fine"] and check["detail"] for check in checks.values())
    assert checks["sweep"]["age_seconds"] >= 30
    assert checks["feed"]["age_seconds"] == 0


def test_a_register_that_was_never_swept_serves_but_is_degraded(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.get_json()
    assert told["status"] == "degraded"
    assert [check["check"] for check in told["checks"] if not check["fine"]] == ["sweep"]


@pytest.mark.parametrize(("age", "state"), [(HOUR, "ok"), (HOUR + timedelta(seconds=1), "late")])
def test_a_late_sweep_degrades_and_takes_nobody_out_of_service(
    app: Flask, age: timedelta, state: str
) -> None:
    swept(app, AT - age)
    findings = found(app)
    assert states(findings)["sweep"] == state
    assert findings.check("sweep").age_seconds == age.total_seconds()
    assert findings.serves
    assert findings.fine is (state == "ok")


def test_a_sweep_to_some_day_is_not_one_to_the_end(app: Flask) -> None:
    with app.app_context():
        list(sweep(writing, at=AT, on=AT.date() - timedelta(days=3)))
        with reading() as connection:
            assert last_run(connection, SWEEP) is None


def test_of_two_sweeps_the_later_counts_whichever_ends_last(app: Flask) -> None:
    with app.app_context():
        for at in (AT, AT - HOUR):
            with writing() as tx:
                note_run(tx, SWEEP, at)
        with reading() as connection:
            assert last_run(connection, SWEEP) == AT


def test_not_ready_before_the_migrations(empty_database_url: str) -> None:
    with running(Settings(database_url=empty_database_url)) as app:
        assert app.test_client().get("/healthz").status_code == 200
        answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    problem: dict[str, Any] = answer.get_json(force=True)
    assert "registry migrate" in problem["detail"]
    assert {check["check"]: check["state"] for check in problem["errors"]}["migrations"] == "behind"


def test_not_ready_with_an_older_schema(app: Flask, database_url: str) -> None:
    schema.downgrade(database_url, "-1")
    findings = found(app)
    assert states(findings)["migrations"] == "behind"
    assert not findings.serves


def test_ready_with_a_newer_schema_for_it_only_expands(app: Flask) -> None:
    swept(app, AT)
    with app.app_context(), writing() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    findings = found(app)
    assert states(findings)["migrations"] == "ahead"
    assert findings.serves
    assert findings.fine


def test_not_ready_without_the_database(tmp_path: Path) -> None:
    with running(Settings(database_url=f"sqlite:///{tmp_path}/missing/register.db")) as app:
        assert app.test_client().get("/healthz").status_code == 200
        answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    problem: dict[str, Any] = answer.get_json(force=True)
    checks = {check["check"]: check["state"] for check in problem["errors"]}
    assert {checks.pop(name) for name in ("public_reads", "database")} == {"failed"}
    assert set(checks.values()) == {"unknown"}


def add_event(body_id: str, at: datetime) -> None:
    with writing() as tx:
        add_events(tx, [Event("rules.added", body_id, None, at.date(), at)])


def away() -> AbstractContextManager[Connection]:
    raise Unavailable("It is away.")


def test_ready_as_long_as_the_public_can_be_answered(app: Flask) -> None:
    swept(app, AT)
    with app.app_context():
        without_main = look(public_reading, away, LIMITS, at=AT)
        without_public = look(away, reading, LIMITS, at=AT)
    assert without_main.serves
    told = states(without_main)
    assert (told.pop("database"), told.pop("feed")) == ("failed", "unknown")
    assert set(told.values()) == {"ok"}
    assert not without_public.serves
    assert states(without_public)["public_reads"] == "failed"


def test_a_feed_that_the_public_reads_late_is_told_with_its_age(app: Flask, database_url: str) -> None:
    """A replica that stands still: the public reads what it held, and the register goes on."""
    swept(app, AT)
    with app.app_context():
        with writing() as tx:
            body = make_body(tx, "ca-own")
        add_event(body.id, AT - timedelta(seconds=90))
        with public_reading() as connection:
            seen = connection.execute(text("SELECT max(seq) FROM events")).scalar_one()
        add_event(body.id, AT - timedelta(seconds=61))
        add_event(body.id, AT - timedelta(seconds=2))

        @contextmanager
        def replica() -> Iterator[Connection]:
            with writing() as tx:
                tx.execute(text("DELETE FROM events WHERE seq > :seen"), {"seen": seen})
                yield tx
                tx.rollback()

        findings = look(replica, reading, LIMITS, at=AT)
    assert findings.feed_behind == 2
    check = findings.check("feed")
    assert (check.state, check.age_seconds) == (State.LATE, 61)
    assert findings.serves


def test_probes_that_follow_each_other_are_told_what_was_found_before(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    really = operation_metrics.look_around
    at = [AT]

    def counted() -> Findings:
        looked.append(at[0])
        return replace(really(), at=at[0])

    monkeypatch.setattr(health, "look_around", counted)
    monkeypatch.setattr(clock, "now", lambda: at[0])
    for seconds in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0):
        at[0] = AT + timedelta(seconds=seconds)
        client.get("/readyz")
    assert [(each - AT).total_seconds() for each in looked] == [0.0, 1.5, 3.0]
