"""A file against the register, some rows at a time: what each row comes to, and what cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import IO

from sqlalchemy import Connection

from registry.domain.names import number_key
from registry.errors import Invalid
from registry.sheets.profiles import Profile
from registry.sheets.reading import BadRow, Layout, Row, Sheet, open_sheet
from registry.sheets.rows import RowReader, WrongRow
from registry.store.import_rows import Asked, Seen, ask, hold_registrations
from registry.store.imports import Reject
from registry.store.records import RegistrationRecord, load_records, registrations_of_people

from .import_findings import Findings
from .import_openings import Fresh
from .import_plans import Plan, Planner, Refused, reject

STRETCH = 1000
"""Rows that are compared together."""

MOST_REJECTED = 1_000_000
"""Rows of one file that are kept as not taken in; a file with more is no register."""

Wanted = tuple[int, list[str], str]
"""A row that is to be compared: its line, cells, and number as it is compared."""


@dataclass(slots=True)
class Stretch:
    """What came of some rows. Those whose numbers are new to the register are left to be opened."""

    findings: Findings = field(default_factory=Findings)
    plans: list[Plan] = field(default_factory=list)
    fresh: list[Fresh] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def reject(self, line: int, cells: Sequence[str], *problems: tuple[str, str, str]) -> None:
        """Give up a row, for problems of a column, a value and what is wrong with it."""
        self.rejects.append(reject(line, cells, *problems))


def fitting(line: int, cells: Sequence[str], width: int) -> Row | BadRow:
    """A corrected row, if it fits the column names."""
    if len(cells) == width:
        return line, list(cells)
    return BadRow(line, list(cells), f"it has {len(cells)} cells where the column names have {width}")


def refuse_so_many(rejected: int) -> None:
    """:raises registry.errors.Invalid: so many rows were not taken in that the file is no register."""
    if rejected > MOST_REJECTED:
        raise Invalid(f"More than {MOST_REJECTED:,} rows cannot be read: is this the right profile?")


def open_with(file: IO[bytes], profile: Profile) -> tuple[Sheet, RowReader]:
    """A file opened as its profile says, from its beginning.

    :raises registry.errors.Invalid: the file cannot be read, or lacks columns.
    """
    file.seek(0)
    layout = Layout(profile.delimiter, profile.encoding, profile.sheet, profile.columns())
    sheet = open_sheet(file, layout)
    return sheet, RowReader(profile, sheet.header)


@dataclass(slots=True)
class Comparison:
    """One reading of a file.

    :param key: makes fingerprints differ where the profile, or the body's rules, do.
    :param corrections: by line, the cells that a registrar put in the place of those in the file.
    """

    sheet: Sheet
    reader: RowReader
    key: bytes
    corrections: Mapping[int, Sequence[str]] = field(default_factory=dict)
    read_so_far: int = 0
    without_number: int = 0

    def stretches(self) -> Iterator[list[Row | BadRow]]:
        """The rows, some at a time."""
        rows = iter(self.sheet.rows)
        while stretch := list(islice(rows, STRETCH)):
            self.read_so_far += len(stretch)
            yield [self._corrected(row) for row in stretch] if self.corrections else stretch

    def _corrected(self, row: Row | BadRow) -> Row | BadRow:
        line = row.line if isinstance(row, BadRow) else row[0]
        cells = self.corrections.get(line)
        return row if cells is None else fitting(line, cells, len(self.sheet.header))

    def seen(self, rows: Iterable[Row | BadRow]) -> list[Seen]:
        """The numbers that rows name, each once, with what they say in short."""
        found: dict[str, Seen] = {}
        stretch = Stretch()
        for line, cells, number in self._wanted(rows, stretch):
            fingerprint = self.reader.fingerprint(cells, self.key)
            first = found.setdefault(number, Seen(number, fingerprint, line))
            if first.fingerprint != fingerprint:
                found[number] = replace(first, other_line=line)
        self.without_number += len(stretch.rejects)
        refuse_so_many(self.without_number)
        return list(found.values())

    def _wanted(self, rows: Iterable[Row | BadRow], stretch: Stretch) -> Iterator[Wanted]:
        reader = self.reader
        count = stretch.findings.counts
        filters = bool(reader.profile.only)
        for row in rows:
            count["rows"] += 1
            if isinstance(row, BadRow):
                stretch.reject(row.line, row.cells, ("", "", row.problem))
                continue
            line, cells = row
            if filters and not reader.is_wanted(cells):
                count["passed_over"] += 1
                continue
            number = number_key(reader.number(cells))
            if number:
                yield line, cells, number
            else:
                column = "".join(reader.profile.number.columns[:1])
                stretch.reject(line, cells, (column, reader.number(cells), "it holds no registration number"))

    def compare(
        self, tx: Connection, rows: list[Row | BadRow], planner: Planner, *, hold: bool = False
    ) -> Stretch:
        """What some rows come to.

        :param hold: let nobody change the registrations concerned until the transaction ends.
        """
        stretch = Stretch()
        wanted = list(self._wanted(rows, stretch))
        asked = ask(tx, planner.import_id, planner.body.id, [number for _, _, number in wanted])
        undecided = [row for row in wanted if self._is_undecided(row, asked[row[2]], planner, stretch)]
        known = [a.registration_id for row in undecided if (a := asked[row[2]]).registration_id is not None]
        if hold and known:
            hold_registrations(tx, known)
        records = {record.id: record for record in load_records(tx, known)}
        for row in undecided:
            found = asked[row[2]]
            if found.registration_id is None:
                stretch.fresh.append(Fresh(row[0], found.fingerprint, row[1]))
            else:
                record = records[found.registration_id]
                self._plan(tx, Fresh(row[0], found.fingerprint, row[1]), record, planner, stretch)
        for plan in stretch.plans:
            stretch.findings.add(plan)
        stretch.findings.counts["rejected"] += len(stretch.rejects)
        stretch.findings.unmapped.update(self.reader.unmapped)
        self.reader.unmapped.clear()
        return stretch

    def _is_undecided(self, row: Wanted, asked: Asked, planner: Planner, stretch: Stretch) -> bool:
        """Whether a row must be looked at in full."""
        line, cells, _ = row
        if asked.other_line is not None:
            other = asked.other_line if line == asked.line else asked.line
            number = self.reader.number(cells)
            column = "".join(self.reader.profile.number.columns[:1])
            stretch.reject(line, cells, (column, number, f"line {other} says something else of this number"))
            return False
        if line != asked.line:
            stretch.findings.counts["duplicates"] += 1
            return False
        if asked.agrees_on(planner.day):
            stretch.findings.counts["unchanged"] += 1
            return False
        return True

    def _plan(
        self,
        tx: Connection,
        row: Fresh,
        record: RegistrationRecord,
        planner: Planner,
        stretch: Stretch,
    ) -> None:
        line, cells = row.line, row.cells
        try:
            entry = self.reader.read(cells, planner.day)
            plan = _let_others_names_be(tx, planner.compare(line, row.fingerprint, entry, record))
        except WrongRow as wrong:
            stretch.reject(line, cells, *((p.column, p.value, p.detail) for p in wrong.problems))
        except Refused as refused:
            stretch.reject(line, cells, ("", "", str(refused)))
        else:
            stretch.plans.append(plan)


def _let_others_names_be(tx: Connection, plan: Plan) -> Plan:
    """Who holds several registrations is not renamed by a row about one; but hidden, if it asks for that."""
    if plan.person is None or len(registrations_of_people(tx, [plan.record.person.id])) == 1:
        return plan
    person = replace(plan.person, names=None, languages=None) if plan.person.withheld else None
    return replace(plan, person=person, name_kept=True)
