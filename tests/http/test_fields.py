"""The house fields take what they say and nothing else."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import marshmallow as ma
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.domain.vocabulary import Technique
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Hours,
    HttpsAddress,
    Id,
    Instant,
    Integer,
    Jurisdiction,
    LanguageTag,
    List,
    Nested,
    QuerySchema,
    RegistrationNumber,
    RequestSchema,
    ResponseSchema,
    SetOf,
    Text,
    TimeZone,
    Word,
)


def load(field: ma.fields.Field[Any], value: object, base: type[ma.Schema] = RequestSchema) -> Any:
    return schema_of(field, base)().load({"value": value})["value"]


def refusal(field: ma.fields.Field[Any], value: object, base: type[ma.Schema] = RequestSchema) -> str:
    with pytest.raises(ma.ValidationError) as refused:
        load(field, value, base)
    message: Any = refused.value.messages
    while not isinstance(message, str):
        message = next(iter(message.values())) if isinstance(message, dict) else message[0]
    return message


def schema_of(field: ma.fields.Field[Any], base: type[ma.Schema] = RequestSchema) -> type[ma.Schema]:
    return type("AnySchema", (base,), {"value": field})


# Some of the cases of JSON-Schema-Test-Suite (MIT), optional/format/date.json, date-time.json, uuid.json.
@pytest.mark.parametrize("text", ["1963-06-19", "2020-01-31", "2020-02-29", "2021-02-28", "2200-12-31"])
def test_a_day_is_read(text: str) -> None:
    assert load(Date(), text) == date.fromisoformat(text)


@pytest.mark.parametrize(
    "value",
    [
        *("2020-01-32", "2021-02-29", "2020-04-31", "1998-13-01", "2024-00-15", "2024-01-00", "2100-02-29"),
        *(
            "06/19/1963",
            "2013-350",
            "1998-1-20",
            "1998-01-1",
            "20230328",
            "2023-W01",
            "2023-W13-2",
            "2022W527",
        ),
        *(
            "1963-06-1\u09ea",
            "\u09e8020-01-01",
            "2020-01-01\x00",
            "2020-01-01\n",
            " 2024-01-15",
            "2024-01-15 ",
        ),
        *("", "2020-01-01Z", "12020-01-01", "+2020-01-01", "-2020-01-01", "2020\u201301\u201301"),
        *("1899-12-31", "2201-01-01", "0001-01-01", "9999-12-31", 20200101, 2020.5, None, True, [], {}),
        "2020-11-28T23:55:45Z",
    ],
)
def test_what_is_no_day_is_refused_with_what_would_be_one(value: object) -> None:
    assert "a day as YYYY-MM-DD, from 1900-01-01 to 2200-12-31" in refusal(Date(), value)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1963-06-19T08:30:06.283185Z", datetime(1963, 6, 19, 8, 30, 6, 283185, UTC)),
        ("1963-06-19t08:30:06.283185z", datetime(1963, 6, 19, 8, 30, 6, 283185, UTC)),
        ("1937-01-01T12:00:27.87+00:20", datetime(1937, 1, 1, 11, 40, 27, 870000, UTC)),
        ("1990-12-31T15:59:50.123-08:00", datetime(1990, 12, 31, 23, 59, 50, 123000, UTC)),
        ("1998-12-31T23:59:60Z", datetime(1999, 1, 1, tzinfo=UTC)),
        ("1998-12-31T15:59:60.123-08:00", datetime(1999, 1, 1, tzinfo=UTC)),
        ("1985-04-12T00:59:59.999999999999999Z", datetime(1985, 4, 12, 0, 59, 59, 999999, UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, instant: datetime) -> None:
    assert load(Instant(), text) == instant
    assert load(Instant(), text).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        *("1998-12-31T23:59:61Z", "1998-12-31T23:58:60Z", "1998-12-31T22:59:60Z", "1990-02-31T15:59:59Z"),
        *("1990-12-31T15:59:59-24:00", "1990-12-31T24:00:00Z", "1990-12-31T15:60:00Z", "1990-12-31"),
        *(
            "1990-12-31T10:00:00+10:60",
            "06/19/1963 08:30:06 PST",
            "2013-350T01:01:01Z",
            "1985-04-12T23:20:50Z\n",
        ),
        *(
            "1963-6-19T08:30:06Z",
            "1963-06-1\u09eaT00:00:00Z",
            "1985-04-12T23:20:50+01",
            "1985-04-12T23:20:50",
        ),
        *("2026-01-01T00:00:00 01:00", "2026-01-01 00:00:00Z", "1899-12-31T23:59:59Z", 0, None),
    ],
)
def test_what_is_no_instant_is_refused_with_what_would_be_one(value: object) -> None:
    assert "an instant with its offset from UTC" in refusal(Instant(), value)


@given(st.dates(date(1900, 1, 2), date(2200, 12, 30)), st.times(), st.timezones())
def test_an_instant_is_written_as_it_is_read(day: date, time: time, zone: ZoneInfo) -> None:
    instant = datetime.combine(day, time, zone)
    written = schema_of(Instant(), ResponseSchema)().dump({"value": instant})["value"]
    assert written.endswith("Z")
    assert load(Instant(), written) == instant.astimezone(UTC)


@pytest.mark.parametrize(
    "text", ["2EB8AA08-AA98-11EA-B4AA-73B441D16380", "01890a5d-ac96-774b-bcce-b302099a8057"]
)
def test_an_identifier_is_read_in_lower_case(text: str) -> None:
    assert load(Id(), text) == text.lower()


@pytest.mark.parametrize(
    "value",
    [
        *("2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa9811eab4aa73b441d16380", "", 5, None),
        *("urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380", "\u09e8eb8aa08-aa98-11ea-b4aa-73b441d16380"),
        *("2eb8aa08-aa98-11ea-b4aa-73b441d16380\n", "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}"),
    ],
)
def test_what_is_no_identifier_is_refused(value: object) -> None:
    assert "an identifier such as" in refusal(Id(), value)


@pytest.mark.parametrize(
    "text",
    [
        "O'Brien",
        "O\u2019Brien",
        "Zo\u00eb",
        "Đorđević",
        "\u6bdb\u5229",
        "\U0001f489",
        "مريم",
        "a\u200db",
        "<script>",
    ],
)
def test_text_of_people_is_taken_as_it_is(text: str) -> None:
    assert load(Text(), text) == text


@given(st.text(max_size=200))
def test_text_is_taken_or_refused_but_never_breaks(text: str) -> None:
    try:
        taken = load(Text(200), text)
    except ma.ValidationError:
        assert not text or text.isspace() or any(unicodedata.category(c) == "Cc" for c in text)
    else:
        assert taken == unicodedata.normalize("NFC", text)
        taken.encode()


@pytest.mark.parametrize(
    "value", ["a\x00b", "a\nb", "a\tb", "\x7f", "a\x85b", "\ud800", "", "  ", "\u2003", 5, [], None]
)
def test_what_is_no_line_of_text_is_refused(value: object) -> None:
    assert "one line of text of at most 200 characters" in refusal(Text(), value)


def test_a_refused_control_character_is_named() -> None:
    assert "U+0000" in refusal(Text(), "a\x00b")


def test_text_that_is_too_long_is_refused_with_its_length() -> None:
    assert "This has 11 characters" in refusal(Text(10), "a" * 11)
    assert load(Text(10), "a" * 10) == "a" * 10


def test_text_is_kept_composed() -> None:
    assert load(Text(), "Zoe\u0308") == "Zo\u00eb"


def test_text_of_several_lines_has_line_feeds_and_no_other_controls() -> None:
    assert load(Text(lines=True), "one\r\ntwo\nthree") == "one\ntwo\nthree"
    assert "U+000D" in refusal(Text(lines=True), "one\rtwo")


@pytest.mark.parametrize("value", [5.5, "5", True, None, float("nan"), float("inf"), -1, 11, 2**70, 1e300])
def test_a_number_in_json_is_a_number(value: object) -> None:
    assert "a whole number from 0 to 10" in refusal(Integer(0, 10), value)


@pytest.mark.parametrize("value", [5, 5.0])
def test_a_whole_number_is_read(value: object) -> None:
    assert load(Integer(), value) == 5


@pytest.mark.parametrize("value", ["5.0", "", " 5", "5 ", "+5", "0x5", "\u0665", "1e1", "5_0", "9" * 5000])
def test_a_number_in_a_query_is_its_digits(value: str) -> None:
    assert load(Integer(), "5", QuerySchema) == 5
    assert load(Integer(-9), "-5", QuerySchema) == -5
    refusal(Integer(), value, QuerySchema)


def test_true_and_false_are_booleans_in_json_and_words_in_a_query() -> None:
    assert load(Flag(), True) is True
    assert load(Flag(), "false", QuerySchema) is False
    for value in ("true", "yes", 1, 0, None):
        assert "true or false" in refusal(Flag(), value)
    for value in ("True", "yes", "1", ""):
        refusal(Flag(), value, QuerySchema)


@pytest.mark.parametrize("value", [0, 0.25, 27.5, 10_000, 3.0])
def test_hours_are_quarters(value: float) -> None:
    assert load(Hours(), value) == value


@pytest.mark.parametrize(
    "value", [0.1, -0.25, 10_000.25, float("nan"), float("inf"), True, "1", None, 10**400]
)
def test_what_are_no_hours_is_refused(value: object) -> None:
    assert "hours in quarters" in refusal(Hours(), value)


def test_a_word_is_of_its_vocabulary() -> None:
    assert load(Word(Technique), "acupuncture") is Technique.ACUPUNCTURE
    assert "one of dry_needling, intramuscular" in refusal(Word(Technique), "Acupuncture")
    assert refusal(Word(Technique, {Technique.ACUPUNCTURE}), "dry_needling") == "Give one of acupuncture."
    assert refusal(Word(Technique), ["acupuncture"])


def test_a_set_holds_each_once() -> None:
    assert load(SetOf(Word(Technique)), ["acupuncture", "dry_needling"]) == {
        Technique.ACUPUNCTURE,
        Technique.DRY_NEEDLING,
    }
    assert refusal(SetOf(Word(Technique)), ["acupuncture", "acupuncture"]) == "Give each only once."
    assert "Give one of" in refusal(SetOf(Word(Technique)), ["acupuncture", "x"])
    assert refusal(SetOf(Word(Technique), least=1), []) == "Give 1 to 1,000 of them."
    assert refusal(SetOf(Word(Technique)), "acupuncture") == "Give a list."


def test_a_set_is_written_in_order() -> None:
    dumped = schema_of(SetOf(Word(Technique)), ResponseSchema)().dump({"value": frozenset(Technique)})
    assert dumped["value"] == sorted(Technique)


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        (BodyCode(), ["ca-on", "a", "x" * 32], ["CA-ON", "-a", "a-", "a_b", "", "x" * 33, "ca-on\n", "é"]),
        (Jurisdiction(), ["NZ", "CA-ON", "GB-ENG"], ["nz", "CAN", "CA-", "CA-ONTA", "", "CA-ON\n", 5]),
        (LanguageTag(), ["fr", "pt-BR", "zh-Hant-TW", "es-419"], ["FR", "french", "pt_BR", "", "fr-"]),
        (
            HttpsAddress(),
            ["https://www.example.org", "https://a.example/x?y=%20z", "https://a.example:8443/"],
            [
                *("http://a.example", "https://user@a.example/", "https://a", "https://a.example/\n", ""),
                *("https://a.example/ x", "javascript:alert(1)", "https://[::1]/", "https://a.example/\x00"),
                *(
                    "https://a..example/",
                    "https://" + "a" * 64 + ".example",
                    "https://a.example/" + "x" * 500,
                ),
            ],
        ),
        (
            TimeZone(),
            ["Pacific/Auckland", "UTC"],
            ["EST5EDT", "localtime", "pacific/auckland", "", "../x", "\x00"],
        ),
        (
            RegistrationNumber(),
            ["PT-10442", "PT 104/42", "Å1", "7"],
            ["", " 1", "1 ", "-", "..", "a\nb", "a\x00", "1" * 41, "a\u200bb", 5],
        ),
    ],
)
def test_a_field_takes_its_shape_alone(field: Any, right: list[str], wrong: list[object]) -> None:
    for text in right:
        assert load(field, text) == text
    for value in wrong:
        assert field.wanted in refusal(field, value)


class Colour(StrEnum):
    RED = "red"


class PointSchema(RequestSchema):
    x = Integer(required=True)
    colour = Word(Colour)


def test_what_is_missing_null_or_unknown_is_told_with_what_would_be_right() -> None:
    with pytest.raises(ma.ValidationError) as refused:
        PointSchema().load({"colour": None, "y": 1})
    assert refused.value.messages == {
        "x": ["This is required: give a whole number from 0 to 9007199254740991."],
        "colour": ["This cannot be null: give one of red."],
        "y": ["There is no such member. Known are: colour, x."],
    }


@pytest.mark.parametrize("document", [None, 5, "x", [], [{"x": 1}]])
def test_a_body_that_is_no_object_is_refused(document: Any) -> None:
    with pytest.raises(ma.ValidationError) as refused:
        PointSchema().load(document)
    assert refused.value.messages == {"_schema": ["Send a JSON object."]}


def test_objects_within_tell_the_same() -> None:
    assert refusal(Nested(PointSchema), 5) == "Send a JSON object."
    assert "a whole number" in refusal(List(Nested(PointSchema)), [{"x": "1"}])


def test_an_answer_has_every_member() -> None:
    assert schema_of(Date(allow_none=True), ResponseSchema)().fields["value"].required
