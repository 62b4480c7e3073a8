"""The types of events that can be subscribed to are those that the feed can tell of."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from registry.demo import load_demonstration
from registry.domain.webhooks import EVENT_TYPES
from registry.store import tables
from tests.support.factories import database

SERVICES = sorted(Path(__file__).parents[2].glob("registry/services/*.py"))


def named(source: str) -> set[str]:
    """The types that a module names, where it makes events or hands them to what does."""
    texts = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    subjects = {type_.partition(".")[0] for type_ in EVENT_TYPES}
    return {
        text
        for text in texts
        if isinstance(text, str)
        and text.partition(".")[0] in subjects
        and text.count(".") == 1
        and " " not in text
    }


def test_every_type_that_a_service_names_is_known():
    found = set().union(*(named(path.read_text()) for path in SERVICES))
    assert {"registration.renumbered", "body.rules_added", "practitioner.merged"} <= found
    assert found <= set(EVENT_TYPES)


def test_every_type_that_the_demonstration_tells_of_is_known(sqlite_url):
    with database(sqlite_url) as engine, engine.begin() as tx:
        load_demonstration(tx, at=datetime(2026, 3, 1, 18, tzinfo=UTC))
        told = set(tx.execute(select(tables.events.c.type).distinct()).scalars())
    assert len(told) > 10
    assert told <= set(EVENT_TYPES)
