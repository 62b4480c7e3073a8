"""A person's page: everything as it stood on any day, as known at any moment, to whom it is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from registry.domain.vocabulary import DecisionKind, NameKind
from registry.services import people
from registry.services.people import PersonChange
from registry.store.audit import every_entry
from registry.store.database import reading, writing
from registry.store.people import NewName
from tests.support.console import sign_in, words_of
from tests.support.drawings import read_svg
from tests.support.factories import (
    decide,
    make_authorization,
    make_person,
    make_registration,
    make_training,
    void,
)

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script> "Ana" & Лее'
TURNING = "Ana \u202eeeL"
ARABIC = "ليلى حداد"
CONFUSABLE = "Аna Lее"  # noqa: RUF001 - Cyrillic letters that look like Latin ones


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def told(app, own):
    """PT-1: registered in 2025, suspended through February, which was recorded on the 5th of March."""
    with app.app_context(), writing() as tx:
        person = make_person(tx, "Ana Lee", legal="Anastasia Lee-Brontë")
        make_training(tx, person, own, at=datetime(2026, 2, 1, tzinfo=UTC))
        record, id_ = make_authorization(tx, make_registration(tx, own, person, number="PT-1"))
        late = datetime(2026, 3, 5, 18, tzinfo=UTC)
        suspended = date(2026, 2, 1)
        record = decide(tx, record, DecisionKind.SUSPENDED, suspended, through=date(2026, 2, 28), at=late)
        record = decide(
            tx,
            record,
            DecisionKind.CONDITIONS_SET,
            suspended,
            authorization_id=id_,
            scope={"excluded_regions": ("thorax",)},
            at=late,
        )
        return void(tx, record, record.decisions[-1].decision.id, at=late + timedelta(hours=1))


def path(record, **asked):
    given = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"/console/people/{record.person.id}?{given}"


def picture(page):
    return read_svg(page.text[page.text.index("<svg") : page.text.index("</svg>") + 6])


def labels(page):
    return [link.get("aria-label") or "" for link in picture(page).iter("a")]


def test_the_page_shows_how_everything_stood_on_a_day(registrar, told):
    suspended = words_of(registrar.get(path(told, on="2026-02-10")))
    assert "Registration suspended Term" in suspended
    assert "Dry needling no no Registration not in force: registration suspended 28 Feb 2026" in suspended
    today = words_of(registrar.get(path(told)))
    assert "Registration in force Term" in today
    assert "Dry needling yes yes Authorized 31 Dec 2026" in today


def test_a_day_is_shown_as_it_was_known_before_a_late_decision(registrar, told):
    then = registrar.get(path(told, on="2026-02-10", known_on="2026-03-04"))
    assert "Registration in force Term" in words_of(then)
    assert "You are looking at what was known earlier" in words_of(then)
    assert not any("suspended" in label for label in labels(then))
    assert "Decide" not in words_of(then)
    instant = registrar.get(path(told, on="2026-02-10", known_at="2026-03-05T18:00:00Z"))
    assert any("suspended" in label for label in labels(instant))
    assert not any("taken back" in label for label in labels(instant))
    assert any("conditions or scope set (taken back)" in label for label in labels(registrar.get(path(told))))


def test_before_anything_was_known_nothing_is_shown(registrar, told):
    page = registrar.get(path(told, known_on="2025-06-01"))
    assert "Nothing is recorded yet." in words_of(page)
    assert "<svg" not in page.text
    assert words_of(registrar.get(path(told, known_on="2027-01-01"))) == words_of(registrar.get(path(told)))


def test_every_line_of_the_picture_is_a_line_of_the_table(registrar, told):
    page = registrar.get(path(told))
    targets = [(link.get("href") or "").removeprefix("#") for link in picture(page).iter("a")]
    assert len(targets) == len(set(targets)) > 6
    assert all(page.text.count(f'<tr id="{target}"') == 1 for target in targets)
    assert any(target.startswith("training-") for target in targets)


@pytest.mark.parametrize("name", [HOSTILE, TURNING, ARABIC, CONFUSABLE])
def test_names_are_shown_as_they_are_and_run_nothing(app, registrar, own, name):
    with app.app_context(), writing() as tx:
        record = make_registration(tx, own, make_person(tx, name), number="PT-9")
    for page in (registrar.get(path(record)), registrar.get("/console/search?q=PT-9")):
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert f"search?q={name}" not in page.text
        bare = words_of(page).translate({0x2068: None, 0x2069: None})
        assert name.replace("\u202e", "") in bare.replace("\u202e", "").replace("\u202c", "")
    picture(registrar.get(path(record)))


def test_a_withheld_record_is_shown_to_its_body_and_told_to_the_audit(app, registrar, own):
    with app.app_context(), writing() as tx:
        record = make_registration(tx, own, make_person(tx, "Hana Hidden", withheld=True), number="PT-3")
    page = registrar.get(path(record))
    assert "This record is withheld" in words_of(page)
    assert "Hana Hidden" in words_of(registrar.get("/console/search?q=hana"))
    assert "Hana Hidden" in words_of(registrar.get("/console/search?q=PT-3"))
    with app.app_context(), reading() as connection:
        shown = [e for e in every_entry(connection) if e.happening.action == "withheld_records_shown"]
    operations = [(e.happening.details or {})["operation"] for e in shown]
    assert operations == ["console_person", "console_search", "console_search"]


def test_another_bodys_people_are_not_shown(app, own, other, told):
    stranger = sign_in(app, body=other.code, label="Sam Stranger")
    assert stranger.get(path(told)).status_code == 403
    found = words_of(stranger.get("/console/search?q=lee"))
    assert "Nobody is found." in found
    assert "Nobody is found." in words_of(stranger.get("/console/search?q=PT-1"))


def test_with_another_body_a_person_is_seen_as_the_public_sees_them(app, own, other, told):
    with app.app_context(), writing() as tx:
        make_registration(tx, other, told.person, number="X-7")
    page = sign_in(app, body=other.code).get(path(told))
    said = words_of(page)
    assert "ca-own PT-1" in said
    assert "Suspended" not in said
    assert not any("PT-1" in label for label in labels(page))


def test_an_auditor_reads_and_is_offered_nothing_to_do(auditor, told):
    page = auditor.get(path(told))
    said = words_of(page)
    assert "Anastasia Lee-Brontë" in said
    assert "/void" not in page.text
    for offered in ("Decide", "Merge", "Change names", "Add training", "Grant an authorization"):
        assert offered not in said


def test_an_operator_finds_people_of_every_body(app, operator, other, told):
    with app.app_context(), writing() as tx:
        make_registration(tx, other, make_person(tx, "Bea Lee"), number="X-8")
    said = words_of(operator.get("/console/search?q=lee"))
    assert "2 people." in said
    assert operator.get(path(told)).status_code == 200


@pytest.mark.parametrize("asked", ["lee", "anastasia", "LEE-BRO", "p t-1", "PT-1", "abara", "ana lee"])
def test_people_are_found_by_any_name_and_number(app, registrar, told, asked):
    with app.app_context(), writing() as tx:
        person = people.get_person(tx, told.person.id)
        names = [name for name in person.names if name.kind == "legal"]
        kept = [NewName(NameKind.LEGAL, names[0].full_name), NewName(NameKind.PUBLISHED, "Ana Abara")]
        people.change_person(tx, person, PersonChange(names=kept), by="t", at=NOW)
    assert "Ana Abara" in words_of(registrar.get(f"/console/search?q={asked}"))


@pytest.mark.parametrize("asked", ["", "l", "%20", "%F0%9F%92%89"])
def test_who_asks_for_too_little_is_told_what_to_give(registrar, told, asked):
    page = registrar.get(f"/console/search?q={asked}")
    assert page.status_code in {200, 422, 400}
    assert "Ana Lee" not in words_of(page)


def test_no_more_than_fifty_are_shown(app, registrar, own):
    with app.app_context(), writing() as tx:
        for place in range(52):
            make_registration(tx, own, make_person(tx, f"Lee {place:02} Long"), number=f"Q-{place}")
    said = words_of(registrar.get("/console/search?q=long"))
    assert "The first 50; add a word to see fewer." in said


def test_somebody_nobody_registered_is_found_by_who_took_them_in(app, registrar, own, other):
    created = registrar.post(
        "/console/people/new",
        {"names": "1", "names.0.kind": "published", "names.0.full_name": "New Comer", "languages": "en"},
    )
    assert created.status_code == 303, created.text
    assert "New Comer" in words_of(registrar.get("/console/search?q=comer"))
    stranger = sign_in(app, body=other.code, label="Sam Stranger")
    assert "New Comer" not in words_of(stranger.get("/console/search?q=comer"))
