"""JSON becomes the frozen classes of this package, or an error that names the place; never half an answer.

The classes' own annotations say what is read; in a field's metadata, ``name`` is what it is called in JSON
where Python keeps that word for itself, and ``ours`` means that it is not in the JSON. Members that are not
known are let be, since answers may grow; one that is missing, or of another type than promised, makes the
whole unreadable.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import Unreadable
from .vocabulary import Word

T = TypeVar("T")
Reader = Callable[[Any], Any]

A_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Wrong(Exception):
    """A value that is not what was promised, and where."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said, self.place = said, ""

    def within(self, part: str | int) -> _Wrong:
        self.place = f"/{part}{self.place}"
        return self


def name_of(member: Field[Any]) -> str:
    """What a field is called in JSON."""
    name: str = member.metadata.get("name", member.name)
    return name


def members_of(kind: type[Any]) -> list[Field[Any]]:
    """The fields of a class that are in the JSON."""
    return [member for member in fields(kind) if not member.metadata.get("ours")]


def parse(content: bytes) -> Any:
    """A JSON document.

    :raises Unreadable: it is none.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The register's answer is not JSON: {error}.") from error


def read(kind: type[T], value: Any) -> T:
    """What a JSON value stands for.

    :raises Unreadable: it is something else.
    """
    wanted: Any = kind
    try:
        found: T = _reader(wanted)(value)
    except _Wrong as wrong:
        message = f"The register's answer is not as promised: {wrong.place or 'the whole'} {wrong.said}."
        raise Unreadable(message) from None
    return found


@cache
def _reader(kind: Any) -> Reader:
    """What reads values of a type; made once for each."""
    plain = _PLAIN.get(kind)
    if plain is not None:
        return plain
    if isinstance(kind, type) and issubclass(kind, Word):
        return _word(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union) and len(arguments) == 2 and arguments[1] is types.NoneType:
        return _or_none(_reader(arguments[0]))
    if origin is tuple and arguments[1:] == (...,):
        return _array(_reader(arguments[0]))
    if origin is Mapping:
        return _anything
    raise TypeError(f"nothing reads {kind}")


def _object(kind: type[Any]) -> Reader:
    hints = get_type_hints(kind)
    wanted = [(m.name, name_of(m), _is_optional(m), _reader(hints[m.name])) for m in members_of(kind)]

    def read_object(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Wrong("is no object")
        given = {}
        for attribute, name, optional, reader in wanted:
            if name in value:
                try:
                    given[attribute] = reader(value[name])
                except _Wrong as wrong:
                    raise wrong.within(name) from None
            elif not optional:
                raise _Wrong("is missing").within(name)
        return kind(**given)

    return read_object


def _is_optional(member: Field[Any]) -> bool:
    return member.default is not MISSING


def _array(reader: Reader) -> Reader:
    def read_array(value: Any) -> Any:
        if not isinstance(value, list):
            raise _Wrong("is no list")
        found = []
        for place, item in enumerate(value):
            try:
                found.append(reader(item))
            except _Wrong as wrong:
                raise wrong.within(place) from None
        return tuple(found)

    return read_array


def _or_none(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def _word(kind: type[Word]) -> Reader:
    def read_word(value: Any) -> Word:
        return kind(_text(value))

    return read_word


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("is no text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("is neither true nor false")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Wrong("is no whole number")
    return value


def _day(value: Any) -> date:
    if not A_DAY.fullmatch(_text(value)):
        raise _Wrong("is no day")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _Wrong("is no day") from None


def _instant(value: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(_text(value))
    except ValueError:
        raise _Wrong("is no instant") from None
    if instant.tzinfo is None:
        raise _Wrong("is an instant without its offset from UTC")
    return instant.astimezone(UTC)


def _anything(value: Any) -> Any:
    if not isinstance(value, dict):
        raise _Wrong("is no object")
    return value


_PLAIN: Mapping[Any, Reader] = {str: _text, bool: _flag, int: _whole, date: _day, datetime: _instant}
