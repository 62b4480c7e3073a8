"""``registry deliver``, as it is typed: it delivers until it is to stop, and finishes what it has begun."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from registry.store import schema
from tests.support.factories import database
from tests.support.hooks import PATIENCE, Hooks, Recorder, begin, delivering, recording, until

DELIVER = ("registry.cli", "deliver")


@pytest.fixture
def hooks(database_url: str) -> Iterator[Hooks]:
    with database(database_url) as engine:
        yield Hooks(engine)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_who_is_stopped_finishes_and_marks_what_it_is_sending(database_url, hooks, recorder, stop):
    hooks.register()
    (webhook,) = hooks.subscribe(recorder.url("hook"))
    arrived, answers = threading.Event(), threading.Event()

    def answer(_: str) -> int:
        arrived.set()
        return 204 if answers.wait(PATIENCE) else 500

    recorder.answer = answer
    deliverer = begin(database_url, *DELIVER)
    try:
        hooks.register(2)
        assert arrived.wait(PATIENCE)
        deliverer.send_signal(stop)
        answers.set()
        deliverer.communicate(timeout=PATIENCE)
    finally:
        deliverer.kill()
    assert deliverer.returncode == 0
    (attempt,) = hooks.log(webhook)
    assert attempt.outcome == "delivered"
    assert hooks.state(webhook).after_event == hooks.events()[-2]
    assert hooks.state(webhook).lease is None


def test_one_beside_the_server_ends_when_that_does(database_url, hooks, recorder):
    hooks.register()
    hooks.subscribe(recorder.url("hook"))
    orphan = begin(database_url, "registry.cli", "keep-delivering", "1")
    assert orphan.communicate(timeout=PATIENCE)
    assert orphan.returncode == 0


def test_it_does_not_run_on_another_schema(empty_database_url):
    schema.upgrade(empty_database_url, "0008")
    refused = begin(empty_database_url, *DELIVER)
    refused.communicate(timeout=PATIENCE)
    assert refused.returncode == 1


def test_what_was_recorded_before_it_began_is_delivered_too(database_url, hooks, recorder):
    hooks.register()
    hooks.subscribe(recorder.url("hook"))
    hooks.register(3)
    with delivering(database_url):
        until(lambda: recorder.ids("hook") == hooks.events()[-3:])
