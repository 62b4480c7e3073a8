"""What proves who sent a message, as receivers check it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from registry import clock
from registry.delivery.signing import new_secret, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_standards_known_answer() -> None:
    assert signed_headers([SECRET], ID, AT, BODY) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


@pytest.mark.parametrize(
    "at",
    [
        AT.astimezone(timezone(timedelta(hours=-7))),
        AT.astimezone(timezone(timedelta(hours=13, minutes=45))),
        AT.replace(microsecond=999_999),
    ],
)
def test_the_instant_counts_not_its_zone_nor_its_fraction(at: datetime) -> None:
    assert signed_headers([SECRET], ID, at, BODY) == signed_headers([SECRET], ID, AT, BODY)


@given(st.dictionaries(st.text(), st.text()))
def test_the_standards_library_verifies_what_we_sign(data: dict[str, str]) -> None:
    secret = new_secret()
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        body = json.dumps(data).encode()

    assert Webhook(secret).verify(body, signed_headers([secret], "evt_1", clock.now(), body)) == data


@given(st.text())
def test_the_very_bytes_are_signed(text: str) -> None:
    """No byte order mark, line's end or accent in two parts is made into another."""
    body = text.encode("utf-8", "ignore")
    headers = signed_headers([SECRET], "evt_1", clock.now(), body)

    Webhook(SECRET).verify(body, headers, json_parse=False)
    for other in (body + b"\n", b"\xef\xbb\xbf" + body, b" " + body):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(other, headers, json_parse=False)


def test_while_secrets_change_receivers_of_either_can_verify() -> None:
    old, new, another = new_secret(), new_secret(), new_secret()
    headers = signed_headers([new, old], "evt_1", clock.now(), BODY)

    assert len(headers["webhook-signature"].split(" ")) == 2
    assert Webhook(old).verify(BODY, headers) == Webhook(new).verify(BODY, headers) == {"test": 2432232314}
    with pytest.raises(WebhookVerificationError):
        Webhook(another).verify(BODY, headers)


def test_each_secret_is_new_and_as_long_as_the_standard_wants() -> None:
    secrets = [new_secret() for _ in range(100)]

    assert len(set(secrets)) == 100
    for secret in secrets:
        assert secret.startswith("whsec_")
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


@pytest.mark.parametrize("name", ["", "evt.1", "evt 1", "evt\r\nX-Admin: 1", "évt", "e" * 201])
def test_an_identifier_that_would_blur_what_is_signed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        signed_headers([SECRET], name, AT, BODY)


def test_nothing_is_sent_unsigned_or_without_a_zone() -> None:
    with pytest.raises(ValueError, match="secret"):
        signed_headers([], ID, AT, BODY)
    with pytest.raises(ValueError, match="zone"):
        signed_headers([SECRET], ID, AT.replace(tzinfo=None), BODY)
    with pytest.raises(ValueError, match="utf-8"):
        signed_headers([SECRET], ID, AT, b"\xff")
