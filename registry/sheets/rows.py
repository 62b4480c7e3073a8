"""A row of cells as the entry of a snapshot, by a mapping profile; or everything that is wrong with it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from registry.domain.decisions import Condition, Scope, StatusReport
from registry.domain.snapshot import Entry, Stated
from registry.domain.vocabulary import PracticePermission, Standing
from registry.errors import Invalid

from .authorizations import read_authorizations
from .dates import formats_of, read_date
from .names import NameReader
from .profiles import AuthorizationColumns, Profile, Source, StatusColumns, TermColumns, folded
from .reading import CONTROL, Cells

LONGEST_CELL = 2_000
LONGEST_NUMBER = 64
LONGEST_WORD = 200
MOST_UNMAPPED = 1000
"""Distinct words that are counted; a file with more has something else in that column."""

LIST_SEPARATORS = re.compile(r"[;,|]")
YES = frozenset({"yes", "y", "true", "1"})

Get = Callable[[Cells], str]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one value of a row. ``column`` is ``""`` where it is the row as a whole."""

    column: str
    value: str
    detail: str


class WrongRow(Exception):
    """Values of a row that cannot be right; ``problems`` holds each of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.detail for problem in problems))
        self.problems = list(problems)


def nothing(_cells: Cells) -> str:
    """The value of what a profile does not map."""
    return ""


class RowReader:
    """Reads the rows of one file. Columns are looked up once.

    :ivar number: the cell that holds the registration number.
    :ivar unmapped: the status words that the profile does not know, with the rows that use them.
    """

    def __init__(self, profile: Profile, header: Sequence[str]) -> None:
        self.profile = profile
        self.unmapped: Counter[str] = Counter()
        self._columns = _Columns(header)
        self._columns.require(profile.columns())
        self.number = self._columns.get(profile.number)
        self._name = NameReader(profile.name, self._columns.get)
        self._former = [NameReader(parts, self._columns.get) for parts in profile.former]
        self._former_list = self._columns.get(profile.former_list)
        self._city = self._columns.get(profile.city)
        self._languages = self._columns.get(profile.languages)
        self._withheld = self._columns.get(profile.withheld)
        self._term = _TermReader(profile.registration, self._columns, self.unmapped)
        self._authorizations = [
            _AuthorizationReader(a, self._columns, self.unmapped) for a in profile.authorizations
        ]
        self._authorization_list = self._columns.get(_listed(profile))
        self._only = self._columns.filters(profile.only or {})
        self._used = self._columns.used(profile.columns())

    def is_wanted(self, cells: Cells) -> bool:
        """Whether a row is of the kind that the profile reads; others are passed over."""
        return all(folded(cells[index]) in words for index, words in self._only)

    def fingerprint(self, cells: Cells, key: bytes) -> str:
        """Equal for rows that say the same in every column that the profile reads."""
        text = "\x1f".join(self._used(cells))
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12, key=key).hexdigest()

    def read(self, cells: Cells, day: date) -> Entry:
        """The entry that a row states on a local day.

        :raises WrongRow: with all that is wrong in it.
        """
        row = _Row(self.profile, cells, day)
        row.check_text(self._used(cells))
        number = row.required(self.number, self.profile.number, LONGEST_NUMBER)
        name = self._name.read(cells)
        if name is None:
            row.wrong(_column(self.profile.name.family or self.profile.name.full), "", "the row names nobody")
        registration = self._term.read(row)
        authorizations = self._read_authorizations(row)
        if row.problems or name is None:
            raise WrongRow(row.problems)
        return Entry(
            number=number,
            name=name,
            registration=registration,
            former_names=self._read_former(cells),
            city=None if self.profile.city is None else " ".join(self._city(cells).split()),
            languages=None if self.profile.languages is None else tuple(row.listed(self._languages(cells))),
            authorizations=authorizations,
            withheld=folded(self._withheld(cells)) in YES,
        )

    def _read_former(self, cells: Cells) -> tuple[str, ...] | None:
        profile = self.profile
        if profile.former_list is not None:
            return tuple(_Row(profile, cells, date.min).listed(self._former_list(cells)))
        if not self._former:
            return None
        found = (reader.read(cells) for reader in self._former)
        return tuple(dict.fromkeys(name.full_name for name in found if name is not None))

    def _read_authorizations(self, row: _Row) -> tuple[Stated, ...] | None:
        if self.profile.authorization_list is not None:
            try:
                return read_authorizations(self._authorization_list(row.cells), row.day)
            except ValueError as error:
                row.wrong(self.profile.authorization_list, self._authorization_list(row.cells), str(error))
                return None
        if not self._authorizations:
            return None
        found = [reader.read(row) for reader in self._authorizations if reader.is_told(row.cells)]
        if len({stated.scope.techniques for stated in found}) < len(found):
            row.wrong("", "", "it tells of two authorizations for the same techniques")
        return tuple(found)


def _listed(profile: Profile) -> Source | None:
    return None if profile.authorization_list is None else Source((profile.authorization_list,))


def _column(source: Source | None) -> str:
    return "" if source is None or not source.columns else source.columns[0]


class _Columns:
    """Where the columns of a file are."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = list(header)
        self._index: dict[str, int] = {}
        for index, name in enumerate(header):
            self._index.setdefault(folded(name), index)

    def require(self, columns: Sequence[str]) -> None:
        """:raises registry.errors.Invalid: the file lacks columns, or has one of them twice."""
        names = [folded(name) for name in self._header]
        missing = [name for name in columns if folded(name) not in self._index]
        if missing:
            raise Invalid(
                f"The file lacks columns that the profile reads: {', '.join(missing)}. "
                f"It has: {', '.join(self._header)}."
            )
        twice = [name for name in columns if names.count(folded(name)) > 1]
        if twice:
            raise Invalid(f"The file has columns twice that the profile reads: {', '.join(twice)}.")

    def get(self, source: Source | None) -> Get:
        """What reads a value: the first filled of its columns, without space around it."""
        if source is None:
            return nothing
        if source.constant is not None:
            constant = source.constant
            return lambda _cells: constant
        indexes = [self._index[folded(name)] for name in source.columns]
        if len(indexes) == 1:
            index = indexes[0]
            return lambda cells: cells[index].strip()
        return lambda cells: next((text for i in indexes if (text := cells[i].strip())), "")

    def filters(self, told: Any) -> list[tuple[int, frozenset[str]]]:
        """Column positions with the words that are let through."""
        return [(self._index[folded(name)], words) for name, words in told.items()]

    def used(self, columns: Sequence[str]) -> Callable[[Cells], tuple[str, ...]]:
        """What picks the cells of these columns."""
        indexes = [self._index[folded(name)] for name in columns]
        if len(indexes) == 1:
            only = indexes[0]
            return lambda cells: (cells[only],)
        return itemgetter(*indexes)


class _Row:
    """One row while it is read, with what is wrong in it."""

    def __init__(self, profile: Profile, cells: Cells, day: date) -> None:
        self.profile = profile
        self.cells = cells
        self.day = day
        self.problems: list[Problem] = []

    def wrong(self, column: str, value: str, detail: str) -> None:
        self.problems.append(Problem(column, value[:200], detail))

    def check_text(self, used: Sequence[str]) -> None:
        if CONTROL.search("".join(used)):
            names = self.profile.columns()
            for name, text in zip(names, used, strict=True):
                if CONTROL.search(text):
                    self.wrong(name, CONTROL.sub("\ufffd", text), "it holds control characters")
        if sum(map(len, used)) > LONGEST_CELL:
            for name, text in zip(self.profile.columns(), used, strict=True):
                if len(text) > LONGEST_CELL:
                    self.wrong(name, text, f"it is longer than {LONGEST_CELL} characters")

    def required(self, get: Get, source: Source, longest: int) -> str:
        text = " ".join(get(self.cells).split())
        if not text:
            self.wrong(_column(source), "", "it is empty")
        elif len(text) > longest:
            self.wrong(_column(source), text, f"it is longer than {longest} characters")
        return text

    def day_in(self, get: Get, source: Source | None) -> date | None:
        text = get(self.cells)
        if not text:
            return None
        found = read_date(text, self.profile.dates)
        if found is None:
            self.wrong(_column(source), text, f"it is not a day written as {formats_of(self.profile.dates)}")
        return found

    def listed(self, text: str) -> Iterator[str]:
        """The items of a list in one cell."""
        if self.profile.json_lists:
            yield from (str(item) for item in _json_list(text))
            return
        for item in LIST_SEPARATORS.split(text):
            if item.strip():
                yield " ".join(item.split())


def _json_list(text: str) -> list[Any]:
    try:
        found = json.loads(text) if text else []
    except ValueError:
        return []
    return found if isinstance(found, list) else []


class _TermReader:
    """Reads what a row tells of one term."""

    def __init__(self, told: TermColumns, columns: _Columns, unmapped: Counter[str]) -> None:
        self._told = told
        self._first = columns.get(told.first_day)
        self._last = columns.get(told.last_day)
        self._renewed = columns.get(told.renewed_day)
        self._since = columns.get(told.status_day)
        self._class = columns.get(told.register_class)
        self._conditions = columns.get(told.conditions)
        self._status = _StatusReader(told.status, columns, unmapped)
        speaks_of = {"register_class"} if told.register_class is not None else set()
        if told.conditions is not None or told.status.tells_of_conditions or told.status.practice:
            speaks_of.add("conditions")
        self._speaks_of = frozenset(speaks_of)
        self._scope = lru_cache(maxsize=4096)(_scope)

    def read(self, row: _Row) -> Stated:
        told, cells = self._told, row.cells
        first = row.day_in(self._first, told.first_day)
        last_text = self._last(cells)
        is_never = bool(told.never) and folded(last_text) in told.never
        last = None if is_never else row.day_in(self._last, told.last_day)
        open_ended = last is None and (is_never or told.no_last_day_is_open_ended)
        since = row.day_in(self._since, told.status_day)
        if first is not None and last is not None and last < first:
            row.wrong(_column(told.last_day), last_text, f"it is before the first day, {first.isoformat()}")
        if since is not None and since > row.day:
            row.wrong(_column(told.status_day), since.isoformat(), f"it is after the file's day, {row.day}")
        report = self._status.read(row)
        if last is None and not open_ended and (report is None or report.leaves is Standing.IN_FORCE):
            report = _without_end(report)
        return Stated(
            first_day=first,
            last_day=last,
            open_ended=open_ended,
            renewed_day=row.day_in(self._renewed, told.renewed_day),
            status_day=since,
            report=report,
            scope=self._scope(self._class(cells), self._told_conditions(row, report)),
            speaks_of=self._speaks_of,
        )

    def _told_conditions(self, row: _Row, report: StatusReport | None) -> tuple[Condition, ...]:
        text = " ".join(self._conditions(row.cells).split())
        if row.profile.json_lists:
            return tuple(_condition(item) for item in _json_list(text))
        if text:
            return (Condition(text),)
        if report is not None and report.practice is PracticePermission.WITH_CONDITIONS:
            return (Condition(report.word),)
        return ()


def _condition(item: Any) -> Condition:
    if isinstance(item, dict):
        return Condition(str(item.get("text", "")), bool(item.get("withheld", False)))
    return Condition(str(item))


def _scope(register_class: str, conditions: tuple[Condition, ...]) -> Scope:
    return Scope(register_class=register_class or None, conditions=conditions)


@lru_cache(maxsize=1024)
def _without_end(report: StatusReport | None) -> StatusReport:
    """A word that would leave a term in force whose end the file does not tell: that is not known, then."""
    word = "no last day" if report is None else report.word
    disciplinary = report is not None and report.disciplinary
    return StatusReport(word, PracticePermission.UNKNOWN, disciplinary, Standing.UNKNOWN)


class _StatusReader:
    """Reads the status word of a row, and what it means."""

    def __init__(self, told: StatusColumns, columns: _Columns, unmapped: Counter[str]) -> None:
        self._told = told
        self._seen = unmapped
        self._words = [columns.get(Source((name,))) for name in told.columns]
        meaning = (told.practice, told.disciplinary, told.standing)
        self._meaning = [columns.get(None if name is None else Source((name,))) for name in meaning]

    def read(self, row: _Row) -> StatusReport | None:
        told = self._told
        word = " / ".join(text for get in self._words if (text := get(row.cells)))
        if told.practice is not None:
            return self._as_the_file_says(word, row)
        if not word:
            return told.absent
        found = told.words.get(folded(word))
        return self._unmapped(" ".join(word.split())[:LONGEST_WORD]) if found is None else found

    def _unmapped(self, word: str) -> StatusReport:
        if word in self._seen or len(self._seen) < MOST_UNMAPPED:
            self._seen[word] += 1
        return _not_understood(word)

    def _as_the_file_says(self, word: str, row: _Row) -> StatusReport | None:
        practice, disciplinary, standing = (get(row.cells) for get in self._meaning)
        if not practice:
            return self._told.absent
        try:
            return StatusReport(
                word, PracticePermission(practice), folded(disciplinary) in YES, Standing(standing)
            )
        except ValueError as error:
            row.wrong(self._told.practice or "", f"{practice}, {standing}", str(error))
            return None


@lru_cache(maxsize=1024)
def _not_understood(word: str) -> StatusReport:
    return StatusReport(word, PracticePermission.UNKNOWN)


class _AuthorizationReader:
    """Reads one of the authorizations that a profile maps."""

    def __init__(self, told: AuthorizationColumns, columns: _Columns, unmapped: Counter[str]) -> None:
        self._told = told
        self._when = columns.filters(told.when)
        self._term = _TermReader(told.term, columns, unmapped)
        self._speaks_of = frozenset({"techniques", "mode", "excluded_regions"})

    def is_told(self, cells: Cells) -> bool:
        return all(folded(cells[index]) in words for index, words in self._when)

    def read(self, row: _Row) -> Stated:
        stated, told = self._term.read(row), self._told
        scope = replace(
            stated.scope, techniques=told.techniques, mode=told.mode, excluded_regions=told.excluded_regions
        )
        return replace(stated, scope=scope, speaks_of=stated.speaks_of | self._speaks_of)
