"""Practitioners: the people behind registrations, and what they are called. A person belongs to no body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from registry.domain.names import fold
from registry.domain.vocabulary import AmendmentSubject, NameKind
from registry.errors import Conflict, Forbidden, Invalid, NotFound
from registry.store import affected, documents, people, tables
from registry.store.amendments import Subject, add_amendment
from registry.store.people import NewName
from registry.store.records import Name, Person, load_people, registrations_of_people
from registry.store.search import index_people


class PreviousName(StrEnum):
    """What a published name becomes that another replaces."""

    FORMER = "former"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What is to be changed; ``None`` leaves a thing as it is.

    :param names: every name to be in use from now on; those left out are ended.
    :param previous_becomes: what the published name becomes that is replaced.
    :param languages: BCP 47 tags, the preferred first.
    :param shows_former_names: whether former names are published where a body publishes such.
    """

    names: Sequence[NewName] | None = None
    previous_becomes: PreviousName = PreviousName.NOTHING
    languages: Sequence[str] | None = None
    withheld: bool | None = None
    shows_former_names: bool | None = None
    reason: str | None = None


def get_person(connection: Connection, practitioner_id: str) -> Person:
    """A practitioner; one who was merged is given as such.

    :raises registry.errors.NotFound: there is none.
    """
    person = people.find_person(connection, practitioner_id)
    if person is None:
        raise NotFound(f"No practitioner is kept under the identifier {practitioner_id}.")
    return person


def add_person(
    tx: Connection,
    names: Sequence[NewName],
    *,
    by: str,
    at: datetime,
    languages: Sequence[str] = (),
    withheld: bool = False,
) -> Person:
    """Take a practitioner into the register.

    :raises registry.errors.Invalid: there is not exactly one published name, or more than one legal name.
    """
    _refuse_impossible_names(names)
    id_ = people.insert_person(tx, languages=languages, withheld=withheld, at=at)
    people.insert_names(tx, id_, names, by=by, at=at)
    index_people(tx, [id_])
    return get_person(tx, id_)


def list_people(
    connection: Connection,
    *,
    body_id: str | None,
    by: str,
    name: str | None,
    after: str | None,
    limit: int,
) -> list[Person]:
    """A stretch of the practitioners whom a registrar has a say in, in the order in which they were recorded.

    :param body_id: the registrar's body; ``None`` for operators, who see all.
    :param name: each word of it begins a word of one of their names: published, legal, former or ended.
    """
    known_by = people.names_of_people(connection, body_id, by, after)
    found = (id_ for id_, names in known_by if name is None or _is_called(name, names))
    ids = list(islice(found, limit))
    loaded = load_people(connection, ids)
    return [loaded[id_] for id_ in ids]


def _is_called(wanted: str, names: Iterable[str]) -> bool:
    words = fold(wanted).split()
    return any(
        all(any(part.startswith(word) for part in parts) for word in words)
        for parts in (fold(name).split() for name in names)
    )


def change_person(tx: Connection, person: Person, change: PersonChange, *, by: str, at: datetime) -> Person:
    """Change names, languages or whether the record is withheld, and every entry that shows them.

    :param person: as the caller saw them.
    :raises registry.errors.Stale: they have changed since.
    :raises registry.errors.Conflict: they were merged into another.
    """
    refuse_merged(person)
    refuse_erased(person)
    told = dict(_differences(person, change))
    row: dict[str, Any] = {}
    if "languages" in told:
        row["languages"] = documents.dump(list(change.languages or ()))
    for field in ("withheld", "shows_former_names"):
        if field in told:
            row[field] = getattr(change, field)
    people.change_person(tx, person, row)
    if change.names is not None:
        _replace_names(tx, person, change, by=by, at=at)
    subject = Subject(AmendmentSubject.PRACTITIONER, person.id)
    add_amendment(tx, subject, told, reason=change.reason, by=by, at=at)
    show_anew(tx, [person.id], at=at)
    return get_person(tx, person.id)


def show_anew(tx: Connection, ids: Sequence[str], *, at: datetime) -> None:
    """Rewrite the entries and the search index of these people, in the transaction that changed them."""
    affected.derive_anew(tx, registrations_of_people(tx, ids), at=at)
    index_people(tx, ids)


def hold_person(tx: Connection, practitioner_id: str) -> Person:
    """A practitioner whom nobody renames or merges until the transaction ends.

    :raises registry.errors.NotFound: there is none.
    :raises registry.errors.Conflict: they were merged into another.
    """
    affected.lock(tx, tables.practitioners, [practitioner_id], to_read=True)
    person = get_person(tx, practitioner_id)
    refuse_merged(person)
    return person


def refuse_merged(person: Person) -> None:
    """:raises registry.errors.Conflict: the practitioner was merged into another."""
    if person.merged_into is not None:
        raise Conflict(
            f"This practitioner was merged into {person.merged_into}; change that one.",
            [{"merged_into": person.merged_into}],
        )


def refuse_erased(person: Person) -> None:
    """:raises registry.errors.Conflict: nothing is kept of who the practitioner is, and nothing may be."""
    if person.is_erased:
        raise Conflict("The identity of this practitioner was erased; nothing is added to it.")


def refuse_foreign(
    connection: Connection, practitioner_id: str, body_id: str | None, by: str, *, wholly: bool = False
) -> None:
    """See that a registrar has a say in a practitioner.

    :param body_id: the registrar's body; ``None`` for an operator, who has a say in all.
    :param by: the registrar, who has a say in whom they took in and nobody has registered yet.
    :param wholly: ask that no other body keeps a registration of the person.
    :raises registry.errors.Forbidden: the practitioner is another body's.
    """
    if body_id is None:
        return
    keepers = people.bodies_of_person(connection, practitioner_id)
    if not keepers and people.first_recorded_by(connection, practitioner_id) == by:
        return
    if body_id not in keepers:
        raise Forbidden("No registration of this practitioner is kept by your body.")
    if wholly and keepers != {body_id}:
        raise Forbidden("Another body keeps a registration of this practitioner too; ask an operator.")


def refuse_unveiling(connection: Connection, practitioner_id: str, body_id: str | None, by: str) -> None:
    """See that nobody learns whose record is withheld by registering them: with a say in it comes the name.

    :param body_id: as for :func:`refuse_foreign`.
    :raises registry.errors.Forbidden: the record is withheld, and the registrar has no say in it yet.
    """
    person = people.find_person(connection, practitioner_id)
    if person is None or not person.withheld:
        return
    try:
        refuse_foreign(connection, practitioner_id, body_id, by)
    except Forbidden as error:
        detail = "This record is withheld, and your body keeps no registration of it yet; ask an operator."
        raise Forbidden(detail) from error


def _refuse_impossible_names(names: Sequence[NewName]) -> None:
    kinds = [name.kind for name in names]
    if kinds.count(NameKind.PUBLISHED) != 1:
        raise Invalid.at("/names", "Give exactly one published name.")
    if kinds.count(NameKind.LEGAL) > 1:
        raise Invalid.at("/names", "Give at most one legal name.")
    if len(set(names)) != len(names):
        raise Invalid.at("/names", "Give each name once.")


def _differences(person: Person, change: PersonChange) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if change.languages is not None and tuple(change.languages) != person.languages:
        yield "languages", (list(person.languages), list(change.languages))
    if change.withheld is not None and change.withheld is not person.withheld:
        yield "withheld", (person.withheld, change.withheld)
    shows = change.shows_former_names
    if shows is not None and shows is not person.shows_former_names:
        yield "shows_former_names", (person.shows_former_names, shows)


def _replace_names(tx: Connection, person: Person, change: PersonChange, *, by: str, at: datetime) -> None:
    wanted = list(change.names or ())
    _refuse_impossible_names(wanted)
    if change.previous_becomes is PreviousName.FORMER:
        wanted.extend(_as_former(person.names, wanted))
    in_use = {_bare(name): name.id for name in person.names}
    people.end_names(tx, [id_ for name, id_ in in_use.items() if name not in wanted], at)
    people.insert_names(tx, person.id, [name for name in wanted if name not in in_use], by=by, at=at)


def _as_former(names: Iterable[Name], wanted: Sequence[NewName]) -> Iterator[NewName]:
    """The published name among ``names`` as a former one, where ``wanted`` replaces it and lacks it."""
    for name in map(_bare, names):
        former = NewName(NameKind.FORMER, name.full_name, name.given, name.family)
        if name.kind is NameKind.PUBLISHED and name not in wanted and former not in wanted:
            yield former


def _bare(name: Name) -> NewName:
    return NewName(name.kind, name.full_name, name.given, name.family)
