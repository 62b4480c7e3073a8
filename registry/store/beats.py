"""The beat: one row on the primary that is rewritten about every second while replicas are read from.

Commits become visible on a replica in the order in which the primary made them. So a replica that shows a
beat shows everything that was recorded before that beat was, however idle the register is, and whatever the
clocks of the machines say. A token is used once: a beat tells its primary from any other that ever was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Integer, Table, Text, func, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert

from .tables import metadata
from .types import Instant

ONLY = 1
"""The number of the one row."""

EVERY = timedelta(seconds=0.9)
"""Of all processes together, one beats again after so long: whichever looks first."""

beats = Table(
    "beats",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("token", Text, nullable=False),
    Column("beaten_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a PostgreSQL server shows of the beat, and of itself.

    :param server: when it was started, by its own clock: no two servers, and no two runs of one, share it.
    :param replica: whether it follows another.
    :param holds_back: whether it has received from its primary what it does not show yet.
    :param token: of the beat; ``None`` where there never was one.
    :param beaten_at: the instant (UTC) at which whoever beat began to.
    """

    server: datetime
    replica: bool
    holds_back: bool
    token: str | None
    beaten_at: datetime | None


_ONE = select(literal(1).label("one")).subquery()
_LOOK = select(
    func.pg_postmaster_start_time().label("server"),
    func.pg_is_in_recovery().label("replica"),
    func.coalesce(func.pg_last_wal_receive_lsn() > func.pg_last_wal_replay_lsn(), False).label("holds_back"),
    beats.c.token,
    beats.c.beaten_at,
).select_from(_ONE.outerjoin(beats, true()))


def look(connection: Connection) -> Shown:
    """What a server shows now."""
    row = connection.execute(_LOOK).one()
    return Shown(row.server, row.replica, row.holds_back, row.token, row.beaten_at)


def is_due(shown: Shown, at: datetime) -> bool:
    """Whether it is time to beat again; also where somebody's clock ran ahead when it last was."""
    return shown.beaten_at is None or not shown.beaten_at <= at < shown.beaten_at + EVERY


def beat(connection: Connection, shown: Shown, token: str, at: datetime) -> bool:
    """Beat, if nobody has since ``shown`` was: whether it was done.

    :param token: never used before.
    :param at: an instant (UTC) before this was called.
    """
    values = {"token": token, "beaten_at": at}
    if shown.token is None:
        first = insert(beats).values(id=ONLY, **values).on_conflict_do_nothing()
        return connection.execute(first).rowcount == 1
    return connection.execute(update(beats).where(beats.c.token == shown.token).values(values)).rowcount == 1
