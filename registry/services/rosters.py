"""A clinic's staff as a set of bodies and numbers: kept for their owner, and answered for all at once."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from registry.domain.names import number_key
from registry.domain.rules import add_months
from registry.domain.verdict import Question, Standings
from registry.domain.vocabulary import Mode, Technique
from registry.errors import Conflict, Invalid, NotFound, Stale
from registry.store import rosters as store
from registry.store.batches import entries_in_order, key_of
from registry.store.rosters import Member, Roster
from registry.store.webhooks import narrows_a_webhook

from .batches import MOST_QUESTIONS, Answered, Asked, Refused, answer_all
from .gaps import LONGEST_YEARS, Gap, find_gaps
from .look_up import list_bodies, standings_of

MOST_MEMBERS = MOST_QUESTIONS
MOST_ROSTERS = 1000
"""Of one owner."""


def find_roster(connection: Connection, owner_id: str, name: str) -> Roster:
    """An owner's roster.

    :raises registry.errors.NotFound: the owner has none of that name.
    """
    roster = store.find_roster(connection, owner_id, name)
    if roster is None:
        raise NotFound(f"You keep no roster of the name {name}.")
    return roster


def find_or_none(connection: Connection, owner_id: str, name: str) -> Roster | None:
    """An owner's roster, if there is one."""
    return store.find_roster(connection, owner_id, name)


def members_of(connection: Connection, roster: Roster) -> list[Member]:
    """A roster's members, by body and number."""
    return [Member(row.body, row.number) for row in store.members_of(connection, roster.id)]


def put_roster(
    tx: Connection,
    owner_id: str,
    name: str,
    members: Sequence[Member],
    *,
    version: int | None,
    at: datetime,
) -> tuple[Roster, bool]:
    """Keep a roster, or make these the members of the one that there is; whether it is new.

    :param members: a set: who is named twice is a member once.
    :param version: of the roster that the caller saw; ``None`` where there was none.
    :raises registry.errors.Stale: there is another version, or none.
    :raises registry.errors.Invalid: a body is unknown, or there are too many.
    """
    known = store.find_roster(tx, owner_id, name)
    if (None if known is None else known.version) != version:
        raise Stale("This roster is not as you saw it; read it again.")
    rows = _rows(tx, members)
    if known is None:
        _refuse_many(tx, owner_id)
    roster = known or store.add_roster(tx, owner_id, name, at)
    if known is not None:
        store.claim_roster(tx, known, at)
    store.replace_members(tx, roster.id, rows)
    return find_roster(tx, owner_id, name), known is None


def _refuse_many(tx: Connection, owner_id: str) -> None:
    if len(store.list_rosters(tx, owner_id, after=None, limit=MOST_ROSTERS)) == MOST_ROSTERS:
        raise Invalid(f"At most {MOST_ROSTERS:,} rosters are kept for one key.")


def _rows(tx: Connection, members: Sequence[Member]) -> list[tuple[str, str, str]]:
    bodies = {body.code: body.id for body in list_bodies(tx)}
    unknown = [
        {"pointer": f"/members/{place}/body", "detail": f"No body is kept under the code {member.body}."}
        for place, member in enumerate(members)
        if member.body not in bodies
    ]
    if unknown:
        raise Invalid(unknown[0]["detail"], unknown)
    named = {(bodies[m.body], number_key(m.number)): m.number for m in members}
    return [(body_id, number, key) for (body_id, key), number in named.items()]


def remove_roster(tx: Connection, roster: Roster, *, version: int, at: datetime) -> None:
    """Take a roster away.

    :param version: as the caller saw it.
    :raises registry.errors.Stale: it has changed since.
    :raises registry.errors.Conflict: it narrows a webhook, which would be told of everyone without it.
    """
    if roster.version != version:
        raise Stale("This roster is not as you saw it; read it again.")
    store.claim_roster(tx, roster, at)
    if narrows_a_webhook(tx, roster.id):
        raise Conflict("A webhook is narrowed by this roster; change or delete that first.")
    store.delete_roster(tx, roster)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is asked of each member: a technique (``None``: each), on a local day (``None``: today)."""

    technique: Technique | None = None
    on: date | None = None
    mode: Mode = Mode.INDEPENDENT


def answer_for(
    connection: Connection, roster: Roster, question: Standing, *, at: datetime
) -> Generator[Answered | Refused]:
    """The answer for each member, by body and number.

    :param at: the present instant (UTC).
    """
    asked = [
        Asked(member.body, member.number, question.technique, question.on, question.mode)
        for member in members_of(connection, roster)
    ]
    return answer_all(connection, asked, at=at)


@dataclass(frozen=True, slots=True)
class DaysWithout:
    """The days of a range on which a member was not authorized. ``name``: ``None`` where it is withheld."""

    member: Member
    practitioner_id: str | None
    name: str | None
    withheld: bool
    gaps: tuple[Gap, ...]

    @property
    def days(self) -> int:
        """How many days."""
        return sum(gap.days for gap in self.gaps)


def days_without(
    connection: Connection, roster: Roster, question: Question, last: date
) -> Iterator[DaysWithout]:
    """Each member's days without authorization, from ``question.on`` to ``last``, as known now.

    :raises registry.errors.Invalid: the range is impossible, or longer than ten years.
    """
    _refuse_range(question.on, last)
    bodies = {body.id: body for body in list_bodies(connection)}
    rows = store.members_of(connection, roster.id)
    entries = entries_in_order(connection, [key_of("", row.body_id, row.number_key) for row in rows])
    for row, entry in zip(rows, entries, strict=True):
        body = bodies[row.body_id]
        document = {} if entry is None else json.loads(entry)
        standings = standings_of(document, body) if document else Standings(None, (), body.rules)
        yield DaysWithout(
            Member(row.body, document.get("number", row.number)),
            document.get("practitioner"),
            document.get("name"),
            document.get("withheld", False),
            tuple(find_gaps(question, standings, last)),
        )


def _refuse_range(first: date, last: date) -> None:
    if first > last:
        detail = f"Give a day that is not before {first}, the first day of the range."
    elif add_months(first, 12 * LONGEST_YEARS) <= last:
        detail = f"Give a day before {add_months(first, 12 * LONGEST_YEARS)}: at most ten years."
    else:
        return
    raise Invalid(f"to: {detail}", [{"parameter": "to", "detail": detail}])
