"""The servers under measurement: real gunicorn processes, configured as shipped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from registry.settings import declared_settings
from registry.store.counts import file_of_machine, forget

ROOT = Path(__file__).resolve().parents[1]
UNREACHED_LIMITS = {
    declared.variable: "999999999999/600"
    for name, declared, _ in declared_settings()
    if name.startswith("limit_")
}
"""Everything is counted, as in a service; nothing is ever refused."""
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: the port that it listens on, and its process."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """Processor time of the server and its workers so far."""
        return sum(_cpu(pid) for pid in self.pids())

    def private_mib(self) -> float:
        """The largest worker's private memory, in MiB (shared and mapped pages not counted)."""
        return max(_private(pid) for pid in self.pids()) / 1024

    def pids(self) -> list[int]:
        """The server's process and its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def _private(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


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
    env = {**os.environ, **UNREACHED_LIMITS, **(environment or {}), "PORT": str(port)}
    process = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}"], cwd=ROOT, env=env)
    try:
        _wait(port, process)
        yield Server(name, port, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        forget(file_of_machine(env.get("REGISTRY_DATABASE_URL", "")))


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                answer.read()
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not answer within a minute")
