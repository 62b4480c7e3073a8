"""What answers a batch of questions: one statement, in the order of the questions, a part of them at a time.

A part is one row with one text. SQLite's driver lets other threads go on at every row, and may get its turn
back only 5 ms later: row by row, two batches at once in a process would take many times as long.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from sqlalchemy import Connection, text

from . import documents
from .ready_answers import PRINT_LENGTH

AT_A_TIME = 500
"""Questions in a part: what is in memory at once."""

BETWEEN, INSTEAD = "\x1e", "\x1f"
"""What stands between two answers, and before an entry that stands for its answers; neither holds such."""

ID_LENGTH = 36
_PRINT, _BODY, _NUMBER = (
    f"1, {PRINT_LENGTH}",
    f"{PRINT_LENGTH + 1}, {ID_LENGTH}",
    f"{PRINT_LENGTH + ID_LENGTH + 1}",
)
"""Where in a key the print, the body and the number are."""

# The entry itself is read only where nothing is ready, or what is ready was made by other rules.
_WANTED = f"""\
CASE WHEN substr(e.answers, {_PRINT}) = substr(q.value, {_PRINT}) THEN e.answers
     ELSE coalesce({{char}}(31) || e.document, '') END"""
_ASKED = f"body_id = substr(q.value, {_BODY}) AND number_key = substr(q.value, {_NUMBER})"

# A loop over the questions on the outside, and a look-up by index within, keeps their order.
_STATEMENTS = {
    # The index holds the answers, too: the rows, which are five times as wide, are let be.
    "sqlite": """\
SELECT (SELECT group_concat({wanted}, char(30))
        FROM json_each(part.value) AS q
        LEFT JOIN entries AS e INDEXED BY ix_entries_body_id_number_key_answers ON {asked})
FROM json_each(:parts) AS part""",
    # LATERAL with OFFSET holds the planner to the index: it must not hash a million entries for a batch.
    "postgresql": """\
SELECT (SELECT string_agg({wanted}, chr(30) ORDER BY q.place)
        FROM json_array_elements_text(CAST(part.value AS json)) WITH ORDINALITY AS q (value, place)
        LEFT JOIN LATERAL (SELECT answers, document FROM entries WHERE {asked} OFFSET 0) AS e ON true)
FROM unnest(CAST(:parts AS text[])) WITH ORDINALITY AS part (value, place)
ORDER BY part.place""",
}
_CHAR = {"sqlite": "char", "postgresql": "chr"}
STATEMENTS = {
    dialect: text(statement.format(wanted=_WANTED.format(char=_CHAR[dialect]), asked=_ASKED))
    for dialect, statement in _STATEMENTS.items()
}


def key_of(rules_print: str, body_id: str, number_key: str) -> str:
    """What a registration is looked up by, and the print of the rules that its answers must be made by."""
    return f"{rules_print}{body_id}{number_key}"


def entries_in_order(connection: Connection, keys: Sequence[str]) -> Iterator[str | None]:
    """For each key (with no print), in order, the entry; ``None`` where there is none."""
    for found in kept_answers(connection, [f"{'':{PRINT_LENGTH}}{key}" for key in keys]):
        yield found[1:] or None


def kept_answers(connection: Connection, keys: Sequence[str]) -> Generator[str]:
    """What is kept for each key, in order: answers; after :data:`INSTEAD` an entry; nothing.

    To be closed before the connection, unless all are taken.
    """
    if not keys:
        return
    parts = [keys[start : start + AT_A_TIME] for start in range(0, len(keys), AT_A_TIME)]
    sqlite = connection.dialect.name == "sqlite"
    given = documents.dump(parts) if sqlite else list(map(documents.dump, parts))
    statement, options = STATEMENTS[connection.dialect.name], {"stream_results": True, "yield_per": 1}
    with connection.execute(statement, {"parts": given}, execution_options=options) as rows:
        for part, (found,) in zip(parts, rows, strict=True):
            answers = found.split(BETWEEN)
            if len(answers) != len(part):
                raise AssertionError("each key has an answer of its own")
            yield from answers
