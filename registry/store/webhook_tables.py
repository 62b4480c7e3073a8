"""The tables of webhooks: subscriptions, their secrets, what is to be sent again, and the delivery log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from registry.domain.webhooks import DeliveryCause, DeliveryOutcome, DisabledBecause, WebhookState

from .tables import metadata, one_of
from .types import Identifier, Instant


def _of_webhook() -> Column[str]:
    return Column("webhook_id", Identifier, ForeignKey("webhooks.id"), nullable=False)


webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Identifier, primary_key=True),
    Column("owner_id", Identifier, ForeignKey("principals.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("types", Text),
    Column("roster_id", Identifier, ForeignKey("rosters.id"), index=True),
    Column("description", Text),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("disabled_at", Instant),
    Column("disabled_because", Text),
    Column("after_seq", BigInteger, nullable=False),
    Column("after_event", Text, nullable=False),
    Column("trying", Identifier),
    Column("tries", Integer, nullable=False),
    Column("next_attempt_at", Instant),
    Column("attempted_at", Instant, nullable=False),
    Column("slow", Boolean, nullable=False),
    Column("lease", Identifier),
    Column("lease_until", Instant),
    Column("leased_version", Integer),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    one_of("state", WebhookState),
    one_of("disabled_because", DisabledBecause),
    CheckConstraint("(state = 'disabled') = (disabled_because IS NOT NULL)", name="disabled_for_a_reason"),
    Index(None, "owner_id", "id"),
)
"""``after_*``: the place in the feed behind which all that is meant for the subscription was delivered.

``version`` counts what its owner changed, ``leased_version`` is the one that is being delivered to: what was
sent to a subscription that has changed since does not move its place. ``tries`` counts what was tried in vain
to deliver the event ``trying``. ``attempted_at`` decides whose turn it is.
"""

webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("id", Identifier, primary_key=True),
    _of_webhook(),
    Column("secret", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Index(None, "webhook_id", "id"),
)
"""Secrets are kept as they are: who signs needs them so."""

webhook_replays = Table(
    "webhook_replays",
    metadata,
    Column("id", Identifier, primary_key=True),
    _of_webhook(),
    Column("event_id", Identifier),
    Column("asked_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Index(None, "webhook_id", "id"),
)
"""What is to be sent besides, in the order of the identifiers. ``event_id``: null for a ping."""

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("id", Identifier, primary_key=True),
    _of_webhook(),
    Column("message_id", Identifier, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("failure", Text),
    Column("milliseconds", Integer, nullable=False),
    Column("excerpt", Text, nullable=False),
    Column("next_attempt_at", Instant),
    one_of("cause", DeliveryCause),
    one_of("outcome", DeliveryOutcome),
    Index(None, "webhook_id", "id"),
)
