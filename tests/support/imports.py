"""A register into which files are imported, for tests of imports."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, select

from registry.domain.localtime import local_date
from registry.domain.verdict import Question, give_verdict
from registry.domain.vocabulary import Technique
from registry.services.check import find_differences
from registry.services.import_reversal import reverse_import
from registry.services.imports import apply_import, preview_import, receive_import
from registry.store.imports import Received
from registry.store.records import find_registration, load_record
from tests.support.factories import decide, make_body, make_rules
from tests.support.sheets import PROFILE

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = date(2026, 6, 1)
BY = "registrar:tests"


class Register:
    """A body's register, into which files are imported an hour apart."""

    def __init__(self, engine) -> None:
        self.engine = engine
        self.at = AT
        with engine.begin() as tx:
            self.body = make_body(tx, rules=make_rules(eligible_classes=None))

    def receive(self, file, *, profile=PROFILE, day=None, partial=False):
        day = day or local_date(self.at, self.body.zone)
        received = Received(self.body.id, "register.csv", "tests", profile, day, partial)
        with self.engine.begin() as tx:
            return receive_import(tx, received, file, by=BY, at=self.at)

    def preview(self, file, **told):
        found = self.receive(file, **told)
        return preview_import(self.engine.begin, found.id, by=BY, at=self.at)

    def take_in(self, file, **told):
        return self.apply(self.receive(file, **told))

    def apply(self, found, **more):
        self.at += timedelta(hours=1)
        with self.engine.begin() as tx:
            return apply_import(tx, found.id, by=BY, at=self.at, **more)

    def reverse(self, found):
        self.at += timedelta(hours=1)
        with self.engine.begin() as tx:
            return reverse_import(tx, found.id, by=BY, at=self.at)

    def record(self, number):
        with self.engine.begin() as tx:
            id_ = find_registration(tx, self.body.id, number)
            record = None if id_ is None else load_record(tx, id_)
        assert record is not None
        return record

    def decide(self, number, kind, on, **asked):
        record = self.record(number)
        with self.engine.begin() as tx:
            decide(tx, record, kind, on, at=self.at, **asked)

    def outcome(self, number, on=DAY):
        return give_verdict(Question(Technique.DRY_NEEDLING, on), self.record(number).standings()).outcome

    def count(self, table):
        with self.engine.begin() as tx:
            return tx.execute(select(func.count()).select_from(table)).scalar_one()

    def differences(self):
        return [str(difference) for difference in find_differences(self.engine.begin)]


def counts(found, *names):
    return tuple(found.report[name] for name in names)
