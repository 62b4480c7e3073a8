"""A real Redis, of the tests' own."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.serving import PATIENCE, eventually
from tests.support.tools import tool


@dataclass
class Redis:
    """A server on a socket in a folder; it keeps nothing on disk."""

    folder: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        command = [tool("redis-server", "redis-server"), "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        with (self.folder / "redis.log").open("a") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually(self._answers, "Redis does not answer")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.socket))
            except OSError:
                return False
            client.sendall(b"PING\r\n")
            return client.recv(7) == b"+PONG\r\n"

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None


@contextmanager
def redis_in(folder: Path) -> Iterator[Redis]:
    """Redis until the block ends."""
    redis = Redis(folder)
    redis.start()
    try:
        yield redis
    finally:
        redis.kill()
