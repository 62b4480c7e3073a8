"""The import of a body's snapshot, run as a registrar would: one command, its time and its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .figures import Figure, Goal
from .registers import PROFILE

FASTEST = {"sqlite": Goal(6000), "postgresql": Goal(5000)}


def import_snapshot(snapshot: Path, url: str) -> tuple[float, float]:
    """Import a snapshot into a database; seconds, and the command's largest memory in MiB."""
    command = [sys.executable, "-m", "registry.cli", "import", str(snapshot), "--profile", str(PROFILE)]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, "REGISTRY_DATABASE_URL": url}, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the import ended with {process.returncode}")
    return time.perf_counter() - begun, _mib(usage)


def _mib(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1024


def figures(engine: str, people: int, seconds: float, mib: float) -> Iterator[Figure]:
    """What an import of so many new rows cost."""
    yield Figure("import_rows_per_second", engine, people, people / seconds, "rows/s", FASTEST[engine])
    yield Figure("import_peak_memory", engine, people, mib, "MiB")
