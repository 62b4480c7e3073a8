"""A register on a primary with two replicas."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import MISSING, REQUIRED
from tests.support import run_directory
from tests.support.postgres import PostgresUnavailableError
from tests.support.replicated import Register, running_register


@contextmanager
def _register() -> Iterator[Register]:
    try:
        with running_register(run_directory.path()) as register:
            yield register
    except PostgresUnavailableError as error:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{MISSING}{error}", pytrace=False)
        pytest.skip(f"{MISSING}{error}")


@pytest.fixture(scope="session")
def shared() -> Iterator[Register]:
    """For tests that leave the servers as they were."""
    with _register() as register:
        yield register


@pytest.fixture
def own() -> Iterator[Register]:
    """For a test that does not."""
    with _register() as register:
        yield register
