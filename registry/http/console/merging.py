"""One person recorded twice: the two records side by side, joined into one, and parted again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Connection

from registry import clock
from registry.errors import Invalid
from registry.http.access import current_principal
from registry.http.admin.asked import (
    body_of_principal,
    require_merge_say,
    require_say,
    require_sight,
    require_version,
)
from registry.http.admin.people_schemas import MergeRequestSchema
from registry.http.auditing import sees_withheld
from registry.http.fields import Id, QuerySchema, Text
from registry.http.requests import load
from registry.services import merges, people, staff_search
from registry.services.person_files import PersonFile, read_file
from registry.services.staff_search import Hit
from registry.store.records import Person

from .bodies import working_body
from .forms import current_form
from .pages import Done, Shown, action, done, page, show
from .person import name_of, names_of
from .words import TONES


class DuplicateQuery(QuerySchema):
    """Whom to look for, or who it is."""

    q = Text(200, load_default=None)
    duplicate = Id(load_default=None)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records, as they stand beside each other."""

    file: PersonFile
    name: str
    names: Sequence[str]
    alike: frozenset[str]


@page("/people/<id:practitioner_id>/merge", query=DuplicateQuery)
def console_choose_duplicate(tx: Connection, practitioner_id: str, query: dict[str, Any]) -> Shown:
    """Find the other record, and see both side by side."""
    body = working_body(tx)
    people.get_person(tx, practitioner_id)
    require_say(tx, practitioner_id)
    kept = _seen(tx, practitioner_id)
    duplicate_id, asked = query["duplicate"], query["q"]
    if duplicate_id is not None and duplicate_id != kept.id:
        require_say(tx, duplicate_id)
        duplicate = _seen(tx, duplicate_id)
        return _side_by_side(tx, kept, duplicate)
    own = body_of_principal()
    hits: Sequence[Hit] = ()
    wrong = "" if duplicate_id is None else "This is the same record."
    try:
        found = staff_search.find_people(
            tx,
            asked or name_of(kept),
            body_id=own,
            body_code=None if own is None else body.code,
            by=current_principal().name,
            at=clock.now(),
        )
        hits = [hit for hit in found.people if hit.person.id != kept.id]
    except Invalid as error:
        wrong = error.problems[0]["detail"] if error.problems else error.detail
    for hit in hits:
        sees_withheld(hit.person.id, withheld=hit.person.withheld)
    return show(
        "merge_choose.html",
        kept=kept,
        name=name_of(kept),
        asked=asked or name_of(kept),
        hits=hits,
        wrong=wrong,
        names=names_of,
        tones=TONES,
    )


def _seen(tx: Connection, practitioner_id: str) -> Person:
    require_sight(tx, practitioner_id)
    person = people.get_person(tx, practitioner_id)
    sees_withheld(person.id, withheld=person.withheld)
    return person


def _side_by_side(tx: Connection, kept: Person, duplicate: Person) -> Shown:
    at, own = clock.now(), body_of_principal()
    files = [read_file(tx, person, body_id=own, known_at=None, at=at) for person in (kept, duplicate)]
    alike = frozenset(names_of(kept)).intersection(names_of(duplicate))
    sides = [Side(file, name_of(file.person), names_of(file.person), alike) for file in files]
    return show("merge.html", sides=sides, kept=kept, duplicate=duplicate, tones=TONES, again=current_form())


@action("/people/<id:practitioner_id>/merge", again=console_choose_duplicate)
def console_merge(tx: Connection, practitioner_id: str) -> Done:
    """Join the duplicate to this record."""
    version = request.form.get("version", "")
    document = {
        name: request.form[name] for name in ("duplicate", "reason") if request.form.get(name, "").strip()
    }
    given = load(MergeRequestSchema(), document, "json")
    require_merge_say(tx, practitioner_id, given["duplicate"])
    kept = people.get_person(tx, practitioner_id)
    require_version(kept, int(version) if version.isdecimal() and len(version) < 10 else 0)
    by, at = current_principal().name, clock.now()
    merge = merges.merge_people(tx, kept, given["duplicate"], reason=given["reason"], by=by, at=at)
    return done("The two records are one now.", "console_merge_page", merge_id=merge.id)


@page("/merges/<id:merge_id>")
def console_merge_page(tx: Connection, merge_id: str) -> Shown:
    """A merge, with what it moved, and the way back."""
    merge = merges.get_merge(tx, merge_id)
    require_say(tx, merge.kept_id)
    kept = _seen(tx, merge.kept_id)
    zone = working_body(tx).zone
    return show("merged.html", merge=merge, kept=kept, name=name_of(kept), zone=zone)


@action("/merges/<id:merge_id>/part", again=console_merge_page)
def console_part(tx: Connection, merge_id: str) -> Done:
    """Part the records again."""
    merge = merges.get_merge(tx, merge_id)
    require_merge_say(tx, merge.kept_id)
    merges.reverse_merge(tx, merge, by=current_principal().name, at=clock.now())
    return done("The records are parted again.", "console_person", practitioner_id=merge.kept_id)
