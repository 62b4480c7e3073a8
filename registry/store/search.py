"""What people are found by, kept in step with their names.

Call :func:`index_people` in every transaction that changes a person's published or former names, whether
they are withheld, into whom they are merged, or the body or city of one of their registrations. It reads
the facts, and writes only what differs.

A withheld person, and one who was merged into another, is under no word at all. Legal names are never here.
Words that only former names add are kept apart; see :mod:`.name_lookup` for who may find anyone by them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from registry.domain import names
from registry.domain.name_search import BODY, CITY, body_mark, city_mark, places
from registry.domain.vocabulary import NameKind

from .transliteration import in_every_script

MANY = 1000
"""People who are read and written together."""

UNUSED_WORDS_LOCK = 0x6E61_6D65
"""Advisory lock (PostgreSQL), shared by those who may use a word and taken alone to drop unused ones."""

Words = tuple[str, ...]
Posting = tuple[str, str, str, int, int, str]
POSTING = ("word", "second", "practitioner_id", "former", "leads", "others")


class FoundBy(NamedTuple):
    """What one person is found by, as it is kept.

    :param words: the readings of the published name: words with spaces between, readings with ``|``.
    :param former: those of the published and the former names together; empty where these add nothing.
    :param marks: of cities and bodies.
    """

    words: str = ""
    former: str = ""
    marks: str = ""

    @classmethod
    def of(cls, published: Iterable[str], former: Iterable[str], marks: Iterable[str]) -> FoundBy:
        """From names and marks as they are; nothing where there is no published name."""
        in_use = [reading for name in published for reading in _readings(name)]
        if not in_use:
            return cls()
        before = [reading for name in former for reading in _readings(name)]
        both = [names.distinct((*in_use[:1], *before)), *in_use, *before] if before else []
        return cls(_kept(in_use), _kept(both), " ".join(sorted(set(marks))))

    def postings(self, practitioner_id: str) -> Iterator[Posting]:
        """The rows under which the person is found."""
        marks = tuple(self.marks.split())
        for former, kept in enumerate((self.words, self.former)):
            if kept:
                for word, second, leads, others in places(read_back(kept), marks):
                    yield word, second, practitioner_id, former, int(leads), others


def _readings(name: str) -> tuple[Words, ...]:
    readings = names.readings(name)
    return readings if name.isascii() else in_every_script(readings)


def _kept(readings: Sequence[Words]) -> str:
    return "|".join(dict.fromkeys(map(" ".join, readings)))


def read_back(kept: str) -> list[Words]:
    """Readings as they were."""
    return [tuple(reading.split(" ")) for reading in kept.split("|") if reading]


def index_people(tx: Connection, ids: Iterable[str]) -> None:
    """Bring up to date what these people are found by."""
    waiting = iter(sorted(set(ids)))
    while chunk := list(islice(waiting, MANY)):
        _index(tx, chunk)


def index_new_people(tx: Connection, people: Iterable[tuple[str, Sequence[str]]]) -> None:
    """The same for many people who were never indexed, as an import brings them.

    Their registrations must have been written. Whoever has former names, or is withheld, is for
    :func:`index_people`.

    :param people: identifiers, each with the published names.
    """
    waiting = iter(people)
    while chunk := dict(islice(waiting, MANY)):
        marks = _marks(tx, list(chunk))
        found = {id_: FoundBy.of(names, (), marks.get(id_, ())) for id_, names in chunk.items()}
        _share_words(tx)
        rows = [(id_, *by) for id_, by in found.items()]
        _insert(tx, "searchable_people", ("practitioner_id", "words", "former", "marks"), rows)
        _add_postings(tx, [row for id_, by in found.items() for row in by.postings(id_)])


def index_everyone(tx: Connection) -> None:
    """Index the whole register, after a change of how names are folded; empties the index first."""
    for table in ("name_postings", "name_word_forms", "name_words", "searchable_people"):
        tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names of this module's own
    after = ""
    page = text("SELECT id FROM practitioners WHERE id > :after ORDER BY id LIMIT :many")
    while ids := tx.execute(page, {"after": after, "many": MANY}).scalars().all():
        _index(tx, ids)
        after = ids[-1]


def differences(connection: Connection) -> Iterator[str]:
    """The identifiers of people who are found by something else than their names."""
    after = ""
    page = text("SELECT id FROM practitioners WHERE id > :after ORDER BY id LIMIT :many")
    while ids := connection.execute(page, {"after": after, "many": MANY}).scalars().all():
        wanted, kept = _wanted(connection, ids), _kept_of(connection, ids)
        yield from (id_ for id_ in ids if wanted[id_] != kept.get(id_, FoundBy()))
        after = ids[-1]


def listed(connection: Connection) -> str:
    """SQL for the texts in the JSON array ``:listed``, as a subquery."""
    if connection.dialect.name == "sqlite":
        return "SELECT value FROM json_each(:listed)"
    return "SELECT json_array_elements_text(CAST(:listed AS json))"


def as_list(texts: Iterable[str]) -> dict[str, Any]:
    """The parameter that :func:`listed` reads."""
    return {"listed": json.dumps(list(texts))}


def _index(tx: Connection, ids: Sequence[str]) -> None:
    _claim(tx, ids)
    kept, wanted = _kept_of(tx, ids), _wanted(tx, ids)
    changed = [id_ for id_ in ids if wanted[id_] != kept[id_]]
    if not changed:
        return
    _share_words(tx)
    before = {row for id_ in changed for row in kept[id_].postings(id_)}
    after = {row for id_ in changed for row in wanted[id_].postings(id_)}
    _update_people(tx, {id_: wanted[id_] for id_ in changed})
    _delete_postings(tx, before - after)
    _add_postings(tx, after - before)
    _drop_unused_words(tx, {row[0] for row in before} - {row[0] for row in after})


def _claim(tx: Connection, ids: Sequence[str]) -> None:
    """Let nobody else index these people until this transaction ends; who waited reads what is new."""
    missing = f"SELECT id, '', '', '' FROM practitioners WHERE id IN ({listed(tx)}) ORDER BY id"  # noqa: S608 - no input
    into = "INSERT INTO searchable_people (practitioner_id, words, former, marks) "
    tx.execute(text(f"{into}{missing} ON CONFLICT DO NOTHING"), as_list(ids))
    if tx.dialect.name == "postgresql":
        held = f"SELECT 1 FROM searchable_people WHERE practitioner_id IN ({listed(tx)})"  # noqa: S608 - no input
        tx.execute(text(f"{held} ORDER BY practitioner_id FOR UPDATE"), as_list(ids)).all()


def _kept_of(connection: Connection, ids: Sequence[str]) -> dict[str, FoundBy]:
    people = "SELECT practitioner_id, words, former, marks FROM searchable_people"
    statement = f"{people} WHERE practitioner_id IN ({listed(connection)})"
    rows = connection.execute(text(statement), as_list(ids))
    return {id_: FoundBy(*by) for id_, *by in rows}


def _wanted(connection: Connection, ids: Sequence[str]) -> dict[str, FoundBy]:
    """What people are to be found by, according to the facts."""
    statement = (
        "SELECT n.practitioner_id, n.kind, n.full_name FROM practitioners p"  # noqa: S608 - no input
        " JOIN practitioner_names n ON n.practitioner_id = p.id AND n.ended_at IS NULL"
        # Not "IS NULL": SQLite would take that for the narrowest index, and go through everyone.
        f" WHERE p.id IN ({listed(connection)}) AND NOT p.withheld AND COALESCE(p.merged_into, '') = ''"
        " AND (n.kind <> 'former' OR COALESCE(p.shows_former_names, TRUE))"
        " ORDER BY n.id"
    )
    called: dict[str, dict[str, list[str]]] = {id_: {kind: [] for kind in NameKind} for id_ in ids}
    for row in connection.execute(text(statement), as_list(ids)):
        called[row.practitioner_id][row.kind].append(row.full_name)
    marks = _marks(connection, ids)
    return {
        id_: FoundBy.of(by_kind[NameKind.PUBLISHED], by_kind[NameKind.FORMER], marks.get(id_, ()))
        for id_, by_kind in called.items()
    }


def _marks(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    statement = (
        "SELECT r.practitioner_id, r.city, b.code FROM registrations r JOIN bodies b ON b.id = r.body_id"  # noqa: S608 - no input
        f" WHERE r.practitioner_id IN ({listed(connection)})"
    )
    found: dict[str, list[str]] = {}
    for id_, city, code in connection.execute(text(statement), as_list(ids)):
        found.setdefault(id_, []).extend(_marks_of(city, code))
    return found


@lru_cache(maxsize=4096)
def _marks_of(city: str | None, code: str) -> Words:
    return tuple(filter(None, (city_mark(names.city_key(city or "")), body_mark(code))))


def _update_people(tx: Connection, wanted: Mapping[str, FoundBy]) -> None:
    statement = "UPDATE searchable_people SET words = :words, former = :former, marks = :marks"
    rows = [
        {"words": by.words, "former": by.former, "marks": by.marks, "id": id_} for id_, by in wanted.items()
    ]
    tx.execute(text(f"{statement} WHERE practitioner_id = :id"), rows)


def _delete_postings(tx: Connection, rows: Iterable[Posting]) -> None:
    statement = "DELETE FROM name_postings WHERE word = :word AND second = :second"
    keys = [dict(zip(POSTING, row, strict=True)) for row in sorted(rows)]
    if keys:
        tx.execute(text(f"{statement} AND practitioner_id = :practitioner_id AND former = :former"), keys)


def _add_postings(tx: Connection, rows: Iterable[Posting]) -> None:
    rows = sorted(rows)
    _insert(tx, "name_postings", POSTING, rows)
    new = _unknown_words(tx, list(dict.fromkeys(row[0] for row in rows)))
    _insert(tx, "name_words", ("word",), [(word,) for word in new])
    forms = [
        (form, word) for word in new if _is_corrected(word) for form in (word, *names.one_deletions(word))
    ]
    _insert(tx, "name_word_forms", ("form", "word"), sorted(forms))


def _is_corrected(word: str) -> bool:
    return word[0] not in (CITY, BODY) and len(word) >= names.SHORTEST_CORRECTED - 1


def _unknown_words(tx: Connection, words: Sequence[str]) -> list[str]:
    known = f"SELECT DISTINCT word FROM name_words WHERE word IN ({listed(tx)})"  # noqa: S608 - no input
    found = set(tx.execute(text(known), as_list(words)).scalars())
    return [word for word in words if word not in found]


def _share_words(tx: Connection) -> None:
    """Let nobody drop a word as unused that this transaction is about to use."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": UNUSED_WORDS_LOCK})


def _drop_unused_words(tx: Connection, words: Iterable[str]) -> None:
    """Forget words that nobody bears any more, unless someone else is writing words at this moment."""
    if tx.dialect.name == "postgresql":
        taken = tx.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": UNUSED_WORDS_LOCK})
        if not taken.scalar_one():
            return
    used = f"SELECT DISTINCT word FROM name_postings WHERE word IN ({listed(tx)})"  # noqa: S608 - no input
    words = set(words)
    unused = words - set(tx.execute(text(used), as_list(words)).scalars())
    if unused:
        forms = {form for word in unused for form in (word, *names.one_deletions(word))}
        both = f"DELETE FROM name_word_forms WHERE form IN ({listed(tx)}) AND word = :word"  # noqa: S608 - no input
        for word in unused:
            tx.execute(text(both), {**as_list(forms), "word": word})
        tx.execute(text(f"DELETE FROM name_words WHERE word IN ({listed(tx)})"), as_list(unused))  # noqa: S608 - no input


def _insert(tx: Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Write many rows the quickest way that each engine has."""
    if not rows:
        return
    if tx.dialect.name == "sqlite":
        values = ", ".join("?" * len(columns))
        tx.exec_driver_sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})", list(rows))  # noqa: S608 - no input
        return
    driver: Any = tx.connection.cursor()
    with driver as cursor, cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
