"""All authorizations of a registration in one cell, as exports write them: a JSON list."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from registry.domain.decisions import Condition, Scope, StatusReport
from registry.domain.snapshot import Stated
from registry.domain.vocabulary import Mode, PracticePermission, Standing, Technique

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
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from error
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
    techniques = frozenset(map(Technique, item.get("techniques", ())))
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
            conditions=tuple(
                Condition(str(c["text"]), bool(c["withheld"])) for c in item.get("conditions", ())
            ),
            excluded_regions=tuple(map(str, item.get("excluded_regions", ()))),
        ),
        speaks_of=SPEAKS_OF,
    )


def _day(text: Any) -> date | None:
    return None if text is None else date.fromisoformat(str(text))


def _report(item: dict[str, Any]) -> StatusReport | None:
    if item.get("practice") is None:
        return None
    return StatusReport(
        str(item.get("status", "")),
        PracticePermission(item["practice"]),
        bool(item.get("disciplinary", False)),
        Standing(item["standing"]),
    )


def write_authorizations(told: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same objects without what is empty, as :func:`read_authorizations` reads them."""
    return [{key: value for key, value in item.items() if value not in (None, [], "")} for item in told]
