"""What is kept for a time alone goes when its time is over, and just what was said beforehand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import MetaData, func, insert, select

from registry.cli import main
from registry.clock import new_id
from registry.services.retention import let_go, periods_of, what_would_go
from registry.settings import Settings
from registry.store import tables
from registry.store.console_tables import console_links, console_sessions
from registry.store.import_tables import import_parts, import_rejects, imports
from registry.store.notice_tables import notices
from registry.store.principals import keep_holder
from tests.support.factories import database, make_body, make_registration
from tests.support.imports import Register
from tests.support.sheets import csv_file, person

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
PERIODS = periods_of(Settings())
KEPT_FOR_EVER = ("decisions", "registrations", "practitioners", "audit_entries", "events", "amendments")


@pytest.fixture
def engine(database_url: str):
    with database(database_url) as made:
        yield made


def fill(engine) -> None:
    """Of each kind one row whose time is over and one whose time is not."""
    register = Register(engine)
    rejected = csv_file([person("PT-1"), person("PT-2", Until="soon")])
    register.take_in(rejected)
    register.at = NOW - timedelta(days=10)
    register.take_in(csv_file([person("PT-3"), person("PT-4", Until="soon")]), partial=True)
    with engine.begin() as tx:
        holder = new_id()
        keep_holder(tx, holder, "https://id.example", "subject", NOW)
        record = make_registration(tx, make_body(tx, "ca-zz"))
        for days in (1, 100):
            at = NOW - timedelta(days=days)
            key = {"principal": "x", "key": str(days), "fingerprint": "f", "lease": new_id(), "begun_at": at}
            tx.execute(insert(tables.idempotency_keys).values(key))
            of_principal = {"id": new_id(), "principal_id": holder, "role": "operator", "scopes": "[]"}
            session = {"label": "x", "way": "link", "agent_hash": "", "agent": "", "created_at": at}
            session |= {"seen_at": at, "ends_at": at, "secret_hash": f"s{days}"}
            tx.execute(insert(console_sessions).values({**of_principal, **session}))
            link = {"created_at": at, "created_by": "x", "expires_at": at, "secret_hash": f"l{days}"}
            tx.execute(insert(console_links).values({**of_principal, **link}))
        for day, state in (
            (date(2030, 1, 1), "sent"),
            (date(2026, 1, 1), "sent"),
            (date(2026, 1, 2), "queued"),
        ):
            row: dict[str, Any] = {
                "id": new_id(),
                "body_id": record.body.id,
                "kind": "term_ends",
                "subject_id": record.id,
            }
            row |= {
                "day": day,
                "threshold": 7,
                "registration_id": record.id,
                "state": state,
                "queued_at": NOW,
            }
            row |= {"next_attempt_at": NOW, "attempts": 1, "uncertain": 0}
            tx.execute(insert(notices).values(row))


def counted(engine) -> dict[str, int]:
    found = MetaData()
    with engine.begin() as tx:
        found.reflect(tx)
        return {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in found.sorted_tables
        }


def test_a_dry_run_says_what_the_run_lets_go_and_lets_nothing_go(engine):
    fill(engine)
    before = counted(engine)
    with engine.begin() as tx:
        said = what_would_go(tx, PERIODS, at=NOW)
    assert counted(engine) == before
    with engine.begin() as tx:
        gone = let_go(tx, PERIODS, at=NOW)
    after = counted(engine)
    assert gone == said
    assert {name: before[name] - after[name] for name in before if before[name] != after[name]} == {
        name: count for name, count in said.items() if count
    }
    assert {name: said[name] for name in ("idempotency_keys", "console_sessions", "console_links")} == {
        "idempotency_keys": 1,
        "console_sessions": 1,
        "console_links": 1,
    }
    assert (said["notices"], said["import_rejects"]) == (1, 1)
    assert said["import_parts"] >= 1
    for name in KEPT_FOR_EVER:
        assert after[name] == before[name]


def test_a_file_that_waits_to_be_applied_is_not_let_go(engine):
    register = Register(engine)
    found = register.preview(csv_file([person("PT-1"), person("PT-2", Until="soon")]))
    with engine.begin() as tx:
        let_go(tx, replace(PERIODS, import_files=1), at=NOW)
        parts = select(func.count()).select_from(import_parts).where(import_parts.c.import_id == found.id)
        assert tx.execute(parts).scalar_one() > 0
        assert tx.execute(select(func.count()).select_from(import_rejects)).scalar_one() == 1
        assert tx.execute(select(imports.c.state)).scalar_one() == "previewed"


def test_the_day_before_the_time_is_over_everything_is_there(engine):
    register = Register(engine)
    register.take_in(csv_file([person("PT-1")]))
    edge = register.at + timedelta(days=PERIODS.import_files)
    with engine.begin() as tx:
        assert what_would_go(tx, PERIODS, at=edge)["import_parts"] == 0
        assert what_would_go(tx, PERIODS, at=edge + timedelta(seconds=1))["import_parts"] > 0


def test_as_it_is_typed(sqlite_url, monkeypatch):
    monkeypatch.setenv("REGISTRY_DATABASE_URL", sqlite_url)
    with database(sqlite_url) as engine:
        with engine.begin() as tx:
            old = {
                "principal": "x",
                "key": "1",
                "fingerprint": "f",
                "lease": new_id(),
                "begun_at": NOW - timedelta(days=3000),
            }
            tx.execute(insert(tables.idempotency_keys).values(old))
        dry = CliRunner().invoke(main, ["retention", "--dry-run"])
        assert "idempotency_keys: 1 would go" in dry.output
        assert "idempotency_keys: 1 gone" in CliRunner().invoke(main, ["retention"]).output
        assert "idempotency_keys: 0 would go" in CliRunner().invoke(main, ["retention", "--dry-run"]).output
