"""Who asks: the roles, and the principal that a key stands for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a principal is to the register."""

    PUBLIC = "public"
    """Anyone, without a key."""
    CLINIC = "clinic"
    """A clinic or an employer: reads what is public, follows its own staff."""
    AUDITOR = "auditor"
    """Reads all that one body keeps."""
    REGISTRAR = "registrar"
    """Reads and records for one body."""
    OPERATOR = "operator"
    """Runs the service: keeps bodies and keys, may act for any body."""


OF_A_BODY = frozenset({Role.REGISTRAR, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from.

    :param id: of the key; ``public`` for those who gave none.
    :param label: what the key was made for, as its maker worded it.
    :param body_id: the body of a registrar or an auditor; ``None`` for the others.
    """

    role: Role
    id: str
    label: str
    body_id: str | None = None
    body_code: str | None = None

    @property
    def name(self) -> str:
        """As records and the audit name it."""
        return f"{self.role.value}:{self.id}"


ANYONE = Principal(Role.PUBLIC, "public", "anyone")
