"""The standing of the present, kept in step with the decisions: spans, lapses and public entries.

Each is derived from a :class:`~registry.store.records.RegistrationRecord` and never edited by hand. What
registrars noted on a lapse, and that a lapse which came true was resolved, outlives its derivation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, update

from registry.clock import new_id
from registry.domain.lapses import Lapse, lapses_of
from registry.domain.localtime import local_date
from registry.domain.names import city_key
from registry.domain.timeline import Timeline
from registry.domain.verdict import Standings
from registry.domain.vocabulary import NameKind, SubjectKind

from . import documents, ready_answers, tables
from .bulk import insert_rows
from .records import MANY, RecordedTraining, RegistrationRecord

Values = dict[str, Any]
LapseKey = tuple[str, str, date, str]
Cause = str | Mapping[str, str] | None
"""A decision; or decisions by the registration that each is about."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is derived from one record: rows, ready to be written or compared, and what they rest on."""

    registration_id: str
    body_id: str
    zone: str
    standings: Standings
    spans: list[Values]
    lapses: dict[LapseKey, Values]
    entry: Values


def derive(record: RegistrationRecord) -> Standing:
    """Fold a record into the rows that answer for it."""
    standings = record.standings()
    found = lapses_of(standings, record.training_record())
    lapses = [_lapse_values(record, lapse) for lapse in found]
    return Standing(
        record.id,
        record.body.id,
        record.body.zone,
        standings,
        list(_span_values(record, standings)),
        {lapse_key(values): values for values in lapses},
        _entry_values(record, standings),
    )


def lapse_key(values: Mapping[str, Any] | RowMapping) -> LapseKey:
    """What tells one lapse from another."""
    return (values["kind"], values["subject_id"], values["since"], values["detail_key"])


def _span_values(record: RegistrationRecord, standings: Standings) -> Iterator[Values]:
    subjects: list[tuple[SubjectKind, str, Timeline]] = [
        (SubjectKind.AUTHORIZATION, a.id, a.timeline) for a in standings.authorizations
    ]
    if standings.registration is not None:
        subjects.append((SubjectKind.REGISTRATION, record.id, standings.registration))
    for kind, subject_id, timeline in subjects:
        for span in timeline.spans:
            if span.term_from is not None:
                yield {
                    "subject_id": subject_id,
                    "first_day": span.first_day,
                    "last_day": span.last_day,
                    "standing": span.standing,
                    "term_through": span.term_through,
                    "subject_kind": kind,
                    "registration_id": record.id,
                    "body_id": record.body.id,
                }


def _lapse_values(record: RegistrationRecord, lapse: Lapse) -> Values:
    return {
        "body_id": record.body.id,
        "kind": lapse.kind,
        "subject_id": lapse.authorization_id or record.id,
        "detail_key": dict(lapse.why).get("technique", ""),
        "registration_id": record.id,
        "authorization_id": lapse.authorization_id,
        "since": lapse.since,
        "until": lapse.until,
        "why": documents.dump(dict(lapse.why)),
        "ended_by": lapse.ended_by,
    }


def _entry_values(record: RegistrationRecord, standings: Standings) -> Values:
    return {
        "body_id": record.body.id,
        "number_key": record.number_key,
        "registration_id": record.id,
        "practitioner_id": record.person.id,
        "city_key": None if record.city is None else city_key(record.city),
        "document": documents.dump(entry_document(record, standings)),
        "answers": ready_answers.to_text(_stated(record), standings),
    }


def _stated(record: RegistrationRecord) -> ready_answers.Stated:
    person = record.person
    return ready_answers.Stated(record.number, person.id, person.published_name, person.withheld)


def entry_document(record: RegistrationRecord, standings: Standings) -> Values:
    """All that a public answer about a registration may rest on, and nothing that it may not."""
    body, person = record.body, record.person
    document: Values = {
        "id": record.id,
        "number": record.number,
        "practitioner": person.id,
        "withheld": person.withheld,
        "registration": documents.timeline_document(standings.registration or Timeline()),
        "authorizations": [
            {"id": a.id, "spans": documents.timeline_document(a.timeline)} for a in standings.authorizations
        ],
    }
    if person.withheld:
        return document
    document |= {"name": person.published_name, "city": record.city, "languages": person.languages}
    if body.publishes_former_names and person.shows_former_names:
        document["former"] = [n.full_name for n in person.names if n.kind is NameKind.FORMER]
    if body.publishes_training:
        document["trainings"] = [_training_document(t) for t in record.trainings]
    return document


def _training_document(recorded: RecordedTraining) -> Values:
    training = recorded.training
    return {
        "title": recorded.title,
        "provider": recorded.provider,
        "techniques": sorted(training.techniques),
        "completed_on": training.completed_on.isoformat(),
        "hours": training.hours_total,
        "approved": training.course_was_approved,
    }


def rewrite_standings(
    tx: Connection,
    records: Sequence[RegistrationRecord],
    *,
    at: datetime,
    cause: Cause = None,
    new: bool = False,
) -> list[Standing]:
    """Write what is derived from these records, in the transaction that changed their facts.

    :param at: the instant (UTC) of the change; what was to lapse after it never came true.
    :param cause: the decision that brought the change about, named on the lapses that it resolves.
    :param new: true only for registrations that have no rows here yet; spares looking for them.
    """
    derived = [derive(record) for record in records]
    for start in range(0, len(derived), MANY):
        _write(tx, derived[start : start + MANY], at, cause, new=new)
    return derived


def _write(tx: Connection, chunk: Sequence[Standing], at: datetime, cause: Cause, *, new: bool) -> None:
    ids = [standing.registration_id for standing in chunk]
    if not new:
        tx.execute(delete(tables.spans).where(tables.spans.c.registration_id.in_(ids)))
        tx.execute(delete(tables.entries).where(tables.entries.c.registration_id.in_(ids)))
    insert_rows(tx, tables.spans, [row for standing in chunk for row in standing.spans])
    insert_rows(tx, tables.entries, [standing.entry for standing in chunk])
    existing: dict[str, dict[LapseKey, RowMapping]] = {}
    if not new:
        found = tx.execute(select(tables.lapses).where(tables.lapses.c.registration_id.in_(ids)))
        for row in found.mappings():
            existing.setdefault(row["registration_id"], {})[lapse_key(row)] = row
    _reconcile_lapses(tx, chunk, existing, at, cause)


def _reconcile_lapses(
    tx: Connection,
    chunk: Sequence[Standing],
    existing: Mapping[str, Mapping[LapseKey, RowMapping]],
    at: datetime,
    cause: Cause,
) -> None:
    added: list[Values] = []
    changed: list[Values] = []
    averted: list[str] = []
    resolved: list[Values] = []
    for standing in chunk:
        before = existing.get(standing.registration_id, {})
        today = local_date(at, standing.zone)
        by = cause.get(standing.registration_id) if isinstance(cause, Mapping) else cause
        for key, values in standing.lapses.items():
            row = before.get(key)
            if row is None:
                added.append({"id": new_id(), "noticed_at": at, **values})
            elif row["resolved_at"] is not None or _differs(row, values):
                noticed = row["noticed_at"] if row["resolved_at"] is None else at
                changed.append({"lapse": row["id"], "noticed": noticed, **_mutable(values)})
        for key, row in before.items():
            if key in standing.lapses or row["resolved_at"] is not None:
                continue
            if row["since"] > today:
                averted.append(row["id"])
            else:
                resolved.append({"lapse": row["id"], "at": at, "by": by})
    _apply(tx, added, changed, averted, resolved)


MUTABLE = ("until", "why", "ended_by")


def _mutable(values: Mapping[str, Any]) -> Values:
    return {f"new_{name}": values[name] for name in MUTABLE}


def _differs(row: RowMapping, values: Mapping[str, Any]) -> bool:
    return any(row[name] != values[name] for name in MUTABLE)


def _apply(
    tx: Connection, added: list[Values], changed: list[Values], averted: list[str], resolved: list[Values]
) -> None:
    lapses = tables.lapses
    this = lapses.c.id == bindparam("lapse")
    insert_rows(tx, lapses, added)
    if changed:
        new: Values = {name: bindparam(f"new_{name}") for name in MUTABLE}
        new["noticed_at"] = bindparam("noticed")
        tx.execute(update(lapses).where(this).values(resolved_at=None, resolved_by=None, **new), changed)
    if averted:
        tx.execute(delete(lapses).where(lapses.c.id.in_(averted)))
    if resolved:
        tx.execute(
            update(lapses).where(this).values(resolved_at=bindparam("at"), resolved_by=bindparam("by")),
            resolved,
        )


def body_document(versions: Sequence[str]) -> str:
    """A body's rules as kept on its row: every version ever recorded, as JSON texts."""
    return documents.dump({"rules": [json.loads(version) for version in versions]})
