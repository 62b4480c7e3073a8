"""The feed of changes over HTTP: what it tells, to whom, from where on, and how one waits for it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import QueuePool, event, update

from registry import clock
from registry.domain.vocabulary import DecisionKind
from registry.http.clinic import changes
from registry.http.clinic.waiting import feed_watch
from registry.services import registrations
from registry.services.bodies import add_rules, get_body
from registry.services.decisions import get_record
from registry.services.feed import Place, cursor_of, place_of
from registry.services.keys import get_key, recognise, revoke_key
from registry.services.sweep import sweep
from registry.settings import Settings
from registry.store import tables
from registry.store.database import PUBLIC, db, writing
from registry.store.events import Event, add_events
from tests.http.clinic.conftest import Clinic
from tests.support.application import running
from tests.support.factories import (
    decide,
    make_authorization,
    make_body,
    make_key,
    make_registration,
    make_rules,
    void,
)

FEED = "/v1/changes"
AT = datetime(2026, 3, 1, 19, tzinfo=UTC)
TODAY = date(2026, 3, 1)
WEBHOOK = "01890a5d-ac96-774b-bcce-b302099a8057"
PATIENT = 30
"""Seconds for which a test waits for what it knows to come."""


def events(clinic: Clinic, query: str = "") -> list[dict[str, Any]]:
    response = clinic.get(f"{FEED}?limit=1000&{query}")
    assert response.status_code == 200, response.text
    return response.get_json()["items"]


def here(clinic: Clinic) -> str:
    return clinic.get(f"{FEED}?after=now").get_json()["next"]


@pytest.fixture
def suspend(transaction, authorized) -> Callable[..., dict[str, Any]]:
    def suspend(on: date = TODAY, **asked: Any) -> Any:
        with transaction() as tx:
            record = get_record(tx, authorized.id)
            return decide(tx, record, DecisionKind.SUSPENDED, on, at=AT, **asked)

    return suspend


# --- What it tells ---


def test_a_decision_is_told_with_what_the_answer_was_and_is(clinic, authorized, suspend):
    place = here(clinic)
    suspend(reason="Interim order.", private_note="File 7.")
    (told,) = events(clinic, f"after={place}")
    assert told["type"] == "registration.suspended"
    assert (told["body"], told["number"], told["day"]) == ("ca-xx", "PT-1", "2026-03-01")
    assert (told["was"], told["is"]) == ("in_force", "suspended")
    assert told["answers"] == [
        {
            "technique": "dry_needling",
            "on": "2026-03-01",
            "was": "authorized",
            "is": "registration_not_in_force",
        }
    ]
    assert told["corrects_the_past"] is False
    assert told["links"]["verification"] == "/v1/bodies/ca-xx/registrations/PT-1/verification"
    assert clinic.get(told["links"]["verification"]).status_code == 200
    assert not {"Interim", "File", "operator:tests", "Ana"} & set(json.dumps(told).split('"'))


def test_what_is_decided_ahead_tells_the_answer_of_its_day(clinic, suspend):
    place = here(clinic)
    suspend(date(2026, 6, 1), through=date(2026, 6, 30))
    (told,) = events(clinic, f"after={place}")
    assert (told["was"], told["is"], told["through"]) == ("in_force", "in_force", "2026-06-30")
    assert [(a["on"], a["is"]) for a in told["answers"]] == [("2026-06-01", "registration_not_in_force")]


def test_a_correction_of_the_past_says_so_and_which_answers_it_changed(clinic, transaction, suspend):
    record = suspend(date(2026, 2, 1))
    place = here(clinic)
    with transaction() as tx:
        void(tx, record, record.decisions[-1].decision.id, at=AT + timedelta(hours=1))
    (told,) = events(clinic, f"after={place}")
    assert told["type"] == "registration.voided"
    assert told["voids"] == record.decisions[-1].decision.id
    assert told["corrects_the_past"] is True
    assert [(a["on"], a["was"], a["is"]) for a in told["answers"]] == [
        ("2026-02-01", "registration_not_in_force", "authorized"),
        ("2026-03-01", "registration_not_in_force", "authorized"),
    ]


def test_what_time_brings_is_told_on_its_day_and_expiries_ahead(app, clinic, authorized):
    place = here(clinic)
    days = [date(2026, 11, 1), date(2026, 12, 1), date(2026, 12, 24), date(2027, 1, 1)]
    with app.app_context():
        for day in days:
            list(sweep(writing, at=datetime(day.year, day.month, day.day, 19, tzinfo=UTC)))
    told = [e for e in events(clinic, f"after={place}") if e["authorization_id"] is None]
    assert [(e["type"], e["day"], e["days_left"]) for e in told] == [
        ("registration.expiring", "2026-11-01", 60),
        ("registration.expiring", "2026-12-01", 30),
        ("registration.expiring", "2026-12-24", 7),
        ("registration.lapsed", "2027-01-01", None),
    ]
    assert (told[-1]["was"], told[-1]["is"]) == ("in_force", "lapsed")
    assert [(a["was"], a["is"]) for a in told[-1]["answers"]] == [("authorized", "registration_not_in_force")]


# --- In which order, from where on ---


def test_pages_follow_each_other_without_gap_or_overlap(clinic, transaction, body):
    with transaction() as tx:
        for _ in range(7):
            make_registration(tx, body)
    everything = events(clinic)
    seen, query = [], ""
    while True:
        page = clinic.get(f"{FEED}?limit=3&{query}").get_json()
        seen += page["items"]
        query = f"after={page['next']}"
        if not page["more"]:
            break
    assert seen == everything
    assert len(seen) == 7
    assert events(clinic, query) == []


def test_a_cursor_stays_good(clinic, suspend):
    place = here(clinic)
    for _ in range(3):
        assert clinic.get(f"{FEED}?after={place}").get_json()["next"] == place
    suspend()
    assert len(events(clinic, f"after={place}")) == 1
    assert place_of(cursor_of(Place(17, "01890a5d"))) == Place(17, "01890a5d")


@pytest.mark.parametrize("cursor", ["x", "MS4x", "MQ", "%F0%9F%98%80", "a" * 200, "MS4xLjAK"])
def test_what_is_no_cursor_is_refused(clinic, body, cursor):
    assert clinic.get(f"{FEED}?after={cursor}").status_code == 422
    headers = {} if "%" in cursor else {"Last-Event-ID": cursor}
    assert clinic.get(f"{FEED}/stream?after={cursor}", **headers).status_code == 422


def test_a_cursor_of_a_history_that_was_lost_is_told_apart(clinic, transaction, authorized):
    place = here(clinic)
    with transaction() as tx:
        e = tables.events
        newest = place_of(place).seq
        tx.execute(update(e).where(e.c.seq == newest).values(id="00000000-0000-7000-8000-000000000000"))
    assert clinic.get(f"{FEED}?after={place}").status_code == 410
    ahead = cursor_of(Place(place_of(place).seq + 5, "00000000-0000-7000-8000-000000000001"))
    assert clinic.get(f"{FEED}?after={ahead}").status_code == 410


# --- To whom ---


def test_the_feed_needs_a_key(client, body):
    assert client.get(FEED).status_code == 401
    assert client.get(f"{FEED}/stream").status_code == 401


def test_a_roster_narrows_the_feed_to_its_members(clinic, transaction, body, authorized):
    roster = {"members": [{"body": "ca-xx", "number": "pt-2"}]}
    clinic.put("/v1/rosters/staff", roster)
    place = here(clinic)
    with transaction() as tx:
        make_registration(tx, body, number="PT-2")  # not registered when the roster was put down
        make_registration(tx, body, number="PT-3")
    page = clinic.get(f"{FEED}?roster=staff&after={place}").get_json()
    assert [told["number"] for told in page["items"]] == ["PT-2"]
    assert page["next"] == here(clinic)


def test_who_gets_another_number_is_still_followed(clinic, transaction, body, authorized):
    clinic.put("/v1/rosters/staff", {"members": [{"body": "ca-xx", "number": "PT-1"}]})
    place = here(clinic)
    with transaction() as tx:
        record = get_record(tx, authorized.id)
        registrations.correct(tx, record, number="PT-100", city=None, by="operator:tests", at=AT)
        decide(tx, get_record(tx, authorized.id), DecisionKind.REVOKED, TODAY, at=AT)
    told = events(clinic, f"roster=staff&after={place}")
    assert [(e["type"], e["number"], e["was_number"]) for e in told] == [
        ("registration.renumbered", "PT-100", "PT-1"),
        ("registration.revoked", "PT-100", None),
    ]


@pytest.fixture
def notice(transaction, clinic) -> Callable[[], None]:
    """Tells the clinic, and nobody else, that its webhook is disabled."""

    def tell() -> None:
        with transaction() as tx:
            owner = recognise(tx, clinic.key, AT)
            assert owner is not None
            data = {"webhook": WEBHOOK, "because": "gone"}
            told = Event("webhook.disabled", None, None, TODAY, AT, data=data, audience=owner.id)
            add_events(tx, [told])

    return tell


def test_what_is_told_to_one_is_seen_by_nobody_else(clinic, other_clinic, transaction, body, notice, briefly):
    place = here(clinic)
    notice()
    (told,) = events(clinic, f"after={place}")
    assert (told["type"], told["body"], told["links"]) == ("webhook.disabled", None, None)
    assert (told["webhook_id"], told["because"]) == (WEBHOOK, "gone")
    page = other_clinic.get(f"{FEED}?after={place}").get_json()
    assert page == {"items": [], "next": here(clinic), "more": False}
    assert dispatched(other_clinic.get(f"{FEED}/stream?after={place}").text) == []
    assert [data for _, data in dispatched(clinic.get(f"{FEED}/stream?after={place}").text)] == [told]


def test_a_roster_leaves_out_no_notice_to_its_owner(clinic, other_clinic, transaction, body, notice):
    for each in (clinic, other_clinic):
        each.put("/v1/rosters/staff", {"members": [{"body": "ca-xx", "number": "PT-2"}]})
    place = here(clinic)
    with transaction() as tx:
        make_registration(tx, body, number="PT-1")
        make_registration(tx, body, number="PT-2")
    notice()
    narrowed = f"roster=staff&after={place}"
    assert [e["number"] for e in events(clinic, narrowed)] == ["PT-2", None]
    assert [e["number"] for e in events(other_clinic, narrowed)] == ["PT-2"]


# --- Waiting ---


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENT
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def waiting(app: Flask) -> Callable[[], int]:
    """How many requests wait at this moment."""
    with app.app_context():
        watch = feed_watch()
    return lambda: watch._waiting


def test_who_waits_is_answered_when_something_is_committed(clinic, suspend, waiting):
    place = here(clinic)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(clinic.get, f"{FEED}?after={place}&wait={PATIENT}")
        until(lambda: waiting() == 1)
        suspend()
        (told,) = asked.result(PATIENT).get_json()["items"]
    assert told["type"] == "registration.suspended"


def test_who_waits_in_vain_gets_the_way_on(clinic, body):
    place = here(clinic)
    page = clinic.get(f"{FEED}?after={place}&wait=1").get_json()
    assert page == {"items": [], "next": place, "more": False}


def test_who_waits_for_a_roster_is_not_answered_with_the_events_of_others(
    clinic, transaction, body, suspend, waiting
):
    clinic.put("/v1/rosters/staff", {"members": [{"body": "ca-xx", "number": "PT-1"}]})
    place = here(clinic)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(clinic.get, f"{FEED}?roster=staff&after={place}&wait={PATIENT}")
        until(lambda: waiting() == 1)
        with transaction() as tx:
            make_authorization(tx, make_registration(tx, body, number="PT-7"))
        suspend()
        assert [e["number"] for e in asked.result(PATIENT).get_json()["items"]] == ["PT-1"]


def test_waiting_holds_no_connection_and_asks_once_a_second(app, clinic, other_clinic, body, waiting):
    with app.app_context():
        engine = db.engines[PUBLIC]
    asked: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    place = here(clinic)
    with ThreadPoolExecutor(2) as threads:
        both = (clinic, other_clinic)
        answers = [threads.submit(each.get, f"{FEED}?after={place}&wait=3") for each in both]
        until(lambda: waiting() == 2)
        assert isinstance(engine.pool, QueuePool)
        assert engine.pool.checkedout() == 0
        begun, before = time.monotonic(), len(asked)
        while waiting() == 2:
            time.sleep(0.01)
        seconds, polled = time.monotonic() - begun, len(asked) - before
        assert [answer.result(PATIENT).status_code for answer in answers] == [200, 200]
    assert polled <= seconds + 2


def test_where_no_place_to_wait_is_free_the_answer_comes_at_once(settings: Settings, body, clinic):
    with running(replace(settings, feed_waiters=0)) as full:
        asking = Clinic(full.test_client(), clinic.key)
        response = asking.get(f"{FEED}?after=now&wait=60")
        assert response.status_code == 200
        assert response.headers["Retry-After"] == "2"
        refused = asking.get(f"{FEED}/stream")
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0


def test_nobody_takes_all_places_to_wait(settings: Settings, body, clinic, other_clinic):
    with running(replace(settings, feed_waiters=2)) as app:
        one, other = (Clinic(app.test_client(), each.key) for each in (clinic, other_clinic))
        for _ in range(2):
            with one.get(f"{FEED}/stream?after=now") as stream:
                assert stream.status_code == 200
                assert one.get(f"{FEED}/stream").status_code == 503
                assert one.get(f"{FEED}?after=now&wait=60").headers["Retry-After"] == "2"
                with other.get(f"{FEED}/stream?after=now") as beside:
                    assert beside.status_code == 200


def test_the_feed_goes_on_when_the_database_was_away(postgresql_url):
    with running(Settings(database_url=postgresql_url)) as app:
        with app.app_context(), writing() as tx:
            body = make_body(tx)
            clinic = Clinic(app.test_client(), make_key(tx))
        with app.app_context():
            watch = feed_watch()
        place = here(clinic)
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(clinic.get, f"{FEED}?after={place}&wait={PATIENT}")
            until(lambda: watch._newest == 0 and watch._waiting == 1)
            with app.app_context(), writing() as tx:
                others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                tx.exec_driver_sql(f"{others} WHERE datname = current_database() AND pid <> pg_backend_pid()")
            with app.app_context(), writing() as tx:
                make_registration(tx, body)
            assert len(asked.result(PATIENT).get_json()["items"]) == 1


# --- The stream ---


@pytest.fixture
def briefly(monkeypatch) -> None:
    monkeypatch.setattr(changes, "STREAM_SECONDS", 0.6)
    monkeypatch.setattr(changes, "HEARTBEAT_SECONDS", 0.1)


def dispatched(stream: str) -> list[tuple[str, dict[str, Any]]]:
    """What an EventSource makes of a stream: the id and the data of each event."""
    found = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if "data" in fields:
            found.append((fields["id"], json.loads(fields["data"])))
    return found


def test_a_stream_gives_each_event_with_the_cursor_behind_it(clinic, authorized, briefly):
    response = clinic.get(f"{FEED}/stream")
    assert response.content_type.startswith("text/event-stream")
    assert response.headers["Cache-Control"] == "no-store"
    told = dispatched(response.text)
    assert [data for _, data in told] == events(clinic)
    assert all(data["cursor"] == id_ for id_, data in told)
    assert response.text.count("\n: here\n") >= 2


def test_a_stream_goes_on_behind_the_last_event_id(clinic, authorized, suspend, briefly):
    last, _ = dispatched(clinic.get(f"{FEED}/stream").text)[-1]
    record_after = threading.Timer(0.1, suspend)
    record_after.start()
    told = dispatched(clinic.get(f"{FEED}/stream?after=now", Last_Event_ID=last).text)
    record_after.join()
    told = told or dispatched(clinic.get(f"{FEED}/stream", Last_Event_ID=last).text)
    assert [data["type"] for _, data in told] == ["registration.suspended"]


def test_a_stream_that_nobody_reads_to_its_end_gives_its_place_back(settings: Settings, body, clinic):
    with running(replace(settings, feed_waiters=1)) as app:
        asking = Clinic(app.test_client(), clinic.key)
        for _ in range(3):
            response = asking.get(f"{FEED}/stream?after=now")
            assert response.status_code == 200
            response.close()


@pytest.fixture
def revoke(transaction, clinic) -> Callable[[], None]:
    def revoke() -> None:
        with transaction() as tx:
            principal = recognise(tx, clinic.key, clock.now())
            assert principal is not None
            revoke_key(tx, get_key(tx, principal.id), by="operator:tests", at=clock.now())

    return revoke


def test_a_stream_ends_with_the_key_that_it_was_asked_for_with(
    clinic, suspend, revoke, authorized, monkeypatch
):
    monkeypatch.setattr(changes, "STREAM_SECONDS", 3.0)
    monkeypatch.setattr(changes, "HEARTBEAT_SECONDS", 0.1)
    parts = clinic.get(f"{FEED}/stream?after=now").iter_encoded()
    assert next(parts).startswith(b"retry")
    assert b": here" in next(parts)
    revoke()
    suspend()
    assert list(parts) == []


def test_who_waits_learns_nothing_more_when_the_key_has_ended(clinic, suspend, revoke, authorized, waiting):
    place = here(clinic)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(clinic.get, f"{FEED}?after={place}&wait={PATIENT}")
        until(lambda: waiting() == 1)
        revoke()
        suspend()
        assert asked.result(PATIENT).status_code == 401


def test_new_rules_of_a_body_are_told_once_to_all_who_follow_anyone_of_it(
    clinic, transaction, body, authorized
):
    clinic.put("/v1/rosters/staff", {"members": [{"body": "ca-xx", "number": "PT-1"}]})
    place = here(clinic)
    with transaction() as tx:
        rules = make_rules(holds_from=date(2026, 1, 1), needling_permitted=False)
        add_rules(tx, get_body(tx, body.id), rules, by="operator:tests", at=AT)
        make_body(tx, "nz")
    (told,) = events(clinic, f"roster=staff&after={place}")
    assert (told["type"], told["body"], told["day"]) == ("body.rules_added", "ca-xx", "2026-01-01")
    assert told["corrects_the_past"] is True
    assert (told["number"], told["links"], told["answers"]) == (None, None, [])
