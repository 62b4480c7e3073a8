"""Webhooks: subscriptions to the feed that are delivered to an address of the subscriber's.

A subscription is a place in the feed that moves behind what was delivered, or what is not meant for it.
:mod:`.delivering` moves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from registry.delivery.patience import begun
from registry.delivery.signing import new_secret
from registry.delivery.targets import (
    MOST_CHARACTERS,
    Policy,
    Resolver,
    UnfitTarget,
    system_resolver,
    vet,
)
from registry.domain.webhooks import DisabledBecause, Interest, Told, WebhookState
from registry.errors import Conflict, Invalid, NotFound, Stale
from registry.settings import Settings
from registry.store import rosters as roster_store
from registry.store import webhook_deliveries as deliveries
from registry.store import webhooks as store
from registry.store.database import wake_watchers
from registry.store.feed import events_of_ids, rosters_concerned
from registry.store.webhooks import KeptSecret, LoggedAttempt, Wanted, Webhook

from .feed import FeedEvent, Place, event_of, newest_place, refuse_other_history

MOST_WEBHOOKS = 1000
"""Of one owner."""

MOST_REPLAYS = 100
"""Of one subscription, at a time."""

LOOKED_UP_WITHIN = 5.0
"""Seconds that looking up a name may take while somebody waits for an answer."""

LONGEST_URL = MOST_CHARACTERS
LONGEST_OVERLAP = timedelta(days=7)
"""For how long a secret that was replaced may go on signing."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where webhooks of this deployment may lead, and who looks up names."""

    policy: Policy
    resolve: Resolver = system_resolver


def targets_of(settings: Settings) -> Targets:
    """What this deployment's settings say."""
    return Targets(Policy.of(settings))


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A subscription to be kept.

    :param types: of events; ``None`` for all.
    :param roster: the name of a roster of the owner's; ``None`` for everyone.
    :param after: behind which place it begins; ``None`` for what is to come.
    """

    url: str
    types: frozenset[str] | None = None
    roster: str | None = None
    description: str | None = None
    after: Place | None = None


def refuse_unfit(url: str, targets: Targets) -> None:
    """Look a target up. It may take seconds: not to be called in a transaction.

    :raises registry.errors.Invalid: nothing may be sent there, or its name is not found in time.
    """
    try:
        begun(lambda: vet(url, targets.policy, targets.resolve), "vetting").result(LOOKED_UP_WITHIN)
    except UnfitTarget as error:
        raise Invalid.at("/url", error.detail) from error
    except TimeoutError as error:
        raise Invalid.at("/url", "The name of the host could not be looked up in time.") from error


def get_webhook(connection: Connection, owner_id: str, webhook_id: str) -> Webhook:
    """An owner's subscription.

    :raises registry.errors.NotFound: the owner has none of that identifier.
    """
    webhook = store.find_webhook(connection, owner_id, webhook_id)
    if webhook is None:
        raise NotFound(f"You keep no webhook under the identifier {webhook_id}.")
    return webhook


def list_webhooks(connection: Connection, owner_id: str, *, after: str | None, limit: int) -> list[Webhook]:
    """An owner's subscriptions in the order in which they were made."""
    return store.list_webhooks(connection, owner_id, after=after, limit=limit)


def secrets_of(connection: Connection, webhook: Webhook, at: datetime) -> list[KeptSecret]:
    """Since when and until when its secrets sign; never the secrets."""
    return store.kept_secrets(connection, webhook.id, at)


def create_webhook(tx: Connection, owner_id: str, new: NewWebhook, *, at: datetime) -> tuple[Webhook, str]:
    """Keep a subscription; and its secret, which is shown this once.

    :param new: with a target that was vetted before.
    :raises registry.errors.Invalid: there is no such roster, or there are too many subscriptions.
    :raises registry.errors.Gone: ``after`` is of a history that this register no longer has.
    """
    if store.count_webhooks(tx, owner_id) >= MOST_WEBHOOKS:
        raise Invalid(f"At most {MOST_WEBHOOKS:,} webhooks are kept for one key.")
    newest = newest_place(tx)
    after = new.after or newest
    refuse_other_history(tx, after, newest)
    values = {
        "url": new.url,
        "types": new.types,
        "roster_id": _roster_id(tx, owner_id, new.roster),
        "description": new.description,
        "after_seq": after.seq,
        "after_event": after.event,
    }
    webhook = get_webhook(tx, owner_id, store.add_webhook(tx, owner_id, values, at))
    secret = new_secret()
    store.add_secret(tx, webhook.id, secret, at)
    wake_watchers(tx)
    return webhook, secret


def _roster_id(connection: Connection, owner_id: str, name: str | None) -> str | None:
    if name is None:
        return None
    roster = roster_store.find_roster(connection, owner_id, name)
    if roster is None:
        raise Invalid.at("/roster", f"You keep no roster of the name {name}.")
    return roster.id


def change_webhook(
    tx: Connection, webhook: Webhook, changed: Mapping[str, Any], *, version: int, at: datetime
) -> Webhook:
    """Change a subscription, and deliver from its place on without delay; or disable it.

    :param changed: any of ``url`` (vetted before), ``types``, ``roster``, ``description`` and ``state``.
    :param version: as the caller saw it.
    :raises registry.errors.Stale: it has changed since.
    :raises registry.errors.Invalid: there is no such roster.
    """
    _refuse_stale(webhook, version)
    values = {name: changed[name] for name in ("url", "types", "description") if name in changed}
    if "roster" in changed:
        values["roster_id"] = _roster_id(tx, webhook.owner_id, changed["roster"])
    state = changed.get("state", webhook.state)
    if state is not webhook.state:
        values |= _turned(state, at)
    store.change_webhook(tx, webhook, values, at)
    if state is WebhookState.DISABLED:
        deliveries.forget_replays(tx, webhook.id)
    wake_watchers(tx)
    return get_webhook(tx, webhook.owner_id, webhook.id)


def _turned(state: WebhookState, at: datetime) -> dict[str, Any]:
    disabled = state is WebhookState.DISABLED
    return {
        "state": state,
        "disabled_at": at if disabled else None,
        "disabled_because": DisabledBecause.BY_OWNER if disabled else None,
    }


def _refuse_stale(webhook: Webhook, version: int) -> None:
    if webhook.version != version:
        raise Stale("This webhook is not as you saw it; read it again.")


def remove_webhook(tx: Connection, webhook: Webhook, *, version: int, at: datetime) -> None:
    """Take a subscription away, with its log.

    :raises registry.errors.Stale: it has changed since.
    """
    _refuse_stale(webhook, version)
    store.delete_webhook(tx, webhook, at)


def rotate_secret(tx: Connection, webhook: Webhook, *, overlap: timedelta, at: datetime) -> str:
    """Make another secret, shown this once; the one before goes on signing beside it for a while.

    :param overlap: for how long, at most :data:`LONGEST_OVERLAP`. What was replaced earlier signs no more.
    """
    secret = new_secret()
    store.retire_secrets(tx, webhook.id, at, until=at + overlap)
    store.add_secret(tx, webhook.id, secret, at)
    return secret


def ping(tx: Connection, webhook: Webhook, *, at: datetime) -> str:
    """Send a test message, once, also to a subscription that is disabled; the identifier of the message.

    :raises registry.errors.Conflict: too much is waiting to be sent already.
    """
    _refuse_many_replays(tx, webhook)
    message_id = store.add_replay(tx, webhook.id, None, at)
    wake_watchers(tx)
    return message_id


def replay_event(tx: Connection, webhook: Webhook, event_id: str, *, at: datetime) -> FeedEvent:
    """Send an event again, under its identifier, before what else is due.

    :raises registry.errors.NotFound: there is no such event that is meant for this subscription.
    :raises registry.errors.Conflict: it is disabled, or too much is waiting to be sent already.
    """
    if webhook.state is not WebhookState.ACTIVE:
        raise Conflict("This webhook is disabled; make it active first.")
    _refuse_many_replays(tx, webhook)
    found = [event_of(row) for row in events_of_ids(tx, [event_id])]
    if not found or not is_for(tx, webhook.interest, found[0]):
        raise NotFound(f"No event of the identifier {event_id} is meant for this webhook.")
    store.add_replay(tx, webhook.id, event_id, at)
    wake_watchers(tx)
    return found[0]


def is_for(connection: Connection, interest: Interest, event: FeedEvent) -> bool:
    """Whether an event is meant for a subscription."""
    roster_ids = [] if interest.roster_id is None else [interest.roster_id]
    seq = event.place.seq
    concerned = rosters_concerned(connection, seq - 1, seq, roster_ids) if roster_ids else ()
    return interest.holds(told_of(event, frozenset(roster_id for roster_id, _ in concerned)))


def told_of(event: FeedEvent, rosters: frozenset[str]) -> Told:
    """What decides whom an event is for.

    :param rosters: those of whose members one is concerned.
    """
    return Told(event.type, event.audience, event.data.get("webhook"), rosters)


def _refuse_many_replays(connection: Connection, webhook: Webhook) -> None:
    if store.count_replays(connection, webhook.id) >= MOST_REPLAYS:
        raise Conflict(f"{MOST_REPLAYS} messages wait to be sent again already; go on when they were.")


def replay_since(tx: Connection, webhook: Webhook, after: Place, *, at: datetime) -> Webhook:
    """Deliver all events behind a place again, in their order and under their identifiers.

    :raises registry.errors.Invalid: the place is not yet reached.
    :raises registry.errors.Gone: it is of a history that this register no longer has.
    """
    refuse_other_history(tx, after, newest_place(tx))
    if after.seq > webhook.after_seq:
        raise Invalid.at("/after", "Give a place that deliveries have reached: they go back, never ahead.")
    values = {"after_seq": after.seq, "after_event": after.event}
    store.change_webhook(tx, webhook, values, at)
    wake_watchers(tx)
    return get_webhook(tx, webhook.owner_id, webhook.id)


def list_attempts(
    connection: Connection, webhook: Webhook, wanted: Wanted, *, before: str | None, limit: int
) -> list[LoggedAttempt]:
    """The delivery log of a subscription, the latest first."""
    return store.list_attempts(connection, webhook.id, wanted, before=before, limit=limit)
