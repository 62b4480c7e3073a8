"""Regulatory bodies and the versions of their rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from registry.clock import new_id
from registry.domain.rules import BodyRules
from registry.errors import Stale

from . import documents, tables
from .records import Body, body_of
from .standing import body_document


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """One version of a body's rules, with who recorded it and why."""

    id: str
    rules: BodyRules
    recorded_by: str
    reason: str | None


def list_bodies(connection: Connection) -> list[Body]:
    """Every body, by code."""
    return [body_of(row) for row in connection.execute(select(tables.bodies).order_by(tables.bodies.c.code))]


def insert_body(tx: Connection, values: Mapping[str, Any], at: datetime) -> str:
    """Write a body that has no rules yet.

    :param values: the columns that an operator chooses.
    """
    id_ = new_id()
    row = {"id": id_, "version": 1, "document": body_document([]), "created_at": at, **values}
    tx.execute(insert(tables.bodies), [row])
    return id_


def change_body(tx: Connection, body: Body, values: Mapping[str, Any]) -> None:
    """Change a body's row, unless someone else did since it was read.

    :raises registry.errors.Stale: someone did.
    """
    b = tables.bodies
    same = (b.c.id == body.id) & (b.c.version == body.version)
    if tx.execute(update(b).where(same).values(version=b.c.version + 1, **values)).rowcount != 1:
        raise Stale("This body was changed by someone else in the meantime; read it again.")


def insert_rules(tx: Connection, body: Body, rules: BodyRules, by: str, reason: str | None) -> RulesVersion:
    """Append a version of a body's rules; its ``recorded_at`` is made later than that of every other."""
    r = tables.body_rules
    latest = tx.execute(select(func.max(r.c.recorded_at)).where(r.c.body_id == body.id)).scalar_one()
    if latest is not None and latest >= rules.recorded_at:
        rules = replace(rules, recorded_at=latest + timedelta(microseconds=1))
    id_ = new_id()
    row = {
        "id": id_,
        "body_id": body.id,
        "holds_from": rules.holds_from,
        "document": documents.dump(documents.rules_document(rules)),
        "recorded_at": rules.recorded_at,
        "recorded_by": by,
        "reason": reason,
    }
    tx.execute(insert(r), [row])
    change_body(tx, body, {"document": body_document(_texts(tx, body.id))})
    return RulesVersion(id_, rules, by, reason)


def _texts(connection: Connection, body_id: str) -> list[str]:
    r = tables.body_rules
    statement = select(r.c.document).where(r.c.body_id == body_id).order_by(r.c.recorded_at)
    return list(connection.execute(statement).scalars())


def list_rules(connection: Connection, body_id: str) -> list[RulesVersion]:
    """Every version of a body's rules, in the order in which they were recorded."""
    r = tables.body_rules
    rows = connection.execute(select(r).where(r.c.body_id == body_id).order_by(r.c.recorded_at))
    return [
        RulesVersion(row.id, documents.rules_of(json.loads(row.document)), row.recorded_by, row.reason)
        for row in rows
    ]
