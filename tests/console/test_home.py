"""The first page: the same numbers as the API gives, for the demonstration register."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from html import unescape

import pytest
import time_machine

from registry.demo import load_demonstration
from registry.domain.vocabulary import Standing
from registry.http.console.home import LAPSES, PLURALS
from registry.services.overview import SOON
from registry.services.principals import Role
from registry.store.database import writing
from tests.support.console import sign_in, words_of
from tests.support.factories import make_key

AT = datetime(2026, 11, 20, 18, tzinfo=UTC)
FIGURE = re.compile(r'figure__number">([\d\u202f]+)</span>\s*<span class="figure__name">([^<]+)<')


@pytest.fixture
def demonstration(app):
    with time_machine.travel(AT, tick=False):
        with app.app_context(), writing() as tx:
            load_demonstration(tx, AT)
            key = make_key(tx)
        yield {"Authorization": f"Bearer {key}"}


def everything(client, headers, path):
    found, cursor = [], ""
    while True:
        page = client.get(f"{path}{'&' if '?' in path else '?'}limit=100{cursor}", headers=headers).get_json()
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = "&cursor=" + page["next"]


def figures(text, name):
    part = text.split(f'<h2 class="figures__of">{name.capitalize()}</h2>')[1].split("</ul>")[0]
    return {told: int(number.replace("\u202f", "")) for number, told in FIGURE.findall(part)}


def test_the_numbers_are_those_of_the_api(app, demonstration):
    client = app.test_client()
    desk = sign_in(app, role=Role.REGISTRAR, body="ca-ab")
    text = desk.get("/console/").text
    listed = everything(client, demonstration, "/v1/admin/bodies/ca-ab/registrations")
    details = [
        client.get(f"/v1/admin/registrations/{one['id']}", headers=demonstration).get_json() for one in listed
    ]
    standing = {
        "registrations": Counter(one["standing"]["standing"] for one in details),
        "authorizations": Counter(
            a["standing"]["standing"] for one in details for a in one["authorizations"]
        ),
    }
    for kind, name in PLURALS.items():
        told, stands = figures(text, name), standing[name]
        assert told["in force"] == stands[Standing.IN_FORCE] + stands[Standing.IN_GRACE] > 0
        assert told["lapsed"] == stands[Standing.LAPSED]
        assert told["suspended"] == stands[Standing.SUSPENDED]
        for days in SOON:
            asked = f"/v1/admin/lapses?body=ca-ab&kind={LAPSES[kind].value}&within_days={days}"
            assert told[f"lapsing in {days} days"] == len(everything(client, demonstration, asked))
    assert figures(text, "registrations")["lapsing in 60 days"] > 0


def test_each_chart_stands_with_the_table_that_says_the_same(app, demonstration):
    text = sign_in(app, body="ca-ab").get("/console/").text
    assert text.count("<svg") == text.count("The same as a table") == 3
    assert 'style="' not in text


def test_an_empty_register_says_so_in_noughts(registrar):
    page = registrar.get("/console/")
    assert page.status_code == 200
    assert set(figures(page.text, "registrations").values()) == {0}
    assert "No import of the last 30 days has rejected rows." in words_of(page)


def test_a_number_leads_to_the_lapses_that_it_counts(app, demonstration):
    desk = sign_in(app, body="ca-ab")
    text = desk.get("/console/").text
    links = [unescape(each) for each in re.findall(r'href="(/console/lapses\?[^"]+)"', text)]
    assert len(links) > 3
    for each in links:
        assert desk.get(each).status_code == 200
    soon = next(each for each in links if "view=coming" in each and "registration_lapsed" in each)
    table = desk.get(soon).text.split("<tbody>")[1].split("</tbody>")[0]
    assert table.count("<tr") == figures(text, "registrations")["lapsing in 7 days"] > 0
