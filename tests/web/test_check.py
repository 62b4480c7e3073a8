"""The page about a registration, and what a clinic hangs on its wall."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from registry.domain.vocabulary import Technique
from registry.http.web.assets import assets
from tests.support.pages import FIRST_WORDS
from tests.support.people_in_every_state import BODY, NUMBERS, OTHER

Read = Callable[..., str]
KINDS = ("", "/easy", "/card", "/badge.svg", "/changes.atom")


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("on", ["", "?on=2026-10-01", "?on=2027-04-01"])
def test_the_page_says_of_each_technique_what_the_api_answers(
    client: FlaskClient, number: str, on: str
) -> None:
    answer = client.get(f"/v1/bodies/{BODY}/registrations/{number}/verification{on}").get_json()
    page = client.get(f"/check/{BODY}/{number}{on}").text
    rows = re.findall(r'data-technique="(\w+)".*?</span> ([^<]+)</span>', page)
    wanted = {v["technique"]: FIRST_WORDS.get(v["outcome"], "No.") for v in answer["verdicts"]}
    assert dict(rows) == wanted
    assert len(rows) == len(Technique)


def test_who_says_so_since_when_and_until_when(read: Read) -> None:
    words = read(f"/check/{BODY}/YES-1")
    for said in (
        "Test College of Physiotherapists",
        "Country Canada",
        "From 1 January 2025 until the end of 30 September 2027 (Edmonton time)",
        "Languages spoken English and Polish",
        "Former names Zoë Łukasz",
        "Ultrasound guidance, Needling Institute Completed on 1 June 2025 · 1 hour",
        "54.5 hours",
        "Board of Tests, number YES-1 Registration: ended and not renewed",
        "The register answered on 20 November 2026, 11:00 (Edmonton time).",
        "The last change to this entry was recorded on 1 January 2026, 05:00.",
    ):
        assert said in words


def test_conditions_and_excluded_regions_stand_in_the_answer(read: Read) -> None:
    words = read(f"/check/{BODY}/COND-1")
    assert "Conditions: Only in the clinic at 4 Main Street. A condition whose words are not public." in words
    assert "Parts of the body that are excluded: thorax neck" in words


@pytest.mark.parametrize("kind", KINDS)
def test_a_withheld_record_keeps_its_secret_and_answers(client: FlaskClient, kind: str) -> None:
    response = client.get(f"/check/{BODY}/HID-1{kind}")
    assert response.status_code == 200
    assert "Secret" not in response.text
    assert "Calgary" not in response.text


def test_a_withheld_record_is_a_yes_by_its_number(read: Read) -> None:
    words = read(f"/check/{BODY}/HID-1")
    assert "Today the holder of number HID-1 is authorized to use needles on their own" in words
    assert "The name is not shown" in words


def test_a_number_that_was_never_registered_is_a_no_and_offers_the_search(read: Read) -> None:
    words = read(f"/check/{BODY}/NEVER-1", 404)
    assert (
        "Test College of Physiotherapists has never registered the number NEVER-1. So the answer is no."
        in words
    )
    assert "Search the register" in words


def test_a_number_of_another_body_leads_to_where_it_is_kept(client: FlaskClient) -> None:
    response = client.get(f"/check/{OTHER}/COND-1")
    assert response.status_code == 404
    assert f'href="/check/{BODY}/COND-1"' in response.text
    assert "Connie" not in response.text


def test_an_unknown_body_is_named_as_such(read: Read) -> None:
    assert "No register is kept here under the code xx-none." in read("/check/xx-none/YES-1", 404)


@pytest.mark.parametrize(
    "on", ["2026-02-30", "tomorrow", "20261120", "2026-13-01", "1066-10-14", "\u0662\u0660\u0662\u0666-01-01"]
)
def test_an_impossible_day_is_refused_and_today_answered(client: FlaskClient, on: str) -> None:
    response = client.get(f"/check/{BODY}/YES-1", query_string={"on": on})
    assert response.status_code == 422
    assert "There is a problem" in response.text
    assert "Answer for today, 20 November 2026" in response.text
    assert response.headers["Cache-Control"] == "no-store"


def test_an_unknown_technique_is_refused(read: Read) -> None:
    assert "Choose one of the techniques in the list." in read(f"/check/{BODY}/YES-1?technique=magic", 422)


def test_the_page_is_kept_no_longer_than_the_answer(
    client: FlaskClient, present: Callable[[datetime], None]
) -> None:
    path = f"/check/{BODY}/YES-1"
    assert client.get(path).headers["Cache-Control"] == "public, max-age=59, must-revalidate"
    present(datetime(2026, 11, 21, 6, 59, 45, tzinfo=UTC))  # fifteen seconds before midnight in Edmonton
    for kind in ("", "/easy", "/card", "/badge.svg"):
        assert client.get(path + kind).headers["Cache-Control"] == "public, max-age=14, must-revalidate"


def test_what_the_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get(f"/check/{BODY}/YES-1")
    again = client.get(f"/check/{BODY}/YES-1", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get(f"/check/{BODY}/SUSP-1", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_the_code_is_a_picture_and_a_drawing(client: FlaskClient) -> None:
    assert client.get(f"/check/{BODY}/YES-1/qr.png").data.startswith(b"\x89PNG")
    drawing = client.get(f"/check/{BODY}/YES-1/qr.svg")
    assert drawing.content_type == "image/svg+xml"
    assert ET.fromstring(drawing.data).tag.endswith("svg")  # noqa: S314 - made by the application
    assert client.get(f"/check/{BODY}/NEVER-1/qr.svg").status_code == 404


def test_the_card_bears_no_answer(read: Read) -> None:
    words = read(f"/check/{BODY}/SUSP-1/card")
    assert f"https://needles.example/check/{BODY}/SUSP-1" in words
    assert not any(word in words for word in ("Yes.", "No.", "authorized"))


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("YES-1", "Yes, authorized today"),
        ("COND-1", "Yes, with conditions"),
        ("SUP-1", "Only under supervision"),
        ("RUNREAD-1", "Cannot tell: ask"),
        ("SUSP-1", "Not authorized today"),
    ],
)
def test_the_badge_shows_todays_answer(client: FlaskClient, number: str, says: str) -> None:
    badge = client.get(f"/check/{BODY}/{number}/badge.svg")
    assert badge.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "style" not in badge.text  # a policy would refuse it where the badge is shown
    assert says in "".join(ET.fromstring(badge.data).itertext())  # noqa: S314 - made by the application


def test_the_badge_names_what_its_answer_is_about(client: FlaskClient) -> None:
    badge = client.get(f"/check/{BODY}/MIX-1/badge.svg").text
    assert "Yes, authorized today</text>" in badge
    assert ">dry needling</text>" in badge
    other = client.get(f"/check/{BODY}/MIX-1/badge.svg?technique=acupuncture").text
    assert "Only under supervision</text>" in other
    assert client.get(f"/check/{BODY}/MIX-1/badge.svg?technique=magic").status_code == 422


def test_the_feed_tells_of_changes_by_number_alone(client: FlaskClient) -> None:
    response = client.get(f"/fr/check/{BODY}/SUSP-1/changes.atom")
    feed = ET.fromstring(response.data)  # noqa: S314 - made by the application
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [entry.findtext(f"{atom}title") for entry in feed.iter(f"{atom}entry")]
    assert titles[0] == "Autorisation d’utiliser des aiguilles\u00a0: suspendue à partir du 5 octobre 2026."
    assert response.content_type == "application/atom+xml"
    assert "Suspended Authorization" not in response.text
    for name in ("id", "title", "updated", "author"):  # what RFC 4287 asks of a feed
        assert feed.find(f"{atom}{name}") is not None


def test_a_page_weighs_less_than_60_kilobytes_in_all(client: FlaskClient) -> None:
    shared = sum(len(asset.content) for name, asset in assets().items() if Path(name).suffix != ".txt")
    for path in ("/", "/about", "/find?city=Calgary", f"/check/{BODY}/YES-1", f"/ar/check/{BODY}/MIX-1"):
        pictures = sum(
            len(client.get(f"/check/{BODY}/YES-1/{name}").data) for name in ("badge.svg", "qr.svg")
        )
        assert len(client.get(path).data) + shared + pictures < 60_000


def test_a_page_takes_less_than_20_milliseconds(client: FlaskClient) -> None:
    for path in (
        "/",
        "/?q=authorization",
        "/find?city=Calgary",
        f"/check/{BODY}/YES-1",
        f"/ar/check/{BODY}/MIX-1",
    ):
        client.get(path)  # templates are compiled once
        taken = []
        for _ in range(9):
            begun = process_time()
            client.get(path)
            taken.append(process_time() - begun)
        assert median(taken) < 0.020
