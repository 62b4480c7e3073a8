"""API keys: made, rotated and revoked by operators; a registrar sees those of the own body."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import url_for
from sqlalchemy import Connection

from registry import clock
from registry.errors import NotFound
from registry.http.access import current_principal, own_body, require_body
from registry.http.answers import Answer
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import (
    BodyCode,
    Id,
    Instant,
    Integer,
    RequestSchema,
    ResponseSchema,
    SetOf,
    Text,
    Word,
)
from registry.http.operations import Blueprint
from registry.services import keys
from registry.services.principals import AccessScope, Role
from registry.store.records import find_body

blueprint = Blueprint("keys", __name__, url_prefix="/v1/admin/keys", description="API keys")


class NewKeySchema(RequestSchema):
    """A key to be made."""

    role = Word(Role, [role for role in Role if role is not Role.PUBLIC], required=True)
    body = BodyCode(
        load_default=None,
        metadata={"description": "The body of a registrar or an auditor; absent for the other roles."},
    )
    label = Text(100, required=True, metadata={"description": "Who will hold it, for your lists."})
    scopes = SetOf(
        Word(AccessScope),
        least=1,
        load_default=None,
        metadata={"description": "What of the role's powers it may use; all of them where it is left out."},
    )
    expires_at = Instant(load_default=None, metadata={"description": "Until when it opens anything."})


class RotationSchema(RequestSchema):
    """How a key is to be rotated."""

    overlap_hours = Integer(
        0,
        720,
        load_default=24,
        metadata={"description": "For how long the present secret stays good, too; 0 where others know it."},
    )


class KeySchema(ResponseSchema):
    """What is known of a key; never the key itself."""

    id = Id()
    prefix = Text(10, metadata={"description": "The holder recognises the key by it: ndl_<prefix>_..."})
    role = Word(Role)
    body = BodyCode(allow_none=True)
    label = Text(100)
    scopes = SetOf(Word(AccessScope))
    created_at = Instant()
    created_by = Text()
    expires_at = Instant(allow_none=True)
    last_used_at = Instant(allow_none=True, metadata={"description": "To the minute."})
    revoked_at = Instant(allow_none=True)
    revoked_by = Text(allow_none=True)
    rotated_at = Instant(allow_none=True)
    rotated_by = Text(allow_none=True)
    previous_until = Instant(
        allow_none=True, metadata={"description": "Until when the secret before the last rotation is good."}
    )


class MadeKeySchema(KeySchema):
    """A key that has just been made or rotated, with the key itself, shown this once."""

    secret = Text(allow_none=True, metadata={"description": "The key. Null where the request is replayed."})


class KeysQuery(PageQuery):
    """Which keys."""

    body = BodyCode(load_default=None, metadata={"description": "Only those of this body."})


@blueprint.operation("POST", "", body=NewKeySchema, answer=MadeKeySchema, status=201, shown_once="secret")
def create_key(tx: Connection, given: dict[str, Any]) -> Answer:
    """Make a key, and show it once.

    Whoever makes it hands out no scope that the own key lacks.
    """
    keys.refuse_wider(current_principal(), keys.narrowed(given["role"], given["scopes"]))
    key = keys.create_key(tx, **given, by=current_principal().name, at=clock.now())
    return Answer(key, location=url_for("keys.get_key", key_id=key.id))


@blueprint.operation("GET", "", query=KeysQuery, answer=page_schema(KeySchema))
def list_keys(tx: Connection, query: dict[str, Any]) -> Answer:
    """List keys, in the order in which they were made."""
    after = position(query, str)
    body_id = own_body(_body_id(tx, query["body"]))
    limit = query["limit"] + 1
    found = keys.list_keys(tx, body_id=body_id, after=after[0] if after else None, limit=limit)
    return page_of(query, found, lambda key: [key.id])


def _body_id(tx: Connection, code: str | None) -> str | None:
    if code is None:
        return None
    body = find_body(tx, code)
    if body is None:
        raise NotFound(f"No body is kept under the code {code}.")
    return body.id


@blueprint.operation("GET", "/<id:key_id>", answer=KeySchema)
def get_key(tx: Connection, key_id: str) -> keys.Key:
    """Show one key, without the key itself."""
    key = keys.get_key(tx, key_id)
    require_body(key.body_id or "")
    return key


@blueprint.operation("DELETE", "/<id:key_id>")
def revoke_key(tx: Connection, key_id: str) -> None:
    """Revoke a key, for good and at once."""
    keys.revoke_key(tx, keys.get_key(tx, key_id), by=current_principal().name, at=clock.now())


@blueprint.operation(
    "POST", "/<id:key_id>/rotate", body=RotationSchema, answer=MadeKeySchema, shown_once="secret"
)
def rotate_key(tx: Connection, key_id: str, given: dict[str, Any]) -> keys.Key:
    """Give a key another secret, and show it once.

    The present secret stays good for `overlap_hours`; one from before an earlier rotation ends at once.
    """
    key = keys.get_key(tx, key_id)
    keys.refuse_wider(current_principal(), key.scopes)
    overlap = timedelta(hours=given["overlap_hours"])
    return keys.rotate_key(tx, key, overlap=overlap, by=current_principal().name, at=clock.now())
