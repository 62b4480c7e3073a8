"""Counts shared by several machines, in Redis; while it cannot be reached, each machine counts on its own.

A script does all of it at once on the server, by the server's clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import structlog

from registry.domain.allowance import Policy, Taken

from .counts import NAME_BYTES, Cell, Counts, CountsUnusable

PREFIX = "registry:count:"
PATIENCE_SECONDS = 0.25
"""For which an answer is waited for; each request is held up by it."""
ALONE_FOR_SECONDS = 5.0
"""After a failure, before Redis is asked again."""
SAME_WINDOW_MILLISECONDS = 50

TAKE = """
local cost, allowed, answer = tonumber(ARGV[1]), 1, {1}
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or '0') + cost > tonumber(ARGV[2 * i]) then allowed = 0 end
end
if allowed == 0 then cost = 0 end
for i, key in ipairs(KEYS) do
  local window, used = tonumber(ARGV[2 * i + 1]) * 1000, tonumber(redis.call('GET', key) or '0')
  if cost > 0 then
    used = redis.call('INCRBY', key, cost)
    if redis.call('PTTL', key) < 0 then redis.call('PEXPIRE', key, window) end
  end
  local left = redis.call('PTTL', key)
  if left < 0 then left = window end
  answer[#answer + 1] = used
  answer[#answer + 1] = left
end
answer[1] = allowed
local now = redis.call('TIME')
answer[#answer + 1] = now[1]
answer[#answer + 1] = now[2]
return answer
"""
GIVE_BACK = """
local now = redis.call('TIME')
local at = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)
for i, key in ipairs(KEYS) do
  local left = redis.call('PTTL', key)
  if left >= 0 and math.abs(at + left - tonumber(ARGV[i + 2])) < tonumber(ARGV[2]) then
    local used = tonumber(redis.call('GET', key) or '0')
    redis.call('DECRBY', key, math.min(used, tonumber(ARGV[1])))
  end
end
return 1
"""

log = structlog.get_logger(__name__)


class RedisCounts:
    """Counts in Redis.

    :param url: ``redis://``, ``rediss://`` or ``unix://``.
    :param meanwhile: where is counted while Redis cannot be reached.
    :raises registry.store.counts.CountsUnusable: the extra ``redis`` is not installed.
    """

    def __init__(self, url: str, meanwhile: Counts) -> None:
        try:
            import redis
        except ImportError as error:
            raise CountsUnusable("Counting in Redis needs the extra: needling-registry[redis].") from error
        self._failure = redis.RedisError
        client = redis.Redis.from_url(
            url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
        )
        self._do_take, self._do_give_back = client.register_script(TAKE), client.register_script(GIVE_BACK)
        self._meanwhile = meanwhile
        self._alone_until, self._lock = 0.0, threading.Lock()

    def name(self, client: str, policy: Policy) -> bytes:
        """As :class:`registry.store.counts.Counts`. The same on every machine; not the address itself."""
        told = f"{policy.name} {client}".encode("utf-8", "backslashreplace")
        return blake2b(told, digest_size=NAME_BYTES).digest()

    def take(self, cells: Sequence[Cell], cost: int) -> Taken:
        """As :class:`registry.store.counts.Counts`."""
        arguments: list[Any] = [cost]
        for _, policy in cells:
            arguments += [policy.units, policy.seconds]
        answer = self._ask(self._do_take, cells, arguments)
        if answer is None:
            return self._meanwhile.take(cells, cost)
        allowed, *numbers = map(int, answer)
        *counted, seconds, microseconds = numbers
        windows = zip(counted[::2], [left / 1000 for left in counted[1::2]], strict=True)
        return bool(allowed), tuple(windows), seconds + microseconds / 1e6

    def give_back(self, cells: Sequence[Cell], taken: Taken, cost: int) -> None:
        """As :class:`registry.store.counts.Counts`."""
        _, windows, at = taken
        ends = [round((at + ends_in) * 1000) for _, ends_in in windows]
        if self._ask(self._do_give_back, cells, [cost, SAME_WINDOW_MILLISECONDS, *ends]) is None:
            self._meanwhile.give_back(cells, taken, cost)

    def _ask(self, script: Any, cells: Sequence[Cell], arguments: list[Any]) -> Any:
        """What Redis answers; ``None`` while it cannot be reached."""
        if time.monotonic() < self._alone_until:
            return None
        try:
            return script(keys=[PREFIX + name.hex() for name, _ in cells], args=arguments)
        except self._failure as error:
            self._be_alone(error)
            return None

    def _be_alone(self, error: Exception) -> None:
        with self._lock:
            was_alone = time.monotonic() < self._alone_until
            self._alone_until = time.monotonic() + ALONE_FOR_SECONDS
        if not was_alone:
            log.warning("counting_alone", seconds=ALONE_FOR_SECONDS, why=type(error).__name__)
