"""Tokens of an identity provider, judged: who is let in by them, and everybody else is not.

200: let in. 401: stands for nobody. 403: is nothing here. 503: cannot be judged at this moment.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from joserfc import jws
from joserfc.jwk import RSAKey

from registry import clock
from registry.errors import Unavailable
from registry.services.identity_provider import APART_SECONDS, FRESH_SECONDS, USABLE_SECONDS
from registry.services.tokens import NoRole, TokenRefused, TokenRules
from registry.settings import Settings
from tests.support.identity import (
    AUDIENCE,
    DISCOVERY,
    KEYS,
    Provider,
    Watch,
    make_key,
    providing,
    public,
    rules_of,
    taking_tokens,
)

Ask = Callable[[str], int]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture
def settings(provider: Provider) -> Settings:
    return taking_tokens(Settings(), provider)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def rules(settings: Settings, watch: Watch) -> TokenRules:
    return rules_of(settings, watch)


@pytest.fixture
def ask(rules: TokenRules) -> Ask:
    def asked(token: str) -> int:
        try:
            rules.judge(token, clock.now())
        except TokenRefused:
            return 401
        except NoRole:
            return 403
        except Unavailable:
            return 503
        return 200

    return asked


def parts_of(token: str) -> list[str]:
    return token.split(".")


def encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def test_a_nested_claim_is_reached_by_a_pointer(settings: Settings, watch: Watch, provider: Provider) -> None:
    nested = replace(settings, oidc_role_claim="/realm_access/roles~1of~0it")
    judge = rules_of(nested, watch).judge
    claims = {"realm_access": {"roles/of~it": ["clinics"]}, "roles": ["operators"]}
    assert judge(provider.sign(claims), clock.now()).role == "clinic"


@pytest.mark.parametrize(
    ("claims", "without"),
    [
        pytest.param({}, ("exp",), id="no end"),
        pytest.param({}, ("sub",), id="no subject"),
        pytest.param({}, ("aud",), id="no audience"),
        pytest.param({}, ("iss",), id="no issuer"),
        pytest.param({"aud": "https://other.example"}, (), id="another audience"),
        pytest.param({"aud": ["a", "b"]}, (), id="other audiences"),
        pytest.param({"aud": [AUDIENCE, 7]}, (), id="an audience that is a number"),
        pytest.param({"aud": {AUDIENCE: 1}}, (), id="audiences in an object"),
        pytest.param({"aud": AUDIENCE + "/"}, (), id="nearly the audience"),
        pytest.param({"iss": "https://evil.example"}, (), id="another issuer"),
        pytest.param({"iss": ["x"]}, (), id="several issuers"),
        pytest.param({"exp": "9999999999"}, (), id="an end in words"),
        pytest.param({"exp": True}, (), id="an end that is true"),
        pytest.param({"exp": float("nan")}, (), id="an end that is no number"),
        pytest.param({"exp": float("inf")}, (), id="an end that never comes"),
        pytest.param({"exp": None}, (), id="a null end"),
        pytest.param({"nbf": "now"}, (), id="a beginning in words"),
        pytest.param({"iat": []}, (), id="issued at a list"),
        pytest.param({"sub": ""}, (), id="an empty subject"),
        pytest.param({"sub": 7}, (), id="a subject that is a number"),
        pytest.param({"sub": "a\u0000b"}, (), id="NUL in the subject"),
        pytest.param({"sub": "\ud800"}, (), id="half a character in the subject"),
        pytest.param({"sub": "s" * 256}, (), id="a long subject"),
    ],
)
def test_claims_that_are_not_right_let_nobody_in(provider: Provider, ask: Ask, claims, without) -> None:
    assert ask(provider.sign(claims, without=without)) == 401


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(-3600, 200), (3600 + 59, 200), (3600 + 60, 401), (10**6, 401)],
)
def test_a_token_ends_when_it_says_and_a_minute_later(
    provider: Provider, ask: Ask, seconds: int, status: int
) -> None:
    token = provider.sign({"iat": 0})
    with time_machine.travel(clock.now() + timedelta(seconds=seconds), tick=False):
        assert ask(token) == status


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize(("ahead", "status"), [(0, 200), (60, 200), (62, 401), (10**6, 401)])
def test_a_token_begins_when_it_says_and_a_minute_before(
    provider: Provider, ask: Ask, claim: str, ahead: int, status: int
) -> None:
    with time_machine.travel(clock.now(), tick=False):
        at = int(clock.now().timestamp())
        assert ask(provider.sign({claim: at + ahead, "exp": at + 10**7})) == status


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "Ed25519"])
def test_each_allowed_algorithm_is_taken_with_a_key_that_is_for_it(
    provider: Provider, ask: Ask, algorithm: str
) -> None:
    kind = {"E": "EC", "R": "RSA", "P": "RSA"}[algorithm[0]] if algorithm != "Ed25519" else "OKP"
    key = make_key(kind, 0)
    provider.listed = [public(key, "one", alg=algorithm)]
    assert ask(provider.sign(key=key, header={"alg": algorithm})) == 200


def test_a_key_for_another_algorithm_does_not_verify(provider: Provider, ask: Ask) -> None:
    provider.listed = [public(make_key("RSA", 0), "one", alg="RS256")]
    assert ask(provider.sign(header={"alg": "PS256"})) == 401


@pytest.mark.parametrize(
    "algorithm", ["HS256", "HS384", "HS512", "RS512", "none", "None", "nOnE", "", "ES256K"]
)
def test_no_other_algorithm_is_taken(provider: Provider, ask: Ask, algorithm: str) -> None:
    """Also where the public key is taken for a secret, in each way in which it may be written."""
    key = make_key("RSA", 0)
    assert isinstance(key, RSAKey)
    secrets = [
        key.as_pem(private=False),
        key.as_pem(private=False).strip(),
        json.dumps(provider.listed[0]).encode(),
    ]
    _, claims, _ = parts_of(provider.sign())
    head = encoded({"alg": algorithm, "kid": "one", "typ": "at+jwt"})
    tokens = [f"{head}.{claims}.", f"{head}.{claims}.AAAA"]
    if algorithm.startswith("HS"):
        kind = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
        for secret in secrets:
            signature = hmac.new(secret, f"{head}.{claims}".encode(), kind).digest()
            tokens.append(f"{head}.{claims}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}")
    assert {ask(token) for token in tokens} == {401}


def test_a_secret_among_the_keys_of_the_provider_verifies_nothing(provider: Provider, ask: Ask) -> None:
    secret = make_key("oct", 0)
    provider.listed += [{**secret.as_dict(private=True), "kid": "secret", "use": "sig"}]
    assert ask(provider.sign(key=secret, header={"alg": "HS256", "kid": "secret"})) == 401
    assert ask(provider.sign()) == 200


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"typ": None}, id="no type"),
        pytest.param({"typ": "dpop+jwt"}, id="another type"),
        pytest.param({"typ": "logout+jwt"}, id="a logout"),
        pytest.param({"kid": None}, id="no key named"),
        pytest.param({"kid": ""}, id="an empty name"),
        pytest.param({"kid": "two"}, id="an unknown key"),
        pytest.param({"kid": "../../etc/passwd"}, id="a path"),
        pytest.param({"kid": "one' OR '1'='1"}, id="a statement"),
        pytest.param({"kid": "k" * 300}, id="a long name"),
        pytest.param({"crit": ["exp"], "exp": 1}, id="critical"),
        pytest.param({"crit": ["b64"], "b64": False}, id="not encoded"),
    ],
)
def test_headers_that_are_not_right_let_nobody_in(
    provider: Provider, ask: Ask, header: dict[str, Any]
) -> None:
    token = provider.sign()
    _, claims, signature = parts_of(token)
    head = {"alg": "RS256", "kid": "one", "typ": "at+jwt", **header}
    head = {name: value for name, value in head.items() if value is not None}
    assert ask(f"{encoded(head)}.{claims}.{signature}") == 401
    if "crit" not in header:
        assert ask(provider.sign(header=header)) == 401


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt", "JWT"])
def test_the_type_is_read_in_any_case(provider: Provider, ask: Ask, kind: str) -> None:
    assert ask(provider.sign(header={"typ": kind})) == 200


def test_a_token_does_not_say_where_its_key_is(provider: Provider, ask: Ask) -> None:
    """An attacker's key, offered in each of the ways in which a header can; his server is never asked."""
    with providing() as attacker:
        own = make_key("RSA", 1)
        attacker.listed = [public(own, "one")]
        address = f"{attacker.origin}{KEYS}"
        for header in (
            {"jku": address},
            {"x5u": address},
            {"jwk": public(own, "one")},
            {"jku": address, "kid": "evil"},
            {"x5c": ["MIIB"]},
        ):
            assert ask(provider.sign(key=own, header=header)) == 401
            assert ask(provider.sign(header={name: h for name, h in header.items() if name != "kid"})) == 200
        assert attacker.asked == []


@pytest.mark.parametrize(
    "token",
    [
        "..",
        "a.b.c",
        ".e30.",
        f"{encoded({'alg': 'RS256'})}..",
        f"{encoded({'alg': ['RS256'], 'kid': 'one', 'typ': 'at+jwt'})}.e30.AA",
        f"{encoded({'alg': 'RS256', 'kid': ['one'], 'typ': 'at+jwt'})}.e30.AA",
        f"{encoded({'alg': 'RS256', 'kid': 'one', 'typ': {}})}.e30.AA",
        base64.urlsafe_b64encode(b"[" * 900).decode().rstrip("=") + ".e30.AA",
        base64.urlsafe_b64encode(b"[]").decode().rstrip("=") + ".e30.AA",
        base64.urlsafe_b64encode(b'"RS256"').decode().rstrip("=") + ".e30.AA",
        base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("=") + ".e30.AA",
        "é.é.é",
    ],
)
def test_what_is_no_token_lets_nobody_in(ask: Ask, token: str) -> None:
    assert ask(token) == 401


def test_a_huge_token_is_not_looked_at(provider: Provider, ask: Ask) -> None:
    assert ask(provider.sign({"more": "x" * 3000})) == 200
    asked = len(provider.asked)
    assert ask(provider.sign({"more": "x" * 8000})) == 401
    assert ask(provider.sign({"more": "x" * 100_000})) == 401
    assert ask("a" * 4000 + "." + "b" * 4000 + ".c") == 401
    assert len(provider.asked) == asked


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_changed_lets_nobody_in(provider: Provider, ask: Ask, part: int) -> None:
    parts = parts_of(provider.sign())
    changed = parts[part]
    at = len(changed) // 2
    parts[part] = changed[:at] + ("A" if changed[at] != "A" else "B") + changed[at + 1 :]
    assert ask(".".join(parts)) == 401


def test_claims_that_are_no_object_let_nobody_in(provider: Provider, ask: Ask) -> None:
    header = {"alg": "RS256", "kid": "one", "typ": "at+jwt"}
    for payload in (b"[]", b"7", b"{", b"\xff", b'{"exp":1e400}', b"[" * 3000):
        assert ask(jws.serialize_compact(header, payload, make_key("RSA", 0))) == 401


def test_keys_are_fetched_once_and_again_when_the_provider_changes_them(
    provider: Provider, ask: Ask, watch: Watch
) -> None:
    tokens = [provider.sign({"sub": str(number)}) for number in range(5)]
    assert {ask(token) for token in tokens} == {200}
    assert provider.asked == [DISCOVERY, KEYS]
    provider.rotate("two", number=1, keep=True)
    watch.now += APART_SECONDS
    assert ask(provider.sign(key=make_key("RSA", 1), header={"kid": "two"})) == 200
    assert ask(tokens[0]) == 200
    provider.rotate("three", number=2)
    watch.now += APART_SECONDS
    assert ask(provider.sign(key=make_key("RSA", 2), header={"kid": "three"})) == 200
    assert ask(tokens[0]) == 401, "its key is no longer the provider's"


def test_an_unknown_key_does_not_make_us_ask_at_will(provider: Provider, ask: Ask, watch: Watch) -> None:
    assert ask(provider.sign()) == 200
    for number in range(50):
        assert ask(provider.sign(header={"kid": f"unknown-{number}"})) == 401
    assert len(provider.asked) == 2
    watch.now += APART_SECONDS
    for number in range(50):
        assert ask(provider.sign(header={"kid": f"unknown-{number}"})) == 401
    assert len(provider.asked) == 4


def test_known_keys_go_on_to_be_used_for_a_while_without_the_provider(
    provider: Provider, ask: Ask, watch: Watch, rules: TokenRules
) -> None:
    assert ask(provider.sign()) == 200
    provider.broken = {DISCOVERY: (500, b"", {})}
    watch.now += FRESH_SECONDS + 1
    assert ask(provider.sign()) == 200
    settled(rules)
    watch.now = 1000.0 + USABLE_SECONDS - 1
    assert ask(provider.sign()) == 200
    settled(rules)
    assert ask(provider.sign(header={"kid": "unknown"})) == 503, "it may have the key by now"
    watch.now = 1000.0 + USABLE_SECONDS + 1
    assert ask(provider.sign()) == 503
    assert len(provider.asked) > 3


def test_a_key_that_was_taken_away_opens_nothing_some_minutes_later(
    rules: TokenRules, provider: Provider, ask: Ask, watch: Watch
) -> None:
    token = provider.sign()
    assert ask(token) == 200
    provider.rotate("two", number=1)
    watch.now += FRESH_SECONDS + 1
    ask(token)  # asks the provider beside
    settled(rules)
    assert ask(token) == 401


def settled(rules: TokenRules) -> None:
    """Until the question under way is answered."""
    under_way = rules.provider._under_way
    if under_way is not None:
        under_way.result(10)


@pytest.mark.parametrize(
    "odd",
    [
        7,
        None,
        {},
        {"kty": "RSA"},
        {"kty": "RSA", "kid": "one", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": "one", "n": "AQAB" * 20, "e": "AQAB"},
        {"kty": "EC", "kid": "one", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "one", "crv": "P-0", "x": "AA", "y": "AA"},
        {"kty": "AKP", "kid": "one"},
        {"kty": ["RSA"]},
        {"kty": "RSA", "key_ops": 7},
    ],
)
def test_a_key_that_is_not_understood_costs_no_other(provider: Provider, ask: Ask, odd: Any) -> None:
    provider.listed = [odd, *provider.listed, odd]
    assert ask(provider.sign()) == 200


def test_a_key_for_encryption_verifies_nothing(provider: Provider, ask: Ask) -> None:
    provider.listed = [public(make_key("RSA", 0), "one", use="enc")]
    assert ask(provider.sign()) == 401


def test_a_short_key_verifies_nothing(provider: Provider, ask: Ask) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short = RSAKey.generate_key(1024)
    provider.listed = [public(short, "one")]
    assert ask(provider.sign(key=short)) == 401
