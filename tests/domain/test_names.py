"""Names and numbers fold to the forms in which they are compared, whatever is thrown at them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.names import (
    LONGEST_TEXT,
    LONGEST_WORD,
    MOST_READINGS,
    MOST_WORDS,
    adjoined,
    city_key,
    fold,
    number_key,
    one_deletions,
    readings,
    splits,
    tokens,
    words,
)

anything = st.text(st.characters(), max_size=80)
"""Any code point, lone surrogates and NUL included."""

plain_words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("  Ana   María ", "ana maria"),
        ("ŁUKASZ", "lukasz"),
        ("Søren Ærø", "soren aero"),
        ("Straße", "strasse"),
        ("Guðrún Þórsdóttir", "gudrun thorsdottir"),
        ("Iğdır", "igdir"),  # noqa: RUF001 - the letter without a dot is the point
        ("İpek", "ipek"),
        ("Đorđević", "dordevic"),
        ("Ngā Wāhine o Māngere", "nga wahine o mangere"),
        ("Œuvrard", "oeuvrard"),
        ("Marcel·lí", "marcelli"),
        ("Nguyễn Thị Hằng", "nguyen thi hang"),
        ("Smith-Jones", "smith jones"),
        ("ＦＵＬＬ　ｗｉｄｔｈ", "full width"),  # noqa: RUF001 - look-alikes are the point
        ("Žižek\u200d", "zizek"),
        ("Ольга Ёлкина", "ольга елкина"),
        ("ガブリエル", "ガブリエル"),
        ("निर्भय", "निर्भय"),
        ("علی", "علي"),
        ("\ud800\udfff\x00", ""),
        ("...", ""),
    ],
)
def test_what_people_leave_out_or_cannot_type_is_folded_away(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize("apostrophe", ["'", "’", "‘", "ʻ", "ʼ", "`", "´", "＇", ""])  # noqa: RUF001 - look-alikes are the point
def test_an_apostrophe_of_any_shape_or_none_is_the_same_name(apostrophe: str) -> None:
    assert fold(f"O{apostrophe}Brien") == "obrien"
    assert tokens(f"o{apostrophe}brien") == ("obrien",)
    assert "obrien" in words(f"Seán O{apostrophe}Brien")


@pytest.mark.parametrize(
    ("name", "found_by"),
    [
        ("Mary Smith-Jones", {"mary", "smith", "jones", "smithjones"}),
        ("Seán O’Brien", {"sean", "obrien", "brien"}),
        ("Sean O Brien", {"sean", "o", "brien", "obrien"}),
        ("Ann Mc Donald", {"ann", "mc", "donald", "mcdonald"}),
        ("José de la Cruz", {"jose", "de", "la", "cruz", "delacruz", "lacruz"}),
        ("浩 佐藤", {"浩", "佐藤", "浩佐藤", "佐藤浩"}),
        ("Madonna", {"madonna"}),
        ("Smith, John", {"smith", "john"}),
        ('William "Bill" Hart', {"william", "bill", "hart"}),
    ],
)
def test_a_name_is_found_by_its_words_and_by_what_they_may_be_taken_for(
    name: str, found_by: set[str]
) -> None:
    assert set(words(name)) == found_by


@pytest.mark.parametrize(
    "name",
    [
        "John Smith Jr",
        "John Smith, Jr.",
        "Dr John Smith",
        "DR. JOHN SMITH III",
        "John Smith, PT, DPT",
        "John Smith PhD",
        "John Smith Ph.D.",
        "Prof. John Smith, M.Sc., FCAMPT",
    ],
)
def test_titles_suffixes_and_degrees_do_not_hinder(name: str) -> None:
    assert words(name) == ("john", "smith")
    assert tokens(name) == ("john", "smith")


@pytest.mark.parametrize(("name", "kept"), [("Dr", ("dr",)), ("Md", ("md",)), ("Iv", ("iv",))])
def test_a_name_of_nothing_but_such_words_keeps_them(name: str, kept: tuple[str, ...]) -> None:
    assert words(name) == kept


def test_initials_with_dots_are_no_suffix() -> None:
    assert words("J.R. Tolkien") == ("j", "r", "tolkien")


def test_everything_that_may_be_joined_is_joined_in_one_reading() -> None:
    assert ("ann", "mcdonald", "smithjones") in readings("Ann Mc Donald Smith-Jones")


@given(anything)
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(anything)
def test_folded_text_can_be_stored_and_is_no_longer_than_it_may_be(text: str) -> None:
    folded = fold(text * 20)
    folded.encode("utf-8")
    assert len(folded) <= LONGEST_TEXT
    assert "\x00" not in folded
    assert folded == " ".join(folded.split())


@given(anything)
def test_accents_that_are_composed_or_not_are_the_same(text: str) -> None:
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text))


@given(anything)
def test_no_text_has_more_words_or_readings_or_longer_ones_than_bounded(text: str) -> None:
    found = readings(text * 5)
    assert len(found) <= MOST_READINGS
    assert all(1 <= len(reading) <= MOST_WORDS for reading in found)
    assert all(0 < len(word) <= LONGEST_WORD for word in words(text))
    assert all(len(set(reading)) == len(reading) for reading in found)


@given(anything)
def test_what_is_typed_as_the_name_is_written_is_among_its_words(text: str) -> None:
    assert set(tokens(text)) <= set(words(text))


@given(st.lists(plain_words, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_words_does_not_matter(parts: list[str], chance) -> None:
    shuffled = chance.sample(parts, len(parts))
    assert set(tokens(" ".join(parts))) == set(tokens(" ".join(shuffled)))


@given(
    plain_words,
    st.integers(0, 11),
    st.sampled_from("abcxyz"),
    st.sampled_from(["drop", "add", "other", "swap"]),
)
def test_words_one_error_apart_have_a_form_in_common(word: str, at: int, letter: str, error: str) -> None:
    at %= len(word)
    wrong = {
        "drop": word[:at] + word[at + 1 :],
        "add": word[:at] + letter + word[at:],
        "other": word[:at] + letter + word[at + 1 :],
        "swap": word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    }[error]
    if len(word) > 1:
        assert {word, *one_deletions(word)} & {wrong, *one_deletions(wrong)}


@given(anything)
def test_a_word_has_no_more_forms_than_letters(word: str) -> None:
    assert len(one_deletions(word)) <= min(len(word), LONGEST_WORD)
    assert "" not in one_deletions(word)


def test_a_space_too_many_or_too_few_can_be_undone() -> None:
    assert list(adjoined(("mc", "don", "ald"))) == [("mcdon", "ald"), ("mc", "donald")]
    assert list(splits("maryann")) == [("ma", "ryann"), ("mar", "yann"), ("mary", "ann"), ("marya", "nn")]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (" pt 00 12 ", "PT0012"),
        ("pt-0012", "PT-0012"),
        ("PT–0012", "PT-0012"),
        ("PT.0012", "PT.0012"),
        ("PT0012", "PT0012"),
        ("０12", "012"),  # noqa: RUF001 - the wide digit is the point
        ("12\u200b\u00a034", "1234"),
        ("straße", "STRASSE"),
        ("\ud800", ""),
    ],
)
def test_a_number_is_compared_without_spaces_in_capital_letters(written: str, key: str) -> None:
    assert number_key(written) == key


def test_numbers_that_bodies_tell_apart_stay_apart() -> None:
    numbers = ["PT12", "PT-12", "PT.12", "PT012", "PT/12", "P-T12"]
    assert len({number_key(number) for number in numbers}) == len(numbers)


@given(anything)
def test_the_key_of_a_key_is_the_key(number: str) -> None:
    key = number_key(number)
    assert number_key(key) == key
    key.encode("utf-8")


@pytest.mark.parametrize("city", ["St. John’s", "ST JOHNS", "st  john's"])
def test_a_city_is_compared_as_a_name_is(city: str) -> None:
    assert city_key(city) == "st johns"
