"""API keys: made, recognised, listed and revoked.

A key is ``ndl_<prefix>_<secret>``: the prefix says which one it is, in lists and in the log; the secret is
256 random bits. Only the hash of the whole is kept. A fast hash will do: nobody can try out 2^256 secrets.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row

from registry.clock import new_id
from registry.errors import Conflict, Invalid, NotFound
from registry.store import keys as store
from registry.store.records import find_body

from .principals import OF_A_BODY, Principal, Role

SHAPE = re.compile("ndl_([a-z2-7]{10})_([A-Za-z0-9_-]{43})")
PREFIX_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of a key. Instants are UTC.

    :param prefix: what its holder can recognise it by.
    :param secret: the whole key, when it has just been made; it cannot be shown again.
    """

    id: str
    prefix: str
    role: Role
    body_id: str | None
    body: str | None
    label: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
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
    expires_at: datetime | None,
    by: str,
    at: datetime,
) -> Key:
    """Make a key.

    :param body: the code or the identifier of the body whose registrar or auditor it is for.
    :raises registry.errors.Invalid: a role without the body it needs, an unknown body, an expiry in the past.
    """
    if role is Role.PUBLIC:
        raise Invalid.at("/role", "The public needs no key.")
    if (role in OF_A_BODY) != (body is not None):
        needs = "needs a" if role in OF_A_BODY else "has no"
        raise Invalid.at("/body", f"A key of the role {role} {needs} body.")
    if expires_at is not None and expires_at <= at:
        raise Invalid.at("/expires_at", "Give an instant to come.")
    of = None if body is None else find_body(tx, body)
    if body is not None and of is None:
        raise Invalid.at("/body", "No body is kept under that code.")
    prefix = "".join(secrets.choice(PREFIX_LETTERS) for _ in range(10))
    secret = f"ndl_{prefix}_{secrets.token_urlsafe(32)}"
    body_id, code = (None, None) if of is None else (of.id, of.code)
    key = Key(new_id(), prefix, role, body_id, code, label, at, by, expires_at, secret=secret)
    store.add_key(tx, _row(key))
    return key


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
    match = SHAPE.fullmatch(given)
    row = None if match is None else store.find_by_prefix(connection, match[1])
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(given)):
        return None
    key = _key_of(row)
    if not key.in_force(at):
        return None
    if key.last_used_at is None or at - key.last_used_at > store.NOTED_EVERY:
        store.note_use(connection, key.id, at)
    return Principal(key.role, key.id, key.label, key.body_id, key.body)


def _key_of(row: Row[Any]) -> Key:
    return Key(
        row.id,
        row.prefix,
        Role(row.role),
        row.body_id,
        row.body_code,
        row.label,
        row.created_at,
        row.created_by,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
        row.revoked_by,
    )


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
