"""By way of PgBouncer in transaction mode: each transaction on whichever connection is free; all alike."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from registry.store import feed_watch, schema
from tests.support import run_directory
from tests.support.pooling import CONNECTIONS, pooled, pooled_url
from tests.support.replicated import BODY, Asking, Register, asking

AT_ONCE = 8


@pytest.fixture(scope="session")
def pooler(shared: Register) -> Iterator[Path]:
    """The folder of a PgBouncer before the primary."""
    home = run_directory.path() / f"pgbouncer-{os.getpid()}"
    with pooled(shared.cluster.primary, home):
        yield home


@pytest.fixture
def ask(shared: Register, pooler: Path) -> Iterator[Asking]:
    """All goes by way of it, and there is no other."""
    with asking(shared, database_url=pooled_url(pooler), replica_urls=(), transaction_pooler=True) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_is_left(pooler: Path) -> Iterator[None]:
    """No connection to the server is other than it was at first, whichever they are."""
    yield
    found = {tuple(row) for row in states_of_all(pooler)}
    assert found == {("read committed", "off", '"$user", public', 0, 0, 0)}


STATE = """
SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),
       current_setting('search_path'), (SELECT count(*) FROM pg_prepared_statements),
       (SELECT count(*) FROM pg_listening_channels()),
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
"""


def states_of_all(home: Path) -> list[tuple[object, ...]]:
    """The state of each connection that the pooler has to the server."""
    with ExitStack() as stack:
        states, servers = [], set()
        for _ in range(CONNECTIONS):
            connection = stack.enter_context(psycopg.connect(pooled_url(home), prepare_threshold=None))
            state = connection.execute(STATE).fetchone()
            assert state is not None
            states.append(state)  # its transaction is left open, so the next gets another connection
            servers.add(connection.execute("SELECT pg_backend_pid()").fetchone())
        assert len(servers) == CONNECTIONS
        return states


def test_many_at_once_share_few_connections_with_nothing_prepared(ask: Asking, shared: Register) -> None:
    def ask_often(client: int) -> set[int]:
        headers = ask.keyed() if client % 2 else {}
        paths = [
            f"/v1/bodies/{BODY}/registrations/{shared.anyone}/verification",
            f"/v1/bodies/{BODY}/registrations/{shared.anyone}",
            f"/v1/practitioners?number={shared.anyone}",
            "/v1/bodies",
        ]
        return {ask.get(path, headers=headers).status_code for path in paths * 8}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set().union(*pool.map(ask_often, range(AT_ONCE))) == {200}


def test_a_decision_is_recorded_once_and_seen(ask: Asking, shared: Register) -> None:
    number, authorization = shared.someone()
    key = {"Idempotency-Key": "a-decision-by-way-of-a-pooler"}
    assert ask.suspend(authorization, **key).status_code == 201
    assert ask.verify(number).get_json()["authorized"] is False
    history = ask.get(f"/v1/admin/authorizations/{authorization}", headers=ask.keyed())
    assert history.status_code == 200


def test_questions_by_the_thousand_are_answered(ask: Asking, shared: Register) -> None:
    asked = {"questions": [{"body": BODY, "number": shared.anyone, "technique": "dry_needling"}] * 1200}
    answers = ask.client.post("/v1/verifications", json=asked).get_json()["answers"]
    assert [answer["authorized"] for answer in answers] == [True] * 1200


@pytest.mark.parametrize("direct", [True, False])
def test_who_waits_for_events_is_told_past_the_pooler_or_by_asking(
    shared: Register, pooler: Path, direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    listened = []

    def listening(driver):
        listened.append(driver.info.host)
        return LISTENING(driver)

    monkeypatch.setattr(feed_watch, "_listening", listening)
    url = shared.cluster.primary.url if direct else ""
    _, authorization = shared.someone()
    with asking(
        shared, database_url=pooled_url(pooler), replica_urls=(), transaction_pooler=True, listen_url=url
    ) as ask:
        newest = ask.get("/v1/changes?limit=1000", headers=ask.keyed()).get_json()["next"]
        path = f"/v1/changes?after={newest}&wait=30"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lambda: ask.get(path, headers=ask.keyed()).get_json())
            assert ask.suspend(authorization).status_code == 201
            assert [item["type"] for item in waiting.result()["items"]] == ["authorization.suspended"]
        # Whoever waits the next time does so while something listens, or asks.
        assert ask.get(f"{path[:-2]}1", headers=ask.keyed()).status_code == 200
    assert set(listened) == ({str(shared.cluster.primary.home)} if direct else set())


LISTENING = feed_watch._listening


def test_a_database_is_migrated(shared: Register, pooler: Path) -> None:
    shared.cluster.primary.execute("CREATE DATABASE another TEMPLATE template0")
    url = pooled_url(pooler, "another")
    schema.upgrade(url)
    with psycopg.connect(url, prepare_threshold=None) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (
            schema.newest_revision(),
        )


def test_replicas_are_read_from_beside_a_pooled_primary(shared: Register, pooler: Path) -> None:
    with asking(shared, database_url=pooled_url(pooler), transaction_pooler=True) as ask:
        ask.wait_until_read_from("replica-1", "replica-2")
        assert ask.sources(lambda: ask.verify(shared.anyone))[0] in ("replica-1", "replica-2")
