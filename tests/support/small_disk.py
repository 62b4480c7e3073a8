"""A disk of a few mebibytes that may fill up or be read only, for the processes of one test.

It is mounted where nobody else sees it, by whoever runs the test: no rights are needed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHUNK = bytes(1 << 16)


@dataclass(frozen=True)
class SmallDisk:
    """The disk: where the processes inside see it, and where the test does.

    :ivar outside: for files alone: SQLite would take the path for the one without the disk.
    :ivar prefix: what a command begins with to run inside.
    """

    inside: Path
    outside: Path
    prefix: tuple[str, ...]

    def run(self, *command: str, **environment: str) -> None:
        """A command that must succeed."""
        given = {**os.environ, **environment}
        done = subprocess.run(
            [*self.prefix, *command], capture_output=True, text=True, env=given, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def fill(self) -> None:
        """Until not a byte more fits."""
        with self._filler.open("wb", buffering=0) as file:
            try:
                while file.write(CHUNK):
                    pass
            except OSError:
                return

    def clear(self) -> None:
        """Take away what :meth:`fill` put there."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.outside / "filler"

    def read_only(self, *, so: bool) -> None:
        """Let nobody write to it, or everybody again. Nothing may be open for writing."""
        self.run("mount", "-o", "remount," + ("ro" if so else "rw"), str(self.inside))


AS_ROOT = ("--map-root-user",)
AS_SOMEBODY = ("--map-user=1", "--map-group=1", "--keep-caps")
"""For programs that refuse to run as root: so each account is called within, and it must have a name."""


@contextmanager
def small_disk(folder: Path, mebibytes: int, whoever: Sequence[str] = AS_ROOT) -> Iterator[SmallDisk]:
    """A disk of this size, mounted in ``folder``, until the block ends."""
    mount = f"mount -t tmpfs -o size={mebibytes}m none {folder} && echo mounted && exec sleep infinity"
    holder = subprocess.Popen(
        ["unshare", "--user", *whoever, "--mount", "sh", "-c", mount], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mounted\n"
        enter = ("nsenter", "--preserve-credentials", "--user", "--mount", "--target", str(holder.pid))
        here = ("env", f"--chdir={Path.cwd()}")  # which entering has left
        yield SmallDisk(folder, Path(f"/proc/{holder.pid}/root{folder}"), enter + here)
    finally:
        holder.kill()
        holder.communicate()
