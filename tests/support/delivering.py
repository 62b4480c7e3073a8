"""A deliverer that a test drives by hand, and the receivers that it sends to: a function each."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from flask import Flask
from standardwebhooks import Webhook

from registry.delivery.sending import Attempt, Message, Sender
from registry.delivery.signing import signed_headers
from registry.delivery.targets import Policy
from registry.http.clinic.webhook_messages import Messages
from registry.services.delivering import Deliverer, Places
from registry.store.database import reading, writing

LONGEST = timedelta(seconds=15)
PATIENCE = 30.0
"""Seconds for which a test waits for what it knows to come."""


def answered(status: int, *, retry_after: float | None = None, milliseconds: int = 3) -> Attempt:
    """An attempt that a receiver answered."""
    return Attempt(status, None, retry_after, milliseconds, "")


UNANSWERED = Attempt(None, "It took too long.", None, 15_000, "")


@dataclass(frozen=True)
class Sent:
    """One attempt, as the receiver saw it."""

    url: str
    id: str
    body: bytes
    secrets: tuple[str, ...]
    at: datetime

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def number(self) -> Any:
        return self.document["data"].get("number")

    def verified_by(self, secret: str) -> Any:
        """What the library of the standard makes of it."""
        headers = signed_headers(self.secrets, self.id, self.at, self.body)
        return Webhook(secret).verify(self.body, headers)


Answer = Callable[[Sent], Attempt]


@dataclass
class Receivers(Sender):
    """Every receiver there is: answers 204, or what a test lets it answer, by the end of its address."""

    sent: list[Sent] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(Policy())

    def send(self, url: str, message: Message, secrets: Sequence[str], at: datetime) -> Attempt:
        sent = Sent(url, message.id, message.body, tuple(secrets), at)
        self.sent.append(sent)
        answer = self.answers.get(url.rsplit("/", 1)[1])
        return answered(204) if answer is None else answer(sent)

    def answer(self, name: str, *attempts: Attempt) -> None:
        """Let one answer so, the last of them ever after."""
        left = list(attempts)
        self.answers[name] = lambda _: left.pop(0) if len(left) > 1 else left[0]

    def hang(self, name: str, attempt: Attempt | None = None) -> Hanging:
        """Let one answer only when the test lets it."""
        self.answers[name] = hanging = Hanging(attempt)
        return hanging

    @property
    def held(self) -> int:
        """How many attempts hang."""
        return sum(each.holds for each in self.answers.values() if isinstance(each, Hanging))

    def ids(self, name: str) -> list[str]:
        """What one was sent, in order."""
        return [sent.id for sent in self.sent if sent.url.endswith(f"/{name}")]

    def numbers(self, name: str) -> list[str]:
        """Whom one was told of, in order."""
        return [sent.number for sent in self.sent if sent.url.endswith(f"/{name}")]


class Hanging:
    """An answer that comes when the test lets it."""

    def __init__(self, attempt: Attempt | None = None) -> None:
        self.attempt = attempt or answered(204)
        self.holds = 0
        self.over = threading.Event()

    def __call__(self, _: Sent) -> Attempt:
        self.holds += 1
        assert self.over.wait(PATIENCE)
        self.holds -= 1
        return self.attempt


@dataclass
class Driven:
    """A deliverer whose turns a test takes."""

    app: Flask
    sender: Sender
    deliverer: Deliverer

    def turn(self) -> float:
        """One turn; the seconds after which it would take the next."""
        with self.app.app_context(), reading() as connection:
            return self.deliverer._turn(connection)

    def settle(self) -> None:
        """Deliver all that is due now and does not hang."""
        deadline = time.monotonic() + PATIENCE
        while self.turn() == 0 or self._has_mail() or len(self.deliverer._lanes.busy) > self._held:
            assert time.monotonic() < deadline, "it does not come to rest"

    @property
    def _held(self) -> int:
        return self.sender.held if isinstance(self.sender, Receivers) else 0

    def _has_mail(self) -> bool:
        self.deliverer._collect(0.01)
        return bool(self.deliverer._unmarked)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Take turns until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < deadline
            self.turn()
            self._has_mail()


@contextmanager
def driving(app: Flask, sender: Sender, places: Places | None = None) -> Iterator[Driven]:
    """A deliverer, until the block ends."""
    random = Random(1)  # noqa: S311 - no secret, and the same in every run
    deliverer = Deliverer(reading, writing, sender, LONGEST, Messages(), places, random)
    try:
        yield Driven(app, sender, deliverer)
    finally:
        deliverer._lanes.close()
