"""``registry serve``: from nothing to a register that answers, and back to nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from registry.cli import beside, main
from tests.support.figures import Figures
from tests.support.serving import eventually

PATIENCE = 90
"""Seconds until a slow machine has started the server, or stopped it."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[str, Path, int]]:
    """The server on a port of its own: its address, what it printed, and its number."""
    port = free_port()
    printed = folder / "printed"
    environment = {
        **os.environ,
        "PORT": str(port),
        "REGISTRY_DATABASE_URL": f"sqlite:///{folder}/var/register.db",
        "REGISTRY_COUNTS": f"file:{folder}/counts",
    }
    with printed.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "registry.cli", "serve", *options],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", server)
            yield f"http://127.0.0.1:{port}", printed, server.pid
        finally:
            others = descendants(server.pid)
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while any(Path("/proc", pid).exists() for pid in others):
        assert time.monotonic() < deadline, "a process outlived the server"
        time.sleep(0.1)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            read(address)
        except (OSError, HTTPException):
            assert server.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)
        else:
            return


def descendants(pid: int | str) -> dict[str, str]:
    """The processes that a process started, and those that they did: their commands, by their numbers."""
    found = {}
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            found |= descendants(child)
    return found


def run_beside(server: int, command: str) -> list[str]:
    """The processes beside a server that run a command."""
    return [pid for pid, line in descendants(server).items() if f"registry.cli {command} " in line]


def read(address: str) -> str:
    """What a GET answers, which must be 200."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        response = connection.getresponse()
        content = response.read().decode()
        assert response.status == 200, content
        return content
    finally:
        connection.close()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found in Linux's /proc")
def test_an_empty_folder_becomes_a_register_that_answers_and_stays(tmp_path: Path) -> None:
    with serving(tmp_path) as (address, printed, _):
        told = printed.read_text()
        assert json.loads(read(f"{address}/readyz"))["status"] in ("ok", "degraded")  # not swept yet
        commands = re.findall(r"curl -s '?(http[^'\s]*)", told)
        assert len(commands) == 3
        for each in commands:
            assert json.loads(read(re.sub("^http://[^/]*", address, each)))
        for each in re.findall(r"^  .*?(http\S+)", told, re.MULTILINE)[:3]:
            assert read(re.sub("^http://[^/]*", address, each))
        bodies = read(f"{address}/v1/bodies")
        assert len(json.loads(bodies)["items"]) > 1
    with serving(tmp_path) as (address, printed, _):
        assert "Loading" not in printed.read_text()
        assert read(f"{address}/v1/bodies") == bodies


def test_an_empty_register_can_be_left_empty(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-demo", "--no-sweep") as (address, _, _):
        assert json.loads(read(f"{address}/v1/bodies"))["items"] == []


def test_a_port_that_is_taken_is_told_before_anything_is_made(tmp_path: Path) -> None:
    database = tmp_path / "register.db"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        given = {"PORT": str(port), "REGISTRY_DATABASE_URL": f"sqlite:///{database}"}
        ended = CliRunner().invoke(main, ["serve"], env=given)
    assert ended.exit_code == 1
    assert f"Port {port} of 127.0.0.1 cannot be listened on" in ended.output
    assert re.search(r"such as PORT=\d+\.", ended.output)
    assert not database.exists()


def test_what_is_killed_beside_the_server_is_started_again(tmp_path: Path, figures: Figures) -> None:
    commands, kills = ("keep-sweeping", "keep-delivering", "keep-working"), 2
    with serving(tmp_path, "--no-demo") as (address, printed, server):
        for _ in range(kills):
            for command in commands:
                eventually(lambda: len(run_beside(server, command)) == 1, f"{command} does not run")  # noqa: B023 - called here
                (killed,) = run_beside(server, command)
                os.kill(int(killed), signal.SIGKILL)
                eventually(
                    lambda: killed not in (found := run_beside(server, command)) and len(found) == 1,  # noqa: B023 - as above
                    f"{command} is not started again",
                )
        assert json.loads(read(f"{address}/v1/bodies"))["items"] == []
        told = printed.read_text()
    figures.add("kills survived", kills * len(commands))
    assert told.count('"event": "ended_unexpectedly"') == kills * len(commands)


def test_who_dies_again_and_again_is_started_ever_later_and_who_lived_long_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []

    def start(name: str) -> Dead:
        started.append(now)
        return Dead()

    monkeypatch.setattr(beside, "_start", start)
    kept, now = beside.Kept("keep-sweeping"), 0.0
    while now < 400:
        kept.look(now)
        now += 0.25
    pauses = [later - earlier for earlier, later in pairwise(started)]
    assert pauses[:4] == [0.75, 1.25, 2.25, 4.25]  # a quarter of a second until it is noticed
    assert pauses[-1] == 60.25
    kept.process, now = None, 1000.0
    kept.look(now)
    now += beside.LIVED_WELL_SECONDS
    kept.look(now)
    assert started[-2:] == [1000.0, now]


@dataclass
class Dead:
    """A process that has ended."""

    returncode: int = -9

    def poll(self) -> int:
        return self.returncode
