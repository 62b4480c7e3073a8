"""Taking out of every table who somebody is; what was decided about them stays.

Each table with words about a person is named here. A test fills a register, erases somebody, and looks for
them in every column of every table.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, or_, select, update

from registry.domain.names import number_key

from . import documents, import_tables, tables
from .import_tables import ImportState
from .notice_tables import contacts
from .task_tables import rules_effects

ERASED_TEXT = "[erased]"

p, n, r, d = tables.practitioners, tables.practitioner_names, tables.registrations, tables.decisions
i = import_tables


@dataclass(frozen=True, slots=True)
class Traces:
    """By what somebody is found in the tables.

    :param people: their record, and those that were merged into it.
    :param names: every name that they ever had here, in full.
    """

    people: tuple[str, ...]
    registrations: tuple[str, ...]
    trainings: tuple[str, ...]
    bodies: tuple[str, ...]
    numbers: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def ids(self) -> frozenset[str]:
        """The identifiers of all their records."""
        return frozenset((*self.people, *self.registrations, *self.trainings))


def traces_of(connection: Connection, practitioner_id: str) -> Traces:
    """By what somebody is found."""
    people = [practitioner_id]
    for known in people:  # grows as it goes: records merged into records that were merged
        people.extend(connection.execute(select(p.c.id).where(p.c.merged_into == known)).scalars())
    rows = connection.execute(select(r).where(r.c.practitioner_id.in_(people)).order_by(r.c.id)).all()
    t = tables.trainings
    trainings = connection.execute(select(t.c.id).where(t.c.practitioner_id.in_(people))).scalars()
    names = connection.execute(select(n.c.full_name).where(n.c.practitioner_id.in_(people))).scalars()
    return Traces(
        tuple(people),
        tuple(row.id for row in rows),
        tuple(trainings),
        tuple(sorted({row.body_id for row in rows})),
        tuple(row.number for row in rows),
        tuple(dict.fromkeys(names)),
    )


def erase_names(tx: Connection, people: Collection[str], pseudonym: str, *, at: datetime) -> None:
    """Let a pseudonym stand for whoever these records are of, withheld from the public."""
    for id_ in people:
        kept = select(func.min(n.c.id)).where(
            n.c.practitioner_id == id_, n.c.kind == "published", n.c.ended_at.is_(None)
        )
        kept_id = tx.execute(kept).scalar_one_or_none()
        tx.execute(delete(n).where(n.c.practitioner_id == id_, n.c.id != (kept_id or "")))
        tx.execute(update(n).where(n.c.id == kept_id).values(full_name=pseudonym, given=None, family=None))
    values = {"withheld": True, "languages": "[]", "erased_at": at, "version": p.c.version + 1}
    tx.execute(update(p).where(p.c.id.in_(people)).values(values))
    tx.execute(delete(contacts).where(contacts.c.practitioner_id.in_(people)))


def erase_words(tx: Connection, traces: Traces) -> list[str]:
    """Take out what was written about somebody; the decisions whose words are vouched for and changed."""
    tx.execute(update(r).where(r.c.id.in_(traces.registrations)).values(city=None))
    of_them = d.c.registration_id.in_(traces.registrations)
    worded = of_them & (d.c.reason.is_not(None) | d.c.override_reason.is_not(None))
    changed = list(tx.execute(select(d.c.id).where(worded).order_by(d.c.id)).scalars())
    for column in (d.c.reason, d.c.override_reason, d.c.private_note):
        _blank(tx, d, column, of_them)
    lapses, notes = tables.lapses, tables.lapse_notes
    _blank(tx, lapses, lapses.c.note, lapses.c.registration_id.in_(traces.registrations))
    _blank(tx, notes, notes.c.text, notes.c.registration_id.in_(traces.registrations))
    t, m = tables.trainings, tables.merges
    _blank(tx, t, t.c.withdrawn_because, t.c.id.in_(traces.trainings))
    _blank(tx, m, m.c.reason, or_(m.c.kept_id.in_(traces.people), m.c.merged_id.in_(traces.people)))
    tx.execute(delete(rules_effects).where(rules_effects.c.registration_id.in_(traces.registrations)))
    _erase_amendments(tx, traces)
    _erase_answers(tx, traces)
    return changed


def _blank(tx: Connection, table: Table, column: Any, which: ColumnElement[bool]) -> None:
    tx.execute(update(table).where(which, column.is_not(None)).values({column: ERASED_TEXT}))


KEPT_FIELDS = frozenset({"withheld", "shows_former_names", "number", "languages"})
"""Of corrections: what tells nobody who it was, or is needed for old numbers to lead on."""


def _erase_amendments(tx: Connection, traces: Traces) -> None:
    a = tables.amendments
    for row in tx.execute(select(a).where(a.c.subject_id.in_(sorted(traces.ids)))).all():
        told = json.loads(row.changed)
        for field in told.keys() - KEPT_FIELDS:
            told[field] = {"was": ERASED_TEXT, "is": ERASED_TEXT}
        values = {"changed": documents.dump(told), "reason": row.reason and ERASED_TEXT}
        tx.execute(update(a).where(a.c.id == row.id).values(values))


def _erase_answers(tx: Connection, traces: Traces) -> None:
    """Answers that are kept to be repeated: whoever asks again under the same key finds nothing any more."""
    k = tables.idempotency_keys
    named = [k.c.response.contains(text, autoescape=True) for text in sorted({*traces.ids, *traces.names})]
    for start in range(0, len(named), 100):
        tx.execute(delete(k).where(or_(*named[start : start + 100])))


def erase_imports(tx: Connection, traces: Traces) -> int:
    """Take somebody's rows, and the files that these came in, out of their bodies' imports; how many files.

    A file cannot be kept without one of its rows. One that waits to be applied has failed by that.
    """
    imports = i.imports
    keys = {number_key(number) for number in traces.numbers}
    naming = [imports.c.id.in_(select(i.import_rows.c.import_id).where(i.import_rows.c.number_key.in_(keys)))]
    words = {*traces.names, *traces.numbers}
    for table, column in (
        (i.import_rejects, i.import_rejects.c.cells),
        (i.import_corrections, i.import_corrections.c.original),
        (i.import_corrections, i.import_corrections.c.cells),
        (i.import_differences, i.import_differences.c.document),
    ):
        naming.append(imports.c.id.in_(select(table.c.import_id).where(_holds(column, words))))
    uncompared = imports.c.state.in_((ImportState.RECEIVED, ImportState.FAILED, ImportState.REVERSED))
    concerned = select(imports.c.id, imports.c.state, imports.c.report).where(
        imports.c.body_id.in_(traces.bodies), or_(*naming, uncompared)
    )
    rows = tx.execute(concerned).all()
    files = 0
    for row in rows:
        parts = tx.execute(delete(i.import_parts).where(i.import_parts.c.import_id == row.id))
        files += parts.rowcount > 0
        _erase_findings(tx, row.id, words)
        values: dict[str, Any] = {"report": _without(row.report, traces.names)}
        if row.state in (ImportState.RECEIVED, ImportState.PREVIEWED):
            problem = "Its file was taken away, since it told of somebody who was erased."
            values = {"state": ImportState.FAILED, "report": documents.dump({"problem": problem})}
        tx.execute(
            update(imports).where(imports.c.id == row.id).values(**values, version=imports.c.version + 1)
        )
    changes, marks = i.import_changes, i.import_marks
    tx.execute(delete(changes).where(changes.c.registration_id.in_(traces.registrations)))
    tx.execute(delete(marks).where(marks.c.registration_id.in_(traces.registrations)))
    return files


def _erase_findings(tx: Connection, import_id: str, words: Collection[str]) -> None:
    for table, columns in (
        (i.import_rejects, ("cells", "problems")),
        (i.import_corrections, ("original", "problems", "cells")),
        (i.import_differences, ("document",)),
    ):
        told = or_(*(_holds(table.c[column], words) for column in columns))
        tx.execute(delete(table).where(table.c.import_id == import_id, told))


def _holds(column: Any, words: Iterable[str]) -> ColumnElement[bool]:
    """Whether a row, as JSON, holds all words of one of these texts, as they are or in small letters."""
    return or_(*(and_(*(_has(column, word) for word in text.split())) for text in sorted(words)))


def _has(column: Any, word: str) -> ColumnElement[bool]:
    small = func.lower(column).contains(word.lower(), autoescape=True)
    return or_(column.contains(word, autoescape=True), small)


def _without(text: str, names: Iterable[str]) -> str:
    for name in names:
        text = text.replace(name, ERASED_TEXT)
    return text
