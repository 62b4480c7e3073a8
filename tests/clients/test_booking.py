"""The example booking system: what it books, what it believes, and what it flags."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from booking import check_again, create_app
from ledger import one_at_a_time
from needling_registry import Registry, RegistryError, Retries, Verification
from registry.delivery.signing import new_secret, signed_headers
from registry.http.clinic.webhook_messages import Messages
from registry.services.feed import FeedEvent, Place, newest_place, read_feed
from registry.store.database import reading
from tests.clients.conftest import BODY, LAST, Served

DAY = "2099-05-04"
PATIENT = 30


@dataclass
class Bookings:
    """The booking system, whose staff is everyone; and the events that it has not been told of."""

    client: FlaskClient
    secret: str
    registry: Registry
    file: str
    place: Place

    def book(self, number: str, day: str = DAY, **changed: str) -> TestResponse:
        form = {"patient": "Mia", "body": BODY, "number": number, "day": day, **changed}
        return self.client.post("/bookings", data=form)

    def problems(self) -> dict[str, str | None]:
        return {booking["number"]: booking["problem"] for booking in self.all()}

    def all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get("/bookings").get_json()
        return found

    def deliver(self, content: bytes, id_: str = "msg-1", secret: str = "") -> int:
        headers = signed_headers([secret or self.secret], id_, datetime.now(UTC), content)
        return self.client.post("/registry-webhook", data=content, headers=headers).status_code

    def hear(self, events: list[FeedEvent]) -> list[int]:
        return [self.deliver(Messages().event(event), event.id) for event in events]


class Everyone:
    """The staff of a clinic where everyone works."""

    def __contains__(self, who: object) -> bool:
        return who != (BODY, "PT-OTHER")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.fixture
def bookings(served: Served, tmp_path: Path) -> Bookings:
    secret, file = new_secret(), str(tmp_path / "bookings.db")
    registry = Registry(served.url, served.key())
    app = create_app(registry, secret, Everyone(), file)
    with served.app.app_context(), reading() as connection:
        place = newest_place(connection)
    return Bookings(app.test_client(), secret, registry, file, place)


@pytest.fixture
def told(served: Served, bookings: Bookings) -> Callable[[], list[FeedEvent]]:
    """What happened since the test began."""

    def told() -> list[FeedEvent]:
        with served.app.app_context(), reading() as connection:
            return list(read_feed(connection, bookings.place, limit=100, reader_id="nobody").events)

    return told


def test_only_a_day_with_authorization_is_booked(bookings: Bookings) -> None:
    assert bookings.book("PT-1").status_code == 201
    assert bookings.book("PT-1", LAST.isoformat()).status_code == 201
    late = bookings.book("PT-1", "2101-01-01")
    assert (late.status_code, late.json) == (
        409,
        {"refused": ["registration_lapsed", "authorization_lapsed"]},
    )
    assert bookings.book("PT-2").json == {"refused": ["technique_not_covered"]}
    assert bookings.book("nobody").json == {"refused": ["never_registered"]}
    assert len(bookings.all()) == 2


@pytest.mark.parametrize("day", ["", "tomorrow", "2099-02-30", "04/05/2099"])
def test_no_day_is_no_booking_for_today(bookings: Bookings, day: str) -> None:
    assert bookings.book("PT-1", day).status_code == 400
    assert bookings.problems() == {}


def test_who_is_not_on_the_staff_is_not_booked_since_no_change_would_be_heard_of(
    served: Served, bookings: Bookings
) -> None:
    served.authorize("PT-OTHER")
    assert bookings.book("PT-OTHER").status_code == 409
    assert bookings.problems() == {}


def test_no_answer_is_no_booking(served: Served, tmp_path: Path) -> None:
    gone = Registry("http://127.0.0.1:9", retries=Retries(attempts=1))
    client = create_app(gone, new_secret(), Everyone(), str(tmp_path / "b.db")).test_client()
    form = {"patient": "Mia", "body": BODY, "number": "PT-1", "day": DAY}
    assert client.post("/bookings", data=form).status_code == 503
    assert client.get("/bookings").json == []


def test_a_booking_is_flagged_when_its_day_is_lost_and_no_other(
    served: Served, bookings: Bookings, told
) -> None:
    record = served.authorize("PT-20")
    assert bookings.book("pt-20").status_code == 201
    assert bookings.book("PT-1").status_code == 201
    served.suspend(record)
    assert bookings.hear(told())[-1] == 204
    assert bookings.problems() == {"PT-20": "not authorized on that day", "PT-1": None}


def test_a_delivery_that_comes_twice_is_heard_once(served: Served, bookings: Bookings, told) -> None:
    record = served.authorize("PT-21")
    bookings.book("PT-21")
    served.suspend(record)
    events = told()
    bookings.hear(events)
    with one_at_a_time(bookings.file) as ledger:
        (booking,) = ledger.all()
        ledger.flag(booking, "looked at by hand")
    assert set(bookings.hear(events)) == {204}
    assert bookings.problems() == {"PT-21": "looked at by hand"}


def test_a_change_that_concerns_everyone_is_checked_for_everyone(served: Served, bookings: Bookings) -> None:
    record = served.authorize("PT-22")
    bookings.book("PT-22")
    served.suspend(record)
    assert bookings.deliver(b'{"type":"body.rules_added","data":{"body":"elsewhere","number":null}}') == 204
    assert bookings.problems() == {"PT-22": None}
    body_wide = {"type": "body.rules_added", "data": {"body": BODY, "number": None}}
    assert bookings.deliver(json.dumps(body_wide).encode(), "msg-2") == 204
    assert bookings.problems() == {"PT-22": "not authorized on that day"}


def test_a_corrected_number_is_checked_under_both(served: Served, bookings: Bookings) -> None:
    record = served.authorize("PT-23")
    bookings.book("PT-23")
    served.suspend(record)
    corrected = {"type": "x", "data": {"body": BODY, "number": "PT-23-A", "was_number": "PT-23"}}
    assert bookings.deliver(json.dumps(corrected).encode()) == 204
    assert bookings.problems() == {"PT-23": "not authorized on that day"}


def test_what_the_registry_did_not_sign_is_refused(bookings: Bookings) -> None:
    bookings.book("PT-1")
    assert bookings.deliver(b'{"type":"x","data":{}}', secret=new_secret()) == 400
    assert bookings.client.post("/registry-webhook", data=b"{}").status_code == 400
    headers = signed_headers([bookings.secret], "msg-1", datetime.now(UTC), b'{"data":{}}')
    assert bookings.client.post("/registry-webhook", data=b'{"data": {}}', headers=headers).status_code == 400
    odd = {**headers, "webhook-signature": "v1,a,b"}
    assert bookings.client.post("/registry-webhook", data=b'{"data":{}}', headers=odd).status_code == 400


def test_a_delivery_that_cannot_be_looked_into_is_to_be_sent_again(
    served: Served, bookings: Bookings, told, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = served.authorize("PT-24")
    bookings.book("PT-24")
    served.suspend(record)

    def no_answer(_: object) -> Any:
        raise RegistryError("gone")

    with monkeypatch.context() as gone:
        gone.setattr(bookings.registry, "verify_many", no_answer)
        assert set(bookings.hear(told())) == {503}
    assert bookings.problems() == {"PT-24": None}
    assert set(bookings.hear(told())) == {204}
    assert bookings.problems() == {"PT-24": "not authorized on that day"}


def test_a_change_that_comes_between_answer_and_booking_is_not_missed(
    served: Served, bookings: Bookings, told, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = served.authorize("PT-25")
    bookings.book(
        "PT-1"
    )  # so that no table is made any more, by which transactions would wait for each other
    verify = bookings.registry.verify
    delivering: list[threading.Thread] = []

    @wraps(verify)
    def verify_and_be_slow(*asked: Any, **more: Any) -> Verification:
        answer = verify(*asked, **more)
        served.suspend(record)
        events = told()
        delivering.append(threading.Thread(target=bookings.hear, args=(events,)))
        delivering[0].start()
        delivering[0].join(0.5)  # it has to wait for the booking; if it did not, it would be over by now
        return answer

    monkeypatch.setattr(bookings.registry, "verify", verify_and_be_slow)
    assert bookings.book("PT-25").status_code == 201
    delivering[0].join(PATIENT)
    assert bookings.problems()["PT-25"] == "not authorized on that day"


def test_what_was_missed_while_it_did_not_run_is_found(served: Served, bookings: Bookings) -> None:
    record = served.authorize("PT-26")
    bookings.book("PT-26")
    served.suspend(record)
    with one_at_a_time(bookings.file) as ledger:
        check_again(bookings.registry, ledger, ledger.all())
    assert bookings.problems() == {"PT-26": "not authorized on that day"}
