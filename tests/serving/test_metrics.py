"""Metrics: exact over processes that come and go, of bounded number, and not for the public."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.domain.vocabulary import Outcome, Technique
from registry.http.access import ACCESS
from registry.http.metrics import NO_ROUTE, UNCHANGED, exposition
from tests.support.databases import SqliteDatabases
from tests.support.factories import database, make_authorization, make_body, make_registration
from tests.support.serving import Server, ask, eventually, serving

PATH = "/v1/bodies/ca-ab/registrations/{number}/verification?technique=dry_needling"
COUNT = "registry_http_request_seconds_count"
ANSWERED = {"route": "verify_registration", "status": "200"}


@pytest.fixture(scope="module")
def filled_url(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    with sqlite_databases.migrated() as url:
        with database(url) as engine, engine.begin() as tx:
            record = make_registration(tx, make_body(tx, "ca-ab"), number="PT-1", through=None)
            make_authorization(tx, record, through=None)
        yield url


@pytest.fixture(scope="module")
def server(filled_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), filled_url, WEB_CONCURRENCY="3") as server:
        yield server


def verify(server: Server, times: int, **headers: str) -> list[int]:
    """Ask so many times, from several connections at once."""
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: server.ask(PATH.format(number="PT-1"), **headers), range(times))
        return [answer.status for answer in answers]


def test_requests_and_verdicts_are_counted_exactly_whoever_answered(server: Server) -> None:
    before = server.metrics()
    assert verify(server, 120) == [200] * 120
    etag = server.ask(PATH.format(number="PT-1")).headers["etag"]
    assert verify(server, 30, **{"If-None-Match": etag}) == [304] * 30
    assert server.ask(PATH.format(number="none")).status == 200
    assert server.ask("/nowhere/Jane-Doe").status == 404
    found = server.metrics()

    def count(name: str, **labels: str) -> float:
        sample = name, tuple(sorted(labels.items()))
        return found[sample] - before.get(sample, 0)

    assert count(COUNT, **ANSWERED) == 122
    assert count(COUNT, route="verify_registration", status="304") == 30
    assert count(COUNT, route=NO_ROUTE, status="404") == 1
    verdicts = "registry_verifications_total"
    assert count(verdicts, technique="dry_needling", outcome="authorized") == 121
    assert count(verdicts, technique="dry_needling", outcome=UNCHANGED) == 30
    assert count(verdicts, technique="dry_needling", outcome="not_found") == 1
    timed = ("0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "10.0")
    below = [count("registry_http_request_seconds_bucket", le=le, **ANSWERED) for le in (*timed, "+Inf")]
    assert below == sorted(below)
    assert below[-1] == 122


def test_what_was_counted_outlives_those_who_counted(filled_url: str, tmp_path: Path) -> None:
    """Killed, or replaced by a reload: nothing is lost or counted twice, and files do not pile up."""
    with serving(tmp_path, filled_url) as server:
        folder = metrics_folder(server)
        assert verify(server, 40) == [200] * 40
        victim = server.workers()[0]
        os.kill(victim, signal.SIGKILL)
        eventually(
            lambda: victim not in server.workers() and len(server.workers()) == 2, "nobody came instead"
        )
        eventually(lambda: server.metric("registry_workers") == 2, "the dead are counted among the living")
        assert server.metric(COUNT, **ANSWERED) == 40
        for turn in (1, 2, 3):
            server.reload()
            assert verify(server, 10) == [200] * 10
            assert server.metric(COUNT, **ANSWERED) == 40 + 10 * turn
        assert len({file.stem.rpartition("_")[2] for file in folder.glob("*.db")}) <= 4
        assert server.metric("registry_database_connections_allowed", pool="public") == 2 * 8
        assert server.stop() == 0
        assert not folder.exists()


def metrics_folder(server: Server) -> Path:
    (maps,) = (Path(f"/proc/{pid}/maps").read_text() for pid in server.workers()[:1])
    match = re.search(r"(/\S*/registry-metrics-[^/]*)/", maps)
    assert match is not None
    return Path(match[1])


def test_a_folder_that_is_given_is_emptied_at_the_start_and_left(filled_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    for _ in range(2):
        with serving(tmp_path, filled_url, PROMETHEUS_MULTIPROC_DIR=str(folder)) as server:
            assert verify(server, 10) == [200] * 10
            assert server.metric(COUNT, **ANSWERED) == 10
        assert list(folder.glob("*.db"))


def test_a_process_that_is_about_to_begin_to_count_hides_nothing(tmp_path: Path) -> None:
    for name in ("counter_1", "gauge_livesum_1", "histogram_1"):
        (tmp_path / f"{name}.db").touch()
    assert exposition(tmp_path, []) == b""


def test_the_public_sees_no_metrics(server: Server) -> None:
    assert server.ask("/metrics").status == 404
    host = f"127.0.0.1:{server.metrics_port}"
    assert server.ask("/metrics", Host=host).status == 404
    assert server.ask("/metrics", Host=host, **{"X-Forwarded-Port": str(server.metrics_port)}).status == 404


def test_where_metrics_are_served_nothing_else_is(server: Server) -> None:
    for path in ("/v1/bodies", "/", "/docs", PATH.format(number="PT-1"), "/metrics/", "/metrics%2F"):
        assert ask(server.metrics_port, path).status == 404, path
    assert ask(server.metrics_port, "/metrics", "POST").status == 404
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(server.metrics_port, path).status == 200, path


def test_without_the_setting_there_are_none(filled_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, filled_url, REGISTRY_METRICS_BIND="") as server, socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", server.metrics_port)) != 0
        assert server.ask("/metrics").status == 404


def test_no_label_holds_what_came_with_a_request(server: Server) -> None:
    for method in ("GET", "BREW", "DELETE", "OPTIONS"):
        server.ask("/check/ca-ab/Jane-Doe?technique=Jane-Doe", method)
        server.ask("/v1/Jane-Doe", method, Origin="https://Jane-Doe")
    server.ask("/v1/bodies/ca-ab/registrations/Jane-Doe/verification?technique=Jane-Doe")
    server.ask("/v1/bodies/Jane-Doe/registrations/Jane-Doe/verification")
    allowed: dict[str, set[str]] = {
        "route": {*ACCESS, NO_ROUTE},
        "technique": set(Technique),
        "outcome": {*Outcome, UNCHANGED, "delivered", "retried", "given_up"},
    }
    found = server.metrics()
    assert "Jane-Doe" not in str(found)
    for _, labels in found:
        for label, value in labels:
            assert value in allowed.get(label, {value}), f"{label}={value}"
            assert label != "status" or re.fullmatch("[1-5][0-9]{2}", value)


def test_what_is_found_out_is_left_out_where_the_database_is_away(tmp_path: Path) -> None:
    with serving(tmp_path, f"sqlite:///{tmp_path}/missing/register.db") as server:
        found = server.metrics()
    checks = {labels: value for (name, labels), value in found.items() if name == "registry_check"}
    assert len(checks) == 5
    assert set(checks.values()) == {0}
    names = {name for name, _ in found}
    assert "registry_build_info" in names
    assert not [name for name in names if name.startswith(("registry_webhook", "registry_feed"))]
