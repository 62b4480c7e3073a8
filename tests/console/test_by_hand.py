"""What registrars record of people by hand: names, registrations, trainings, courses, merges."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from registry.domain.vocabulary import NameKind, Standing, Technique
from registry.services import merges, people, trainings
from registry.services.decisions import get_record
from registry.services.people import PersonChange
from registry.store import tables
from registry.store.courses import list_courses
from registry.store.database import reading, writing
from registry.store.people import NewName, list_names
from registry.store.records import find_registration, load_record
from registry.store.trainings import list_trainings
from tests.support.console import sign_in, words_of
from tests.support.factories import make_course, make_person, make_registration, make_training

NOW = datetime(2026, 3, 10, 18, tzinfo=UTC)
LOCATION = re.compile("/console/people/([0-9a-f-]{36})")


@pytest.fixture(autouse=True)
def now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def look(app):
    """Reads with a connection of the application's own."""

    def read(how):
        with app.app_context(), reading() as connection:
            return how(connection)

    return read


@pytest.fixture
def ana(app, own):
    with app.app_context(), writing() as tx:
        person = make_person(tx, "Ana Lee", languages=("en",))
        make_registration(tx, own, person, number="PT-1", city="Calgary")
        return person


def names_in_use(connection, person):
    return {(n.name.kind, n.name.full_name) for n in list_names(connection, person.id) if n.ended_at is None}


NEW = {
    "names": "2",
    "names.0.kind": "published",
    "names.0.given": "Léa",
    "names.0.family": "Roy",
    "languages": "fr\nen",
}


def test_somebody_is_taken_in_and_registered(registrar, look, own):
    taken = registrar.post(
        "/console/people/new", {**NEW, "names.1.kind": "legal", "names.1.full_name": "Léa-Anne Roy"}
    )
    assert taken.status_code == 303, taken.text
    (id_,) = LOCATION.findall(taken.headers["Location"])
    person = look(lambda connection: people.get_person(connection, id_))
    assert {(name.kind, name.full_name) for name in person.names} == {
        (NameKind.PUBLISHED, "Léa Roy"),
        (NameKind.LEGAL, "Léa-Anne Roy"),
    }
    assert person.languages == ("fr", "en")
    form = {"number": "PT-77", "city": "", "effective_on": "2026-03-10", "through.choice": "given"}
    form |= {"through": "2027-03-31", "register_class": "general", "conditions": "2"}
    registered = registrar.post(f"/console/people/{id_}/registrations/new", form)
    assert registered.status_code == 303, registered.text
    record = look(lambda c: load_record(c, find_registration(c, own.id, "PT-77") or ""))
    span = record.timeline(None).on(NOW.date())
    assert (span.standing, span.term_through, record.person.id) == (Standing.IN_FORCE, date(2027, 3, 31), id_)
    assert "PT-77" in registrar.told(f"/console/people/{id_}")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"names.0.kind": "former"}, "Give exactly one published name."),
        ({"names.0.given": "", "names.0.family": ""}, "Give the full name, or its parts."),
        ({"languages": "klingon!"}, "Give a language tag"),
        ({"names": "0"}, "Give 1 to 50 of them."),
    ],
)
def test_whoever_cannot_be_so_is_not_taken_in(registrar, wrong, told):
    page = registrar.post("/console/people/new", {**NEW, **wrong})
    assert page.status_code == 422
    assert told in words_of(page)
    assert 'value="Léa"' in page.text or "names.0.given" in wrong or wrong == {"names": "0"}


def test_a_number_that_is_taken_is_told_with_what_was_typed(registrar, ana):
    form = {"number": "pt-1", "city": "Banff", "effective_on": "2026-03-10", "conditions": "0"}
    page = registrar.post(f"/console/people/{ana.id}/registrations/new", form)
    assert page.status_code == 409
    assert "already keeps the number pt-1" in words_of(page)
    assert 'value="Banff"' in page.text


def test_a_name_is_replaced_and_the_one_before_becomes_a_former_one(registrar, ana, look):
    path = f"/console/people/{ana.id}/names"
    assert 'value="Ana Lee"' in registrar.get(path).text
    form = {
        "version": str(ana.version),
        "names": "1",
        "names.0.kind": "published",
        "names.0.full_name": "Ana Roy",
    }
    changed = registrar.post(path, {**form, "previous_becomes": "former", "languages": "en"})
    assert changed.status_code == 303, changed.text
    expected = {(NameKind.PUBLISHED, "Ana Roy"), (NameKind.FORMER, "Ana Lee")}
    assert look(lambda connection: names_in_use(connection, ana)) == expected


def test_names_that_another_changed_meanwhile_are_shown_beside_what_was_typed(app, registrar, ana, look):
    with app.app_context(), writing() as tx:
        change = PersonChange(names=[NewName(NameKind.PUBLISHED, "Ana Other")])
        people.change_person(tx, people.get_person(tx, ana.id), change, by="registrar:other", at=NOW)
    form = {"names": "1", "names.0.kind": "published", "names.0.full_name": "Ana Mine", "languages": ""}
    page = registrar.post(f"/console/people/{ana.id}/names", {"version": str(ana.version), **form})
    assert page.status_code == 412
    assert "published: Ana Other" in words_of(page)
    assert 'value="Ana Mine"' in page.text
    assert look(lambda connection: names_in_use(connection, ana)) == {(NameKind.PUBLISHED, "Ana Other")}
    again = re.findall('name="version" value="([0-9]+)"', page.text)[0]
    assert registrar.post(f"/console/people/{ana.id}/names", {"version": again, **form}).status_code == 303
    assert look(lambda connection: names_in_use(connection, ana)) == {(NameKind.PUBLISHED, "Ana Mine")}


def test_a_number_and_a_city_are_corrected(registrar, ana, own, look):
    record = look(lambda c: get_record(c, find_registration(c, own.id, "PT-1") or ""))
    path = f"/console/registrations/{record.id}/correct"
    assert 'value="Calgary"' in registrar.get(path).text
    form = {"version": str(record.version), "number": "PT-2", "city": "", "reason": "Misread."}
    assert registrar.post(path, form).status_code == 303
    after = look(lambda connection: get_record(connection, record.id))
    assert (after.number, after.city) == ("PT-2", None)
    assert registrar.post(path, form).status_code == 412


def test_a_training_is_recorded_corrected_and_withdrawn(app, registrar, ana, own, look):
    with app.app_context(), writing() as tx:
        course = make_course(tx, own)
    path = f"/console/people/{ana.id}/trainings/new"
    assert course.title in registrar.get(path).text
    form = {
        "course_id": course.id,
        "completed_on": "2025-06-01",
        "hours_theory": "20",
        "hours_practical": "7.25",
    }
    form |= {"hours_in_person": "7.25", "supervised_sessions": "3", "examination_passed": "true", "title": ""}
    assert registrar.post(path, form).status_code == 303
    (kept,) = look(lambda c: list_trainings(c, ana.id, after=None, limit=9))
    facts = kept.facts
    assert (facts.title, facts.course_id, facts.hours_practical) == (course.title, course.id, 7.25)
    assert (facts.examination_passed, facts.safety_component, facts.supervised_sessions) == (True, False, 3)
    edit = f"/console/trainings/{kept.id}"
    change = {
        "version": str(kept.version),
        "hours_theory": "21",
        "techniques": "dry_needling",
        "completed_on": "2025-06-02",
    }
    assert registrar.post(edit, change).status_code == 303
    corrected = look(lambda connection: trainings.get_training(connection, kept.id))
    assert (corrected.facts.hours_theory, corrected.facts.completed_on) == (21, date(2025, 6, 2))
    assert (
        registrar.post(f"{edit}/withdraw", {"version": str(kept.version), "reason": "x"}).status_code == 412
    )
    gone = registrar.post(f"{edit}/withdraw", {"version": str(corrected.version), "reason": "Not theirs."})
    assert gone.status_code == 303
    assert (
        look(lambda connection: trainings.get_training(connection, kept.id)).withdrawn_because
        == "Not theirs."
    )
    assert "withdrawn" in registrar.told(f"/console/people/{ana.id}")


def test_a_training_with_no_number_of_hours_is_refused(registrar, ana):
    form = {"title": "T", "techniques": "dry_needling", "completed_on": "2025-06-01", "hours_theory": "many"}
    page = registrar.post(f"/console/people/{ana.id}/trainings/new", form)
    assert page.status_code == 422
    assert 'id="hours_theory-error"' in page.text


def test_a_course_is_kept_corrected_and_approved(registrar, own, look):
    form = {"title": "Basics", "provider": "Institute", "techniques": "dry_needling", "approvals": "1"}
    form |= {
        "approvals.0.first_day": "2026-01-01",
        "approvals.0.last_day": "2026-06-30",
        "approvals.0.last_day.choice": "given",
    }
    assert registrar.post("/console/courses/new", form).status_code == 303
    (course,) = look(lambda c: list_courses(c, own.id, after=None, limit=9))
    assert [(a.first_day, a.last_day) for a in course.approvals] == [(date(2026, 1, 1), date(2026, 6, 30))]
    path = f"/console/courses/{course.id}"
    approval = {"version": str(course.version), "first_day": "2026-07-01", "last_day.choice": "none"}
    assert registrar.post(f"{path}/approvals", approval).status_code == 303
    (course,) = look(lambda c: list_courses(c, own.id, after=None, limit=9))
    assert course.approvals[-1].last_day is None
    change = {
        "version": str(course.version),
        "title": "Basics II",
        "provider": "Institute",
        "techniques": "acupuncture",
    }
    assert registrar.post(path, change).status_code == 303
    (course,) = look(lambda c: list_courses(c, own.id, after=None, limit=9))
    assert (course.title, course.techniques) == ("Basics II", frozenset({Technique.ACUPUNCTURE}))
    assert "Basics II" in registrar.told("/console/courses")


@pytest.fixture
def twice(app, own, ana):
    """Ana Lee was recorded a second time, with a training."""
    with app.app_context(), writing() as tx:
        duplicate = make_person(tx, "Ana Lee-Roy", former=("Ana Lee",))
        make_registration(tx, own, duplicate, number="PT-8")
        make_training(tx, duplicate, own)
        return duplicate


def test_two_records_stand_side_by_side_and_become_one_and_two_again(registrar, ana, twice, look):
    find = registrar.get(f"/console/people/{ana.id}/merge")
    assert f"duplicate={twice.id}" in find.text
    page = registrar.get(f"/console/people/{ana.id}/merge?duplicate={twice.id}")
    said = words_of(page)
    assert (
        said.index("Kept: Ana Lee")
        < said.index("PT-1")
        < said.index("Joined to it: Ana Lee-Roy")
        < said.index("PT-8")
    )
    assert said.count("in both") == 2
    version = str(look(lambda connection: people.get_person(connection, ana.id)).version)
    form = {"duplicate": twice.id, "version": version, "reason": "One person."}
    merged = registrar.post(f"/console/people/{ana.id}/merge?duplicate={twice.id}", form)
    assert merged.status_code == 303, merged.text
    assert look(lambda connection: people.get_person(connection, twice.id)).merged_into == ana.id
    led = registrar.get(f"/console/people/{twice.id}")
    assert (led.status_code, led.headers["Location"]) == (303, f"/console/people/{ana.id}")
    assert "PT-8" in registrar.told(f"/console/people/{ana.id}")
    merge_page = merged.headers["Location"]
    parted = registrar.post(f"{merge_page}/part")
    assert parted.status_code == 303
    assert look(lambda connection: people.get_person(connection, twice.id)).merged_into is None
    (merge_id,) = look(lambda connection: connection.execute(select(tables.merges.c.id)).scalars().all())
    assert look(lambda connection: merges.get_merge(connection, merge_id)).reversed_by is not None


def test_a_merge_of_a_record_that_changed_meanwhile_is_refused(app, registrar, ana, twice, look):
    seen = look(lambda connection: people.get_person(connection, ana.id)).version
    with app.app_context(), writing() as tx:
        people.change_person(
            tx, people.get_person(tx, ana.id), PersonChange(languages=["fr"]), by="t", at=NOW
        )
    form = {"duplicate": twice.id, "version": str(seen), "reason": "One person."}
    page = registrar.post(f"/console/people/{ana.id}/merge?duplicate={twice.id}", form)
    assert page.status_code == 412
    assert "One person." in page.text
    assert look(lambda connection: people.get_person(connection, twice.id)).merged_into is None


def test_another_bodys_people_are_neither_compared_nor_merged(app, ana, twice, other):
    stranger = sign_in(app, body=other.code, label="Sam Stranger")
    with app.app_context(), writing() as tx:
        theirs = make_person(tx, "Ana Lee")
        make_registration(tx, other, theirs, number="X-1")
    assert stranger.get(f"/console/people/{theirs.id}/merge?duplicate={twice.id}").status_code == 403
    form = {"duplicate": twice.id, "version": str(theirs.version), "reason": "Mine now."}
    assert stranger.post(f"/console/people/{theirs.id}/merge", form).status_code == 403
    assert "Lee-Roy" not in words_of(stranger.get(f"/console/people/{theirs.id}/merge"))


@pytest.mark.parametrize("page", ["/console/people/new", "/console/courses/new"])
def test_an_auditor_records_nothing(auditor, page):
    assert auditor.get(page).status_code == 403
    assert auditor.post(page, NEW).status_code == 403
