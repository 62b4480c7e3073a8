"""Following the feed of changes, from a place that is never lost."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

from .errors import TooManyRequests, Unavailable, Unreachable
from .events import Event, FeedPage
from .reading import read
from .transport import Request, Transport

NOW = "now"
"""As ``after``: only what is to come."""
AT_LEAST_APART = 1.0
"""Seconds between two questions that found nothing, where the register did not let the first one wait."""

log = logging.getLogger(__name__)


def read_page(
    transport: Transport, *, after: str | None, roster: str | None, limit: int, wait: int
) -> FeedPage:
    """One page. See :meth:`needling_registry.Registry.changes`."""
    query = {"after": after, "roster": roster, "limit": str(limit), "wait": str(wait)}
    reply = transport.send(Request("GET", "/v1/changes", query=query, wait=wait))
    return replace(read(FeedPage, reply.json()), retry_after=reply.retry_after)


class Feed:
    """The changes behind a place, one after the other, without end. See :meth:`Registry.follow`.

    An event counts as taken in when the next one is asked for: whoever stops at one is given it again.
    """

    def __init__(
        self, transport: Transport, *, after: str | None, roster: str | None, limit: int, wait: int
    ) -> None:
        self._transport, self._roster, self._limit, self._wait = transport, roster, limit, wait
        # "now" is another place each time it is asked for, so it is asked for once.
        page = read_page(transport, after=NOW, roster=roster, limit=1, wait=0) if after == NOW else None
        self._cursor = after if page is None else page.next

    @property
    def cursor(self) -> str | None:
        """The place behind all that was taken in, to follow on from; ``None`` for the beginning."""
        return self._cursor

    def __iter__(self) -> Iterator[Event]:
        while True:
            asked_at = time.monotonic()
            page = self._next_page()
            for event in page.items:
                yield event
                self._cursor = event.cursor
            self._cursor = page.next
            if not page.more:
                self._rest(page, time.monotonic() - asked_at)

    def _next_page(self) -> FeedPage:
        """The next page; what passes by itself is waited out, however long it takes."""
        retries, attempt = self._transport.retries, 0
        while True:
            try:
                return read_page(
                    self._transport,
                    after=self._cursor,
                    roster=self._roster,
                    limit=self._limit,
                    wait=self._wait,
                )
            except (Unreachable, Unavailable, TooManyRequests) as failure:
                attempt += 1
                delay = retries.delay(attempt, getattr(failure, "retry_after", None))
                log.warning(
                    "The register's feed is not to be had (%s); trying again in %.1f s.", failure, delay
                )
                retries.sleep(delay)

    def _rest(self, page: FeedPage, seconds: float) -> None:
        """Where the register did not let the request wait, wait here."""
        if page.retry_after is not None:
            self._transport.retries.sleep(page.retry_after)
        elif not page.items and seconds < min(AT_LEAST_APART, self._wait):
            self._transport.retries.sleep(AT_LEAST_APART)
