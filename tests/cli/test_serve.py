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
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import pytest

PATIENCE = 90
"""Seconds until a slow machine has started the server, or stopped it."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[str, Path]]:
    """The server on a port of its own: its address, and what it printed."""
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
            yield f"http://127.0.0.1:{port}", printed
        finally:
            sweepers = children(server.pid)
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while any(Path("/proc", pid).exists() for pid in sweepers):
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


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


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
    with serving(tmp_path) as (address, printed):
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
    with serving(tmp_path) as (address, printed):
        assert "Loading" not in printed.read_text()
        assert read(f"{address}/v1/bodies") == bodies


def test_an_empty_register_can_be_left_empty(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-demo", "--no-sweep") as (address, _):
        assert json.loads(read(f"{address}/v1/bodies"))["items"] == []
