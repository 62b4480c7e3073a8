"""Sending what is queued: claimed, sent, marked; never two at once, and never lost.

A message is marked as being sent before it is. Whoever is killed then leaves it so, and after a while another
takes it over and sends it again with the same Message-ID: for a reminder, one too many hurts less than none.
It is done twice at most; then a registrar is told that nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Connection

from registry.delivery.bounces import Bounce
from registry.delivery.mail import Attempt, Letter, Outcome
from registry.domain.audit_chain import Happening
from registry.domain.localtime import local_date
from registry.domain.notices import NoticeKind, NoticeState
from registry.errors import NotFound
from registry.store import contacts, entries
from registry.store import notices as store
from registry.store.lapses import holders
from registry.store.notices import StoredNotice
from registry.store.records import Body, body_of, find_body
from registry.store.runs import note_run
from registry.store.sweep import entries_of

from . import audit
from .contacts import link_to
from .digests import write_digest
from .notice_planning import Begin, Planned, plan, still_due
from .notice_texts import Told, choose_wording, template_of, write

NOTICES = "notices"
"""The name of the run."""

HELD = timedelta(minutes=5)
"""How long whoever claimed a message has it."""

HANDED_OVER_WITHIN = 180.0
"""Seconds after which a claimed message is not handed over any more: well before somebody takes it over."""

MOST_UNCERTAIN = 3
DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
LONGEST_DELAY = timedelta(hours=6)
UNKNOWN = "unknown"
BOUNCES = (NoticeState.SENT, NoticeState.SENDING, NoticeState.QUEUED)

GoesOn = Callable[[], bool]

log = structlog.get_logger(__name__)


class Sends(Protocol):
    """What hands letters to a mail server."""

    def send(self, letter: Letter, *, within: float) -> Attempt:
        """Send a letter; what came of it."""


class Clock(Protocol):
    """What gives the present instant."""

    def now(self) -> datetime:
        """UTC."""


@dataclass(slots=True)
class Sent:
    """What a run did. ``away``: the mail server could not be used, and the rest was left for later."""

    planned: list[Planned] = field(default_factory=list)
    sent: int = 0
    not_reached: int = 0
    postponed: int = 0
    away: str | None = None


@dataclass(frozen=True, slots=True)
class _Claimed:
    notice: StoredNotice
    letter: Letter


def send_notices(
    begin: Begin, post: Sends, base: str, *, clock: Clock, goes_on: GoesOn = lambda: True
) -> Sent:
    """Queue what the present day of each body calls for, and send all that is due.

    :param begin: begins a transaction; a run is many.
    :param base: the address of the register, for what links to it.
    :param clock: gives the present instant (UTC).
    :param goes_on: asked before each message; nothing more is sent once it says no.
    """
    began, done = clock.now(), Sent()
    with begin() as tx:
        bodies = [body_of(row) for row in entries.all_bodies(tx)]
    for body in bodies:
        done.planned.append(plan(begin, body, at=began))
    while goes_on() and done.away is None and _send_next(begin, post, base, clock, done):
        pass
    with begin() as tx:
        note_run(tx, NOTICES, began)
    return done


def _send_next(begin: Begin, post: Sends, base: str, clock: Clock, done: Sent) -> bool:
    """Send the next message, or settle it; tells whether there was one."""
    at = clock.now()
    with begin() as tx:
        notice = store.claim(tx, at=at, until=at + HELD)
        if notice is None:
            return False
        claimed = _prepared(tx, notice, base, at, done)
    if claimed is None:
        return True
    attempt = post.send(claimed.letter, within=HANDED_OVER_WITHIN)
    ended = clock.now()
    with begin() as tx:
        if not store.settle(tx, claimed.notice, _values(claimed.notice, attempt, ended)):
            log.warning("notice_lease_lost", notice=notice.id)
    _count(attempt, done)
    return True


def _count(attempt: Attempt, done: Sent) -> None:
    if attempt.outcome is Outcome.TAKEN:
        done.sent += 1
    elif attempt.outcome is Outcome.REFUSED:
        done.not_reached += 1
    else:
        done.postponed += 1
    if attempt.outcome is Outcome.SERVER_AWAY:
        done.away = attempt.failure


def _prepared(tx: Connection, notice: StoredNotice, base: str, at: datetime, done: Sent) -> _Claimed | None:
    """The letter, if it is still due and somebody can get it; else what becomes of it is noted."""
    body = find_body(tx, notice.body_id)
    assert body is not None
    known = entries_of(tx, [notice.registration_id] if notice.registration_id else [])
    state = still_due(notice, known, local_date(at, body.zone))
    failure = None
    if state is None and notice.uncertain >= MOST_UNCERTAIN:
        state, failure = NoticeState.REFUSED, UNKNOWN
    letter = _letter(tx, body, notice, base, at) if state is None else None
    if letter is None:
        absent = NoticeState.CANCELLED if notice.key.kind is NoticeKind.DIGEST else NoticeState.NO_ADDRESS
        store.settle(tx, notice, {"state": state or absent, "settled_at": at, "failure": failure})
        done.not_reached += (state or absent) is NoticeState.NO_ADDRESS
        return None
    return _Claimed(notice, letter)


def _letter(tx: Connection, body: Body, notice: StoredNotice, base: str, at: datetime) -> Letter | None:
    if notice.key.kind is NoticeKind.DIGEST:
        return write_digest(tx, body, notice, base, at=at)
    assert notice.registration_id is not None
    contact = contacts.contact_of_registration(tx, notice.registration_id)
    if contact is None:
        return None
    holder = holders(tx, [notice.registration_id])[notice.registration_id]
    today, suspended = local_date(at, body.zone), notice.key.kind is NoticeKind.SUSPENDED
    days_left = None if suspended else (notice.key.day - today).days
    told = Told(
        holder.name or holder.number,
        holder.number,
        body.name,
        link_to(base, body.code, holder.number),
        is_authorization=notice.authorization_id is not None,
        days={"first_day" if suspended else "last_day": notice.key.day},
        days_left=days_left,
    )
    wording, language = choose_wording(tx, body.id, template_of(days_left), contact.language)
    written = write(wording, language, told)
    return Letter(
        notice.id, contact.email, body.name, written.subject, written.text, written.html, written.language
    )


def _values(notice: StoredNotice, attempt: Attempt, at: datetime) -> dict[str, object]:
    if attempt.outcome is Outcome.TAKEN:
        return {"state": NoticeState.SENT, "settled_at": at, "failure": None}
    if attempt.outcome is Outcome.REFUSED:
        return {"state": NoticeState.REFUSED, "settled_at": at, "failure": attempt.failure}
    return {
        "state": NoticeState.QUEUED,
        "next_attempt_at": at + delay_after(notice.attempts),
        "failure": attempt.failure,
        "uncertain": notice.uncertain + (attempt.outcome is Outcome.UNKNOWN),
    }


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts in vain."""
    return DELAYS[attempts - 1] if attempts <= len(DELAYS) else LONGEST_DELAY


def note_bounce(tx: Connection, bounce: Bounce, *, by: str, at: datetime) -> StoredNotice:
    """Note that a message which was taken did not arrive. The same report again changes nothing.

    :raises registry.errors.NotFound: there is no such message.
    """
    notice = store.find_notice(tx, bounce.letter_id)
    if notice is None:
        raise NotFound("This report is about no message of this register.")
    if notice.state in BOUNCES:
        values = {"state": NoticeState.BOUNCED, "settled_at": at, "failure": bounce.status}
        store.settle(tx, notice, values)
        details = {"notice": notice.id, "status": bounce.status}
        audit.tell(tx, Happening(at, by, "note_bounce", body_id=notice.body_id, details=details))
    return store.find_notice(tx, notice.id) or notice
