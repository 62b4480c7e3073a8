"""Looking someone up, and finding someone in a city."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from registry.domain.vocabulary import Technique
from registry.http.web import find
from tests.support.people_in_every_state import BODY

Read = Callable[..., str]


@pytest.mark.parametrize(
    "q", ["Zoë O’Brien-Łukasz", "lukasz zoe", "obrien", "O'Brien", "Zoe Obrein", "YES-1", "yes-1"]
)
def test_a_name_in_any_order_or_spelling_or_a_number_finds_the_person(client: FlaskClient, q: str) -> None:
    page = client.get("/", query_string={"q": q}).text
    assert f'href="/check/{BODY}/YES-1"' in page


def test_matches_show_what_tells_them_apart_and_todays_answer(read: Read) -> None:
    words = read("/?q=authorization")
    assert "Compare number, body and city" in words
    assert "Suspended Authorization Test College of Physiotherapists, number SUSP-1, Calgary ✕ No." in words


def test_a_number_that_two_bodies_keep_shows_both(client: FlaskClient) -> None:
    page = client.get("/?q=YES-1").text
    assert "2 matches" in page
    assert 'href="/check/nz-test/YES-1"' in page


def test_a_technique_asks_about_it_and_hides_nobody(read: Read) -> None:
    assert "✓ Yes. dry needling" in read("/?q=mixed&technique=dry_needling")
    words = read("/?q=never+authorized&technique=dry_needling")
    assert "None of them was ever authorized for what you chose." in words
    assert "Never Authorized" in words


def test_city_and_body_narrow_the_search(read: Read) -> None:
    assert "2 matches" in read("/?q=YES-1")
    assert "1 match" in read("/?q=YES-1&city=Auckland")
    assert "1 match" in read(f"/?q=YES-1&body={BODY}")


def test_nobody_found_says_what_to_try(read: Read) -> None:
    words = read("/?q=Qwxyz&city=Calgary")
    assert "Nobody found" in words
    assert "try the family name alone" in words
    assert "search without city, technique and body" in words


@pytest.mark.parametrize("q", ["a", "Ł", "..", "-"])
def test_one_letter_is_refused_kindly(read: Read, q: str) -> None:
    assert "One letter is too little to search with." in read(f"/?q={q}", 422)


def test_nothing_is_refused_kindly(read: Read) -> None:
    assert "Write a name or a registration number." in read("/?q=", 422)


def test_a_withheld_person_is_found_by_number_alone(client: FlaskClient) -> None:
    assert "Nobody found" in client.get("/?q=Secret+Person").text
    page = client.get("/?q=HID-1").text
    assert f'href="/check/{BODY}/HID-1"' in page
    assert "Secret" not in page


def test_matches_go_on_page_by_page(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.http.web.search.MOST", 2)
    path, seen = "/?q=authorization", []
    while path:
        page = client.get(path).text
        seen += re.findall(r'href="/check/[a-z-]+/([A-Z0-9-]+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert sorted(seen) == ["LAPSED-1", "LOST-1", "REVOKED-1", "SUSP-1", "UNREAD-1"]


def _listed(client: FlaskClient, query: str) -> list[str]:
    page = client.get(f"/find?{query}").text
    return re.findall(r'result__name"><a [^>]*href="/check/[a-z-]+/([A-Z0-9-]+)"', page)


def test_the_list_holds_those_who_are_authorized_today_and_no_one_who_is_withheld(
    client: FlaskClient,
) -> None:
    assert sorted(_listed(client, "city=calgary")) == [
        *("COND-1", "GRACE-1", "LEARN-1", "MIX-1", "OPEN-1", "SUP-1", "YES-1"),
    ]
    alone = _listed(client, "city=Calgary&mode=independent")
    assert sorted(alone) == ["COND-1", "GRACE-1", "MIX-1", "OPEN-1", "YES-1"]
    assert _listed(client, "city=Calgary&technique=acupuncture&mode=independent") == []
    assert _listed(client, "city=Calgary&speaks=pl") == ["YES-1"]


def test_the_list_agrees_with_the_api(client: FlaskClient) -> None:
    for technique in Technique:
        for number in _listed(client, f"city=Calgary&technique={technique}&mode=independent"):
            body = "nz-test" if number == "GRACE-1" else BODY
            path = f"/v1/bodies/{body}/registrations/{number}/verification?technique={technique}"
            assert client.get(path).get_json()["authorized"] is True


def test_languages_and_mode_are_shown(read: Read) -> None:
    words = read("/find?city=Calgary")
    assert (
        "Supriya Vised Test College of Physiotherapists, number SUP-1, Calgary Speaks: English and French"
        in words
    )
    assert "May use needles only under supervision" in words


def test_the_order_is_the_days_and_pages_leave_out_nobody(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _listed(client, "city=Calgary")
    monkeypatch.setattr(find, "MOST", 3)
    path, seen = "/find?city=Calgary", []
    while path:
        page = client.get(path).text
        seen += re.findall(r'result__name"><a [^>]*href="/check/[a-z-]+/([A-Z0-9-]+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == whole


@pytest.mark.parametrize("after", ["x", "2026-11-20~zz", "2026-99-99~ab", "2020-01-01~ab", "2030-01-01~ab"])
def test_a_place_that_no_list_gave_is_the_beginning(client: FlaskClient, after: str) -> None:
    assert _listed(client, f"city=Calgary&after={after}") == _listed(client, "city=Calgary")


def test_an_empty_list_says_what_to_try(read: Read) -> None:
    assert "check how the city is written" in read("/find?city=Nowhere")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("city=", "Write the name of a city or town."),
        ("city=Calgary&technique=x", "Choose one of the techniques in the list."),
        ("city=Calgary&speaks=klingon", "Choose one of the languages in the list."),
        ("city=Calgary&mode=x", "Choose one of the two in the list."),
    ],
)
def test_what_cannot_be_listed_is_refused(read: Read, query: str, says: str) -> None:
    assert says in read(f"/find?{query}", 422)
