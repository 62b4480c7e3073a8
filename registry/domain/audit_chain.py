"""The audit as a chain: each entry is sealed with a hash that covers the one before.

Who alters, removes or reorders an entry must alter every later one too, and then the newest hash is no
longer the one that somebody outside wrote down. That pair, number and hash, is a checkpoint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

BEFORE_THE_FIRST = "0" * 64
"""What the first entry is chained to."""

ERASING = ("erase_practitioner", "console_erase")
"""The actions that erase somebody. Where one took words out of decisions that earlier entries vouch for,
its entry says as ``resealed`` what their facts hash to since, by the number of the earlier entry; it is
chained like every other, so nobody can let facts change without leaving a trace of when and for whom."""

CHECKPOINT = re.compile("([0-9]{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Happening:
    """What is to be told: who did or saw what, when, from where.

    :param at: UTC.
    :param principal: the role and the key or account; for commands the account of the machine.
    :param address: of the client, where it came over the network.
    :param action: the operation's name.
    :param body_id: the body whose affair it was, where it was one body's.
    :param details: identifiers and counts, never names: an audit outlives an erasure.
    """

    at: datetime
    principal: str
    action: str
    address: str | None = None
    request_id: str | None = None
    body_id: str | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A link of the chain, as it is kept.

    :param seq: 1, 2, 3, ... without a gap.
    :param sealed_through: the number of the newest event that this entry and those before vouch for.
    :param facts: the hash of the events and decisions that this entry adds to those vouched for.
    :param previous: the hash of the entry before.
    """

    seq: int
    id: str
    happening: Happening
    sealed_through: int
    facts: str | None
    previous: str
    hash: str

    @property
    def checkpoint(self) -> str:
        """Number and hash: what an outsider keeps, to hold the register to it."""
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, and what is wrong there."""

    seq: int
    problem: str

    def __str__(self) -> str:
        return f"entry {self.seq}: {self.problem}"


def sealed(
    happening: Happening, *, seq: int, id_: str, sealed_through: int, facts: str | None, previous: str
) -> AuditEntry:
    """The entry for a happening that follows the one with the hash ``previous``."""
    entry = AuditEntry(seq, id_, happening, sealed_through, facts, previous, "")
    return AuditEntry(seq, id_, happening, sealed_through, facts, previous, hash_of(entry))


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 over all that an entry says, and the hash of the one before."""
    told = entry.happening
    said = [
        entry.seq,
        entry.id,
        told.at.astimezone(UTC).isoformat(timespec="microseconds"),
        told.principal,
        told.address,
        told.request_id,
        told.action,
        told.body_id,
        told.details,
        entry.sealed_through,
        entry.facts,
        entry.previous,
    ]
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def find_breaks(
    entries: Iterable[AuditEntry], *, after: tuple[int, str] = (0, BEFORE_THE_FIRST)
) -> Iterator[Break]:
    """Every place where entries, in their order, are not the chain that they must be.

    :param after: the number and the hash of the entry before the first of them.
    """
    seq, previous = after
    for entry in entries:
        if entry.seq != seq + 1:
            yield Break(entry.seq, f"it follows entry {seq}: what was between is missing")
        elif entry.previous != previous:
            yield Break(entry.seq, "it is not chained to the entry before it, which was altered or exchanged")
        if entry.hash != hash_of(entry):
            yield Break(entry.seq, "it is not as it was written")
        seq, previous = entry.seq, entry.hash


def checkpoint_of(text: str) -> tuple[int, str]:
    """The number and the hash of a checkpoint.

    :raises ValueError: it is none.
    """
    match = CHECKPOINT.fullmatch(text.strip())
    if match is None:
        raise ValueError("a checkpoint is a number, a colon and 64 hexadecimal digits")
    return int(match[1]), match[2]
