"""Whose affairs somebody is at: a registrar's and an auditor's is their own body, an operator chooses."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from sqlalchemy import Connection

from registry.errors import NotFound
from registry.http.access import current_principal, require_body
from registry.http.sessions import current_session
from registry.services import console_sessions
from registry.services.principals import OF_A_BODY
from registry.store.records import Body, body_names, find_body

from .forms import FormSchema
from .navigation import first_page
from .pages import Done, action


def working_body(connection: Connection) -> Body:
    """The body at hand: the principal's own; for an operator the one chosen last, or the first by name.

    :raises registry.errors.NotFound: no body is kept yet.
    """
    principal = current_principal()
    code = principal.body_id if principal.role in OF_A_BODY else current_session().at_body
    if code is None:
        names = body_names(connection)
        code = names[0][0] if names else None
    body = None if code is None else find_body(connection, code)
    if body is None:
        raise NotFound("No body is kept here yet.")
    require_body(body.id)
    return body


class BodySchema(FormSchema):
    """The body that an operator turns to."""

    body = ma.fields.String(required=True)


@action("/body", form=BodySchema)
def console_choose_body(tx: Connection, given: dict[str, Any]) -> Done:
    """Turn to another body's affairs."""
    body = console_sessions.move_to_body(tx, current_session(), given["body"])
    return Done(f"You are at the affairs of {body.name}.", first_page())
