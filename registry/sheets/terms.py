"""What a row tells of a term: its days, its status word, its scope."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import Any

from registry.domain.decisions import Condition, Scope, StatusReport
from registry.domain.snapshot import Stated
from registry.domain.vocabulary import PracticePermission, Standing

from .cells import Columns, Row, column_of
from .names import spaced
from .profiles import AuthorizationColumns, Source, StatusColumns, TermColumns, folded
from .reading import Cells, clean

LONGEST_WORD = 200
MOST_UNMAPPED = 1000
"""Distinct words that are counted; a file with more has something else in that column."""

YES = frozenset({"yes", "y", "true", "1"})


class TermReader:
    """Reads what a row tells of one term."""

    def __init__(self, told: TermColumns, columns: Columns, unmapped: Counter[str]) -> None:
        self._told = told
        self._first = columns.get(told.first_day)
        self._last = columns.get(told.last_day)
        self._renewed = columns.get(told.renewed_day)
        self._since = columns.get(told.status_day)
        self._class = columns.get(told.register_class)
        self._conditions = columns.get(told.conditions)
        self._status = StatusReader(told.status, columns, unmapped)
        speaks_of = {"register_class"} if told.register_class is not None else set()
        if told.conditions is not None or told.status.tells_of_conditions or told.status.practice:
            speaks_of.add("conditions")
        self._speaks_of = frozenset(speaks_of)
        self._scope = lru_cache(maxsize=4096)(_scope)

    def read(self, row: Row) -> Stated:
        told, cells = self._told, row.cells
        first = row.day_in(self._first, told.first_day)
        last_text = self._last(cells)
        is_never = bool(told.never) and folded(last_text) in told.never
        last = None if is_never else row.day_in(self._last, told.last_day)
        open_ended = last is None and (is_never or told.no_last_day_is_open_ended)
        since = row.day_in(self._since, told.status_day)
        if first is not None and last is not None and last < first:
            row.wrong(column_of(told.last_day), last_text, f"it is before the first day, {first.isoformat()}")
        if since is not None and since > row.day:
            row.wrong(column_of(told.status_day), since.isoformat(), f"it is after the file's day, {row.day}")
        register_class = spaced(self._class(cells))
        row.line(told.register_class, register_class)
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
            scope=self._scope(register_class, self._told_conditions(row, report)),
            speaks_of=self._speaks_of,
        )

    def _told_conditions(self, row: Row, report: StatusReport | None) -> tuple[Condition, ...]:
        text = spaced(self._conditions(row.cells))
        if row.profile.json_lists:
            return tuple(self._condition(row, item) for item in row.json_items(self._told.conditions, text))
        if text:
            return (Condition(text),)
        if report is not None and report.practice is PracticePermission.WITH_CONDITIONS:
            return (Condition(report.word),)
        return ()

    def _condition(self, row: Row, item: Any) -> Condition:
        """A condition that an export wrote: its words, or an object that says whether they are public."""
        column = self._told.conditions
        said = item if isinstance(item, dict) else {"text": item}
        text, withheld = said.get("text"), said.get("withheld", False)
        if not isinstance(text, str) or not isinstance(withheld, bool):
            row.wrong(column_of(column), str(item)[:LONGEST_WORD], "it is not a condition")
            return Condition("")
        if not row.is_kept(column, text):
            row.wrong(column_of(column), "", "a condition says nothing that can be kept")
        return Condition(text, withheld)


def _scope(register_class: str, conditions: tuple[Condition, ...]) -> Scope:
    return Scope(register_class=register_class or None, conditions=conditions)


@lru_cache(maxsize=1024)
def _without_end(report: StatusReport | None) -> StatusReport:
    """A word that would leave a term in force whose end the file does not tell: that is not known, then."""
    word = "no last day" if report is None else report.word
    disciplinary = report is not None and report.disciplinary
    return StatusReport(word, PracticePermission.UNKNOWN, disciplinary, Standing.UNKNOWN)


class StatusReader:
    """Reads the status word of a row, and what it means."""

    def __init__(self, told: StatusColumns, columns: Columns, unmapped: Counter[str]) -> None:
        self._told = told
        self._seen = unmapped
        self._words = [columns.get(Source((name,))) for name in told.columns]
        meaning = (told.practice, told.disciplinary, told.standing)
        self._meaning = [columns.get(None if name is None else Source((name,))) for name in meaning]

    def read(self, row: Row) -> StatusReport | None:
        told = self._told
        word = " / ".join(text for get in self._words if (text := get(row.cells)))
        if told.practice is not None:
            return self._as_the_file_says(word, row)
        if not word:
            return told.absent
        found = told.words.get(folded(word))
        return self._unmapped(clean(" ".join(word.split())[:LONGEST_WORD])) if found is None else found

    def _unmapped(self, word: str) -> StatusReport:
        if word in self._seen or len(self._seen) < MOST_UNMAPPED:
            self._seen[word] += 1
        return _not_understood(word)

    def _as_the_file_says(self, word: str, row: Row) -> StatusReport | None:
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


class AuthorizationReader:
    """Reads one of the authorizations that a profile maps."""

    def __init__(self, told: AuthorizationColumns, columns: Columns, unmapped: Counter[str]) -> None:
        self._told = told
        self._when = columns.filters(told.when)
        self._term = TermReader(told.term, columns, unmapped)
        self._speaks_of = frozenset({"techniques", "mode", "excluded_regions"})

    def is_told(self, cells: Cells) -> bool:
        return all(folded(cells[index]) in words for index, words in self._when)

    def read(self, row: Row) -> Stated:
        stated, told = self._term.read(row), self._told
        scope = replace(
            stated.scope, techniques=told.techniques, mode=told.mode, excluded_regions=told.excluded_regions
        )
        return replace(stated, scope=scope, speaks_of=stated.speaks_of | self._speaks_of)
