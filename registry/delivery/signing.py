"""What proves to a receiver who sent a message: Standard Webhooks 1.0.0, symmetric signatures."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from secrets import token_bytes

from standardwebhooks import Webhook

SECRET_BYTES = 32
"""Of the 24 to 64 that the standard has."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")


def new_secret() -> str:
    """A secret for one endpoint: to be shown once, and to be kept from everyone else."""
    return f"whsec_{base64.b64encode(token_bytes(SECRET_BYTES)).decode('ascii')}"


def signed_headers(
    secrets: Sequence[str],
    id: str,  # noqa: A002 - the standard's word
    at: datetime,
    body: bytes,
) -> dict[str, str]:
    """The three fields that sign `body`, byte for byte.

    :param secrets: each signs; two of them while one gives way to the other.
    :param id: of the message, the same at each try; letters, digits, ``_`` and ``-``, without a full stop.
    :param at: the instant of this try, with a zone.
    :param body: UTF-8.
    :raises ValueError: where one of these is not so.
    """
    if not secrets:
        raise ValueError("a message needs a secret to be signed with")
    if not _ID.fullmatch(id):
        raise ValueError(f"{id!r} is no identifier of a message")
    if at.tzinfo is None:
        raise ValueError("the instant of a try needs a zone")
    instant = at.astimezone(UTC)
    text = body.decode("utf-8")  # the library takes text and encodes it again, to the same bytes
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(instant.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(id, instant, text) for secret in secrets),
    }
