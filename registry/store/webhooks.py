"""Webhooks as their owners keep them: subscriptions, secrets, what is to be sent again, the delivery log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from registry.clock import new_id
from registry.domain.webhooks import DeliveryCause, DeliveryOutcome, DisabledBecause, Interest, WebhookState
from registry.errors import Stale

from .roster_tables import rosters
from .webhook_tables import webhook_attempts, webhook_replays, webhook_secrets, webhooks

NOTHING_FAILED: Mapping[str, Any] = {"trying": None, "tries": 0, "next_attempt_at": None}

w, s, q, a, o = webhooks, webhook_secrets, webhook_replays, webhook_attempts, rosters


@dataclass(frozen=True, slots=True)
class Webhook:
    """A subscription. Instants are UTC.

    :param types: of events that are sent; ``None`` for all.
    :param roster: the name of its owner's roster that narrows it; ``None`` for everyone.
    :param after_seq: with ``after_event`` the place in the feed behind which all was delivered.
    :param tries: how often delivery of the event that is due was tried in vain.
    """

    id: str
    owner_id: str
    url: str
    types: frozenset[str] | None
    roster_id: str | None
    roster: str | None
    description: str | None
    version: int
    state: WebhookState
    disabled_at: datetime | None
    disabled_because: DisabledBecause | None
    after_seq: int
    after_event: str
    tries: int
    next_attempt_at: datetime | None
    created_at: datetime
    changed_at: datetime

    @property
    def interest(self) -> Interest:
        """What it is to be told."""
        return Interest(self.id, self.owner_id, self.types, self.roster_id)


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """One attempt to deliver one message, and what came of it.

    :param message_id: of the event, or of the ping.
    :param number: counted from one, for each message.
    :param status: what the receiver answered; ``None`` where it did not, and ``failure`` says why.
    :param next_attempt_at: when another follows; ``None`` where none does.
    """

    id: str
    message_id: str
    event_type: str
    cause: DeliveryCause
    number: int
    at: datetime
    outcome: DeliveryOutcome
    status: int | None
    failure: str | None
    milliseconds: int
    excerpt: str
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A secret without the secret itself. ``expires_at``: ``None`` for the one that stays."""

    created_at: datetime
    expires_at: datetime | None


def types_of(stored: str | None) -> frozenset[str] | None:
    """Types of events as they are kept."""
    return None if stored is None else frozenset(json.loads(stored))


def _selected() -> Select[Any]:
    return select(w, o.c.name.label("roster")).join(o, o.c.id == w.c.roster_id, isouter=True)


def _webhook(row: Row[Any]) -> Webhook:
    because = row.disabled_because
    return Webhook(
        row.id,
        row.owner_id,
        row.url,
        types_of(row.types),
        row.roster_id,
        row.roster,
        row.description,
        row.version,
        WebhookState(row.state),
        row.disabled_at,
        None if because is None else DisabledBecause(because),
        row.after_seq,
        row.after_event,
        row.tries,
        row.next_attempt_at,
        row.created_at,
        row.changed_at,
    )


def add_webhook(tx: Connection, owner_id: str, values: Mapping[str, Any], at: datetime) -> str:
    """Keep a new subscription, active; its identifier.

    :param values: ``url``, ``types``, ``roster_id``, ``description``, ``after_seq``, ``after_event``.
    """
    id_ = new_id()
    given = {"id": id_, "owner_id": owner_id, "version": 1, "state": WebhookState.ACTIVE}
    begun = {"tries": 0, "slow": False, "attempted_at": at, "created_at": at, "changed_at": at}
    tx.execute(insert(w), {**_columns(values), **given, **begun})
    return id_


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    columns = dict(values)
    if columns.get("types") is not None:
        columns["types"] = json.dumps(sorted(columns["types"]))
    return columns


def find_webhook(connection: Connection, owner_id: str, webhook_id: str) -> Webhook | None:
    """An owner's subscription."""
    wanted = _selected().where(w.c.id == webhook_id, w.c.owner_id == owner_id)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else _webhook(row)


def list_webhooks(connection: Connection, owner_id: str, *, after: str | None, limit: int) -> list[Webhook]:
    """An owner's subscriptions in the order in which they were made, those after ``after``."""
    wanted = _selected().where(w.c.owner_id == owner_id).order_by(w.c.id).limit(limit)
    if after is not None:
        wanted = wanted.where(w.c.id > after)
    return [_webhook(row) for row in connection.execute(wanted)]


def count_webhooks(connection: Connection, owner_id: str) -> int:
    """How many subscriptions an owner keeps."""
    return connection.execute(select(func.count()).where(w.c.owner_id == owner_id)).scalar_one()


def narrows_a_webhook(connection: Connection, roster_id: str) -> bool:
    """Whether a roster narrows any subscription."""
    return connection.execute(select(w.c.id).where(w.c.roster_id == roster_id).limit(1)).first() is not None


def change_webhook(tx: Connection, webhook: Webhook, values: Mapping[str, Any], at: datetime) -> None:
    """Change a subscription, and deliver from its place on at once; an attempt under way counts no more.

    :raises registry.errors.Stale: someone changed it since it was read.
    """
    same = (w.c.id == webhook.id) & (w.c.version == webhook.version)
    afresh = {**NOTHING_FAILED, "version": w.c.version + 1, "changed_at": at}
    changed = tx.execute(update(w).where(same).values({**_columns(values), **afresh}))
    if changed.rowcount != 1:
        raise Stale("This webhook was changed in the meantime; read it again.")


def delete_webhook(tx: Connection, webhook: Webhook, at: datetime) -> None:
    """Take a subscription away, with its secrets and its log.

    :raises registry.errors.Stale: someone changed it since it was read.
    """
    change_webhook(tx, webhook, {}, at)  # holds it against whoever marks a delivery
    for table in (s, q, a):
        tx.execute(delete(table).where(table.c.webhook_id == webhook.id))
    tx.execute(delete(w).where(w.c.id == webhook.id))


def add_secret(tx: Connection, webhook_id: str, secret: str, at: datetime) -> None:
    """Keep a new secret, which stays."""
    tx.execute(insert(s), {"id": new_id(), "webhook_id": webhook_id, "secret": secret, "created_at": at})


def retire_secrets(tx: Connection, webhook_id: str, at: datetime, *, until: datetime) -> None:
    """Let the secret that stays sign until an instant, and forget the others.

    :param at: the present instant; where it is ``until``, the secret is forgotten too.
    """
    of = s.c.webhook_id == webhook_id
    tx.execute(delete(s).where(of, s.c.expires_at.is_not(None)))
    if until <= at:
        tx.execute(delete(s).where(of))
    else:
        tx.execute(update(s).where(of).values(expires_at=until))


def secrets_of(connection: Connection, webhook_ids: Sequence[str], at: datetime) -> dict[str, list[str]]:
    """The secrets that sign at an instant, by subscription, the newest first."""
    in_force = s.c.expires_at.is_(None) | (s.c.expires_at > at)
    wanted = select(s.c.webhook_id, s.c.secret).where(s.c.webhook_id.in_(webhook_ids), in_force)
    found: dict[str, list[str]] = {}
    for webhook_id, secret in connection.execute(wanted.order_by(s.c.id.desc())):
        found.setdefault(webhook_id, []).append(secret)
    return found


def kept_secrets(connection: Connection, webhook_id: str, at: datetime) -> list[KeptSecret]:
    """Since when the secrets are there that sign at an instant, and until when; the newest first."""
    in_force = s.c.expires_at.is_(None) | (s.c.expires_at > at)
    wanted = select(s.c.created_at, s.c.expires_at).where(s.c.webhook_id == webhook_id, in_force)
    return [KeptSecret(*row) for row in connection.execute(wanted.order_by(s.c.id.desc()))]


def add_replay(tx: Connection, webhook_id: str, event_id: str | None, at: datetime) -> str:
    """Ask for an event to be sent again, or (``None``) for a ping; the identifier of the wish."""
    id_ = new_id()
    row = {"id": id_, "webhook_id": webhook_id, "event_id": event_id, "asked_at": at}
    tx.execute(insert(q), {**row, "tries": 0, "next_attempt_at": at})
    return id_


def count_replays(connection: Connection, webhook_id: str) -> int:
    """How much is still to be sent again."""
    return connection.execute(select(func.count()).where(q.c.webhook_id == webhook_id)).scalar_one()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which attempts: those that meet all that is given."""

    outcome: DeliveryOutcome | None = None
    message_id: str | None = None


def list_attempts(
    connection: Connection, webhook_id: str, wanted: Wanted, *, before: str | None, limit: int
) -> list[LoggedAttempt]:
    """The delivery log of a subscription, the latest first, before one of them."""
    statement = select(a).where(a.c.webhook_id == webhook_id).order_by(a.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(a.c.id < before)
    if wanted.outcome is not None:
        statement = statement.where(a.c.outcome == wanted.outcome)
    if wanted.message_id is not None:
        statement = statement.where(a.c.message_id == wanted.message_id)
    return [_attempt(row) for row in connection.execute(statement)]


def _attempt(row: Row[Any]) -> LoggedAttempt:
    return LoggedAttempt(
        row.id,
        row.message_id,
        row.event_type,
        DeliveryCause(row.cause),
        row.attempt,
        row.at,
        DeliveryOutcome(row.outcome),
        row.status,
        row.failure,
        row.milliseconds,
        row.excerpt,
        row.next_attempt_at,
    )
