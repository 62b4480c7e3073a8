"""What the tests of faults break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry.store import schema
from tests.support import replication, run_directory


@pytest.fixture
def own_postgres() -> Iterator[replication.Server]:
    """A PostgreSQL that nobody else uses, with a migrated register."""
    with replication.replicated(run_directory.path(), 0, schema.upgrade) as cluster:
        yield cluster.primary
