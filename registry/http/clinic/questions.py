"""Reading questions: quickly what is plainly right, by the schema all else, each wrong one on its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from io import BytesIO
from itertools import islice
from typing import Any

from flask import request
from marshmallow import ValidationError

from registry.domain.vocabulary import Mode, Technique
from registry.errors import Invalid
from registry.http.fields import (
    BodyCode,
    Date,
    HouseField,
    List,
    Nested,
    RegistrationNumber,
    RequestSchema,
    Word,
)
from registry.http.problems import Malformed, UnsupportedMedia
from registry.http.requests import load, parse_json, read_body
from registry.services.batches import MOST_QUESTIONS, Asked, Refused

NDJSON = "application/x-ndjson"
MOST_BYTES = 5_000_000
LONGEST_REF = 200


class Reference(HouseField[str]):
    """The caller's own name for something: given back exactly as it came."""

    wanted = f"text of at most {LONGEST_REF} characters"

    def read(self, value: object) -> str:
        given = self.text(value)
        if len(given) > LONGEST_REF:
            raise self.make_error("invalid")
        return given

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": LONGEST_REF, "examples": ["booking-8812"]}


class QuestionSchema(RequestSchema):
    """May this person use a technique, on a day, according to a body?"""

    body = BodyCode(required=True)
    number = RegistrationNumber(required=True)
    technique = Word(Technique, metadata={"description": "One technique; each of them where it is left out."})
    on = Date(metadata={"description": "A local day of the body; its today where it is left out."})
    mode = Word(
        Mode,
        load_default=Mode.INDEPENDENT,
        metadata={"description": "On their own, or under another's supervision."},
    )
    ref = Reference(metadata={"description": "Your own name for the question; the answer bears it."})


class QuestionBatchSchema(RequestSchema):
    """Questions, to be answered each in its place."""

    questions = List(Nested(QuestionSchema), most=MOST_QUESTIONS, required=True)


QUESTION = QuestionSchema()
ENVELOPE = QuestionBatchSchema()
DAY = Date()
REFERENCE = Reference()
TOO_MANY = f"Give at most {MOST_QUESTIONS:,} questions at once."
TECHNIQUES: dict[Any, Technique | None] = {None: None, **{t.value: t for t in Technique}}
MODES: dict[Any, Mode] = {m.value: m for m in Mode}
is_plain_body = re.compile(BodyCode.shape.pattern).fullmatch
is_plain_number = re.compile("[A-Za-z0-9]([A-Za-z0-9./_-]{0,38}[A-Za-z0-9])?").fullmatch


def read_questions() -> list[Asked | Refused]:
    """The request's questions, JSON or NDJSON; one that cannot be right is the error that says why.

    :raises UnsupportedMedia: the body is neither by its type.
    :raises Malformed: it is not JSON.
    :raises registry.errors.Invalid: there are too many, or they are not where they should be.
    """
    request.max_content_length = MOST_BYTES
    if request.mimetype == NDJSON:
        return _at_most(_read_line(line) for line in _lines())
    if not request.is_json:
        raise UnsupportedMedia(f"Send JSON or NDJSON, with Content-Type: application/json or {NDJSON}.")
    return _at_most(map(read_question, _questions(parse_json(read_body(cache=False)))))


def _lines() -> Iterator[bytes]:
    """The lines of the body that are not blank."""
    return (line for line in BytesIO(read_body(cache=False)) if not line.isspace())


def _at_most(read: Iterator[Asked | Refused]) -> list[Asked | Refused]:
    found = list(islice(read, MOST_QUESTIONS + 1))
    if len(found) > MOST_QUESTIONS:
        raise Invalid(TOO_MANY)
    return found


def _questions(document: Any) -> list[Any]:
    """The list within the document; an empty one stands for it where the rest is checked."""
    if isinstance(document, dict) and isinstance(document.get("questions"), list):
        questions: list[Any] = document["questions"]
        load(ENVELOPE, {**document, "questions": []}, "json")
        if len(questions) > MOST_QUESTIONS:
            raise Invalid.at("/questions", TOO_MANY)
        return questions
    load(ENVELOPE, document, "json")
    raise AssertionError("what is no list is refused by the schema")


def _read_line(line: bytes) -> Asked | Refused:
    try:
        return read_question(parse_json(line))
    except Malformed as error:
        return Refused(error)


def read_question(value: Any) -> Asked | Refused:
    """One question, or the error that says what would be right."""
    try:
        return read_plain(value) or Asked(**load(QUESTION, value, "json"))
    except Invalid as error:
        return Refused(error, _ref_of(value))


def _ref_of(value: Any) -> str | None:
    """The caller's name for a question that cannot be right otherwise."""
    try:
        ref: str = REFERENCE.read(value["ref"])
    except (KeyError, TypeError, ValidationError):
        return None
    return ref


def read_plain(value: Any) -> Asked | None:
    """A question that is plainly right; ``None`` where the schema has to say."""
    try:
        body, number, on, ref = value["body"], value["number"], value.get("on"), value.get("ref")
        technique, mode = TECHNIQUES[value.get("technique")], MODES[value.get("mode", Mode.INDEPENDENT)]
        given = 2 + (technique is not None) + ("mode" in value) + (on is not None) + (ref is not None)
        is_plain = given == len(value) and is_plain_body(body) and is_plain_number(number)
        if is_plain and (ref is None or (ref.isascii() and len(ref) <= LONGEST_REF)):
            return Asked(body, number, technique, None if on is None else _day(on), mode, ref)
    except (KeyError, TypeError, AttributeError, ValidationError):
        pass
    return None


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    return DAY.read(text)
