"""The examples in the client's README, run as they stand there, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from registry.delivery.signing import new_secret, signed_headers
from registry.delivery.targets import Policy
from registry.domain.vocabulary import DecisionKind
from registry.http.clinic.webhook_messages import Messages
from registry.http.clinic.webhooks import TARGETS
from registry.services.decisions import get_record
from registry.services.feed import START, read_feed
from registry.services.webhooks import Targets
from registry.store.database import reading
from registry.store.records import RegistrationRecord
from tests.clients.conftest import BODY, Served
from tests.support.documents import python_blocks
from tests.support.factories import decide

PATIENT = 30


@contextmanager
def restless(served: Served, record: RegistrationRecord) -> Iterator[None]:
    """Meanwhile, something is decided about a registration again and again."""
    over = threading.Event()

    def decide_again_and_again() -> None:
        day, kinds = date(2099, 1, 1), [DecisionKind.SUSPENDED, DecisionKind.REINSTATED]
        while not over.wait(0.1):
            with served.transaction() as tx:
                decide(tx, get_record(tx, record.id), kinds[0], day)
            day, kinds = day + timedelta(days=1), kinds[::-1]

    thread = threading.Thread(target=decide_again_and_again)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENT)


def test_the_examples_say_what_they_show(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_URL", served.url)
    monkeypatch.setenv("REGISTRY_KEY", served.key())
    monkeypatch.setitem(served.app.extensions, TARGETS, Targets(Policy(), lambda *_: ["93.184.215.14"]))
    record = served.authorize("PT-10001")
    blocks = python_blocks("clients/python/README.md")
    told: list[str] = []
    namespace: dict[str, Any] = {}
    with restless(served, record):
        for block in blocks:
            exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102 - that is what is tested
            told.append(capsys.readouterr().out)
    ask, many, roster, follow, webhook, _ = told
    assert ask.startswith("yes, through 2")
    first, second = many.splitlines()
    assert first.startswith("booking 7 True ")
    assert second == "booking 8 False None None"
    assert roster.splitlines()[:2] == ["PT-10001 True", "PT-10002 False"]
    assert roster.splitlines()[3].startswith("PT-10002 365 ")
    assert follow.startswith("registration.")
    assert webhook.splitlines()[0].endswith(" active")
    heard = [
        _hear(namespace, served, secret)
        for secret in (namespace["secret"], namespace["secret"], new_secret())
    ]
    assert heard == [204, 204, 400]
    assert capsys.readouterr().out == f"ask again about the bookings with {(BODY, 'PT-2')}\n"


def _hear(namespace: dict[str, Any], served: Served, secret: str) -> Any:
    """What the receiver of the README answers to the first event of the register."""
    with served.app.app_context(), reading() as connection:
        event = read_feed(connection, START, limit=1, reader_id="nobody").events[0]
    content = Messages().event(event)
    return namespace["on_delivery"](content, signed_headers([secret], event.id, datetime.now(UTC), content))
