"""Since when a person has practised: the first term of any registration that is kept here, with any body."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select

from registry.domain.decisions import Decision
from registry.domain.timeline import fold

from . import tables
from .records import decision_of


def registered_since(connection: Connection, practitioner_id: str, *, besides: str) -> date | None:
    """The first local day of the earliest term of a person's registrations; ``None`` where there is none.

    :param besides: a registration to be left out.
    """
    d, r = tables.decisions, tables.registrations
    statement = select(d).join(r, r.c.id == d.c.registration_id).where(d.c.authorization_id.is_(None))
    own = statement.where(r.c.practitioner_id == practitioner_id, r.c.id != besides)
    about: dict[str, list[Decision]] = {}
    for row in connection.execute(own):
        about.setdefault(row.registration_id, []).append(decision_of(row).decision)
    spans = (span for decisions in about.values() for span in fold(decisions).spans)
    return min((span.term_from for span in spans if span.term_from is not None), default=None)
