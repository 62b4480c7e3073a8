"""Webhooks on the receiver's side: what came is believed only where the register signed it, and lately.

The rules are those of Standard Webhooks 1.0.0, checked by its own library.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from standardwebhooks import Webhook as Secret
from standardwebhooks import WebhookVerificationError

from .errors import Unreadable, WebhookRefused
from .events import Event
from .reading import read

PING = "webhook.ping"


class HasItems(Protocol):
    """Names and values: a dictionary, or what frameworks have for the headers of a request."""

    def items(self) -> Iterable[tuple[str, str]]: ...


Headers: TypeAlias = HasItems | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage:
    """What a webhook is sent: an event as the feed tells of it."""

    type: str
    timestamp: datetime
    data: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinged:
    """Which of your webhooks is tested."""

    webhook_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PingMessage:
    """What a webhook is sent when you ask for a ping."""

    type: str
    timestamp: datetime
    data: Pinged


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that the register signed.

    :param id: the ``webhook-id``: the same whenever this message is sent, so that you know what you had.
    :param type: such as ``authorization.suspended``.
    :param event: what happened; ``None`` for a ping, and where this version does not understand it.
    :param content: the message as it came.
    """

    id: str
    type: str
    event: Event | None
    content: Mapping[str, Any]

    @property
    def is_ping(self) -> bool:
        """Whether it is the test that you asked for."""
        return self.type == PING

    @property
    def is_understood(self) -> bool:
        """Whether this version knows what it tells of. If not, something changed: re-check everything."""
        return self.event is not None or self.is_ping


class WebhookReceiver:
    """Reads what the register delivers.

    :param secrets: of the webhook, ``whsec_...``; both, while one gives way to the other.
    :raises ValueError: one of them is no secret.
    """

    def __init__(self, *secrets: str) -> None:
        if not secrets:
            raise ValueError("give the secret of the webhook")
        self._secrets = [_secret(secret) for secret in secrets]

    def read(self, content: bytes, headers: Headers) -> Delivery:
        """What was delivered.

        :param content: the bytes of the body as they came, not JSON that was read and written again.
        :raises WebhookRefused: the register did not sign it, or more than five minutes ago.
        """
        given = {name.lower(): value for name, value in _pairs(headers)}
        if not isinstance(content, bytes):
            raise TypeError("give the bytes of the body as they came: they are what is signed")
        if not any(_is_signed(secret, content, given) for secret in self._secrets):
            raise WebhookRefused("The delivery is not signed by the register, or not lately.")
        message = _message(content)
        event = None
        with suppress(Unreadable):
            event = read(EventMessage, message).data
        return Delivery(given["webhook-id"], str(message.get("type")), event, message)


def _pairs(headers: Headers) -> Iterable[tuple[str, str]]:
    return headers.items() if hasattr(headers, "items") else headers


def _secret(secret: str) -> Secret:
    try:
        return Secret(secret)
    except Exception as error:
        raise ValueError("this is no secret of a webhook: give whsec_ and what follows it") from error


def _is_signed(secret: Secret, content: bytes, headers: dict[str, str]) -> bool:
    try:
        secret.verify(content, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # the library lets malformed base64 and text be the latter
        return False
    return True


def _message(content: bytes) -> dict[str, Any]:
    try:
        message = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise WebhookRefused(f"The delivery is signed, and is not JSON: {error}.") from error
    if not isinstance(message, dict):
        raise WebhookRefused("The delivery is signed, and is no JSON object.")
    return message
