"""What can go wrong, as the register's own errors. They know nothing of HTTP; one table there maps them.

RegistryError
├── Invalid            a value that cannot be right, with the places where
│   └── Senseless      decisions that would make no sense, with the list of them
├── NotFound           nothing is kept under that name
├── Gone               it was kept and has been taken away
├── Conflict           the wish contradicts what is recorded
│   ├── Stale          what was to be changed has changed since it was read
│   └── Unmet          requirements of a body's rules are not met, with the list of them
├── Forbidden          not allowed to this principal
└── Unavailable        cannot be done at this moment; trying again may help
    ├── Interrupted    what was read from went away; read again, and another may answer
    └── InDoubt        it may have been done all the same: nobody knows at this moment
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Problems = Sequence[Mapping[str, Any]]


class RegistryError(Exception):
    """The root of the register's own errors.

    :param detail: a sentence for the reader, naming what would be right.
    :param problems: particulars, each a mapping with stable keys, ready to be shown.
    """

    def __init__(self, detail: str, problems: Problems = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = list(problems)


class Invalid(RegistryError):
    """A value that cannot be right. ``problems`` hold ``pointer`` (RFC 6901) and ``detail``."""

    @classmethod
    def at(cls, pointer: str, detail: str) -> Invalid:
        """One wrong value, at one JSON Pointer."""
        return cls(detail, [{"pointer": pointer, "detail": detail}])


class Senseless(Invalid):
    """Decisions that make no sense, or would not after the change. ``problems`` hold each of them."""


class NotFound(RegistryError):
    """Nothing is kept under that name."""


class Gone(RegistryError):
    """It was kept, and has been taken away."""


class Conflict(RegistryError):
    """The wish contradicts what is recorded."""


class Stale(Conflict):
    """What was to be changed has changed since it was read."""


class Unmet(Conflict):
    """Requirements of the body's rules are not met. ``problems`` hold each of them."""


class Forbidden(RegistryError):
    """Not allowed to this principal."""


class Unavailable(RegistryError):
    """Cannot be done at this moment; trying again may help."""


class Interrupted(Unavailable):
    """What was read from went away meanwhile. Nothing was changed: read again, and another may answer."""


class InDoubt(Unavailable):
    """The database went away while a change was being recorded: it may be recorded all the same."""
