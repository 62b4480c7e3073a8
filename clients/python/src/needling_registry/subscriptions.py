"""Webhooks on the register's side: subscriptions, their secrets, and what was delivered to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from .errors import NotFound, Unreadable
from .feed import NOW
from .reading import read
from .transport import Reply, Request, Transport
from .vocabulary import DeliveryCause, DeliveryOutcome, DisabledBecause, EventType, WebhookState

WEBHOOKS = "/v1/webhooks"
OVERLAP = timedelta(hours=24)
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecret:
    """Since when a secret is there, and until when it signs beside the newer one; never the secret."""

    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription to the feed, and how far it has come. ``etag`` names exactly this version of it.

    :param types: which types of events; ``None`` for all.
    :param roster: whose members; ``None`` for everyone.
    :param cursor: the place in the feed behind which all was delivered that is meant for it.
    :param tries: how often the next event was tried in vain, and ``next_attempt_at`` when it is tried again.
    """

    id: str
    url: str
    types: tuple[EventType, ...] | None
    roster: str | None
    description: str | None
    state: WebhookState
    disabled_at: datetime | None
    disabled_because: DisabledBecause | None
    cursor: str
    tries: int
    next_attempt_at: datetime | None
    secrets: tuple[KeptSecret, ...]
    created_at: datetime
    changed_at: datetime
    etag: str = field(default="", compare=False, metadata={"ours": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPage:
    """Some of your webhooks, and where to go on."""

    items: tuple[Webhook, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotatedSecret:
    """Another secret, shown this once."""

    secret: str | None
    secrets: tuple[KeptSecret, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMessage:
    """A message that will be sent: its ``webhook-id``, and its type."""

    id: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One attempt to deliver one message.

    :param message: the ``webhook-id``.
    :param attempt: which one it was, of this message.
    :param status: what the receiver answered; ``None``: nothing, and ``failure`` says why.
    :param excerpt: how the answer began.
    """

    id: str
    message: str
    type: str
    cause: DeliveryCause
    attempt: int
    at: datetime
    outcome: DeliveryOutcome
    status: int | None
    failure: str | None
    milliseconds: int
    excerpt: str
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttemptPage:
    """Some of the attempts, and where to go on."""

    items: tuple[DeliveryAttempt, ...]
    next: str | None


class Webhooks:
    """Your webhooks. ``registry.webhooks``; the key of a clinic is needed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __iter__(self) -> Iterator[Webhook]:
        """All of them, in the order in which they were made; without their ETags."""
        cursor = None
        while True:
            reply = self._transport.send(Request("GET", WEBHOOKS, query={"cursor": cursor}))
            page = read(WebhookPage, reply.json())
            yield from page.items
            if (cursor := page.next) is None:
                return

    def get(self, webhook_id: str) -> Webhook:
        """One of them.

        :raises NotFound: you keep none under that identifier.
        """
        return _webhook(self._transport.send(Request("GET", _path(webhook_id))))

    def create(
        self,
        url: str,
        *,
        types: Iterable[EventType | str] | None = None,
        roster: str | None = None,
        description: str | None = None,
        after: str = NOW,
    ) -> tuple[Webhook, str]:
        """Have events delivered to an address; and the secret that signs them, which is shown this once.

        :param types: which types of events; ``None`` for all.
        :param roster: only what concerns the members of this roster of yours.
        :param after: a cursor of the feed to begin behind, or :data:`NOW`.
        :raises InvalidRequest: nothing may be sent to this address.
        """
        wanted = {
            "url": url,
            "types": None if types is None else sorted({str(each) for each in types}),
            "roster": roster,
            "description": description,
            "after": after,
        }
        reply = self._transport.send(Request("POST", WEBHOOKS, body=wanted, writes=True))
        webhook = _webhook(reply)
        secret = reply.json().get("secret")
        if secret is None:  # the first answer was lost, and the secret with it: nobody has it
            secret = self.rotate_secret(webhook.id, overlap=timedelta(0))
            webhook = self.get(webhook.id)
        if not isinstance(secret, str):
            raise Unreadable("The register's answer is not as promised: /secret is no text.")
        return webhook, secret

    def rotate_secret(self, webhook_id: str, *, overlap: timedelta = OVERLAP) -> str:
        """Another secret, which is shown this once.

        :param overlap: for how long the one before goes on signing beside it, in whole hours.
        """
        body = {"overlap_hours": overlap // AN_HOUR}
        for _ in range(2):
            request = Request("POST", _path(webhook_id, "secrets"), body=body, writes=True)
            secret = read(RotatedSecret, self._transport.send(request).json()).secret
            if secret is not None:
                return secret  # else the first answer was lost, and the secret with it: make another
        raise Unreadable("The register showed no secret.")

    def change(self, webhook: Webhook, **changed: Any) -> Webhook:
        """Change one of them.

        :param webhook: as you have read it with :meth:`get`.
        :param changed: any of ``url``, ``types``, ``roster``, ``description`` and ``state``: ``"active"``
            delivers again from where it ended, ``"disabled"`` stops.
        :raises Stale: it was changed since you read it.
        """
        headers = {"If-Match": webhook.etag}
        return _webhook(
            self._transport.send(Request("PATCH", _path(webhook.id), body=changed, headers=headers))
        )

    def delete(self, webhook: Webhook) -> None:
        """Delete one of them, with its log.

        :param webhook: as you have read it with :meth:`get`.
        :raises Stale: it was changed since you read it.
        """
        with suppress(NotFound):  # it is as it should be
            self._transport.send(Request("DELETE", _path(webhook.id), headers={"If-Match": webhook.etag}))

    def ping(self, webhook_id: str) -> QueuedMessage:
        """Have a test message sent, once."""
        request = Request("POST", _path(webhook_id, "pings"), writes=True)
        return read(QueuedMessage, self._transport.send(request).json())

    def replay(self, webhook_id: str, event_id: str) -> QueuedMessage:
        """Have an event sent again, under the same ``webhook-id``."""
        request = Request("POST", _path(webhook_id, "replays"), body={"event": event_id}, writes=True)
        return read(QueuedMessage, self._transport.send(request).json())

    def rewind(self, webhook_id: str, after: str) -> Webhook:
        """Have everything behind a cursor delivered again, in order, each under the same ``webhook-id``."""
        request = Request("POST", _path(webhook_id, "rewind"), body={"after": after}, writes=True)
        return _webhook(self._transport.send(request))

    def deliveries(
        self, webhook_id: str, *, outcome: DeliveryOutcome | str | None = None, message: str | None = None
    ) -> Iterator[DeliveryAttempt]:
        """The attempts to deliver, the latest first."""
        narrowed = {"outcome": None if outcome is None else str(outcome), "message": message}
        cursor = None
        while True:
            query = {**narrowed, "cursor": cursor}
            reply = self._transport.send(Request("GET", _path(webhook_id, "deliveries"), query=query))
            page = read(DeliveryAttemptPage, reply.json())
            yield from page.items
            if (cursor := page.next) is None:
                return


def _path(webhook_id: str, *parts: str) -> str:
    if webhook_id in ("", ".", ".."):
        raise ValueError(f"{webhook_id!r} names no webhook")
    return "/".join((WEBHOOKS, quote(webhook_id, safe=""), *parts))


def _webhook(reply: Reply) -> Webhook:
    return replace(read(Webhook, reply.json()), etag=reply.headers.get("ETag", ""))
