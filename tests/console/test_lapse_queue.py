"""The lapse queue as registrars see it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask

from registry.services import lapses
from registry.services.principals import Role
from registry.store.database import writing
from registry.store.records import Body
from tests.support.console import Desk, sign_in, words_of
from tests.support.factories import make_person, make_registration

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)  # noon in Edmonton
QUEUE = "/console/lapses"
HOSTILE = "<script>alert(1)</script> O'Neil"
FORMULA = '=HYPERLINK("https://x.example")'


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def lapsed(app: Flask, own: Body, other: Body) -> None:
    """Three who lapsed at the own body, one of them with a name that means harm; one at the other."""
    with app.app_context(), writing() as tx:
        for name, last in ((HOSTILE, 1), ("Bram Brontë", 5), (FORMULA, 7)):
            person = make_person(tx, name)
            make_registration(tx, own, person, number=f"PT-{last}", through=date(2026, 3, last))
        make_registration(tx, other, make_person(tx, "Of Another"), number="X-1", through=date(2026, 3, 1))


def boxes(desk: Desk, query: str = "") -> list[str]:
    return re.findall(r'name="lapse" value="([^"]+)"', desk.get(QUEUE + query).text)


def test_an_empty_queue_says_so(registrar: Desk) -> None:
    assert "Nothing waits." in registrar.told(QUEUE)
    assert "Nothing new since yesterday." in registrar.told(f"{QUEUE}?view=new")


def test_the_queue_shows_the_own_body_s_lapses_the_longest_first_and_runs_no_name(
    lapsed: None, registrar: Desk, auditor: Desk, app: Flask, other: Body
) -> None:
    page = registrar.get(QUEUE)
    assert page.status_code == 200
    assert [page.text.index(number) for number in ("PT-1", "PT-5", "PT-7")] == sorted(
        page.text.index(number) for number in ("PT-1", "PT-5", "PT-7")
    )
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
    assert "Of Another" not in page.text
    stranger = sign_in(app, body=other.code, label="Stranger")
    assert "Of Another" in stranger.told(QUEUE)
    one = boxes(registrar)[0].split(":")[0]
    assert stranger.get(f"{QUEUE}/{one}").status_code == 403
    assert auditor.get(f"{QUEUE}/{one}").status_code == 200


def test_it_is_sorted_and_narrowed(lapsed: None, registrar: Desk) -> None:
    def numbers(query: str) -> list[str]:
        return re.findall(r"PT-\d", registrar.get(f"{QUEUE}?{query}").text)[::1]

    assert list(dict.fromkeys(numbers("sort=-number"))) == ["PT-7", "PT-5", "PT-1"]
    assert list(dict.fromkeys(numbers("first=2026-03-03&last=&kind="))) == ["PT-5", "PT-7"]
    assert numbers("kind=refresher_due") == []
    assert registrar.get(f"{QUEUE}?sort=mood").status_code == 422


def test_more_than_can_be_sorted_are_to_be_narrowed_and_exported_by_day(
    lapsed: None, registrar: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Bram Brontë" in registrar.told(f"{QUEUE}?sort=name")
    monkeypatch.setattr(lapses, "MOST_SORTED", 2)
    page = registrar.told(f"{QUEUE}?sort=name")
    assert "Too many to be sorted so." in page
    assert "Bram Brontë" not in page
    assert "Bram Brontë" in registrar.told(f"{QUEUE}?sort=-since")
    assert "Bram Brontë" in registrar.told(f"{QUEUE}?sort=name&first=2026-03-05")
    exported = list(csv.DictReader(io.StringIO(registrar.get("/console/lapses.csv?sort=name").text)))
    assert [row["number"] for row in exported] == ["PT-1", "PT-5", "PT-7"]


def test_many_are_acknowledged_at_once_and_what_another_changed_meanwhile_is_shown(
    lapsed: None, registrar: Desk, app: Flask, own: Body
) -> None:
    ticked = boxes(registrar)
    colleague = sign_in(app, body=own.code, label="Colleague")
    one = ticked[1].split(":")[0]
    kept = colleague.post(f"{QUEUE}/{one}/acknowledge", {"version": "1", "note": "I see to her."})
    assert kept.status_code == 303
    answer = registrar.post(f"{QUEUE}/do", {"lapse": ticked, "what": "acknowledge", "note": "all"})
    told = words_of(answer)
    assert "2 lapses acknowledged." in told
    assert "Bram Brontë" in told
    assert "changed by someone else" in told
    assert boxes(registrar) == []
    shown = registrar.told(f"{QUEUE}/{one}")
    assert "I see to her." in shown
    assert "Colleague" in shown


def test_a_lapse_is_left_to_a_colleague_by_who_saw_it_as_it_is(
    lapsed: None, registrar: Desk, app: Flask, own: Body
) -> None:
    sign_in(app, body=own.code, label="Colleague")
    one = boxes(registrar)[0].split(":")[0]
    (name,) = re.findall(
        r'<option value="(registrar:[^"]+)"[^>]*>[^<]*Colleague', registrar.get(f"{QUEUE}/{one}").text
    )
    assert registrar.post(f"{QUEUE}/{one}/assign", {"version": "1", "to": name}).status_code == 303
    assert "Colleague" in registrar.told(QUEUE)
    stale = registrar.post(f"{QUEUE}/{one}/assign", {"version": "1", "to": "me"})
    assert stale.status_code == 412
    assert "Nothing of yours was recorded" in words_of(stale)
    assert (
        registrar.post(f"{QUEUE}/{one}/assign", {"version": "2", "to": "registrar:nobody"}).status_code == 422
    )
    assert boxes(registrar, "?view=mine") == []
    rest = boxes(registrar, "?left_to=nobody")
    assert len(rest) == 2
    assert registrar.post(f"{QUEUE}/do", {"lapse": rest, "what": "assign", "to": "me"}).status_code == 303
    assert len(boxes(registrar, "?view=mine")) == 2


def test_notes_are_kept_and_shown_as_they_were_written(lapsed: None, registrar: Desk) -> None:
    one = boxes(registrar)[0].split(":")[0]
    for text in ("Wrote to her.\n<b>Monday</b>", "She called."):
        assert registrar.post(f"{QUEUE}/{one}/note", {"version": "1", "note": text}).status_code == 303
    page = registrar.get(f"{QUEUE}/{one}").text
    assert "&lt;b&gt;Monday&lt;/b&gt;" in page
    assert page.index("Wrote to her.") < page.index("She called.")
    assert registrar.post(f"{QUEUE}/{one}/note", {"version": "1", "note": " "}).status_code == 422


def test_what_began_yesterday_is_new_and_what_did_earlier_is_not(lapsed: None, registrar: Desk) -> None:
    with time_machine.travel(datetime(2026, 3, 9, 5, 59, tzinfo=UTC), tick=False):  # the eighth in Edmonton
        assert len(boxes(registrar, "?view=new")) == 1
    with time_machine.travel(datetime(2026, 3, 10, 6, 0, tzinfo=UTC), tick=False):
        assert boxes(registrar, "?view=new") == []


def test_the_export_holds_what_is_shown_and_no_formula(lapsed: None, registrar: Desk) -> None:
    answer = registrar.get("/console/lapses.csv?sort=number")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["number"] for row in rows] == ["PT-1", "PT-5", "PT-7"]
    assert rows[2]["name"] == f"'{FORMULA}"
    assert {row["state"] for row in rows} == {"open"}


def test_an_auditor_reads_and_changes_nothing(lapsed: None, registrar: Desk, auditor: Desk) -> None:
    (one, *_) = boxes(registrar)
    assert boxes(auditor) == []
    id_ = one.split(":")[0]
    for path, data in (
        (f"{QUEUE}/do", {"lapse": one, "what": "acknowledge"}),
        (f"{QUEUE}/{id_}/acknowledge", {"version": "1"}),
        (f"{QUEUE}/{id_}/assign", {"version": "1", "to": "me"}),
        (f"{QUEUE}/{id_}/note", {"version": "1", "note": "x"}),
    ):
        assert auditor.post(path, data).status_code == 403
    assert len(boxes(registrar)) == 3


@pytest.mark.parametrize("ticked", [[], ["x"], ["x:-1"], ["x:1" * 200], [f"x{n}:1" for n in range(201)]])
def test_what_no_box_sends_is_refused(registrar: Desk, ticked: list[str]) -> None:
    assert registrar.post(f"{QUEUE}/do", {"lapse": ticked, "what": "acknowledge"}).status_code == 422


def test_an_operator_works_at_the_body_that_they_chose(lapsed: None, app: Flask, operator: Desk) -> None:
    operator.post("/console/body", {"body": "ca-other"})
    assert "Of Another" in operator.told(QUEUE)
    assert Role.OPERATOR in operator.told(QUEUE)
