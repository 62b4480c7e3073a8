"""Names from their parts, in the order in which a register writes them. Letters stay as they are there."""

from __future__ import annotations

import re
from collections.abc import Callable

from registry.domain.snapshot import StatedName

from .profiles import NameColumns, Source

LONGEST_NAME = 300
SUFFIX = re.compile(r"(JR|SR|II|III|IV|V|VI)[.]?", re.IGNORECASE)

Get = Callable[[list[str]], str]


class NameReader:
    """Reads one name of a row."""

    def __init__(self, columns: NameColumns, get: Callable[[Source | None], Get]) -> None:
        self._columns = columns
        self._full, self._prefix, self._given, self._middle, self._family, self._suffix, self._credentials = (
            get(source) for source in columns.sources()
        )

    def read(self, cells: list[str]) -> StatedName | None:
        """The name, or ``None`` where all its cells are empty."""
        full = _spaced(self._full(cells))
        given = _spaced(f"{self._given(cells)} {self._middle(cells)}") or None
        family = _spaced(self._family(cells)) or None
        if full:
            return self._from_full(full, given, family)
        if given is None and family is None:
            return None
        ordered = (family, given) if self._columns.family_first else (given, family)
        parts = (self._prefix(cells), *(part or "" for part in ordered), self._suffix(cells))
        credentials = _spaced(self._credentials(cells))
        name = _spaced(" ".join(parts)) + (f", {credentials}" if credentials else "")
        return StatedName(name[:LONGEST_NAME], given, family)

    def _from_full(self, full: str, given: str | None, family: str | None) -> StatedName:
        if given or family or not self._columns.family_first:
            return StatedName(full[:LONGEST_NAME], given, family)
        before, comma, after = full.partition(",")
        if not comma:
            return StatedName(full[:LONGEST_NAME])
        given, *more = [_spaced(part) for part in after.split(",")]
        suffixes = [part for part in more if SUFFIX.fullmatch(part)]
        others = [part for part in more if part and part not in suffixes]
        name = ", ".join((_spaced(" ".join((given, before, *suffixes))), *others))
        return StatedName(name[:LONGEST_NAME], given or None, _spaced(before) or None)


def _spaced(text: str) -> str:
    return " ".join(text.split())
