"""What views of staff ask before they act: whose the resource is, and whether it is still what was seen."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection

from registry.errors import Forbidden, Stale
from registry.http.access import current_principal, require_body
from registry.services import people
from registry.services.principals import OF_A_BODY


class Versioned(Protocol):
    """A resource with a version."""

    @property
    def version(self) -> int:
        """Counts its changes."""


def require_version(resource: Versioned, version: int) -> None:
    """:raises registry.errors.Stale: the resource is not what the request's ``If-Match`` names."""
    if resource.version != version:
        raise Stale("It was changed by someone else in the meantime; read it again.")


def body_of_principal() -> str | None:
    """The body (by identifier) of a registrar or an auditor; ``None`` for operators, who act for any."""
    principal = current_principal()
    return principal.body_id if principal.role in OF_A_BODY else None


def require_say(tx: Connection, practitioner_id: str, *, wholly: bool = False) -> None:
    """The practitioner at hand is the principal's business. A person belongs to no body.

    :param wholly: and no other body's.
    :raises registry.errors.Forbidden: the practitioner is another body's.
    """
    own = body_of_principal()
    require_body(own or "")
    people.refuse_foreign(tx, practitioner_id, own, current_principal().name, wholly=wholly)


def require_sight(tx: Connection, practitioner_id: str) -> None:
    """The principal may come to know who the practitioner at hand is.

    :raises registry.errors.Forbidden: the record is withheld, and another body's.
    """
    people.refuse_unveiling(tx, practitioner_id, body_of_principal(), current_principal().name)


def require_merge_say(tx: Connection, *practitioner_ids: str) -> None:
    """All these practitioners are the principal's business, and nobody else's."""
    try:
        for practitioner_id in practitioner_ids:
            require_say(tx, practitioner_id, wholly=True)
    except Forbidden as error:
        raise Forbidden(f"{error.detail} Records of one body alone are merged by its registrars.") from error
