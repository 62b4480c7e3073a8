"""What metrics find out in the database: the queue of webhooks, and what came of the latest attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from sqlalchemy import insert, select

from registry.clock import first_id_of, new_id
from registry.http.metrics import BATCH_QUESTIONS
from registry.http.operation_metrics import Webhooks
from registry.store.database import writing
from registry.store.events import Event, add_events
from registry.store.tables import api_keys, events
from registry.store.webhook_tables import webhook_attempts, webhook_replays, webhooks
from tests.support.factories import make_body, make_key

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)


def add_webhook(tx: Any, owner_id: str, after_seq: int, **facts: Any) -> str:
    row = {
        "id": new_id(),
        "owner_id": owner_id,
        "url": "https://clinic.example/hook",
        "version": 1,
        "state": "active",
        "after_seq": after_seq,
        "after_event": "",
        "tries": 0,
        "attempted_at": AT,
        "slow": False,
        "created_at": AT,
        "changed_at": AT,
        **facts,
    }
    tx.execute(insert(webhooks).values(row))
    return str(row["id"])


def add_attempt(tx: Any, webhook_id: str, at: datetime, outcome: str) -> None:
    row = {
        "id": first_id_of(at)[:-12] + new_id()[-12:],
        "webhook_id": webhook_id,
        "message_id": new_id(),
        "event_type": "rules.added",
        "cause": "event",
        "attempt": 1,
        "at": at,
        "outcome": outcome,
        "milliseconds": 1,
        "excerpt": "",
    }
    tx.execute(insert(webhook_attempts).values(row))


def test_the_queue_of_webhooks_is_told_by_its_states(app: Flask) -> None:
    with app.app_context():
        with writing() as tx:
            body = make_body(tx, "ca-own")
            for age in (300, 120, 60):
                at = AT - timedelta(seconds=age)
                add_events(tx, [Event("rules.added", body.id, None, at.date(), at)])
            make_key(tx)
            owner = tx.execute(select(api_keys.c.id)).scalars().one()
            seqs = list(tx.execute(select(events.c.seq).order_by(events.c.seq)).scalars())
            through = dict(zip((300, 120, 60), seqs[-3:], strict=True))
            add_webhook(tx, owner, through[60])
            add_webhook(tx, owner, through[120])
            add_webhook(tx, owner, through[120], tries=0)
            trying = add_webhook(tx, owner, through[300], tries=2)
            add_webhook(tx, owner, 0, tries=1, state="disabled", disabled_because="gone")
            replay = {"id": new_id(), "webhook_id": trying, "asked_at": AT, "tries": 0, "next_attempt_at": AT}
            tx.execute(insert(webhook_replays).values(replay))
            add_attempt(tx, trying, AT - timedelta(minutes=10), "delivered")
            add_attempt(tx, trying, AT - timedelta(minutes=1), "retried")
            add_attempt(tx, trying, AT - timedelta(minutes=2), "retried")
            add_attempt(tx, trying, AT - timedelta(minutes=10, seconds=1), "given_up")
        found = CollectorRegistry()
        found.register(Webhooks(AT))

        def value(name: str, **labels: str) -> float | None:
            return found.get_sample_value(name, labels)

        assert value("registry_webhooks", state="active") == 4
        assert value("registry_webhooks", state="disabled") == 1
        assert value("registry_webhooks_waiting", state="pending") == 2
        assert value("registry_webhooks_waiting", state="retrying") == 1
        assert value("registry_webhook_delay_seconds", state="pending") == 60
        assert value("registry_webhook_delay_seconds", state="retrying") == 120
        assert value("registry_webhook_replays") == 1
        outcomes = {each: value("registry_webhook_attempts", outcome=each) for each in OUTCOMES}
        assert outcomes == {"delivered": 1, "retried": 2, "given_up": 0}


OUTCOMES = ("delivered", "retried", "given_up")


def test_nothing_waits_where_there_are_no_webhooks(app: Flask) -> None:
    with app.app_context():
        found = CollectorRegistry()
        found.register(Webhooks(AT))
        for state in ("pending", "retrying"):
            assert found.get_sample_value("registry_webhook_delay_seconds", {"state": state}) == 0
            assert found.get_sample_value("registry_webhooks_waiting", {"state": state}) == 0


def test_questions_by_the_thousand_are_counted(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), writing() as tx:
        make_body(tx, "ca-own")
    before = BATCH_QUESTIONS._value.get()
    questions = [{"body": "ca-own", "number": f"PT-{each}", "technique": "dry_needling"} for each in range(7)]
    assert client.post("/v1/verifications", json={"questions": questions}).status_code == 200
    assert BATCH_QUESTIONS._value.get() == before + 7


def test_no_identifier_of_an_instant_is_below_its_lowest() -> None:
    before = datetime.now(UTC)
    made = new_id()
    assert first_id_of(before) <= made < first_id_of(before + timedelta(days=1))
