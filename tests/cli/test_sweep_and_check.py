"""``registry sweep`` and ``registry check``, as they are typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import func, select, update

from registry.cli import main
from registry.store import tables
from registry.store.runs import SWEEP, last_run
from tests.support.factories import database, make_body, make_registration
from tests.support.serving import eventually

NOW = datetime(2026, 3, 1, 18, tzinfo=UTC)


@pytest.fixture
def run(database_url, monkeypatch):
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)

    def typed(*words):
        with time_machine.travel(NOW, tick=False):
            return CliRunner().invoke(main, words)

    return typed


@pytest.fixture
def registered(database_url):
    with database(database_url) as engine, engine.begin() as tx:
        return make_registration(tx, make_body(tx), through=date(2026, 2, 20))


def events(database_url):
    e = tables.events
    with database(database_url) as engine, engine.begin() as tx:
        return tx.execute(select(func.count()).where(e.c.announces.is_not(None))).scalar_one()


def test_a_sweep_tells_what_it_did_for_each_body(run, registered, database_url):
    result = run("sweep")
    assert result.exit_code == 0, result.output
    assert result.output == "ca-xx: through 2026-03-01, 3 announced, 0 resolved\n"
    assert run("sweep").output == "ca-xx: through 2026-03-01, 0 announced, 0 resolved\n"
    assert events(database_url) == 3


def test_a_sweep_through_an_earlier_day_and_not_a_later_one(run, registered):
    assert "through 2026-02-20, 2 announced" in run("sweep", "--on", "2026-02-20").output
    refused = run("sweep", "--on", "2026-03-02")
    assert refused.exit_code == 1
    assert "has not come yet" in refused.output
    assert "Traceback" not in refused.output
    assert run("sweep", "--on", "soon").exit_code == 2


def last_sweep(database_url):
    with database(database_url) as engine, engine.connect() as connection:
        return last_run(connection, SWEEP)


def test_sweeping_goes_on_until_it_is_stopped(registered, database_url):
    """Each sweep is noted; what it announced is logged; SIGTERM lets it end well."""
    command = [sys.executable, "-m", "registry.cli", "sweep", "--every", "1"]
    environment = {**os.environ, "REGISTRY_DATABASE_URL": database_url}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as sweeping:
        try:
            eventually(lambda: last_sweep(database_url), "it does not sweep")
            first = last_sweep(database_url)
            eventually(lambda: last_sweep(database_url) > first, "it does not sweep again")
        finally:
            sweeping.send_signal(signal.SIGTERM)
        assert sweeping.stderr is not None
        (line,) = sweeping.stderr.read().splitlines()
    told = json.loads(line)
    assert (told["event"], told["body"], told["resolved"]) == ("swept", "ca-xx", 0)
    assert told["announced"] == events(database_url) > 0
    assert sweeping.returncode == 0


def test_a_check_is_silent_or_counts_where_nothing_differs(run, registered):
    result = run("check")
    assert (result.exit_code, result.output) == (0, "1 registrations checked, 0 differences.\n")
    assert run("check", "--quiet").output == ""


def test_a_check_names_what_differs_and_exits_with_1_until_it_is_repaired(run, registered, database_url):
    with database(database_url) as engine, engine.begin() as tx:
        tx.execute(update(tables.bodies).values(document='{"rules":[]}'))
        tx.execute(update(tables.entries).values(document="{}"))
    result = run("check")
    assert result.exit_code == 1
    assert "bodies: ca-xx: document: " in result.output
    assert result.output.endswith("0 registrations checked, 1 differences.\n")
    mended = run("check", "--repair")
    assert mended.exit_code == 0, mended.output
    assert "1 repaired" in mended.output
    assert run("check").exit_code == 0


def test_what_cannot_be_repaired_is_told_and_exits_with_1(run, registered, database_url):
    with database(database_url) as engine, engine.begin() as tx:
        tx.execute(update(tables.decisions).values(report='{"word": "Active"}'))
    result = run("check", "--repair")
    assert result.exit_code == 1
    assert "facts: cannot be read" in result.output
    assert "0 repaired" in result.output
