"""Where a digest is ended: by its reader, or by their mail program in one click (RFC 8058).

Following the address changes nothing, since programs follow addresses by themselves; sending the form
does. It says the same whether there was a digest or not.
"""

from __future__ import annotations

from flask import Blueprint, Response
from markupsafe import Markup

from registry import clock
from registry.domain.audit_chain import Happening
from registry.services import audit
from registry.services.contacts import unsubscribe
from registry.store.database import writing

from .tracing import request_id

blueprint = Blueprint("digests", __name__)
ADDRESS = "/digest/<string(minlength=20,maxlength=80):token>"

PAGE = Markup(
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"></head>'
    "<body><main><h1>{title}</h1><p>{text}</p>{form}</main></body></html>\n"
)
FORM = Markup('<form method="post"><button type="submit">Send me no more digests</button></form>')


@blueprint.get(ADDRESS)
def digest_page(token: str) -> Response:
    """Ask whether the digest is to end."""
    del token
    return _page("Daily digest", "It tells what is about to lapse in a register. You can end it here.", FORM)


@blueprint.post(ADDRESS)
def end_digest(token: str) -> Response:
    """End the digest."""
    with writing() as tx:
        ended = unsubscribe(tx, token)
        if ended is not None:
            by, details = "digest recipient", {"recipient": ended.id}
            happening = Happening(
                clock.now(), by, "end_digest", None, request_id(), ended.body_id, details=details
            )
            audit.tell(tx, happening)
    return _page("Daily digest", "No more digests are sent to you.", Markup(""))


def _page(title: str, text: str, form: Markup) -> Response:
    response = Response(
        PAGE.format(title=title, text=text, form=form), content_type="text/html; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
