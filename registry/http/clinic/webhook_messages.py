"""The messages that webhooks send, after Standard Webhooks 1.0.0; and their description in OpenAPI."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from registry.domain.webhooks import WEBHOOK_PING
from registry.http.answers import to_json
from registry.http.disclosure import Value, shown_instant
from registry.http.fields import Id, Instant, Nested, ResponseSchema, Text
from registry.http.openapi import Api
from registry.services.feed import FeedEvent

from .events import EventSchema, shown_event

LARGEST = 20_000
"""Bytes that no message has."""


class EventMessageSchema(ResponseSchema):
    """What a webhook is sent: an event as the feed tells of it."""

    type = Text(metadata={"description": "As the event's.", "examples": ["authorization.suspended"]})
    timestamp = Instant(metadata={"description": "When it was recorded; the same at each attempt."})
    data = Nested(EventSchema)


class PingedSchema(ResponseSchema):
    """Which of your webhooks is tested."""

    webhook_id = Id()


class PingMessageSchema(ResponseSchema):
    """What a webhook is sent when you ask for a ping."""

    type = Text(metadata={"examples": [WEBHOOK_PING]})
    timestamp = Instant()
    data = Nested(PingedSchema)


class Messages:
    """Writes messages: the same bytes for the same event."""

    def event(self, event: FeedEvent) -> bytes:
        """The message that tells of an event."""
        return _message(event.type, event.occurred_at, shown_event(event))

    def ping(self, webhook_id: str, at: datetime) -> bytes:
        """A test message; ``at``: when it was asked for (UTC)."""
        return _message(WEBHOOK_PING, at, {"webhook_id": webhook_id})


def _message(type_: str, at: datetime, data: Value) -> bytes:
    return to_json({"type": type_, "timestamp": shown_instant(at), "data": data})


HEADERS = {
    "webhook-id": "Of the message: the same at each attempt and replay, by which you know what you have.",
    "webhook-timestamp": "Of this attempt, in seconds since 1970.",
    "webhook-signature": "`v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`, by the secret;"
    " several, with blanks between, while one secret gives way to another.",
}


def describe_messages(api: Api) -> None:
    """Describe in OpenAPI what is sent to those who subscribe."""
    for name, schema in (("EventMessage", EventMessageSchema), ("PingMessage", PingMessageSchema)):
        if name not in api.spec.components.schemas:
            api.spec.components.schema(name, schema=schema)
    api.spec.options["webhooks"] = {
        "event": {"post": _operation("receive_event", "Something happened.", "EventMessage")},
        "ping": {"post": _operation("receive_ping", "You asked for a test.", "PingMessage")},
    }


def _operation(name: str, summary: str, schema: str) -> dict[str, Any]:
    described = {"$ref": f"#/components/schemas/{schema}"}
    return {
        "operationId": name,
        "summary": summary,
        "description": "Sent to the address of your webhook. It is sent again until it is answered 2xx within"
        " 15 seconds: after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h; then the webhook is"
        " disabled. Redirects are not followed.",
        "tags": ["webhooks"],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
                "description": said,
            }
            for name, said in HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": described}}},
        "responses": {
            "2XX": {"description": "You have it."},
            "410": {"description": "You want nothing any more: the webhook is disabled."},
            "default": {"description": "You will be sent it again; `Retry-After` is heeded."},
        },
    }
