"""What webhooks are sent, in which order, and what follows; by a deliverer that is driven by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, func, select, update

from registry.delivery.schedule import RETRY_DELAYS
from registry.domain.names import LONGEST_NUMBER
from registry.domain.vocabulary import DecisionKind, Outcome, Technique
from registry.domain.webhooks import EVENT_TYPES
from registry.http.clinic.webhook_messages import LARGEST, Messages
from registry.services import delivery_log, errands, registrations
from registry.services.bodies import add_rules, get_body
from registry.services.decisions import get_record
from registry.services.delivering import Places
from registry.services.feed import FeedEvent, Place
from registry.services.webhooks import NewWebhook, create_webhook
from registry.store import tables, webhook_deliveries
from registry.store.database import PUBLIC, db, reading
from registry.store.principals import block, keep_holder
from registry.store.webhook_tables import webhook_attempts, webhook_replays, webhooks
from tests.http.clinic.conftest import Clinic
from tests.http.clinic.test_webhooks import FEED, NOW, at, change, here, make, rotate
from tests.support.delivering import UNANSWERED, Driven, Receivers, answered, driving
from tests.support.factories import decide, make_body, make_registration, make_rules

HOOK = "https://booking.example.org/hook"
TODAY = date(2026, 3, 1)


@pytest.fixture(autouse=True)
def now() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
def deliverer(app: Flask, receivers: Receivers) -> Iterator[Driven]:
    with driving(app, receivers) as driven:
        yield driven


@pytest.fixture
def register(transaction: Any, body: Any) -> Callable[..., Any]:
    """Registers numbers, in a transaction each."""

    def register(*numbers: str) -> Any:
        records = []
        for number in numbers:
            with transaction() as tx:
                records.append(make_registration(tx, body, number=number, at=NOW))
        return records[-1]

    return register


def subscribe(clinic: Clinic, name: str = "hook", **given: Any) -> dict[str, Any]:
    return make(clinic, url=f"https://booking.example.org/{name}", **given)


def shown(clinic: Clinic, webhook: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = clinic.get(at(webhook)).get_json()
    return found


def attempts(clinic: Clinic, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    """The log, the earliest first."""
    found: list[dict[str, Any]] = clinic.get(f"{at(webhook, 'deliveries')}?limit=200").get_json()["items"]
    return found[::-1]


def outcomes(clinic: Clinic, webhook: dict[str, Any]) -> list[tuple[str, int, int | None]]:
    return [(each["outcome"], each["attempt"], each["status"]) for each in attempts(clinic, webhook)]


def feed(clinic: Clinic, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = clinic.get(f"{FEED}?limit=1000&{query}").get_json()["items"]
    return items


# --- What is sent ---


def test_an_event_is_sent_as_the_feed_shows_it(clinic, deliverer, receivers, register):
    webhook = subscribe(clinic)
    place = here(clinic)
    register("PT-1")
    deliverer.settle()
    (told,), (sent,) = feed(clinic, f"after={place}"), receivers.sent
    assert sent.document == {"type": told["type"], "timestamp": told["occurred_at"], "data": told}
    assert sent.id == told["id"]
    assert sent.verified_by(webhook["secret"]) == sent.document
    assert shown(clinic, webhook)["cursor"] == told["cursor"]
    (attempt,) = attempts(clinic, webhook)
    assert (attempt["message"], attempt["type"], attempt["cause"]) == (told["id"], told["type"], "event")
    assert (attempt["outcome"], attempt["status"], attempt["milliseconds"]) == ("delivered", 204, 3)


def test_events_are_sent_in_their_order_each_once(clinic, deliverer, receivers, register):
    subscribe(clinic)
    place = here(clinic)
    register(*(f"PT-{n}" for n in range(12)))
    deliverer.settle()
    deliverer.settle()
    assert receivers.ids("hook") == [told["id"] for told in feed(clinic, f"after={place}")]


def test_only_the_types_that_were_asked_for_are_sent(clinic, deliverer, receivers, register, transaction):
    webhook = subscribe(clinic, types=["registration.suspended", "body.rules_added"])
    record = register("PT-1")
    with transaction() as tx:
        decide(tx, get_record(tx, record.id), DecisionKind.SUSPENDED, TODAY, at=NOW)
        rules = make_rules(holds_from=TODAY)
        add_rules(tx, get_body(tx, record.body.id), rules, by="operator:tests", at=NOW)
    deliverer.settle()
    assert [sent.document["type"] for sent in receivers.sent] == [
        "registration.suspended",
        "body.rules_added",
    ]
    assert shown(clinic, webhook)["cursor"] == here(clinic)


def test_a_roster_narrows_what_is_sent_as_it_narrows_the_feed(
    clinic, deliverer, receivers, register, transaction
):
    first = register("PT-1")
    register("PT-2", "PT-3")
    members = [{"body": "ca-xx", "number": number} for number in ("PT-1", "PT-5")]
    clinic.put("/v1/rosters/staff", {"members": members})
    subscribe(clinic, "narrow", roster="staff")
    subscribe(clinic, "wide")
    place = here(clinic)
    register("PT-4", "PT-5")  # not registered when the roster was put down
    with transaction() as tx:
        record = get_record(tx, first.id)
        registrations.correct(tx, record, number="PT-100", city=None, by="operator:tests", at=NOW)
        decide(tx, get_record(tx, first.id), DecisionKind.REVOKED, TODAY, at=NOW)
        rules = make_rules(holds_from=TODAY)
        add_rules(tx, get_body(tx, first.body.id), rules, by="operator:tests", at=NOW)
        make_registration(tx, make_body(tx, "ca-yy"), number="PT-1", at=NOW)
    deliverer.settle()
    assert receivers.ids("narrow") == [told["id"] for told in feed(clinic, f"roster=staff&after={place}")]
    assert receivers.numbers("narrow") == ["PT-5", "PT-100", "PT-100", None]
    assert receivers.ids("wide") == [told["id"] for told in feed(clinic, f"after={place}")]


def test_who_comes_onto_a_roster_is_told_of_from_then_on(clinic, deliverer, receivers, register):
    put = clinic.put("/v1/rosters/staff", {"members": []})
    webhook = subscribe(clinic, roster="staff")
    register("PT-1")
    deliverer.until(lambda: shown(clinic, webhook)["cursor"] == here(clinic))
    members = {"members": [{"body": "ca-xx", "number": "PT-2"}]}
    assert (
        clinic.put("/v1/rosters/staff", members, headers={"If-Match": put.headers["ETag"]}).status_code == 200
    )
    register("PT-2")
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-2"]


@pytest.mark.parametrize("type_", EVENT_TYPES)
def test_no_message_reaches_the_size_that_receivers_may_refuse(type_):
    number = "\N{DEVANAGARI LETTER HA}" * LONGEST_NUMBER
    longest = max((outcome.value for outcome in Outcome), key=len)
    answers = [
        {"technique": technique.value, "on": day, "was": longest, "is": longest}
        for technique in Technique
        for day in ("2026-03-01", "2026-03-02")
    ]
    of_its_own = {"number": number, "was_number": number, "voids": HOOK[:36], "through": "2026-12-31"}
    data = {**of_its_own, "was": longest, "is": longest, "days_left": 60, "answers": answers}
    id_ = "01890a5d-ac96-774b-bcce-b302099a8057"
    place = Place(2**63 - 1, id_)
    told = FeedEvent(place, id_, type_, "c" * 32, id_, id_, id_, TODAY, NOW, {**data, "webhook": id_})
    assert len(Messages().event(told)) < LARGEST / 2


# --- What fails ---


def test_what_fails_is_tried_again_and_nothing_overtakes_it(clinic, deliverer, receivers, register, now):
    webhook = subscribe(clinic)
    place = here(clinic)
    receivers.answer("hook", answered(500), UNANSWERED, answered(204))
    register("PT-1", "PT-2")
    deliverer.settle()
    first, second = (told["id"] for told in feed(clinic, f"after={place}"))
    assert receivers.ids("hook") == [first]
    waiting = shown(clinic, webhook)
    assert (waiting["tries"], waiting["cursor"]) == (1, place)
    for delay in RETRY_DELAYS[1:3]:
        now.shift(delay - timedelta(seconds=1))
        deliverer.settle()
        before = len(receivers.sent)
        now.shift(delay * 0.1 + timedelta(seconds=2))
        deliverer.settle()
        assert len(receivers.sent) > before
    assert receivers.ids("hook") == [first, first, first, second]
    assert len({sent.body for sent in receivers.sent[:3]}) == 1
    assert outcomes(clinic, webhook) == [
        ("retried", 1, 500),
        ("retried", 2, None),
        ("delivered", 3, 204),
        ("delivered", 1, 204),
    ]
    assert attempts(clinic, webhook)[1]["failure"] == "It took too long."
    assert (shown(clinic, webhook)["tries"], shown(clinic, webhook)["next_attempt_at"]) == (0, None)


def test_an_event_that_is_meant_no_more_leaves_its_attempts_behind(
    clinic, deliverer, receivers, register, now
):
    put = clinic.put("/v1/rosters/staff", {"members": [{"body": "ca-xx", "number": "PT-1"}]})
    webhook = subscribe(clinic, roster="staff")
    receivers.answer("hook", answered(500), answered(500), answered(204))
    register("PT-1")
    deliverer.settle()
    others = {"members": [{"body": "ca-xx", "number": "PT-2"}]}
    clinic.put("/v1/rosters/staff", others, headers={"If-Match": put.headers["ETag"]})
    register("PT-2")
    for _ in range(2):
        now.shift(timedelta(seconds=6))
        deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-2", "PT-2"]
    assert [number for _, number, _ in outcomes(clinic, webhook)] == [1, 1, 2]


def test_who_is_throttled_waits_as_long_as_it_is_asked_to(clinic, deliverer, receivers, register, now):
    webhook = subscribe(clinic)
    receivers.answer("hook", answered(429, retry_after=120), answered(204))
    register("PT-1")
    deliverer.settle()
    now.shift(timedelta(seconds=119))
    deliverer.settle()
    assert len(receivers.sent) == 1
    now.shift(timedelta(seconds=14))
    deliverer.settle()
    assert outcomes(clinic, webhook) == [("retried", 1, 429), ("delivered", 2, 204)]


def exhaust(deliverer: Driven, now: time_machine.Traveller) -> None:
    for delay in RETRY_DELAYS:
        now.shift(delay * 1.1 + timedelta(seconds=1))
        deliverer.settle()


def notices(clinic: Clinic) -> list[tuple[str, str]]:
    told = feed(clinic)
    return [(each["webhook_id"], each["because"]) for each in told if each["type"] == "webhook.disabled"]


def test_after_the_last_retry_it_is_disabled_and_its_owner_told(
    clinic, other_clinic, deliverer, receivers, register, now
):
    failing, other = subscribe(clinic, "failing"), subscribe(clinic, "other", types=["webhook.disabled"])
    subscribe(other_clinic, "others")
    receivers.answer("failing", answered(500))
    register("PT-1")
    place = here(clinic)
    deliverer.settle()
    exhaust(deliverer, now)
    assert len(receivers.ids("failing")) == len(RETRY_DELAYS) == 10
    found = shown(clinic, failing)
    assert (found["state"], found["disabled_because"]) == ("disabled", "exhausted")
    assert [o for o, *_ in outcomes(clinic, failing)] == ["retried"] * 9 + ["given_up"]
    assert notices(clinic) == [(failing["id"], "exhausted")]
    assert notices(other_clinic) == []
    (notice,) = feed(clinic, f"after={place}")
    assert receivers.ids("other") == [notice["id"]]
    assert receivers.numbers("others") == ["PT-1"]
    assert shown(clinic, other)["state"] == "active"


def test_made_active_again_it_goes_on_with_what_failed_and_is_not_sent_its_own_notice(
    clinic, deliverer, receivers, register
):
    webhook = subscribe(clinic)
    receivers.answer("hook", answered(410))
    register("PT-1", "PT-2")
    deliverer.settle()
    found = shown(clinic, webhook)
    assert (found["state"], found["disabled_because"]) == ("disabled", "gone")
    assert outcomes(clinic, webhook) == [("given_up", 1, 410)]
    receivers.answer("hook", answered(204))
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1"]
    assert change(clinic, webhook, state="active").status_code == 200
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-1", "PT-2"]
    deliverer.until(lambda: shown(clinic, webhook)["cursor"] == here(clinic))
    assert receivers.numbers("hook") == ["PT-1", "PT-1", "PT-2"]
    assert notices(clinic) == [(webhook["id"], "gone")]


def test_two_of_one_owner_that_fail_tell_of_each_other_and_no_more(clinic, deliverer, receivers, register):
    one, other = subscribe(clinic, "one"), subscribe(clinic, "other")
    receivers.answer("one", answered(410))
    receivers.answer("other", answered(204), answered(410))
    register("PT-1")
    deliverer.settle()
    assert notices(clinic) == [(one["id"], "gone"), (other["id"], "gone")]


# --- Whose key it is ---


@pytest.mark.parametrize("what", ["revoked", "expired"])
def test_whose_key_is_no_longer_in_force_is_sent_nothing(
    clinic, deliverer, receivers, register, transaction, now, what
):
    webhook = subscribe(clinic)
    clinic.send("POST", at(webhook, "pings"))
    with transaction() as tx:
        ended = {"revoked_at": NOW} if what == "revoked" else {"expires_at": NOW}
        tx.execute(update(tables.api_keys).values(ended))
    register("PT-1")
    deliverer.settle()
    deliverer.settle()
    assert receivers.sent == []
    with transaction() as tx:
        (row,) = tx.execute(select(webhooks.c.state, webhooks.c.disabled_because)).all()
        assert tuple(row) == ("disabled", "key_not_in_force")
        assert tx.execute(select(func.count()).select_from(webhook_replays)).scalar_one() == 0


def test_who_comes_with_tokens_is_sent_everything_until_they_are_blocked(
    app, deliverer, receivers, register, transaction
):
    holder = "01890a5d-ac96-774b-bcce-b302099a8057"
    with transaction() as tx:
        keep_holder(tx, holder, "https://login.example.org", "clinic-7", NOW)
        create_webhook(tx, holder, NewWebhook("https://booking.example.org/hook"), at=NOW)
    register("PT-1")
    deliverer.settle()
    with transaction() as tx:
        assert block(tx, holder, by="operator:tests", at=NOW)
    register("PT-2")
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1"]
    with transaction() as tx:
        assert tx.execute(select(webhooks.c.state)).scalar_one() == "disabled"


# --- Sent again ---


def test_an_event_is_sent_again_under_its_own_identifier_before_what_is_due(
    clinic, deliverer, receivers, register
):
    webhook = subscribe(clinic)
    register("PT-1")
    deliverer.settle()
    (first,) = receivers.sent
    assert clinic.send("POST", at(webhook, "replays"), {"event": first.id}).status_code == 202
    register("PT-2")
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-1", "PT-2"]
    assert (receivers.sent[1].id, receivers.sent[1].body) == (first.id, first.body)
    causes = [each["cause"] for each in attempts(clinic, webhook)]
    assert causes == ["event", "replay", "event"]


def test_what_is_sent_again_is_tried_again_and_holds_nothing_up(clinic, deliverer, receivers, register, now):
    webhook = subscribe(clinic)
    register("PT-1")
    deliverer.settle()
    clinic.send("POST", at(webhook, "replays"), {"event": receivers.sent[0].id})
    receivers.answer("hook", answered(503), answered(204))
    register("PT-2")
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-1", "PT-2"]
    now.shift(timedelta(seconds=6))
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-1", "PT-2", "PT-1"]
    assert outcomes(clinic, webhook)[1] == ("retried", 1, 503)
    assert outcomes(clinic, webhook)[3] == ("delivered", 2, 204)


def test_one_that_is_disabled_forgets_what_was_to_be_sent_again(clinic, deliverer, receivers, register, now):
    webhook = subscribe(clinic)
    register("PT-1")
    deliverer.settle()
    clinic.send("POST", at(webhook, "replays"), {"event": receivers.sent[0].id})
    receivers.answer("hook", answered(503), answered(410), answered(204))
    deliverer.settle()
    register("PT-2")
    deliverer.settle()
    assert shown(clinic, webhook)["disabled_because"] == "gone"
    change(clinic, webhook, state="active")
    now.shift(timedelta(hours=1))
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-1", "PT-2", "PT-2"]


def test_a_ping_is_sent_once_and_its_failing_changes_nothing(clinic, deliverer, receivers, now):
    webhook = subscribe(clinic)
    receivers.answer("hook", answered(500))
    ping = clinic.send("POST", at(webhook, "pings")).get_json()
    deliverer.settle()
    exhaust(deliverer, now)
    (sent,) = receivers.sent
    assert sent.id == ping["id"]
    assert sent.document["type"] == "webhook.ping"
    assert sent.document["data"] == {"webhook_id": webhook["id"]}
    assert outcomes(clinic, webhook) == [("given_up", 1, 500)]
    assert shown(clinic, webhook)["state"] == "active"


def test_a_ping_reaches_also_one_that_waits_or_is_disabled(clinic, deliverer, receivers, register):
    webhook = subscribe(clinic)
    receivers.answer("hook", answered(500), answered(204))
    register("PT-1")
    deliverer.settle()
    clinic.send("POST", at(webhook, "pings"))
    deliverer.settle()
    change(clinic, webhook, state="disabled")
    clinic.send("POST", at(webhook, "pings"))
    deliverer.settle()
    types = [sent.document["type"] for sent in receivers.sent]
    assert types == ["registration.granted", "webhook.ping", "webhook.ping"]
    assert shown(clinic, webhook)["state"] == "disabled"


def test_who_answers_a_ping_that_it_is_gone_is_disabled(clinic, deliverer, receivers):
    webhook = subscribe(clinic)
    receivers.answer("hook", answered(410))
    clinic.send("POST", at(webhook, "pings"))
    deliverer.settle()
    assert shown(clinic, webhook)["disabled_because"] == "gone"
    assert notices(clinic) == [(webhook["id"], "gone")]


def test_everything_behind_a_cursor_is_sent_again_in_the_same_order(clinic, deliverer, receivers, register):
    webhook = subscribe(clinic)
    register("PT-0")
    place = here(clinic)
    register("PT-1", "PT-2", "PT-3")
    deliverer.settle()
    before = receivers.ids("hook")
    assert clinic.send("POST", at(webhook, "rewind"), {"after": place}).status_code == 200
    deliverer.settle()
    assert receivers.ids("hook") == [*before, *before[1:]]
    assert [sent.body for sent in receivers.sent[4:]] == [sent.body for sent in receivers.sent[1:4]]


# --- While something is being sent ---


def test_what_was_sent_to_a_webhook_that_changed_meanwhile_is_sent_again(
    clinic, deliverer, receivers, register
):
    webhook = subscribe(clinic, "old")
    hanging = receivers.hang("old")
    register("PT-1")
    deliverer.until(lambda: hanging.holds == 1)
    assert change(clinic, webhook, url="https://booking.example.org/new").status_code == 200
    deliverer.settle()
    assert receivers.ids("new") == []  # one at a time
    hanging.over.set()
    deliverer.until(lambda: bool(receivers.ids("new")))
    deliverer.settle()
    assert receivers.ids("new") == receivers.ids("old")
    assert len(attempts(clinic, webhook)) == 2


def test_what_was_sent_while_deliveries_went_back_does_not_move_them_ahead(
    clinic, deliverer, receivers, register
):
    webhook = subscribe(clinic)
    place = here(clinic)
    register("PT-1")
    deliverer.settle()
    hanging = receivers.hang("hook")
    register("PT-2")
    deliverer.until(lambda: hanging.holds == 1)
    clinic.send("POST", at(webhook, "rewind"), {"after": place})
    hanging.over.set()
    deliverer.until(lambda: shown(clinic, webhook)["cursor"] == here(clinic))
    assert receivers.numbers("hook") == ["PT-1", "PT-2", "PT-1", "PT-2"]


def test_one_that_is_deleted_or_stopped_while_it_is_sent_to_stays_so(clinic, deliverer, receivers, register):
    deleted, stopped = subscribe(clinic, "deleted"), subscribe(clinic, "stopped")
    hanging = [receivers.hang("deleted", answered(500)), receivers.hang("stopped", answered(500))]
    register("PT-1")
    deliverer.until(lambda: receivers.held == 2)
    tag = clinic.get(at(deleted)).headers["ETag"]
    assert clinic.send("DELETE", at(deleted), If_Match=tag).status_code == 204
    change(clinic, stopped, state="disabled")
    for each in hanging:
        each.over.set()
    deliverer.until(lambda: not deliverer.deliverer._lanes.busy)
    deliverer.settle()
    assert len(receivers.sent) == 2
    assert (shown(clinic, stopped)["disabled_because"], shown(clinic, stopped)["tries"]) == ("by_owner", 0)


def test_two_deliverers_never_send_to_one_webhook_at_a_time(app, clinic, deliverer, receivers, register):
    webhook = subscribe(clinic)
    hanging = receivers.hang("hook")
    register("PT-1", "PT-2")
    deliverer.until(lambda: hanging.holds == 1)
    with driving(app, receivers) as other:
        other.settle()
        assert receivers.numbers("hook") == ["PT-1"]
        hanging.over.set()
        deliverer.until(lambda: not deliverer.deliverer._lanes.busy)
        other.settle()
        deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-2"]
    assert [o for o, *_ in outcomes(clinic, webhook)] == ["delivered"] * 2


def test_what_another_sent_between_looking_and_claiming_is_not_sent_again(
    app, clinic, deliverer, receivers, register
):
    subscribe(clinic)
    register("PT-1", "PT-2")
    slow = deliverer.deliverer
    with app.app_context(), reading() as connection:
        state, free = webhook_deliveries.look(connection, NOW), slow._lanes.free()
        plan = slow._errands.find(connection, state, free, set(), at=NOW)
    with driving(app, receivers) as other:
        other.settle()
    with app.app_context():
        slow._act(plan)
    deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-2"]


def test_what_a_dead_deliverer_held_is_sent_by_another_and_the_dead_one_marks_nothing(
    app, clinic, deliverer, receivers, register, now
):
    webhook = subscribe(clinic)
    hanging = receivers.hang("hook", answered(500))
    register("PT-1", "PT-2")
    deliverer.until(lambda: hanging.holds == 1)
    receivers.answer("hook", answered(204))
    now.shift(timedelta(seconds=15) + errands.MARGIN + timedelta(seconds=1))
    with driving(app, receivers) as other:
        other.settle()
        hanging.over.set()
        deliverer.until(lambda: not deliverer.deliverer._lanes.busy)
        deliverer.settle()
    assert receivers.numbers("hook") == ["PT-1", "PT-1", "PT-2"]
    assert outcomes(clinic, webhook) == [("delivered", 1, 204)] * 2
    assert shown(clinic, webhook)["cursor"] == here(clinic)


def test_a_clock_that_jumps_ahead_makes_no_deliverer_overtake_itself(
    clinic, deliverer, receivers, register, now
):
    subscribe(clinic)
    hanging = receivers.hang("hook")
    register("PT-1")
    deliverer.until(lambda: hanging.holds == 1)
    now.shift(timedelta(days=1))
    deliverer.settle()
    assert len(receivers.sent) == 1
    hanging.over.set()
    deliverer.until(lambda: not deliverer.deliverer._lanes.busy)
    deliverer.settle()
    assert len(receivers.sent) == 1


def test_both_secrets_sign_while_one_gives_way_to_the_other(clinic, deliverer, receivers, register, now):
    webhook = subscribe(clinic)
    old, new = webhook["secret"], rotate(clinic, webhook)["secret"]
    register("PT-1")
    deliverer.settle()
    (sent,) = receivers.sent
    assert sent.verified_by(old) == sent.verified_by(new) == sent.document
    now.shift(timedelta(hours=24))
    register("PT-2")
    deliverer.settle()
    assert receivers.sent[1].secrets == (new,)


# --- Many ---


def test_who_hangs_delays_nobody_else(app, clinic, receivers, register):
    for n in range(4):
        subscribe(clinic, f"dead-{n}")
        receivers.hang(f"dead-{n}")
        subscribe(clinic, f"live-{n}")
    register("PT-1", "PT-2", "PT-3")
    with driving(app, receivers, Places(fast=2, slow=4, slow_after=0.01)) as deliverer:
        live = [f"live-{n}" for n in range(4)]
        deliverer.until(lambda: all(receivers.numbers(n) == ["PT-1", "PT-2", "PT-3"] for n in live))
        assert receivers.held == 4
        for hanging in receivers.answers.values():
            hanging.over.set()
        deliverer.until(lambda: not deliverer.deliverer._lanes.busy)


def test_who_hangs_never_takes_more_than_its_places(app, clinic, receivers, register):
    for n in range(6):
        subscribe(clinic, f"dead-{n}")
        receivers.hang(f"dead-{n}")
    register("PT-1")
    with driving(app, receivers, Places(fast=2, slow=2, slow_after=0.01)) as deliverer:
        deliverer.until(lambda: receivers.held == 4)
        for _ in range(5):
            deliverer.turn()
        assert len(receivers.sent) == 4
        for hanging in receivers.answers.values():
            hanging.over.set()
        deliverer.settle()
    assert len(receivers.sent) == 6


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Every statement that is run."""
    said: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        said.append(statement)

    with app.app_context():
        engines = [db.engine, db.engines[PUBLIC]]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield said
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def test_an_event_costs_as_many_statements_for_many_webhooks_as_for_few(
    app, clinic, deliverer, receivers, register, statements
):
    clinic.put("/v1/rosters/others", {"members": [{"body": "ca-xx", "number": "PT-9"}]})
    costs = []
    for many in (2, 40):
        for _ in range(many):
            subscribe(clinic, roster="others")
        register(f"PT-{many}")
        with app.app_context():
            statements.clear()
            deliverer.deliverer._written_down -= 10
            deliverer.turn()
            costs.append(len(statements))
    assert receivers.sent == []
    assert costs[1] == costs[0] < 12


def test_where_nothing_happens_one_statement_is_asked(clinic, deliverer, receivers, register, statements):
    webhook = subscribe(clinic, types=["registration.suspended"])
    register("PT-1")
    deliverer.until(lambda: shown(clinic, webhook)["cursor"] == here(clinic))
    statements.clear()
    for _ in range(3):
        assert deliverer.turn() == 1.0
    assert len([said for said in statements if said.startswith("SELECT")]) == 3


# --- What is kept of it ---


def test_the_log_forgets_what_is_old_and_more_than_anyone_reads(
    clinic, deliverer, receivers, register, now, monkeypatch, transaction
):
    monkeypatch.setattr(delivery_log, "MOST_KEPT", 3)
    monkeypatch.setattr(delivery_log, "AT_ONCE", 2)
    subscribe(clinic, "other")
    webhook = subscribe(clinic)
    register(*(f"PT-{n}" for n in range(6)))
    deliverer.settle()
    keeper = deliverer.deliverer._log_keeper

    def forget() -> None:
        keeper._due = 0.0
        while deliverer.turn() == 0:
            pass

    forget()
    (last, *_) = receivers.sent[::-1]
    assert [each["message"] for each in attempts(clinic, webhook)][-1] == last.id
    assert len(attempts(clinic, webhook)) == 3
    now.shift(timedelta(days=31))
    forget()
    with transaction() as tx:
        assert tx.execute(select(func.count()).select_from(webhook_attempts)).scalar_one() == 0
