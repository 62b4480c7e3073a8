"""One person recorded twice: the records joined, and parted again exactly as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.vocabulary import NameKind
from registry.errors import Conflict, Invalid, NotFound
from registry.store import affected, merges, people, tables
from registry.store.amendments import list_amendments
from registry.store.events import Event, add_events
from registry.store.merges import Merge, Moved
from registry.store.people import NewName
from registry.store.records import MANY, Person, load_records, registrations_of_people
from registry.store.registrations import move_registrations
from registry.store.trainings import move_trainings, trainings_of_person

from .people import get_person, refuse_erased, refuse_merged, show_anew


def get_merge(connection: Connection, merge_id: str) -> Merge:
    """A merge, reversed or not.

    :raises registry.errors.NotFound: there is none.
    """
    merge = merges.find_merge(connection, merge_id)
    if merge is None:
        raise NotFound(f"No merge is kept under the identifier {merge_id}.")
    return merge


def merge_people(
    tx: Connection, kept: Person, duplicate_id: str, *, reason: str, by: str, at: datetime
) -> Merge:
    """Give one record what another record of the same person holds; the other's identifier leads to it.

    Registrations stay apart, also two with one body. Names of the duplicate go on as former ones, and
    where either record was withheld, the joint one is.

    :param kept: as the caller saw it.
    :raises registry.errors.Invalid: both are one record.
    :raises registry.errors.Conflict: either was merged into another.
    :raises registry.errors.Stale: the kept record has changed since it was read.
    """
    if kept.id == duplicate_id:
        raise Invalid.at("/duplicate", "A practitioner cannot be merged with themselves.")
    affected.lock(tx, tables.practitioners, [kept.id, duplicate_id])
    duplicate = get_person(tx, duplicate_id)
    refuse_merged(kept)
    refuse_merged(duplicate)
    refuse_erased(kept)
    refuse_erased(duplicate)
    hides = duplicate.withheld and not kept.withheld
    people.change_person(tx, kept, {"withheld": True} if hides else {})
    people.change_person(tx, duplicate, {"merged_into": kept.id})
    moved = Moved(
        registrations=tuple(registrations_of_people(tx, [duplicate.id])),
        trainings=tuple(trainings_of_person(tx, duplicate.id)),
        names=tuple(people.insert_names(tx, kept.id, _names_lacking(kept, duplicate), by=by, at=at)),
        withheld=hides,
    )
    _move(tx, moved, kept.id)
    merge = get_merge(tx, merges.insert_merge(tx, kept.id, duplicate.id, moved, reason, by=by, at=at))
    show_anew(tx, [kept.id, duplicate.id], at=at)
    _announce(tx, "practitioner.merged", merge, at)
    return merge


def _names_lacking(kept: Person, duplicate: Person) -> Iterator[NewName]:
    """The names that the kept record lacks; what the duplicate published becomes a former name."""
    known = {name.full_name for name in kept.names}
    has_legal = any(name.kind is NameKind.LEGAL for name in kept.names)
    for name in duplicate.names:
        if name.full_name in known or (name.kind is NameKind.LEGAL and has_legal):
            continue
        known.add(name.full_name)
        kind = NameKind.LEGAL if name.kind is NameKind.LEGAL else NameKind.FORMER
        yield NewName(kind, name.full_name, name.given, name.family)


def _move(tx: Connection, moved: Moved, practitioner_id: str) -> None:
    for start in range(0, len(moved.registrations), MANY):
        move_registrations(tx, moved.registrations[start : start + MANY], practitioner_id)
    for start in range(0, len(moved.trainings), MANY):
        move_trainings(tx, moved.trainings[start : start + MANY], practitioner_id)


def reverse_merge(tx: Connection, merge: Merge, *, by: str, at: datetime) -> Merge:
    """Give back exactly what a merge moved; what was recorded since stays with the kept record.

    A record that the merge withheld is released, unless there is another reason by now to withhold it.

    :raises registry.errors.Conflict: it was reversed already, or the kept record was itself merged since.
    """
    affected.lock(tx, tables.practitioners, [merge.kept_id, merge.merged_id])
    kept, duplicate = get_person(tx, merge.kept_id), get_person(tx, merge.merged_id)
    if kept.merged_into is not None:
        raise Conflict(f"The kept record was merged into {kept.merged_into} since; reverse that merge first.")
    merges.mark_reversed(tx, merge.id, by=by, at=at)
    people.change_person(tx, kept, {"withheld": False} if _is_to_be_released(tx, merge) else {})
    people.change_person(tx, duplicate, {"merged_into": None})
    people.end_names(tx, merge.moved.names, at)
    _move(tx, merge.moved, duplicate.id)
    show_anew(tx, [kept.id, duplicate.id], at=at)
    _announce(tx, "practitioner.parted", merge, at)
    return get_merge(tx, merge.id)


def _is_to_be_released(tx: Connection, merge: Merge) -> bool:
    """Whether nothing but this merge withheld the kept record: no other, and nobody since."""
    if not merge.moved.withheld or merges.merges_of_withheld(tx, merge.kept_id) - {merge.id}:
        return False
    since = (a for a in list_amendments(tx, merge.kept_id) if a.recorded_at >= merge.recorded_at)
    return not any("withheld" in amendment.changed for amendment in since)


def _announce(tx: Connection, type_: str, merge: Merge, at: datetime) -> None:
    """Tell of every registration that now belongs to another record."""
    data: dict[str, Any] = {"kept": merge.kept_id, "merged": merge.merged_id}
    add_events(tx, [_event(tx, type_, data, id_, at) for id_ in merge.moved.registrations])


def _event(tx: Connection, type_: str, data: dict[str, Any], registration_id: str, at: datetime) -> Event:
    record = next(load_records(tx, [registration_id]))
    told = {"number": record.number, **data}
    return Event(type_, record.body.id, record.id, local_date(at, record.body.zone), at, data=told)


def bodies_concerned(connection: Connection, practitioner_ids: Sequence[str]) -> frozenset[str]:
    """The bodies (by identifier) that keep a registration of any of these people."""
    return frozenset().union(*(people.bodies_of_person(connection, id_) for id_ in practitioner_ids))
