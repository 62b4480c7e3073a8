"""Who is listed in a city, and in which order, on both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from registry.domain.vocabulary import Mode, Technique
from registry.services import directory
from registry.services.directory import Listing, Wanted, list_authorized
from registry.services.histories import changes_of
from tests.support.factories import database, make_authorization, make_body, make_person, make_registration

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = date(2026, 6, 1)
WANTED = Wanted("Calgary", Technique.DRY_NEEDLING, Mode.INDEPENDENT)


@pytest.fixture
def numbers(database_url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Twenty who are authorized in Calgary, one who is withheld, one elsewhere, one who is not authorized."""
    monkeypatch.setattr(directory, "STRETCH", 8)
    with database(database_url) as engine, engine.begin() as tx:
        body = make_body(tx)
        for number in range(20):
            record = make_registration(tx, body, number=f"PT-{number:02}", city="Calgary")
            make_authorization(tx, record)
        withheld = make_person(tx, "Secret Person", withheld=True)
        make_authorization(tx, make_registration(tx, body, withheld, number="HIDDEN", city="Calgary"))
        make_authorization(tx, make_registration(tx, body, number="ELSEWHERE", city="Banff"))
        make_registration(tx, body, number="NONE", city="Calgary")
    return [f"PT-{number:02}" for number in range(20)]


def _list(url: str, *, day: date = DAY, after: str = "", most: int = 100) -> Listing:
    with database(url) as engine, engine.connect() as connection:
        return list_authorized(connection, WANTED, day=day, after=after, most=most, at=NOW)


def test_all_who_are_authorized_are_listed_and_nobody_else(database_url: str, numbers: list[str]) -> None:
    listing = _list(database_url)
    assert sorted(item.number for item in listing.items) == numbers
    assert listing.last is None


def test_the_order_is_another_each_day_and_the_same_all_day(database_url: str, numbers: list[str]) -> None:
    today = [item.number for item in _list(database_url).items]
    assert today == [item.number for item in _list(database_url).items]
    tomorrow = [item.number for item in _list(database_url, day=date(2026, 6, 2)).items]
    assert tomorrow != today
    assert sorted(tomorrow) == sorted(today)


def test_pages_make_up_the_whole(database_url: str, numbers: list[str]) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        listing = _list(database_url, after=after, most=7)
        seen += [item.number for item in listing.items]
        after = listing.last
    assert seen == [item.number for item in _list(database_url).items]


def test_changes_are_told_latest_first(database_url: str) -> None:
    with database(database_url) as engine, engine.begin() as tx:
        record = make_registration(tx, make_body(tx))
        make_authorization(tx, record)
        types = [change.type for change in changes_of(tx, record.id)]
    assert types == ["authorization.granted", "registration.granted"]
