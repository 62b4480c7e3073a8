"""Signing in to the console and out of it: by a one-time link; here, elsewhere, everywhere."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import structlog
from flask import Response, redirect, request
from sqlalchemy import Connection
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import NotFound

from registry import clock
from registry.domain.audit_chain import Happening
from registry.errors import Unavailable
from registry.http.access import current_principal
from registry.http.assets import asset_response
from registry.http.authentication import provider_sign_in
from registry.http.limits import current_limits
from registry.http.problems import Unauthenticated
from registry.http.sessions import (
    DOOR,
    NAME,
    SHORT_LIVED,
    browser,
    cookie_name,
    current_session,
    drop_cookie,
    find_session,
    patience,
    public_url,
    refuse_foreign_form,
    require_protected,
    set_cookie,
)
from registry.http.tracing import request_id
from registry.services import audit, console_sessions, token_holders
from registry.services.console_sessions import LinkRefused, OtherBrowser, Way
from registry.services.console_sign_in import ProviderSignIn, SignInRefused, UnderWay
from registry.services.principals import ANYONE, Principal
from registry.services.tokens import NoRole, TokenRefused
from registry.store.database import writing

from .navigation import first_page
from .pages import Done, Shown, action, blueprint, done, page, show
from .rendering import assets, link, page_response

log = structlog.get_logger(__name__)
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
    provider = provider_sign_in()
    left = "left" in request.args
    context = {
        "wanted": wanted,
        "is_lost": "lost" in request.args,
        "has_left": left,
        "has_provider": provider is not None,
    }
    return page_response("sign_in.html", context)


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
    token = request.form.get("token", "")
    try:
        with current_limits().attempt(request.remote_addr or "", token):
            secret = _signed_in_by_link(token)
    except Unauthenticated:
        return _refusal(Way.LINK, "link_refused.html")
    return _welcome(secret, HOME)


def _signed_in_by_link(token: str) -> str:
    at = clock.now()
    try:
        with writing() as tx:
            found = console_sessions.find_link(tx, token, at)
            console_sessions.use_link(tx, found, at)
            return _signed_in(tx, found.principal, Way.LINK, at)
    except LinkRefused:
        raise Unauthenticated("This link signs nobody in.") from None


@blueprint.get("/sign-in/provider")
def console_go_to_provider() -> AnyResponse:
    """Go to the identity provider, to sign in there."""
    require_protected()
    under_way = UnderWay.new()
    try:
        response = redirect(_provider().address(under_way), 303)
    except SignInRefused as refusal:
        raise Unavailable(str(refusal)) from refusal
    wanted = own_path(request.args.get("next", HOME))
    set_cookie(response, DOOR, f"{under_way.secret}.{wanted.encode().hex()}", seconds=SHORT_LIVED)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/sign-in/provider/back")
def console_come_from_provider() -> AnyResponse:
    """Come back from the identity provider, signed in or not."""
    require_protected()
    provider, answered = _provider(), request.args.to_dict()
    secret, _, wanted = request.cookies.get(cookie_name(DOOR), "").partition(".")
    try:
        with current_limits().attempt(request.remote_addr or "", answered.get("state", "")):
            begun = _signed_in_by_provider(provider, UnderWay(secret), answered)
    except Unauthenticated as refusal:
        response = _refusal(Way.PROVIDER, "sign_in_refused.html", str(refusal))
    except NoRole:
        told = "You have no role in this register. Ask whoever runs it."
        response = _refusal(Way.PROVIDER, "sign_in_refused.html", told)
    else:
        response = _welcome(begun, own_path(_unhexed(wanted)))
    drop_cookie(response, DOOR)
    return response


def _signed_in_by_provider(provider: ProviderSignIn, under_way: UnderWay, answered: dict[str, str]) -> str:
    at = clock.now()
    try:
        if not under_way.secret:
            raise SignInRefused("This sign-in was begun in another browser, or too long ago.")
        principal = token_holders.principal_of(provider.finish(under_way, answered, at), at)
    except (SignInRefused, TokenRefused) as refusal:
        raise Unauthenticated(str(refusal)) from refusal
    if principal.role not in console_sessions.ROLES:
        raise NoRole
    with writing() as tx:
        return _signed_in(tx, principal, Way.PROVIDER, at)


@blueprint.get("/sign-in/provider/leave")
def console_leave_provider() -> AnyResponse:
    """Sign out of the identity provider, too."""
    address = _provider().leaving(f"{public_url()}{link('console_sign_in')}")
    return redirect(address or link("console_sign_in"), 303)


def _provider() -> ProviderSignIn:
    provider = provider_sign_in()
    if provider is None:
        raise NotFound
    return provider


def _unhexed(text: str) -> str:
    try:
        return bytes.fromhex(text).decode()
    except ValueError:
        return HOME


def _signed_in(tx: Connection, principal: Principal, way: Way, at: datetime) -> str:
    """Begin a session for somebody, in place of the one that the browser has; tell the audit."""
    before = request.cookies.get(cookie_name())
    if before:
        with suppress(OtherBrowser):
            known = console_sessions.recognise(tx, before, browser(), patience=patience(), at=at)
            if known is not None:
                console_sessions.end(tx, known.id, known.principal, at)
    secret = console_sessions.begin(tx, principal, way, browser(), patience=patience(), at=at)
    told = {"way": way.value, "scopes": sorted(principal.scopes)}
    audit.tell(
        tx,
        Happening(at, principal.name, SIGNED_IN, request.remote_addr, request_id(), principal.body_id, told),
    )
    return secret


def _welcome(secret: str, wanted: str) -> AnyResponse:
    response = redirect(first_page() if wanted == HOME else wanted, 303)
    set_cookie(response, NAME, secret)
    response.headers["Cache-Control"] = "no-store"
    return response


def _refusal(way: Way, template: str, why: str = "") -> AnyResponse:
    """Nobody is signed in; the audit is told, and the log."""
    log.warning("refused", status=403, operation=SIGN_IN_FAILED, way=way.value, request_id=request_id())
    with writing() as tx:
        told = {"way": way.value, **({"why": why} if why else {})}
        audit.tell(
            tx,
            Happening(
                clock.now(), ANYONE.name, SIGN_IN_FAILED, request.remote_addr, request_id(), None, told
            ),
        )
    return page_response(template, {"why": why}, 403)


@action("/sign-out")
def console_sign_out(tx: Connection) -> AnyResponse:
    """End the session that this browser is signed in by."""
    session = current_session()
    console_sessions.end(tx, session.id, session.principal, clock.now())
    return _signed_out()


def _signed_out() -> AnyResponse:
    came_by_provider = current_session().way is Way.PROVIDER
    response = redirect(link("console_sign_in", **({"left": "1"} if came_by_provider else {})), 303)
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
