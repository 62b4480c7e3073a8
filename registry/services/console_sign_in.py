"""Signing in by the identity provider: the authorization code flow with PKCE (RFC 6749, RFC 7636, RFC 9700).

All that a sign-in under way must remember follows from one secret that the browser keeps in a cookie: so
nobody can end in a browser what was begun in another, and nothing is kept here before somebody has signed in.
"""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from registry.delivery.documents import Fetcher, NotFetched
from registry.settings import Settings

from .tokens import Holder, TokenRefused, TokenRules

RETURN_PATH = "/console/sign-in/provider/back"
LONGEST_CODE = 4000


class SignInRefused(Exception):
    """A sign-in that signs nobody in, and why; a sentence that quotes nothing of what came."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A sign-in under way; all of it follows from a secret of the browser's."""

    secret: str

    @classmethod
    def new(cls) -> UnderWay:
        """One that begins."""
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """By which what comes back is known to belong to it."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """By which the ID token is known to belong to it."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Without which nobody can turn the code into tokens (RFC 7636, section 4.1)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier beforehand."""
        return _base64url(sha256(self.verifier.encode()).digest())

    def _derived(self, purpose: str) -> str:
        return _base64url(digest(self.secret.encode("utf-8", "backslashreplace"), purpose.encode(), "sha256"))


@dataclass(frozen=True)
class ProviderSignIn:
    """How people sign in by the provider of this deployment.

    :param redirect_uri: where the provider sends them back to; it must be registered there.
    :param by_http: whether the provider may be reached without TLS; for development.
    """

    rules: TokenRules
    fetch: Fetcher
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    redirect_uri: str
    by_http: bool

    @classmethod
    def of(cls, settings: Settings, rules: TokenRules | None) -> ProviderSignIn | None:
        """That of the settings; ``None`` where nobody signs in by a provider."""
        if rules is None or not settings.oidc_client_id:
            return None
        return cls(
            rules,
            Fetcher(settings.oidc_allow_loopback, settings.oidc_ca_bundle or None),
            settings.oidc_client_id,
            settings.oidc_client_secret,
            settings.oidc_scopes,
            f"{settings.public_url}{RETURN_PATH}",
            settings.oidc_allow_loopback,
        )

    def address(self, under_way: UnderWay) -> str:
        """Where somebody signs in.

        :raises registry.errors.Unavailable: the provider has not said.
        :raises SignInRefused: it names no address for that.
        """
        address = self._endpoint("authorization_endpoint")
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.scopes),
            "state": under_way.state,
            "nonce": under_way.nonce,
            "code_challenge": under_way.challenge,
            "code_challenge_method": "S256",
        }
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def finish(self, under_way: UnderWay, answered: Mapping[str, str], at: datetime) -> Holder:
        """Who has signed in.

        :param answered: what they came back from the provider with.
        :param at: the present instant (UTC).
        :raises SignInRefused: nobody.
        :raises registry.services.tokens.NoRole: somebody who is nothing here.
        :raises registry.errors.Unavailable: it cannot be judged at this moment.
        """
        given = answered.get("state", "")
        if not compare_digest(given.encode("utf-8", "backslashreplace"), under_way.state.encode()):
            raise SignInRefused("This sign-in was begun in another browser, or too long ago.")
        self._check_issuer(answered.get("iss"))
        if "error" in answered:
            raise SignInRefused("The identity provider did not sign you in.")
        code = answered.get("code", "")
        if not 0 < len(code) <= LONGEST_CODE:
            raise SignInRefused("The identity provider sent no code.")
        token = self._exchanged(under_way, code).get("id_token")
        if not isinstance(token, str):
            raise SignInRefused("The identity provider did not say who you are.")
        try:
            return self.rules.judge_sign_in(token, at, client_id=self.client_id, nonce=under_way.nonce)
        except TokenRefused as refusal:
            raise SignInRefused(str(refusal)) from refusal

    def leaving(self, back_to: str) -> str | None:
        """Where somebody signs out of the provider, too (OpenID Connect RP-Initiated Logout 1.0).

        :param back_to: where the provider sends them after that, if it is registered there.
        """
        address = self._endpoint("end_session_endpoint", is_optional=True)
        if address is None:
            return None
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": back_to}
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def _check_issuer(self, said: str | None) -> None:
        """Nobody mixes up two providers (RFC 9207)."""
        told = self.rules.provider.description().get("authorization_response_iss_parameter_supported") is True
        if said != self.rules.provider.issuer and (said is not None or told):
            raise SignInRefused("This answer is of another identity provider.")

    def _exchanged(self, under_way: UnderWay, code: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": under_way.verifier,
        }
        headers = {}
        if self.client_secret and self._takes_basic():
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self.client_id
            if self.client_secret:
                form["client_secret"] = self.client_secret
        try:
            return self.fetch.post(self._endpoint("token_endpoint"), form, headers)
        except NotFetched as failure:
            raise SignInRefused("The identity provider did not take the code.") from failure

    def _takes_basic(self) -> bool:
        """Whether the secret goes into a header, as it does where the provider says nothing else."""
        said = self.rules.provider.description().get("token_endpoint_auth_methods_supported")
        return not isinstance(said, list) or "client_secret_basic" in said or "client_secret_post" not in said

    def _endpoint(self, name: str, *, is_optional: bool = False) -> Any:
        address = self.rules.provider.description().get(name)
        if isinstance(address, str) and _is_fit(address, by_http=self.by_http):
            return address
        if is_optional:
            return None
        raise SignInRefused("The identity provider does not say how people sign in.")


def _is_fit(address: str, *, by_http: bool) -> bool:
    """Whether a browser may be sent there."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    is_plain = address.isascii() and address.isprintable() and " " not in address
    return (
        is_plain
        and parts.scheme in ("https", *(("http",) * by_http))
        and bool(parts.hostname)
        and not parts.fragment
    )


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
