"""How long the queue of webhooks is, and what came of the latest attempts: for those who run the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from registry.domain.webhooks import WebhookState

from .feed import first_event_after, newest_event
from .webhook_tables import webhook_attempts, webhook_replays, webhooks

w, q, a = webhooks, webhook_replays, webhook_attempts

PENDING, RETRYING = "pending", "retrying"
QUEUES = (PENDING, RETRYING)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Subscriptions in one state of the queue to whom something is to be sent.

    :param since: when the oldest event behind the place of one of them was recorded (UTC). It may be meant
        for others, for as long as it has not been looked at.
    """

    subscriptions: int
    since: datetime | None


def waiting(connection: Connection) -> dict[str, Waiting]:
    """By state: ``pending`` where the next event is to be sent, ``retrying`` where that failed before."""
    newest, _ = newest_event(connection)
    state = case((w.c.tries > 0, RETRYING), else_=PENDING)
    behind = select(state, func.count(), func.min(w.c.after_seq)).where(
        w.c.state == WebhookState.ACTIVE, w.c.after_seq < newest
    )
    found = {row[0]: row for row in connection.execute(behind.group_by(state))}
    return {
        name: Waiting(found[name][1], first_event_after(connection, found[name][2]))
        if name in found
        else Waiting(0, None)
        for name in QUEUES
    }


def replays(connection: Connection) -> int:
    """How many messages are to be sent again, pings among them."""
    return connection.execute(select(func.count()).select_from(q)).scalar_one()


def subscriptions(connection: Connection) -> dict[str, int]:
    """How many there are, by state."""
    counted = {
        row[0]: row[1] for row in connection.execute(select(w.c.state, func.count()).group_by(w.c.state))
    }
    return {state.value: counted.get(state.value, 0) for state in WebhookState}


def attempts_since(connection: Connection, first_id: str) -> dict[str, int]:
    """What came of the attempts whose identifiers are not below one, by outcome."""
    statement = select(a.c.outcome, func.count()).where(a.c.id >= first_id).group_by(a.c.outcome)
    return {row[0]: row[1] for row in connection.execute(statement)}
