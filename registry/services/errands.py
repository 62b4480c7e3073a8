"""What is due to be delivered to whom: found for all subscriptions at once, and claimed.

Events are read once for all subscriptions that stand at the same place, and one statement says which rosters
they concern. What is not meant for a subscription it passes: that is remembered here, and written down now
and then for many at once, since to forget it costs nothing but to look again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Connection, Row

from registry.clock import new_id
from registry.delivery.sending import Message
from registry.domain.webhooks import WEBHOOK_DISABLED, WEBHOOK_PING, DeliveryCause, Told, WebhookState
from registry.store import webhook_deliveries as store
from registry.store.feed import events_of_ids, every_event_between, rosters_concerned
from registry.store.webhook_deliveries import Candidate, State
from registry.store.webhooks import secrets_of

from .feed import FeedEvent, Place, event_of
from .webhooks import told_of

MARGIN = timedelta(seconds=15)
"""Beyond the longest attempt, for its marking: what a deliverer that died held is due again after both."""

CANDIDATES = 1000
"""Subscriptions of each lane that are looked at at a time."""

STRETCH = 200
"""Events that are looked at at a time, for those that want some of them; and for those that want all."""
STRETCH_FOR_ALL = 10


class Lane(StrEnum):
    """By which threads a message is sent, so that who answers quickly never waits for who does not."""

    FAST = "fast"
    SLOW = "slow"
    """The last attempt failed, or took long."""


class Renderer(Protocol):
    """Writes messages: JSON in UTF-8, with the members ``type``, ``timestamp`` and ``data``."""

    def event(self, event: FeedEvent) -> bytes:
        """The message that tells of an event, the same at each attempt."""

    def ping(self, webhook_id: str, at: datetime) -> bytes:
        """A test message; ``at``: when it was asked for (UTC)."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One message to be sent once to one subscription, whose lease is held.

    :param number: which attempt it is, from 1.
    :param place: behind the event, where it is the next of the feed; ``None`` for what is sent again.
    :param replay_id: of what is sent again, or of a ping.
    """

    webhook_id: str
    url: str
    lease: str
    secrets: tuple[str, ...]
    message: Message
    type: str
    number: int
    lane: Lane
    place: Place | None = None
    replay_id: str | None = None

    @property
    def cause(self) -> DeliveryCause:
        """Why it is sent."""
        if self.place is not None:
            return DeliveryCause.EVENT
        return DeliveryCause.PING if self.type == WEBHOOK_PING else DeliveryCause.REPLAY


@dataclass(frozen=True, slots=True)
class Choice:
    """What a candidate is to be sent; ``event``: ``None`` where something is to be sent again."""

    candidate: Candidate
    event: FeedEvent | None

    @property
    def lane(self) -> Lane:
        """By which threads."""
        return Lane.SLOW if self.candidate.is_slow else Lane.FAST


@dataclass(frozen=True, slots=True)
class Passed:
    """Through which place nothing is meant for a subscription, as it was when that was found."""

    version: int
    after_seq: int
    through: Place


@dataclass(slots=True)
class Plan:
    """What was found to be done.

    :param shut_out: those whose owner is not let in any more.
    :param is_part: whether there were more candidates than are looked at at a time.
    :param more: whether the same look again would find more.
    """

    chosen: list[Choice] = field(default_factory=list)
    shut_out: list[Candidate] = field(default_factory=list)
    is_part: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Events behind a place, whom each is for, and how far they reach."""

    rows: Sequence[tuple[Row[Any], Told]]
    through: Place
    is_last: bool

    def first_for(self, candidate: Candidate) -> FeedEvent | None:
        """The first that is meant for a subscription."""
        found = (row for row, told in self.rows if candidate.interest.holds(told))
        row = next(found, None)
        return None if row is None else event_of(row)


class Errands:
    """Finds what is due, and remembers what it has passed for whom.

    :param longest: what an attempt takes at most.
    """

    def __init__(self, render: Renderer, longest: timedelta) -> None:
        self._render = render
        self._lease = longest + MARGIN
        self._passed: dict[str, Passed] = {}

    def find(
        self,
        connection: Connection,
        state: State,
        free: Mapping[Lane, int],
        busy: AbstractSet[str],
        *,
        at: datetime,
    ) -> Plan:
        """What may be sent now.

        :param free: how many messages may be begun in each lane.
        :param busy: subscriptions to which this process is sending, whatever their leases say.
        :param at: the present instant (UTC).
        """
        plan, left = Plan(), dict(free)
        found = [c for c in self._candidates(connection, free, plan, at) if c.id not in busy]
        self._passed = {c.id: self._passed[c.id] for c in found if self._has_passed(c)}
        reading = _Reading(connection, Place(*state.newest), found, self._begins(found))
        for candidate in found:
            choice = Choice(candidate, None)
            if not candidate.owner_is_let_in:
                plan.shut_out.append(candidate)
            elif left[choice.lane] > 0 and (chosen := self._chosen(choice, reading, plan)):
                plan.chosen.append(chosen)
                left[choice.lane] -= 1
        plan.more = plan.more or (plan.is_part and any(left.values()))
        return plan

    def _candidates(
        self, connection: Connection, free: Mapping[Lane, int], plan: Plan, at: datetime
    ) -> list[Candidate]:
        found = []
        for lane in Lane:
            if free[lane] > 0:
                of_lane = store.candidates(connection, at, CANDIDATES, slow=lane is Lane.SLOW)
                plan.is_part = plan.is_part or len(of_lane) == CANDIDATES
                found += of_lane
        return found

    def _has_passed(self, candidate: Candidate) -> bool:
        known = self._passed.get(candidate.id)
        return known is not None and (known.version, known.after_seq) == (
            candidate.version,
            candidate.after_seq,
        )

    def _begins(self, candidates: Iterable[Candidate]) -> dict[str, int]:
        """Behind which event each is to be looked for."""
        return {
            c.id: self._passed[c.id].through.seq if c.id in self._passed else c.after_seq
            for c in candidates
            if c.feed_is_due
        }

    def _chosen(self, choice: Choice, reading: _Reading, plan: Plan) -> Choice | None:
        candidate = choice.candidate
        if candidate.replay_id is not None:
            return choice
        stretch = reading.stretch_for(candidate)
        if stretch is None:
            return None
        event = stretch.first_for(candidate)
        if event is not None:
            return Choice(candidate, event)
        self._passed[candidate.id] = Passed(candidate.version, candidate.after_seq, stretch.through)
        plan.more = plan.more or not stretch.is_last
        return None

    def write_down(self, tx: Connection, *, at: datetime) -> None:
        """Move the places of those for whom nothing was found, many at once."""
        alike: dict[tuple[int, Place], list[str]] = defaultdict(list)
        for webhook_id, passed in self._passed.items():
            alike[passed.version, passed.through].append(webhook_id)
        for (version, through), ids in alike.items():
            store.advance(tx, ids, version, (through.seq, through.event), at=at)

    @property
    def has_passed_any(self) -> bool:
        """Whether there is anything to be written down."""
        return bool(self._passed)

    def claim(self, tx: Connection, chosen: Sequence[Choice], *, at: datetime) -> list[Errand]:
        """Take the leases of those that were chosen, and that are still as they were found.

        :param at: the present instant (UTC).
        """
        if not chosen:
            return []
        lease = new_id()
        ids = [choice.candidate.id for choice in chosen]
        claimed = {row.id: row for row in store.claim(tx, ids, lease, at=at, until=at + self._lease)}
        secrets = secrets_of(tx, list(claimed), at)
        wanted = [choice.candidate.replay_id for choice in chosen]
        again = _Again(tx, [replay_id for replay_id in wanted if replay_id is not None])
        errands = []
        for choice in chosen:
            row = claimed.get(choice.candidate.id)
            errand = None if row is None else self._errand(choice, row, again)
            if errand is not None:
                signed = tuple(secrets[errand.webhook_id])
                errands.append(replace(errand, lease=lease, secrets=signed))
                del claimed[errand.webhook_id]
        store.release(tx, sorted(claimed), [lease])
        return errands

    def _errand(self, choice: Choice, row: Row[Any], again: _Again) -> Errand | None:
        """What to send to a subscription that was claimed; ``None`` where it is not as it was found."""
        candidate, event, lane = choice.candidate, choice.event, choice.lane
        if event is not None:
            is_first_yet = row.version == candidate.version and row.after_seq < event.place.seq
            if not is_first_yet or row.state != WebhookState.ACTIVE:
                return None
            message = Message(event.id, self._render.event(event))
            number = row.tries + 1 if row.trying == event.id else 1
            return Errand(row.id, row.url, "", (), message, event.type, number, lane, event.place)
        wish = again.wishes.get(candidate.replay_id or "")
        if wish is None:
            return None
        if wish.event_id is None:
            type_, message = WEBHOOK_PING, Message(wish.id, self._render.ping(row.id, wish.asked_at))
        else:
            told = again.events[wish.event_id]
            type_, message = told.type, Message(told.id, self._render.event(told))
        return Errand(row.id, row.url, "", (), message, type_, wish.tries + 1, lane, replay_id=wish.id)


class _Reading:
    """The feed behind the places of some subscriptions, read once for all who stand at the same."""

    def __init__(
        self,
        connection: Connection,
        newest: Place,
        candidates: Sequence[Candidate],
        begins: Mapping[str, int],
    ) -> None:
        self._connection, self._newest, self._begins = connection, newest, begins
        self._stretches: dict[int, _Stretch] = {}
        self._rosters: dict[int, set[str]] = defaultdict(set)
        self._wants_all: dict[int, bool] = defaultdict(lambda: True)
        for candidate in candidates:
            begin = begins.get(candidate.id)
            if begin is not None:
                self._wants_all[begin] &= candidate.interest.is_all
                if candidate.interest.roster_id is not None:
                    self._rosters[begin].add(candidate.interest.roster_id)

    def stretch_for(self, candidate: Candidate) -> _Stretch | None:
        """What follows a subscription's place; ``None`` where nothing does."""
        begin = self._begins.get(candidate.id)
        if begin is None or begin >= self._newest.seq:
            return None
        if begin not in self._stretches:
            self._stretches[begin] = self._read(begin)
        return self._stretches[begin]

    def _read(self, begin: int) -> _Stretch:
        limit = STRETCH_FOR_ALL if self._wants_all[begin] else STRETCH
        rows = every_event_between(self._connection, begin, self._newest.seq, limit)
        is_last = len(rows) < limit
        through = self._newest if is_last else Place(rows[-1].seq, rows[-1].id)
        concerned: dict[int, set[str]] = defaultdict(set)
        rosters = sorted(self._rosters[begin])
        if rosters and rows:
            for roster_id, seq in rosters_concerned(self._connection, begin, through.seq, rosters):
                concerned[seq].add(roster_id)
        told = [(row, _told(row, concerned.get(row.seq, NONE))) for row in rows]
        return _Stretch(told, through, is_last)


NONE: AbstractSet[str] = frozenset()


def _told(row: Row[Any], rosters: AbstractSet[str]) -> Told:
    if row.type == WEBHOOK_DISABLED:
        return told_of(event_of(row), frozenset(rosters))
    return Told(row.type, row.audience, None, rosters)


class _Again:
    """What is to be sent again, and the events among it."""

    def __init__(self, connection: Connection, ids: Sequence[str]) -> None:
        self.wishes = store.replays(connection, ids) if ids else {}
        wanted = [wish.event_id for wish in self.wishes.values() if wish.event_id is not None]
        rows = events_of_ids(connection, wanted) if wanted else []
        self.events = {row.id: event_of(row) for row in rows}
