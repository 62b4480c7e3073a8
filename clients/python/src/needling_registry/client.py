"""A register, and what one may ask it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from urllib.parse import quote

import urllib3

from . import batches
from .answers import Answer, Question, Verification, asked_day, asked_instant
from .asking import refuse_other_verification
from .errors import NotFound, Stale, Unreadable
from .events import FeedPage
from .feed import Feed, read_page
from .reading import read
from .retries import Retries
from .rosters import DaysWithout, Member, Roster, RosterStanding, RosterSummary, RosterSummaryPage
from .subscriptions import Webhooks
from .transport import Reply, Request, Transport
from .vocabulary import Mode, Technique

FRESH = {"Cache-Control": "no-cache"}
"""Public answers may be kept for a minute on the way; whoever books wants to know what holds now."""
TRIES_TO_REPLACE = 3


class Registry:
    """A register of practitioners and of what their bodies authorize them to do. May be shared by threads.

    :param url: such as ``https://registry.example``.
    :param key: an API key; not needed for verification.
    :param retries: how often and for how long is tried; see :class:`Retries`.
    :param pool: where connections come from: another proxy, other certificates.
    :param insecure_http: take an address without TLS that is not this machine's.
    :ivar webhooks: your webhooks; a key of a clinic is needed.
    :raises ValueError: the address is none, or not https.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        retries: Retries | None = None,
        pool: urllib3.PoolManager | None = None,
        insecure_http: bool = False,
    ) -> None:
        self._transport = Transport(
            url, key, retries=retries or Retries(), pool=pool, insecure_http=insecure_http
        )
        self.webhooks = Webhooks(self._transport)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport!r})"

    # --- May this person needle? ---

    def verify(
        self,
        body: str,
        number: str,
        technique: Technique | str | None = None,
        *,
        on: date | None = None,
        mode: Mode | str = Mode.INDEPENDENT,
        known_at: datetime | None = None,
    ) -> Verification:
        """May this person use a technique, on a day? ``authorized`` is true only for a yes.

        A number that the body never registered is answered too, as ``not_found``. No answer raises an error.

        :param body: the code of the body, such as ``ca-ab``.
        :param technique: ``None`` for each of them; ``authorized`` is then true only if each is.
        :param on: a local day of the body; ``None`` for its today.
        :param known_at: what the register answered at that instant, rather than what it knows now.
        :raises TypeError: ``on`` is a ``datetime``.
        :raises ValueError: ``known_at`` has no time zone.
        :raises NotFound: there is no such body.
        :raises RegistryError: there is no answer, for any other reason.
        """
        query = {
            "technique": None if technique is None else str(technique),
            "on": None if on is None else asked_day(on),
            "mode": str(mode),
            "known_at": None if known_at is None else asked_instant(known_at),
        }
        path = f"/v1/bodies/{_part(body)}/registrations/{_part(number)}/verification"
        reply = self._transport.send(Request("GET", path, query=query, headers=FRESH))
        answer = read(Verification, reply.json())
        question = Question(body=body, number=number, technique=technique, on=on, mode=mode)
        refuse_other_verification(question, answer)
        if answer.known_at != known_at:
            raise Unreadable(f"Asked as known at {known_at}, answered as known at {answer.known_at}.")
        return answer

    def verify_many(self, questions: Iterable[Question]) -> Iterator[Answer]:
        """Any number of questions, each answered in its place, duplicates too.

        They are asked ten thousand at a time, when you come to them; a question that cannot be right is
        answered by its ``error`` while the others stand. Raises as :meth:`verify` does.
        """
        return batches.answers(self._transport, questions)

    # --- Rosters: a key of a clinic is needed from here on ---

    def rosters(self) -> Iterator[RosterSummary]:
        """Your rosters, by name."""
        cursor = None
        while True:
            reply = self._transport.send(Request("GET", "/v1/rosters", query={"cursor": cursor}))
            page = read(RosterSummaryPage, reply.json())
            yield from page.items
            if (cursor := page.next) is None:
                return

    def roster(self, name: str) -> Roster:
        """One of your rosters.

        :raises NotFound: you keep none of that name.
        """
        return _roster(self._transport.send(Request("GET", _roster_path(name))))

    def put_roster(
        self, name: str, members: Iterable[Member | tuple[str, str]], *, replacing: Roster | None = None
    ) -> Roster:
        """Make these the members of a roster, whether there was one or not.

        :param members: a set of bodies' codes and numbers.
        :param replacing: the roster that you have seen, so that nobody's change in between is overwritten.
        :raises Stale: it is not as you have seen it.
        """
        wanted = frozenset(Member(*member) for member in members)
        if replacing is not None:
            return self._replace(name, wanted, replacing)
        for _ in range(TRIES_TO_REPLACE - 1):
            try:
                return self._replace(name, wanted, self._roster_if_any(name))
            except Stale:  # somebody else was quicker; theirs is overwritten like any other
                continue
        return self._replace(name, wanted, self._roster_if_any(name))

    def _roster_if_any(self, name: str) -> Roster | None:
        try:
            return self.roster(name)
        except NotFound:
            return None

    def _replace(self, name: str, wanted: frozenset[Member], seen: Roster | None) -> Roster:
        if seen is not None and seen.consists_of(wanted):
            return seen
        headers = {} if seen is None else {"If-Match": seen.etag}
        body = {"members": [member._asdict() for member in sorted(wanted)]}
        try:
            request = Request("PUT", _roster_path(name), body=body, headers=headers)
            return _roster(self._transport.send(request))
        except Stale:
            found = self._roster_if_any(name)
            if found is not None and found.consists_of(wanted):
                return found  # an earlier attempt of ours arrived, and its answer was lost
            raise

    def delete_roster(self, roster: Roster) -> None:
        """Delete one of your rosters.

        :raises Stale: it was changed since you read it.
        """
        request = Request("DELETE", _roster_path(roster.name), headers={"If-Match": roster.etag})
        with suppress(NotFound):  # it is as it should be
            self._transport.send(request)

    def standing(
        self,
        name: str,
        technique: Technique | str | None = None,
        *,
        on: date | None = None,
        mode: Mode | str = Mode.INDEPENDENT,
    ) -> tuple[Answer, ...]:
        """How everyone on a roster stands on a day, by body and number. See :meth:`verify`."""
        query = {
            "technique": None if technique is None else str(technique),
            "on": None if on is None else asked_day(on),
            "mode": str(mode),
        }
        found = self._standing(name, query)
        for answer in found.answers:
            asked = [verdict.technique == technique for verdict in answer.verdicts if technique is not None]
            if answer.mode != mode or (on is not None and answer.on != on) or not all(asked):
                raise Unreadable(f"The register answered another question about the roster {name}.")
        return found.answers

    def days_without(
        self,
        name: str,
        technique: Technique | str,
        first: date,
        last: date,
        *,
        mode: Mode | str = Mode.INDEPENDENT,
    ) -> tuple[DaysWithout, ...]:
        """On which days from ``first`` to ``last``, inclusive, each on a roster is not authorized.

        Who is authorized on all of them has no runs of days. At most ten years can be asked about.
        """
        query = {
            "technique": str(technique),
            "from": asked_day(first),
            "to": asked_day(last),
            "mode": str(mode),
        }
        found = self._standing(name, query)
        if (found.first, found.last, found.technique, found.mode) != (first, last, technique, mode):
            raise Unreadable(f"The register answered another question about the roster {name}.")
        return found.days_without

    def _standing(self, name: str, query: Mapping[str, str | None]) -> RosterStanding:
        reply = self._transport.send(Request("GET", f"{_roster_path(name)}/standing", query=query))
        return read(RosterStanding, reply.json())

    # --- The feed of changes ---

    def changes(
        self, after: str | None, *, roster: str | None = None, limit: int = 200, wait: int = 0
    ) -> FeedPage:
        """The events behind a place, in the one order of all events, and the place to go on from.

        :param after: a cursor that the feed gave, ``None`` for the beginning, or :data:`NOW`.
        :param roster: only what concerns the members of this roster of yours.
        :param wait: seconds to wait for an event where there is none yet, at most 60.
        :raises Gone: the register lost the history that the cursor is of.
        """
        return read_page(self._transport, after=after, roster=roster, limit=limit, wait=wait)

    def follow(
        self, after: str | None, *, roster: str | None = None, limit: int = 200, wait: int = 25
    ) -> Feed:
        """The same, one event after the other, without end.

        Keep the ``cursor`` of each event once you have done what it asks of you, and follow on from there
        after a restart: nothing is missed. Where the register cannot be reached, it is waited for. What does
        not pass by itself is raised, such as a key that was revoked; iterate again to go on from there.

        :raises ValueError: ``wait`` is no number of seconds from 1 to 60.
        """
        if not 1 <= wait <= 60:
            raise ValueError("let the register wait for 1 to 60 seconds")
        return Feed(self._transport, after=after, roster=roster, limit=limit, wait=wait)


def _part(value: str) -> str:
    """A value as one part of an address."""
    if value in ("", ".", ".."):
        raise ValueError(f"{value!r} names nobody")
    return quote(value, safe="")


def _roster_path(name: str) -> str:
    return f"/v1/rosters/{_part(name)}"


def _roster(reply: Reply) -> Roster:
    return replace(read(Roster, reply.json()), etag=reply.headers.get("ETag", ""))
