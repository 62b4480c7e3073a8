"""A body's register as a table that imports again without difference: its present state, not its history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from registry.domain.decisions import Scope
from registry.domain.snapshot import Stated
from registry.domain.statement import state
from registry.domain.vocabulary import NameKind
from registry.sheets.writing import cell_of, csv_text, ndjson_text
from registry.store.exports import registrations_by_number
from registry.store.records import Body, RegistrationRecord, load_records

from .import_plans import authorizations_by_techniques

Document = dict[str, Any]

COLUMNS = (
    *("number", "name", "given", "family", "former_names", "city", "languages", "withheld"),
    *("register_class", "first_day", "last_day", "status", "practice", "disciplinary"),
    *("standing", "standing_since", "conditions", "authorizations"),
)


class Form(StrEnum):
    """How an export is written."""

    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class Export:
    """A body's register to be written.

    :param day: the local day as of which it is told.
    """

    body: Body
    day: date

    def text(self, connection: Connection, form: Form) -> Iterator[str]:
        """The file, a few lines at a time."""
        rows = self._rows(connection)
        if form is Form.NDJSON:
            return ndjson_text(rows)
        return self._csv(rows)

    def _csv(self, rows: Iterator[Document]) -> Iterator[str]:
        yield from csv_text([COLUMNS])
        yield from csv_text([cell_of(row[column]) for column in COLUMNS] for row in rows)

    def _rows(self, connection: Connection) -> Iterator[Document]:
        for stretch in registrations_by_number(connection, self.body.id):
            for record in load_records(connection, stretch):
                row = row_of(record, self.day)
                if row is not None:
                    yield row


def row_of(record: RegistrationRecord, day: date) -> Document | None:
    """A registration as it stands on a local day, by column; ``None`` where nothing is decided."""
    stated = state(record.timeline(None), day)
    if stated is None:
        return None
    person = record.person
    published = next((name for name in person.names if name.kind is NameKind.PUBLISHED), None)
    return {
        "number": record.number,
        "name": "" if published is None else published.full_name,
        "given": None if published is None else published.given,
        "family": None if published is None else published.family,
        "former_names": sorted(n.full_name for n in person.names if n.kind is NameKind.FORMER),
        "city": record.city,
        "languages": list(person.languages),
        "withheld": person.withheld,
        "register_class": stated.scope.register_class,
        **_term(stated),
        "conditions": _conditions(stated.scope),
        "authorizations": list(_authorizations(record, day)),
    }


def _authorizations(record: RegistrationRecord, day: date) -> Iterator[Document]:
    known = authorizations_by_techniques(record, day)
    for techniques, subject in sorted(known.items(), key=lambda item: sorted(item[0])):
        stated = state(record.timeline(subject), day)
        if stated is None:
            continue
        told: Document = {
            "techniques": sorted(techniques),
            "mode": stated.scope.mode,
            "conditions": _conditions(stated.scope),
            "excluded_regions": list(stated.scope.excluded_regions),
            **_term(stated),
        }
        yield {key: value for key, value in told.items() if value not in (None, [], "")}


def _conditions(scope: Scope) -> list[Document]:
    return [{"text": condition.text, "withheld": condition.withheld} for condition in scope.conditions]


def _term(stated: Stated) -> Document:
    report = stated.report
    return {
        "first_day": _day(stated.first_day),
        "last_day": _day(stated.last_day),
        "status": None if report is None else report.word,
        "practice": None if report is None else report.practice,
        "disciplinary": None if report is None else report.disciplinary,
        "standing": stated.leaves,
        "standing_since": _day(stated.status_day),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
