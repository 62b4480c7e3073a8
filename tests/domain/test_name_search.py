"""Places and stages: wherever a name is looked up from, the person stands there, and once."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.name_search import (
    NameQuery,
    Place,
    Stage,
    beginning,
    body_mark,
    city_mark,
    last_stages,
    longer,
    one_of,
    places,
    stages_of_one_word,
    sure_stages,
    unsure_stages,
)
from registry.domain.names import readings

MARKS = (city_mark("new york"), body_mark("ca-xx"))
a_word = st.text("abcde", min_size=1, max_size=5)
a_name = st.lists(a_word, min_size=1, max_size=4, unique=True).map(tuple)


def nobody(_: str) -> tuple[str, ...]:
    return ()


def stages_of(query: NameQuery, **known) -> list[Stage]:
    corrections = {word: known.get(word, ()) for word in query.typed}
    return [*sure_stages(query, nobody), *unsure_stages(query, corrections, corrections)]


def is_found(name: str, *typed: str, **known) -> bool:
    person = places(readings(name), MARKS)
    return any(stage.first_of(person) for stage in stages_of(NameQuery(typed), **known))


def test_each_two_words_are_a_place_in_either_order():
    assert places([("ana", "lee")]) == [Place("ana", "lee", True, " "), Place("lee", "ana", True, " ")]


def test_a_place_tells_what_else_the_person_is_called_and_where_they_are():
    found = places([("ana", "bea", "lee")], MARKS)
    assert Place("lee", "ana", True, " bea @new-york #ca-xx ") in found
    assert Place("lee", "bea", False, " ana @new-york #ca-xx ") in found
    assert Place("@new-york", "lee", False, " ana bea @new-york #ca-xx ") in found


def test_a_single_word_is_a_place_too():
    assert places([("madonna",)]) == [Place("madonna", "", True, " ")]


def test_words_that_no_reading_holds_together_share_no_place():
    pairs = {
        (place.word, place.second) for place in places([("ann", "smith", "jones"), ("ann", "smithjones")])
    }
    assert ("smithjones", "ann") in pairs
    assert ("smithjones", "smith") not in pairs


@given(st.lists(a_name, min_size=1, max_size=3))
def test_every_word_leads_at_one_place_and_no_place_is_there_twice(several):
    found = places(several, MARKS)
    words = {word for reading in several for word in reading}
    assert sorted(place.word for place in found if place.leads and place.word[0] != "@") == sorted(words)
    assert len({(place.word, place.second) for place in found}) == len(found)


@given(a_name)
def test_every_part_of_a_name_in_any_order_finds_it_among_what_is_sure(name):
    person = places([name], MARKS)
    for length in range(1, len(name) + 1):
        for typed in permutations(name, length):
            assert any(stage.first_of(person) for stage in sure_stages(NameQuery(typed), nobody)), typed


@given(a_name, st.integers(1, 4))
def test_every_part_of_a_name_is_found_with_the_city(name, letters):
    person = places([name], MARKS)
    query = NameQuery(tuple(word[:letters] for word in name[:1]), cities=("@new", "@new-york"))
    assert any(stage.first_of(person) for stage in sure_stages(query, nobody))
    assert not any(
        stage.first_of(person) for stage in sure_stages(NameQuery(name[:1], cities=("@leeds",)), nobody)
    )


@given(a_name, a_name)
def test_there_are_as_many_stages_whatever_words_are_known(name, known):
    """Its number stands in cursors, and must not shift with what is taken into the register meanwhile."""
    query = NameQuery(name)
    assert len(stages_of(query)) == len(stages_of(query, **{name[0]: known}))


@pytest.mark.parametrize(
    ("name", "typed", "known"),
    [
        ("William Hart", ("hart", "wi"), {}),
        ("William Hart", ("w", "hart"), {}),
        ("W. Hart", ("william", "hart"), {}),
        ("William Hart", ("will", "ha"), {"will": ("william",)}),
        ("William Hart", ("wiliam", "hart"), {"wiliam": ("william",)}),
        ("William Hart", ("williamhart",), {}),
        ("Mary Ann Hart", ("maryann", "hart"), {}),
        ("Maryann Hart", ("mary", "ann", "hart"), {}),
        ("Sean O'Brien", ("o", "brien"), {}),
        ("Mary Ann Smith-Jones", ("jones", "smith", "mary"), {}),
        ("Mary Ann Smith-Jones", ("jones", "smith", "mry"), {"mry": ("mary",)}),
    ],
)
def test_beginnings_initials_errors_and_spaces_are_forgiven(name, typed, known):
    assert is_found(name, *typed, **known)


@pytest.mark.parametrize(
    "typed", [("william", "smith"), ("hart", "john"), ("illiam",), ("william", "hart", "jr", "x")]
)
def test_who_is_called_otherwise_is_not_found(typed):
    assert not is_found("William Hart", *typed)


def test_other_names_of_a_name_are_looked_for_beside_another_word():
    person = places([("william", "hart")])

    def other_names(word: str) -> tuple[str, ...]:
        return ("william",) if word == "bill" else ()

    assert any(stage.first_of(person) for stage in sure_stages(NameQuery(("bill", "hart")), other_names))
    assert not any(stage.first_of(person) for stage in sure_stages(NameQuery(("bill",)), other_names))


def test_two_errors_are_forgiven_last():
    person = places([("william", "hart")])
    query = NameQuery(("wiliam", "hatr"))
    known = {"wiliam": ("william",), "hatr": ("hart",)}
    assert not any(stage.first_of(person) for stage in stages_of(query, **known))
    assert any(stage.first_of(person) for stage in last_stages(query, known))


def test_one_word_of_several_is_enough_for_those_who_resemble():
    person = places([("william", "hart")])
    assert any(stage.first_of(person) for stage in stages_of_one_word(NameQuery(("hart", "zoe")), {}))
    assert list(stages_of_one_word(NameQuery(("hart",)), {})) == []


@given(a_word, a_word)
def test_a_choice_holds_what_its_stretches_hold(start, word):
    for choice in (one_of([start]), beginning(start), longer(start)):
        assert (word in choice) is any(low <= word <= high for low, high in choice.stretches())


@given(a_word, a_word)
def test_a_beginning_is_the_word_itself_or_a_longer_one(start, word):
    assert (word in beginning(start)) is word.startswith(start)
    assert (word in longer(start)) is (word.startswith(start) and word != start)
