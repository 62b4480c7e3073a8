"""What came of attempts, written down: the log, the place, what follows; only where the lease is held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import structlog
from sqlalchemy import Connection

from registry.clock import new_id
from registry.delivery import schedule
from registry.delivery.schedule import Again, Delivered, Ending, Over
from registry.delivery.sending import Attempt
from registry.domain.webhooks import WEBHOOK_DISABLED, DeliveryCause, DeliveryOutcome, DisabledBecause
from registry.store import webhook_deliveries as store
from registry.store.events import Event, add_events

from .errands import Errand

SLOW_MILLISECONDS = 1000
"""Who takes longer to answer is sent the next message by other threads than who does not."""

BECAUSE = {Ending.GONE: DisabledBecause.GONE, Ending.EXHAUSTED: DisabledBecause.EXHAUSTED}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that is over, however it went. Instants are UTC."""

    errand: Errand
    attempt: Attempt
    begun_at: datetime
    ended_at: datetime

    @property
    def took_long(self) -> bool:
        """Whether the receiver answered slowly."""
        return self.attempt.milliseconds > SLOW_MILLISECONDS


Verdict = Delivered | Again | Over


def mark(tx: Connection, finished: Sequence[Finished], random: Random) -> None:
    """Write down what came of attempts of different subscriptions: all of it where the lease is still held.

    A subscription that its owner changed meanwhile keeps its place; that something was sent is still logged.

    :param random: where the jitter of retries comes from.
    """
    verdicts = [(one, _verdict(one, random)) for one in finished]
    ours, notices = _mark_places(tx, verdicts)
    for one, verdict in verdicts:
        id_ = one.errand.webhook_id
        if id_ not in ours:
            log.warning("webhook_lease_lost", webhook=id_)
        elif one.errand.replay_id is not None:
            _mark_replay(tx, one.errand.replay_id, one.errand.number, verdict)
    store.log_attempts(tx, [_row(one, v) for one, v in verdicts if one.errand.webhook_id in ours])
    add_events(tx, notices)


def _verdict(one: Finished, random: Random) -> Verdict:
    """What follows. A ping is tried once; and its failing tells nothing, unless the receiver is gone."""
    verdict = schedule.after(one.attempt, one.errand.number, one.ended_at, random)
    if one.errand.cause is DeliveryCause.PING and isinstance(verdict, Again):
        return Over(Ending.EXHAUSTED)
    return verdict


def _mark_places(
    tx: Connection, verdicts: Sequence[tuple[Finished, Verdict]]
) -> tuple[set[str], list[Event]]:
    """Those whose lease was held, and is given back; and the notices to owners of what was disabled."""
    ours: set[str] = set()
    notices: list[Event] = []
    alike: dict[tuple[int, str, bool], list[Finished]] = defaultdict(list)
    for one, verdict in verdicts:
        place = one.errand.place
        if place is not None and isinstance(verdict, Delivered):
            alike[place.seq, place.event, one.took_long].append(one)
        elif _ends(one, verdict):
            notices += _disabled(tx, one, verdict, ours)
        elif place is not None and isinstance(verdict, Again):
            ours |= _failed(tx, one, verdict)
    for (seq, event, slow), group in alike.items():
        ids, leases = [one.errand.webhook_id for one in group], {one.errand.lease for one in group}
        at = max(one.ended_at for one in group)
        ours |= store.mark_delivered(tx, ids, leases, (seq, event), at=at, slow=slow)
    rest = [one.errand for one, _ in verdicts if one.errand.webhook_id not in ours]
    return ours | store.release(tx, [e.webhook_id for e in rest], {e.lease for e in rest}), notices


def _ends(one: Finished, verdict: Verdict) -> bool:
    """Whether to disable the subscription: gone, or the last retry of what is next in the feed failed."""
    return isinstance(verdict, Over) and (one.errand.place is not None or verdict.reason is Ending.GONE)


def _disabled(tx: Connection, one: Finished, verdict: Verdict, ours: set[str]) -> list[Event]:
    assert isinstance(verdict, Over)
    id_, at, because = one.errand.webhook_id, one.ended_at, BECAUSE[verdict.reason]
    owner_id = store.mark_over(tx, id_, one.errand.lease, because, at=at)
    if owner_id is None:
        return []
    ours.add(id_)
    log.info("webhook_disabled", webhook=id_, because=because)
    data = {"webhook": id_, "because": because.value}
    day = at.astimezone(UTC).date()
    return [Event(WEBHOOK_DISABLED, None, None, day, at, data=data, audience=owner_id)]


def _failed(tx: Connection, one: Finished, verdict: Again) -> set[str]:
    errand, at = one.errand, one.ended_at
    failing = store.Failing(errand.message.id, errand.number, verdict.at)
    held = store.mark_failed(tx, errand.webhook_id, errand.lease, failing, at=at)
    return {errand.webhook_id} if held else set()


def _mark_replay(tx: Connection, replay_id: str, number: int, verdict: Verdict) -> None:
    if isinstance(verdict, Again):
        store.postpone_replay(tx, replay_id, tries=number, next_attempt_at=verdict.at)
    else:
        store.end_replays(tx, [replay_id])


def _row(one: Finished, verdict: Verdict) -> dict[str, Any]:
    errand, attempt = one.errand, one.attempt
    outcome = DeliveryOutcome.DELIVERED
    if not isinstance(verdict, Delivered):
        outcome = DeliveryOutcome.RETRIED if isinstance(verdict, Again) else DeliveryOutcome.GIVEN_UP
    return {
        "id": new_id(),
        "webhook_id": errand.webhook_id,
        "message_id": errand.message.id,
        "event_type": errand.type,
        "cause": errand.cause,
        "attempt": errand.number,
        "at": one.begun_at,
        "outcome": outcome,
        "status": attempt.status,
        "failure": attempt.failure,
        "milliseconds": attempt.milliseconds,
        "excerpt": attempt.excerpt,
        "next_attempt_at": verdict.at if isinstance(verdict, Again) else None,
    }
