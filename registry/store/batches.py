"""What answers a batch of questions: one statement, in the order of the questions, a part at a time."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from . import documents
from .ready_answers import PRINT_LENGTH

AT_A_TIME = 500
"""Rows that are in memory at once."""

ID_LENGTH = 36
_BODY, _NUMBER = PRINT_LENGTH + 1, PRINT_LENGTH + ID_LENGTH + 1

# The entry itself is read only where nothing is ready, or what is ready was made by other rules.
_WANTED = """\
SELECT e.answers,
       CASE WHEN e.answers IS NULL OR substr(e.answers, 1, {print}) <> substr(q.value, 1, {print})
            THEN e.document END AS document
"""
_JOINED = {
    "sqlite": """\
FROM json_each(:asked) AS q
LEFT JOIN entries AS e
       ON e.body_id = substr(q.value, {body}, {id}) AND e.number_key = substr(q.value, {number})
""",
    # LATERAL with OFFSET holds the planner to the index: it must not hash a million entries for a batch.
    "postgresql": """\
FROM json_array_elements_text(CAST(:asked AS json)) WITH ORDINALITY AS q (value, place)
LEFT JOIN LATERAL (
    SELECT answers, document FROM entries
    WHERE body_id = substr(q.value, {body}, {id}) AND number_key = substr(q.value, {number})
    OFFSET 0
) AS e ON true
""",
}
STATEMENTS = {
    dialect: text((_WANTED + joined).format(print=PRINT_LENGTH, id=ID_LENGTH, body=_BODY, number=_NUMBER))
    for dialect, joined in _JOINED.items()
}
"""A loop over the questions on the outside, and a look-up by index within, keeps their order."""


def key_of(rules_print: str, body_id: str, number_key: str) -> str:
    """What a registration is looked up by, and the print of the rules that its answers must be made by."""
    return f"{rules_print}{body_id}{number_key}"


def entries_in_order(connection: Connection, keys: Sequence[str]) -> Iterator[str | None]:
    """For each key (with no print), in order, the entry; ``None`` where there is none."""
    for row in kept_answers(connection, [f"{'':{PRINT_LENGTH}}{key}" for key in keys]):
        yield row.document


def kept_answers(connection: Connection, keys: Sequence[str]) -> Generator[Row[Any]]:
    """For each key, in order, the ready answers and, where they are not to be believed, the entry.

    To be closed before the connection, unless all are taken.
    """
    if not keys:
        return
    options = {"stream_results": True, "yield_per": AT_A_TIME}
    statement = STATEMENTS[connection.dialect.name]
    asked = {"asked": documents.dump(keys)}
    with connection.execute(statement, asked, execution_options=options) as rows:
        for part in rows.partitions(AT_A_TIME):
            yield from part
