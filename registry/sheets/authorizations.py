"""All authorizations of a registration in one cell, as exports write them: a JSON list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from registry.domain.decisions import Condition, Scope, StatusReport
from registry.domain.snapshot import Stated
from registry.domain.vocabulary import Mode, PracticePermission, Standing, Technique

from .reading import CONTROL

DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
SPEAKS_OF = frozenset({"techniques", "mode", "conditions", "excluded_regions"})
KEYS = frozenset(
    {
        *("techniques", "mode", "conditions", "excluded_regions", "first_day", "last_day"),
        *("status", "practice", "disciplinary", "standing", "standing_since"),
    }
)


def read_authorizations(text: str, day: date) -> tuple[Stated, ...]:
    """The authorizations in a cell; none where it is empty.

    :param day: the local day of which the file speaks.
    :raises ValueError: saying what is wrong.
    """
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({type(error).__name__})") from error
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError("it is not a list of objects")
    stated = tuple(_stated(item, day) for item in found)
    if len({one.scope.techniques for one in stated}) < len(stated):
        raise ValueError("it tells of two authorizations for the same techniques")
    return stated


def _stated(item: dict[str, Any], day: date) -> Stated:
    unknown = sorted(item.keys() - KEYS)
    if unknown:
        raise ValueError(f"it has keys that are not known: {', '.join(unknown)}")
    techniques = frozenset(map(Technique, _texts(item, "techniques")))
    if not techniques:
        raise ValueError("an authorization names its techniques")
    first, last, since = (_day(item.get(key)) for key in ("first_day", "last_day", "standing_since"))
    if first and last and last < first:
        raise ValueError(f"last_day {last} is before first_day {first}")
    if since and since > day:
        raise ValueError(f"standing_since {since} is after the file's day, {day}")
    return Stated(
        first_day=first,
        last_day=last,
        open_ended=last is None,
        status_day=since,
        report=_report(item),
        scope=Scope(
            techniques=techniques,
            mode=Mode(item.get("mode", Mode.INDEPENDENT)),
            conditions=tuple(map(_condition, _list(item, "conditions"))),
            excluded_regions=tuple(_texts(item, "excluded_regions")),
        ),
        speaks_of=SPEAKS_OF,
    )


def _list(item: dict[str, Any], key: str) -> list[Any]:
    found = item.get(key, [])
    if not isinstance(found, list):
        raise ValueError(f"{key} is not a list")  # noqa: TRY004 - one kind of error for what is wrong
    return found


def _texts(item: dict[str, Any], key: str) -> list[str]:
    return [_text(one, key) for one in _list(item, key)]


def _text(value: Any, key: str) -> str:
    """A text. In JSON it may be written with escapes, and then hold what no cell may."""
    if not isinstance(value, str) or CONTROL.search(value):
        raise ValueError(f"{key} is not text without control characters")
    return value


def _flag(item: dict[str, Any], key: str, *, otherwise: bool | None = None) -> bool:
    found = item.get(key, otherwise)
    if not isinstance(found, bool):
        raise ValueError(f"{key} is neither true nor false")  # noqa: TRY004 - as above
    return found


def _condition(item: Any) -> Condition:
    if not isinstance(item, dict):
        raise ValueError("a condition is not an object")  # noqa: TRY004 - as above
    return Condition(_text(item.get("text"), "text"), _flag(item, "withheld"))


def _day(text: Any) -> date | None:
    if text is None:
        return None
    if not isinstance(text, str) or not DAY.fullmatch(text):
        raise ValueError("a day is not written as YYYY-MM-DD")
    return date.fromisoformat(text)


def _report(item: dict[str, Any]) -> StatusReport | None:
    if item.get("practice") is None:
        return None
    return StatusReport(
        _text(item.get("status", ""), "status"),
        PracticePermission(item["practice"]),
        _flag(item, "disciplinary", otherwise=False),
        Standing(_text(item.get("standing"), "standing")),
    )


def write_authorizations(told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same objects without what is empty, as :func:`read_authorizations` reads them."""
    return [{key: value for key, value in item.items() if value not in (None, [], "")} for item in told]
