"""How much of something a client may use in a window of time.

A window begins with the first use and ends so many seconds later; then the whole allowance is there again. So
what is left and until when can be told exactly, and so many units pass in a window, not one more.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """So many units in so many seconds.

    :param name: as clients are told it.
    """

    name: str
    units: int
    seconds: int

    def __str__(self) -> str:
        """As the field RateLimit-Policy has it (draft-ietf-httpapi-ratelimit-headers-11, section 3)."""
        return f'"{self.name}";q={self.units};w={self.seconds}'


Window = tuple[int, float]
"""How much of a window was used, and in how many seconds it ends."""


Taken = tuple[bool, tuple[Window, ...], float]
"""What came of asking for units: whether they were taken, of all policies or of none; the windows after that,
in the order of the policies; and the counter's own time, in seconds."""
