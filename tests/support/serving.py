"""Real servers: gunicorn with the project's own configuration, as it is shipped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from registry.settings import OFF, declared_settings

ROOT = Path(__file__).parents[2]
LIMITS = tuple(declared.variable for name, declared, _ in declared_settings() if name.startswith("limit_"))
PATIENCE = 90.0
"""Seconds until a slow machine has done what it was asked."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@dataclass(frozen=True)
class Answer:
    """An answer of a server."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @classmethod
    def of(cls, response: HTTPResponse) -> Answer:
        headers = {name.lower(): value for name, value in response.getheaders()}
        return cls(response.status, headers, response.read())


def ask(
    port: int,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, body, headers or {})
        return Answer.of(connection.getresponse())
    finally:
        connection.close()


@dataclass(frozen=True)
class Server:
    """A server of the register; its workers and what it logged."""

    process: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    log: Path

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, /, **headers: str) -> Answer:
        return ask(self.port, path, method, body, headers)

    def metrics(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample, by its name and labels."""
        answer = ask(self.metrics_port, "/metrics")
        assert answer.status == 200
        families = text_string_to_metric_families(answer.body.decode())
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    def metric(self, name: str, **labels: str) -> float:
        """One sample; 0 where it was not counted yet."""
        return self.metrics().get((name, tuple(sorted(labels.items()))), 0.0)

    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def lines(self) -> list[dict[str, Any]]:
        """What it logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def events(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == event]

    def reload(self) -> None:
        """HUP, and wait until none of the old workers is left and the new ones answer."""
        old = set(self.workers())
        self.signal(signal.SIGHUP)
        eventually(lambda: self.workers() and not old & set(self.workers()), "the old workers did not leave")
        eventually(lambda: self.metric("registry_workers") == len(self.workers()), "new workers did not come")

    def stop(self) -> int:
        """TERM; its exit status."""
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(
    folder: Path,
    database_url: str,
    *,
    configuration: str | None = None,
    prefix: Sequence[str] = (),
    **environment: str,
) -> Iterator[Server]:
    """A server until the block ends; without limits on what may be asked, unless ``environment`` sets them.

    :param configuration: Python that goes after the project's own configuration.
    :param prefix: what its command begins with, to run it elsewhere.
    """
    port, metrics_port = free_port(), free_port()
    log = folder / f"log-{port}"
    command = [*prefix, sys.executable, "-m", "gunicorn"]
    if configuration is not None:
        file = folder / f"gunicorn-{port}.conf.py"
        file.write_text(f"{(ROOT / 'gunicorn.conf.py').read_text()}\n{configuration}\n")
        command += ["--config", str(file)]
    given = {
        **os.environ,
        "PORT": str(port),
        "REGISTRY_DATABASE_URL": database_url,
        "REGISTRY_METRICS_BIND": f"127.0.0.1:{metrics_port}",
        "REGISTRY_COUNTS": f"file:{folder.absolute()}/counts",
        **dict.fromkeys(LIMITS, OFF),
        **environment,
    }
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=given, stdout=output, stderr=output)
    server = Server(process, port, metrics_port, log)
    try:
        _wait(server, has_metrics=bool(given["REGISTRY_METRICS_BIND"]))
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE)


def _wait(server: Server, *, has_metrics: bool) -> None:
    """Until it answers, and every worker has counted itself."""

    def answers() -> bool:
        assert server.process.poll() is None, server.log.read_text()
        try:
            if not has_metrics:
                return ask(server.port, "/healthz").status == 200
            return server.metric("registry_workers") == len(server.workers()) > 0
        except (OSError, HTTPException):
            return False

    eventually(answers, "the server does not answer")
