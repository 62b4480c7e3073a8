"""``registry audit``, as it is typed; and what commands tell the audit."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from registry.cli import main
from tests.support import factories


@pytest.fixture
def run(database_url, monkeypatch):
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    return lambda *words: CliRunner().invoke(main, words)


def test_a_checkpoint_that_was_kept_holds_the_register_to_it(run, database_url):
    assert run("keys", "create", "--role", "operator", "--label", "Ops").exit_code == 0
    first = run("audit", "verify")
    assert first.exit_code == 0, first.output
    checkpoint = first.stdout.strip()
    assert checkpoint.startswith("1:")
    run("keys", "create", "--role", "clinic", "--label", "Clinic")
    assert run("audit", "verify", "--kept", checkpoint).exit_code == 0
    assert run("audit", "verify", "--kept", f"1:{'0' * 64}").exit_code == 1
    wrong = run("audit", "verify", "--kept", "yesterday")
    assert wrong.exit_code == 2
    assert "a number, a colon and 64 hexadecimal digits" in wrong.output


def test_what_was_altered_is_named_and_the_exit_status_says_so(run, database_url):
    with factories.database(database_url) as engine, engine.begin() as tx:
        factories.make_registration(tx, factories.make_body(tx))
    assert run("audit", "verify", "--quiet").exit_code == 0
    with factories.database(database_url) as engine, engine.begin() as tx:
        tx.execute(text("UPDATE decisions SET recorded_by = 'nobody'"))
    broken = run("audit", "verify")
    assert broken.exit_code == 1
    assert "BROKEN entry 1: events 1 to" in broken.output


def test_commands_tell_what_they_did_and_by_whom(run):
    run("keys", "create", "--role", "operator", "--label", "Ops")
    key_id = run("keys", "list").output.split("\t")[0]
    run("keys", "revoke", key_id)
    lines = [json.loads(line) for line in run("audit", "export").output.splitlines()]
    assert [line["action"] for line in lines] == ["create_key", "revoke_key"]
    assert lines[1]["details"] == {"key_id": key_id}
    assert all(line["principal"].startswith("cli") and line["address"] is None for line in lines)
    assert lines[1]["previous"] == lines[0]["hash"]


def test_a_command_that_failed_tells_nothing(run):
    assert run("keys", "revoke", "00000000-0000-7000-8000-000000000000").exit_code == 1
    assert run("audit", "export").output == ""
