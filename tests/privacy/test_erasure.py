"""Erasure: no byte tells who it was, every old question is answered as before, and the audit holds."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, MetaData, insert, select, update
from sqlalchemy.engine import make_url

from registry.clock import new_id
from registry.domain.audit_chain import Happening
from registry.domain.verdict import Question, give_verdict
from registry.domain.vocabulary import DecisionKind, NameKind, Technique
from registry.errors import Conflict, RegistryError
from registry.services import audit, contacts, lapses, people, trainings
from registry.services.check import find_differences
from registry.services.decisions import get_record
from registry.services.erasure import Erased, ErasureBasis, erase_identity
from registry.services.lapses import LapseQuestion
from registry.services.merges import merge_people
from registry.services.people import PersonChange, PreviousName, get_person
from registry.services.registrations import correct
from registry.services.search import Wanted, search
from registry.store import tables
from registry.store.audit_tables import audit_entries
from registry.store.people import NewName
from registry.store.vacuum import give_back
from tests.support.factories import (
    AT,
    BY,
    database,
    decide,
    make_authorization,
    make_person,
    make_registration,
    make_training,
)
from tests.support.imports import Register
from tests.support.sheets import csv_file, person

NAME, LEGAL, FORMER, DUPLICATE = (
    "Quetzal Vombatus",
    "Quetzalina Vombatus",
    "Xerxine Plumbago",
    "Ketzal Wombatus",
)
EMAIL, CITY, NOTE = "quetzal@vombatus.example", "Zzyzx", "Vombatus was seen by her neighbour"
TOKENS = ("quetzal", "vombatus", "xerxine", "plumbago", "ketzal", "wombatus", "zzyzx", "neighbour")
LATE = datetime(2028, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str):
    with database(database_url) as made:
        yield made


def tell(tx: Connection) -> None:
    audit.tell(tx, Happening(AT, BY, "something"))


def erased(tx: Connection, subject: str, basis: ErasureBasis, at: datetime) -> Erased:
    """As the API erases: and tells the audit in the same transaction."""
    done = erase_identity(tx, get_person(tx, subject), basis, at=at)
    audit.tell(tx, Happening(at, BY, "erase_practitioner", details=done.told))
    return done


class Filled:
    """A register with somebody in every table that holds words about people, and a colleague beside them."""

    def __init__(self, engine: Engine) -> None:
        self.register = Register(engine)
        self.engine, self.body = engine, self.register.body
        with engine.begin() as tx:
            subject = make_person(tx, NAME, legal=LEGAL, former=[FORMER], languages=["de"])
            contacts.put_contact(tx, subject, EMAIL, "de", version=0, by=BY, at=AT)
            record = make_registration(tx, self.body, subject, number="Q-1", city=CITY)
            record, self.authorization = make_authorization(tx, record, override_reason=NOTE)
            tell(tx)
        with engine.begin() as tx:
            said: dict[str, Any] = {"reason": NOTE, "private_note": NOTE}
            decide(tx, record, DecisionKind.SUSPENDED, date(2026, 3, 1), through=date(2026, 4, 1), **said)
            tell(tx)
        with engine.begin() as tx:
            self.other = make_registration(tx, self.body, make_person(tx, "Ana Ito"), number="O-1")
            decide(
                tx, get_record(tx, self.other.id), DecisionKind.SUSPENDED, date(2026, 5, 1), reason="Other."
            )
            training = make_training(tx, get_person(tx, subject.id), self.body)
            trainings.withdraw_training(tx, training, reason=NOTE, by=BY, at=AT)
            record = get_record(tx, record.id)
            correct(tx, record, number=None, city=f"{CITY}-on-Sea", reason=NOTE, by=BY, at=AT)
            duplicate = make_person(tx, DUPLICATE)
            make_registration(tx, self.body, duplicate, number="Q-2")
            merge_people(tx, get_person(tx, subject.id), duplicate.id, reason=NOTE, by=BY, at=AT)
            change = PersonChange([NewName(NameKind.PUBLISHED, "Quetzal V.")], PreviousName.FORMER)
            people.change_person(tx, get_person(tx, subject.id), change, by=BY, at=AT)
            item = lapses.list_lapses(tx, LapseQuestion(), after=None, limit=1, at=LATE)[0]
            lapses.note_on_lapse(tx, item, NOTE, by=BY, at=LATE)
            kept = {"principal": "x", "key": "k", "fingerprint": "f", "lease": new_id(), "begun_at": AT}
            answer = json.dumps({"body": NAME, "id": subject.id}, ensure_ascii=False)
            tx.execute(insert(tables.idempotency_keys).values(**kept, response=answer))
            tell(tx)
        self.subject, self.record = subject.id, record.id
        rows = [
            person("Q-1", "Vombatus", Given="Quetzal", City=CITY),
            person("Q-9", "Vombatus", Given="Quetzal", Until="soon"),
            person("O-1", "Ito"),
        ]
        self.register.preview(csv_file(rows))

    def erase(self, basis: ErasureBasis = ErasureBasis.REQUEST, at: datetime = LATE):
        with self.engine.begin() as tx:
            return erased(tx, self.subject, basis, at)

    def answers(self) -> list[Any]:
        """Every verdict, on days over years, as known at instants over years."""
        days = [date(2024, 12, 31) + timedelta(days=40 * step) for step in range(25)]
        instants = [None, AT - timedelta(days=1), AT, AT + timedelta(seconds=1), LATE]
        found = []
        with self.engine.begin() as tx:
            for number in (self.record, self.other.id):
                record = get_record(tx, number)
                for known_at in instants:
                    standings = record.standings(known_at)
                    for day in days:
                        verdict = give_verdict(Question(Technique.DRY_NEEDLING, day), standings)
                        found.append((verdict.outcome, verdict.reasons, verdict.valid_through))
        return found


@pytest.fixture
def filled(engine) -> Filled:
    return Filled(engine)


def every_text(engine: Engine) -> str:
    """Every column of every row, of every table that the database itself knows of."""
    found = MetaData()
    told = []
    with engine.connect() as connection:
        found.reflect(connection)
        for table in found.sorted_tables:
            told += [f"{table.name}: {tuple(row)}" for row in connection.execute(select(table))]
    return "\n".join(told)


def test_the_register_told_everything_before(filled):
    told = every_text(filled.engine).lower()
    assert [token for token in TOKENS if token not in told] == []


def test_no_column_of_any_table_tells_who_it_was_and_every_old_answer_stays(filled):
    before = filled.answers()
    done = filled.erase()
    lines = every_text(filled.engine).lower().splitlines()
    assert [line for line in lines if any(token in line for token in TOKENS)] == []
    assert any("ana ito" in line for line in lines)
    assert filled.answers() == before
    with filled.engine.begin() as tx:
        verified = audit.verify(tx)
        found = search(tx, Wanted(name=NAME), at=LATE)
        person = get_person(tx, filled.subject)
    assert verified.breaks == ()
    assert list(find_differences(filled.engine.begin)) == []
    assert found.people == ()
    assert [name.full_name for name in person.names] == [done.pseudonym]
    assert person.is_erased
    assert person.withheld


def test_no_byte_of_the_file_tells_who_it_was(sqlite_url):
    with database(sqlite_url) as engine:
        filled = Filled(engine)
        filled.erase()
        give_back(engine)
    path = make_url(sqlite_url).database
    assert path is not None
    for file in (path, f"{path}-wal", f"{path}-shm"):
        content = Path(file).read_bytes().lower() if Path(file).exists() else b""
        assert [token for token in TOKENS if token.encode() in content] == []


def test_what_is_altered_after_an_erasure_is_found_as_before_it(filled):
    filled.erase()
    d = tables.decisions
    with filled.engine.begin() as tx:
        tell(tx)
        worded = select(d.c.id).where(d.c.registration_id == filled.record, d.c.reason.is_not(None)).limit(1)
        tx.execute(
            update(d).where(d.c.id == tx.execute(worded).scalar_one()).values(reason="Something else.")
        )
    with filled.engine.begin() as tx:
        assert audit.verify(tx).breaks != ()


def test_an_entry_that_was_not_changed_by_it_is_held_to_its_own_facts(filled):
    filled.erase()
    d = tables.decisions
    with filled.engine.begin() as tx:
        tx.execute(update(d).where(d.c.reason == "Other.").values(reason="Else."))
    with filled.engine.begin() as tx:
        assert len(audit.verify(tx).breaks) == 1


def test_the_entry_says_which_facts_changed_and_names_nobody(filled):
    filled.erase()
    a = audit_entries
    with filled.engine.begin() as tx:
        row = tx.execute(select(a).where(a.c.action == "erase_practitioner")).one()
    details = json.loads(row.details)
    assert details["resealed"]
    assert NAME not in row.details


def test_whoever_may_practise_now_is_erased_by_a_court_alone(filled):
    with pytest.raises(Conflict):
        filled.erase(at=datetime(2026, 6, 1, tzinfo=UTC))
    filled.erase(ErasureBasis.COURT_ORDER, at=datetime(2026, 6, 1, tzinfo=UTC))
    with pytest.raises(Conflict):
        filled.erase(ErasureBasis.COURT_ORDER)


def test_nothing_brings_the_name_back(filled):
    filled.erase()
    with filled.engine.begin() as tx:
        subject = get_person(tx, filled.subject)
        change = PersonChange([NewName(NameKind.PUBLISHED, NAME)])
        with pytest.raises(Conflict):
            people.change_person(tx, subject, change, by=BY, at=LATE)
        with pytest.raises(Conflict):
            contacts.put_contact(tx, subject, EMAIL, None, version=0, by=BY, at=LATE)
    filled.register.take_in(csv_file([person("Q-1", "Vombatus", Given="Quetzal", City=CITY)]), partial=True)
    with filled.engine.begin() as tx:
        assert get_person(tx, filled.subject).is_erased
        names = tx.execute(select(tables.practitioner_names.c.full_name)).scalars().all()
        cities = tx.execute(select(tables.registrations.c.city)).scalars().all()
    assert NAME not in names
    assert CITY not in cities


def test_an_erasure_and_an_edit_at_once_leave_one_of_them_and_no_name(filled):
    """After the erasure no edit is taken; one that comes before it is erased with the rest."""
    failures: list[BaseException] = []
    seen = []
    with filled.engine.begin() as tx:
        seen.append(get_person(tx, filled.subject))
        record = get_record(tx, filled.record)
    barrier = threading.Barrier(3)

    def run(work) -> None:
        try:
            barrier.wait(30)
            with filled.engine.begin() as tx:
                work(tx)
        except RegistryError:
            pass
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    def edit(tx: Connection) -> None:
        change = PersonChange([NewName(NameKind.PUBLISHED, "Quetzal Vombatus-Ito")])
        people.change_person(tx, seen[0], change, by=BY, at=LATE)

    def judge(tx: Connection) -> None:
        decide(tx, record, DecisionKind.SURRENDERED, date(2028, 5, 1), reason=NOTE)
        tell(tx)

    def erase(tx: Connection) -> None:
        erased(tx, filled.subject, ErasureBasis.COURT_ORDER, LATE)

    threads = [threading.Thread(target=run, args=(work,)) for work in (edit, judge, erase)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with filled.engine.begin() as tx:
        if not get_person(tx, filled.subject).is_erased:  # the edit was faster: the erasure found it stale
            erase(tx)
    lines = every_text(filled.engine).lower().splitlines()
    assert [line for line in lines if any(token in line for token in TOKENS)] == []
    with filled.engine.begin() as tx:
        assert audit.verify(tx).breaks == ()
    assert list(find_differences(filled.engine.begin)) == []
