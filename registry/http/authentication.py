"""Who sends a request: the key or the token that it comes with, judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, current_app

from registry import clock
from registry.errors import Forbidden
from registry.services import keys, token_holders
from registry.services.console_sign_in import ProviderSignIn
from registry.services.principals import Principal
from registry.services.tokens import NoRole, TokenRefused, TokenRules
from registry.settings import Settings
from registry.store.database import reading
from registry.store.keys import note_use

from .headers import do_afterwards
from .limits import current_limits
from .problems import TooManyRequests, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from _typeshed.wsgi import WSGIEnvironment

EXTENSION = "registry.tokens"
SIGN_IN = "registry.sign_in"
DOTS = 2
"""In a token: between its header, its claims and its signature."""


def take_tokens(app: Flask, settings: Settings) -> None:
    """Let the application take tokens, and let people sign in, where the settings say by whom."""
    app.extensions[EXTENSION] = rules = TokenRules.of(settings)
    app.extensions[SIGN_IN] = ProviderSignIn.of(settings, rules)


def provider_sign_in() -> ProviderSignIn | None:
    """How people sign in by the provider; ``None`` where they do not."""
    found: ProviderSignIn | None = current_app.extensions[SIGN_IN]
    return found


def authenticate(environ: WSGIEnvironment) -> Principal:
    """Whom the field ``Authorization`` of a request stands for.

    :raises Unauthenticated: nobody.
    :raises TooManyRequests: too many from the same address stood for nobody.
    """
    scheme, _, given = environ["HTTP_AUTHORIZATION"].partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Send the key as Authorization: Bearer <key>.")
    credential = given.strip()
    with current_limits().attempt(environ.get("REMOTE_ADDR", ""), credential):
        rules: TokenRules | None = current_app.extensions[EXTENSION]
        if rules is not None and credential.count(".") == DOTS:
            return _holder_of_token(rules, credential)
        return _holder_of_key(environ, credential)


def still_stands_for(principal: Principal, environ: WSGIEnvironment) -> bool:
    """Whether what a request came with is still good, and for the same powers; for answers that take long."""
    try:
        return authenticate(environ) == principal
    except (Unauthenticated, Forbidden, TooManyRequests):
        return False


def _holder_of_token(rules: TokenRules, token: str) -> Principal:
    at = clock.now()
    try:
        return token_holders.principal_of(rules.judge(token, at), at)
    except TokenRefused as refusal:
        raise Unauthenticated(str(refusal)) from refusal
    except NoRole as refusal:
        raise Forbidden(str(refusal)) from refusal


def _holder_of_key(environ: WSGIEnvironment, given: str) -> Principal:
    at = clock.now()
    with reading() as connection:
        key = keys.find_in_force(connection, given, at)
    if key is None:
        raise Unauthenticated("This key is not in force: it is mistyped, expired or revoked.")
    if keys.is_use_to_be_noted(key, at):
        do_afterwards(environ, _noting_use(key.id, at))
    return keys.principal_of(key)


def _noting_use(key_id: str, at: datetime) -> Callable[[], None]:
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to keep it

    def note() -> None:
        with app.app_context(), reading() as connection:
            note_use(connection, key_id, at)

    return note
