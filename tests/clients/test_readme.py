"""The examples in the client's README, run as they stand there, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest

from registry.domain.vocabulary import DecisionKind
from registry.services.decisions import get_record
from registry.store.records import RegistrationRecord
from tests.clients.conftest import Served
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
    record = served.authorize("PT-10001")
    blocks = python_blocks("clients/python/README.md")
    told, namespace = [], dict[str, Any]()
    with restless(served, record):
        for block in blocks:
            exec(compile(block, "README.md", "exec"), namespace)  # noqa: S102 - that is what is tested
            told.append(capsys.readouterr().out)
    ask, many, roster, follow = told[:4]
    assert ask.startswith("yes, through 2")
    first, second = many.splitlines()
    assert first.startswith("booking 7 True ")
    assert second == "booking 8 False None None"
    assert roster.splitlines()[:2] == ["PT-10001 True", "PT-10002 False"]
    assert roster.splitlines()[3].startswith("PT-10002 365 ")
    assert follow.startswith("registration.")
