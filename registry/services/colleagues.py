"""Who works for a body: to whom a lapse can be left, and what they are called where records name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from registry.errors import Invalid
from registry.store import colleagues as store

from .principals import Role

LATELY = timedelta(days=7)
"""For how long the console remembers who was signed in."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who records for a body.

    :param name: as records and the audit name them.
    :param label: what they are called.
    """

    name: str
    label: str


def list_colleagues(connection: Connection, body_id: str, *, at: datetime) -> list[Colleague]:
    """The registrars of a body at an instant (UTC), by what they are called.

    They hold a key that is good, or were in the console lately.
    """
    keys = store.keys_in_force(connection, body_id, Role.REGISTRAR, at)
    people = store.signed_in_since(connection, body_id, Role.REGISTRAR, at - LATELY)
    found = {Colleague(f"{Role.REGISTRAR}:{id_}", label) for id_, label in (*keys, *people)}
    return sorted(found, key=lambda one: (one.label.casefold(), one.name))


def require_colleague(connection: Connection, body_id: str, name: str, *, at: datetime) -> None:
    """:raises registry.errors.Invalid: it names nobody who records for the body."""
    if all(one.name != name for one in list_colleagues(connection, body_id, at=at)):
        raise Invalid.at("/to", "Name somebody who records for this body, as records name them.")


def labels_of(connection: Connection, names: Iterable[str | None]) -> dict[str, str]:
    """What those are called whom records name so, as far as it is known."""
    by_id = {name.partition(":")[2]: name for name in names if name is not None and ":" in name}
    return {by_id[id_]: label for id_, label in store.labels(connection, sorted(by_id)).items()}
