"""API keys: made, recognised, rotated, listed and revoked.

A key is ``ndl_<prefix>_<secret>``: the prefix says which one it is, in lists and in the log; the secret is
256 random bits. Only the hash of the whole is kept. A fast hash will do: nobody can try out 2^256 secrets.

A rotation gives the same key another secret; for a while both open what the key opens, so that its holder can
change over without a gap.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row

from registry.clock import new_id
from registry.errors import Conflict, Forbidden, Invalid, NotFound
from registry.store import keys as store
from registry.store.records import find_body

from .principals import OF_A_BODY, SCOPES_OF, AccessScope, Principal, Role

SHAPE = re.compile("ndl_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
PREFIX_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
LONGEST_OVERLAP = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key. Instants are UTC.

    :param prefix: what its holder can recognise it by.
    :param scopes: what of the role's powers it may use.
    :param previous_until: until when the secret before the last rotation is good, too.
    :param secret: the whole key, when it has just been made or rotated; it cannot be shown again.
    """

    id: str
    prefix: str
    role: Role
    body_id: str | None
    body: str | None
    label: str
    scopes: frozenset[AccessScope]
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    rotated_at: datetime | None = None
    rotated_by: str | None = None
    previous_until: datetime | None = None
    secret: str | None = None

    def in_force(self, at: datetime) -> bool:
        """Whether the key opens anything at an instant."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def create_key(
    tx: Connection,
    *,
    role: Role,
    body: str | None,
    label: str,
    scopes: Collection[AccessScope] | None = None,
    expires_at: datetime | None,
    by: str,
    at: datetime,
) -> Key:
    """Make a key.

    :param body: the code or the identifier of the body whose registrar or auditor it is for.
    :param scopes: what of the role's powers it may use; ``None`` for all of them.
    :raises registry.errors.Invalid: a role without the body it needs, an unknown body, scopes that the role
        has no use for, an expiry in the past.
    """
    if role is Role.PUBLIC:
        raise Invalid.at("/role", "The public needs no key.")
    if (role in OF_A_BODY) != (body is not None):
        needs = "needs a" if role in OF_A_BODY else "has no"
        raise Invalid.at("/body", f"A key of the role {role} {needs} body.")
    allowed = narrowed(role, scopes)
    if expires_at is not None and expires_at <= at:
        raise Invalid.at("/expires_at", "Give an instant to come.")
    of = None if body is None else find_body(tx, body)
    if body is not None and of is None:
        raise Invalid.at("/body", "No body is kept under that code.")
    prefix = "".join(secrets.choice(PREFIX_LETTERS) for _ in range(10))
    body_id, code = (None, None) if of is None else (of.id, of.code)
    key = Key(
        new_id(), prefix, role, body_id, code, label, allowed, at, by, expires_at, secret=_new_secret(prefix)
    )
    store.add_key(tx, {**_row(key), "scopes": None if scopes is None else " ".join(sorted(allowed))})
    return key


def _new_secret(prefix: str) -> str:
    return f"ndl_{prefix}_{secrets.token_urlsafe(32)}"


def narrowed(role: Role, scopes: Collection[AccessScope] | None) -> frozenset[AccessScope]:
    """What a role may do where it is narrowed to some scopes; ``None`` for all that it has.

    :raises registry.errors.Invalid: there is none, or one that the role has no use for.
    """
    if scopes is None:
        return SCOPES_OF[role]
    if not scopes:
        raise Invalid.at("/scopes", "Give at least one scope, or leave them out for all that the role has.")
    useless = sorted(set(scopes) - SCOPES_OF[role])
    if useless:
        has = ", ".join(sorted(SCOPES_OF[role]))
        raise Invalid.at("/scopes", f"The role {role} has no use for {', '.join(useless)}; it has {has}.")
    return frozenset(scopes)


def refuse_wider(maker: Principal, scopes: frozenset[AccessScope]) -> None:
    """Nobody hands out more than they have: a narrowed key makes, and rotates, none that may do more.

    :raises registry.errors.Forbidden: the maker lacks one of the scopes.
    """
    lacking = sorted(scopes - maker.scopes)
    if lacking:
        raise Forbidden(
            f"Your own key has not the scope {', '.join(lacking)}, so it can give it to no other."
        )


def _row(key: Key) -> dict[str, Any]:
    assert key.secret is not None
    return {
        "id": key.id,
        "prefix": key.prefix,
        "secret_hash": _hash(key.secret),
        "role": key.role,
        "body_id": key.body_id,
        "label": key.label,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
    }


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def recognise(connection: Connection, given: str, at: datetime) -> Principal | None:
    """Who holds a key that is in force at an instant (UTC); ``None`` where it opens nothing."""
    key = find_in_force(connection, given, at)
    return None if key is None else principal_of(key)


def find_in_force(connection: Connection, given: str, at: datetime) -> Key | None:
    """The key that a secret opens at an instant (UTC); ``None`` where it opens nothing."""
    match = SHAPE.fullmatch(given)
    row = None if match is None else store.find_by_prefix(connection, match[1])
    if row is None or not _is_secret_of(row, given, at):
        return None
    key = _key_of(row)
    return key if key.in_force(at) else None


def _is_secret_of(row: Row[Any], given: str, at: datetime) -> bool:
    """Whether it is the key's secret, or the one before while that is good, too."""
    hashed = _hash(given)
    if hmac.compare_digest(row.secret_hash, hashed):
        return True
    overlaps = row.previous_until is not None and at < row.previous_until
    return overlaps and hmac.compare_digest(row.previous_hash or "", hashed)


def principal_of(key: Key) -> Principal:
    """Whom a key stands for."""
    return Principal(key.role, key.id, key.label, key.body_id, key.body, key.scopes)


def is_use_to_be_noted(key: Key, at: datetime) -> bool:
    """Whether the last note of its use is more than a minute old."""
    return key.last_used_at is None or at - key.last_used_at > store.NOTED_EVERY


def _key_of(row: Row[Any]) -> Key:
    role = Role(row.role)
    return Key(
        row.id,
        row.prefix,
        role,
        row.body_id,
        row.body_code,
        row.label,
        _scopes_of(role, row.scopes),
        row.created_at,
        row.created_by,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
        row.revoked_by,
        row.rotated_at,
        row.rotated_by,
        row.previous_until,
    )


def _scopes_of(role: Role, kept: str | None) -> frozenset[AccessScope]:
    """A scope that this version does not know, or that the role has lost, opens nothing."""
    return SCOPES_OF[role] if kept is None else SCOPES_OF[role].intersection(kept.split())


def list_keys(
    connection: Connection, *, body_id: str | None = None, after: str | None = None, limit: int
) -> list[Key]:
    """Keys in the order in which they were made, of one body or of all, without their secrets."""
    rows = store.list_keys(connection, body_id=body_id, after=after, limit=limit)
    return [_key_of(row) for row in rows]


def get_key(connection: Connection, key_id: str) -> Key:
    """One key, without its secret.

    :raises registry.errors.NotFound: there is none.
    """
    row = store.find_key(connection, key_id)
    if row is None:
        raise NotFound(f"No key is kept under the identifier {key_id}.")
    return _key_of(row)


def revoke_key(tx: Connection, key: Key, *, by: str, at: datetime) -> None:
    """End a key for good, at once.

    :raises registry.errors.Conflict: it is revoked already.
    """
    if not store.revoke(tx, key.id, by=by, at=at):
        raise Conflict("This key is revoked already.")


def rotate_key(tx: Connection, key: Key, *, overlap: timedelta, by: str, at: datetime) -> Key:
    """Give a key another secret; the present one stays good for a while.

    A secret from before an earlier rotation ends at once: there are never more than two.

    :param overlap: for how long both are good; nothing where the present secret is known to others.
    :raises registry.errors.Conflict: the key is not in force, or was rotated at the same moment.
    :raises registry.errors.Invalid: the overlap is negative, or longer than thirty days.
    """
    if not key.in_force(at):
        raise Conflict("This key is not in force; make another.")
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid.at("/overlap_hours", "Give 0 to 720 hours.")
    rotated = replace(
        key, secret=_new_secret(key.prefix), rotated_at=at, rotated_by=by, previous_until=at + overlap
    )
    assert rotated.secret is not None
    changed = store.rotate(
        tx, key.id, _hash(rotated.secret), last_rotated_at=key.rotated_at, until=at + overlap, by=by, at=at
    )
    if not changed:
        raise Conflict("This key was rotated or revoked at the same moment; read it again.")
    return rotated
