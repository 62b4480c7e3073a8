"""The only reader of the time. Everything below is given its dates and instants."""

from __future__ import annotations

from datetime import UTC, datetime

import uuid_utils


def now() -> datetime:
    """The present instant, UTC, aware."""
    return datetime.now(UTC)


def first_id_of(instant: datetime) -> str:
    """The lowest identifier that can have been made at an instant: none that :func:`new_id` made is below."""
    milliseconds = f"{int(instant.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-000000000000"


def new_id() -> str:
    """A new UUIDv7: identifiers made later in one process sort later."""
    return str(uuid_utils.uuid7())
