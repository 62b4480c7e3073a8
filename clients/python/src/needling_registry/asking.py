"""Whether an answer is one to the question that was asked. What is about somebody else is no answer.

Between a clinic and the register there are caches and gateways; one that mixes two answers up would make a
yes of somebody else's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date

from .answers import Answer, Question, Verification
from .errors import Unreadable


def refuse_other_verification(question: Question, answer: Verification) -> None:
    """Refuse what answers another question.

    :raises Unreadable: it does.
    """
    _refuse_about_another(question, answer.body.code, answer.number)
    _refuse_otherwise(question, answer.on, answer.mode, (verdict.technique for verdict in answer.verdicts))


def refuse_other_answer(question: Question, answer: Answer, index: int) -> None:
    """Refuse what answers another question than the one in its place.

    :raises Unreadable: it does.
    """
    if answer.index != index:
        _refuse(f"the question {index}", f"the question {answer.index}")
    if answer.error is not None and answer.ref is None:
        return  # a ref that cannot be right is not given back
    if answer.ref != question.ref:
        _refuse(f"{question.ref!r}", f"{answer.ref!r}")
    if answer.error is not None:
        return
    _refuse_about_another(question, answer.body, answer.number)
    _refuse_otherwise(question, answer.on, answer.mode, (verdict.technique for verdict in answer.verdicts))


def _refuse_about_another(question: Question, body: str | None, number: str | None) -> None:
    if body != question.body or _key(number or "") != _key(question.number):
        _refuse(f"{question.body} {question.number}", f"{body} {number}")


def _refuse_otherwise(
    question: Question, on: date | None, mode: str | None, techniques: Iterable[str]
) -> None:
    answered = frozenset(techniques)
    if question.on is not None and on != question.on:
        _refuse(f"the day {question.on}", f"the day {on}")
    if mode != question.mode:
        _refuse(str(question.mode), str(mode))
    if question.technique is not None and answered != {str(question.technique)}:
        _refuse(str(question.technique), ", ".join(sorted(answered)) or "no technique")


def _key(number: str) -> str:
    """A number without what bodies, and those who type it, write now one way, now another."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).upper()).casefold()
    return "".join(character for character in plain if character.isalnum())


def _refuse(asked: str, answered: str) -> None:
    raise Unreadable(f"The register was asked about {asked} and answered about {answered}.")
