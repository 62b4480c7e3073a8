"""The database goes away for ten seconds, and comes back: feed and deliveries go on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
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
from tests.support.replication import replicated

AWAY_SECONDS = 10


def test_feed_and_deliveries_go_on_when_the_database_was_away(
    postgresql_databases: PostgresDatabases, figures: Figures
) -> None:
    with (
        recording() as recorder,
        replicated(run_directory.path(), 0, upgrade) as cluster,
        database(cluster.primary.url) as engine,
    ):
        hooks = Hooks(engine)
        hooks.register()
        (webhook,) = hooks.subscribe(recorder.url("hook"))
        before = len(hooks.events())
        with running(Settings(database_url=cluster.primary.url)) as app, delivering(cluster.primary.url):
            with app.app_context(), writing() as tx:
                key, watch = make_key(tx), feed_watch()
            hooks.register()
            until(lambda: len(recorder.ids("hook")) == 1)
            place = ask(app, key, "after=now")["next"]
            with ThreadPoolExecutor(1) as threads:
                asked = threads.submit(ask, app, key, f"after={place}&wait=60")
                until(lambda: watch._newest > 0)
                cluster.primary.kill()
                time.sleep(AWAY_SECONDS)
                cluster.primary.start()
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
    assert recorder.ids("hook") == expected


def ask(app: Flask, key: str, query: str) -> dict[str, Any]:
    response = app.test_client().get(f"/v1/changes?{query}", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.get_json()
    return page
