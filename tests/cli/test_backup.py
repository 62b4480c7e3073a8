"""``registry backup`` and ``registry restore``: nothing is lost, on either engine and between them."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from registry.cli import main
from registry.demo import load_demonstration
from registry.domain.audit_chain import Happening
from registry.domain.vocabulary import DecisionKind
from registry.services import audit
from registry.services.backups import MANIFEST, back_up
from registry.store import archive, schema
from registry.store.feed import newest_event
from tests.support import factories

AT = datetime(2026, 3, 1, 18, tzinfo=UTC)
WHAT_A_RESTORE_ADDS = {"audit_entries": 1}


@pytest.fixture(scope="module")
def filled_sqlite(sqlite_databases):
    """A register with people in every standing, imports, merges and lapses; to be read, not changed."""
    yield from _filled(sqlite_databases)


@pytest.fixture(scope="module")
def filled_postgresql(postgresql_databases):
    yield from _filled(postgresql_databases)


def _filled(databases) -> Iterator[str]:
    with databases.migrated() as url:
        with factories.database(url) as engine, engine.begin() as tx:
            load_demonstration(tx, at=AT)
            factories.make_key(tx)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def filled_url(request):
    return request.getfixturevalue(f"filled_{request.param}")


@pytest.fixture
def run(monkeypatch):
    def typed(url, *words):
        monkeypatch.setenv("REGISTRY_DATABASE_URL", url)
        return CliRunner().invoke(main, [str(word) for word in words])

    return typed


def rows(url) -> dict[str, list[str]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return {t.name: sorted(archive.lines_of(connection, t)) for t in archive.tables_of(connection)}
    finally:
        engine.dispose()


def assert_the_same(before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    assert before.keys() == after.keys()
    for name, kept in before.items():
        more = WHAT_A_RESTORE_ADDS.get(name, 0)
        assert len(after[name]) == len(kept) + more, name
        assert set(kept) <= set(after[name]), name


def test_what_is_restored_is_what_was_there_whichever_engine_it_was_and_is(
    run, filled_url, empty_database_url, tmp_path
):
    file = tmp_path / "register.zip"
    made = run(filled_url, "backup", file)
    assert made.exit_code == 0, made.output
    before = rows(filled_url)
    restored = run(empty_database_url, "restore", file)
    assert restored.exit_code == 0, restored.output
    assert "The audit is unbroken; 0 differences." in restored.output
    assert_the_same(before, rows(empty_database_url))


def test_what_is_restored_can_be_worked_with(run, filled_url, empty_database_url, tmp_path):
    """Events go on behind the highest number that was ever given, so that cursors stay good."""
    run(filled_url, "backup", tmp_path / "register.zip")
    assert run(empty_database_url, "restore", tmp_path / "register.zip").exit_code == 0
    with factories.database(empty_database_url) as engine:
        with engine.begin() as tx:
            newest, _ = newest_event(tx)
            factories.make_registration(tx, factories.make_body(tx, "xx-new"))
        with engine.connect() as connection:
            assert newest_event(connection)[0] > newest
    assert run(empty_database_url, "audit", "verify").exit_code == 0
    assert run(empty_database_url, "check", "--quiet").exit_code == 0


def test_a_number_that_was_given_once_is_not_given_again(run, database_url, databases, tmp_path):
    with factories.database(database_url) as engine, engine.begin() as tx:
        factories.make_registration(tx, factories.make_body(tx))
        newest, _ = newest_event(tx)
        tx.execute(text("DELETE FROM events WHERE seq = :seq"), {"seq": newest})
    run(database_url, "backup", tmp_path / "register.zip")
    with databases.empty() as url:
        assert run(url, "restore", tmp_path / "register.zip").exit_code == 0
        with factories.database(url) as engine, engine.begin() as tx:
            factories.make_registration(tx, factories.make_body(tx, "xx-new"))
            assert newest_event(tx)[0] > newest


@contextmanager
def writers(url, count) -> Iterator[list[str]]:
    """So many who register people and suspend them, as quickly as they can; yields what was acknowledged."""
    acknowledged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.005):  # SQLite lets waiters in by chance: nobody may crowd the others out
            with engine.begin() as tx:
                record = factories.make_registration(tx, body, number=f"N-{audit_id()}")
                factories.decide(tx, record, DecisionKind.SUSPENDED, date(2025, 7, 1))
                audit.tell(tx, Happening(AT, "operator:tests", "suspend"))
            acknowledged.append(record.id)

    def audit_id() -> str:
        return f"{threading.get_ident()}-{len(acknowledged)}"

    with factories.database(url) as engine:
        with engine.begin() as tx:
            body = factories.make_body(tx)
        threads = [threading.Thread(target=write) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield acknowledged
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def test_a_backup_under_load_is_of_one_moment_and_holds_all_that_was_acknowledged_before(
    run, database_url, databases, tmp_path
):
    file = tmp_path / "register.zip"
    with writers(database_url, 3) as acknowledged:
        while len(acknowledged) < 5:
            pass
        before = list(acknowledged)
        made = run(database_url, "backup", file)
        assert made.exit_code == 0, made.output
        while len(acknowledged) < len(before) + 5:
            pass
    with databases.empty() as url:
        restored = run(url, "restore", file)
        assert restored.exit_code == 0, restored.output
        assert "The audit is unbroken; 0 differences." in restored.output
        after = rows(url)
        kept = {json.loads(line)[0] for line in after["registrations"]}
        assert set(before) <= kept
        assert len(kept) < len(rows(database_url)["registrations"])
        suspended = [line for line in after["decisions"] if '"suspended"' in line]
        assert len(suspended) == len(kept)


def test_it_is_readable_by_its_owner_alone_and_replaces_nothing(run, sqlite_url, tmp_path):
    file = tmp_path / "register.zip"
    assert run(sqlite_url, "backup", file).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    again = run(sqlite_url, "backup", file)
    assert again.exit_code == 1
    assert "replaces nothing" in again.output
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_backup_that_fails_leaves_nothing_behind(sqlite_url, tmp_path):
    @contextmanager
    def failing():
        with factories.database(sqlite_url) as engine, engine.connect() as connection:
            yield connection
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        back_up(failing, tmp_path / "register.zip", revision="0007", at=AT)
    assert list(tmp_path.iterdir()) == []


def test_a_restore_replaces_nothing(run, filled_url, database_url, tmp_path):
    run(filled_url, "backup", tmp_path / "register.zip")
    with factories.database(database_url) as engine, engine.begin() as tx:
        factories.make_body(tx)
    before = rows(database_url)
    refused = run(database_url, "restore", tmp_path / "register.zip")
    assert refused.exit_code == 1
    assert "not empty" in refused.output
    assert rows(database_url) == before


def rewritten(file, change) -> None:
    """The archive with some of its members changed: ``change`` gives a member's bytes, or None to drop it."""
    with ZipFile(file) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    file.unlink()
    with ZipFile(file, "w", ZIP_DEFLATED) as whole:
        for name, content in members.items():
            changed = change(name, content)
            if changed is not None:
                whole.writestr(name, changed)


def _without_the_last_row(name, content):
    return content if name != "decisions.jsonl" else content.rsplit(b"\n", 2)[0] + b"\n"


def _with_another_day(name, content):
    return content.replace(b'"2026-', b'"2029-', 1) if name == "decisions.jsonl" else content


def _of_another_format(name, content):
    return content.replace(b'"format": 1', b'"format": 2') if name == MANIFEST else content


def _of_an_unknown_schema(name, content):
    return content.replace(b'"revision": "', b'"revision": "9') if name == MANIFEST else content


def _without_manifest(name, content):
    return None if name == MANIFEST else content


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_without_the_last_row, "not those that were written"),
        (_with_another_day, "not those that were written"),
        (_of_another_format, "has the format 2"),
        (_of_an_unknown_schema, "does not know"),
        (_without_manifest, "not a backup of a register"),
    ],
)
def test_an_archive_that_was_altered_is_refused_and_leaves_the_database_empty(
    run, filled_sqlite, empty_database_url, tmp_path, change, told
):
    file = tmp_path / "register.zip"
    run(filled_sqlite, "backup", file)
    rewritten(file, change)
    refused = run(empty_database_url, "restore", file)
    assert refused.exit_code == 1, refused.output
    assert told in refused.output
    assert "Traceback" not in refused.output
    assert not any(rows(empty_database_url).values())


def test_an_archive_that_was_cut_off_is_refused(run, filled_sqlite, empty_database_url, tmp_path):
    file = tmp_path / "register.zip"
    run(filled_sqlite, "backup", file)
    file.write_bytes(file.read_bytes()[:-2000])
    refused = run(empty_database_url, "restore", file)
    assert refused.exit_code == 1
    assert "not a whole backup" in refused.output
    file.write_bytes(b"not at all")
    assert "not a whole backup" in run(empty_database_url, "restore", file).output


def test_an_interrupted_restore_can_be_made_again(run, filled_sqlite, empty_database_url, tmp_path):
    whole, cut = tmp_path / "whole.zip", tmp_path / "cut.zip"
    run(filled_sqlite, "backup", whole)
    cut.write_bytes(whole.read_bytes())
    rewritten(cut, _without_the_last_row)
    assert run(empty_database_url, "restore", cut).exit_code == 1
    assert run(empty_database_url, "restore", whole).exit_code == 0


def test_an_archive_of_an_older_schema_is_restored_and_migrated(run, database_url, databases, tmp_path):
    """The oldest schema that keeps an audit."""
    with factories.database(database_url) as engine:
        with engine.begin() as tx:
            factories.make_registration(tx, factories.make_body(tx))
            audit.tell(tx, Happening(AT, "operator:tests", "create_registration"))
        engine.dispose()
        schema.downgrade(database_url, "0007")
        with engine.connect() as connection:
            people = connection.execute(text("SELECT count(*) FROM practitioners")).scalar_one()
        back_up(engine.connect, tmp_path / "old.zip", revision="0007", at=AT)
    with databases.empty() as url:
        restored = run(url, "restore", tmp_path / "old.zip")
        assert restored.exit_code == 0, restored.output
        assert len(rows(url)["practitioners"]) == people
        assert run(url, "check", "--quiet").exit_code == 0


def test_a_restore_that_lost_entries_of_the_audit_says_so(run, filled_sqlite, empty_database_url, tmp_path):
    """Whoever alters an archive together with its manifest still breaks the chain."""
    file = tmp_path / "register.zip"
    for _ in range(2):
        run(filled_sqlite, "audit", "verify")
    run(filled_sqlite, "backup", file)
    with ZipFile(file) as whole:
        entries = whole.read("audit_entries.jsonl").splitlines(keepends=True)
    forged = b"".join(line.replace(b"operator", b"registrar") for line in entries[:1]) + b"".join(entries[1:])

    def change(name, content):
        if name == "audit_entries.jsonl":
            return forged.replace(b"cli:", b"cli-", 1)
        if name == MANIFEST:
            from hashlib import sha256

            told = json.loads(content)
            altered = forged.replace(b"cli:", b"cli-", 1)
            told["tables"]["audit_entries"]["sha256"] = sha256(altered).hexdigest()
            return json.dumps(told, indent=1)
        return content

    rewritten(file, change)
    restored = run(empty_database_url, "restore", file)
    assert restored.exit_code == 1, restored.output
    assert "BROKEN entry 1" in restored.output
