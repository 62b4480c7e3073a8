"""Webhooks over HTTP: made, shown to their owner alone, changed, rotated, sent again, and logged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from registry.clock import new_id
from registry.delivery.targets import Policy
from registry.domain.vocabulary import DecisionKind
from registry.domain.webhooks import DeliveryCause, DeliveryOutcome
from registry.http.clinic.webhooks import TARGETS
from registry.http.examples import REQUESTS
from registry.services import webhooks as service
from registry.services.decisions import get_record
from registry.services.principals import Role
from registry.services.webhooks import Targets
from registry.settings import Settings
from registry.store import webhook_deliveries
from registry.store.database import writing
from tests.http.clinic.conftest import Clinic
from tests.support.application import running
from tests.support.factories import decide, make_key

WEBHOOKS = "/v1/webhooks"
FEED = "/v1/changes"
NOW = datetime(2026, 3, 1, 18, tzinfo=UTC)
URL = "https://booking.example.org/hooks"
OTHER_URL = "https://other.example.org/hooks"
NOBODYS = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture(autouse=True)
def now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def operator(app: Flask, transaction: Any) -> Clinic:
    with transaction() as tx:
        return Clinic(app.test_client(), make_key(tx, Role.OPERATOR))


def make(clinic: Clinic, **given: Any) -> dict[str, Any]:
    response = clinic.send("POST", WEBHOOKS, {"url": URL, **given})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.get_json()
    return made


def at(webhook: dict[str, Any], *parts: str) -> str:
    return "/".join((WEBHOOKS, webhook["id"], *parts))


def etag(clinic: Clinic, webhook: dict[str, Any]) -> str:
    return clinic.get(at(webhook)).headers["ETag"]


def change(clinic: Clinic, webhook: dict[str, Any], **given: Any) -> TestResponse:
    return clinic.send("PATCH", at(webhook), given, If_Match=etag(clinic, webhook))


def pointers(response: TestResponse) -> list[str]:
    assert response.status_code == 422, response.text
    return [each["pointer"] for each in response.get_json()["errors"]]


def here(clinic: Clinic) -> str:
    return clinic.get(f"{FEED}?after=now").get_json()["next"]


@pytest.fixture
def suspended(transaction, authorized) -> Callable[[], dict[str, Any]]:
    """Suspends PT-1: the event of it."""

    def suspend() -> dict[str, Any]:
        with transaction() as tx:
            decide(tx, get_record(tx, authorized.id), DecisionKind.SUSPENDED, date(2026, 3, 1), at=NOW)
        return {}

    return suspend


# --- Made, and shown ---


def test_the_secret_is_shown_once(clinic):
    made = make(clinic, description="Production")
    secret = made["secret"]
    assert secret.startswith("whsec_")
    for path in (at(made), WEBHOOKS, at(made, "deliveries")):
        assert secret not in clinic.get(path).text
    assert clinic.get(at(made)).get_json() == {k: v for k, v in made.items() if k != "secret"}


def test_a_repeated_request_makes_one_webhook_and_does_not_tell_the_secret_again(clinic):
    first, again = (
        clinic.send("POST", WEBHOOKS, {"url": URL}, Idempotency_Key="one").get_json() for _ in range(2)
    )
    assert again == {**first, "secret": None}
    assert len(clinic.get(WEBHOOKS).get_json()["items"]) == 1


def test_it_begins_with_what_is_to_come_or_behind_a_cursor(clinic, authorized):
    assert make(clinic)["cursor"] == here(clinic)
    everything = clinic.get(f"{FEED}?limit=1").get_json()["next"]
    assert make(clinic, after=everything)["cursor"] == everything


def test_what_is_no_place_of_this_feed_is_refused(clinic, authorized):
    assert pointers(clinic.send("POST", WEBHOOKS, {"url": URL, "after": "MS4x"})) == ["/after"]
    ahead = "MS45OTk5LjAxODkwYTVkLWFjOTYtNzc0Yi1iY2NlLWIzMDIwOTlhODA1Nw"
    assert clinic.send("POST", WEBHOOKS, {"url": URL, "after": ahead}).status_code == 410


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"types": ["registration.suspnded"]}, "/types/0"),
        ({"types": []}, "/types"),
        ({"types": ["registration.*"]}, "/types/0"),
        ({"roster": "staff"}, "/roster"),
        ({"state": "active"}, "/state"),
        ({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "/secret"),
    ],
)
def test_what_cannot_be_subscribed_to_is_refused(clinic, given, pointer):
    assert pointers(clinic.send("POST", WEBHOOKS, {"url": URL, **given})) == [pointer]


@pytest.mark.parametrize(
    "url",
    [
        "http://booking.example.org/hooks",
        "https://10.0.0.7/hooks",
        "https://[::1]/hooks",
        "http://127.0.0.1:9000/hooks",
        "https://user:password@booking.example.org/hooks",
        "https://localhost/hooks",
        "booking",
    ],
)
def test_targets_are_vetted_when_a_webhook_is_made_and_when_it_is_changed(clinic, url):
    assert pointers(clinic.send("POST", WEBHOOKS, {"url": url})) == ["/url"]
    made = make(clinic)
    assert pointers(change(clinic, made, url=url)) == ["/url"]
    assert clinic.get(at(made)).get_json()["url"] == URL


def test_a_name_that_leads_inside_is_refused_without_saying_where(app, clinic):
    def partly_inside(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "10.1.2.3"]

    app.extensions[TARGETS] = Targets(Policy(), partly_inside)
    response = clinic.send("POST", WEBHOOKS, {"url": URL})
    assert pointers(response) == ["/url"]
    assert "10.1.2.3" not in response.text


def test_a_name_that_takes_too_long_is_refused(app, clinic, monkeypatch):
    monkeypatch.setattr(service, "LOOKED_UP_WITHIN", 0.05)
    over = threading.Event()

    def slow(host: str, port: int) -> list[str]:
        over.wait(30)
        return ["93.184.215.14"]

    app.extensions[TARGETS] = Targets(Policy(), slow)
    response = clinic.send("POST", WEBHOOKS, {"url": URL})
    over.set()
    assert pointers(response) == ["/url"]
    assert "in time" in response.text


def test_names_are_looked_up_outside_the_transaction_and_not_for_a_repeated_request(settings: Settings):
    looked_up = []
    with running(replace(settings, busy_seconds=1)) as app, app.app_context():
        with writing() as tx:
            clinic = Clinic(app.test_client(), make_key(tx, Role.CLINIC))

        def while_others_write(host: str, port: int) -> list[str]:
            with app.app_context(), writing():
                looked_up.append(host)
            return ["93.184.215.14"]

        app.extensions[TARGETS] = Targets(Policy(), while_others_write)
        for _ in range(2):
            response = clinic.send("POST", WEBHOOKS, {"url": URL}, Idempotency_Key="one")
            assert response.status_code == 201, response.text
    assert looked_up == ["booking.example.org"]


def test_there_is_a_limit(clinic, other_clinic, monkeypatch):
    monkeypatch.setattr(service, "MOST_WEBHOOKS", 2)
    make(other_clinic)
    made, _ = make(clinic), make(clinic)
    assert clinic.send("POST", WEBHOOKS, {"url": URL}).status_code == 422
    assert clinic.send("DELETE", at(made), If_Match=etag(clinic, made)).status_code == 204
    make(clinic)


# --- Whose it is ---


def test_nobody_but_the_owner_sees_or_touches_it(clinic, other_clinic, operator):
    made, bodies = make(clinic), {"secrets": "SecretRotation", "replays": "Replay", "rewind": "Rewind"}
    seen = etag(clinic, made)
    for other in (other_clinic, operator):
        assert other.get(WEBHOOKS).get_json()["items"] == []
        answers = [
            other.get(at(made)),
            other.get(at(made, "deliveries")),
            other.send("PATCH", at(made), {"description": "Mine"}, If_Match=seen),
            other.send("DELETE", at(made), If_Match=seen),
            other.send("POST", at(made, "pings")),
            *(other.send("POST", at(made, part), REQUESTS[name]) for part, name in bodies.items()),
        ]
        assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert etag(clinic, made) == seen


def test_pages_follow_each_other(clinic):
    made = [make(clinic)["id"] for _ in range(5)]
    page = clinic.get(f"{WEBHOOKS}?limit=2").get_json()
    seen = [each["id"] for each in page["items"]]
    while page["next"]:
        page = clinic.get(f"{WEBHOOKS}?limit=2&cursor={page['next']}").get_json()
        seen += [each["id"] for each in page["items"]]
    assert seen == made


# --- Changed ---


def test_a_change_names_the_version_that_it_starts_from(clinic):
    made = make(clinic)
    seen = etag(clinic, made)
    assert clinic.send("PATCH", at(made), {"description": "New"}).status_code == 428
    assert change(clinic, made, description="New").get_json()["description"] == "New"
    assert clinic.send("PATCH", at(made), {"description": "Other"}, If_Match=seen).status_code == 412
    assert clinic.send("DELETE", at(made), If_Match=seen).status_code == 412
    assert clinic.get(at(made)).get_json()["description"] == "New"


def test_each_member_is_changed_alone(clinic, body):
    clinic.put("/v1/rosters/staff", {"members": [{"body": "ca-xx", "number": "PT-1"}]})
    made = make(clinic, types=["registration.suspended"], description="Production")
    shown = change(clinic, made, roster="staff").get_json()
    assert (shown["roster"], shown["types"]) == ("staff", ["registration.suspended"])
    shown = change(clinic, made, types=None).get_json()
    assert (shown["roster"], shown["types"], shown["description"]) == ("staff", None, "Production")
    assert change(clinic, made, roster=None, url=OTHER_URL).get_json()["url"] == OTHER_URL
    assert change(clinic, made).status_code == 422


def test_who_stops_it_makes_it_active_again(clinic):
    made = make(clinic)
    stopped = change(clinic, made, state="disabled").get_json()
    assert (stopped["state"], stopped["disabled_because"]) == ("disabled", "by_owner")
    assert stopped["disabled_at"] == "2026-03-01T18:00:00Z"
    again = change(clinic, made, state="active").get_json()
    assert again["cursor"] == made["cursor"]
    assert (again["state"], again["disabled_because"], again["disabled_at"]) == ("active", None, None)


def test_a_deleted_one_is_gone_with_its_log(clinic, transaction):
    made = make(clinic)
    with transaction() as tx:
        log(tx, made, DeliveryOutcome.DELIVERED)
    assert clinic.send("POST", at(made, "pings")).status_code == 202
    assert clinic.send("DELETE", at(made), If_Match=etag(clinic, made)).status_code == 204
    assert clinic.get(at(made)).status_code == 404
    assert clinic.get(at(made, "deliveries")).status_code == 404


def test_a_roster_that_narrows_a_webhook_stays(clinic, body):
    response = clinic.put("/v1/rosters/staff", {"members": [{"body": "ca-xx", "number": "PT-1"}]})
    made = make(clinic, roster="staff")
    roster = {"If_Match": response.headers["ETag"]}
    assert clinic.send("DELETE", "/v1/rosters/staff", **roster).status_code == 409
    assert change(clinic, made, roster=None).status_code == 200
    assert clinic.send("DELETE", "/v1/rosters/staff", **roster).status_code == 204


# --- Secrets ---


def rotate(clinic: Clinic, webhook: dict[str, Any], **given: Any) -> dict[str, Any]:
    response = clinic.send("POST", at(webhook, "secrets"), given)
    assert response.status_code == 200, response.text
    rotated: dict[str, Any] = response.get_json()
    return rotated


def test_a_secret_gives_way_to_another_after_a_while(clinic, now):
    made = make(clinic)
    rotated = rotate(clinic, made)
    assert rotated["secret"] != made["secret"]
    ends = [each["expires_at"] for each in rotated["secrets"]]
    assert ends == [None, "2026-03-02T18:00:00Z"]
    assert clinic.get(at(made)).get_json()["secrets"] == rotated["secrets"]
    now.shift(timedelta(hours=24))
    assert [s["expires_at"] for s in clinic.get(at(made)).get_json()["secrets"]] == [None]


def test_never_more_than_two_secrets_sign(clinic):
    made = make(clinic)
    for hours, left in ((1, 2), (2, 2), (0, 1), (24, 2)):
        assert len(rotate(clinic, made, overlap_hours=hours)["secrets"]) == left
    assert clinic.send("POST", at(made, "secrets"), {"overlap_hours": 169}).status_code == 422


def test_a_repeated_rotation_is_done_once_and_tells_no_secret(clinic):
    made = make(clinic)
    answers = [clinic.send("POST", at(made, "secrets"), {}, Idempotency_Key="two") for _ in range(2)]
    first, again = (answer.get_json() for answer in answers)
    assert again == {**first, "secret": None}


# --- Sent again ---


def test_an_event_can_be_sent_again_if_it_is_meant_for_the_webhook(clinic, authorized, suspended):
    suspended()
    feed = clinic.get(f"{FEED}?limit=1000").get_json()["items"]
    of_type = {each["type"]: each["id"] for each in feed}
    made = make(clinic, types=["registration.suspended"])
    wanted, other = of_type["registration.suspended"], of_type["registration.granted"]
    response = clinic.send("POST", at(made, "replays"), {"event": wanted})
    assert response.status_code == 202
    assert response.get_json() == {"id": wanted, "type": "registration.suspended"}
    for unknown in (other, NOBODYS):
        assert clinic.send("POST", at(made, "replays"), {"event": unknown}).status_code == 404
    change(clinic, made, state="disabled")
    assert clinic.send("POST", at(made, "replays"), {"event": wanted}).status_code == 409
    assert clinic.send("POST", at(made, "pings")).status_code == 202


def test_a_roster_decides_too_what_can_be_sent_again(clinic, body, authorized):
    clinic.put("/v1/rosters/others", {"members": [{"body": "ca-xx", "number": "PT-9"}]})
    clinic.put("/v1/rosters/staff", {"members": [{"body": "ca-xx", "number": "PT-1"}]})
    event = clinic.get(f"{FEED}?limit=1").get_json()["items"][0]["id"]
    statuses = [
        clinic.send("POST", at(make(clinic, roster=name), "replays"), {"event": event}).status_code
        for name in ("others", "staff")
    ]
    assert statuses == [404, 202]


def test_deliveries_go_back_to_a_cursor_and_never_ahead(clinic, authorized, suspended):
    made, before = make(clinic), clinic.get(f"{FEED}?limit=1").get_json()["next"]
    seen = etag(clinic, made)
    back = clinic.send("POST", at(made, "rewind"), {"after": before}).get_json()
    assert back["cursor"] == before
    assert clinic.send("PATCH", at(made), {"description": "x"}, If_Match=seen).status_code == 412
    suspended()
    assert pointers(clinic.send("POST", at(made, "rewind"), {"after": here(clinic)})) == ["/after"]


def test_no_more_waits_to_be_sent_again_than_a_receiver_can_take(clinic, monkeypatch):
    monkeypatch.setattr(service, "MOST_REPLAYS", 3)
    made = make(clinic)
    statuses = [clinic.send("POST", at(made, "pings")).status_code for _ in range(4)]
    assert statuses == [202, 202, 202, 409]


# --- The log ---


def log(tx: Any, webhook: dict[str, Any], outcome: DeliveryOutcome, message: str = NOBODYS) -> str:
    row = {"id": new_id(), "webhook_id": webhook["id"], "message_id": message, "attempt": 1, "at": NOW}
    told = {"event_type": "registration.suspended", "cause": DeliveryCause.EVENT, "outcome": outcome}
    came = {"status": 500, "failure": None, "milliseconds": 12, "excerpt": "Oops", "next_attempt_at": NOW}
    webhook_deliveries.log_attempts(tx, [{**row, **told, **came}])
    return str(row["id"])


def test_the_log_is_read_by_page_by_outcome_and_by_message(clinic, transaction):
    made, other = make(clinic), make(clinic)
    message = new_id()
    with transaction() as tx:
        retried = log(tx, made, DeliveryOutcome.RETRIED)
        given_up = log(tx, made, DeliveryOutcome.GIVEN_UP)
        delivered = log(tx, made, DeliveryOutcome.DELIVERED, message)
        log(tx, other, DeliveryOutcome.DELIVERED)

    def ids(query: str) -> list[str]:
        page = clinic.get(f"{at(made, 'deliveries')}?{query}").get_json()
        assert all(each["excerpt"] == "Oops" for each in page["items"])
        return [each["id"] for each in page["items"]]

    assert ids("") == [delivered, given_up, retried]
    assert ids("outcome=given_up") == [given_up]
    assert ids(f"message={message}") == [delivered]
    page = clinic.get(f"{at(made, 'deliveries')}?limit=2").get_json()
    assert ids(f"limit=2&cursor={page['next']}") == [retried]
    assert clinic.get(f"{at(made, 'deliveries')}?outcome=lost").status_code == 422
