"""Names from their parts, in the order in which a register writes them. Letters stay as they are there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from registry.domain.snapshot import StatedName

from .profiles import NameColumns, Source

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
        full = spaced(self._full(cells))
        given = spaced(f"{self._given(cells)} {self._middle(cells)}") or None
        family = spaced(self._family(cells)) or None
        if full:
            return self._from_full(full, given, family)
        if given is None and family is None:
            return None
        ordered = (family, given) if self._columns.family_first else (given, family)
        parts = (self._prefix(cells), *(part or "" for part in ordered), self._suffix(cells))
        credentials = spaced(self._credentials(cells))
        name = spaced(" ".join(parts)) + (f", {credentials}" if credentials else "")
        return StatedName(name, given, family)

    def _from_full(self, full: str, given: str | None, family: str | None) -> StatedName:
        if given or family or not self._columns.family_first:
            return StatedName(full, given, family)
        before, comma, after = full.partition(",")
        if not comma:
            return StatedName(full)
        given, *more = [spaced(part) for part in after.split(",")]
        suffixes = [part for part in more if SUFFIX.fullmatch(part)]
        others = [part for part in more if part and part not in suffixes]
        name = ", ".join((spaced(" ".join((given, before, *suffixes))), *others))
        return StatedName(name, given or None, spaced(before) or None)


def spaced(text: str) -> str:
    """The text in Unicode's form C, with one space where there is any."""
    text = " ".join(text.split())
    return text if text.isascii() else unicodedata.normalize("NFC", text)
