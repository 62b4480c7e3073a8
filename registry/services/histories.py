"""How a registration came to stand as it does: the public part of its past, for people to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from registry.domain.runs import run_on
from registry.domain.timeline import Span, Timeline
from registry.domain.verdict import Standings
from registry.domain.vocabulary import Standing
from registry.services.look_up import Found, standings_of
from registry.store.public_events import PublicEvent, latest_events

MOST_EVENTS = 50


@dataclass(frozen=True, slots=True)
class History:
    """Every day of a registration and of its authorizations, as known now."""

    standings: Standings

    def span_on(self, authorization_id: str | None, day: date) -> Span:
        """How the registration (``None``) or one of its authorizations stands on a local day."""
        return self._timeline(authorization_id).on(day)

    def since(self, authorization_id: str | None, day: date, standing: Standing) -> date | None:
        """The local day from which a standing holds that holds on ``day``; ``None`` where it does not."""
        run = run_on(self._timeline(authorization_id), day, standing)
        return None if run is None else run[0]

    def ended_on(self, authorization_id: str | None, day: date) -> date | None:
        """The last local day of the term that has lapsed by ``day``.

        ``None`` where the lapse was reported and the register has no last day for it.
        """
        since = self.since(authorization_id, day, Standing.LAPSED)
        through = self.span_on(authorization_id, day).term_through
        return through if since is not None and through is not None and through < since else None

    def begins_on(self, authorization_id: str | None, day: date) -> date | None:
        """The first local day of the term that has not begun by ``day``."""
        following = next(self._timeline(authorization_id).after(day), None)
        return None if following is None else following.first_day

    def stretches(self, authorization_id: str | None) -> tuple[Span, ...]:
        """What was and will be, latest first, without the days before the first term."""
        timeline = self._timeline(authorization_id)
        return tuple(span for span in reversed(timeline.spans) if span.term_from is not None)

    def _timeline(self, authorization_id: str | None) -> Timeline:
        if authorization_id is None:
            return self.standings.registration or Timeline()
        return next(a.timeline for a in self.standings.authorizations if a.id == authorization_id)


def history_of(found: Found) -> History:
    """The history of what is stored of a body's number; an empty one where it is nothing."""
    if found.entry is None:
        return History(Standings(None, (), found.body.rules))
    return History(standings_of(json.loads(found.entry), found.body))


def changes_of(connection: Connection, registration_id: str) -> list[PublicEvent]:
    """What has happened to a registration and its authorizations, latest first; the latest fifty."""
    return latest_events(connection, registration_id, MOST_EVENTS)
