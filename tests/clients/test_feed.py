"""Following the feed: nothing is missed, whatever happens on the way."""

from __future__ import annotations

import threading
from itertools import islice
from typing import Any

import pytest

from needling_registry import (
    NOW,
    Event,
    InvalidRequest,
    NotAuthenticated,
    Outcome,
    Refused,
    Registry,
    Standing,
)
from needling_registry.feed import Feed
from tests.clients.conftest import BODY, Served, Slept
from tests.support.scripted import Step, answer, hang_up, problem, scripted


def taken(feed: Feed, count: int) -> list[Event]:
    return list(islice(feed, count))


def test_a_change_is_told_with_what_the_answer_was_and_is(served: Served, registry: Registry) -> None:
    record = served.authorize("PT-60")
    place = registry.changes(NOW).next
    served.suspend(record)
    (event,) = registry.changes(place).items
    assert (event.type, event.body, event.number) == ("registration.suspended", BODY, "PT-60")
    assert (event.was, event.is_) == (Standing.IN_FORCE, Standing.SUSPENDED)
    assert (event.answers[0].was, event.answers[0].is_) == (
        Outcome.AUTHORIZED,
        Outcome.REGISTRATION_NOT_IN_FORCE,
    )
    assert event.links is not None
    assert registry.changes(event.cursor).items == ()


def test_everything_is_followed_from_the_beginning_in_pages(served: Served, registry: Registry) -> None:
    everything = [event.id for event in registry.changes(None, limit=1000).items]
    assert len(everything) > 3
    assert [event.id for event in taken(registry.follow(None, limit=2), len(everything))] == everything


def test_what_is_to_come_is_waited_for(served: Served, registry: Registry) -> None:
    record = served.authorize("PT-61")
    feed = registry.follow(NOW)
    suspending = threading.Timer(0.2, served.suspend, [record])
    suspending.start()
    (event,) = taken(feed, 1)
    suspending.join()
    assert event.number == "PT-61"


def test_a_roster_narrows_the_feed(served: Served, registry: Registry) -> None:
    others, ours = served.authorize("PT-62"), served.authorize("PT-63")
    registry.put_roster("staff", [(BODY, "PT-63")])
    feed = registry.follow(NOW, roster="staff")
    served.suspend(others)
    served.suspend(ours)
    assert [event.number for event in taken(feed, 1)] == ["PT-63"]


def test_an_event_is_taken_in_when_the_next_is_asked_for(served: Served, registry: Registry) -> None:
    feed = registry.follow(NOW)
    start = feed.cursor
    served.suspend(served.authorize("PT-64"))
    events = iter(feed)
    first = next(events)
    assert feed.cursor == start
    second = next(events)
    assert feed.cursor == first.cursor
    del events
    assert [event.id for event in taken(feed, 1)] == [second.id]
    assert [event.id for event in taken(registry.follow(first.cursor), 1)] == [second.id]


def test_what_is_no_place_is_refused(registry: Registry, served: Served) -> None:
    with pytest.raises(InvalidRequest):
        registry.changes("not-a-cursor")
    with pytest.raises(NotAuthenticated):
        Registry(served.url).follow(NOW)
    for seconds in (0, 61):
        with pytest.raises(ValueError, match="1 to 60"):
            registry.follow(None, wait=seconds)


# --- What a real register does not do when it is asked to ---


def event(number: int) -> dict[str, Any]:
    return {
        "id": f"01890a5d-ac96-774b-bcce-{number:012}",
        "cursor": f"behind-{number}",
        "type": "registration.suspended",
        "occurred_at": "2026-03-01T09:30:00Z",
        **dict.fromkeys(("number", "was_number", "registration_id", "authorization_id"), None),
        **dict.fromkeys(("decision_id", "voids", "through", "days_left", "was", "is", "links"), None),
        **dict.fromkeys(("webhook_id", "because"), None),
        "body": BODY,
        "day": "2026-03-01",
        "answers": [],
        "corrects_the_past": False,
    }


def page(*numbers: int, next_: str, more: bool = False, **headers: Any) -> Step:
    return answer({"items": [event(number) for number in numbers], "next": next_, "more": more}, **headers)


def places(script) -> list[str]:
    return [asked.target.partition("after=")[2].partition("&")[0] for asked in script.asked]


def test_an_outage_is_waited_out_at_the_same_place(slept: Slept) -> None:
    steps = [
        page(1, next_="behind-1"),
        *[hang_up, problem(503), hang_up, problem(429, headers={"Retry-After": "7"})] * 3,
        page(2, next_="behind-2"),
        page(3, next_="behind-3"),
    ]
    with scripted(*steps) as (url, script):
        feed = Registry(url, "key", retries=slept.retries(attempts=1)).follow("start")
        found = [each.cursor for each in taken(feed, 3)]
    assert found == ["behind-1", "behind-2", "behind-3"]
    assert places(script) == ["start", *["behind-1"] * 13, "behind-2"]
    assert slept.seconds[:4] == [0.5, 1.0, 2.0, 11.0]
    assert max(slept.seconds) == 15.0


def test_what_does_not_pass_is_raised_and_the_place_is_kept(slept: Slept) -> None:
    steps = [page(1, 2, next_="behind-2"), problem(401), page(3, next_="behind-3"), problem(410)]
    with scripted(*steps) as (url, script):
        feed = Registry(url, "key", retries=slept.retries()).follow("start")
        found: list[str] = []
        for _ in range(2):
            with pytest.raises(Refused):
                found.extend(each.cursor for each in feed)
    assert found == ["behind-1", "behind-2", "behind-3"]
    assert places(script) == ["start", "behind-2", "behind-2", "behind-3"]
    assert feed.cursor == "behind-3"


def test_a_place_moves_on_where_nothing_concerned_the_roster(slept: Slept) -> None:
    with scripted(page(next_="a", more=True), page(next_="b"), page(1, next_="behind-1")) as (url, script):
        feed = Registry(url, "key", retries=slept.retries()).follow("start")
        taken(feed, 1)
    assert places(script) == ["start", "a", "b"]
    assert feed.cursor == "b"


def test_now_is_asked_for_once(slept: Slept) -> None:
    with scripted(page(next_="here"), hang_up, page(next_="here"), page(1, next_="behind-1")) as (
        url,
        script,
    ):
        feed = Registry(url, "key", retries=slept.retries(attempts=1)).follow(NOW)
        assert feed.cursor == "here"
        taken(feed, 1)
    assert places(script) == ["now", "here", "here", "here"]


def test_a_register_without_a_place_to_wait_is_not_asked_at_once_again(slept: Slept) -> None:
    steps = [page(next_="a", Retry_After="2"), page(next_="a"), page(1, next_="behind-1")]
    with scripted(*steps) as (url, _):
        taken(Registry(url, "key", retries=slept.retries()).follow("start"), 1)
    assert slept.seconds == [2.0, 1.0]
