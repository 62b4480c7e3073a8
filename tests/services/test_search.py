"""Searching practitioners in public: what narrows a search, what it shows, and what it must not reveal."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from registry.domain.vocabulary import DecisionKind, NameKind, Technique
from registry.errors import Invalid
from registry.services import people
from registry.services.merges import merge_people
from registry.services.people import PersonChange, change_person
from registry.services.registrations import correct
from registry.services.search import MOST_EXAMINED, Wanted, search
from registry.store.people import NewName
from tests.support.factories import (
    AT,
    BY,
    database,
    decide,
    make_authorization,
    make_body,
    make_person,
    make_registration,
    void,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def tx(database_url):
    with database(database_url) as engine, engine.begin() as made:
        yield made


@pytest.fixture
def college(tx):
    return make_body(tx, "ca-one", publishes_former_names=True)


@pytest.fixture
def other(tx):
    return make_body(tx, "ca-two", zone="Pacific/Auckland", publishes_former_names=False)


def names(tx, at=NOW, limit=20, **wanted) -> list[str | None]:
    return [person.name for person in search(tx, Wanted(**wanted), at=at, limit=limit).people]


def refused(tx, **wanted) -> str:
    with pytest.raises(Invalid) as refusal:
        search(tx, Wanted(**wanted), at=NOW)
    (problem,) = refusal.value.problems
    return problem["parameter"]


def test_what_is_found_tells_the_registrations_apart(tx, college, other):
    person = make_person(tx, "Hēmi Ngata")
    make_registration(tx, college, person, number="A1", city="Edmonton")
    make_registration(tx, other, person, number="B2", city="Ōtaki", register_class="provisional")
    (found,) = search(tx, Wanted(name="ngata hemi"), at=NOW).people
    assert (found.id, found.name, found.withheld) == (person.id, "Hēmi Ngata", False)
    assert [(e.body.code, e.number, e.city) for e in found.entries] == [
        ("ca-one", "A1", "Edmonton"),
        ("ca-two", "B2", "Ōtaki"),
    ]
    assert [e.registration.scope and e.registration.scope.register_class for e in found.entries] == [
        "general",
        "provisional",
    ]
    assert found.entries[0].body.publishes_former_names is True


def test_who_was_registered_by_mistake_alone_is_not_found(tx, college):
    record = make_registration(tx, college, make_person(tx, "Ann Lee"), number="1")
    assert names(tx, name="ann lee") == ["Ann Lee"]
    void(tx, record, record.decisions[0].decision.id)
    assert names(tx, name="ann lee") == []


def test_two_people_of_one_name_are_both_shown(tx, college):
    for number in ("1", "2"):
        make_registration(tx, college, make_person(tx, "Ann Lee"), number=number)
    assert names(tx, name="ann lee") == ["Ann Lee", "Ann Lee"]


def test_a_search_needs_something_to_begin_with(tx):
    assert refused(tx) == "name"
    assert refused(tx, technique=Technique.DRY_NEEDLING, authorized=True) == "name"


@pytest.mark.parametrize("name", ["", "a", " é ", "-'.", "\x00", "\ud800", "%%%"])
def test_a_name_of_less_than_two_letters_is_refused(tx, name):
    assert refused(tx, name=name) == "name"


def test_a_city_of_less_than_two_letters_and_a_number_of_none_are_refused(tx):
    assert refused(tx, city="L") == "city"
    assert refused(tx, number=" ") == "number"


def test_a_body_that_is_not_kept_is_refused(tx):
    assert refused(tx, name="smith", body="ca-nowhere") == "body"


def test_a_person_without_a_registration_is_not_shown(tx, college):
    make_person(tx, "Ida Idle")
    assert names(tx, name="idle") == []


def test_a_city_narrows_to_the_registrations_there(tx, college, other):
    person = make_person(tx, "Ann Lee")
    make_registration(tx, college, person, city="New York")
    make_registration(tx, other, person, city="Newark")
    (found,) = search(tx, Wanted(name="lee", city="new y"), at=NOW).people
    assert [entry.city for entry in found.entries] == ["New York"]
    (found,) = search(tx, Wanted(city="NEW"), at=NOW).people
    assert [entry.city for entry in found.entries] == ["New York", "Newark"]
    assert names(tx, name="lee", city="york") == []


def test_a_corrected_city_is_where_a_person_is_found(tx, college):
    record = make_registration(tx, college, make_person(tx, "Ann Lee"), city="Leeds")
    correct(tx, record, number=None, city="York", by=BY, at=AT)
    assert names(tx, name="lee", city="york") == ["Ann Lee"]
    assert names(tx, name="lee", city="leeds") == []
    assert names(tx, city="leeds") == []


def test_all_that_is_asked_must_hold_of_one_registration(tx, college, other):
    person = make_person(tx, "Ann Lee")
    make_registration(tx, college, person, city="Leeds")
    make_registration(tx, other, person, city="York")
    assert names(tx, name="lee", body="ca-one", city="leeds") == ["Ann Lee"]
    assert names(tx, name="lee", body="ca-two", city="leeds") == []


def test_a_number_finds_its_holder_with_each_body(tx, college, other):
    make_registration(tx, college, make_person(tx, "Ann Lee"), number="PT 7")
    make_registration(tx, other, make_person(tx, "Bea Lee"), number="pt7")
    assert names(tx, number=" pt7 ") == ["Ann Lee", "Bea Lee"]
    assert names(tx, number="PT7", body="ca-two") == ["Bea Lee"]
    assert names(tx, number="PT7", name="bea") == ["Bea Lee"]
    assert names(tx, number="PT-7") == []


def test_a_technique_narrows_to_who_has_an_authorization_that_covers_it(tx, college):
    record = make_registration(tx, college, make_person(tx, "Ann Lee"))
    make_registration(tx, college, make_person(tx, "Bea Lee"))
    make_authorization(tx, record, through=date(2025, 12, 31))
    assert names(tx, name="lee", technique=Technique.DRY_NEEDLING) == ["Ann Lee"]
    assert names(tx, name="lee", technique=Technique.ACUPUNCTURE) == []


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 6, 30, 11, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 6, 30, 12, 0, 0, tzinfo=UTC), False),
    ],
)
def test_authorized_means_on_the_bodys_own_day(tx, other, at, shown):
    """In Auckland, twelve hours ahead in June, the last day is over at noon UTC."""
    record = make_registration(tx, other, make_person(tx, "Ann Lee"))
    make_authorization(tx, record, through=date(2026, 6, 30))
    assert names(tx, at=at, name="lee", authorized=True) == (["Ann Lee"] if shown else [])


def test_authorized_on_a_day_that_is_asked_for(tx, college):
    record = make_registration(tx, college, make_person(tx, "Ann Lee"))
    make_authorization(tx, record, through=date(2026, 6, 30))
    asked = {"name": "lee", "technique": Technique.DRY_NEEDLING, "authorized": True}
    assert names(tx, on=date(2026, 6, 30), **asked) == ["Ann Lee"]
    assert names(tx, on=date(2026, 7, 1), **asked) == []


def test_an_authorization_on_a_suspended_registration_authorizes_nobody(tx, college):
    record, _ = make_authorization(tx, make_registration(tx, college, make_person(tx, "Ann Lee")))
    decide(tx, record, DecisionKind.SUSPENDED, date(2026, 5, 1), reason="inquiry")
    assert names(tx, name="lee", authorized=True) == []
    assert names(tx, name="lee", technique=Technique.DRY_NEEDLING) == ["Ann Lee"]


def test_who_is_withheld_is_found_by_number_without_a_name_and_in_no_other_way(tx, college):
    person = make_person(tx, "Greta Geheim", withheld=True, former=["Greta Lee"])
    make_registration(tx, college, person, number="9", city="Leeds")
    (found,) = search(tx, Wanted(number="9"), at=NOW).people
    assert (found.name, found.withheld, found.entries[0].city) == (None, True, None)
    for asked in ({"name": "geheim"}, {"name": "greta lee"}, {"city": "leeds"}):
        assert names(tx, **asked) == []
        assert names(tx, number="9", **asked) == []


def test_a_former_name_shows_the_registrations_of_bodies_that_publish_it_alone(tx, college, other):
    person = make_person(tx, "Ann Smith", former=["Ann Jones"])
    make_registration(tx, college, person)
    make_registration(tx, other, person)
    (found,) = search(tx, Wanted(name="jones"), at=NOW).people
    assert [entry.body.code for entry in found.entries] == ["ca-one"]
    (found,) = search(tx, Wanted(name="smith"), at=NOW).people
    assert [entry.body.code for entry in found.entries] == ["ca-one", "ca-two"]
    assert names(tx, name="jones", body="ca-two") == []


def test_a_former_name_is_no_answer_about_a_number_of_a_body_that_does_not_publish_it(tx, college, other):
    person = make_person(tx, "Ann Smith", former=["Ann Jones"])
    make_registration(tx, other, person, number="5")
    assert names(tx, number="5", name="jones") == []
    assert names(tx, number="5", name="ann smith") == ["Ann Smith"]


def test_a_changed_name_is_found_as_it_is_now(tx, college):
    person = make_person(tx, "Ann Smith")
    make_registration(tx, college, person)
    person = people.get_person(tx, person.id)
    change = PersonChange(names=[NewName(NameKind.PUBLISHED, "Ann Jones")])
    change_person(tx, person, change, by=BY, at=AT)
    assert names(tx, name="jones") == ["Ann Jones"]
    assert names(tx, name="smith") == []


def test_who_was_merged_is_found_as_the_one_who_was_kept(tx, college):
    kept, double = make_person(tx, "Ann Smith"), make_person(tx, "Anne Smyth")
    for person in (kept, double):
        make_registration(tx, college, person)
    merge_people(tx, people.get_person(tx, kept.id), double.id, reason="the same", by=BY, at=AT)
    for name in ("ann smith", "anne smyth"):
        (found,) = search(tx, Wanted(name=name), at=NOW).people
        assert (found.id, len(found.entries)) == (kept.id, 2)


def test_pages_follow_each_other(tx, college):
    for given in ("Ana", "Bea", "Cleo", "Dora", "Edda"):
        make_registration(tx, college, make_person(tx, f"{given} Lee"))
    seen: list[str | None] = []
    page = None
    for _ in range(3):
        page = search(tx, Wanted(name="lee"), at=NOW, limit=2, after=(page and page.after) or ())
        seen += [person.name for person in page.people]
    assert seen == ["Ana Lee", "Bea Lee", "Cleo Lee", "Dora Lee", "Edda Lee"]
    assert page is not None
    assert page.after is None


def test_a_page_ends_where_it_would_cost_too_much_and_the_next_goes_on(tx, college, monkeypatch):
    monkeypatch.setattr("registry.services.search.MOST_EXAMINED", 4)
    monkeypatch.setattr("registry.services.search.AT_ONCE", 2)
    assert MOST_EXAMINED > 4
    records = [make_registration(tx, college, make_person(tx, f"Ann{letter} Lee")) for letter in "abcdefghi"]
    make_authorization(tx, records[-1])
    asked = Wanted(name="lee", authorized=True)
    pages = [search(tx, asked, at=NOW, limit=1)]
    while pages[-1].after is not None:
        pages.append(search(tx, asked, at=NOW, limit=1, after=pages[-1].after))
    assert len(pages) > 2
    assert [person.name for page in pages for person in page.people] == ["Anni Lee"]


@pytest.mark.parametrize(
    "after",
    [
        (0, "lee", "ann", "x"),
        (0, "lee", "ann\x00", "x", 0),
        (0, "lee", "\ud800", "x", 0),
        (0, "lee", "ann", "x", 2**70),
        ("0", "lee", "ann", "x", 0),
    ],
)
def test_what_is_no_position_is_refused(tx, after):
    with pytest.raises(Invalid):
        search(tx, Wanted(name="lee"), at=NOW, after=after)


@pytest.mark.parametrize("after", [(-5, "", "", "", -1), (10**9, "z", "z", "z", 1), (0, "zz", "aa", "0", 0)])
def test_a_position_where_nobody_stands_is_gone_on_from(tx, college, after):
    make_registration(tx, college, make_person(tx, "Ann Lee"))
    search(tx, Wanted(name="lee"), at=NOW, after=after)
