"""The audit on a database: appended by many at once, never changed, and held to the facts."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from registry.domain.audit_chain import Happening, checkpoint_of
from registry.domain.vocabulary import DecisionKind
from registry.services.audit import tell, verify, vouch_for_all
from registry.store import audit as store
from tests.support import factories

AT = datetime(2026, 3, 1, 18, tzinfo=UTC)


@pytest.fixture
def engine(database_url):
    with factories.database(database_url) as engine:
        yield engine


@pytest.fixture
def vouched(engine):
    """A register with decisions, all of which the audit vouches for."""
    with engine.begin() as tx:
        body = factories.make_body(tx)
        for _ in range(3):
            record = factories.make_registration(tx, body)
            record, _ = factories.make_authorization(tx, record)
            factories.decide(tx, record, DecisionKind.SUSPENDED, date(2025, 7, 1), reason="Overdue fees.")
    assert vouch_for_all(engine.begin, at=AT) == 1
    return engine


def tampered(engine, *statements):
    """Do what the database refuses, as one would who owns it."""
    postgresql = engine.dialect.name == "postgresql"
    with engine.begin() as tx:
        if postgresql:
            tx.execute(text("ALTER TABLE audit_entries DISABLE TRIGGER ALL"))
        else:
            tx.execute(text("DROP TRIGGER audit_entries_refuse_update"))
            tx.execute(text("DROP TRIGGER audit_entries_refuse_delete"))
        for statement in statements:
            assert tx.exec_driver_sql(statement).rowcount >= 1


def verified(engine, kept=None):
    with engine.connect() as connection:
        return verify(connection, kept=kept)


def test_what_is_told_is_kept_as_it_was_told(engine):
    told = Happening(AT, "registrar:1", "void_decision", "192.0.2.7", "r-1", "b-1", {"ü": ["x"], "n": 1})
    with engine.begin() as tx:
        entry = tell(tx, told)
    with engine.connect() as connection:
        assert list(store.every_entry(connection)) == [entry]
    assert entry.happening == told
    found = verified(engine)
    assert (found.entries, found.checkpoint, found.breaks) == (1, entry.checkpoint, ())


def test_an_empty_audit_is_whole_and_has_no_checkpoint(engine):
    found = verified(engine)
    assert (found.entries, found.checkpoint, found.breaks) == (0, None, ())


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entries SET principal = 'x'", "DELETE FROM audit_entries"]
)
def test_the_database_refuses_to_change_it(engine, statement):
    with engine.begin() as tx:
        tell(tx, Happening(AT, "operator:1", "create_key"))
    with pytest.raises(DatabaseError, match="never changed"), engine.begin() as tx:
        tx.execute(text(statement))
    assert verified(engine).entries == 1


def test_many_who_write_at_once_make_one_chain(engine):
    failures = []

    def write(name):
        try:
            for turn in range(10):
                with engine.begin() as tx:
                    tell(tx, Happening(AT, f"registrar:{name}", "decide", details={"turn": turn}))
        except Exception as error:  # noqa: BLE001 - told in the main thread
            failures.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    found = verified(engine)
    assert (found.entries, found.breaks) == (60, ())


def test_what_was_rolled_back_is_not_told_and_leaves_no_gap(engine):
    with engine.begin() as tx:
        tell(tx, Happening(AT, "operator:1", "create_key"))
    with engine.connect() as connection, connection.begin() as undone:
        tell(connection, Happening(AT, "operator:1", "create_body"))
        undone.rollback()
    with engine.begin() as tx:
        tell(tx, Happening(AT, "operator:1", "revoke_key"))
    found = verified(engine)
    assert (found.entries, found.breaks) == (2, ())


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit_entries SET principal = 'somebody else' WHERE seq = 2", "not as it was written"),
        ("UPDATE audit_entries SET details = '{\"x\":2}' WHERE seq = 2", "not as it was written"),
        ("DELETE FROM audit_entries WHERE seq = 2", "missing"),
        ("UPDATE audit_entries SET seq = seq + 100 WHERE seq = 2", "missing"),
    ],
)
def test_tampering_is_found(engine, statement, problem):
    for name in ("a", "b", "c"):
        with engine.begin() as tx:
            tell(tx, Happening(AT, f"operator:{name}", "create_key", details={"x": 1}))
    tampered(engine, statement)
    assert problem in "; ".join(map(str, verified(engine).breaks))


def test_an_end_that_was_cut_off_is_found_by_whoever_kept_a_checkpoint(engine):
    for name in ("a", "b", "c"):
        with engine.begin() as tx:
            tell(tx, Happening(AT, f"operator:{name}", "create_key"))
    kept = checkpoint_of(verified(engine).checkpoint)
    with engine.begin() as tx:
        tell(tx, Happening(AT, "operator:d", "create_key"))
    assert verified(engine, kept).breaks == ()
    tampered(engine, "DELETE FROM audit_entries WHERE seq >= 3")
    assert verified(engine).breaks == ()
    assert [found.seq for found in verified(engine, kept).breaks] == [3]


def test_a_chain_that_was_made_anew_is_found_by_whoever_kept_a_checkpoint(engine, databases):
    with engine.begin() as tx:
        tell(tx, Happening(AT, "operator:a", "create_key"))
    kept = checkpoint_of(verified(engine).checkpoint)
    with databases.migrated() as url, factories.database(url) as other:
        with other.begin() as tx:
            tell(tx, Happening(AT, "operator:b", "create_key"))
        assert [found.seq for found in verified(other, kept).breaks] == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET reason = 'No reason.' WHERE kind = 'suspended'",
        "UPDATE decisions SET effective_on = '2025-07-02', through = NULL WHERE kind = 'suspended'",
        "UPDATE decisions SET recorded_by = 'nobody' WHERE kind = 'granted'",
        "UPDATE events SET day = '2025-01-02' WHERE seq = 2",
        "DELETE FROM events WHERE seq = 2",
    ],
)
def test_an_altered_fact_is_found(vouched, statement):
    assert verified(vouched).breaks == ()
    with vouched.begin() as tx:
        assert tx.execute(text(statement)).rowcount >= 1
    (found,) = verified(vouched).breaks
    assert "are not as they were recorded" in found.problem


def test_an_erased_private_note_is_no_alteration(vouched):
    with vouched.begin() as tx:
        assert tx.execute(text("UPDATE decisions SET private_note = NULL")).rowcount >= 1
    assert verified(vouched).breaks == ()


def test_facts_of_many_are_vouched_for_in_parts(engine, monkeypatch):
    monkeypatch.setattr(store, "VOUCHED_AT_ONCE", 4)
    with engine.begin() as tx:
        body = factories.make_body(tx)
        for _ in range(9):
            factories.make_registration(tx, body)
    assert vouch_for_all(engine.begin, at=AT) > 1
    assert vouch_for_all(engine.begin, at=AT) == 0
    assert verified(engine).breaks == ()
    with engine.begin() as tx:
        tx.execute(text("UPDATE decisions SET recorded_by = 'nobody'"))
    assert len(verified(engine).breaks) > 1
