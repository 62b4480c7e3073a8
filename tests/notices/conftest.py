"""A body in Edmonton, people who can be written to, and a mail server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, select

from registry.delivery.mail import Account, Post
from registry.services.contacts import put_contact
from registry.services.notices import Sent, send_notices
from registry.services.people import get_person
from registry.store.notice_tables import notices
from registry.store.records import Body, RegistrationRecord
from tests.support.factories import AT, BY, database, make_body, make_person, make_registration
from tests.support.postbox import Postbox, receiving

EDMONTON = ZoneInfo("America/Edmonton")
BASE = "https://register.example.org"
LAST = date(2026, 9, 30)
SENDER = "register@example.org"


@dataclass
class Clock:
    """Stands still, unless it is set."""

    at: datetime = AT

    def now(self) -> datetime:
        return self.at


def local(day: date, hour: int = 12, minute: int = 0, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=EDMONTON).astimezone(UTC)


def before(days: int) -> date:
    """So many days before the last one."""
    return LAST - timedelta(days=days)


def email_of(tx: Connection, record: RegistrationRecord, email: str, language: str | None = None) -> None:
    person = get_person(tx, record.person.id)
    put_contact(tx, person, email, language, version=0, by=BY, at=AT)


@dataclass
class Office:
    """Sends what is due, through one mail server."""

    engine: Engine
    box: Postbox
    clock: Clock = field(default_factory=Clock)
    body: Body = field(init=False)

    def __post_init__(self) -> None:
        with self.engine.begin() as tx:
            self.body = make_body(tx)

    @property
    def account(self) -> Account:
        return Account("127.0.0.1", self.box.port, "none", SENDER)

    def register(
        self, name: str = "Ana Ito", email: str | None = "ana@example.net", through: date | None = LAST
    ) -> RegistrationRecord:
        with self.engine.begin() as tx:
            record = make_registration(tx, self.body, make_person(tx, name), through=through)
            if email is not None:
                email_of(tx, record, email)
        return record

    def send(self, at: datetime) -> Sent:
        self.clock.at = at
        with Post(self.account) as post:
            return send_notices(self.engine.begin, post, BASE, clock=self.clock)

    def kept(self) -> list[tuple[int, str]]:
        """Threshold and state of each notice, in the order of their days."""
        with self.engine.begin() as tx:
            rows = tx.execute(
                select(notices.c.threshold, notices.c.state).order_by(
                    notices.c.day, notices.c.threshold.desc(), notices.c.id
                )
            )
            return [(row.threshold, row.state) for row in rows]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    with database(database_url) as made:
        yield made


@pytest.fixture
def box() -> Iterator[Postbox]:
    with receiving() as made:
        yield made


@pytest.fixture
def office(engine: Engine, box: Postbox) -> Office:
    return Office(engine, box)


@pytest.fixture
def small_office(sqlite_url: str, box: Postbox) -> Iterator[Office]:
    """On one engine, for what no engine matters to."""
    with database(sqlite_url) as engine:
        yield Office(engine, box)
