"""Webhooks: which events there are, whom each is for, and how a subscription stands."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from .vocabulary import DecisionKind, SubjectKind, Turning

WEBHOOK_DISABLED = "webhook.disabled"
WEBHOOK_PING = "webhook.ping"
"""Sent when it is asked for; no event of the feed."""

EVENT_TYPES = (
    *(f"{subject}.{kind}" for subject, kind in product(SubjectKind, (*DecisionKind, *Turning))),
    "registration.renumbered",
    "practitioner.merged",
    "practitioner.parted",
    "body.rules_added",
    WEBHOOK_DISABLED,
)
"""Every type of event that the feed may tell of."""

EventType = StrEnum(  # type: ignore[misc]  # its words follow from other vocabularies, at run time
    "EventType", {type_.upper().replace(".", "_"): type_ for type_ in EVENT_TYPES}
)
EventType.__doc__ = "What an event of the feed may tell of."


class WebhookState(StrEnum):
    """Whether events are delivered to a subscription."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DisabledBecause(StrEnum):
    """Why a subscription is disabled."""

    BY_OWNER = "by_owner"
    GONE = "gone"
    """The receiver answered 410."""
    EXHAUSTED = "exhausted"
    """The last retry failed."""
    KEY_NOT_IN_FORCE = "key_not_in_force"
    """The owner's key was revoked or has expired, or the owner's tokens are taken no more."""


class DeliveryCause(StrEnum):
    """Why a message is sent."""

    EVENT = "event"
    REPLAY = "replay"
    PING = "ping"


class DeliveryOutcome(StrEnum):
    """What came of one attempt."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    """Failed, and another attempt follows."""
    GIVEN_UP = "given_up"
    """Failed, and no other follows."""


@dataclass(frozen=True, slots=True)
class Told:
    """What decides whom an event is for.

    :param audience: the key whose holder alone may see it; ``None`` for everyone.
    :param about_webhook: the subscription that was disabled, where it tells of one.
    :param rosters: those of whose members one is concerned.
    """

    type: str
    audience: str | None = None
    about_webhook: str | None = None
    rosters: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Interest:
    """What a subscription is to be told.

    :param types: of events; ``None`` for all.
    :param roster_id: whose members it follows; ``None`` for everyone.
    """

    webhook_id: str
    owner_id: str
    types: frozenset[str] | None
    roster_id: str | None

    @property
    def is_all(self) -> bool:
        """Whether neither types nor a roster narrow it."""
        return self.types is None and self.roster_id is None

    def holds(self, told: Told) -> bool:
        """Whether an event is for this subscription.

        First match: what only one key's holder may see is for nobody else; no subscription is told that it
        was itself disabled; then the types; then the roster, which narrows only what everyone may see.
        """
        if told.audience is not None and told.audience != self.owner_id:
            return False
        if told.about_webhook == self.webhook_id:
            return False
        if self.types is not None and told.type not in self.types:
            return False
        return self.roster_id is None or told.audience is not None or self.roster_id in told.rosters
