"""The statements of the search by name, in the words of each engine."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import TextClause, text

_VISIBLE = """(p.former = 0 OR (
    SELECT 1 FROM entries e JOIN bodies b ON b.id = e.body_id
    WHERE e.practitioner_id = p.practitioner_id AND b.publishes_former_names LIMIT 1) = 1)"""
"""Not EXISTS: PostgreSQL would answer that from a hash of every entry there is."""

_SQLITE = """
SELECT s.value ->> 0, (
    SELECT json_group_array(json_array(
        q.word, q.second, q.practitioner_id, q.former, sp.words, sp.former, sp.marks))
    FROM (
        SELECT p.word, p.second, p.practitioner_id, p.former FROM name_postings p
        WHERE p.word = s.value ->> 1 AND p.second >= s.value ->> 2 AND p.second <= s.value ->> 3
        AND (p.second, p.practitioner_id, p.former) > (s.value ->> 5, s.value ->> 6, s.value ->> 7)
        AND p.leads >= s.value ->> 4 {others} AND {visible}
        ORDER BY p.second, p.practitioner_id, p.former LIMIT :size
    ) q CROSS JOIN searchable_people sp ON sp.practitioner_id = q.practitioner_id)
FROM json_each(:stretches) s
"""

_POSTGRESQL = """
SELECT s.n, q.word, q.second, q.practitioner_id, q.former, sp.words, sp.former, sp.marks
FROM unnest({arrays}) WITH ORDINALITY AS s (word, low, high, leads, second, id, former{names}, n)
CROSS JOIN LATERAL (
    SELECT p.word, p.second, p.practitioner_id, p.former FROM name_postings p
    WHERE p.word = s.word AND p.second >= s.low AND p.second <= s.high
    AND (p.second, p.practitioner_id, p.former) > (s.second, s.id, s.former)
    AND p.leads >= s.leads {others} AND {visible}
    ORDER BY p.second, p.practitioner_id, p.former LIMIT :size
) q JOIN searchable_people sp ON sp.practitioner_id = q.practitioner_id
ORDER BY s.n, q.second, q.practitioner_id, q.former
"""

_RANGE = """
SELECT q.word, q.second, q.practitioner_id, q.former, sp.words, sp.former, sp.marks
FROM (
    SELECT p.word, p.second, p.practitioner_id, p.former FROM name_postings p
    WHERE p.word >= :word AND p.word <= :last_word AND p.leads = 1
    AND (p.word, p.second, p.practitioner_id, p.former) > (:word, :second, :id, :former)
    {others} AND {visible}
    ORDER BY p.word, p.second, p.practitioner_id, p.former LIMIT :size
) q JOIN searchable_people sp ON sp.practitioner_id = q.practitioner_id
ORDER BY q.word, q.second, q.practitioner_id, q.former
"""


@lru_cache(maxsize=16)
def sqlite_stretches(conditions: int) -> TextClause:
    """The rows of each stretch of the JSON array ``:stretches``, as JSON; with so many texts to be held."""
    others = "".join(f" AND instr(p.others, s.value ->> {8 + i}) > 0" for i in range(conditions))
    return text(_SQLITE.format(others=others, visible=_VISIBLE))


@lru_cache(maxsize=16)
def postgresql_stretches(conditions: int) -> TextClause:
    """The rows of each stretch, given by arrays ``:column0`` and on; with so many texts to be held."""
    types = ("text", "text", "text", "smallint", "text", "text", "smallint", *["text"] * conditions)
    arrays = ", ".join(f"CAST(:column{i} AS {type_}[])" for i, type_ in enumerate(types))
    names_ = "".join(f", other{i}" for i in range(conditions))
    others = "".join(f" AND strpos(p.others, s.other{i}) > 0" for i in range(conditions))
    return text(_POSTGRESQL.format(arrays=arrays, names=names_, others=others, visible=_VISIBLE))


@lru_cache(maxsize=64)
def word_range(engine: str, conditions: int) -> TextClause:
    """The places that lead, from one word to another; with so many texts to be held."""
    position = "instr" if engine == "sqlite" else "strpos"
    others = "".join(f" AND {position}(p.others, :other{i}) > 0" for i in range(conditions))
    return text(_RANGE.format(others=others, visible=_VISIBLE))


FOUND_BY = text("SELECT words, former, marks FROM searchable_people WHERE practitioner_id = :id")

WORDS_FROM = text(
    "SELECT DISTINCT word FROM name_words WHERE word >= :low AND word <= :high ORDER BY word LIMIT :most"
)


@lru_cache(maxsize=32)
def words_like(forms: str, begun: int) -> TextClause:
    """Words that have one of the ``forms`` (SQL) as 0, and those within each pair of bounds as 1 and on."""
    parts = [f"SELECT DISTINCT 0 AS n, word FROM name_word_forms WHERE form IN ({forms})"]  # noqa: S608 - no input
    for i in range(begun):
        words = f"SELECT DISTINCT word FROM name_words WHERE word >= :low{i} AND word <= :high{i}"  # noqa: S608 - no input
        parts.append(f"SELECT {i + 1}, word FROM ({words} ORDER BY word LIMIT :most) b{i}")  # noqa: S608 - no input
    return text(" UNION ALL ".join(parts))
