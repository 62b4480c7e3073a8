"""An identity provider: a real HTTP server with keys that change, and the tokens that it signs."""

from __future__ import annotations

import json
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from registry import clock
from registry.delivery.documents import Fetcher
from registry.services.identity_provider import IdentityProvider
from registry.services.tokens import TokenRules
from registry.settings import Settings

AUDIENCE = "https://registry.example/api"
DISCOVERY = "/realms/register/.well-known/openid-configuration"
KEYS = "/realms/register/keys"
AUTHORIZE, TOKEN, LOGOUT = "/realms/register/auth", "/realms/register/token", "/realms/register/logout"
CLIENT_ID, CLIENT_SECRET = "the console", "s3cret: of & the console"


GRANTS = {
    "own-desk": {"role": "registrar", "body": "ca-own"},
    "own-reader": {"role": "registrar", "body": "ca-own", "scopes": ["read"]},
    "any-auditor": {"role": "auditor"},
    "clinics": {"role": "clinic"},
    "operators": {"role": "operator"},
    "lost": {"role": "auditor", "body": "no-such-body"},
}


class Watch:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taking_tokens(settings: Settings, provider: Provider) -> Settings:
    """The settings of a service that takes the provider's tokens."""
    return replace(
        settings,
        oidc_issuer=provider.issuer,
        oidc_audience=AUDIENCE,
        oidc_roles=json.dumps(GRANTS),
        oidc_body_claim="body",
        oidc_allow_loopback=True,
    )


def signing_in(settings: Settings, provider: Provider) -> Settings:
    """The settings of a service whose console people sign in to by the provider."""
    taking = taking_tokens(settings, provider)
    return replace(taking, oidc_client_id=CLIENT_ID, oidc_client_secret=CLIENT_SECRET)


def rules_of(settings: Settings, watch: Watch) -> TokenRules:
    """As the application's own, but for the time; nothing has been fetched yet."""
    fetch = Fetcher(allow_loopback=True, total_seconds=1.0)
    return TokenRules(settings, IdentityProvider(settings.oidc_issuer, fetch, monotonic=watch))


@cache
def make_key(kind: str, number: int) -> Key:
    """A private key, the same for the same number: making one takes a while."""
    match kind:
        case "RSA":
            return RSAKey.generate_key(2048)
        case "EC":
            return ECKey.generate_key("P-256")
        case "OKP":
            return OKPKey.generate_key("Ed25519")
        case _:
            return OctKey.generate_key(256)


def public(key: Key, kid: str, **members: Any) -> dict[str, Any]:
    """How a provider lists a key."""
    return {**key.as_dict(private=False), "kid": kid, "use": "sig", **members}


@dataclass
class Provider:
    """What it serves, and what it was asked.

    :param person: claims of whoever signs in next.
    :param codes: what was asked for with each code that was not used.
    :param broken: what it answers instead, by path: a status and a body.
    :param held: until this is set, it answers nothing.
    """

    origin: str = ""
    listed: list[Any] = field(default_factory=list)
    described: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    person: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    at_once: int = 0
    most_at_once: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def issuer(self) -> str:
        return f"{self.origin}/realms/register"

    def rotate(self, kid: str, *, number: int = 0, keep: bool = False) -> None:
        """Sign with another key from now on, and list it; the ones before only where they are kept."""
        self.listed = [*(self.listed if keep else []), public(make_key("RSA", number), kid)]

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        if path in self.broken:
            return self.broken[path]
        if path == DISCOVERY:
            described = {
                "issuer": self.issuer,
                "jwks_uri": f"{self.origin}{KEYS}",
                "authorization_endpoint": f"{self.origin}{AUTHORIZE}",
                "token_endpoint": f"{self.origin}{TOKEN}",
                "end_session_endpoint": f"{self.origin}{LOGOUT}",
                **self.described,
            }
            return 200, json.dumps(described).encode(), {}
        if path == KEYS:
            return 200, json.dumps({"keys": self.listed}).encode(), {}
        return 404, b"", {}

    def authorize(self, query: str) -> tuple[int, bytes, dict[str, str]]:
        """Sign whoever is there in at once, and send them back with a code."""
        asked = dict(parse_qsl(query))
        if asked.get("response_type") != "code" or asked.get("client_id") != CLIENT_ID:
            return 400, b"", {}
        if asked.get("code_challenge_method") != "S256" or "openid" not in asked["scope"].split():
            return 400, b"", {}
        code = f"code-{len(self.codes)}-{asked['state'][:8]}"
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return 302, b"", {"Location": f"{asked['redirect_uri']}?{back}"}

    def exchange(self, form: str, authorization: str) -> tuple[int, bytes, dict[str, str]]:
        """Give an ID token for a code, once, to the client that it was made for."""
        given = dict(parse_qsl(form))
        asked = self.codes.pop(given.get("code", ""), None)
        pair = f"{quote_plus(CLIENT_ID)}:{quote_plus(CLIENT_SECRET)}".encode()
        proof = urlsafe_b64encode(sha256(given.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        is_right = (
            asked is not None
            and given.get("grant_type") == "authorization_code"
            and given.get("redirect_uri") == asked["redirect_uri"]
            and proof.decode() == asked["code_challenge"]
            and authorization == f"Basic {b64encode(pair).decode()}"
        )
        if asked is None or not is_right:
            return 400, b'{"error": "invalid_grant"}', {}
        claims = {"aud": CLIENT_ID, "nonce": asked["nonce"], **self.person}
        token = self.sign(claims, header={"typ": "JWT"})
        return 200, json.dumps({"access_token": "x", "token_type": "Bearer", "id_token": token}).encode(), {}

    def sign(
        self,
        claims: dict[str, Any] | None = None,
        *,
        key: Key | None = None,
        header: dict[str, Any] | None = None,
        without: tuple[str, ...] = (),
    ) -> str:
        """A token; of the first key, for an hour, for a registrar of ``ca-own``, unless told otherwise."""
        at = int(clock.now().timestamp())
        said: dict[str, Any] = {"iss": self.issuer, "aud": AUDIENCE, "sub": "0f3c", "roles": ["own-desk"]}
        said |= {"iat": at, "exp": at + 3600, **(claims or {})}
        said = {name: value for name, value in said.items() if name not in without}
        head: dict[str, Any] = {"alg": "RS256", "kid": "one", "typ": "at+jwt", **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        registry = JWSRegistry(algorithms=list(JWSRegistry.algorithms), strict_check_header=False)
        return jws.serialize_compact(head, json.dumps(said), key or make_key("RSA", 0), registry=registry)


@contextmanager
def providing() -> Iterator[Provider]:
    """A provider on a port of its own, with one key."""
    provider = Provider()
    provider.held.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            self.reply(lambda: provider.authorize(query) if path == AUTHORIZE else provider.answer(path))

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.reply(
                lambda: (
                    provider.broken.get(TOKEN)
                    or provider.exchange(sent, self.headers.get("Authorization", ""))
                )
            )

        def reply(self, answer: Callable[[], tuple[int, bytes, dict[str, str]]]) -> None:
            with provider.lock:
                provider.asked.append(self.path)
                provider.at_once += 1
                provider.most_at_once = max(provider.most_at_once, provider.at_once)
            try:
                provider.held.wait(30)
                status, body, headers = answer()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # who asked has left
            finally:
                with provider.lock:
                    provider.at_once -= 1

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    provider.origin = f"http://127.0.0.1:{server.server_port}"
    provider.rotate("one")
    try:
        yield provider
    finally:
        provider.held.set()
        server.shutdown()
        thread.join()
        server.server_close()
