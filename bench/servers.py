"""The servers under measurement: real processes; the register's own configured as shipped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.request import urlopen

from registry.settings import declared_settings
from registry.store.counts import file_of_machine, forget

from .processes import cpu_seconds, family, private_mib

ROOT = Path(__file__).resolve().parents[1]
UNREACHED_LIMITS = {
    declared.variable: "999999999999/600"
    for name, declared, _ in declared_settings()
    if name.startswith("limit_")
}
"""Everything is counted, as in a service; nothing is ever refused."""
REGISTER = "registry.http.app:create_app()"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the port that it listens on, and its process."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """Processor time of the server and its workers so far."""
        return cpu_seconds(self.pids())

    def private_mib(self) -> float:
        """The largest worker's private memory, in MiB (shared and mapped pages not counted)."""
        return private_mib(self.pids())

    def pids(self) -> list[int]:
        """The server's process and its workers."""
        return family(self.process.pid)


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(name: str, application: str, environment: dict[str, str] | None = None) -> Iterator[Server]:
    """Run an application under gunicorn with the project's own configuration until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), application]
    with register_counted(environment or {}) as counted:
        bound = [*command, "--bind", f"127.0.0.1:{port}"]
        with running(name, port, bound, {**counted, "PORT": str(port)}) as server:
            yield server


@contextmanager
def register_counted(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Within, the environment of a register that counts and refuses nothing; then its counts are gone."""
    try:
        yield {**UNREACHED_LIMITS, **environment}
    finally:
        forget(file_of_machine(environment.get("REGISTRY_DATABASE_URL", "")))


@contextmanager
def running(
    name: str,
    port: int,
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    ready: str = "/healthz",
    log: IO[bytes] | None = None,
) -> Iterator[Server]:
    """Run a server until the block ends.

    :param port: the one that the command makes it listen on.
    :param environment: what is added to this process's own.
    :param ready: a path that it answers once it can answer.
    :param log: where it writes; where this process does if it is ``None``.
    :raises RuntimeError: it ended before it answered, or did not answer in time.
    """
    env = {**os.environ, **environment}
    process = subprocess.Popen(list(command), cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        _wait(port, process, ready)
        yield Server(name, port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def register_server(url: str) -> Iterator[Server]:
    """Serve the register whose database is at a URL, with two processes, as it is shipped."""
    with serving("register", REGISTER, {"REGISTRY_DATABASE_URL": url, "WEB_CONCURRENCY": "2"}) as server:
        yield server


def _wait(port: int, process: subprocess.Popen[bytes], ready: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urlopen(f"http://127.0.0.1:{port}{ready}", timeout=2) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not answer within a minute")
