"""Bearer tokens of the identity provider: judged as RFC 9068 and RFC 8725 ask, and what they stand for.

Nothing in a token says how it is to be judged: not by which key (``jku``, ``x5u``, ``jwk`` and ``x5c`` are
not looked at), nor by which algorithm but of those that are allowed and that the provider's key is for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import CompactSignature, JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from registry.delivery.documents import Fetcher
from registry.settings import Settings

from .identity_provider import IdentityProvider, UnknownSigner
from .principals import OF_A_BODY, SCOPES_OF, AccessScope, Role

MOST_CHARACTERS = 8000
"""Of a token; what comes before us cuts fields at about as many."""
LONGEST_KEY_NAME = 200
LONGEST_SUBJECT = 255
LONGEST_SHOWN = 100
ID_TOKEN_TYPES: frozenset[str | None] = frozenset({"jwt", "id+jwt", None})
"""What ID tokens call themselves; most providers say ``JWT``, some nothing."""

NAME_CLAIMS = ("name", "preferred_username", "email")


class TokenRefused(Exception):
    """A token that stands for nobody, and why; a sentence that quotes nothing of it."""


class NoRole(Exception):
    """A token that is in order, and whose holder is nothing here."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a value of the role's claim stands for.

    :param body: its code; ``None`` for roles without one, and where another claim names it.
    """

    role: Role
    body: str | None
    scopes: frozenset[AccessScope]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who comes with a token.

    :param name: what people call them, where the token says so.
    """

    issuer: str
    subject: str
    role: Role
    body: str | None
    scopes: frozenset[AccessScope]
    name: str | None = None


class _Registry(JWSRegistry):
    """Takes headers with a chain of certificates, which it does not look at."""

    max_header_length = 6000
    max_payload_length = MOST_CHARACTERS


class TokenRules:
    """What this deployment asks of tokens.

    :param provider: whose tokens they are.
    """

    def __init__(self, settings: Settings, provider: IdentityProvider) -> None:
        self.provider = provider
        self._registry = _Registry(algorithms=settings.oidc_algorithms, strict_check_header=False)
        self._types: frozenset[str | None] = frozenset(
            each.lower().removeprefix("application/") for each in settings.oidc_token_types
        )
        self._audience, self._skew = settings.oidc_audience, settings.oidc_skew_seconds
        self._role_claim, self._body_claim = settings.oidc_role_claim, settings.oidc_body_claim
        self._grants = {value: _grant(told) for value, told in json.loads(settings.oidc_roles).items()}

    @classmethod
    def of(cls, settings: Settings) -> TokenRules | None:
        """Those of the settings; ``None`` where nobody's tokens are taken. The provider is asked at once."""
        if not settings.oidc_issuer:
            return None
        fetch = Fetcher(settings.oidc_allow_loopback, settings.oidc_ca_bundle or None)
        provider = IdentityProvider(settings.oidc_issuer, fetch)
        provider.ask()
        return cls(settings, provider)

    def judge(self, token: str, at: datetime) -> Holder:
        """Who comes with a token.

        :param at: the present instant (UTC).
        :raises TokenRefused: it stands for nobody.
        :raises NoRole: its holder is nothing here.
        :raises registry.errors.Unavailable: it cannot be judged at this moment.
        """
        claims = self._claims(self._verified(token, self._types), at, self._audience)
        return self._holder(claims)

    def judge_sign_in(self, token: str, at: datetime, *, client_id: str, nonce: str) -> Holder:
        """Who has signed in, by an ID token (OpenID Connect Core 1.0, section 3.1.3.7).

        :param client_id: ours, for whom it must have been made.
        :param nonce: what the sign-in that it ends was begun with.
        :raises TokenRefused: nobody.
        :raises NoRole: somebody who is nothing here.
        :raises registry.errors.Unavailable: it cannot be judged at this moment.
        """
        claims = self._claims(self._verified(token, ID_TOKEN_TYPES), at, client_id)
        if not isinstance(claims.get("iat"), int | float):
            raise TokenRefused("This token does not say when it was issued.")
        said = claims.get("nonce")
        if not isinstance(said, str) or not compare_digest(said.encode(), nonce.encode()):
            raise TokenRefused("This token is of another sign-in.")
        for_us = claims.get("azp", client_id) == client_id
        if not for_us or (isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims):
            raise TokenRefused("This token was made for others, too.")
        return self._holder(claims)

    def _holder(self, claims: Mapping[str, Any]) -> Holder:
        subject = claims["sub"]
        if not (0 < len(subject) <= LONGEST_SUBJECT and subject.isprintable()):
            raise TokenRefused("The subject of this token cannot be kept.")
        grant = self._granted(claims)
        body = grant.body
        if grant.role in OF_A_BODY and body is None:
            body = _claim(claims, self._body_claim)
            if not isinstance(body, str):
                raise NoRole("This token names no body.")
        return Holder(self.provider.issuer, subject, grant.role, body, grant.scopes, _name(claims))

    def _verified(self, token: str, types: frozenset[str | None]) -> CompactSignature:
        """The token, signed by a key of the provider."""
        if len(token) > MOST_CHARACTERS or not token.isascii():
            raise TokenRefused("This token is too long, or no token.")
        try:
            signed = jws.extract_compact(token.encode(), registry=self._registry)
            header = signed.headers()
            self._registry.check_header(header)
            algorithm = self._registry.get_alg(header["alg"])
        except (JoseError, ValueError, TypeError, RecursionError, AttributeError) as error:
            raise TokenRefused(
                "This is no token that is taken here, by its form or its algorithm."
            ) from error
        _check_header(header, types)
        try:
            known = self.provider.keys(header["kid"])
        except UnknownSigner as error:
            raise TokenRefused("This token is signed by a key that its issuer does not have.") from error
        for key in known:
            if key.alg not in (None, algorithm.name):
                continue
            try:
                algorithm.check_key(key)
                if jws.validate_compact(signed, key, registry=self._registry):
                    return signed
            except (JoseError, ValueError):
                continue
        raise TokenRefused("The signature of this token is not right.")

    def _claims(self, signed: CompactSignature, at: datetime, audience: str) -> dict[str, Any]:
        wanted = JWTClaimsRegistry(
            now=int(at.timestamp()),
            leeway=self._skew,
            iss={"essential": True, "value": self.provider.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            claims = json.loads(signed.payload or b"")
            if not isinstance(claims, dict):
                raise TokenRefused("This token makes no claims.")
            wanted.validate(claims)
        except JoseError as error:
            raise TokenRefused(_what_is_wrong(error)) from error
        except (ValueError, RecursionError) as error:
            raise TokenRefused("The claims of this token cannot be read.") from error
        return claims

    def _granted(self, claims: Mapping[str, Any]) -> Grant:
        value = _claim(claims, self._role_claim)
        has = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        for wanted, grant in self._grants.items():
            if wanted in has:
                return grant
        raise NoRole("The holder of this token has no role here.")


def _check_header(header: Mapping[str, Any], types: frozenset[str | None]) -> None:
    if "crit" in header or "b64" in header:
        raise TokenRefused("This token asks for what is not understood here.")
    kind = header.get("typ")
    if isinstance(kind, str):
        kind = kind.lower().removeprefix("application/")
    if not isinstance(kind, str | None) or kind not in types:
        raise TokenRefused("This token is of a type that is not taken here.")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KEY_NAME:
        raise TokenRefused("This token does not say by which key it is signed.")


def _what_is_wrong(error: JoseError) -> str:
    """In a sentence that quotes nothing of the token."""
    claim = getattr(error, "claim", None)
    named = claim if claim in ("iss", "aud", "exp", "nbf", "iat", "sub") else "one of them"
    told = {
        "iss": "it is of another issuer",
        "aud": "it is for another audience",
        "exp": "it has expired, or does not say when it does",
        "nbf": "it is not valid yet",
        "iat": "it was issued in the future",
    }
    return f"The claims of this token are not right: {told.get(named, f'{named} is missing or wrong')}."


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or by a JSON Pointer (RFC 6901) through objects; ``None`` where there is none."""
    if not name.startswith("/"):
        return claims.get(name)
    found: Any = claims
    for part in name[1:].split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found


def _name(claims: Mapping[str, Any]) -> str | None:
    """What people call the holder; nothing that cannot be shown on one line."""
    for claim in NAME_CLAIMS:
        said = claims.get(claim)
        if isinstance(said, str) and said.strip() and said.isprintable():
            return said.strip()[:LONGEST_SHOWN]
    return None


def _grant(told: Mapping[str, Any]) -> Grant:
    role = Role(told["role"])
    scopes = SCOPES_OF[role]
    if "scopes" in told:
        scopes = scopes.intersection(map(AccessScope, told["scopes"]))
    return Grant(role, told.get("body"), scopes)
