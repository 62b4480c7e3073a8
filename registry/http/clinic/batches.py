"""``POST /v1/verifications``: up to ten thousand questions, each answered in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import chain, islice

from flask import Response, request

from registry import clock
from registry.http.booked_checks import note_afterwards
from registry.http.limits import charge_questions
from registry.http.metrics import BATCH_QUESTIONS
from registry.http.operations import Blueprint
from registry.services.batches import Asked, answer_all
from registry.store.database import age_of, known_as_of, public_snapshot

from .questions import NDJSON, QuestionBatchSchema, read_questions
from .verdicts import AnswerBatchSchema, answer_texts

blueprint = Blueprint(
    "verifications", __name__, url_prefix="/v1/verifications", description="Questions by the thousand"
)

AT_A_TIME = 500
"""Answers in one piece of the response."""


@blueprint.operation(
    "POST", "", body=QuestionBatchSchema, answer=AnswerBatchSchema, reads_only=True, raw=True
)
def verify_batch() -> Response:
    """Answer up to 10,000 questions, each in its place, duplicates too.

    A question that cannot be right is answered by its `error`, with the JSON Pointer in the question, while
    the others stand; a number that the body never registered is answered `not_found`. Nothing but a yes has
    `authorized: true`.

    With `Content-Type: application/x-ndjson` each line is a question. The answer is NDJSON, a line for each,
    where `Accept` says so, or says nothing and the questions came so.

    Of questions sent with a clinic's key about days to come, within a year, the register notes who asked,
    about whom, for which technique, mode and day: a registrar who is about to decide sees how many checks of
    which clinic that touches. It is forgotten when the day has passed.
    """
    questions, at = read_questions(), clock.now()
    charge_questions(len(questions))
    BATCH_QUESTIONS.inc(len(questions))
    note_afterwards((asked for asked in questions if isinstance(asked, Asked)), at)
    as_lines = _wants_lines()
    with ExitStack() as stack:
        connection = stack.enter_context(public_snapshot())
        answers = stack.enter_context(closing(answer_all(connection, questions, at=at)))
        as_of = known_as_of(at, age_of(connection))
        parts = _parts(answer_texts(answers, as_of), as_lines=as_lines)
        first = next(parts)  # what fails by now is a problem, not an answer that breaks off
        held = stack.pop_all()
    given = chain((first,), _closed_after(parts, held))
    response = Response(given, content_type=NDJSON if as_lines else "application/json")
    response.call_on_close(held.close)
    response.headers["Cache-Control"] = "no-store"
    return response


def _wants_lines() -> bool:
    accepted = request.accept_mimetypes
    if not accepted or accepted.best == "*/*":
        return request.mimetype == NDJSON
    return accepted[NDJSON] > accepted["application/json"]


def _parts(texts: Iterator[str], *, as_lines: bool) -> Iterator[bytes]:
    """The pieces of the response, in which the first is never empty."""
    separator = b"\n" if as_lines else b","
    joined = _joined(texts, separator)
    yield (b"" if as_lines else b'{"answers":[') + next(joined, b"")
    for piece in joined:
        yield separator + piece
    yield b"\n" if as_lines else b"]}\n"


def _closed_after(parts: Iterator[bytes], held: ExitStack) -> Iterator[bytes]:
    """The rest, and then nothing is held any more: at once, not only when the server is done with it."""
    with held:
        yield from parts


def _joined(texts: Iterator[str], separator: bytes) -> Iterator[bytes]:
    while piece := [text.encode() for text in islice(texts, AT_A_TIME)]:
        yield separator.join(piece)
