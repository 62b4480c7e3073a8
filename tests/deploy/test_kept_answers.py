"""The shipped cache keeps no answer beyond what it is true for: a body's midnight, or a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from registry import clock
from registry.domain.localtime import day_ends, local_date
from registry.domain.vocabulary import DecisionKind
from registry.services.look_up import LONGEST_KEPT
from registry.store.records import RegistrationRecord
from tests.deploy.test_nginx import proxied
from tests.serving.conftest import VERIFICATION
from tests.support.databases import SqliteDatabases
from tests.support.factories import database, decide, make_authorization, make_body, make_registration
from tests.support.serving import ask, free_port, serving

AHEAD = """
as_shipped = post_worker_init
def post_worker_init(worker):
    from datetime import timedelta
    from registry import clock
    really = clock.now
    def now():
        with open({file!r}) as file:
            return really() + timedelta(seconds=float(file.read()))
    clock.now = now
    as_shipped(worker)
"""
BEFORE_MIDNIGHT = timedelta(seconds=12)


@dataclass(frozen=True)
class Cached:
    """A register, and the shipped nginx before it."""

    port: int
    direct: int
    ahead: Path

    def set_clock_ahead(self, by: timedelta) -> None:
        """The register's clock; that of nginx shows the time as it is."""
        made = self.ahead.with_suffix(".new")
        made.write_text(str(by.total_seconds()))
        made.rename(self.ahead)

    def through_nginx(self) -> tuple[str, Any]:
        """Whether the answer had been kept, and the answer."""
        answer = ask(self.port, VERIFICATION)
        assert answer.status == 200
        return answer.headers["x-cache"], answer.json()

    def past_nginx(self) -> Any:
        return ask(self.direct, VERIFICATION).json()


@contextmanager
def cached(url: str, folder: Path) -> Iterator[Cached]:
    ahead = folder / "ahead"
    ahead.write_text("0")
    moved = AHEAD.format(file=str(ahead))
    few = {"WEB_CONCURRENCY": "1", "REGISTRY_TRUSTED_HOPS": "1"}
    port = free_port()
    with (
        serving(folder, url, configuration=moved, **few) as server,
        proxied(folder / "nginx", port, server.port),
    ):
        yield Cached(port, server.port, ahead)


def fill(url: str, through: date | None) -> RegistrationRecord:
    """Somebody who may needle through a local day."""
    with database(url) as engine, engine.begin() as tx:
        record = make_registration(tx, make_body(tx, "ca-ab"), number="PT-1", through=None)
        return make_authorization(tx, record, through=through)[0]


@pytest.fixture
def url(sqlite_databases: SqliteDatabases) -> Iterator[str]:
    with sqlite_databases.migrated() as url:
        yield url


def test_no_kept_answer_outlives_the_bodys_midnight(url: str, tmp_path: Path) -> None:
    zone = "America/Edmonton"
    last_day = local_date(clock.now(), zone)
    fill(url, last_day)
    midnight = day_ends(last_day, zone)
    with cached(url, tmp_path) as register:
        ahead = midnight - BEFORE_MIDNIGHT - clock.now()
        register.set_clock_ahead(ahead)
        first, answer = register.through_nginx()
        assert (first, answer["authorized"], answer["on"]) == ("MISS", True, last_day.isoformat())
        second, kept = register.through_nginx()
        assert (second, kept) == ("HIT", answer)
        while clock.now() + ahead <= midnight:
            _, answer = register.through_nginx()
            given_by = clock.now() + ahead
            assert answer["authorized"] or given_by >= midnight
            time.sleep(0.1)
        _, answer = register.through_nginx()
        assert answer["on"] == (last_day + timedelta(days=1)).isoformat()
        assert not answer["authorized"]


def test_a_suspension_shows_at_once_past_the_cache_and_within_a_minute_through_it(
    url: str, tmp_path: Path
) -> None:
    record = fill(url, None)
    with cached(url, tmp_path) as register:
        assert register.through_nginx()[0] == "MISS"
        minute_over = time.monotonic() + LONGEST_KEPT
        assert register.through_nginx()[0] == "HIT"
        with database(url) as engine, engine.begin() as tx:
            decide(tx, record, DecisionKind.SUSPENDED, date(2026, 6, 1))
        assert not register.past_nginx()["authorized"]
        while (left := minute_over - time.monotonic()) > 0:
            time.sleep(left)
        kept, answer = register.through_nginx()
        assert (kept, answer["authorized"]) == ("EXPIRED", False)
    assert LONGEST_KEPT == 60
