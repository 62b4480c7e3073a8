"""Public reads from replicas: which are read from, and that no answer claims to know more than it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import event

from registry.store.database import db
from tests.support.replicated import BODY, LAG, Asking, Register, as_of, asking
from tests.support.replication import Server, wait_until

BOTH = ("replica-1", "replica-2")


@pytest.fixture(scope="module")
def asked(shared: Register) -> Iterator[Asking]:
    with asking(shared) as made:
        yield made


@pytest.fixture
def ask(asked: Asking) -> Asking:
    asked.wait_until_read_from(*BOTH)
    return asked


@pytest.fixture
def fresh(shared: Register) -> Iterator[Asking]:
    """One whose engines a test may meddle with."""
    with asking(shared) as made:
        made.wait_until_read_from(*BOTH)
        yield made


@pytest.fixture
def one(shared: Register) -> Iterator[Server]:
    """The first replica, left as it was."""
    replica = shared.cluster.replicas[0]
    yield replica
    replica.resume()


@pytest.fixture
def paused(shared: Register) -> Iterator[None]:
    """Both replicas show nothing new."""
    for replica in shared.cluster.replicas:
        replica.pause()
    yield
    for replica in shared.cluster.replicas:
        replica.resume()


def test_the_public_reads_from_each_replica_in_turn(ask: Asking, shared: Register) -> None:
    number = shared.anyone
    for path in (
        f"/v1/bodies/{BODY}/registrations/{number}/verification",
        f"/v1/bodies/{BODY}/registrations/{number}",
        "/v1/bodies",
        f"/v1/bodies/{BODY}",
        f"/v1/practitioners?number={number}",
        f"/check/{BODY}/{number}",
        f"/?q={number}",
    ):
        turns = {tuple(ask.sources(partial(ask.get, path))) for _ in range(4)}
        assert turns == {("replica-1",), ("replica-2",)}, path


def test_an_answer_is_the_same_from_a_replica_but_for_its_moment(ask: Asking, shared: Register) -> None:
    number = shared.anyone
    before = datetime.now(UTC)
    replicas, primary = ask.verify(number), ask.verify(number, headers=ask.keyed())
    assert ask.sources(lambda: ask.verify(number, headers=ask.keyed()))[-1] == "primary"
    assert replicas.headers["ETag"] == primary.headers["ETag"]
    assert before - timedelta(seconds=LAG) <= as_of(replicas) < datetime.now(UTC)
    assert as_of(primary) >= before
    assert "Registry-As-Of" in replicas.headers
    assert "Registry-As-Of" not in primary.headers
    told, same = replicas.get_json(), primary.get_json()
    del told["as_of"], same["as_of"]
    assert told == same
    known = {"If-None-Match": primary.headers["ETag"]}
    assert {ask.verify(number, headers=known).status_code for _ in range(4)} == {304}


def test_an_answer_from_a_replica_is_kept_so_much_shorter(ask: Asking, shared: Register) -> None:
    number = shared.anyone
    kept = f"/v1/bodies/{BODY}/registrations/{number}/verification?on=2026-06-01"
    for path in (kept, "/v1/bodies"):
        seconds = ask.get(path).headers["Cache-Control"].removeprefix("public, max-age=").partition(",")[0]
        assert 60 - LAG <= int(seconds) <= 59
        keyed = ask.get(path, headers=ask.keyed()).headers["Cache-Control"]
        assert keyed == "public, max-age=59, must-revalidate"


def test_no_answer_says_yes_as_of_an_instant_after_the_suspension(
    ask: Asking, shared: Register, one: Server
) -> None:
    number, authorization = shared.someone()
    one.pause()
    assert ask.suspend(authorization).status_code == 201
    recorded = datetime.now(UTC)
    began, answers = time.monotonic(), []
    while time.monotonic() - began < LAG + 2:
        response = ask.verify(number)
        answers.append((response.get_json()["authorized"], time.monotonic() - began))
        if response.get_json()["authorized"]:
            assert as_of(response) < recorded
    assert any(yes for yes, _ in answers), "nobody read from the replica that was paused"
    assert max(after for yes, after in answers if yes) <= LAG
    ask.wait_until_read_from("replica-2")
    one.resume()
    ask.wait_until_read_from(*BOTH)
    assert not any(ask.verify(number).get_json()["authorized"] for _ in range(4))


def test_who_records_something_sees_it_at_once_however_far_the_replicas_are_behind(
    ask: Asking, shared: Register, paused: None
) -> None:
    number, authorization = shared.someone()
    assert ask.suspend(authorization).status_code == 201
    for path in (
        f"/v1/bodies/{BODY}/registrations/{number}/verification?technique=dry_needling",
        f"/v1/bodies/{BODY}/registrations/{number}",
        f"/v1/practitioners?number={number}",
    ):
        assert "suspended" in ask.get(path, headers=ask.keyed()).text, path
    asked = {"questions": [{"body": BODY, "number": number, "technique": "dry_needling"}]}
    answer = ask.client.post("/v1/verifications", json=asked, headers=ask.keyed())
    assert [each["authorized"] for each in answer.get_json()["answers"]] == [False]


def test_when_every_replica_is_too_far_behind_the_primary_answers(
    ask: Asking, shared: Register, paused: None
) -> None:
    number, authorization = shared.someone()
    assert ask.suspend(authorization).status_code == 201
    ask.wait_until_read_from()
    before = datetime.now(UTC)
    response = ask.verify(number)
    assert response.get_json()["authorized"] is False
    assert as_of(response) >= before
    assert "Registry-As-Of" not in response.headers


def test_a_register_in_which_nothing_happens_is_no_lag(ask: Asking) -> None:
    began = time.monotonic()
    while time.monotonic() - began < LAG + 1:
        time.sleep(0.1)
        assert {source.replica is not None for source in ask.replicas._fit(LAG)} == {True}


def test_what_was_known_at_an_instant_is_told_only_by_who_knew_it(
    ask: Asking, shared: Register, paused: None
) -> None:
    number = shared.anyone
    ask.wait_until_read_from()  # so that a replica which answered would answer too early an instant
    asked = datetime.now(UTC) - timedelta(seconds=LAG / 2)
    query = f"technique=dry_needling&known_at={asked.isoformat().replace('+00:00', 'Z')}"
    assert ask.sources(lambda: ask.verify(number, query)) == ["primary"]


def test_what_was_known_long_ago_any_replica_tells(ask: Asking, shared: Register) -> None:
    number = shared.anyone
    query = "technique=dry_needling&known_at=2026-02-01T00:00:00Z"
    assert ask.sources(lambda: ask.verify(number, query))[0] in BOTH


def test_questions_by_the_thousand_are_answered_by_replicas_too(ask: Asking, shared: Register) -> None:
    number = shared.anyone
    asked = {"questions": [{"body": BODY, "number": number, "technique": "dry_needling"}] * 1200}
    before = datetime.now(UTC)

    def post():
        return ask.client.post("/v1/verifications", json=asked)

    assert ask.sources(post)[0] in BOTH
    answers = post().get_json()["answers"]
    assert len(answers) == 1200
    for each in (answers[0], answers[-1]):
        assert each["authorized"]
        claimed = datetime.fromisoformat(each["as_of"])
        assert before - timedelta(seconds=LAG) <= claimed <= datetime.now(UTC)


@pytest.mark.parametrize("many", [1, 2])
def test_a_read_that_breaks_off_is_answered_from_elsewhere(
    fresh: Asking, shared: Register, many: int
) -> None:
    """The connection is cut after the statement was sent for, in the midst of a request."""
    number = shared.anyone
    cut: list[str] = []
    with fresh.app.app_context():
        engines = [
            (db.engines[name], server) for name, server in zip(BOTH, shared.cluster.replicas, strict=True)
        ]
    for engine, server in engines:

        @event.listens_for(engine, "before_cursor_execute")
        def sever(connection: object, *_: object, server: Server = server) -> None:
            if len(cut) < many:
                cut.append(server.home.name)
                pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[attr-defined]  # psycopg's
                server.execute(f"SELECT pg_terminate_backend({pid}, 10000)")

    paths = [f"/v1/practitioners?number={number}", f"/v1/bodies/{BODY}"][:many]
    for path in paths:
        assert fresh.sources(partial(fresh.get, path))[1:] == ["primary"]
    assert len(cut) == many
    fresh.wait_until_read_from(*BOTH)


def test_a_replica_that_lacks_a_table_yet_leaves_the_answer_to_the_primary(
    fresh: Asking, shared: Register
) -> None:
    """As after a migration that it has not replayed: here it is the statement that asks for too much."""
    with fresh.app.app_context():
        engines = [db.engines[name] for name in BOTH]
    for engine in engines:

        @event.listens_for(engine, "before_cursor_execute", retval=True)
        def ask_for_more(*given: object) -> tuple[object, object]:
            return str(given[2]).replace("FROM bodies", "FROM bodies_to_come"), given[3]

    assert fresh.sources(lambda: fresh.get("/v1/bodies"))[1:] == ["primary"]


def test_a_replica_that_is_killed_costs_no_answer_and_is_read_from_again_when_it_is_back(
    ask: Asking, shared: Register
) -> None:
    number = shared.anyone
    replica = shared.cluster.replicas[1]
    replica.kill()
    try:
        answers = {ask.verify(number).status_code for _ in range(20)}
        answers |= {ask.get(f"/v1/practitioners?number={number}").status_code for _ in range(10)}
        assert answers == {200}
        ask.wait_until_read_from("replica-1")
    finally:
        replica.start()
    ask.wait_until_read_from(*BOTH)


def test_a_replica_that_hangs_keeps_a_request_waiting_for_a_bounded_time(
    ask: Asking, shared: Register
) -> None:
    number = shared.anyone
    replica = shared.cluster.replicas[1]
    for _ in range(4):
        ask.verify(number)  # so that connections to it are open
    replica.freeze()
    try:
        assert {ask.verify(number).status_code for _ in range(4)} == {200}
        ask.wait_until_read_from("replica-1")
        assert {ask.verify(number).status_code for _ in range(4)} == {200}
    finally:
        replica.thaw()
    ask.wait_until_read_from(*BOTH)


def test_a_server_that_is_readied_is_told_of_apart(ask: Asking, shared: Register, paused: None) -> None:
    checks = {check["check"]: check["state"] for check in ask.get("/readyz").get_json()["checks"]}
    assert (checks["public_reads"], checks["database"]) == ("ok", "ok")


def test_each_process_looks_for_itself_even_one_that_was_forked(fresh: Asking) -> None:
    fresh.replicas._process = -1  # as it is in a child, which has none of the threads
    threads = fresh.replicas._threads
    fresh.get("/v1/bodies")
    assert fresh.replicas._threads != threads
    for thread in threads:
        assert thread.is_alive()


def test_nothing_is_looked_at_before_somebody_reads(shared: Register) -> None:
    with asking(shared) as quiet:
        assert quiet.replicas._threads == []
        quiet.get("/healthz")
        assert quiet.replicas._threads == []


def test_a_beat_that_cannot_be_made_leaves_the_reads_to_the_primary(shared: Register) -> None:
    """The code is newer than the schema, say: the register is read all the same, just not from replicas."""
    primary = shared.cluster.primary
    primary.execute("ALTER TABLE beats RENAME TO beats_of_old")
    try:
        with asking(shared) as ask:
            assert ask.sources(lambda: ask.get("/v1/bodies")) == ["primary"]
            wait_until(ask.replicas._seen.is_set)
            assert ask.sources(lambda: ask.get("/v1/bodies")) == ["primary"]
            assert not ask.replicas.is_lost()
    finally:
        primary.execute("ALTER TABLE beats_of_old RENAME TO beats")
    with asking(shared) as ask:
        ask.wait_until_read_from(*BOTH)
