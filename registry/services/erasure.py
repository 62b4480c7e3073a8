"""Erasure: nothing is kept of who somebody is; what was decided stays, under a pseudonym.

Whoever asks by body and number is answered as before, for every day and as known at every instant: answers
rest on decisions alone. What words were in decisions that the audit vouches for is gone, so the entry of the
erasure, which whoever erases must append, says what the facts of those entries hash to since.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.vocabulary import Standing
from registry.errors import Conflict, Stale
from registry.store import affected, tables
from registry.store import audit as chain
from registry.store import erasure as store
from registry.store.records import Person, load_records

from .people import get_person, refuse_erased, refuse_merged, show_anew

LIVE = frozenset({Standing.IN_FORCE, Standing.IN_GRACE, Standing.SUSPENDED})


class ErasureBasis(StrEnum):
    """On what ground an identity is erased."""

    REQUEST = "request"
    RETENTION = "retention"
    COURT_ORDER = "court_order"


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    :param pseudonym: what stands for the name since.
    :param import_files: files of imports that are gone with it.
    :param resealed: by the number of an entry of the audit, what the facts that it vouches for hash to since.
    """

    practitioner_id: str
    pseudonym: str
    basis: ErasureBasis
    registrations: int
    decisions: int
    import_files: int
    resealed: Mapping[str, str]

    @property
    def told(self) -> dict[str, Any]:
        """What the entry of the audit must say."""
        return {
            "practitioner": self.practitioner_id,
            "basis": self.basis.value,
            "registrations": self.registrations,
            "decisions": self.decisions,
            "import_files": self.import_files,
            "resealed": dict(self.resealed),
        }


def erase_identity(
    tx: Connection,
    person: Person,
    basis: ErasureBasis,
    *,
    at: datetime,
) -> Erased:
    """Erase who somebody is, in every record of theirs. In the same transaction, tell the audit of it.

    :param person: as the caller saw them.
    :raises registry.errors.Stale: they have changed since.
    :raises registry.errors.Conflict: they were merged into another, are erased, or may practise now: whom the
        public must be able to find is erased by the order of a court alone.
    """
    refuse_merged(person)
    refuse_erased(person)
    traces = store.traces_of(tx, person.id)
    affected.lock(tx, tables.practitioners, traces.people)
    if get_person(tx, person.id).version != person.version:
        raise Stale("This practitioner was changed by someone else in the meantime; read it again.")
    traces = store.traces_of(tx, person.id)
    if basis is not ErasureBasis.COURT_ORDER:
        _refuse_live(tx, traces, at)
    affected.lock(tx, tables.registrations, traces.registrations)
    pseudonym = f"Erased {secrets.token_hex(4).upper()}"
    files = store.erase_imports(tx, traces)
    store.erase_names(tx, traces.people, pseudonym, at=at)
    changed = store.erase_words(tx, traces)
    show_anew(tx, traces.people, at=at)
    chain.hold(tx)
    resealed = chain.facts_to_reseal(tx, traces.registrations, changed)
    return Erased(person.id, pseudonym, basis, len(traces.registrations), len(changed), files, resealed)


def _refuse_live(tx: Connection, traces: store.Traces, at: datetime) -> None:
    for record in load_records(tx, list(traces.registrations)):
        today = local_date(at, record.body.zone)
        if not LIVE.isdisjoint(record.timeline(None).on(today).holds):
            raise Conflict(
                f"Registration {record.number} is in force, or suspended: the public must be able to find who"
                " holds it. End it first, or erase by the order of a court."
            )
