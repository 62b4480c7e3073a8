"""What the audit is told of a request: every change, and whose withheld record was shown to whom.

A change is told in its own transaction, by :mod:`.operations`; so is an operation that only reads but answers
with what the public does not see, in a transaction of its own before it answers. A raw view that changes or
hands out something says so itself (:func:`tell_change`, :func:`tell_reading`).
"""

from __future__ import annotations

from typing import Any

from flask import g, request
from sqlalchemy import Connection

from registry import clock
from registry.domain.audit_chain import Happening
from registry.services import audit
from registry.store.database import writing

from .access import asked_body, current_principal
from .tracing import request_id

SEEN = "withheld_seen"
BESIDES = "also_told"
SHOWN_WITHHELD = "withheld_records_shown"


def sees_withheld(practitioner_id: str, *, withheld: bool) -> None:
    """A practitioner's record is about to be shown to the request's principal."""
    if withheld:
        g.setdefault(SEEN, set()).add(practitioner_id)


def also_tell(**details: Any) -> None:
    """Let the entry of what this request changes say this, too."""
    g.setdefault(BESIDES, {}).update(details)


def tell_change(tx: Connection, action: str, **details: Any) -> None:
    """Append to the audit what this request changed; last in its transaction."""
    audit.tell(tx, _happening(action, {**details, **g.pop(BESIDES, {})}))


def tell_reading(action: str, **details: Any) -> None:
    """Append to the audit what this request is about to read."""
    with writing() as tx:
        audit.tell(tx, _happening(action, details))


def tell_withheld_seen(action: str) -> None:
    """Append whose withheld records this request's answer shows, if any."""
    seen = g.pop(SEEN, None)
    if seen:
        tell_reading(SHOWN_WITHHELD, operation=action, practitioners=sorted(seen))


def _happening(action: str, details: dict[str, Any]) -> Happening:
    told = {"path": request.view_args or None, **details}
    return Happening(
        clock.now(),
        current_principal().name,
        action,
        request.remote_addr,
        request_id(),
        asked_body() or current_principal().body_id,
        {name: value for name, value in told.items() if value is not None},
    )
