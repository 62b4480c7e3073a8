"""The bookings, in SQLite: they outlive the process, and stand beside the deliveries that were heard.

A delivery is heard once what it changed is kept: one transaction settles both, so that none is lost between.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

TABLES = (
    "CREATE TABLE IF NOT EXISTS bookings (id INTEGER PRIMARY KEY, patient, body, number, day, problem)",
    "CREATE TABLE IF NOT EXISTS heard (webhook_id PRIMARY KEY)",
)
CONCERNED = """SELECT * FROM bookings WHERE :body IS NULL
    OR body = :body AND (:number IS NULL OR number IN (:number, :was_number))"""


@dataclass(frozen=True)
class Booking:
    """Who is booked with whom on which day (YYYY-MM-DD); ``problem`` is why it cannot stand, if it cannot."""

    id: int
    patient: str
    body: str
    number: str
    day: str
    problem: str | None


@dataclass(frozen=True)
class Ledger:
    """The bookings, within one transaction."""

    db: sqlite3.Connection

    def add(self, patient: str, body: str, number: str, day: str) -> None:
        """Book."""
        kept = (patient, body, number, day)
        self.db.execute("INSERT INTO bookings (patient, body, number, day) VALUES (?, ?, ?, ?)", kept)

    def all(self) -> list[Booking]:
        """Every booking."""
        return self.concerned_by({})

    def concerned_by(self, change: Mapping[str, Any]) -> list[Booking]:
        """The bookings that a change at the registry may concern; each of them where it says of nobody."""
        named = {name: change.get(name) for name in ("body", "number", "was_number")}
        return [Booking(*row) for row in self.db.execute(CONCERNED, named)]

    def flag(self, booking: Booking, problem: str | None) -> None:
        """Say why a booking cannot stand, or that it can again."""
        self.db.execute("UPDATE bookings SET problem = ? WHERE id = ?", (problem, booking.id))

    def hear(self, webhook_id: str) -> bool:
        """Whether a delivery is new; deliveries may come twice."""
        return self.db.execute("INSERT OR IGNORE INTO heard VALUES (?)", (webhook_id,)).rowcount > 0


@contextmanager
def one_at_a_time(file: str) -> Iterator[Ledger]:
    """A transaction. While one lasts no other begins: no change is heard between answer and booking."""
    db = sqlite3.connect(file, timeout=60, isolation_level=None)
    try:
        db.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            db.execute(table)
        yield Ledger(db)
        db.execute("COMMIT")
    finally:
        db.close()  # what was not committed has not been
