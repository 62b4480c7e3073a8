"""What follows a try: Standard Webhooks 1.0.0, its retries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

from registry.delivery.sending import Attempt

RETRY_DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Before each of the ten tries, counted from the end of the one before; the first is at once."""

JITTER = 0.1
"""A delay is lengthened by up to this part of it: receivers that failed together are not tried together."""

LONGEST_WAIT = timedelta(hours=24)
"""Beyond this no receiver's ``Retry-After`` is followed (the jitter comes on top)."""

THROTTLES = frozenset({429, 502, 503, 504})
"""The answers whose ``Retry-After`` is followed."""


class Ending(StrEnum):
    """Why an endpoint is tried no more."""

    GONE = "gone"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True)
class Delivered:
    """The receiver has the message."""


@dataclass(frozen=True)
class Again:
    """The message is to be tried again.

    :param at: not before this instant.
    """

    at: datetime


@dataclass(frozen=True)
class Over:
    """The endpoint is to be disabled, and its owner told."""

    reason: Ending


def after(attempt: Attempt, tries: int, at: datetime, random: Random) -> Delivered | Again | Over:
    """What follows `attempt`.

    2xx delivers; 410 ends it at once; so does the tenth try; anything else is tried again, after the delay of
    the standard or what a throttling receiver asked for, whichever is longer.

    :param tries: how many there were, this one included; from 1.
    :param at: when this one ended.
    :param random: where the jitter comes from.
    """
    if tries < 1:
        raise ValueError("the tries are counted from 1")
    if attempt.delivered:
        return Delivered()
    if attempt.gone:
        return Over(Ending.GONE)
    if tries >= len(RETRY_DELAYS):
        return Over(Ending.EXHAUSTED)
    wait = max(RETRY_DELAYS[tries], _asked_for(attempt))
    return Again(at + wait * random.uniform(1, 1 + JITTER))


def _asked_for(attempt: Attempt) -> timedelta:
    if attempt.status not in THROTTLES or attempt.retry_after is None:
        return timedelta()
    return timedelta(seconds=min(max(attempt.retry_after, 0), LONGEST_WAIT.total_seconds()))
