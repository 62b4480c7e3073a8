"""The only reader of the time. Everything below is given its dates and instants."""

from __future__ import annotations

from datetime import UTC, datetime

import uuid_utils


def now() -> datetime:
    """The present instant, UTC, aware."""
    return datetime.now(UTC)


def new_id() -> str:
    """A new UUIDv7: identifiers made later in one process sort later."""
    return str(uuid_utils.uuid7())
