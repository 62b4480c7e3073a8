"""Answers to many questions as JSON, each in one piece of text: what is often said is written once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any

from registry.domain.verdict import is_yes
from registry.domain.vocabulary import Mode, Outcome, Reason, Technique
from registry.errors import RegistryError
from registry.http.disclosure import shown_conditions, shown_instant
from registry.http.fields import (
    BodyCode,
    Date,
    Flag,
    Instant,
    Integer,
    List,
    Nested,
    RegistrationNumber,
    ResponseSchema,
    Text,
    Word,
)
from registry.http.problems import problem_of
from registry.http.schemas import AS_OF, NAME, WORDS, ConditionSchema, VerifiedPractitionerSchema
from registry.services.batches import MOST_QUESTIONS, Answered, Refused
from registry.store.ready_answers import Ready, said

from .questions import Reference


class BriefVerdictSchema(ResponseSchema):
    """The answer for one technique. ``authorized`` is true only for a yes to the question as asked."""

    technique = Word(Technique)
    authorized = Flag()
    outcome = Word(Outcome)
    reasons = List(Word(Reason))
    conditions = List(Nested(ConditionSchema))
    excluded_regions = List(Text(NAME))
    valid_through = Date(
        allow_none=True,
        metadata={"description": "The last local day of the same answer as known now; null: none is known."},
    )


class WrongValueSchema(ResponseSchema):
    """A value that cannot be right: where in the question (RFC 6901), and what would be."""

    pointer = Text(WORDS)
    detail = Text(WORDS)


class QuestionProblemSchema(ResponseSchema):
    """Why one question got no answer, in the words of a problem document (RFC 9457)."""

    type = Text(NAME)
    title = Text(NAME)
    status = Integer(400, 599)
    detail = Text(WORDS)
    errors = List(Nested(WrongValueSchema))


class AnswerSchema(ResponseSchema):
    """The answer to one question; either ``error`` is null or the members that would tell of it are."""

    index = Integer(0, MOST_QUESTIONS, metadata={"description": "The place of the question, from 0."})
    ref = Reference(allow_none=True)
    body = BodyCode(allow_none=True)
    number = RegistrationNumber(allow_none=True)
    practitioner = Nested(VerifiedPractitionerSchema, allow_none=True)
    on = Date(allow_none=True)
    mode = Word(Mode, allow_none=True)
    as_of = Instant(metadata={"description": AS_OF})
    authorized = Flag(metadata={"description": "Whether every technique asked about is authorized."})
    verdicts = List(Nested(BriefVerdictSchema))
    error = Nested(QuestionProblemSchema, allow_none=True)


class AnswerBatchSchema(ResponseSchema):
    """One answer to each question, in the order of the questions."""

    answers = List(Nested(AnswerSchema), most=MOST_QUESTIONS)


def answer_texts(answers: Iterator[Answered | Refused], known: datetime) -> Iterator[str]:
    """Each answer as a JSON object, in its place.

    :param known: the instant (UTC) until which all that was recorded is in them.
    """
    as_of = f'"{shown_instant(known)}"'
    for index, answer in enumerate(answers):
        if isinstance(answer, Answered):
            ref, rest = answer.asked.ref, _answer(answer, as_of)
        else:
            ref, rest = answer.ref, _refusal(answer.error, as_of)
        yield f'{{"index":{index},"ref":{"null" if ref is None else quoted(ref)},{rest}'


def _answer(answer: Answered, as_of: str) -> str:
    asked, on, ready, said = answer
    mode = asked.mode
    authorized, verdicts = "true", []
    for technique, text, through in said:
        yes, verdict = _verdict(technique, text, mode)
        if not yes:
            authorized = "false"
        verdicts.append(f'{verdict}"{through}"}}' if through else f"{verdict}null}}")
    number, practitioner = (quoted(asked.number), "null") if ready is None else _stated(ready)
    return (
        f'"body":"{asked.body}","number":{number},"practitioner":{practitioner},"on":"{on}",'
        f'"mode":"{mode}","as_of":{as_of},"authorized":{authorized},'
        f'"verdicts":[{",".join(verdicts)}],"error":null}}'
    )


def stated_name(answer: Answered) -> str | None:
    """The published name of whom an answer is about; ``None`` for nobody and for a withheld record."""
    name: str | None = None if answer.ready is None else json.loads(answer.ready.stated.split("\t")[2])
    return name


def _stated(ready: Ready) -> tuple[str, str]:
    number, id_, name, withheld = ready.stated.split("\t")
    return number, f'{{"id":{id_},"name":{name},"withheld":{withheld}}}'


@lru_cache(maxsize=16_384)
def _verdict(technique: Technique, text: str, mode: Mode) -> tuple[bool, str]:
    """Whether it is a yes, and the verdict as JSON up to the last day of the same, which is added."""
    answer = said(text)
    authorized = is_yes(answer.outcome, mode)
    shown = _json(
        {
            "technique": technique.value,
            "authorized": authorized,
            "outcome": answer.outcome.value,
            "reasons": [reason.value for reason in answer.reasons],
            "conditions": shown_conditions(answer.conditions),
            "excluded_regions": list(answer.excluded_regions),
        }
    )
    return authorized, f'{shown[:-1]},"valid_through":'


def _refusal(error: RegistryError, as_of: str) -> str:
    problem = problem_of(error)
    shown = {
        "type": problem.uri,
        "title": problem.title,
        "status": int(problem.status),
        "detail": error.detail,
        "errors": [{"pointer": one.get("pointer", ""), "detail": one["detail"]} for one in error.problems],
    }
    return (
        '"body":null,"number":null,"practitioner":null,"on":null,"mode":null,'
        f'"as_of":{as_of},"authorized":false,"verdicts":[],"error":{json.dumps(shown)}}}'
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
