"""Whether a server can answer, and whether all around it keeps up: looked at by probes, and by metrics.

A server serves as long as it can answer the public, with a schema that its code knows or that is newer:
migrations only ever expand what older code uses. That the main database is away while a replica still
answers, that the sweep is late or the feed behind, is told and takes nobody out of service: it would be the
same for every server at once, and no public answer depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from sqlalchemy import Connection

from registry.errors import Unavailable
from registry.store import schema
from registry.store.feed import first_event_after, newest_event
from registry.store.runs import SWEEP, last_run

Begin = Callable[[], AbstractContextManager[Connection]]


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    AHEAD = "ahead"
    """The database is newer than this version: it is being replaced."""
    LATE = "late"
    NEVER = "never"
    """It has not happened yet, as far as is known."""
    BEHIND = "behind"
    """The database is older than this version needs."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be looked at, since something before it failed."""


FINE = frozenset({State.OK, State.AHEAD})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    :param age_seconds: of the sweep, since its last run; of the feed, how far the public's is behind; of
        all others, since they were looked at. ``None`` where there is none.
    :param vital: whether the server cannot answer without it.
    """

    name: str
    state: State
    detail: str
    age_seconds: float | None = None
    vital: bool = False

    @property
    def serves(self) -> bool:
        """Whether the server can answer, as far as this goes."""
        return not self.vital or self.state in FINE


@dataclass(frozen=True, slots=True)
class Limits:
    """From how many seconds on it is late."""

    sweep: float
    feed: float


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found at an instant (UTC), in the order in which it was looked at.

    :param newest_seq: the number of the newest event; ``None`` where the database cannot be reached.
    :param feed_behind: by how many events the public reads less than was recorded.
    """

    at: datetime
    checks: tuple[Check, ...]
    newest_seq: int | None = None
    feed_behind: int | None = None

    @property
    def serves(self) -> bool:
        """Whether the server can answer."""
        return all(check.serves for check in self.checks)

    @property
    def fine(self) -> bool:
        """Whether nothing is amiss at all."""
        return all(check.state in FINE for check in self.checks)

    def check(self, name: str) -> Check:
        """One of the checks."""
        return next(check for check in self.checks if check.name == name)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a connection shows: the revision of its schema, its newest event, the last sweep."""

    revision: str | None
    newest_seq: int = 0
    swept_at: datetime | None = None


def look(public: Begin, main: Begin, limits: Limits, *, at: datetime) -> Findings:
    """Look at everything.

    :param public: a connection for what the public reads, without a transaction.
    :param main: a connection that sees all that was recorded.
    :param at: the present instant (UTC).
    """
    shown, recorded = _see(public), _see(main)
    best = recorded or shown
    if best is None:
        return Findings(at, (_reachable("public_reads", shown), _reachable("database", recorded), *NOT_SEEN))
    behind = None if shown is None or recorded is None else max(0, recorded.newest_seq - shown.newest_seq)
    since = _missing_since(main, shown.newest_seq) if shown is not None and behind else None
    checks = (
        _reachable("public_reads", shown),
        _reachable("database", recorded),
        _migrations((shown or best).revision),
        _sweep(best.swept_at, limits, at),
        _feed(behind, 0.0 if since is None else (at - since).total_seconds(), limits),
    )
    return Findings(at, checks, best.newest_seq, behind)


def _see(begin: Begin) -> _Seen | None:
    try:
        with begin() as connection:
            revision = schema.revision_of(connection)
            if revision is None or revision in older_revisions():
                return _Seen(revision)
            return _Seen(revision, newest_event(connection)[0], last_run(connection, SWEEP))
    except Unavailable:
        return None


def _missing_since(main: Begin, seq: int) -> datetime | None:
    try:
        with main() as connection:
            return first_event_after(connection, seq)
    except Unavailable:
        return None


NOT_SEEN = tuple(
    Check(name, State.UNKNOWN, "The database cannot be reached.", vital=name == "migrations")
    for name in ("migrations", "sweep", "feed")
)


def _reachable(name: str, seen: _Seen | None) -> Check:
    vital = name == "public_reads"
    if seen is None:
        return Check(name, State.FAILED, "The database cannot be reached.", 0.0, vital)
    return Check(name, State.OK, "The database answers.", 0.0, vital)


def _migrations(revision: str | None) -> Check:
    if revision == newest_revision():
        return Check("migrations", State.OK, f"The schema is {revision}.", 0.0, vital=True)
    if revision is None or revision in older_revisions():
        detail = "The database has an older schema than this version needs; run registry migrate."
        return Check("migrations", State.BEHIND, detail, 0.0, vital=True)
    detail = f"The schema is {revision}, newer than this version, which goes on serving until it is replaced."
    return Check("migrations", State.AHEAD, detail, 0.0, vital=True)


def _sweep(swept_at: datetime | None, limits: Limits, at: datetime) -> Check:
    if swept_at is None:
        return Check("sweep", State.NEVER, "The sweep has never come to its end; run registry sweep.")
    age = max(0.0, (at - swept_at).total_seconds())
    if age <= limits.sweep:
        return Check("sweep", State.OK, "The sweep keeps up.", age)
    return Check("sweep", State.LATE, "What time brought about is announced late; answers are right.", age)


def _feed(behind: int | None, seconds: float, limits: Limits) -> Check:
    if behind is None:
        return Check("feed", State.UNKNOWN, "How far the public's is behind cannot be told.")
    if seconds <= limits.feed:
        return Check("feed", State.OK, "The public reads what was recorded.", max(0.0, seconds))
    return Check("feed", State.LATE, f"The public reads {behind} events less than were recorded.", seconds)


@lru_cache(maxsize=1)
def newest_revision() -> str | None:
    """The schema that this code is written for."""
    return schema.newest_revision()


@lru_cache(maxsize=1)
def older_revisions() -> frozenset[str]:
    """The schemas that this code knows as older ones."""
    return frozenset(schema.revisions() - {newest_revision()})
