"""The index of names: who is found by what, on both engines alike, and who must not be found."""

from __future__ import annotations

from itertools import islice
from random import Random
from threading import Thread

import pytest
from sqlalchemy import Connection, event, insert, select, text, update

from registry.domain.vocabulary import NameKind
from registry.store import search_tables, tables
from registry.store.entry_lists import entries_by_number, entries_of_people
from registry.store.name_lookup import Position, find_people, is_found_by, understand
from registry.store.search import differences, index_everyone, index_new_people, index_people
from tests.support.factories import AT, BY, database
from tests.support.searching import (
    CITIES,
    CLOSED_BODY,
    OPEN_BODY,
    Somebody,
    found,
    invented,
    mistyped,
    register_of,
)

PEOPLE = [
    Somebody("smith", "John Smith", city="Leeds"),
    Somebody("jon", "Jón Smíth", city="Leeds"),
    Somebody("jones", "Mary Ann Smith-Jones", former="Mary Brown", city="New York"),
    Somebody("obrien", "Seán O’Brien", city="York"),
    Somebody("sato", "佐藤 浩", city="京都"),
    Somebody("cruz", "José de la Cruz", code=CLOSED_BODY, former="José Vega"),
    Somebody("hart", "William Hart"),
    Somebody("initial", "J. Smith", city="Newark"),
    Somebody("wahine", "Ngā Wāhine Mānuka"),
    Somebody("hidden", "Greta Geheim", former="Greta Smith", withheld=True, city="Leeds"),
    Somebody("lukasz", "Łukasz Øster"),
    Somebody("ivanov", "Иван Иванов"),
    Somebody("doctor", "Dr. Hanna Lind, PT, DPT"),
    Somebody("one", "Madonna"),
]


@pytest.fixture
def register(database_url):
    with register_of(database_url, PEOPLE) as connection:
        yield connection


def ids(matches) -> list[str]:
    return [match.practitioner_id for match in matches]


TYPED = [
    ("john smith", "smith"),
    ("SMITH, John", "smith"),
    ("smith joh", "smith"),
    ("smi john", "smith"),
    ("smi joh", "smith"),
    ("jon smith", "jon"),
    ("smith jones", "jones"),
    ("jones mary", "jones"),
    ("smithjones", "jones"),
    ("mary ann smith-jones", "jones"),
    ("maryann smithjones", "jones"),
    ("OBrien", "obrien"),
    ("o'brien", "obrien"),
    ("O’BRIEN sean", "obrien"),
    ("o brien", "obrien"),
    ("brien", "obrien"),
    ("obr", "obrien"),
    ("delacruz", "cruz"),
    ("de la cruz", "cruz"),
    ("la cruz jose", "cruz"),
    ("佐藤", "sato"),
    ("佐藤浩", "sato"),
    ("浩佐藤", "sato"),
    ("hao zuoteng", "sato"),
    ("wahine manuka", "wahine"),
    ("Lukasz Oster", "lukasz"),
    ("ivan ivanov", "ivanov"),
    ("Иванов", "ivanov"),
    ("hanna lind", "doctor"),
    ("Lind Hanna DPT", "doctor"),
    ("madonna", "one"),
    ("bill hart", "hart"),
    ("w hart", "hart"),
    ("Wiliam Hart", "hart"),
    ("hatr", "hart"),
    ("hannalind", "doctor"),
    ("wlliam hrat", "hart"),
    ("madona", "one"),
    ("Mary Smith Jones Brown", "jones"),
]


def test_a_person_is_found_however_the_name_is_typed(register):
    answers = {typed: ids(found(register, typed))[:1] for typed, _ in TYPED}
    assert answers == {typed: [wanted] for typed, wanted in TYPED}


def test_what_is_no_name_finds_nobody(register):
    for typed in ("", "   ", "...", "\x00", "\ud800", "%", "_", "'; DROP TABLE bodies; --", "x" * 5000):
        asked = understand(register, typed, None)
        assert list(find_people(register, asked, Position(), body=None, size=5)) == [], typed


def test_whole_words_come_before_beginnings_and_these_before_errors(database_url):
    people = [
        Somebody("1", "Anna Smyth"),
        Somebody("2", "Zoe Smithson"),
        Somebody("3", "Zoe Smith"),
        Somebody("4", "Anna Smithers"),
    ]
    with register_of(database_url, people) as connection:
        assert ids(found(connection, "smith")) == ["3", "4", "2", "1"]


def test_everyone_is_found_once_however_many_of_their_words_fit(database_url):
    people = [Somebody("1", "Smith Smithson-Smithers"), Somebody("2", "Smit Smith")]
    with register_of(database_url, people) as connection:
        for typed in ("smi", "smith", "smit smith", "smith smi", "smi smit", "s smith"):
            assert len(ids(found(connection, typed))) == len(set(ids(found(connection, typed))))


def test_nobody_whose_record_is_withheld_is_found_by_name(register):
    for typed in ["greta geheim", "geheim", "greta smith", "gre", "grete geheim", "greta"]:
        assert "hidden" not in ids(found(register, typed)), typed
        assert is_found_by(register, understand(register, typed, None), "hidden") is None


def test_nobody_whose_record_is_withheld_is_found_in_a_city(register):
    assert set(ids(found(register, "", city="leeds"))) == {"smith", "jon"}


def test_a_record_is_found_again_when_it_is_no_longer_withheld_and_lost_when_it_is(register):
    for withheld in (False, True):
        p = tables.practitioners
        register.execute(update(p).where(p.c.id == "hidden").values(withheld=withheld))
        index_people(register, ["hidden"])
        assert (ids(found(register, "geheim")) == ["hidden"]) is not withheld


def test_a_former_name_is_found_only_where_a_body_publishes_it(register):
    assert ids(found(register, "mary brown")) == ["jones"]
    assert found(register, "brown")[0].by_former
    assert not found(register, "mary")[0].by_former
    assert "cruz" not in ids(found(register, "vega"))


def test_a_body_that_begins_to_publish_former_names_needs_no_new_index(register):
    b = tables.bodies
    register.execute(update(b).where(b.c.code == CLOSED_BODY).values(publishes_former_names=True))
    assert ids(found(register, "vega")) == ["cruz"]


def test_a_legal_name_finds_nobody(register):
    add_name(register, "hart", NameKind.LEGAL, "Wilhelm Herz")
    assert found(register, "herz", most=1) == []


def test_a_name_that_is_no_longer_in_use_finds_nobody_and_leaves_no_word_behind(register):
    n = tables.practitioner_names
    register.execute(update(n).where(n.c.practitioner_id == "one").values(ended_at=AT))
    add_name(register, "one", NameKind.PUBLISHED, "Louise Ciccone")
    assert ids(found(register, "louise")) == ["one"]
    assert found(register, "madonna") == []
    for table in (search_tables.name_words, search_tables.name_word_forms, search_tables.name_postings):
        assert register.execute(select(table.c.word).where(table.c.word == "madonna")).all() == []


def test_a_word_that_someone_else_bears_too_is_kept(register):
    p = tables.practitioners
    register.execute(update(p).where(p.c.id == "smith").values(withheld=True))
    index_people(register, ["smith"])
    assert ids(found(register, "smiht"))[:1] == ["initial"]


def test_who_was_merged_into_another_is_not_found_beside_them(register):
    p = tables.practitioners
    register.execute(update(p).where(p.c.id == "jon").values(merged_into="smith"))
    add_name(register, "smith", NameKind.FORMER, "Jón Smíth")
    index_people(register, ["jon"])
    assert ids(found(register, "jon smith"))[:1] == ["smith"]
    assert "jon" not in ids(found(register, "jon smith"))


IN_CITIES = [
    ("smith", "Leeds", {"smith", "jon"}),
    ("smi", "lee", {"smith", "jon"}),
    ("smith", "new", {"jones", "initial"}),
    ("smith", "New York", {"jones"}),
    ("smiht", "new york", {"jones"}),
    ("jones smi", "new", {"jones"}),
    ("sato", "kyoto", set()),
    ("佐藤", "京都", {"sato"}),
    ("", "new", {"jones", "initial"}),
    ("hart", "leeds", set()),
]


def test_a_city_or_its_beginning_narrows_a_name(register):
    for name, city, expected in IN_CITIES:
        assert set(ids(found(register, name, city=city))) == expected, (name, city)


def test_a_body_narrows_a_name(register):
    assert ids(found(register, "jose", body=CLOSED_BODY)) == ["cruz"]
    assert found(register, "jose", body=OPEN_BODY) == []


def test_many_new_people_are_indexed_as_each_would_be(database_url):
    people = [person for person in invented(200) if not person.former and not person.withheld]
    with register_of(database_url, people) as connection:
        one_by_one = index_of(connection)
        for table in reversed(ALL):
            connection.execute(table.delete())
        index_new_people(connection, ((person.id, [person.name]) for person in people))
        assert index_of(connection) == one_by_one
        assert list(differences(connection)) == []


def test_indexing_again_or_anew_changes_nothing(database_url):
    people = invented(60)
    with register_of(database_url, people) as connection:
        before = index_of(connection)
        index_people(connection, [person.id for person in people])
        assert index_of(connection) == before
        index_everyone(connection)
        assert index_of(connection) == before


def test_who_is_found_by_something_else_than_their_names_is_told(register):
    assert list(differences(register)) == []
    add_name(register, "hart", NameKind.FORMER, "William Hirsch", index=False)
    assert list(differences(register)) == ["hart"]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages_follow_each_other_without_gap_or_repetition(database_url, size):
    people = invented(250)
    chance = Random(5)  # noqa: S311 - for tests, no secrets
    with register_of(database_url, people) as connection:
        for typed in ["de", "so", "la", "an", *(chance.choice(people).name for _ in range(15))]:
            whole = ids(found(connection, typed, most=200, size=100))
            assert in_pages(connection, typed, size) == whole


def in_pages(connection: Connection, typed: str, size: int) -> list[str]:
    asked = understand(connection, typed, None)
    seen: list[str] = []
    reached = Position()
    while page := list(islice(find_people(connection, asked, reached, body=None, size=size + 1), size)):
        seen += ids(page)
        reached = page[-1].position
    return seen


def queries(people, count: int) -> list[tuple[str, str | None, str | None]]:
    """What people type: names whole, in part, in any order, mistyped, or of nobody; with a city or a body."""
    chance = Random(9)  # noqa: S311 - for tests, no secrets
    asked = []
    for _ in range(count):
        person, other = chance.choice(people), chance.choice(people)
        name = chance.choice((person.name, person.former or person.name))
        parts = name.split()
        typed = chance.choice(
            (
                name,
                " ".join(reversed(parts)),
                parts[-1],
                parts[-1][: chance.randint(2, 5)],
                f"{parts[0]} {parts[-1][:3]}",
                f"{parts[0][:2]} {parts[-1][:2]}",
                f"{parts[0][0]} {parts[-1]}",
                mistyped(chance, name),
                mistyped(chance, parts[-1]),
                mistyped(chance, mistyped(chance, name)),
                f"{parts[0]} {other.name.split()[-1]}",
            )
        )
        city = chance.choice(CITIES)[: chance.randint(2, 6)] if chance.random() < 0.2 else None
        body = chance.choice((OPEN_BODY, CLOSED_BODY)) if chance.random() < 0.2 else None
        asked.append((typed, city, body))
    return asked


def test_both_engines_find_the_same_people_in_the_same_order(sqlite_url, postgresql_url):
    people = invented(400, seed=3)
    with register_of(sqlite_url, people) as sqlite, register_of(postgresql_url, people) as postgresql:
        assert index_of(sqlite) == index_of(postgresql)
        for typed, city, body in queries(people, 2000):
            here = found(sqlite, typed, city=city, body=body, most=12, size=6)
            there = found(postgresql, typed, city=city, body=body, most=12, size=6)
            assert here == there, (typed, city, body)


def test_one_error_in_a_name_hides_hardly_anyone(database_url):
    chance = Random(2)  # noqa: S311 - for tests, no secrets
    people = [person for person in invented(400, seed=8) if not person.withheld]
    with register_of(database_url, people) as connection:
        asked = [(person.id, mistyped(chance, person.name)) for person in people]
        missed = [typed for id_, typed in asked if id_ not in ids(found(connection, typed, most=20))]
    assert len(missed) <= 0.01 * len(people), missed


def test_two_who_index_one_person_at_a_time_leave_what_the_later_saw(postgresql_url):
    with database(postgresql_url) as engine:
        with engine.begin() as tx:
            for table in (search_tables.name_postings, search_tables.searchable_people):
                tx.execute(table.delete())
            tx.execute(insert(tables.practitioners), [practitioner("p")])
            add_name(tx, "p", NameKind.PUBLISHED, "Ann Early")
        with engine.connect() as first:
            first.begin()
            add_name(first, "p", NameKind.FORMER, "Ann Former")
            second = Thread(target=add_former_and_commit, args=(engine,))
            second.start()
            second.join(0.3)
            assert second.is_alive()
            first.commit()
        second.join(10)
        with engine.connect() as reader:
            assert list(differences(reader)) == []
            kept = reader.execute(text("SELECT former FROM searchable_people")).scalar_one()
            assert "former" in kept
            assert "older" in kept


def add_former_and_commit(engine) -> None:
    with engine.begin() as tx:
        add_name(tx, "p", NameKind.FORMER, "Ann Older")


ALL = (
    search_tables.searchable_people,
    search_tables.name_postings,
    search_tables.name_words,
    search_tables.name_word_forms,
)


def index_of(connection: Connection) -> list[list[tuple]]:
    return [sorted(tuple(row) for row in connection.execute(table.select())) for table in ALL]


def practitioner(id_: str) -> dict:
    return {"id": id_, "version": 1, "withheld": False, "languages": "[]", "created_at": AT}


def add_name(tx: Connection, person: str, kind: NameKind, name: str, *, index: bool = True) -> None:
    row = {"id": f"{kind}-{name}", "practitioner_id": person, "kind": kind, "full_name": name}
    tx.execute(insert(tables.practitioner_names), [{**row, "recorded_at": AT, "recorded_by": BY}])
    if index:
        index_people(tx, [person])


def test_postgresql_can_read_all_that_a_search_reads_by_an_index(postgresql_url):
    """One side of a comparison in another collation than the other would keep it from doing so."""
    plans: list[str] = []
    with register_of(postgresql_url, PEOPLE) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked = [
            (str(statement), parameters)
            for statement, parameters in statements_of(connection, "john smiht", "leeds")
        ]
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars()
            plans += [line for line in plan if "Seq Scan" in line]
    assert len(asked) >= 4
    assert plans == []


def statements_of(connection: Connection, name: str, city: str) -> list[tuple]:
    """What is sent to the database to find someone and to read their entries."""
    sent: list[tuple] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        sent.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    people = [*ids(found(connection, name, city=city)), *ids(found(connection, "smi"))]
    entries_of_people(connection, people)
    entries_by_number(connection, "7")
    event.remove(connection, "before_cursor_execute", note)
    return sent
