"""Webhooks through the client: subscriptions at a real register, and what a receiver believes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from werkzeug.datastructures import Headers

from needling_registry import (
    Delivery,
    EventType,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    Registry,
    Stale,
    WebhookReceiver,
    WebhookRefused,
    WebhookState,
)
from registry.delivery.signing import new_secret, signed_headers
from registry.http.clinic.webhook_messages import Messages
from registry.services.feed import START, read_feed
from registry.store.database import reading
from tests.clients.conftest import BODY, Served, Slept
from tests.support.scripted import answer, hang_up, scripted

HERE = "http://127.0.0.1:9/hook"

# --- Subscriptions ---


def test_a_webhook_is_made_and_its_secret_shown_once(registry: Registry) -> None:
    registry.put_roster("staff", [(BODY, "PT-1")])
    types = [EventType.AUTHORIZATION_SUSPENDED, "registration.lapsed"]
    webhook, secret = registry.webhooks.create(HERE, types=types, roster="staff", description="Booking")
    assert secret.startswith("whsec_")
    assert webhook == registry.webhooks.get(webhook.id)
    assert (webhook.url, webhook.roster, webhook.state) == (HERE, "staff", WebhookState.ACTIVE)
    assert set(webhook.types or ()) == {"authorization.suspended", "registration.lapsed"}
    assert [each.id for each in registry.webhooks] == [webhook.id]


def test_a_webhook_is_changed_stopped_and_deleted(registry: Registry) -> None:
    webhook, _ = registry.webhooks.create(HERE)
    stopped = registry.webhooks.change(webhook, state=WebhookState.DISABLED, types=["registration.lapsed"])
    assert (stopped.state, stopped.disabled_because) == ("disabled", "by_owner")
    with pytest.raises(Stale):
        registry.webhooks.change(webhook, state="active")
    with pytest.raises(Stale):
        registry.webhooks.delete(webhook)
    again = registry.webhooks.change(stopped, state="active", types=None)
    assert (again.state, again.types) == (WebhookState.ACTIVE, None)
    registry.webhooks.delete(again)
    registry.webhooks.delete(again)
    with pytest.raises(NotFound):
        registry.webhooks.get(webhook.id)


def test_a_secret_gives_way_to_another(registry: Registry) -> None:
    webhook, first = registry.webhooks.create(HERE)
    second = registry.webhooks.rotate_secret(webhook.id, overlap=timedelta(hours=2))
    assert first != second
    newest, before = registry.webhooks.get(webhook.id).secrets
    assert newest.expires_at is None
    assert before.expires_at is not None


def test_messages_are_asked_for(served: Served, registry: Registry) -> None:
    webhook, _ = registry.webhooks.create(HERE)
    assert registry.webhooks.ping(webhook.id).type == "webhook.ping"
    event = registry.changes(None).items[0]
    assert registry.webhooks.replay(webhook.id, event.id).id == event.id
    place = registry.changes(None, limit=2).next
    with pytest.raises(InvalidRequest):
        registry.webhooks.rewind(webhook.id, "nowhere")
    assert registry.webhooks.rewind(webhook.id, place).cursor == place
    assert list(registry.webhooks.deliveries(webhook.id)) == []
    assert list(registry.webhooks.deliveries(webhook.id, outcome="given_up", message=event.id)) == []


def test_where_nothing_may_be_sent_is_refused(served: Served, registry: Registry) -> None:
    with pytest.raises(InvalidRequest, match="https"):
        registry.webhooks.create("http://10.0.0.1/hook")
    with pytest.raises(NotAuthenticated):
        Registry(served.url).webhooks.create(HERE)
    for nobody in ("", ".", ".."):
        with pytest.raises(ValueError, match="names no webhook"):
            registry.webhooks.ping(nobody)


def test_a_secret_that_was_lost_on_the_way_is_replaced(
    served: Served, registry: Registry, slept: Slept
) -> None:
    """The answer to the first request is lost; the second, under the same key, shows no secret."""
    made, _ = registry.webhooks.create(HERE)
    shown = json.loads(json.dumps(_as_sent(served, registry, made.id)))
    steps = [
        hang_up,
        answer({**shown, "secret": None}, 201),
        hang_up,
        answer({"secret": None, "secrets": []}),
        answer({"secret": "whsec_bmV3", "secrets": []}),
        answer(shown),
    ]
    with scripted(*steps) as (url, script):
        webhook, secret = Registry(url, "key", retries=slept.retries()).webhooks.create(HERE)
    assert (webhook.id, secret) == (made.id, "whsec_bmV3")
    keys = [asked.headers.get("idempotency-key") for asked in script.asked]
    assert keys[0] == keys[1] != keys[2] == keys[3] != keys[4]
    assert [asked.method for asked in script.asked] == ["POST"] * 5 + ["GET"]
    assert script.asked[2].json() == {"overlap_hours": 0}


def _as_sent(served: Served, registry: Registry, webhook_id: str) -> Any:
    response = served.app.test_client().get(
        f"/v1/webhooks/{webhook_id}", headers={"Authorization": f"Bearer {registry._transport._key}"}
    )
    return response.get_json()


# --- What a receiver believes ---

VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
VECTOR_SECRET, VECTOR_BODY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
THEN = datetime.fromtimestamp(1614265330, UTC)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(scope="module")
def message(served: Served) -> bytes:
    """An event, as the register writes it to webhooks."""
    with served.app.app_context(), reading() as connection:
        return Messages().event(read_feed(connection, START, limit=10, reader_id="nobody").events[-1])


def deliver(
    content: bytes, secret: str, at: datetime = NOW, changed: Mapping[str, str] | None = None
) -> Delivery:
    """What a receiver makes of a message that is signed, and then changed."""
    with time_machine.travel(NOW, tick=False):
        headers = {**signed_headers([secret], "msg-1", at, content), **(changed or {})}
        return WebhookReceiver(secret).read(content, headers)


def test_the_known_answer_of_the_standard_is_believed() -> None:
    with time_machine.travel(THEN, tick=False):
        delivery = WebhookReceiver(VECTOR_SECRET).read(VECTOR_BODY, VECTOR)
        assert (delivery.id, delivery.content) == (VECTOR["webhook-id"], {"test": 2432232314})
        assert not delivery.is_understood


def test_an_event_comes_out_typed(message: bytes) -> None:
    delivery = deliver(message, new_secret())
    assert delivery.event is not None
    assert (delivery.id, delivery.type) == ("msg-1", delivery.event.type)
    assert delivery.event.body == BODY
    assert delivery.is_understood
    assert not delivery.is_ping


def test_a_ping_tells_of_no_event() -> None:
    delivery = deliver(Messages().ping("01890a5d-ac96-774b-bcce-b302099a8057", NOW), new_secret())
    assert (delivery.type, delivery.event, delivery.is_ping) == ("webhook.ping", None, True)
    assert delivery.is_understood


@pytest.mark.parametrize("content", [b"{}", b'{"type":"a.b","timestamp":"x","data":{}}', b'{"type":null}'])
def test_what_a_newer_register_tells_is_no_error(content: bytes) -> None:
    delivery = deliver(content, new_secret())
    assert delivery.event is None
    assert not delivery.is_understood


@pytest.mark.parametrize("headers", [dict, lambda given: list(given.items()), Headers])
def test_headers_come_as_frameworks_have_them(message: bytes, headers: Any, now: None) -> None:
    secret = new_secret()
    signed = signed_headers([secret], "msg-1", NOW, message)
    given = {name.title(): value for name, value in signed.items()}
    assert WebhookReceiver(secret).read(message, headers(given)).id == "msg-1"


def test_either_secret_is_believed_while_one_gives_way(message: bytes, now: None) -> None:
    old, new = new_secret(), new_secret()
    for signing in ([old], [new], [new, old]):
        headers = signed_headers(signing, "msg-1", NOW, message)
        assert WebhookReceiver(new, old).read(message, headers).id == "msg-1"
    with pytest.raises(WebhookRefused):
        WebhookReceiver(new).read(message, signed_headers([old], "msg-1", NOW, message))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_what_was_not_signed_lately_is_refused(message: bytes, seconds: int) -> None:
    secret = new_secret()
    with pytest.raises(WebhookRefused):
        deliver(message, secret, at=NOW + timedelta(seconds=seconds))
    assert deliver(message, secret, at=NOW + timedelta(seconds=seconds // 2)).id == "msg-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg-2"},
        {"webhook-id": ""},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "inf"},
        {"webhook-timestamp": "now"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,a"},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1,a,b"},
        {"webhook-signature": "v2,AAAA"},
    ],
)
def test_what_was_tampered_with_is_refused(message: bytes, changed: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        deliver(message, new_secret(), changed=changed)


def test_another_body_or_no_header_is_refused(message: bytes, now: None) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "msg-1", NOW, message)
    for content in (message + b" ", message.replace(b"PT-1", b"PT-2"), b"", b"\xff"):
        with pytest.raises(WebhookRefused):
            WebhookReceiver(secret).read(content, headers)
    for missing in headers:
        with pytest.raises(WebhookRefused):
            WebhookReceiver(secret).read(
                message, {name: headers[name] for name in headers if name != missing}
            )


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"7"])
def test_what_is_signed_and_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(WebhookRefused):
        deliver(content, new_secret())


def test_the_bytes_are_wanted_as_they_came(message: bytes, now: None) -> None:
    secret = new_secret()
    headers = signed_headers([secret], "msg-1", NOW, message)
    with pytest.raises(TypeError, match="bytes"):
        WebhookReceiver(secret).read(message.decode(), headers)  # type: ignore[arg-type]  # as somebody might


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_",), ("whsec_é",)])
def test_a_receiver_needs_a_secret(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="secret"):
        WebhookReceiver(*secrets)
