"""The register as its own services see it, without HTTP: for what is measured inside, and to make keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from registry import clock
from registry.cli.database import connected
from registry.services import keys
from registry.services.principals import Role
from registry.settings import Settings
from registry.store.database import writing

BY = "bench"


@contextmanager
def inside(url: str) -> Iterator[None]:
    """Within, ``registry.store.database`` reaches the database at a URL."""
    with connected(Settings(database_url=url)):
        yield


def make_key(url: str) -> str:
    """An operator's key for the register at a URL."""
    with inside(url), writing() as tx:
        key = keys.create_key(
            tx, role=Role.OPERATOR, body=None, label=BY, expires_at=None, by=BY, at=clock.now()
        )
    if key.secret is None:
        raise AssertionError("a key that was just made can be shown")
    return key.secret
