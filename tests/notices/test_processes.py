"""``registry notices``, as it is typed: killed at its worst moments, and told what comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, select, update

from registry import clock
from registry.cli import main
from registry.delivery.mail import Account, Post
from registry.domain.localtime import local_date
from registry.services.notices import Sent, send_notices
from registry.store.notice_tables import notices
from tests.notices.conftest import SENDER, email_of
from tests.support.factories import database, make_body, make_person, make_registration
from tests.support.hooks import until
from tests.support.postbox import Postbox, receiving

PATIENCE = 90


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Two whose terms end in a week."""
    with database(database_url) as made:
        fill(made)
        yield made


def fill(engine: Engine) -> None:
    with engine.begin() as tx:
        body, at = make_body(tx), clock.now()
        for number in range(2):
            last = local_date(at, body.zone) + timedelta(days=7)
            record = make_registration(tx, body, make_person(tx, f"P {number}"), through=last)
            email_of(tx, record, f"p{number}@example.net")


@pytest.fixture
def box() -> Iterator[Postbox]:
    with receiving() as made:
        yield made


def begin(url: str, box: Postbox, *command: str) -> subprocess.Popen[bytes]:
    given = {"DATABASE_URL": url, "MAIL_HOST": "127.0.0.1", "MAIL_PORT": str(box.port), "MAIL_TLS": "none"}
    chosen = {f"REGISTRY_{name}": value for name, value in {**given, "MAIL_FROM": SENDER}.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "registry.cli", "notices", *command],
        env={**os.environ, **chosen},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def send(engine: Engine, box: Postbox) -> Sent:
    with Post(Account("127.0.0.1", box.port, "none", SENDER)) as post:
        return send_notices(engine.begin, post, "https://register.example.org", clock=clock)


def lapse_leases(engine: Engine) -> None:
    """As if the dead had been dead for a while."""
    with engine.begin() as tx:
        tx.execute(
            update(notices).where(notices.c.lease.is_not(None)).values(lease_until=clock.now() - timedelta(1))
        )


def states(engine: Engine) -> list[str]:
    with engine.begin() as tx:
        found = select(notices.c.state).where(notices.c.threshold == 7).order_by(notices.c.id)
        return list(tx.execute(found).scalars())


@pytest.mark.parametrize("taken", [False, True])
def test_who_is_killed_while_sending_loses_nothing_and_repeats_under_the_same_identifier(
    database_url, engine, box, taken
):
    """``taken``: the server has taken the letter, and nobody could mark it; else it never gets it."""
    arrived, goes_on = threading.Event(), threading.Event()

    def hold(_: str) -> str | None:
        arrived.set()
        goes_on.wait(PATIENCE)
        return None

    box.at_data, box.at_rcpt = (hold, box.at_rcpt) if taken else (box.at_data, hold)
    process = begin(database_url, box, "send")
    assert arrived.wait(PATIENCE)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    box.at_data = box.at_rcpt = lambda _: None
    goes_on.set()
    assert states(engine).count("sending") == 1
    send(engine, box)
    assert sorted(states(engine)) == ["sending", "sent"]  # what another holds is left to them
    lapse_leases(engine)
    send(engine, box)
    assert states(engine) == ["sent", "sent"]
    assert {to for to, _ in box.taken} == {"p0@example.net", "p1@example.net"}
    assert len(set(box.ids)) == 2  # a reader who keeps one of each identifier has each letter once
    send(engine, box)
    assert len(set(box.ids)) == 2


def test_what_comes_back_is_shown_as_not_reached(sqlite_url, box, monkeypatch):
    with database(sqlite_url) as engine:
        fill(engine)
        assert send(engine, box).sent == 2
        id_ = box.ids[0].strip("<>").partition("@")[0]
        report = (
            'Content-Type: multipart/report; boundary="b"\n\n--b\nContent-Type: message/delivery-status\n\n'
            "Reporting-MTA: dns; mx.example.net\n\nAction: failed\nStatus: 5.1.1\n\n--b\n"
            f"Content-Type: text/rfc822-headers\n\nMessage-ID: <{id_}@example.org>\n\n--b--\n"
        )
        monkeypatch.setenv("REGISTRY_DATABASE_URL", sqlite_url)
        for given, told in ((report, "bounced"), (report, "bounced"), ("Subject: hello\n\n", "no report")):
            answer = CliRunner().invoke(main, ["notices", "bounce"], input=given.encode())
            assert answer.exit_code == 0
            assert told in answer.output
        assert sorted(states(engine)) == ["bounced", "sent"]
        assert send(engine, box).sent == 0


def test_it_is_typed_once_or_goes_on(sqlite_url, box):
    with database(sqlite_url) as engine:
        fill(engine)
    process = begin(sqlite_url, box, "send", "--every", "1")
    try:
        until(lambda: len(box.taken) == 2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 0
