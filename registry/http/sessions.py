"""Who is signed in to the console: the cookie that a browser comes with, judged.

A cookie stands for somebody at the console's own pages and nowhere else; a key or a token, there never. What
the cookie carries is bound to the browser that it was given to and to how it is sent: see
docs/decisions/0025-who-is-signed-in-is-known-by-a-cookie-that-only-their-browser-can-send.md.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app, g, request
from werkzeug import Response

from registry import clock
from registry.domain.audit_chain import Happening
from registry.errors import Forbidden, NotFound
from registry.services import audit, console_sessions
from registry.services.console_sessions import Browser, OtherBrowser, Patience, Session
from registry.settings import Settings
from registry.store.console_sessions import note_seen
from registry.store.database import reading, writing

from .headers import do_afterwards
from .problems import Unauthenticated
from .tracing import request_id

if TYPE_CHECKING:
    from collections.abc import Callable

CONSOLE = "console."
"""What the endpoints of the console begin with."""
NAME = "registry-console"
TOLD = "registry-console-told"
DOOR = "registry-console-door"
SHORT_LIVED = 600
STOLEN = "console_session_from_other_browser"
FRAMES = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SignedOut(Unauthenticated):
    """Nobody is signed in, or not any more."""


def is_of_console(endpoint: str | None) -> bool:
    """Whether an endpoint is one of the console's."""
    return endpoint is not None and endpoint.startswith(CONSOLE)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["registry.settings"]
    return settings


def public_url() -> str:
    """Scheme and host of the service, as the settings name them."""
    return _settings().public_url


def by_https() -> bool:
    """Whether the public reaches the service by https."""
    return _settings().public_url.startswith("https://")


def cookie_name(name: str = NAME) -> str:
    """The name of a cookie; by https with the prefix that only this host can set (RFC 6265bis)."""
    return f"__Host-{name}" if by_https() else name


def patience() -> Patience:
    """How long sessions last here."""
    settings = _settings()
    return Patience(timedelta(minutes=settings.console_idle_minutes), timedelta(hours=settings.console_hours))


def browser() -> Browser:
    """What the present request comes from."""
    return Browser(request.headers.get("User-Agent", ""), request.remote_addr)


def require_protected() -> None:
    """Nobody signs in where others could read along.

    :raises registry.errors.Forbidden: the service is reached by http, and not on this machine alone.
    """
    if not by_https() and urlsplit(_settings().public_url).hostname not in LOOPBACK:
        raise Forbidden("The console needs https: REGISTRY_PUBLIC_URL begins with http.")


def find_session() -> Session | None:
    """Who the present request's cookie stands for; noted as seen."""
    secret = request.cookies.get(cookie_name())
    if not secret or not _is_own_navigation():
        return None
    at = clock.now()
    try:
        with reading() as connection:
            session = console_sessions.recognise(connection, secret, browser(), patience=patience(), at=at)
    except OtherBrowser as stolen:
        _end_stolen(stolen.session)
        return None
    if session is None:
        return None
    g.console_session, g.console_secret = session, secret
    if console_sessions.is_to_be_noted(session, at):
        do_afterwards(request.environ, _noting(session))
    return session


def _end_stolen(session: Session) -> None:
    """A session that came from another browser ends, in its own too; the audit is told."""
    at, principal = clock.now(), session.principal
    with suppress(NotFound), writing() as tx:  # another request may have told the same
        console_sessions.end(tx, session.id, principal, at)
        audit.tell(
            tx,
            Happening(at, principal.name, STOLEN, request.remote_addr, request_id(), principal.body_id),
        )


def _is_own_navigation() -> bool:
    """Whether a browser would show what is answered as a page of its own (Fetch Metadata)."""
    site, mode = request.headers.get("Sec-Fetch-Site"), request.headers.get("Sec-Fetch-Mode", "navigate")
    if request.headers.get("Sec-Fetch-Dest") in FRAMES:
        return False
    return site in (None, "same-origin", "none") or (mode == "navigate" and request.method in ("GET", "HEAD"))


def _noting(session: Session) -> Callable[[], None]:
    app, address, at = current_app._get_current_object(), request.remote_addr, clock.now()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to keep it

    def note() -> None:
        with app.app_context(), reading() as connection:
            note_seen(connection, session.id, address=address, at=at)

    return note


def current_session() -> Session:
    """Who is signed in.

    :raises SignedOut: nobody.
    """
    session: Session | None = g.get("console_session")
    if session is None:
        raise SignedOut("Sign in first.")
    return session


def form_token() -> str:
    """What each form of the present session carries, and no other site can know."""
    return _signed("form")


def _signed(text: str) -> str:
    secret: str = g.get("console_secret", "")
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex() if secret else ""


def refuse_foreign_form() -> None:
    """Only this site's own pages send forms here.

    :raises registry.errors.Forbidden: another site may have sent it, or the browser does not say who did.
    """
    site = request.headers.get("Sec-Fetch-Site")
    is_own = (
        request.headers.get("Origin") == _settings().public_url if site is None else site == "same-origin"
    )
    if not is_own:
        raise Forbidden("This form was not sent from a page of the console.")


def refuse_forged_form() -> None:
    """The form was made for the present session.

    :raises registry.errors.Forbidden: it carries another token, or none.
    """
    expected, given = form_token(), request.form.get("csrf", "")
    if not expected or not given.isascii() or not hmac.compare_digest(expected, given):
        raise Forbidden("This form is of another session. Go back, load the page anew and send it again.")


def set_cookie(response: Response, name: str, value: str, *, seconds: int | None = None) -> None:
    """Give the browser a cookie: of this host alone, out of reach of scripts, not for other sites' forms."""
    response.set_cookie(
        cookie_name(name), value, max_age=seconds, path="/", secure=by_https(), httponly=True, samesite="Lax"
    )


def drop_cookie(response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(cookie_name(name), path="/", secure=by_https(), httponly=True, samesite="Lax")


def tell_next_page(response: Response, text: str) -> None:
    """Let the page that follows say something, once."""
    value = text.encode().hex()
    set_cookie(response, TOLD, f"{value}.{_signed(value)}", seconds=SHORT_LIVED)


def told_before() -> str | None:
    """What the page before wanted this one to say."""
    value, _, signature = request.cookies.get(cookie_name(TOLD), "").partition(".")
    expected = _signed(value)
    if not value or not expected or not signature.isascii() or not hmac.compare_digest(expected, signature):
        return None
    return bytes.fromhex(value).decode()
