"""Webhooks: what the feed tells, delivered to an address of the owner's. Nobody else sees them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import current_app, url_for
from sqlalchemy import Connection

from registry import clock
from registry.domain.webhooks import WEBHOOK_PING
from registry.errors import Invalid
from registry.http.access import current_principal
from registry.http.answers import Answer
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.operations import Blueprint
from registry.services import webhooks
from registry.services.feed import Place, cursor_of, place_of
from registry.services.webhooks import NewWebhook, Targets, targets_of
from registry.settings import Settings
from registry.store.webhooks import LoggedAttempt, Wanted, Webhook

from .events import FeedCursor
from .webhook_schemas import (
    DeliveriesQuery,
    DeliveryAttemptSchema,
    MadeWebhookSchema,
    NewWebhookSchema,
    QueuedMessageSchema,
    ReplaySchema,
    RewindSchema,
    RotatedSecretSchema,
    SecretRotationSchema,
    WebhookChangeSchema,
    WebhookSchema,
)

blueprint = Blueprint("webhooks", __name__, url_prefix="/v1/webhooks", description="Webhooks")

TARGETS = "registry.webhook_targets"
WEBHOOK = "/<id:webhook_id>"
NOW = "now"


def _targets() -> Targets:
    settings: Settings = current_app.extensions["registry.settings"]
    targets: Targets = current_app.extensions.setdefault(TARGETS, targets_of(settings))
    return targets


def vet(given: dict[str, Any], **_: Any) -> None:
    """Look up the target that a request names, if it does."""
    if "url" in given:
        webhooks.refuse_unfit(given["url"], _targets())


@blueprint.operation(
    "POST",
    "",
    body=NewWebhookSchema,
    answer=MadeWebhookSchema,
    status=201,
    shown_once="secret",
    beforehand=vet,
)
def create_webhook(tx: Connection, given: dict[str, Any]) -> Answer:
    """Subscribe an address to the feed, and show the secret that signs what is sent, once.

    What is sent is described under `webhooks`, at the end of this document.
    """
    at, after = clock.now(), given.pop("after")
    new = NewWebhook(**given, after=None if after == NOW else _place(after))
    webhook, secret = webhooks.create_webhook(tx, current_principal().id, new, at=at)
    answer = _answer(tx, webhook, at)
    location = url_for("webhooks.get_webhook", webhook_id=webhook.id)
    return Answer({**answer.value, "secret": secret}, version=webhook.version, location=location)


@blueprint.operation("GET", "", query=PageQuery, answer=page_schema(WebhookSchema))
def list_webhooks(tx: Connection, query: dict[str, Any]) -> Answer:
    """List your webhooks, in the order in which they were made."""
    after, at = position(query, str), clock.now()
    owner_id, last = current_principal().id, after[0] if after else None
    found = webhooks.list_webhooks(tx, owner_id, after=last, limit=query["limit"] + 1)
    return page_of(query, [_shown(tx, webhook, at) for webhook in found], lambda shown: [shown["id"]])


@blueprint.operation("GET", WEBHOOK, answer=WebhookSchema)
def get_webhook(tx: Connection, webhook_id: str) -> Answer:
    """Show one of your webhooks, and how far it has come."""
    return _answer(tx, _own(tx, webhook_id), clock.now())


@blueprint.operation(
    "PATCH",
    WEBHOOK,
    body=WebhookChangeSchema,
    answer=WebhookSchema,
    changes_version=True,
    beforehand=vet,
)
def change_webhook(tx: Connection, webhook_id: str, given: dict[str, Any], version: int) -> Answer:
    """Change one of your webhooks: where to, what, whom; stop it, or make it active again.

    It goes on from its place without delay, with its first attempt.
    """
    at = clock.now()
    changed = webhooks.change_webhook(tx, _own(tx, webhook_id), given, version=version, at=at)
    return _answer(tx, changed, at)


@blueprint.operation("DELETE", WEBHOOK, changes_version=True)
def delete_webhook(tx: Connection, webhook_id: str, version: int) -> None:
    """Delete one of your webhooks, with its log."""
    webhooks.remove_webhook(tx, _own(tx, webhook_id), version=version, at=clock.now())


@blueprint.operation(
    "POST",
    f"{WEBHOOK}/secrets",
    body=SecretRotationSchema,
    answer=RotatedSecretSchema,
    shown_once="secret",
)
def rotate_webhook_secret(tx: Connection, webhook_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """Make another secret, and show it once; for a while both sign.

    A secret that was replaced earlier signs no more.
    """
    at, webhook = clock.now(), _own(tx, webhook_id)
    overlap = timedelta(hours=given["overlap_hours"])
    secret = webhooks.rotate_secret(tx, webhook, overlap=overlap, at=at)
    return {"secret": secret, "secrets": webhooks.secrets_of(tx, webhook, at)}


@blueprint.operation("POST", f"{WEBHOOK}/pings", answer=QueuedMessageSchema, status=202)
def ping_webhook(tx: Connection, webhook_id: str) -> dict[str, Any]:
    """Send a test message once, also to a webhook that is disabled; the deliveries tell what came of it."""
    message_id = webhooks.ping(tx, _own(tx, webhook_id), at=clock.now())
    return {"id": message_id, "type": WEBHOOK_PING}


@blueprint.operation(
    "GET", f"{WEBHOOK}/deliveries", query=DeliveriesQuery, answer=page_schema(DeliveryAttemptSchema)
)
def list_webhook_deliveries(tx: Connection, webhook_id: str, query: dict[str, Any]) -> Answer:
    """List the attempts to deliver to one of your webhooks, the latest first.

    The last 1,000 are kept, for 30 days.
    """
    before = position(query, str)
    wanted = Wanted(query["outcome"], query["message"])
    last, limit = before[0] if before else None, query["limit"] + 1
    found = webhooks.list_attempts(tx, _own(tx, webhook_id), wanted, before=last, limit=limit)
    return page_of(query, [_shown_attempt(each) for each in found], lambda shown: [shown["id"]])


@blueprint.operation("POST", f"{WEBHOOK}/replays", body=ReplaySchema, answer=QueuedMessageSchema, status=202)
def replay_webhook_event(tx: Connection, webhook_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """Send an event again, under the same `webhook-id`, before what else is due."""
    event = webhooks.replay_event(tx, _own(tx, webhook_id), given["event"], at=clock.now())
    return {"id": event.id, "type": event.type}


@blueprint.operation("POST", f"{WEBHOOK}/rewind", body=RewindSchema, answer=WebhookSchema)
def rewind_webhook(tx: Connection, webhook_id: str, given: dict[str, Any]) -> Answer:
    """Deliver everything behind a cursor again, in the same order, each event under the same `webhook-id`."""
    at, after = clock.now(), _place(given["after"])
    return _answer(tx, webhooks.replay_since(tx, _own(tx, webhook_id), after, at=at), at)


def _own(tx: Connection, webhook_id: str) -> Webhook:
    return webhooks.get_webhook(tx, current_principal().id, webhook_id)


def _place(cursor: str) -> Place:
    try:
        return place_of(cursor)
    except ValueError as error:
        raise Invalid.at("/after", f"Give {FeedCursor.wanted}.") from error


def _answer(tx: Connection, webhook: Webhook, at: datetime) -> Answer:
    return Answer(_shown(tx, webhook, at), version=webhook.version)


SHOWN = (
    *("id", "url", "types", "roster", "description", "state", "disabled_at", "disabled_because"),
    *("tries", "next_attempt_at", "created_at", "changed_at"),
)


def _shown(tx: Connection, webhook: Webhook, at: datetime) -> dict[str, Any]:
    return {
        **{name: getattr(webhook, name) for name in SHOWN},
        "cursor": cursor_of(Place(webhook.after_seq, webhook.after_event)),
        "secrets": webhooks.secrets_of(tx, webhook, at),
    }


def _shown_attempt(attempt: LoggedAttempt) -> dict[str, Any]:
    names = ("id", "cause", "at", "outcome", "status", "failure", "milliseconds", "excerpt")
    return {
        **{name: getattr(attempt, name) for name in (*names, "next_attempt_at")},
        "message": attempt.message_id,
        "type": attempt.event_type,
        "attempt": attempt.number,
    }
