"""Privacy and notices in the console: seen by staff, changed by who may, erased on purpose alone."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import pytest
from flask import Flask

from registry.domain.notices import NoticeKind, NoticeState
from registry.store.contacts import find_contact
from registry.store.database import reading, writing
from registry.store.notices import Key, NewNotice, put
from registry.store.records import Body, RegistrationRecord
from tests.notices.conftest import email_of
from tests.support.console import Desk
from tests.support.factories import AT, make_person, make_registration

HOSTILE = "<img src=x onerror=alert(1)> Quillfeather"


@pytest.fixture
def ended(app: Flask, own: Body) -> RegistrationRecord:
    """Somebody whose registration is over, whom a notice did not reach."""
    with app.app_context(), writing() as tx:
        person = make_person(tx, HOSTILE, former=["Xanthe Oldname"])
        record = make_registration(tx, own, person, number="PT-7", through=date(2025, 6, 30))
        email_of(tx, record, "xanthe@example.org")
        for threshold, state in ((30, NoticeState.SENT), (7, NoticeState.REFUSED)):
            key = Key(NoticeKind.TERM_ENDS, record.id, date(2025, 6, 30), threshold)
            put(tx, [NewNotice(key, own.id, record.id, state=state)], at=AT)
    return record


def version_in(desk: Desk, path: str, form: str) -> str:
    """The version that a form of a page was made from."""
    text = desk.get(path).text
    after = text[text.index(f'action="{path}/{form}"') :]
    found = re.search(r'name="version" value="(\d+)"', after)
    assert found is not None
    return found[1]


def test_what_became_of_notices_is_seen_and_who_was_not_reached(
    ended, registrar: Desk, auditor: Desk
) -> None:
    for desk in (registrar, auditor):
        told = desk.told("/console/notices")
        assert "Address refused" in told
        assert "PT-7" in told
        assert "Nothing is sent yet" in told
    assert "PT-7" not in registrar.told("/console/notices?state=bounced")


def test_words_are_looked_at_before_they_are_kept(own: Body, registrar: Desk, auditor: Desk) -> None:
    path = "/console/notices/words/term_ends/mi"
    given = {"subject": "{{number}}", "text": "Tēnā koe {{name}} <b>", "version": "0"}
    shown = registrar.post(f"{path}/preview", given)
    assert "Tēnā koe Ana Ito &lt;b&gt;" in shown.text
    refused = registrar.post(path, {**given, "text": "{{reason}}"})
    assert refused.status_code == 422
    assert "There is no {{reason}} here" in refused.get_data(as_text=True)
    assert registrar.post(path, given).status_code == 303
    assert registrar.post(path, given).status_code == 412
    assert auditor.post(path, given).status_code == 403
    assert "Your own" in registrar.told("/console/notices")


def test_a_digest_is_sent_to_who_was_added_and_no_more_to_who_was_removed(own: Body, registrar: Desk) -> None:
    assert "Nobody gets the digest." in registrar.told("/console/notices")
    assert registrar.post("/console/notices/recipients", {"email": "desk@example.org"}).status_code == 303
    text = registrar.get("/console/notices").text
    assert "desk@example.org" in text
    found = re.search(r"/console/notices/recipients/([0-9a-f-]{36})/remove", text)
    assert found is not None
    assert registrar.post(found[0], {}).status_code == 303
    assert "Nobody gets the digest." in registrar.told("/console/notices")


def test_a_record_is_withheld_and_released_with_a_reason(app: Flask, ended, registrar: Desk) -> None:
    path = f"/console/privacy/{ended.person.id}"
    assert "PT-7" in registrar.told("/console/privacy?number=pt-7")
    page = registrar.get(path).text
    assert "<img src=x" not in page
    version = version_in(registrar, path, "withhold")
    given = {"withheld": "yes", "version": version}
    assert registrar.post(f"{path}/withhold", given).status_code == 422
    assert registrar.post(f"{path}/withhold", {**given, "reason": "Threatened."}).status_code == 303
    assert registrar.post(f"{path}/withhold", {**given, "reason": "Threatened."}).status_code == 412
    assert "Quillfeather" not in app.test_client().get("/v1/bodies/ca-own/registrations/PT-7").text
    released = {"withheld": "no", "reason": "Over.", "version": version_in(registrar, path, "withhold")}
    assert registrar.post(f"{path}/withhold", released).status_code == 303
    assert "Quillfeather" in app.test_client().get("/v1/bodies/ca-own/registrations/PT-7").text


def test_an_address_is_changed_and_forgotten(app: Flask, ended, registrar: Desk, auditor: Desk) -> None:
    path = f"/console/privacy/{ended.person.id}"
    given = {"email": "new@example.org", "language": "fr", "version": version_in(registrar, path, "contact")}
    assert auditor.post(f"{path}/contact", given).status_code == 403
    assert registrar.post(f"{path}/contact", given).status_code == 303
    assert "new@example.org" in registrar.told(path)
    gone = {"version": version_in(registrar, path, "contact")}
    assert registrar.post(f"{path}/contact", gone).status_code == 303
    with app.app_context(), reading() as connection:
        assert find_contact(connection, ended.person.id) is None


def test_what_is_held_is_handed_out(ended, registrar: Desk) -> None:
    answer = registrar.get(f"/console/privacy/{ended.person.id}/record.zip")
    archive = zipfile.ZipFile(io.BytesIO(answer.get_data()))
    assert b"xanthe@example.org" in archive.read("record.json")
    assert b"<img src=x" not in archive.read("record.html")


def test_nobody_is_erased_by_accident(ended, registrar: Desk, auditor: Desk) -> None:
    path = f"/console/privacy/{ended.person.id}"
    given = {"basis": "request", "version": version_in(registrar, path, "erase")}
    assert registrar.post(f"{path}/erase", {**given, "number": "PT-8"}).status_code == 422
    assert auditor.post(f"{path}/erase", {**given, "number": "PT-7"}).status_code == 403
    assert "Quillfeather" in registrar.told(path)
    assert registrar.post(f"{path}/erase", {**given, "number": "pt-7"}).status_code == 303
    told = registrar.told(path)
    assert "Quillfeather" not in told
    assert "Nothing is kept of who this was" in told
