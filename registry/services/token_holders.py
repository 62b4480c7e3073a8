"""Those who come with tokens: remembered at their first visit, so that they can own something; or blocked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from registry.clock import new_id
from registry.errors import Conflict, NotFound
from registry.store import principals as store
from registry.store.database import reading, writing
from registry.store.principals import TokenHolder
from registry.store.records import find_body

from .principals import Principal
from .tokens import Holder, NoRole, TokenRefused

LONGEST_LABEL = 100


def principal_of(holder: Holder, at: datetime) -> Principal:
    """Whom the holder of a token stands for: the same principal whenever they come.

    Their first visit is noted in a transaction of its own.

    :raises TokenRefused: they are blocked.
    :raises NoRole: they are of a body that is not kept here.
    """
    with reading() as connection:
        known = store.find_holder(connection, holder.issuer, holder.subject)
        body = None if holder.body is None else find_body(connection, holder.body)
    if holder.body is not None and body is None:
        raise NoRole("This token names a body that is not kept here.")
    if known is None:
        known = _remembered(holder, at)
    if known.blocked_at is not None:
        raise TokenRefused("The tokens of this holder are not taken any more.")
    body_id, code = (None, None) if body is None else (body.id, body.code)
    label = (holder.name or holder.subject)[:LONGEST_LABEL]
    return Principal(holder.role, known.id, label, body_id, code, holder.scopes)


def _remembered(holder: Holder, at: datetime) -> TokenHolder:
    with writing() as tx:
        store.keep_holder(tx, new_id(), holder.issuer, holder.subject, at)
        known = store.find_holder(tx, holder.issuer, holder.subject)
    assert known is not None
    return known


def get_holder(connection: Connection, holder_id: str) -> TokenHolder:
    """Somebody who came with a token.

    :raises registry.errors.NotFound: nobody did under that identifier.
    """
    holder = store.find_holder_by_id(connection, holder_id)
    if holder is None:
        raise NotFound(f"Nobody came with a token who is known by the identifier {holder_id}.")
    return holder


def block_holder(tx: Connection, holder: TokenHolder, *, by: str, at: datetime) -> TokenHolder:
    """Take no token of theirs from now on, however long it would be good.

    :raises registry.errors.Conflict: none is taken already.
    """
    if not store.block(tx, holder.id, by=by, at=at):
        raise Conflict("No token of this holder is taken already.")
    return get_holder(tx, holder.id)


def unblock_holder(tx: Connection, holder: TokenHolder) -> TokenHolder:
    """Take their tokens again.

    :raises registry.errors.Conflict: they are taken.
    """
    if not store.block(tx, holder.id, by=None, at=None):
        raise Conflict("The tokens of this holder are taken.")
    return get_holder(tx, holder.id)
