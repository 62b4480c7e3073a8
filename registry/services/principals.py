"""Who asks: the roles, the scopes that narrow them, and the principal that a key or a token stands for."""

from __future__ import annotations

from collections.abc import Mapping
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


class AccessScope(StrEnum):
    """A part of what a role may do. What the public may do needs none."""

    FOLLOW = "follow"
    """Rosters, their standing, the feed of changes, webhooks."""
    READ = "read"
    """Look at what is kept, and preview decisions."""
    RECORD = "record"
    """People, courses, trainings, and notes on lapses."""
    DECIDE = "decide"
    """Registrations, authorizations, and every decision about them."""
    IMPORT = "import"
    """Bring in a body's file, apply it, reverse it."""
    EXPORT = "export"
    """Take a body's register out as a whole."""
    ADMINISTER = "administer"
    """Bodies, their rules, and keys."""


S = AccessScope
SCOPES_OF: Mapping[Role, frozenset[AccessScope]] = {
    Role.PUBLIC: frozenset(),
    Role.CLINIC: frozenset({S.FOLLOW}),
    Role.AUDITOR: frozenset({S.FOLLOW, S.READ, S.EXPORT}),
    Role.REGISTRAR: frozenset(AccessScope),
    Role.OPERATOR: frozenset(AccessScope),
}
"""Those that a role has any use for, which is what a key without scopes of its own has."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from.

    :param id: of the key, or of whoever comes with a token; ``public`` for those who gave neither.
    :param label: what the key was made for, as its maker worded it; of a token, its subject.
    :param body_id: the body of a registrar or an auditor; ``None`` for the others.
    :param scopes: what of the role's powers may be used.
    """

    role: Role
    id: str
    label: str
    body_id: str | None = None
    body_code: str | None = None
    scopes: frozenset[AccessScope] = frozenset()

    @property
    def name(self) -> str:
        """As records and the audit name it."""
        return f"{self.role.value}:{self.id}"


ANYONE = Principal(Role.PUBLIC, "public", "anyone")
