"""What the tests of faults break."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.store import schema
from tests.support import replication, run_directory


@pytest.fixture(scope="session")
def folder() -> Path:
    """Where this process keeps servers."""
    folder = run_directory.path() / f"faults-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o755)  # the account that PostgreSQL runs as must get through
    return folder


@pytest.fixture(scope="session")
def pristine(folder: Path) -> replication.Cluster:
    return replication.make_cluster(folder, 0, schema.upgrade)


@pytest.fixture
def own_postgres(pristine: replication.Cluster, folder: Path) -> Iterator[replication.Server]:
    """A PostgreSQL that nobody else uses, with a migrated register."""
    with replication.running_copy(pristine, folder, 0) as cluster:
        yield cluster.primary
