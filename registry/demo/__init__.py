"""A register to look at: real bodies with their differing rules, and people who do not exist.

Everyone in it is invented. Whatever happened to them is told in days before and after the day on which it is
loaded, so that it never goes stale; it is recorded by the register's own services, each thing at its own
moment, so that questions about what was known earlier have answers.

Registrations to look at first are Alberta's PT-10001 to PT-10030; see :data:`SHOWCASES` for what each shows
and what is answered about dry needling on the day of loading. Of them

- ca-ab / PT-10001 is authorized, PT-10003 has been without a registration for 35 days, PT-10004 is suspended;
- ca-ab / PT-10014 was suspended after the fact: ask with ``known_at`` before and after;
- ca-ab / PT-10016 is withheld: no name, but an answer;
- au / PHY0000000001 is in the month of grace; us-ca / CA-PT00001 is where nobody may needle;
- 10001 is one person's number in ca-on and another's in ca-bc.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from .cast import Showcase, showcases
from .loading import load

SHOWCASES: tuple[Showcase, ...] = tuple(showcases())
"""What to look at first."""


def load_demonstration(tx: Connection, at: datetime) -> None:
    """Fill an empty register with the demonstration; the same instant gives the same register.

    :param at: the present instant (UTC); its day is today for everything that the demonstration shows.
    """
    load(tx, at)
