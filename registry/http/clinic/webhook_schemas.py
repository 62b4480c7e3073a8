"""Webhooks in JSON: what their owners send and are shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import marshmallow as ma

from registry.domain.webhooks import DeliveryCause, DeliveryOutcome, DisabledBecause, EventType, WebhookState
from registry.http.cursors import PageQuery
from registry.http.fields import (
    Id,
    Instant,
    Integer,
    List,
    Nested,
    RequestSchema,
    ResponseSchema,
    RosterName,
    SetOf,
    Text,
    Word,
)
from registry.services.webhooks import LONGEST_OVERLAP, LONGEST_URL

from .events import FeedCursor

LONGEST_DESCRIPTION = 200
URL = "Where events are sent to: https, a host whose addresses are all public, no user name."
TYPES = "Which types of events; null for all."
ROSTER = "Only what concerns the members of this roster of yours; null for everyone."
MOST_HOURS = LONGEST_OVERLAP // timedelta(hours=1)
EXAMPLE = "https://booking.example.org/hooks/registry"


def _url(**options: Any) -> Text:
    return Text(LONGEST_URL, metadata={"description": URL, "examples": [EXAMPLE]}, **options)


def _types(**options: Any) -> SetOf:
    return SetOf(Word(EventType), least=1, allow_none=True, metadata={"description": TYPES}, **options)


def _roster(**options: Any) -> RosterName:
    return RosterName(allow_none=True, metadata={"description": ROSTER}, **options)


class NewWebhookSchema(RequestSchema):
    """A subscription to the feed."""

    url = _url(required=True)
    types = _types(load_default=None)
    roster = _roster(load_default=None)
    description = Text(LONGEST_DESCRIPTION, allow_none=True, load_default=None)
    after = FeedCursor(
        load_default="now",
        metadata={"description": "Behind which place of the feed to begin; `now` for what is to come."},
    )


class WebhookChangeSchema(RequestSchema):
    """What is to be changed; what is absent stays as it is."""

    url = _url()
    types = _types()
    roster = _roster()
    description = Text(LONGEST_DESCRIPTION, allow_none=True)
    state = Word(
        WebhookState,
        metadata={"description": "`active` delivers again, from where it ended; `disabled` stops."},
    )

    @ma.validates_schema
    def says_what(self, data: dict[str, Any], **_: Any) -> None:
        """Something is changed."""
        if not data:
            raise ma.ValidationError("Give url, types, roster, description or state.")


class KeptSecretSchema(ResponseSchema):
    """Since when a secret is there, and until when it signs beside the newer one; never the secret."""

    created_at = Instant()
    expires_at = Instant(allow_none=True)


class WebhookSchema(ResponseSchema):
    """A subscription, and how far it has come."""

    id = Id()
    url = _url()
    types = _types()
    roster = _roster()
    description = Text(LONGEST_DESCRIPTION, allow_none=True)
    state = Word(WebhookState)
    disabled_at = Instant(allow_none=True)
    disabled_because = Word(DisabledBecause, allow_none=True)
    cursor = FeedCursor(
        metadata={"description": "The place in the feed behind which all was delivered that is meant for it."}
    )
    tries = Integer(metadata={"description": "How often the next event was tried in vain."})
    next_attempt_at = Instant(
        allow_none=True, metadata={"description": "When it is tried again; null where nothing failed."}
    )
    secrets = List(Nested(KeptSecretSchema), metadata={"description": "The newest first."})
    created_at = Instant()
    changed_at = Instant()


class MadeWebhookSchema(WebhookSchema):
    """A subscription that has just been made, with its secret, shown this once."""

    secret = Text(
        allow_none=True,
        metadata={"description": "Signs what is sent. Null where the request is repeated: then rotate it."},
    )


class SecretRotationSchema(RequestSchema):
    """How a secret gives way to another."""

    overlap_hours = Integer(
        0,
        MOST_HOURS,
        load_default=24,
        metadata={"description": "For how long the one before goes on signing beside the new one."},
    )


class RotatedSecretSchema(ResponseSchema):
    """Another secret, shown this once."""

    secret = Text(allow_none=True, metadata={"description": "Null where the request is repeated."})
    secrets = List(Nested(KeptSecretSchema), metadata={"description": "The newest first."})


class ReplaySchema(RequestSchema):
    """Which event to send again."""

    event = Id(required=True)


class RewindSchema(RequestSchema):
    """From where on to deliver again."""

    after = FeedCursor(
        required=True, metadata={"description": "A place that deliveries have reached: a `cursor` or `next`."}
    )


class QueuedMessageSchema(ResponseSchema):
    """A message that will be sent, before what else is due."""

    id = Id(metadata={"description": "Its `webhook-id`."})
    type = Text()


class DeliveriesQuery(PageQuery):
    """Which attempts."""

    outcome = Word(
        DeliveryOutcome,
        load_default=None,
        metadata={"description": "Only those that were delivered, are tried again, or were given up."},
    )
    message = Id(load_default=None, metadata={"description": "Only those of this message (`webhook-id`)."})


class DeliveryAttemptSchema(ResponseSchema):
    """One attempt to deliver one message."""

    id = Id()
    message = Id(metadata={"description": "The `webhook-id`: the event's identifier, or the ping's."})
    type = Text()
    cause = Word(DeliveryCause)
    attempt = Integer(metadata={"description": "Which one it was, of this message."})
    at = Instant()
    outcome = Word(DeliveryOutcome)
    status = Integer(allow_none=True, metadata={"description": "What the receiver answered; null: nothing."})
    failure = Text(allow_none=True, metadata={"description": "Why there was no answer."})
    milliseconds = Integer()
    excerpt = Text(metadata={"description": "How the answer began."})
    next_attempt_at = Instant(allow_none=True)
