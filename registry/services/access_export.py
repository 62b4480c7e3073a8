"""What is held about one person, for that person: everything, in a form that machines and people read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any

from markupsafe import Markup
from sqlalchemy import Column, Connection, Table, func, select

from registry.store import audit as chain
from registry.store import erasure, import_tables, tables
from registry.store.booked_check_tables import booked_checks
from registry.store.notice_tables import contacts, notices
from registry.store.roster_tables import roster_members

from .people import get_person

PRIVATE = frozenset({"private_note"})
"""Of investigations: what the law may except, and a body decides to hand out."""


def held_about(
    connection: Connection, practitioner_id: str, *, at: datetime, private_notes: bool = False
) -> dict[str, Any]:
    """Everything that is kept about a person, by what it is.

    :param at: the present instant (UTC).
    :param private_notes: with the notes that registrars keep for themselves.
    :raises registry.errors.NotFound: there is no such person.
    """
    person = get_person(connection, practitioner_id)
    traces = erasure.traces_of(connection, person.id)
    registrations, people = traces.registrations, traces.people
    hidden = frozenset() if private_notes else PRIVATE
    t, i = tables, import_tables

    def rows(table: Table, column: Column[Any], values: Any) -> list[dict[str, Any]]:
        found = connection.execute(select(table).where(column.in_(values)).order_by(*table.primary_key))
        return [
            {name: value for name, value in row.items() if name not in hidden} for row in found.mappings()
        ]

    named = i.import_rows
    numbers = rows(t.registrations, t.registrations.c.id, registrations)
    return {
        "made_at": at,
        "person": rows(t.practitioners, t.practitioners.c.id, people),
        "names": rows(t.practitioner_names, t.practitioner_names.c.practitioner_id, people),
        "contact": rows(contacts, contacts.c.practitioner_id, people),
        "registrations": numbers,
        "authorizations": rows(
            t.needling_authorizations, t.needling_authorizations.c.registration_id, registrations
        ),
        "decisions": rows(t.decisions, t.decisions.c.registration_id, registrations),
        "standing": rows(t.spans, t.spans.c.registration_id, registrations),
        "trainings": rows(t.trainings, t.trainings.c.practitioner_id, people),
        "lapses": rows(t.lapses, t.lapses.c.registration_id, registrations),
        "notes_on_lapses": rows(t.lapse_notes, t.lapse_notes.c.registration_id, registrations),
        "corrections": rows(t.amendments, t.amendments.c.subject_id, sorted(traces.ids)),
        "merges": rows(t.merges, t.merges.c.kept_id, people),
        "notices": rows(notices, notices.c.registration_id, registrations),
        "events": rows(t.events, t.events.c.registration_id, registrations),
        "imports_that_named_the_person": [
            dict(row)
            for row in connection.execute(
                select(i.imports.c.id, i.imports.c.filename, i.imports.c.received_at, named.c.line)
                .join(named, named.c.import_id == i.imports.c.id)
                .where(
                    i.imports.c.body_id.in_(traces.bodies),
                    named.c.number_key.in_([row["number_key"] for row in numbers]),
                )
                .order_by(i.imports.c.id)
            ).mappings()
        ],
        "checks_that_clinics_booked": connection.execute(
            select(func.count())
            .select_from(booked_checks)
            .where(booked_checks.c.registration_id.in_(registrations))
        ).scalar_one(),
        "rosters_of_clinics_that_name_the_number": _on_rosters(connection, numbers),
        "who_saw_or_did_what": [
            {
                "at": entry.happening.at,
                "who": entry.happening.principal,
                "from": entry.happening.address,
                "what": entry.happening.action,
            }
            for entry in chain.mentioning(connection, traces.ids)
        ],
    }


def _on_rosters(connection: Connection, registrations: list[dict[str, Any]]) -> int:
    m = roster_members
    keys = {row["number_key"] for row in registrations}
    bodies = {row["body_id"] for row in registrations}
    named = select(func.count()).select_from(m).where(m.c.number_key.in_(keys), m.c.body_id.in_(bodies))
    return connection.execute(named).scalar_one()


def as_zip(held: Mapping[str, Any]) -> bytes:
    """The same as a file: ``record.json`` for machines and ``record.html`` for people."""
    plain = {name: _plain(value) for name, value in held.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("record.json", json.dumps(plain, ensure_ascii=False, indent=2)),
            ("record.html", _page(plain)),
        ):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text)
    return made.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def _page(plain: Mapping[str, Any]) -> str:
    parts = Markup("").join(_section(name.replace("_", " "), value) for name, value in plain.items())
    return Markup(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>What is held about you</title>'
        "<style>body{{font-family:sans-serif;margin:2em}}table{{border-collapse:collapse;margin:1em 0}}"
        "td,th{{border:1px solid #999;padding:.2em .5em;text-align:start;vertical-align:top}}</style></head>"
        "<body><h1>What is held about you</h1>{}</body></html>\n"
    ).format(parts)


def _section(title: str, value: Any) -> Markup:
    heading = Markup("<h2>{}</h2>").format(title[:1].upper() + title[1:])
    if not isinstance(value, list):
        return heading + Markup("<p>{}</p>").format(value)
    if not value:
        return heading + Markup("<p>Nothing.</p>")
    return heading + Markup("<table>{}</table>").format(Markup("").join(_rows(value)))


def _rows(rows: list[dict[str, Any]]) -> Iterator[Markup]:
    names = list(rows[0])
    cells = Markup("").join(Markup("<th>{}</th>").format(name.replace("_", " ")) for name in names)
    yield Markup("<tr>{}</tr>").format(cells)
    for row in rows:
        shown = ("" if row[name] is None else row[name] for name in names)
        cells = Markup("").join(Markup("<td><bdi>{}</bdi></td>").format(value) for value in shown)
        yield Markup("<tr>{}</tr>").format(cells)
