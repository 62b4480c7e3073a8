"""Whatever goes wrong on the way to the register or in it: no yes comes of it, and nobody waits for ever."""

from __future__ import annotations

import copy
import json
import pickle
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from needling_registry import (
    NEVER_AGAIN,
    Conflict,
    Forbidden,
    Gone,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    Outcome,
    Question,
    Refused,
    Registry,
    RegistryError,
    Retries,
    Stale,
    TimedOut,
    TooManyRequests,
    Unavailable,
    Unreachable,
    Unreadable,
)
from needling_registry.transport import Request
from registry.http.examples import ANSWERS
from tests.clients.conftest import Slept
from tests.support.scripted import answer, break_off, drip, hang_up, problem, scripted, silence

YES: dict[str, Any] = json.loads(json.dumps(ANSWERS["Verification"]))
ASKED = (YES["body"]["code"], YES["number"], "dry_needling")
BRIEF = {
    **{name: YES["verdicts"][0][name] for name in ("technique", "authorized", "outcome", "reasons")},
    **{name: YES["verdicts"][0][name] for name in ("conditions", "excluded_regions", "valid_through")},
}
LINE = {
    **{name: YES[name] for name in ("number", "practitioner", "on", "mode", "as_of", "authorized")},
    "index": 0,
    "ref": None,
    "body": ASKED[0],
    "verdicts": [BRIEF],
    "error": None,
}
QUESTION = Question(body=ASKED[0], number=ASKED[1], technique=ASKED[2])


def changed(document: Any, place: str, value: Any) -> Any:
    """A document with another value in a place; ``...`` takes the member away."""
    document = copy.deepcopy(document)
    *way, last = [int(part) if part.isdigit() else part for part in place.split("/")]
    inner = document
    for part in way:
        inner = inner[part]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return document


def lines(*documents: Any) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


def verify(url: str, retries: Retries = NEVER_AGAIN, **options: Any) -> Any:
    return Registry(url, retries=retries).verify(*ASKED, **options)


# --- What is understood ---


def test_the_example_is_a_yes() -> None:
    with scripted(answer(YES)) as (url, _):
        assert verify(url).authorized is True
    with scripted(answer(content=lines(LINE))) as (url, _):
        assert [each.authorized for each in Registry(url).verify_many([QUESTION])] == [True]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("authorized", False),
        ("verdicts/0/authorized", False),
        ("verdicts/0/outcome", "authorized_remotely"),
        ("verdicts/0/outcome", "AUTHORIZED"),
        ("verdicts/0/outcome", "supervised_only"),
        ("verdicts/0/outcome", "unknown"),
    ],
)
def test_what_is_not_wholly_a_yes_is_none(place: str, value: Any) -> None:
    with scripted(answer(changed(YES, place, value))) as (url, _):
        found = verify(url)
        assert found.authorized is False
        if place != "authorized":
            assert found.verdicts[0].authorized is False
    with scripted(answer(content=lines(changed(LINE, place, value)))) as (url, _):
        (brief,) = Registry(url).verify_many([QUESTION])
        assert brief.authorized is False


def test_no_verdict_is_no_yes() -> None:
    with scripted(answer(changed(YES, "verdicts", []))) as (url, _):
        assert Registry(url).verify(*ASKED[:2]).authorized is False


def test_a_word_from_a_newer_register_is_kept_as_it_came() -> None:
    newer = changed(YES, "verdicts/0/outcome", "authorized_remotely")
    newer = changed(newer, "verdicts/0/reasons", ["on_a_ship"])
    with scripted(answer({**newer, "weather": "fine"})) as (url, _):
        (verdict,) = verify(url).verdicts
    assert verdict.outcome == "authorized_remotely"
    assert not verdict.outcome.is_known
    assert Outcome("authorized").is_known
    assert [str(reason) for reason in verdict.reasons] == ["on_a_ship"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("authorized", "true"),
        ("authorized", 1),
        ("authorized", None),
        ("authorized", ...),
        ("verdicts", ...),
        ("verdicts", None),
        ("verdicts", {}),
        ("verdicts/0", "yes"),
        ("verdicts/0/outcome", 7),
        ("verdicts/0/authorized", ...),
        ("verdicts/0/valid_through", "20270930"),
        ("verdicts/0/valid_through", "2027-02-30"),
        ("verdicts/0/valid_through", ...),
        ("verdicts/0/valid_until", "2027-10-01T06:00:00"),
        ("as_of", "yesterday"),
        ("on", None),
        ("number", 7),
    ],
)
def test_what_is_not_as_promised_is_unreadable_and_says_where(place: str, value: Any) -> None:
    with (
        scripted(answer(changed(YES, place, value))) as (url, _),
        pytest.raises(Unreadable, match=f"/{place} "),
    ):
        verify(url)


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"yes", b"<html>", b"\xff", b'"authorized"', b"[" * 9999]
)
def test_what_is_no_answer_is_unreadable(content: bytes) -> None:
    with scripted(answer(content=content)) as (url, _), pytest.raises(Unreadable):
        verify(url)


@pytest.mark.parametrize(
    ("place", "value", "asked"),
    [
        ("number", "PT-10443", {}),
        ("body/code", "ca-ab", {}),
        ("mode", "supervised", {}),
        ("verdicts/0/technique", "acupuncture", {}),
        ("on", "2026-03-30", {"on": datetime(2026, 3, 31, tzinfo=UTC).date()}),
        ("known_at", "2026-01-01T00:00:00Z", {}),
    ],
)
def test_an_answer_about_something_else_is_none(place: str, value: Any, asked: Any) -> None:
    with scripted(answer(changed(YES, place, value))) as (url, _), pytest.raises(Unreadable):
        verify(url, **asked)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        lines(LINE, {**LINE, "index": 1}),
        lines({**LINE, "index": 1}),
        lines({**LINE, "ref": "another"}),
        lines({**LINE, "number": "PT-10443"}),
        lines({**LINE, "number": None}),
        lines({**LINE, "body": "ca-ab"}),
        lines({**LINE, "mode": "supervised"}),
        lines(LINE)[:-20],
    ],
)
def test_a_batch_that_is_answered_otherwise_is_unreadable(content: bytes) -> None:
    with scripted(answer(content=content)) as (url, _), pytest.raises(Unreadable):
        list(Registry(url, retries=NEVER_AGAIN).verify_many([QUESTION]))


def test_an_error_in_a_batch_is_no_yes_whatever_else_is_said() -> None:
    error = {"type": "/problems/x", "title": "x", "status": 422, "detail": "x", "errors": []}
    with scripted(answer(content=lines({**LINE, "error": error}))) as (url, _):
        (found,) = Registry(url).verify_many([QUESTION])
    assert found.authorized is False


# --- What is refused ---


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, NotAuthenticated),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (410, Gone),
        (412, Stale),
        (422, InvalidRequest),
        (428, Stale),
        (418, InvalidRequest),
        (429, TooManyRequests),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_refusal_is_an_error_of_its_kind_with_the_problem(status: int, kind: type[Refused]) -> None:
    step = problem(status, request_id="r-1", errors=[{"parameter": "on"}])
    with scripted(step) as (url, _), pytest.raises(kind) as refused:
        verify(url)
    error = refused.value
    assert error.problem is not None
    assert (error.status, error.problem.status, error.problem.request_id) == (status, status, "r-1")
    assert error.problem.errors[0]["parameter"] == "on"
    assert "A detail." in str(error)
    assert pickle.loads(pickle.dumps(error)).status == status  # noqa: S301 - our own


@pytest.mark.parametrize("content", [b"<html>Bad gateway</html>", b"{}", b""])
def test_a_refusal_of_something_on_the_way_has_no_problem(content: bytes) -> None:
    for kind in ("text/html", "application/problem+json"):
        step = answer(content=content, status=502, Content_Type=kind)
        with scripted(step) as (url, _), pytest.raises(Unavailable, match="502") as refused:
            verify(url)
        assert refused.value.problem is None


def test_nothing_is_followed_elsewhere() -> None:
    with (
        scripted(answer(YES)) as (elsewhere, other),
        scripted(answer(YES, 302, Location=elsewhere)) as (url, _),
    ):
        with pytest.raises(Unreadable, match="302"):
            Registry(url, "secret", retries=NEVER_AGAIN).verify(*ASKED)
        assert other.asked == []


# --- What passes ---


@pytest.mark.parametrize(
    "step", [problem(429), problem(500), problem(502), problem(503), problem(504), hang_up]
)
def test_what_may_pass_is_tried_again(step, slept: Slept) -> None:
    with scripted(step, step, answer(YES)) as (url, script):
        assert verify(url, slept.retries()).authorized is True
    assert len(script.asked) == 3
    assert slept.seconds == [0.5, 1.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
def test_what_does_not_pass_is_not(status: int, slept: Slept) -> None:
    with scripted(problem(status)) as (url, script), pytest.raises(Refused):
        verify(url, slept.retries())
    assert (len(script.asked), slept.seconds) == (1, [])


def test_an_answer_that_breaks_off_is_asked_for_again(slept: Slept) -> None:
    half = json.dumps(YES).encode()[:200]
    with scripted(break_off(half), answer(YES)) as (url, _):
        assert verify(url, slept.retries()).authorized is True
    with scripted(break_off(json.dumps(YES).encode())) as (url, _), pytest.raises(Unreachable):
        verify(url)
    with scripted(break_off(lines(LINE)), answer(content=lines(LINE))) as (url, script):
        assert len(list(Registry(url, retries=slept.retries()).verify_many([QUESTION]))) == 1
    assert len(script.asked) == 2


def test_tries_and_delays_have_an_end(slept: Slept) -> None:
    retries = slept.retries(attempts=7, first_delay=1, longest_delay=5, patience=1000)
    with scripted(problem(503)) as (url, script), pytest.raises(Unavailable):
        verify(url, retries)
    assert len(script.asked) == 7
    assert slept.seconds == [1, 2, 4, 5, 5, 5]


def test_delays_differ_from_each_other() -> None:
    delays = {Retries(first_delay=1).delay(2) for _ in range(50)}
    assert len(delays) > 10
    assert all(1 <= delay <= 2 for delay in delays)
    assert all(3 <= Retries(first_delay=1).delay(1, retry_after=2.5) <= 3.5 for _ in range(50))


@pytest.mark.parametrize("wait", ["2", "2.0", " 2 "])
def test_the_register_says_when_to_come_back(wait: str, slept: Slept) -> None:
    step = problem(503, headers={"Retry-After": wait})
    with scripted(step, answer(YES)) as (url, _):
        verify(url, slept.retries())
    assert slept.seconds == [2.5]


def test_it_may_say_so_by_a_date(slept: Slept) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    with scripted(problem(429, headers={"Retry-After": at}), answer(YES)) as (url, _):
        verify(url, slept.retries(patience=60))
    assert 15 < slept.seconds[0] <= 20.5


@pytest.mark.parametrize("wait", ["", "soon", "-5", "nan", "inf", "2026-01-01"])
def test_what_it_says_otherwise_is_not_minded(wait: str, slept: Slept) -> None:
    with scripted(problem(503, headers={"Retry-After": wait}), answer(YES)) as (url, _):
        verify(url, slept.retries())
    assert slept.seconds == [0.5]


def test_nobody_sleeps_beyond_their_patience(slept: Slept) -> None:
    step = problem(503, headers={"Retry-After": "3600"})
    with scripted(step) as (url, script), pytest.raises(Unavailable) as refused:
        verify(url, slept.retries())
    assert refused.value.retry_after == 3600
    assert (len(script.asked), slept.seconds) == (1, [])


def test_every_attempt_to_write_bears_one_key_of_its_own(slept: Slept) -> None:
    running = problem(409, headers={"Retry-After": "1"})
    with scripted(hang_up, running, problem(503), answer({"made": 1})) as (url, script):
        made = Registry(url, "k", retries=slept.retries())._transport.send(
            Request("POST", "/v1/anything", body={}, writes=True)
        )
        Registry(url, "k")._transport.send(Request("POST", "/v1/anything", body={}, writes=True))
    keys = [asked.headers["idempotency-key"] for asked in script.asked]
    assert made.json() == {"made": 1}
    assert len(keys) == 5
    assert len(set(keys[:4])) == 1
    assert keys[4] != keys[0]
    assert slept.seconds[1] == 2.0


# --- Nobody there ---


def test_silence_is_an_error_in_time() -> None:
    with scripted(hang_up) as (url, script):
        script.steps = [silence(script)]
        with pytest.raises(TimedOut):
            verify(url, Retries(attempts=1, attempt_timeout=0.2))


def test_an_answer_that_drips_is_an_error_in_time() -> None:
    with scripted(hang_up) as (url, script):
        script.steps = [drip(script)]
        with pytest.raises(TimedOut):
            verify(url, Retries(attempts=1, attempt_timeout=0.2))


def test_patience_ends_whatever_attempts_are_left() -> None:
    with scripted(hang_up) as (url, script):
        script.steps = [silence(script)]
        with pytest.raises(TimedOut):
            verify(url, Retries(attempts=1000, attempt_timeout=0.1, patience=0.5, first_delay=0.01))
        assert len(script.asked) < 1000


def test_nobody_there_is_an_error(slept: Slept) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable) as unreachable:
            verify(f"http://127.0.0.1:{taken.getsockname()[1]}", slept.retries())
    assert isinstance(unreachable.value, RegistryError)
    assert len(slept.seconds) == 3


# --- Where questions go ---


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example",
        "http://10.0.0.1:8000",
        "ftp://registry.example",
        "registry.example",
        "",
        "https://",
    ],
)
def test_answers_come_over_https_or_from_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Registry(url)


@pytest.mark.parametrize("url", ["https://a.example/?x=1", "https://a.example/#x", "https://me:pw@a.example"])
def test_an_address_is_no_more_than_an_address(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Registry(url)


@pytest.mark.parametrize(
    "url", ["https://a.example/registry/", "http://localhost:8000", "http://127.0.0.2", "http://[::1]:8000"]
)
def test_an_address_is_taken(url: str) -> None:
    assert repr(url.rstrip("/")) in repr(Registry(url))
    Registry("http://registry:8000", insecure_http=True)


def test_a_key_is_sent_and_never_shown() -> None:
    with scripted(answer(YES)) as (url, script):
        registry = Registry(f"{url}/behind/", "ndl_secret")
        registry.verify(*ASKED)
    (asked,) = script.asked
    assert asked.headers["authorization"] == "Bearer ndl_secret"
    assert asked.headers["cache-control"] == "no-cache"
    assert asked.target.startswith("/behind/v1/bodies/")
    assert "ndl_secret" not in repr(registry)


@pytest.mark.parametrize(
    "options", [{"attempts": 0}, {"patience": 0}, {"attempt_timeout": 0}, {"first_delay": -1}]
)
def test_retries_are_possible_ones(options: Any) -> None:
    with pytest.raises(ValueError, match="give"):
        Retries(**options)
