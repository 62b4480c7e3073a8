"""Who is signed in to the console: one-time links, sessions, and how each ends.

A secret is 256 random bits and is kept as its hash alone; a fast hash will do, since nobody can try out
2^256 secrets. A session stands for a holder (:mod:`.token_holders`), whether they came by the identity
provider or by a link, so that blocking the holder ends it; it keeps the role, the body and the scopes that
they came with.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row

from registry.clock import new_id
from registry.errors import Forbidden, Invalid, NotFound
from registry.store import console_sessions as store
from registry.store import principals as holders
from registry.store.records import Body, find_body

from .keys import narrowed
from .principals import OF_A_BODY, SCOPES_OF, AccessScope, Principal, Role

LINK_ISSUER = "registry:console-link"
"""Of holders who come by links: no provider can have this address."""
ROLES = (Role.REGISTRAR, Role.AUDITOR, Role.OPERATOR)
"""Who has anything to do in the console."""
SEEN_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=7)
"""For how long an ended session is kept, so that a request with it can be told apart from a guess."""
LONGEST_LABEL = 100
LONGEST_AGENT = 200


class Way(StrEnum):
    """How somebody signed in."""

    LINK = "link"
    PROVIDER = "provider"


class OtherBrowser(Exception):
    """A session's secret comes from another browser than it was given to.

    :param session: the session, as it would have been.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session.id)
        self.session = session


class LinkRefused(Exception):
    """A link that signs nobody in: mistyped, used or expired. It is not said which."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a session lasts: without a request, and at most."""

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Browser:
    """What a session is bound to, and shown by: the browser's own words, and the address it came from."""

    agent: str
    address: str | None

    @property
    def fingerprint(self) -> str:
        """What a session keeps to recognise the browser."""
        return _hash(self.agent)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's session. Instants are UTC.

    :param at_body: the code of the body whose affairs an operator is at.
    """

    id: str
    principal: Principal
    way: Way
    agent: str
    address: str | None
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    at_body: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A link that has been found good, but not used: whom it would sign in."""

    id: str
    principal: Principal
    expires_at: datetime


def make_link(
    tx: Connection,
    *,
    role: Role,
    body: str | None,
    label: str,
    scopes: Collection[AccessScope] | None,
    good_for: timedelta,
    by: str,
    at: datetime,
) -> str:
    """Make a link that signs somebody in once: its secret, which cannot be shown again.

    :param body: the code or the identifier of the body whose registrar or auditor it is for.
    :param label: who it is for; whoever comes by the same label is the same holder.
    :raises registry.errors.Invalid: a role without the body it needs or without anything to do here, an
        unknown body, scopes that the role has no use for, no label.
    :raises registry.errors.Forbidden: the holder is blocked.
    """
    if role not in ROLES:
        raise Invalid.at("/role", f"The console is for {', '.join(ROLES)}.")
    if (role in OF_A_BODY) != (body is not None):
        needs = "needs a" if role in OF_A_BODY else "has no"
        raise Invalid.at("/body", f"The role {role} {needs} body.")
    if not (0 < len(label.strip()) <= LONGEST_LABEL and label.isprintable()):
        raise Invalid.at("/label", f"Give who it is for, in at most {LONGEST_LABEL} characters.")
    allowed = narrowed(role, scopes)
    of = None if body is None else find_body(tx, body)
    if body is not None and of is None:
        raise Invalid.at("/body", "No body is kept under that code.")
    holders.keep_holder(tx, new_id(), LINK_ISSUER, label.strip(), at)
    holder = holders.find_holder(tx, LINK_ISSUER, label.strip())
    assert holder is not None
    if holder.blocked_at is not None:
        raise Forbidden("This holder is blocked: let them in again first.")
    secret = _new_secret()
    store.add_link(
        tx,
        {
            "id": new_id(),
            "secret_hash": _hash(secret),
            "principal_id": holder.id,
            "role": role,
            "body_id": None if of is None else of.id,
            "scopes": " ".join(sorted(allowed)),
            "created_at": at,
            "created_by": by,
            "expires_at": at + good_for,
        },
    )
    return secret


def find_link(connection: Connection, secret: str, at: datetime) -> Link:
    """Whom a link would sign in at an instant (UTC). It is not used up.

    :raises LinkRefused: nobody.
    """
    row = store.find_link(connection, _hash(secret))
    if row is None or row.used_at is not None or row.expires_at <= at or row.blocked_at is not None:
        raise LinkRefused
    role = Role(row.role)
    scopes = _scopes_of(role, row.scopes)
    return Link(
        row.id,
        Principal(role, row.principal_id, row.subject, row.body_id, row.body_code, scopes),
        row.expires_at,
    )


def use_link(tx: Connection, link: Link, at: datetime) -> None:
    """Use a link up.

    :raises LinkRefused: somebody did at the same moment.
    """
    if not store.use_link(tx, link.id, at):
        raise LinkRefused


def begin(
    tx: Connection, principal: Principal, way: Way, browser: Browser, *, patience: Patience, at: datetime
) -> str:
    """Sign somebody in: the new session's secret. It is always a new one: nobody can have planted it.

    :raises registry.errors.Forbidden: their role has nothing to do here.
    """
    if principal.role not in ROLES:
        raise Forbidden(f"The role {principal.role} has nothing to do in the console.")
    secret = _new_secret()
    store.forget_ended(tx, before=at - KEPT)
    store.add_session(
        tx,
        {
            "id": new_id(),
            "secret_hash": _hash(secret),
            "principal_id": principal.id,
            "label": principal.label,
            "role": principal.role,
            "body_id": principal.body_id,
            "scopes": " ".join(sorted(principal.scopes)),
            "way": way,
            "agent_hash": browser.fingerprint,
            "agent": browser.agent[:LONGEST_AGENT],
            "address": browser.address,
            "created_at": at,
            "seen_at": at,
            "ends_at": at + patience.longest,
        },
    )
    return secret


def recognise(
    connection: Connection, secret: str, browser: Browser, *, patience: Patience, at: datetime
) -> Session | None:
    """The session that a secret opens at an instant (UTC), in the browser that it was given to.

    ``None`` where it opens nothing: no such secret, ended, out of time, its holder blocked.

    :raises OtherBrowser: it would, in another browser.
    """
    row = store.find_session(connection, _hash(secret))
    if row is None or row.ended_at is not None or row.blocked_at is not None:
        return None
    if at >= row.ends_at or at - row.seen_at >= patience.idle:
        return None
    if not secrets.compare_digest(row.agent_hash, browser.fingerprint):
        raise OtherBrowser(_session_of(row))
    return _session_of(row)


def is_to_be_noted(session: Session, at: datetime) -> bool:
    """Whether the last note of when it was seen is more than a minute old."""
    return at - session.seen_at > SEEN_EVERY


def sessions_of(
    connection: Connection, principal: Principal, *, patience: Patience, at: datetime
) -> list[Session]:
    """Those that somebody is signed in by, the one last seen first."""
    rows = store.sessions_of(connection, principal.id, at=at, idle_since=at - patience.idle)
    return [_session_of(row) for row in rows]


def end(tx: Connection, session_id: str, principal: Principal, at: datetime) -> None:
    """Sign somebody out of one of their own sessions.

    :raises registry.errors.NotFound: it is none of theirs, or has ended.
    """
    if not store.end_session(tx, session_id, principal_id=principal.id, at=at):
        raise NotFound("You are not signed in by that session.")


def end_all(tx: Connection, principal_id: str, at: datetime) -> int:
    """Sign somebody out everywhere; of how many sessions."""
    return store.end_sessions_of(tx, principal_id, at=at)


def move_to_body(tx: Connection, session: Session, code: str) -> Body:
    """Let an operator see to another body's affairs.

    :raises registry.errors.NotFound: no body is kept under that code.
    """
    body = find_body(tx, code)
    if body is None:
        raise NotFound("No body is kept under that code.")
    store.move_to_body(tx, session.id, body.id)
    return body


def _session_of(row: Row[Any]) -> Session:
    role = Role(row.role)
    principal = Principal(
        role, row.principal_id, row.label, row.body_id, row.body_code, _scopes_of(role, row.scopes)
    )
    return Session(
        row.id,
        principal,
        Way(row.way),
        row.agent,
        row.address,
        row.created_at,
        row.seen_at,
        row.ends_at,
        row.at_body_code,
    )


def _scopes_of(role: Role, kept: str) -> frozenset[AccessScope]:
    """A scope that this version does not know, or that the role has lost, opens nothing."""
    return SCOPES_OF[role].intersection(kept.split())


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
