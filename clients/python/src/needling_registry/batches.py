"""Any number of questions, asked ten thousand at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from .answers import Answer, Question
from .asking import refuse_other_answer
from .errors import Unreadable
from .reading import parse, read
from .transport import Request, Transport

NDJSON = "application/x-ndjson"
MOST_QUESTIONS = 10_000
MOST_BYTES = 4_000_000
"""Of one request; the register takes five million."""


def answers(transport: Transport, questions: Iterable[Question]) -> Iterator[Answer]:
    """One answer to each question, in order. See :meth:`needling_registry.Registry.verify_many`."""
    place = 0
    for asked, content in _batches(questions):
        yield from _ask(transport, asked, content, place)
        place += len(asked)


def _batches(questions: Iterable[Question]) -> Iterator[tuple[list[Question], bytes]]:
    asked: list[Question] = []
    lines: list[bytes] = []
    size = 0
    for question in questions:
        line = json.dumps(question.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if len(asked) == MOST_QUESTIONS or (asked and size + len(line) > MOST_BYTES):
            yield asked, b"".join(lines)
            asked, lines, size = [], [], 0
        asked.append(question)
        lines.append(line)
        size += len(line)
    if asked:
        yield asked, b"".join(lines)


def _ask(transport: Transport, asked: list[Question], content: bytes, place: int) -> Iterator[Answer]:
    headers = {"Content-Type": NDJSON, "Accept": NDJSON}
    reply = transport.send(Request("POST", "/v1/verifications", content=content, headers=headers))
    lines = reply.content.removesuffix(b"\n").split(b"\n")
    if len(lines) != len(asked):
        raise Unreadable(f"The register gave {len(lines):,} answers to {len(asked):,} questions.")
    del reply
    for index, (question, line) in enumerate(zip(asked, lines, strict=True)):
        answer = read(Answer, parse(line))
        refuse_other_answer(question, answer, index)
        yield replace(answer, index=place + index)
