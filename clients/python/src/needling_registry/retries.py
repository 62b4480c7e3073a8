"""How often, and after how long, a request is sent again.

urllib3 has retries of its own, but none that end by a deadline: told to come back in an hour, they sleep
for it, inside somebody's booking. These give up at once where the wait would outlast the caller's patience.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Exponential backoff with jitter, within a deadline.

    :param attempts: how often a request is sent at most.
    :param first_delay: seconds before the second attempt; each further delay is twice as long.
    :param longest_delay: seconds that no delay exceeds, but for what ``Retry-After`` asks.
    :param patience: seconds after which a call ends, its attempts and delays together.
    :param attempt_timeout: seconds that one attempt may take.
    """

    attempts: int = 4
    first_delay: float = 0.5
    longest_delay: float = 8.0
    patience: float = 30.0
    attempt_timeout: float = 10.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False, compare=False)
    uniform: Callable[[float, float], float] = field(default=random.uniform, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.first_delay, self.longest_delay) < 0:
            raise ValueError("give at least one attempt, and no delays below 0 seconds")
        if min(self.patience, self.attempt_timeout) <= 0:
            raise ValueError("give a patience and a timeout of more than 0 seconds")

    def delay(self, attempt: int, retry_after: float | None = None) -> float:
        """Seconds to wait after a failed attempt, counted from 1; never fewer than ``Retry-After`` says."""
        backoff = min(self.longest_delay, self.first_delay * 2 ** min(attempt - 1, 30))
        return (retry_after or 0.0) + self.uniform(backoff / 2, backoff)


NEVER_AGAIN = Retries(attempts=1)
"""Each request is sent once."""
