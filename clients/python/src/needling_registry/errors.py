"""What can go wrong. Nothing that goes wrong is an answer, and least of all a yes.

RegistryError
    Unreachable               nobody answered
        TimedOut              ... in time
    Refused                   answered with a problem document (RFC 9457)
        NotAuthenticated      401: no key, or one that is not in force
        Forbidden             403: the key does not allow it
        NotFound              404: no such body, roster, subscription
        Conflict              409: it contradicts what is kept
        Gone                  410: such as a place in the feed of a history that was lost
        Stale                 412, 428: changed since it was read
        InvalidRequest        400, 413, 415, 422: cannot be right; ``errors`` names the places
        TooManyRequests       429
        Unavailable           500 and above: may pass
    Unreadable                answered with something else, or about somebody else
    WebhookRefused            a delivery that the register did not sign, or not lately
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem document (RFC 9457).

    :param errors: particulars: ``detail``, and ``pointer``, ``parameter`` or ``header`` for the place.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    request_id: str | None = None
    errors: tuple[Mapping[str, Any], ...] = field(default=())


class RegistryError(Exception):
    """Whatever this package raises because of the register or the way there."""


class Unreachable(RegistryError):
    """Nobody answered, however often it was tried."""


class TimedOut(Unreachable):
    """Nobody answered in time."""


class Unreadable(RegistryError):
    """What answered is not understood: no JSON, members missing, or an answer to another question."""


class WebhookRefused(RegistryError):
    """A delivery that is not to be believed: answer it 400, and do nothing else about it."""


class Refused(RegistryError):
    """The register said no to the request. This is no answer about anybody.

    :ivar status: of HTTP.
    :ivar problem: what the register said; ``None`` where something on the way answered in its stead.
    :ivar retry_after: seconds after which to try again, where it said so.
    """

    def __init__(self, status: int, problem: Problem | None, retry_after: float | None = None) -> None:
        said = f"HTTP {status} without a problem document" if problem is None else _told(problem)
        super().__init__(said)
        self.status, self.problem, self.retry_after = status, problem, retry_after

    def __reduce__(self) -> tuple[type[Refused], tuple[int, Problem | None, float | None]]:
        return type(self), (self.status, self.problem, self.retry_after)


class NotAuthenticated(Refused):
    """No key, or one that is not in force."""


class Forbidden(Refused):
    """The key does not allow this."""


class NotFound(Refused):
    """Nothing is kept there. A number that nobody was registered by is no such thing: that is answered."""


class Conflict(Refused):
    """It contradicts what is kept."""


class Gone(Refused):
    """It was there once. For the feed: read everything anew, then follow from its newest place."""


class Stale(Refused):
    """It was changed since it was read, or exists already."""


class InvalidRequest(Refused):
    """It cannot be right; ``problem.errors`` names the places and what would be."""


class TooManyRequests(Refused):
    """Wait for ``retry_after`` seconds."""


class Unavailable(Refused):
    """Not possible at this moment; nothing was changed."""


def refusal(status: int, problem: Problem | None, retry_after: float | None) -> Refused:
    """The error for a status of 400 or more."""
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else InvalidRequest)
    return kind(status, problem, retry_after)


_BY_STATUS: Mapping[int, type[Refused]] = {
    401: NotAuthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: Stale,
    428: Stale,
    429: TooManyRequests,
}


def _told(problem: Problem) -> str:
    logged = f" (request {problem.request_id})" if problem.request_id else ""
    return f"HTTP {problem.status}, {problem.title}: {problem.detail}{logged}"
