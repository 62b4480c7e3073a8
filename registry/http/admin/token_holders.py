"""Those who come with tokens of the identity provider: listed, blocked and let in again by operators."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from registry import clock
from registry.http.access import current_principal
from registry.http.answers import Answer
from registry.http.cursors import PageQuery, page_of, page_schema, position
from registry.http.fields import Id, Instant, ResponseSchema, Text
from registry.http.operations import Blueprint
from registry.services import token_holders
from registry.store import principals
from registry.store.principals import TokenHolder

blueprint = Blueprint(
    "token_holders",
    __name__,
    url_prefix="/v1/admin/token-holders",
    description="Those who come with tokens of the identity provider",
)


class TokenHolderSchema(ResponseSchema):
    """Somebody who came with a token. What they may do is said by each of their tokens."""

    id = Id(metadata={"description": "As records and the audit name them, after their role."})
    issuer = Text()
    subject = Text()
    created_at = Instant(metadata={"description": "When they came first."})
    blocked_at = Instant(allow_none=True, metadata={"description": "Since when no token of theirs is taken."})
    blocked_by = Text(allow_none=True)


@blueprint.operation("GET", "", query=PageQuery, answer=page_schema(TokenHolderSchema))
def list_token_holders(tx: Connection, query: dict[str, Any]) -> Answer:
    """List who came with tokens, in the order in which they first did."""
    after = position(query, str)
    found = principals.list_holders(tx, after=after[0] if after else None, limit=query["limit"] + 1)
    return page_of(query, found, lambda holder: [holder.id])


@blueprint.operation("GET", "/<id:holder_id>", answer=TokenHolderSchema)
def get_token_holder(tx: Connection, holder_id: str) -> TokenHolder:
    """Show who came with a token."""
    return token_holders.get_holder(tx, holder_id)


@blueprint.operation("POST", "/<id:holder_id>/block", answer=TokenHolderSchema)
def block_token_holder(tx: Connection, holder_id: str) -> TokenHolder:
    """Take no token of theirs from now on, however long it would be good."""
    holder = token_holders.get_holder(tx, holder_id)
    return token_holders.block_holder(tx, holder, by=current_principal().name, at=clock.now())


@blueprint.operation("POST", "/<id:holder_id>/unblock", answer=TokenHolderSchema)
def unblock_token_holder(tx: Connection, holder_id: str) -> TokenHolder:
    """Take their tokens again."""
    return token_holders.unblock_holder(tx, token_holders.get_holder(tx, holder_id))
