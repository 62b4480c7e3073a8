"""The import of a body's snapshot, run as a registrar would: one command, its time and its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .figures import Figure, Goal
from .processes import peak_mib
from .registers import PROFILE

LOOK_EVERY_SECONDS = 0.05
FASTEST = {"sqlite": Goal(6000), "postgresql": Goal(5000)}


def import_snapshot(snapshot: Path, url: str) -> tuple[float, float]:
    """Import a snapshot into a database; seconds, and the command's largest memory in MiB."""
    command = [sys.executable, "-m", "registry.cli", "import", str(snapshot), "--profile", str(PROFILE)]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, "REGISTRY_DATABASE_URL": url}, stdout=subprocess.DEVNULL
    )
    most = 0.0
    while process.poll() is None:
        most = max(most, peak_mib(process.pid))
        time.sleep(LOOK_EVERY_SECONDS)
    if process.returncode:
        raise RuntimeError(f"the import ended with {process.returncode}")
    return time.perf_counter() - begun, most


def figures(engine: str, people: int, seconds: float, mib: float) -> Iterator[Figure]:
    """What an import of so many new rows cost."""
    yield Figure("import_rows_per_second", engine, people, people / seconds, "rows/s", FASTEST[engine])
    yield Figure("import_peak_memory", engine, people, mib, "MiB")
