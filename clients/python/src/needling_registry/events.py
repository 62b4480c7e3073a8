"""What the feed of changes tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from .vocabulary import DisabledBecause, Outcome, Standing, Technique


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAnswer:
    """What was answered to "may this person use the technique independently?" on a day, and what is now."""

    technique: Technique
    on: date
    was: Outcome
    is_: Outcome = field(metadata={"name": "is"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLinks:
    """Where to read what holds now: addresses at the register."""

    registration: str
    verification: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a registration or an authorization, told once and never changed.

    An event says that something changed; whom you may book is what the register answers when you ask it then.

    :param cursor: the place behind this event: keep it, and follow on from there.
    :param type: such as ``authorization.suspended``; there may be more types one day.
    :param body: the code of the body; ``None`` where it concerns none, as ``webhook.disabled``.
    :param number: ``None`` where it concerns everyone of the body.
    :param was_number: the number that ``number`` corrects.
    :param day: the local day from which it has effect; in UTC where it concerns no body.
    :param through: the last day of the term or suspension.
    :param was: how it stood on the day it was told, and ``is_`` how it stands.
    :param answers: the answers that changed, on the day of effect and on that of recording.
    :param corrects_the_past: whether answers for days gone by may have changed.
    :param webhook_id: of ``webhook.disabled``: which of yours; and ``because``: why.
    """

    id: str
    cursor: str
    type: str
    occurred_at: datetime
    body: str | None
    number: str | None
    was_number: str | None
    registration_id: str | None
    authorization_id: str | None
    decision_id: str | None
    voids: str | None
    day: date
    through: date | None
    days_left: int | None
    was: Standing | None
    is_: Standing | None = field(metadata={"name": "is"})
    answers: tuple[ChangedAnswer, ...]
    corrects_the_past: bool
    webhook_id: str | None
    because: DisabledBecause | None
    links: EventLinks | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Events in order, and the cursor to go on from: it is given even where there are none.

    :param more: whether there are more already.
    :param retry_after: seconds after which to ask again, where the register could not let this request wait.
    """

    items: tuple[Event, ...]
    next: str
    more: bool
    retry_after: float | None = field(default=None, metadata={"ours": True})
