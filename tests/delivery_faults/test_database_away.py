"""The database goes away for ten seconds, and comes back: feed and deliveries go on."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from flask import Flask

from registry.http.clinic.waiting import feed_watch
from registry.settings import Settings
from registry.store.database import writing
from registry.store.schema import upgrade
from tests.support import run_directory
from tests.support.application import running
from tests.support.databases import PostgresDatabases
from tests.support.factories import database, make_key
from tests.support.figures import Figures
from tests.support.hooks import Hooks, delivering, recording, until
from tests.support.postgres import SETTINGS, make_home, run, where_readable, with_first_that_works

AWAY_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of this test's own, which may go away."""

    binaries: Path
    home: Path
    account: Mapping[str, Any]

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.home}"

    def control(self, *words: str) -> None:
        program, data = str(self.binaries / "pg_ctl"), str(self.home / "data")
        run([program, *words, "-w", "-D", data, "-l", str(self.home / "log")], self.home, self.account)

    def start(self) -> None:
        self.control("start")

    def kill(self) -> None:
        """As a crash would: nobody is told."""
        self.control("stop", "-m", "immediate")


@contextmanager
def server() -> Iterator[Server]:
    """A server whose register is migrated and empty."""
    found = with_first_that_works(_made)
    try:
        upgrade(found.url)
        yield found
    finally:
        with suppress(CalledProcessError):  # where it is away already
            found.kill()
        shutil.rmtree(found.home, ignore_errors=True)


def _made(source: str, binaries: Path) -> Server:
    home = run_directory.path() / f"away-{source}-{os.getpid()}"
    account = make_home(home)
    found = Server(where_readable(binaries, home, account), home, account)
    made = ["--pgdata", str(home / "data"), "--username", "postgres", "--auth", "trust"]
    made += ["--encoding", "UTF8", "--locale", "C", "--no-sync"]
    run([str(found.binaries / "initdb"), *made], home, account)
    with (home / "data" / "postgresql.conf").open("a") as configuration:
        configuration.write(f"{SETTINGS}unix_socket_directories = '{home}'\n")
    found.start()
    return found


def test_feed_and_deliveries_go_on_when_the_database_was_away(
    postgresql_databases: PostgresDatabases, figures: Figures
) -> None:
    with (
        recording() as recorder,
        server() as primary,
        database(primary.url) as engine,
    ):
        hooks = Hooks(engine)
        hooks.register()
        (webhook,) = hooks.subscribe(recorder.url("hook"))
        before = len(hooks.events())
        with running(Settings(database_url=primary.url)) as app, delivering(primary.url):
            with app.app_context(), writing() as tx:
                key, watch = make_key(tx), feed_watch()
            hooks.register()
            until(lambda: len(recorder.ids("hook")) == 1)
            place = ask(app, key, "after=now")["next"]
            with ThreadPoolExecutor(1) as threads:
                asked = threads.submit(ask, app, key, f"after={place}&wait=60")
                until(lambda: watch._newest > 0)
                primary.kill()
                time.sleep(AWAY_SECONDS)
                primary.start()
                back = time.monotonic()
                engine.dispose()
                hooks.register()
                assert len(asked.result(60)["items"]) == 1
                figures.add("feed after the database was away", time.monotonic() - back, "s")
                hooks.register(2)
                expected = hooks.events()[before:]
                until(lambda: recorder.ids("hook")[-1:] == expected[-1:])
                figures.add("deliveries after the database was away", time.monotonic() - back, "s")
            until(lambda: hooks.state(webhook).after_event == expected[-1])
    # What was sent when the database went, and could not be marked, is sent again: under its own id.
    assert list(dict.fromkeys(recorder.ids("hook"))) == expected


def ask(app: Flask, key: str, query: str) -> dict[str, Any]:
    response = app.test_client().get(f"/v1/changes?{query}", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.get_json()
    return page
