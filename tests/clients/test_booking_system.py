"""The example booking system and a registry beside it, started by one command: real processes, end to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3

from registry.services.principals import Role
from tests.support.documents import ROOT, python_blocks
from tests.support.factories import database, make_authorization, make_body, make_key, make_registration
from tests.support.figures import Figures
from tests.support.serving import eventually, free_port

LAST = date(2100, 12, 31)
DAY = datetime.now(UTC).date() + timedelta(days=14)
PATIENCE = 90


@dataclass(frozen=True)
class System:
    """Both, as a browser and a registrar reach them."""

    process: subprocess.Popen[bytes]
    bookings: str
    registry: str
    registrar: str
    printed: Path

    def ask(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
        return urllib3.request(method, url, timeout=PATIENCE, retries=False, **options)

    def book(self, number: str, day: date = DAY) -> int:
        form = {"patient": "Mia", "body": "ca-ab", "number": number, "day": day.isoformat()}
        return self.ask("POST", f"{self.bookings}/bookings", fields=form).status

    def problems(self) -> dict[str, str | None]:
        found = self.ask("GET", f"{self.bookings}/bookings").json()
        return {booking["number"]: booking["problem"] for booking in found}

    def decide(self, number: str, kind: str) -> float:
        """Record a decision about somebody's authorization as a registrar does: when it was answered."""
        entry = self.ask("GET", f"{self.registry}/v1/bodies/ca-ab/registrations/{number}").json()
        kept = f"{self.registry}/v1/admin/authorizations/{entry['authorizations'][0]['id']}"
        key = {"Authorization": f"Bearer {self.registrar}"}
        tag = self.ask("GET", kept, headers=key).headers["ETag"]
        wish = {"kind": kind, "effective_on": entry["on"], "reason": "Interim order of the panel."}
        headers = {**key, "If-Match": tag}
        decided = self.ask("POST", f"{kept}/decisions", json=wish, headers=headers)
        assert decided.status in (200, 201), decided.data
        return time.monotonic()


@contextmanager
def started(database_url: str, folder: Path) -> Iterator[System]:
    """Both, with two who are authorized."""
    with database(database_url) as engine, engine.begin() as tx:
        body = make_body(tx, "ca-ab")
        for number in ("PT-10001", "PT-10002"):
            record = make_registration(tx, body, number=number, through=LAST)
            make_authorization(tx, record, through=LAST)
        registrar = make_key(tx, Role.REGISTRAR, body)
    port, other = free_port(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")},
        "REGISTRY_DATABASE_URL": database_url,
        "PORT": str(port),
        "BOOKING_PORT": str(other),
        "BOOKING_FILE": str(folder / "var" / "bookings.db"),
    }
    printed = folder / "printed"
    with printed.open("w") as output:
        command = [sys.executable, "examples/booking"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    address = "http://127.0.0.1:{}".format
    system = System(process, address(other), address(port), registrar, printed)
    try:
        eventually(
            lambda: process.poll() is not None or "number=PT-10001" in printed.read_text(), "it starts"
        )
        assert process.poll() is None, printed.read_text()
        yield system
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def test_a_suspension_flags_the_booking_within_moments(
    database_url: str, tmp_path: Path, figures: Figures
) -> None:
    with started(database_url, tmp_path) as system:
        assert (system.book("PT-10001"), system.book("PT-10002")) == (201, 201)
        assert system.book("PT-10003") == 409

        at = system.decide("PT-10001", "suspended")
        eventually(lambda: system.problems()["PT-10001"] is not None, "the booking is flagged")
        figures.add("from a suspension's answer to the flag on the booking", time.monotonic() - at, "s")
        assert system.problems() == {"PT-10001": "not authorized on that day", "PT-10002": None}
        assert system.book("PT-10001", DAY + timedelta(days=1)) == 409

        system.decide("PT-10001", "reinstated")
        eventually(lambda: system.problems()["PT-10001"] is None, "the flag is taken away")


def test_the_ten_lines_of_the_readme_ask_a_server(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (lines,) = python_blocks("README.md")
    assert len([line for line in lines.splitlines() if line]) == 10
    namespace: dict[str, Any] = {}
    with started(sqlite_url, tmp_path) as system:
        monkeypatch.setenv("REGISTRY_URL", system.registry)
        exec(compile(lines, "README.md", "exec"), namespace)  # noqa: S102 - that is what is tested
        assert capsys.readouterr().out == "True\n"
        assert namespace["may_book"]("PT-10001", DAY) is True
        assert namespace["may_book"]("nobody", DAY) is False
    assert system.process.returncode == 0
    assert namespace["may_book"]("PT-10001", DAY) is False  # nobody answers: the registry ended with it
