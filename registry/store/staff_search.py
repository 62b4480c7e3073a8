"""Finding people by what the public's index does not hold: legal and ended names, and withheld records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Row, select, text

from . import tables
from .bulk import among

n, r = tables.practitioner_names, tables.registrations

# Each part is found by an index of its own, which holds few of all names: the terms are the indexes' own, and
# a CROSS JOIN keeps SQLite from beginning with everybody who was not merged.
_KEPT_BACK = """\
SELECT n.practitioner_id, n.full_name
FROM practitioner_names AS n CROSS JOIN practitioners AS p
WHERE (n.kind = 'legal' OR n.ended_at IS NOT NULL)
AND p.id = n.practitioner_id AND coalesce(p.merged_into, '') = '' AND NOT p.withheld{own}
UNION ALL
SELECT n.practitioner_id, n.full_name
FROM practitioners AS p CROSS JOIN practitioner_names AS n
WHERE p.withheld AND coalesce(p.merged_into, '') = '' AND n.practitioner_id = p.id{own}
ORDER BY 1"""
_OWN = """
AND CASE WHEN EXISTS (SELECT 1 FROM registrations AS r WHERE r.practitioner_id = p.id)
    THEN EXISTS (SELECT 1 FROM registrations AS r WHERE r.practitioner_id = p.id AND r.body_id = :body)
    ELSE EXISTS (SELECT 1 FROM practitioner_names AS f
                 WHERE f.practitioner_id = p.id AND f.recorded_by = :by) END"""
OF_ALL = text(_KEPT_BACK.format(own=""))
OF_BODY = text(_KEPT_BACK.format(own=_OWN))


def names_kept_back(connection: Connection, body_id: str | None, by: str) -> Iterator[Row[str, str]]:
    """``practitioner_id`` and ``full_name`` of what no index of the public's holds; of no merged records.

    :param body_id: the body whose people are meant, and who has no registration and was recorded by ``by``;
        ``None`` for all.
    """
    if body_id is None:
        return iter(connection.execute(OF_ALL))
    return iter(connection.execute(OF_BODY, {"body": body_id, "by": by}))


def unregistered(connection: Connection, people: Sequence[str], by: str | None) -> list[str]:
    """Those of these people who have no registration, and (where it is given) were recorded by ``by``."""
    held = connection.execute(
        select(r.c.practitioner_id).where(among(connection, r.c.practitioner_id, people))
    )
    without = set(people).difference(held.scalars())
    if by is not None and without:
        named = select(n.c.practitioner_id).where(
            among(connection, n.c.practitioner_id, sorted(without)), n.c.recorded_by == by
        )
        without.intersection_update(connection.execute(named).scalars())
    return [id_ for id_ in people if id_ in without]


def people_with_number(connection: Connection, number_key: str, body_id: str | None) -> list[str]:
    """Who holds a number, with one body or with any, by identifier."""
    statement = select(r.c.practitioner_id).where(r.c.number_key == number_key)
    if body_id is not None:
        statement = statement.where(r.c.body_id == body_id)
    return list(connection.execute(statement.order_by(r.c.practitioner_id)).scalars())
