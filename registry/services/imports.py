"""Importing a body's own snapshot: compared with the register, applied as decisions or not at all, reversed.

An import is received (the file is kept as it came), previewed (what it would come to, with every row that
cannot be taken in; nothing else changes), applied (in one transaction), and may be reversed (likewise) and
applied again. See docs/decisions for why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, Any

from sqlalchemy import Connection

from registry.errors import Conflict, Invalid, NotFound
from registry.sheets.profiles import Profile, read_profile
from registry.store import import_rows, tables
from registry.store import imports as store
from registry.store.bulk import built_afterwards, room_for_many
from registry.store.import_tables import ImportState
from registry.store.imports import Import, Received
from registry.store.records import find_body

from .import_comparison import Comparison, Stretch, open_with, refuse_so_many
from .import_differences import MOST_KEPT, DifferenceKind, difference_of
from .import_findings import Findings
from .import_openings import HelpedOpenings, Opened, Opener, Openings
from .import_plans import Plan, Planner
from .import_writing import Writer

Progress = Callable[[str, int], None]
"""Told what is being done, and how many rows of it are."""

Transaction = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction of its own each time."""

WORTH_HELP = 1_000_000
"""Bytes of a file from which helpers are worth their start."""

WORTH_BUILDING = 10_000_000
"""Bytes of a file from which an empty register is filled without indexes, which are built when it is full."""

OPENED = (
    *(tables.practitioners, tables.practitioner_names, tables.registrations, tables.needling_authorizations),
    *(tables.decisions, tables.spans, tables.entries, tables.lapses),
)
"""The tables that an import fills most which opens registrations."""

COMPARABLE = (ImportState.RECEIVED, ImportState.PREVIEWED, ImportState.REVERSED, ImportState.FAILED)


def silent(_doing: str, _rows: int) -> None:
    """Progress that nobody watches."""


def get_import(connection: Connection, import_id: str) -> Import:
    """One import.

    :raises registry.errors.NotFound: there is none.
    """
    found = store.find_import(connection, import_id)
    if found is None:
        raise NotFound(f"No import is kept under the identifier {import_id}.")
    return found


def receive_import(tx: Connection, received: Received, file: IO[bytes], *, by: str, at: datetime) -> Import:
    """Keep a file, if it can be read and has the columns that its profile reads.

    :param file: seekable.
    :raises registry.errors.Invalid: it cannot, or lacks columns; or the profile cannot be used.
    """
    open_with(file, read_profile(received.profile))
    file.seek(0)
    return get_import(tx, store.insert_import(tx, received, file, by=by, at=at))


def preview_import(
    transaction: Transaction, import_id: str, *, by: str, at: datetime, progress: Progress = silent
) -> Import:
    """Find what an import would come to, and every row that cannot be taken in. Nothing else changes.

    :param transaction: opens one for each stretch, so that others can write between.
    :raises registry.errors.Conflict: it has been applied.
    """
    with transaction() as tx:
        found = get_import(tx, import_id)
        _refuse_unless(found, COMPARABLE)
        file = store.open_file(tx, import_id)
        store.forget_findings(tx, import_id)
        corrections = store.corrected_cells(tx, import_id)
    with file:
        run = _Run.of(found, file, corrections)
        try:
            report = run.find(transaction, by=by, at=at, progress=progress)
        except Invalid as error:
            with transaction() as tx:
                store.change_import(tx, found, state=ImportState.FAILED, report={"problem": error.detail})
            raise
    with transaction() as tx:
        store.change_import(tx, found, state=ImportState.PREVIEWED, report=report, rows_read=report["rows"])
        return get_import(tx, import_id)


def apply_import(
    tx: Connection,
    import_id: str,
    *,
    by: str,
    at: datetime,
    progress: Progress = silent,
    helpers: int = 0,
) -> Import:
    """Record what an import comes to, compared with the register as it is in this transaction.

    :param helpers: processes that share the work of a large file; never from within a server.
    :raises registry.errors.Conflict: it has been applied already.
    :raises registry.errors.Invalid: the file cannot be read to its end.
    """
    found = get_import(tx, import_id)
    import_rows.lock_body(tx, found.body_id)
    found = get_import(tx, import_id)
    _refuse_unless(found, COMPARABLE)
    with store.open_file(tx, import_id) as file, room_for_many(tx):
        store.forget_findings(tx, import_id)
        corrections = store.corrected_cells(tx, import_id)
        run = _Run.of(found, file, corrections, helpers)
        with built_afterwards(tx, OPENED if found.bytes >= WORTH_BUILDING else ()):
            report = run.write(tx, by=by, at=at, progress=progress)
    done = {"applied_at": at, "applied_by": by, "reversed_at": None, "reversed_by": None}
    store.change_import(tx, found, state=ImportState.APPLIED, report=report, rows_read=report["rows"], **done)
    return get_import(tx, import_id)


def _refuse_unless(found: Import, states: tuple[ImportState, ...]) -> None:
    if found.state not in states:
        raise Conflict(f"This import has been {found.state}.", [{"state": found.state.value}])


@dataclass(slots=True)
class _Run:
    """One import being compared: its file read twice, for the numbers that it names and for what it says."""

    found: Import
    profile: Profile
    file: IO[bytes]
    corrections: Mapping[int, Sequence[str]]
    helpers: int = 0

    @classmethod
    def of(
        cls, found: Import, file: IO[bytes], corrections: Mapping[int, Sequence[str]], helpers: int = 0
    ) -> _Run:
        return cls(found, read_profile(found.profile), file, corrections, helpers)

    def find(self, transaction: Transaction, *, by: str, at: datetime, progress: Progress) -> dict[str, Any]:
        """Compare without writing anything but what is found."""
        with transaction() as tx:
            planner = self._planner(tx, by, at)
        for seen, count in self._numbers(planner):
            with transaction() as tx:
                import_rows.note_rows(tx, self.found.id, seen)
            progress("reading", count)
        findings, comparison = Findings(), self._comparison(planner)
        opener = Opener(planner, comparison.reader, None)
        for rows in comparison.stretches():
            with transaction() as tx:
                stretch = comparison.compare(tx, rows, planner)
                self._keep(tx, findings, stretch)
                opened = opener.open(stretch.fresh)
                self._keep(tx, findings, opened)
                self._keep_differences(tx, findings, stretch.plans, opened, planner.day)
                store.note_progress(tx, self.found, comparison.read_so_far)
            progress("comparing", comparison.read_so_far)
        with transaction() as tx:
            return findings.report(self._vanished(tx))

    def write(self, tx: Connection, *, by: str, at: datetime, progress: Progress) -> dict[str, Any]:
        """Compare, and record what each row comes to."""
        planner = self._planner(tx, by, at)
        events = import_rows.EventKeeper(tx, self.found.id, self.found.body_id, at)
        writer = Writer(tx, self.found.id, by, at, planner.day, events)
        findings = Findings()
        with self._openings(planner, tx.dialect.name) as openings:
            for seen, count in self._numbers(planner):
                import_rows.note_rows(tx, self.found.id, seen)
                progress("reading", count)
            comparison = self._comparison(planner)
            for rows in comparison.stretches():
                stretch = comparison.compare(tx, rows, planner, hold=True)
                writer.change(stretch.plans)
                self._keep(tx, findings, stretch)
                for opened in openings.put(stretch.fresh):
                    self._take_in(writer, findings, opened)
                progress("applying", comparison.read_so_far)
            for opened in openings.rest():
                self._take_in(writer, findings, opened)
        events.release()
        return findings.report(self._vanished(tx))

    def _openings(self, planner: Planner, engine: str) -> Openings:
        comparison = self._comparison(planner)
        opener = Opener(planner, comparison.reader, engine)
        if self.helpers and self.found.bytes >= WORTH_HELP:
            return HelpedOpenings(opener, comparison.sheet.header, self.helpers)
        return Openings(opener)

    def _take_in(self, writer: Writer, findings: Findings, opened: Opened) -> None:
        writer.open(opened)
        self._keep(writer.tx, findings, opened)

    def _planner(self, tx: Connection, by: str, at: datetime) -> Planner:
        body = find_body(tx, self.found.body_id)
        if body is None:
            raise AssertionError("bodies are never deleted")
        mapped = None
        if self.profile.authorization_list is None:
            mapped = frozenset(a.techniques for a in self.profile.authorizations)
        reason = f"import {self.found.id}"
        return Planner(body, self.found.id, self.found.snapshot_day, by, at, mapped, reason)

    def _comparison(self, planner: Planner) -> Comparison:
        sheet, reader = open_with(self.file, self.profile)
        key = f"{self.profile.digest}{planner.body.version}".encode()[-64:]
        return Comparison(sheet, reader, key, self.corrections)

    def _numbers(self, planner: Planner) -> Iterator[tuple[list[import_rows.Seen], int]]:
        comparison = self._comparison(planner)
        for rows in comparison.stretches():
            yield comparison.seen(rows), comparison.read_so_far

    def _keep(self, tx: Connection, findings: Findings, found: Stretch | Opened) -> None:
        store.add_rejects(tx, self.found.id, found.rejects)
        findings.merge(found.findings)
        refuse_so_many(findings.counts["rejected"])

    def _keep_differences(
        self, tx: Connection, findings: Findings, plans: Sequence[Plan], opened: Opened, day: date
    ) -> None:
        """Keep what rows would change, to be looked at; as long as that are not too many."""
        changed = [difference_of(plan, day) for plan in plans if not plan.changes_nothing]
        for kind, told in ((DifferenceKind.CHANGED, changed), (DifferenceKind.NEW, opened.differences)):
            if findings.counts[kind.value] <= MOST_KEPT:
                store.add_differences(tx, self.found.id, kind, told)

    def _vanished(self, tx: Connection) -> int | None:
        if self.found.partial:
            return None
        return import_rows.count_vanished(tx, self.found.id, self.found.body_id)


def list_vanished(
    connection: Connection, found: Import, *, after: str | None, limit: int
) -> list[tuple[str, str, str]]:
    """A stretch of the registrations that a file does not name: number as compared, number, identifier."""
    if found.partial:
        return []
    return import_rows.list_vanished(connection, found.id, found.body_id, after=after, limit=limit)


def rejected_rows(connection: Connection, found: Import) -> tuple[list[str], Iterator[list[str]], str]:
    """The rejected rows as a table to correct and import again: column names, rows, delimiter.

    What is wrong stands in the first two columns, which no profile reads.
    """
    from registry.sheets.writing import kept, rejected_header

    with store.open_file(connection, found.id) as file:
        sheet, _ = open_with(file, read_profile(found.profile))
    header = sheet.header

    def rows() -> Iterator[list[str]]:
        for reject in store.read_rejects(connection, found.id):
            yield [str(reject.line), _told(reject.problems), *kept(header, reject.cells)]

    return rejected_header(header), rows(), sheet.delimiter


def _told(problems: list[dict[str, str]]) -> str:
    return "; ".join(f"{p['column']}: {p['detail']}" if p["column"] else p["detail"] for p in problems)
