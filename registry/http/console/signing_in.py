"""Signing in to the console and out of it: by a one-time link; here, elsewhere, everywhere."""

from __future__ import annotations

from flask import Response, redirect, request
from sqlalchemy import Connection
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import NotFound

from registry import clock
from registry.domain.audit_chain import Happening
from registry.http.access import current_principal
from registry.http.assets import asset_response
from registry.http.limits import current_limits
from registry.http.problems import Unauthenticated
from registry.http.sessions import (
    NAME,
    browser,
    cookie_name,
    current_session,
    drop_cookie,
    find_session,
    patience,
    refuse_foreign_form,
    require_protected,
    set_cookie,
)
from registry.http.tracing import request_id
from registry.services import audit, console_sessions
from registry.services.console_sessions import LinkRefused, Way
from registry.services.principals import Principal
from registry.store.database import writing

from .navigation import first_page
from .pages import Done, Shown, action, blueprint, done, page, show
from .rendering import assets, link, page_response

SIGNED_IN, SIGN_IN_FAILED = "console_signed_in", "console_sign_in_failed"
HOME = "/console"


def own_path(given: str) -> str:
    """A path of the console as it is; anything else is where the console begins."""
    is_own = given == HOME or given.startswith((f"{HOME}/", f"{HOME}?"))
    return given if is_own and "\\" not in given and "//" not in given and given.isprintable() else HOME


@blueprint.get("/assets/<name>")
def console_asset(name: str) -> AnyResponse:
    """A style, a script or a picture."""
    asset = assets().get(name)
    if asset is None:
        raise NotFound
    return asset_response(asset)


@blueprint.get("/sign-in")
def console_sign_in() -> AnyResponse:
    """How to sign in; for who is signed in, the page that they wanted."""
    wanted = own_path(request.args.get("next", HOME))
    if find_session() is not None:
        return redirect(first_page() if wanted == HOME else wanted, 303)
    return page_response("sign_in.html", {"wanted": wanted, "is_lost": "lost" in request.args})


@blueprint.get("/sign-in/link")
def console_link() -> Response:
    """Ask whether to sign in by a link: looking at it, as programs do that preview links, uses nothing up."""
    require_protected()
    return page_response("link.html", {"token": request.args.get("token", "")})


@blueprint.post("/sign-in/link")
def console_use_link() -> AnyResponse:
    """Sign in by a link, which is used up by that."""
    require_protected()
    refuse_foreign_form()
    token, at = request.form.get("token", ""), clock.now()
    try:
        with current_limits().attempt(request.remote_addr or "", token):
            secret = _used(token)
    except Unauthenticated:
        with writing() as tx:
            audit.tell(tx, Happening(at, "public", SIGN_IN_FAILED, request.remote_addr, request_id()))
        return page_response("link_refused.html", {}, 403)
    response = redirect(first_page(), 303)
    set_cookie(response, NAME, secret)
    return response


def _used(token: str) -> str:
    at = clock.now()
    try:
        with writing() as tx:
            found = console_sessions.find_link(tx, token, at)
            console_sessions.use_link(tx, found, at)
            return signed_in(tx, found.principal, Way.LINK)
    except LinkRefused:
        raise Unauthenticated("This link signs nobody in.") from None


def signed_in(tx: Connection, principal: Principal, way: Way) -> str:
    """Begin a session for somebody, in place of the one that the browser has; tell the audit."""
    at = clock.now()
    before = request.cookies.get(cookie_name())
    if before:
        known = console_sessions.recognise(tx, before, browser(), patience=patience(), at=at)
        if known is not None:
            console_sessions.end(tx, known.id, known.principal, at)
    secret = console_sessions.begin(tx, principal, way, browser(), patience=patience(), at=at)
    told = {"way": way.value, "role": principal.role.value, "label": principal.label}
    happening = Happening(
        at, principal.name, SIGNED_IN, request.remote_addr, request_id(), principal.body_id, told
    )
    audit.tell(tx, happening)
    return secret


@action("/sign-out")
def console_sign_out(tx: Connection) -> AnyResponse:
    """End the session that this browser is signed in by."""
    session = current_session()
    console_sessions.end(tx, session.id, session.principal, clock.now())
    return _signed_out()


def _signed_out() -> AnyResponse:
    response = redirect(link("console_sign_in"), 303)
    drop_cookie(response, NAME)
    return response


@page("/sessions")
def console_sessions_page(tx: Connection) -> Shown:
    """Where somebody is signed in."""
    found = console_sessions.sessions_of(tx, current_principal(), patience=patience(), at=clock.now())
    return show("sessions.html", sessions=found)


@action("/sessions/<id:session_id>/end")
def console_end_session(tx: Connection, session_id: str) -> AnyResponse | Done:
    """Sign out elsewhere."""
    console_sessions.end(tx, session_id, current_principal(), clock.now())
    if session_id == current_session().id:
        return _signed_out()
    return done("That session has ended.", "console_sessions_page")


@action("/sessions/end")
def console_end_all_sessions(tx: Connection) -> AnyResponse:
    """Sign out everywhere, here too."""
    console_sessions.end_all(tx, current_principal().id, clock.now())
    return _signed_out()


@page("/<path:rest>")
def console_nowhere(tx: Connection, rest: str) -> Shown:
    """There is nothing at this address."""
    del tx, rest
    raise NotFound
