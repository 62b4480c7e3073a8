"""Noting, after the answer was sent, what a clinic asked about coming days."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import current_app, g, request

from registry.services.batches import Asked
from registry.services.booked_checks import note_checks
from registry.services.principals import Principal, Role
from registry.store.database import reading

from .headers import do_afterwards

if TYPE_CHECKING:
    from datetime import datetime


def note_afterwards(asked: Iterable[Asked], at: datetime) -> None:
    """Note what the clinic of this request asks about coming days, once it is answered; of others nothing.

    :param asked: taken up only then.
    :param at: the present instant (UTC).
    """
    principal: Principal | None = g.get("principal")
    if principal is not None and principal.role is Role.CLINIC:
        do_afterwards(request.environ, _noting(principal.id, asked, at))


def _noting(owner_id: str, asked: Iterable[Asked], at: datetime) -> Callable[[], None]:
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to keep it

    def note() -> None:
        with app.app_context(), reading() as connection:
            note_checks(connection, owner_id, asked, at=at)

    return note
