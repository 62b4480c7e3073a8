"""Cursors: where a list goes on. Opaque to callers, bound to the question, never an offset."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

from flask import request

from registry.errors import Invalid

from .answers import Answer
from .fields import LARGEST_INTEGER, HouseField, Integer, List, Nested, QuerySchema, ResponseSchema

VERSION = 1
LONGEST = 1000
NEVER_KEPT = re.compile(r"[\x00\ud800-\udfff]")
"""What no text in a database holds: it may come in a cursor that somebody made themselves."""


class CursorField(HouseField[str]):
    """A cursor that the register gave; read when the rest of the question is known."""

    wanted = "the cursor exactly as the page before gave it, with the same other arguments"

    def read(self, value: object) -> str:
        given = self.text(value)
        if len(given) > LONGEST:
            raise self.make_error("invalid")
        return given

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": LONGEST, "pattern": "^[A-Za-z0-9_-]*$"}


class PageQuery(QuerySchema):
    """What every list takes: how many, and where to go on."""

    limit = Integer(1, 200, load_default=50, metadata={"description": "How many at most."})
    cursor = CursorField(
        load_default=None,
        metadata={"description": "Where to go on: `next` of the page before."},
    )


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; ``next`` is the cursor of the following part, ``None`` at the end."""

    items: Sequence[Any]
    next: str | None


def page_schema(item: type[ResponseSchema]) -> type[ResponseSchema]:
    """The schema of a page of such items."""
    members = {
        "items": List(Nested(item)),
        "next": CursorField(
            allow_none=True, metadata={"description": "The cursor of the next page; null on the last."}
        ),
    }
    name = f"{item.__name__.removesuffix('Schema')}PageSchema"
    return type(name, (ResponseSchema,), members)


def position(query: Mapping[str, Any], *kinds: type) -> tuple[Any, ...] | None:
    """The position that the cursor of a question stands for; ``None`` for the beginning.

    :param kinds: of its parts: ``str``, ``int`` or ``date``.
    :raises registry.errors.Invalid: the cursor is not of this question.
    """
    cursor = query["cursor"]
    if cursor is None:
        return None
    try:
        return _parts(cursor, kinds)
    except (ValueError, TypeError, RecursionError) as error:
        detail = f"Give {CursorField.wanted}."
        raise Invalid(f"cursor: {detail}", [{"parameter": "cursor", "detail": detail}]) from error


def _parts(cursor: str, kinds: Sequence[type]) -> tuple[Any, ...]:
    version, seal, *parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    if version != VERSION or seal != _seal(parts):
        raise ValueError("of another question")
    return tuple(_part(part, kind) for part, kind in zip(parts, kinds, strict=True))


def _part(part: object, kind: type) -> Any:
    if kind is date and isinstance(part, str):
        return date.fromisoformat(part)
    if type(part) is not kind or not could_be_kept(part):
        raise ValueError("of another kind")
    return part


def could_be_kept(part: object) -> bool:
    """Whether a part of a position is one that a database can compare with."""
    if isinstance(part, int):
        return -LARGEST_INTEGER <= part <= LARGEST_INTEGER
    return not (isinstance(part, str) and NEVER_KEPT.search(part))


def cursor_at(at: Sequence[str | int | date]) -> str:
    """The cursor of a position in the answer to the present request's question."""
    parts = [part.isoformat() if isinstance(part, date) else part for part in at]
    document = json.dumps([VERSION, _seal(parts), *parts], separators=(",", ":"))
    return urlsafe_b64encode(document.encode()).decode().rstrip("=")


def _seal(parts: Sequence[Any]) -> str:
    """Binds a position to the question that it was given for. No secret: it guards against mistakes."""
    asked = sorted(pair for pair in request.args.items(multi=True) if pair[0] not in ("cursor", "limit"))
    question = repr((request.path, asked, parts))
    return blake2b(question.encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()


def page_of(
    query: Mapping[str, Any],
    found: Sequence[Any],
    key: Callable[[Any], Sequence[str | int | date]],
    *,
    max_age: int | None = None,
) -> Answer:
    """A page of what was found, with the way to the next.

    :param found: one more than ``query["limit"]``, where there are so many.
    :param key: the position of one of them.
    """
    items = found[: query["limit"]]
    if len(found) <= len(items):
        return Answer(Page(items, None), max_age=max_age)
    following = cursor_at(key(items[-1]))
    return Answer(Page(items, following), max_age=max_age, next_page=path_of_next(following))


def path_of_next(following: str) -> str:
    """Where the page after the present request's is, by its cursor."""
    given = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    return f"{request.path}?{urlencode([*given, ('cursor', following)])}"
