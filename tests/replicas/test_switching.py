"""The primary goes away, and another takes its place: the same processes go on, with nobody's help."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from registry.store.database import PUBLIC, db
from tests.support import run_directory
from tests.support.figures import Figures
from tests.support.postgres import PostgresUnavailableError
from tests.support.replicated import BODY, LAG, Asking, Register, as_of, asking, running_register
from tests.support.replication import wait_until

BOTH = ("replica-1", "replica-2")


@pytest.fixture
def ask(own: Register) -> Iterator[Asking]:
    with asking(own) as made:
        made.wait_until_read_from(*BOTH)
        yield made


def is_refused_for_now(response: TestResponse) -> bool:
    return response.status_code == 503 and int(response.headers["Retry-After"]) > 0


def seconds_until(done: Callable[[], bool], what: str) -> float:
    began = time.monotonic()
    wait_until(done, what)
    return time.monotonic() - began


def test_a_promoted_replica_takes_over_without_a_restart(
    ask: Asking, own: Register, figures: Figures
) -> None:
    first, (promoted, other) = own.cluster.primary, own.cluster.replicas
    number, authorization = own.someone()
    page = f"/check/{BODY}/{number}"
    assert "cannot be reached" not in ask.get(page).text
    first.kill()
    killed = datetime.now(UTC)

    # Who changes or holds a key is told to wait; the public is answered, and told as of when.
    assert is_refused_for_now(ask.suspend(authorization))
    assert is_refused_for_now(ask.verify(number, headers=ask.keyed()))
    began, instants = time.monotonic(), []
    while time.monotonic() - began < LAG + 1:
        response = ask.verify(number)
        assert response.status_code == 200
        instants.append(as_of(response))
    assert max(instants) <= killed
    assert killed - min(instants) < timedelta(minutes=1)
    assert ask.get(f"/v1/practitioners?number={number}").status_code == 200
    ready = ask.get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "degraded")
    assert "This page shows what it knew on" in ask.get(page).text
    assert ask.get(page).headers["Cache-Control"] == "no-store"

    # A process that was started meanwhile answers, too.
    with asking(own) as newcomer:
        response = newcomer.verify(number)
        assert response.status_code == 200
        assert killed - timedelta(minutes=1) < as_of(response) <= killed

    # Another server is promoted.
    promoted.promote()
    switched = seconds_until(lambda: ask.suspend(authorization).status_code == 201, "a change is taken")
    recorded = datetime.now(UTC)
    assert ask.verify(number, headers=ask.keyed()).get_json()["authorized"] is False
    other.follow(promoted)
    ask.wait_until_read_from("replica-2")
    response = ask.verify(number)
    assert response.get_json()["authorized"] is False
    wait_until(lambda: as_of(ask.verify(number)) > recorded, "what was recorded after the switch")

    # The server that was left behind comes back, and takes writes: nobody gives it any, or believes it.
    promoted.freeze()
    first.start()
    assert first.execute("SELECT pg_is_in_recovery()") is False
    with ask.app.app_context():
        for engine in (db.engine, db.engines[PUBLIC]):
            engine.dispose()
    began = time.monotonic()
    while time.monotonic() - began < LAG:
        assert is_refused_for_now(ask.verify(number, headers=ask.keyed()))
        assert ask.verify(number).get_json()["authorized"] is False
    first.kill()
    promoted.thaw()
    back = seconds_until(
        lambda: ask.verify(number, headers=ask.keyed()).status_code == 200, "the promoted one is back"
    )
    figures.add("a change is taken after a promotion", switched, "s")
    figures.add("a registrar is answered after a hang", back, "s")


def test_those_who_wait_for_events_go_on_waiting_at_the_promoted_server(ask: Asking, own: Register) -> None:
    _, authorization = own.someone()
    newest = ask.get("/v1/changes?limit=1000", headers=ask.keyed()).get_json()["next"]
    assert ask.get(f"/v1/changes?after={newest}&wait=1", headers=ask.keyed()).get_json()["items"] == []
    own.cluster.primary.kill()
    own.cluster.replicas[0].promote()
    wait_until(lambda: ask.suspend(authorization).status_code == 201, "a change is taken")
    page = ask.get(f"/v1/changes?after={newest}&wait=30", headers=ask.keyed()).get_json()
    assert [item["type"] for item in page["items"]] == ["authorization.suspended"]


def test_a_replica_that_lacked_too_much_when_the_primary_went_does_not_answer() -> None:
    try:
        with running_register(run_directory.path(), replicas=1) as register, asking(register) as ask:
            (replica,) = register.cluster.replicas
            number, authorization = register.someone()
            ask.wait_until_read_from("replica-1")
            replica.pause()
            assert ask.suspend(authorization).status_code == 201
            wait_until(lambda: not ask.replicas._enduring(LAG * 5), "it lacks too much")
            register.cluster.primary.kill()
            assert is_refused_for_now(ask.verify(number))
            with asking(register) as newcomer:
                assert is_refused_for_now(newcomer.verify(number))
            assert ask.get("/readyz").status_code == 503
            replica.resume()
            wait_until(lambda: ask.verify(number).status_code == 200, "it has caught up")
            assert ask.verify(number).get_json()["authorized"] is False
    except PostgresUnavailableError as error:
        pytest.skip(str(error))


def test_a_primary_that_hangs_holds_up_no_public_read(shared: Register) -> None:
    with asking(shared, replica_lag_seconds=5) as ask:
        ask.wait_until_read_from(*BOTH)
        assert ask.get("/readyz").get_json()["status"] == "degraded"  # nobody has swept yet
        shared.cluster.primary.freeze()
        try:
            ready = ask.get("/readyz")
            assert ready.status_code == 200
            began = time.monotonic()
            while time.monotonic() - began < 5:
                assert ask.verify(shared.anyone).status_code == 200
            assert ask.replicas.is_lost()
            ready = ask.get("/readyz")
            assert (ready.status_code, ready.get_json()["status"]) == (200, "degraded")
        finally:
            shared.cluster.primary.thaw()
        wait_until(lambda: not ask.replicas.is_lost(), "it is heard from again")
        assert ask.verify(shared.anyone, headers=ask.keyed()).status_code == 200


def test_a_primary_that_takes_no_writes_any_more_is_left_and_found_again(shared: Register) -> None:
    """As behind an address that leads to another server by now: the connections are whole, and of no use."""
    primary = shared.cluster.primary
    _, authorization = shared.someone()
    with asking(shared) as ask:
        assert ask.suspend("00000000-0000-7000-8000-000000000000").status_code == 404  # connections are open
        primary.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        primary.execute("SELECT pg_reload_conf()")
        try:
            wait_until(lambda: primary.execute("SHOW transaction_read_only") == "on")
            wait_until(lambda: is_refused_for_now(ask.suspend(authorization)), "a change is refused")
            assert ask.verify(shared.anyone).status_code == 200
        finally:
            primary.execute("ALTER SYSTEM RESET default_transaction_read_only")
            primary.execute("SELECT pg_reload_conf()")
        wait_until(lambda: ask.suspend(authorization).status_code == 201, "a change is taken again")
