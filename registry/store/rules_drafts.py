"""Drafts of rules, and whom they would concern."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from registry.clock import new_id
from registry.domain.rules import BodyRules
from registry.domain.vocabulary import NameKind
from registry.errors import Stale

from . import documents, tables
from .bulk import insert_rows
from .task_tables import rules_drafts, rules_effects

d, e = rules_drafts, rules_effects
CHANGED = "This draft was changed by someone else in the meantime; read it again."


@dataclass(frozen=True, slots=True)
class RulesDraft:
    """Rules that somebody thinks of making.

    :param body_version: of the body, as they saw it.
    :param report: what they would change, counted; ``None`` until it is found out.
    """

    id: str
    body_id: str
    body_version: int
    rules: BodyRules
    reason: str | None
    report: dict[str, Any] | None
    made_at: datetime
    made_by: str
    saved_at: datetime | None
    version: int


def insert_draft(
    tx: Connection, body: tuple[str, int], rules: BodyRules, reason: str | None, *, by: str, at: datetime
) -> str:
    """Keep a draft; what was found out about earlier ones of the same author and body is let go.

    :param body: its identifier, and its version as the author saw it.
    """
    body_id, version = body
    earlier = select(d.c.id).where(d.c.body_id == body_id, d.c.made_by == by, d.c.saved_at.is_(None))
    tx.execute(delete(e).where(e.c.draft_id.in_(earlier)))
    id_ = new_id()
    row = {
        "id": id_,
        "body_id": body_id,
        "body_version": version,
        "document": documents.dump(documents.rules_document(rules)),
        "reason": reason,
        "made_at": at,
        "made_by": by,
        "version": 1,
    }
    tx.execute(insert(d), [row])
    return id_


def find_draft(connection: Connection, draft_id: str) -> RulesDraft | None:
    """One draft, or ``None``."""
    row = connection.execute(select(d).where(d.c.id == draft_id)).one_or_none()
    if row is None:
        return None
    values = {column.name: getattr(row, column.name) for column in d.c}
    values["rules"] = documents.rules_of(json.loads(values.pop("document")))
    values["report"] = None if values["report"] is None else json.loads(values["report"])
    return RulesDraft(**values)


def latest_drafts(connection: Connection, body_id: str, body_version: int, limit: int) -> list[RulesDraft]:
    """The drafts for a version of a body that were not saved, the latest first."""
    own = (d.c.body_id == body_id) & (d.c.body_version == body_version) & d.c.saved_at.is_(None)
    ids = connection.execute(select(d.c.id).where(own).order_by(d.c.id.desc()).limit(limit)).scalars().all()
    return [draft for id_ in ids if (draft := find_draft(connection, id_)) is not None]


def change_draft(tx: Connection, seen: RulesDraft, **values: Any) -> None:
    """Change a draft's row, unless someone else did since it was read.

    :raises registry.errors.Stale: someone did.
    """
    if "report" in values:
        values["report"] = documents.dump(values["report"])
    same = (d.c.id == seen.id) & (d.c.version == seen.version)
    if tx.execute(update(d).where(same).values(version=d.c.version + 1, **values)).rowcount != 1:
        raise Stale(CHANGED)


def forget_effects(tx: Connection, draft_id: str) -> None:
    """Let go of whom a draft would concern."""
    tx.execute(delete(e).where(e.c.draft_id == draft_id))


def add_effects(tx: Connection, draft_id: str, effects: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep whom a draft would concern, and how, by registration."""
    rows = [
        {"draft_id": draft_id, "registration_id": id_, "document": documents.dump(dict(told))}
        for id_, told in effects.items()
    ]
    insert_rows(tx, e, rows)


@dataclass(frozen=True, slots=True)
class Concerned:
    """Somebody whom a draft would concern. ``name`` is the published one, withheld or not."""

    registration_id: str
    practitioner_id: str
    number: str
    name: str | None
    withheld: bool
    told: dict[str, Any]
    sorted_by: str


def list_concerned(
    connection: Connection, draft_id: str, *, after: tuple[str, str] | None, limit: int
) -> Sequence[Concerned]:
    """A stretch of those whom a draft would concern, by name.

    :param after: what the last one seen is sorted by, and the registration.
    """
    r, p, n = tables.registrations, tables.practitioners, tables.practitioner_names
    current = and_(n.c.practitioner_id == p.c.id, n.c.kind == NameKind.PUBLISHED, n.c.ended_at.is_(None))
    family = func.coalesce(n.c.family, n.c.full_name, "")
    key = func.lower(family + " " + func.coalesce(n.c.given, ""))
    columns = (e.c.registration_id, p.c.id, r.c.number, n.c.full_name, p.c.withheld, e.c.document, key)
    statement = (
        select(*columns)
        .select_from(e)
        .join(r, r.c.id == e.c.registration_id)
        .join(p, p.c.id == r.c.practitioner_id)
        .join(n, current, isouter=True)
        .where(e.c.draft_id == draft_id)
    )
    if after is not None:
        beyond = (key > after[0]) | ((key == after[0]) & (e.c.registration_id > after[1]))
        statement = statement.where(beyond)
    rows = connection.execute(statement.order_by(key, e.c.registration_id).limit(limit))
    return [Concerned(*row[:5], json.loads(row[5]), row[6]) for row in rows]
