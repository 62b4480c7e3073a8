"""How a registration's past is told: what was recorded on which day, counted from the day of loading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from registry.domain.decisions import Condition, StatusReport
from registry.domain.rules import Renewal
from registry.domain.vocabulary import DecisionKind as Kind

from .bodies import House

NEEDLING = "needling"
"""The label of the authorization that most have; a second one is labelled by its technique."""

PRACTISED_BEFORE_NEEDLING = 800
"""Days: longer than the two years of practice that some bodies ask for."""


@dataclass(frozen=True, slots=True)
class Said:
    """A decision, and the local day on which the body recorded it.

    :param about: the label of an authorization; ``None`` for the registration.
    :param named: a name by which a later one voids it; ``voids`` is that name.
    """

    recorded_on: date
    kind: Kind
    effective_on: date
    through: date | None = None
    about: str | None = None
    scope: Mapping[str, Any] = field(default_factory=dict)
    report: StatusReport | None = None
    reason: str | None = None
    private_note: str | None = None
    override_reason: str | None = None
    named: str | None = None
    voids: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """Where a story plays: a body, its today, and a number that makes each story a little different."""

    house: House
    today: date
    position: int

    def day(self, days: int) -> date:
        """A day so many days from today."""
        return self.today + timedelta(days=days)

    @property
    def started(self) -> date:
        """When the person was first registered: one and a half to five years ago, or two years more."""
        days = 500 + 365 * (self.position % 4) + self.position * 37 % 300
        return self.day(-days - (PRACTISED_BEFORE_NEEDLING if self.house.asks_for_practice else 0))

    @property
    def needling_since(self) -> date:
        """When most were authorized."""
        return self.started + timedelta(
            days=PRACTISED_BEFORE_NEEDLING if self.house.asks_for_practice else 60
        )


Story = Callable[[Given], list[Said]]


def registered(
    given: Given,
    *,
    covering: date | None = None,
    ends: date | None = None,
    register_class: str | None = None,
    conditions: tuple[Condition, ...] = (),
) -> list[Said]:
    """Registered, and renewed in time until a term covers a day (today); the last one ends as told."""
    scope = {"register_class": register_class or given.house.usual, "conditions": conditions}
    grant = Said(given.started, Kind.GRANTED, given.started, scope=scope)
    return list(terms(given, grant, given.house.renewal, covering or ends or given.today, ends))


def authorized(
    given: Given,
    *,
    since: date | None = None,
    covering: date | None = None,
    ends: date | None = None,
    override_reason: str | None = None,
    **scope: Any,
) -> list[Said]:
    """Authorized to needle, and renewed likewise."""
    first = since or given.needling_since
    said = {"techniques": given.house.named, **scope}
    grant = Said(first, Kind.GRANTED, first, about=NEEDLING, scope=said, override_reason=override_reason)
    return list(terms(given, grant, given.house.needling_renewal, covering or ends or given.today, ends))


def terms(given: Given, grant: Said, renewal: Renewal, covering: date, ends: date | None) -> Iterator[Said]:
    """A grant and its renewals, the last of them ending on ``ends`` where that is given."""
    said = grant
    while True:
        through = renewal.last_day(said.effective_on)
        is_last = through is None or through >= min(covering, given.today)
        if is_last and ends is not None:
            through = ends
        yield Said(
            said.recorded_on,
            said.kind,
            said.effective_on,
            through,
            grant.about,
            scope=said.scope,
            override_reason=said.override_reason,
        )
        if is_last or through is None:
            return
        ahead = timedelta(days=14 + given.position % 25)
        recorded = max(said.effective_on, through - ahead)
        said = Said(recorded, Kind.RENEWED, through + timedelta(days=1))
