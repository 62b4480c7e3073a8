"""Many questions at once, each answered in its place, from what is kept ready.

However many there are, the database is asked twice: for the bodies, and for what answers the questions.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from registry.domain.localtime import local_date
from registry.domain.names import number_key
from registry.domain.verdict import Standings
from registry.domain.vocabulary import Mode, Technique
from registry.errors import NotFound, RegistryError
from registry.store import ready_answers
from registry.store.batches import INSTEAD, kept_answers, key_of
from registry.store.ready_answers import Ready, Stated
from registry.store.records import Body

from .look_up import believed_answers, list_bodies

MOST_QUESTIONS = 10_000
EVERY_TECHNIQUE = tuple(Technique)


class Asked(NamedTuple):
    """A question: may this person use the technique (``None``: each) on a local day (``None``: today)?

    :param ref: the caller's own name for it.
    """

    body: str
    number: str
    technique: Technique | None = None
    on: date | None = None
    mode: Mode = Mode.INDEPENDENT
    ref: str | None = None


class Refused(NamedTuple):
    """A question that got no answer, and why."""

    error: RegistryError
    ref: str | None = None


class Answered(NamedTuple):
    """What is answered: of each technique what is said, as kept text, and the last day of the same.

    :param ready: ``None`` where the body never registered the number.
    """

    asked: Asked
    on: str
    ready: Ready | None
    said: Sequence[tuple[Technique, str, str]]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A body as a batch needs it.

    :param key: what the keys of its numbers begin with.
    :param never: what is answered about a number that it never registered.
    """

    body: Body
    key: str
    today: str
    never: Ready


def answer_all(
    connection: Connection, questions: Sequence[Asked | Refused], *, at: datetime
) -> Generator[Answered | Refused]:
    """Each question's answer, in its place. What is refused already stays so.

    :param connection: in which both statements see the same; held until this is closed,
        or the last answer taken.
    :param at: the present instant (UTC).
    """
    bodies = {body.code: _kept(body, at) for body in list_bodies(connection)}
    keys = [
        kept.key + number_key(asked.number)
        for asked in questions
        if isinstance(asked, Asked) and (kept := bodies.get(asked.body)) is not None
    ]
    with closing(kept_answers(connection, keys)) as rows:
        for asked in questions:
            if not isinstance(asked, Asked):
                yield asked
            elif (kept := bodies.get(asked.body)) is None:
                yield _unknown(asked)
            else:
                yield _answer(asked, kept, next(rows))


def _unknown(asked: Asked) -> Refused:
    detail = f"No body is kept under the code {asked.body}; GET /v1/bodies lists them."
    return Refused(NotFound(detail), asked.ref)


def _kept(body: Body, at: datetime) -> _Kept:
    never = ready_answers.to_text(Stated("", "", None, withheld=False), Standings(None, (), body.rules))
    return _Kept(
        body,
        key_of(ready_answers.print_of(body.rules), body.id, ""),
        local_date(at, body.zone).isoformat(),
        ready_answers.of_text(never),
    )


def _answer(asked: Asked, kept: _Kept, found: str) -> Answered:
    ready = _ready(found, kept.body)
    source = ready or kept.never
    on = kept.today if asked.on is None else asked.on.isoformat()
    techniques = EVERY_TECHNIQUE if asked.technique is None else (asked.technique,)
    return Answered(asked, on, ready, [(t, *source.on(t, on)) for t in techniques])


def _ready(found: str, body: Body) -> Ready | None:
    if not found:
        return None
    return ready_answers.of_text(believed_answers(None, found[1:], body) if found[0] == INSTEAD else found)
