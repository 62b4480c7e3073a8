"""The delivery log does not grow for ever: what is old, or more than anyone reads, is forgotten."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import Connection

from registry.store import webhook_deliveries as store

KEPT_FOR = timedelta(days=30)
MOST_KEPT = 1000
"""Attempts, of one subscription."""

LOOKED_EVERY = 600.0
"""Seconds."""

AT_ONCE = 1000
"""Attempts that are forgotten in one transaction."""


class LogKeeper:
    """Forgets some of the log from time to time, a little in each transaction."""

    def __init__(self, writing: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._writing = writing
        self._due = time.monotonic() + LOOKED_EVERY / 10

    def forget_some(self, connection: Connection, *, at: datetime) -> bool:
        """Where it is time, forget a little; whether there may be more.

        :param at: the present instant (UTC).
        """
        if time.monotonic() < self._due:
            return False
        ids = store.attempts_to_forget(connection, at - KEPT_FOR, MOST_KEPT, AT_ONCE)
        if not ids:
            self._due = time.monotonic() + LOOKED_EVERY
        with self._writing() as tx:
            store.forget_attempts(tx, ids)
            store.forget_secrets(tx, at)
        return bool(ids)
