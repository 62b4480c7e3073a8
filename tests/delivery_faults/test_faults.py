"""What goes wrong between the register and its receivers, with real processes: nothing is lost."""

from __future__ import annotations

import itertools
import json
import re
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from registry import clock
from registry.delivery.schedule import RETRY_DELAYS
from registry.delivery.sending import Sender
from registry.delivery.targets import Policy
from registry.http.clinic.webhooks import TARGETS
from registry.services.webhooks import Targets
from registry.settings import Settings
from registry.store.database import writing
from tests.support.application import running
from tests.support.delivering import driving
from tests.support.factories import database, make_body, make_key, make_registration
from tests.support.figures import Figures
from tests.support.hooks import Hooks, Recorder, begin, delivering, recording, until
from tests.support.receivers import Behaviour, hanging, pouring, receiving

KILLS, LINEAGES = 100, 4  # on each engine
DAY = timedelta(days=1)


@pytest.fixture
def hooks(database_url: str) -> Iterator[Hooks]:
    with database(database_url) as engine:
        yield Hooks(engine)


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as recorder:
        yield recorder


@pytest.fixture
def ahead(tmp_path: Path) -> Callable[[timedelta], None]:
    """Sets how far ahead the clock of a deliverer is, in ``tmp_path / "ahead"``."""

    def ahead(shift: timedelta) -> None:
        made = tmp_path / "ahead.new"
        made.write_text(str(shift.total_seconds()))
        made.rename(tmp_path / "ahead")

    ahead(timedelta())
    return ahead


def test_a_receiver_that_fails_for_a_day_gets_every_event_in_order(
    database_url, hooks, recorder, ahead, tmp_path, figures: Figures
):
    hooks.register()
    (webhook,) = hooks.subscribe(recorder.url("hook"))
    before = len(hooks.events())
    recorder.answer = lambda _: 500
    began = clock.now()
    with delivering(database_url, "tests.support.shifted", str(tmp_path / "ahead"), "deliver"):
        hooks.register(3)
        attempts = 0
        while True:
            until(lambda: len(hooks.log(webhook)) > attempts)  # noqa: B023 - called at once
            attempts = len(hooks.log(webhook))
            due = hooks.state(webhook).next_attempt_at
            hooks.register()
            if due - began > DAY:
                break
            ahead(due - clock.now() + timedelta(seconds=1))
        recorder.answer = lambda _: 204
        ahead(due - clock.now() + timedelta(seconds=1))
        expected = hooks.events()[before:]
        until(lambda: hooks.state(webhook).after_event == expected[-1])
    waits = itertools.accumulate(RETRY_DELAYS)
    assert attempts == sum(wait <= DAY for wait in waits) == 7
    arrived = recorder.ids("hook")
    figures.add("lost while a receiver failed for a day", len(set(expected) - set(arrived)))
    assert [id_ for id_, _ in itertools.groupby(arrived)] == expected
    assert arrived == [expected[0]] * attempts + expected
    assert len({each.body for each in recorder.arrivals if each.id == expected[0]}) == 1


def test_no_event_is_lost_however_often_a_deliverer_is_killed(
    database_url, hooks, recorder, figures: Figures
):
    paths = [f"hook-{n}" for n in range(24)]
    hooks.register()
    subscribed = hooks.subscribe(*map(recorder.url, paths))
    before = len(hooks.events())

    killing = [
        begin(database_url, "tests.support.mortal", str(KILLS // LINEAGES), str(seed))
        for seed in range(LINEAGES)
    ]
    while any(process.poll() is None for process in killing):
        hooks.register()
        time.sleep(0.1)
    died: Counter[str] = Counter()
    for process in killing:
        died.update(json.loads(process.communicate()[0]))
    expected = hooks.events()[before:]
    with delivering(database_url):
        until(lambda: all(hooks.state(each).after_event == expected[-1] for each in subscribed))
    arrived = {path: recorder.ids(path) for path in paths}
    twice = sum(len(ids) - len(set(ids)) for ids in arrived.values())
    lost = sum(len(set(expected) - set(ids)) for ids in arrived.values())
    for moment, count in sorted(died.items()):
        figures.add(f"deliverers killed {moment}", count)
    figures.add("messages delivered in spite of it", len(expected) * len(paths))
    figures.add("of them, delivered again after a kill", twice)
    figures.add("of them, lost", lost)
    assert all(list(dict.fromkeys(ids)) == expected for ids in arrived.values())
    assert lost == 0
    assert died.total() == KILLS
    assert len(died) == 7  # which is every moment there is
    assert twice >= died["after sending"] > 0  # each is sent again to at least one


def test_several_deliverers_send_to_one_webhook_one_message_at_a_time(database_url, hooks, recorder):
    paths = [f"hook-{n}" for n in range(6)]
    hooks.register()
    hooks.subscribe(*map(recorder.url, paths))
    before = len(hooks.events())

    def answer(_: str) -> int:
        time.sleep(0.01)
        return 204

    recorder.answer = answer
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(delivering(database_url))
        hooks.register(30)
        expected = hooks.events()[before:]
        until(lambda: all(len(recorder.ids(path)) >= len(expected) for path in paths))
    for path in paths:
        mine = [each for each in recorder.arrivals if each.path == f"/{path}"]
        assert [each.id for each in mine] == expected
        assert all(one.ended <= other.began for one, other in itertools.pairwise(mine))


def redirecting(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


def resetting(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
THROTTLED = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1800\r\nContent-Length: 0\r\n\r\n"
MIB = 1 << 20
ENDLESS = pouring(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", b"x" * MIB, 100)


def test_receivers_that_misbehave_are_dealt_with_and_delay_nobody(
    database_url, hooks, recorder, figures: Figures
):
    hooks.register()
    answers = {"redirects": redirecting(recorder.url("elsewhere")), "gone": GONE, "throttles": THROTTLED}
    behaviours: dict[str, bytes | Behaviour]
    behaviours = {**answers, "hangs": hanging, "resets": resetting, "pours": ENDLESS}
    with ExitStack() as stack:
        bad = {name: stack.enter_context(receiving(answer)) for name, answer in behaviours.items()}
        subscribed = dict(zip(bad, hooks.subscribe(*(each.url for each in bad.values())), strict=True))
        (good,) = hooks.subscribe(recorder.url("good"))
        process = stack.enter_context(delivering(database_url))
        hooks.register(3)
        expected = hooks.events()[-3:]
        until(lambda: hooks.state(good).after_event == expected[-1])
        until(lambda: all(hooks.log(each) for each in subscribed.values()))
        peak = peak_mib(process.pid)
    figures.add("memory of a deliverer at its peak, 100 MB poured upon it", peak, "MiB")
    first = {name: hooks.log(webhook)[0] for name, webhook in subscribed.items()}
    came = {name: (row.outcome, row.status) for name, row in first.items()}
    assert came == {
        "redirects": ("retried", 302),
        "gone": ("given_up", 410),
        "throttles": ("retried", 429),
        "hangs": ("retried", None),
        "resets": ("retried", None),
        "pours": ("delivered", 200),
    }
    assert recorder.ids("good") == expected
    assert recorder.ids("elsewhere") == []
    assert hooks.state(subscribed["gone"]).disabled_because == "gone"
    assert first["throttles"].next_attempt_at - first["throttles"].at >= timedelta(minutes=30)
    assert all(row.milliseconds < 3000 for row in first.values())
    assert all(len(row.excerpt) <= 500 for row in first.values())
    assert peak < 250


def peak_mib(pid: int) -> float:
    """The most memory that a process ever held."""
    (line,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(line) / 1024


def test_a_name_that_first_leads_outside_and_then_inside_is_not_followed(database_url, figures: Figures):
    answers = itertools.chain([["93.184.215.14"]], itertools.repeat(["127.0.0.1"]))
    asked = []

    def rebound(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return next(answers)

    with receiving() as inside, running(Settings(database_url=database_url)) as app:
        app.extensions[TARGETS] = Targets(Policy(), rebound)
        with app.app_context(), writing() as tx:
            key, body = make_key(tx), make_body(tx)
        made = app.test_client().post(
            "/v1/webhooks",
            json={"url": f"https://booking.example.org:{inside.port}/hook"},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert made.status_code == 201
        with app.app_context(), writing() as tx:
            make_registration(tx, body)
        with driving(app, Sender(Policy(), rebound)) as deliverer:
            deliverer.until(lambda: len(asked) == 2)
            deliverer.settle()
        log = app.test_client().get(
            f"{made.headers['Location']}/deliveries", headers={"Authorization": f"Bearer {key}"}
        )
        (attempt,) = log.get_json()["items"]
        assert inside.connections == 0
    assert (attempt["outcome"], attempt["status"]) == ("retried", None)
    assert "public" in attempt["failure"]
    assert "127.0.0.1" not in log.text
