"""Sessions and the audit's pages on both engines: what they keep, note and forget."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from registry.services.principals import Role
from registry.settings import Settings
from registry.store.console_tables import console_links, console_sessions
from registry.store.database import reading
from registry.store.records import Body
from tests.support.console import ORIGIN, Desk, sign_in, words_of
from tests.support.people_in_every_state import NOW


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, public_url=ORIGIN, pool_size=12)


def kept(app: Flask) -> tuple[int, int]:
    with app.app_context(), reading() as connection:
        counts = [select(func.count()).select_from(each) for each in (console_sessions, console_links)]
        sessions, links = (connection.execute(count).scalar_one() for count in counts)
    return sessions, links


def is_in(desk: Desk) -> bool:
    return desk.get("/console/sessions").status_code == 200


def test_a_session_is_kept_noted_ended_and_forgotten(app: Flask, own: Body, other: Body) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        operator = sign_in(app, role=Role.OPERATOR, label="Olu Operator")
        elsewhere = sign_in(app, role=Role.OPERATOR, label="Olu Operator")
        assert operator.post("/console/body", {"body": other.code}).status_code == 303
        assert f'value="{other.code}" selected' in operator.get("/console/sessions").text
        clock.move_to(NOW + timedelta(minutes=20))
        assert is_in(operator)  # noted; so it goes on
        clock.move_to(NOW + timedelta(minutes=40))
        assert [is_in(operator), is_in(elsewhere)] == [True, False]
        assert operator.post("/console/sessions/end").status_code == 303
        assert not is_in(operator)
        assert kept(app) == (2, 2)
        clock.move_to(NOW + timedelta(days=8))
        sign_in(app, body=own.code)
        assert kept(app) == (1, 1)


def test_the_audit_is_shown_narrowed_and_checked(app: Flask, own: Body) -> None:
    auditor = sign_in(app, role=Role.AUDITOR, body=own.code, label="Ada Auditor")
    day = auditor.get("/console/audit").text
    assert "Ada Auditor" in day
    found = words_of(auditor.get("/console/audit?matter=sign_ins&since=2000-01-01&until=2199-12-31"))
    assert "signed in" in found
    assert "The chain holds" in words_of(auditor.post("/console/audit/verify"))
    assert "console_signed_in" in auditor.get("/console/audit/entries.ndjson").text
