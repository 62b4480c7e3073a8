"""The check of the caches: all is folded anew from the facts, and each difference from it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from registry.store import affected, check, search
from registry.store.records import RegistrationRecord, load_records
from registry.store.standing import derive

Key = tuple[Any, ...]

STRETCH = 400
"""Registrations that are read, derived and compared together."""

MOST_ORPHANS = 1000

SEARCH = "searchable_people"

Begin = Callable[[], AbstractContextManager[Connection]]
"""Begins a snapshot to read from, or a transaction that writes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A derived row that is not what the facts lead to.

    :param table: where it is kept.
    :param subject: which body or registration it concerns, as people name it.
    :param row: what tells it apart from the other rows of the subject.
    :param detail: what is wrong with it.
    :param owner: identifier of the registration, body or person it is derived from; ``None`` for an orphan.
    """

    table: str
    subject: str
    row: str
    detail: str
    owner: str | None = None

    def __str__(self) -> str:
        return f"{self.table}: {self.subject}: {self.row}: {self.detail}"


@dataclass(slots=True)
class Progress:
    """How far a check has come."""

    registrations: int = 0


def find_differences(snapshot: Begin, progress: Progress | None = None) -> Iterator[Difference]:
    """Compare everything that is derived with the facts, a stretch at a time, in constant memory.

    Registrations of a body whose own document is wrong are not looked at: all of them would differ.

    :param snapshot: begins a snapshot, in which reads agree with each other.
    """
    progress = progress or Progress()
    with snapshot() as connection:
        wrong = [d for d in check.body_documents(connection) if d.stored != d.derived]
    for document in wrong:
        detail = "not the recorded versions of the rules; its registrations were not checked"
        yield Difference("bodies", document.code, "document", detail, document.body_id)
    unread = [document.body_id for document in wrong]
    after = ""
    while True:
        with snapshot() as connection:
            ids = check.next_registrations(connection, after, STRETCH, without=unread)
            found = list(_compare(connection, ids))
        yield from found
        progress.registrations += len(ids)
        if len(ids) < STRETCH:
            break
        after = ids[-1]
    yield from _orphans(snapshot)
    with snapshot() as connection:
        for id_ in search.differences(connection):
            yield Difference(SEARCH, id_, "words", "is found by something else than the names in use", id_)


def _orphans(snapshot: Begin) -> Iterator[Difference]:
    for table in check.DERIVED:
        with snapshot() as connection:
            rows = check.orphans(connection, table, MOST_ORPHANS)
        for row in rows:
            key = [row[column] for column in check.DERIVED[table][1]]
            yield Difference(table, row["registration_id"], _named(key), "its registration is not kept")


def _compare(connection: Connection, ids: Sequence[str]) -> Iterator[Difference]:
    stored = {table: check.stored_rows(connection, table, ids) for table in check.DERIVED}
    for id_, record in _read(connection, ids):
        if record is None:
            yield Difference("decisions", id_, "facts", "cannot be read", id_)
            continue
        subject = f"{record.body.code} {record.number}"
        for table, derived in check.derived_rows(derive(record)).items():
            for key, detail in _differences(table, derived, stored[table][id_]):
                yield Difference(table, subject, _named(key), detail, id_)


def _read(connection: Connection, ids: Sequence[str]) -> Iterator[tuple[str, RegistrationRecord | None]]:
    """The records of a stretch; ``None`` for one whose facts are damaged."""
    try:
        yield from [(record.id, record) for record in load_records(connection, ids)]
    except (ValueError, KeyError, TypeError):
        if len(ids) == 1:
            yield ids[0], None
        else:
            for id_ in ids:
                yield from _read(connection, [id_])


def _differences(
    table: str, derived: Mapping[Key, Mapping[str, Any]], stored: Mapping[Key, RowMapping]
) -> Iterator[tuple[Key, str]]:
    for key, row in derived.items():
        found = stored.get(key)
        if found is None:
            yield key, "is missing"
            continue
        wrong = [column for column, value in row.items() if found[column] != value]
        if wrong:
            yield key, f"differs in {', '.join(wrong)}"
    for key, found in stored.items():
        if key not in derived and (table != "lapses" or found["resolved_at"] is None):
            yield key, "does not follow from the facts"


def _named(key: Sequence[Any]) -> str:
    return " ".join(str(part) for part in key if part != "")


def repair(begin: Begin, differences: Sequence[Difference], *, at: datetime) -> None:
    """Rewrite the caches that differ, in one transaction for each stretch; facts are never changed.

    :param begin: begins a transaction that writes.
    :param at: the present instant (UTC).
    """
    with begin() as tx:
        for document in check.body_documents(tx):
            if document.stored != document.derived:
                check.rewrite_body_document(tx, document)
        for table in {d.table for d in differences if d.owner is None}:
            check.drop_orphans(tx, table)
        if any(d.table == SEARCH for d in differences):
            search.index_everyone(tx)  # what is found by the wrong words cannot be told from the right ones
    owners = sorted({d.owner for d in differences if d.owner is not None and d.table in check.DERIVED})
    for start in range(0, len(owners), STRETCH):
        with begin() as tx:
            ids = owners[start : start + STRETCH]
            check.give_back(tx, load_records(tx, ids))
            affected.derive_anew(tx, ids, at=at)
