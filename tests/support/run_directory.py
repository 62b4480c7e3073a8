"""The folder that the processes of one test run share: the server's files, the templates and their copies."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.support.postgres import stop_server

PREFIX = "registry-tests-"
VARIABLE = "REGISTRY_TEST_RUN_DIRECTORY"
MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder with an unguessable name is made in it
ENOUGH = 2 * 1024**3


def create() -> None:
    """Make the folder and name it to the processes started from here on; remove what dead runs left."""
    parent = _parent()
    for left_over in parent.glob(f"{PREFIX}*"):
        owner = left_over.name.removeprefix(PREFIX).split("-")[0]
        if left_over.stat().st_uid == os.geteuid() and not Path("/proc", owner).exists():
            _remove(left_over)
    directory = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    directory.chmod(0o711)  # root's PostgreSQL runs under another account, which must get through
    os.environ[VARIABLE] = str(directory)


def path() -> Path:
    return Path(os.environ[VARIABLE])


def remove() -> None:
    """Stop the server and remove the folder."""
    _remove(path())
    del os.environ[VARIABLE]


def _parent() -> Path:
    """Memory where there is enough of it: on some disks a copy of a database takes forty times as long."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        return MEMORY
    return Path(tempfile.gettempdir())


def _remove(directory: Path) -> None:
    stop_server(directory)
    shutil.rmtree(directory, ignore_errors=True)
