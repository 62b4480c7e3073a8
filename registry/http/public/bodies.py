"""Who keeps which register."""

from __future__ import annotations

from sqlalchemy import Connection

from registry.http.answers import Answer
from registry.http.disclosure import Value, shown_body
from registry.http.operations import Blueprint
from registry.http.schemas import BodiesSchema, BodySchema
from registry.services import look_up
from registry.store.database import age_of

blueprint = Blueprint("bodies", __name__, url_prefix="/v1/bodies", description="Regulatory bodies")


@blueprint.operation("GET", "", answer=BodiesSchema)
def list_bodies(tx: Connection) -> Answer:
    """List the bodies whose registers are kept here."""
    items: list[Value] = [shown_body(body) for body in look_up.list_bodies(tx)]
    return Answer({"items": items}, max_age=look_up.longest_kept(age_of(tx)))


@blueprint.operation("GET", "/<code:body>", answer=BodySchema)
def get_body(tx: Connection, body: str) -> Answer:
    """Show one body."""
    return Answer(shown_body(look_up.get_body(tx, body)), max_age=look_up.longest_kept(age_of(tx)))
