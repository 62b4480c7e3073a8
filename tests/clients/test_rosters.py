"""Rosters through the client, kept in a real register."""

from __future__ import annotations

from datetime import date

import pytest

from needling_registry import (
    Forbidden,
    InvalidRequest,
    Member,
    NotAuthenticated,
    NotFound,
    Outcome,
    Registry,
    Stale,
)
from registry.services.principals import Role
from tests.clients.conftest import BODY, LAST, Served, Slept
from tests.support.scripted import answer, hang_up, problem, scripted

STAFF = [Member(BODY, "PT-1"), (BODY, "PT-2"), (BODY, "PT-3")]
TODAY = date(2026, 3, 1)


def numbers(roster) -> list[str]:
    return sorted(member.number for member in roster.members)


def test_a_roster_is_put_and_read(registry: Registry) -> None:
    put = registry.put_roster("staff", STAFF)
    assert registry.roster("staff") == put
    assert (put.name, put.size, numbers(put)) == ("staff", 3, ["PT-1", "PT-2", "PT-3"])
    assert put.etag


def test_a_roster_is_replaced_whatever_it_was(registry: Registry) -> None:
    registry.put_roster("staff", STAFF)
    assert numbers(registry.put_roster("staff", STAFF[:1])) == ["PT-1"]
    assert numbers(registry.roster("staff")) == ["PT-1"]
    assert registry.put_roster("staff", []).size == 0


def test_what_is_put_again_changes_nothing(registry: Registry) -> None:
    first = registry.put_roster("staff", STAFF)
    assert registry.put_roster("staff", reversed([*STAFF, *STAFF])) == first


def test_nobodys_change_is_overwritten_unseen(registry: Registry) -> None:
    seen = registry.put_roster("staff", STAFF)
    registry.put_roster("staff", STAFF[:2])
    with pytest.raises(Stale):
        registry.put_roster("staff", STAFF[1:], replacing=seen)
    with pytest.raises(Stale):
        registry.delete_roster(seen)
    assert registry.put_roster("staff", STAFF[1:], replacing=registry.roster("staff")).size == 2


def test_a_roster_is_deleted(registry: Registry) -> None:
    roster = registry.put_roster("staff", STAFF)
    registry.delete_roster(roster)
    registry.delete_roster(roster)
    with pytest.raises(NotFound):
        registry.roster("staff")


def test_rosters_are_listed_page_after_page(registry: Registry) -> None:
    names = [f"clinic-{number:02}" for number in range(25)]
    for name in names:
        registry.put_roster(name, STAFF[:1])
    assert [roster.name for roster in registry.rosters()] == names


def test_how_everyone_stands(registry: Registry) -> None:
    registry.put_roster("staff", STAFF)
    standing = registry.standing("staff", "dry_needling", on=TODAY)
    assert [(each.number, each.authorized) for each in standing] == [
        ("PT-1", True),
        ("PT-2", False),
        ("PT-3", False),
    ]
    assert standing[0].valid_through == LAST
    assert [len(each.verdicts) for each in registry.standing("staff")] == [6, 6, 6]
    assert registry.standing("staff", "dry_needling", mode="supervised")[0].mode == "supervised"


def test_on_which_days_somebody_is_not_authorized(served: Served, registry: Registry) -> None:
    served.suspend(served.authorize("PT-50"), date(2026, 3, 10))
    registry.put_roster("staff", [*STAFF[:1], (BODY, "PT-50")])
    always, suspended = registry.days_without("staff", "dry_needling", date(2026, 3, 1), date(2026, 3, 31))
    assert (always.number, always.days, always.runs) == ("PT-1", 0, ())
    (run,) = suspended.runs
    assert (run.first, run.last, run.days) == (date(2026, 3, 10), date(2026, 3, 31), 22)
    assert (run.outcome, run.ongoing) == (Outcome.REGISTRATION_NOT_IN_FORCE, True)
    with pytest.raises(InvalidRequest, match="ten years"):
        registry.days_without("staff", "dry_needling", date(2026, 1, 1), date(2036, 1, 1))


def test_a_roster_needs_the_key_of_a_clinic(served: Served) -> None:
    with pytest.raises(NotAuthenticated):
        Registry(served.url).roster("staff")
    with pytest.raises(NotAuthenticated):
        Registry(served.url, "ndl_made_up").roster("staff")
    with served.transaction() as tx:
        from tests.support.factories import make_key

        registrar = make_key(tx, Role.REGISTRAR, served.body)
    with pytest.raises(Forbidden):
        Registry(served.url, registrar).put_roster("staff", STAFF)


def test_a_body_that_is_not_kept_is_named(registry: Registry) -> None:
    with pytest.raises(InvalidRequest) as invalid:
        registry.put_roster("staff", [("nowhere", "1")])
    assert invalid.value.problem is not None
    assert invalid.value.problem.errors[0]["pointer"] == "/members/0/body"


# --- What a real register does not do when it is asked to ---

KEPT = {
    "name": "staff",
    "size": 1,
    "created_at": "2026-03-01T09:30:00Z",
    "changed_at": "2026-03-01T09:30:00Z",
    "members": [{"body": BODY, "number": "PT-1"}],
}
OTHER = {**KEPT, "members": [{"body": BODY, "number": "PT-9"}]}


def test_a_change_whose_answer_was_lost_is_found_done(slept: Slept) -> None:
    steps = [problem(404), hang_up, problem(428), answer(KEPT, ETag='"1-0000000000000000"')]
    with scripted(*steps) as (url, script):
        put = Registry(url, "key", retries=slept.retries()).put_roster("staff", STAFF[:1])
    assert put.etag == '"1-0000000000000000"'
    assert [asked.method for asked in script.asked] == ["GET", "PUT", "PUT", "GET"]


def test_who_was_quicker_is_overwritten_unless_told_otherwise() -> None:
    theirs = answer(OTHER, ETag='"2-0000000000000000"')
    with scripted(theirs, problem(412), theirs, theirs, answer(KEPT, ETag='"3-0"')) as (url, script):
        assert Registry(url, "key").put_roster("staff", STAFF[:1]).etag == '"3-0"'
    assert script.asked[-1].headers["if-match"] == '"2-0000000000000000"'
    steps = [theirs, problem(412), theirs] * 3
    with scripted(*steps) as (url, _), pytest.raises(Stale):
        Registry(url, "key").put_roster("staff", STAFF[:1])
