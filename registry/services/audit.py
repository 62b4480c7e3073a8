"""The audit: who saw or did what, when, from where; and whether what is kept of it is what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from registry.domain.audit_chain import BEFORE_THE_FIRST, AuditEntry, Break, Happening, find_breaks
from registry.store import audit as store

VOUCHED = "facts_vouched_for"
"""The entry that the sweep appends where events are left that none vouches for."""

SYSTEM = "system"


def tell(tx: Connection, happening: Happening) -> AuditEntry:
    """Append to the audit, last in the transaction of what happened."""
    return store.append(tx, happening)


def vouch_for_all(writing: Callable[[], AbstractContextManager[Connection]], *, at: datetime) -> int:
    """Append entries until they vouch for every event that there is; how many it took."""
    appended = 0
    while True:
        with writing() as tx:
            if store.is_all_vouched_for(tx):
                return appended
            store.append(tx, Happening(at, SYSTEM, VOUCHED))
            appended += 1


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk along the chain came to. ``checkpoint``: of its newest entry; ``None`` while empty."""

    entries: int
    checkpoint: str | None
    breaks: tuple[Break, ...]


MOST_TOLD = 100
"""Breaks that are told of one walk: where everything was exchanged, a hundred say so too."""


def verify(connection: Connection, *, kept: tuple[int, str] | None = None) -> Verified:
    """Walk along the whole chain, and hold events and decisions to what it says of them.

    :param connection: in which all is seen as of one moment (:func:`registry.store.database.snapshot`).
    :param kept: a checkpoint that somebody kept outside: the chain must still lead through it.
    """
    walk = _Walk(connection, kept)
    breaks = []
    for found in walk.breaks():
        breaks.append(found)
        if len(breaks) == MOST_TOLD:
            break
    last = walk.last
    return Verified(walk.entries, None if last is None else last.checkpoint, tuple(breaks))


class _Walk:
    """One pass over the chain."""

    def __init__(self, connection: Connection, kept: tuple[int, str] | None) -> None:
        self._connection = connection
        self._kept = kept
        self.entries = 0
        self.last: AuditEntry | None = None
        self._resealed: dict[int, str] = {}

    def breaks(self) -> Iterator[Break]:
        for seq, facts in store.resealed(self._connection):
            self._resealed[seq] = facts
        for entry in store.every_entry(self._connection):
            before = self.last
            after = (0, BEFORE_THE_FIRST) if before is None else (before.seq, before.hash)
            yield from find_breaks([entry], after=after)
            yield from self._of_facts(entry, 0 if before is None else before.sealed_through)
            yield from self._of_checkpoint(entry)
            self.entries, self.last = self.entries + 1, entry
        if self._kept is not None and (self.last is None or self.last.seq < self._kept[0]):
            yield Break(self._kept[0], "it was kept outside, and is missing here with all that followed")

    def _of_facts(self, entry: AuditEntry, vouched: int) -> Iterator[Break]:
        if entry.facts is None and entry.sealed_through == vouched:
            return
        expected = self._resealed.get(entry.seq, entry.facts)
        if expected != store.facts_between(self._connection, vouched, entry.sealed_through):
            yield Break(
                entry.seq,
                f"events {vouched + 1} to {entry.sealed_through}, or the decisions they tell of,"
                " are not as they were recorded",
            )

    def _of_checkpoint(self, entry: AuditEntry) -> Iterator[Break]:
        if self._kept is not None and entry.seq == self._kept[0] and entry.hash != self._kept[1]:
            yield Break(entry.seq, "it is not the entry that was kept outside")
