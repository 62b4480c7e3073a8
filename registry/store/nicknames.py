"""Given names and their nicknames, as data beside this module; its head names where they come from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files


def other_names(word: str) -> tuple[str, ...]:
    """The nicknames of a folded name, and the names that it is a nickname of."""
    return _every_name().get(word, ())


@lru_cache(maxsize=1)
def _every_name() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    with (files(__package__) / "nicknames.csv").open(encoding="utf-8") as lines:
        for name, *nicknames in csv.reader(line for line in lines if not line.startswith("#")):
            for nickname in filter(str.isalpha, nicknames):
                found.setdefault(name, set()).add(nickname)
                found.setdefault(nickname, set()).add(name)
    return {name: tuple(sorted(others)) for name, others in found.items()}
