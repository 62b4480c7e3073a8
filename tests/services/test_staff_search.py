"""Finding people as staff do, on both engines: by whatever name, and nobody of other bodies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from registry.domain.vocabulary import NameKind
from registry.errors import Invalid
from registry.services.merges import merge_people
from registry.services.people import PersonChange, change_person, get_person
from registry.services.staff_search import find_people
from registry.store.people import NewName
from tests.support.factories import database, make_body, make_person, make_registration

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
ME = "registrar:me"


@pytest.fixture
def tx(database_url):
    with database(database_url) as engine, engine.begin() as made:
        yield made


@pytest.fixture
def body(tx):
    return make_body(tx)


@pytest.fixture
def names(tx, body):
    def found(asked, *, of=body, by=ME):
        body_id, code = (None, None) if of is None else (of.id, of.code)
        hits = find_people(tx, asked, body_id=body_id, body_code=code, by=by, at=NOW)
        return {hit.person.names[0].full_name for hit in hits.people}

    return found


def test_people_are_found_by_every_name_that_they_have_or_had(tx, body, names):
    person = make_person(tx, "Ana Lee", legal="Anastasia Brontë", former=("Ana Castillo",))
    make_registration(tx, body, person, number="PT-1")
    kept = [NewName(NameKind.PUBLISHED, "Ana Roy"), NewName(NameKind.LEGAL, "Anastasia Brontë")]
    change_person(tx, get_person(tx, person.id), PersonChange(names=kept), by="t", at=NOW)
    for asked in ("ana roy", "ROY", "bronte", "castillo", "lee", "ana c", "pt-1", "P T-1"):
        assert len(names(asked)) == 1, asked
    assert names("zebra") == set()


def test_withheld_people_are_found_by_their_body(tx, body, names):
    make_registration(tx, body, make_person(tx, "Hana Hidden", withheld=True), number="PT-2")
    assert names("hidden") == names("PT-2") == {"Hana Hidden"}


def test_nobody_of_another_body_is_found_but_by_operators(tx, body, names):
    other = make_body(tx, "ca-yy")
    make_registration(tx, other, make_person(tx, "Ola Other", legal="Olympia Other"), number="X-1")
    make_registration(tx, other, make_person(tx, "Wim Other", withheld=True), number="X-2")
    for asked in ("other", "olympia", "wim", "X-1", "X-2"):
        assert names(asked) == set(), asked
        assert names(asked, of=other), asked
        assert names(asked, of=None) == names(asked, of=other), asked


def test_who_is_registered_nowhere_is_found_by_who_took_them_in(tx, body, names):
    make_person(tx, "New Comer", legal="Newton Comer", by=ME)
    make_person(tx, "Shy Comer", withheld=True, by=ME)
    assert names("comer") == {"New Comer", "Shy Comer"}
    assert names("newton") == {"New Comer"}
    assert names("comer", by="registrar:other") == names("newton", by="registrar:other") == set()
    assert names("comer", of=None) == {"New Comer", "Shy Comer"}


def test_a_merged_record_is_found_as_the_one_that_is_kept(tx, body, names):
    kept, twice = make_person(tx, "Ana Lee"), make_person(tx, "Ana Lee-Roy", legal="Annika Lee")
    for person in (kept, twice):
        make_registration(tx, body, person)
    merge_people(tx, get_person(tx, kept.id), twice.id, reason="One.", by="t", at=NOW)
    assert names("lee-roy") == names("annika") == {"Ana Lee"}


@pytest.mark.parametrize("asked", ["", " ", "a", "  a "])
def test_too_little_is_refused(names, asked):
    with pytest.raises(Invalid):
        names(asked)
