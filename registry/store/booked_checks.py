"""Checks of clinics for coming days: noted in one statement, counted for staff, dropped after their day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, and_, delete, func, or_, select, text

from registry.domain.vocabulary import Mode, Technique

from . import documents, tables
from .booked_check_tables import EVERY_TECHNIQUE, booked_checks
from .keys import note_if_free
from .roster_tables import roster_members, rosters

c, k, p = booked_checks, tables.api_keys, tables.principals

MOST_OF_ONE = 100_000
"""Checks that are kept of one clinic: more would serve nobody."""

Noted = tuple[str, str, str, str, str]
"""The body, the number's key, the day (ISO), the technique or :data:`EVERY_TECHNIQUE`, the mode."""

# The numbers are looked up in the same statement; those that nobody has are left out. The order keeps two
# that note the same from waiting for each other.
_NOTE = """\
INSERT INTO booked_checks (owner_id, registration_id, day, technique, mode, body_id)
SELECT DISTINCT :owner, e.registration_id, {day}, {technique}, {mode}, e.body_id
FROM {asked} AS q JOIN entries AS e ON e.body_id = {body} AND e.number_key = {number}
WHERE (SELECT count(*) FROM booked_checks WHERE owner_id = :owner) < :most
ORDER BY 2, 3, 4, 5
ON CONFLICT DO NOTHING"""
_PLACES = ("body", "number", "day", "technique", "mode")
STATEMENTS = {
    "sqlite": text(
        _NOTE.format(
            asked="json_each(:asked)",
            **{name: f"json_extract(q.value, '$[{place}]')" for place, name in enumerate(_PLACES)},
        )
    ),
    "postgresql": text(
        _NOTE.format(
            asked="json_array_elements(CAST(:asked AS json))",
            **{
                name: f"CAST(q.value->>{place} AS {'date' if name == 'day' else 'text'})"
                for place, name in enumerate(_PLACES)
            },
        )
    ),
}


@dataclass(frozen=True, slots=True)
class BookedCheck:
    """That a clinic asked about somebody for a day to come.

    :param owner_id: the clinic, as a principal.
    :param technique: ``None``: each.
    """

    owner_id: str
    day: date
    technique: Technique | None
    mode: Mode


def note_checks(connection: Connection, owner_id: str, asked: Iterable[Noted]) -> None:
    """Note what a clinic asked about coming days; what is noted already stays so.

    :param connection: in autocommit. On SQLite nothing is noted while somebody else writes: nobody waits.
    """
    given = {"owner": owner_id, "asked": documents.dump(list(asked)), "most": MOST_OF_ONE}
    note_if_free(connection, STATEMENTS[connection.dialect.name], given)


def checks_about(connection: Connection, registration_id: str, first: date) -> list[BookedCheck]:
    """What clinics asked about a registration for the local day ``first`` and later ones."""
    rows = connection.execute(
        select(c.c.owner_id, c.c.day, c.c.technique, c.c.mode)
        .where(c.c.registration_id == registration_id, c.c.day >= first)
        .order_by(c.c.day, c.c.owner_id)
    )
    return [
        BookedCheck(
            row.owner_id,
            row.day,
            None if row.technique == EVERY_TECHNIQUE else Technique(row.technique),
            Mode(row.mode),
        )
        for row in rows
    ]


def rosters_naming(connection: Connection, registration_id: str) -> list[str]:
    """The owners, by identifier, of rosters that name a registration, by its number of now or of then."""
    m, o, r = roster_members, rosters, tables.registrations
    number = select(r.c.body_id, r.c.number_key).where(r.c.id == registration_id).subquery("the_registration")
    by_number = and_(m.c.body_id == number.c.body_id, m.c.number_key == number.c.number_key)
    named = (
        select(o.c.owner_id)
        .distinct()
        .select_from(number)
        .join(m, or_(by_number, m.c.registration_id == registration_id))
        .join(o, o.c.id == m.c.roster_id)
        .order_by(o.c.owner_id)
    )
    return list(connection.execute(named).scalars())


def clinic_labels(connection: Connection, owner_ids: Sequence[str]) -> dict[str, str]:
    """What clinics are called: by the label of the key, or the subject of whoever comes with tokens."""
    named = (
        select(p.c.id, func.coalesce(k.c.label, p.c.subject).label("label"))
        .join(k, k.c.id == p.c.id, isouter=True)
        .where(p.c.id.in_(owner_ids))
    )
    return {row.id: row.label for row in connection.execute(named)}


def drop_checks_before(tx: Connection, body_id: str, today: date) -> int:
    """Forget the checks for a body's days that have passed; how many they were."""
    gone = tx.execute(delete(c).where(c.c.body_id == body_id, c.c.day < today))
    return gone.rowcount
