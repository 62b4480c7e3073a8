"""What notices say: in the reader's language, in the body's words, and nothing that they are not given."""

from __future__ import annotations

from datetime import date

import pytest

from registry.domain.notices import TemplateKind
from registry.errors import Invalid, Stale
from registry.services import contacts
from registry.services.bodies import get_body
from registry.services.contacts import add_recipient, put_contact, put_words
from registry.services.notice_texts import BUILT_IN, Told, Wording, check_wording, write
from registry.services.people import get_person
from tests.notices.conftest import LAST, before, email_of, local
from tests.support.factories import AT, BY, make_registration
from tests.support.postbox import html, plain

TOLD = Told(
    "Ana <b>Ito</b>",
    "PT-1",
    "College & Co",
    "https://register.example.org/check/ca-xx/PT-1",
    is_authorization=False,
    days={"last_day": date(2026, 9, 30), "first_day": date(2026, 9, 30)},
    days_left=7,
)


@pytest.mark.parametrize(("kind", "language"), BUILT_IN)
def test_built_in_words_are_whole(kind, language):
    wording = BUILT_IN[kind, language]
    check_wording(kind, wording)
    written = write(wording, language, TOLD)
    for text in (written.subject, written.text, written.html):
        assert "{{" not in text
        assert "}}" not in text
    assert "PT-1" in written.subject
    assert TOLD.link in written.text
    assert f'<a href="{TOLD.link}">' in written.html


def test_every_language_has_words_for_everything():
    assert {(kind, language) for kind in TemplateKind for language in ("en", "fr")} == set(BUILT_IN)


def test_a_name_is_text_in_the_page_too():
    written = write(BUILT_IN[TemplateKind.TERM_ENDS, "en"], "en", TOLD)
    assert "<b>" not in written.html
    assert "Ana &lt;b&gt;Ito&lt;/b&gt;" in written.html


@pytest.mark.parametrize(
    "text",
    [
        "{{reason}}",
        "{{name.__class__}}",
        "{{ 7*7 }}",
        "{{name|upper}}",
        "{{name",
        "}}",
        "{{first_day}}",
        "{{{name}}}{{",
    ],
)
def test_words_that_hold_more_than_placeholders_are_refused(text):
    with pytest.raises(Invalid):
        check_wording(TemplateKind.TERM_ENDS, Wording("x", text))
    with pytest.raises(Invalid):
        check_wording(TemplateKind.TERM_ENDS, Wording(text, "x"))


def test_what_looks_like_code_in_other_words_is_text():
    wording = Wording("{%x%} {name} %(name)s $name", "{% for x in y %}{{name}}{% endfor %} <script>")
    written = write(wording, "en", TOLD)
    assert written.subject == "{%x%} {name} %(name)s $name"
    assert "&lt;script&gt;" in written.html


def test_a_placeholder_in_a_name_is_not_filled_in():
    told = Told("{{number}}", "PT-1", "College", "https://x.example", is_authorization=False, days={})
    assert "{{number}}" in write(Wording("x", "Dear {{name}}"), "en", told).text


def test_each_is_written_to_in_their_language_and_in_the_body_s_words(small_office):
    office = small_office
    wording = Wording("Ends {{last_day}}", "Tēnā koe {{name}}, {{days_left}}.")
    with office.engine.begin() as tx:
        for number, language in enumerate(["fr-CA", "mi", "xx", None]):
            record = make_registration(tx, office.body, through=LAST)
            email_of(tx, record, f"p{number}@example.net", language)
        put_words(tx, office.body, TemplateKind.TERM_ENDS, "mi", wording, version=0, by=BY, at=AT)
    office.send(local(before(30)))
    found = {to[:2]: message for to, message in office.box.taken}
    assert "30 septembre 2026" in plain(found["p0"])
    assert found["p0"]["Content-Language"] == "fr"
    assert 'lang="fr" dir="ltr"' in html(found["p0"])
    assert plain(found["p1"]).startswith("Tēnā koe")
    assert "30 September 2026" in plain(found["p2"])
    assert plain(found["p3"]).startswith("Dear")


def test_words_are_changed_by_one_at_a_time(small_office):
    office, kind, wording = small_office, TemplateKind.SUSPENDED, Wording("s", "t")
    with office.engine.begin() as tx:
        put_words(tx, office.body, kind, "en", wording, version=0, by=BY, at=AT)
        with pytest.raises(Stale):
            put_words(tx, office.body, kind, "en", wording, version=0, by=BY, at=AT)
        again = put_words(tx, office.body, kind, "en", wording, version=1, by=BY, at=AT)
        contacts.drop_words(tx, office.body, kind, "en", version=again.version)
        assert not contacts.get_words(tx, office.body, kind, "en").own


def test_the_digest_names_nobody_is_sent_once_a_day_and_can_be_ended(small_office):
    office = small_office
    office.register("Ana Ito", email=None)
    with office.engine.begin() as tx:
        recipient = add_recipient(tx, office.body, "desk@example.net", None, by=BY, at=AT)
    for hour in (6, 12):
        office.send(local(before(7), hour))
    (message,) = [message for to, message in office.box.taken if to == "desk@example.net"]
    assert "PT-00001" in plain(message)
    assert "no address known" in plain(message)
    assert "Ito" not in plain(message) + html(message)
    link = f"https://register.example.org/digest/{recipient.token}"
    assert str(message["List-Unsubscribe"]).strip() == f"<{link}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with office.engine.begin() as tx:
        assert contacts.unsubscribe(tx, recipient.token) is not None
    office.send(local(before(6)))
    assert len([to for to, _ in office.box.taken if to == "desk@example.net"]) == 1


def test_a_day_on_which_nothing_is_amiss_has_no_digest(small_office):
    office = small_office
    office.register()
    with office.engine.begin() as tx:
        add_recipient(tx, get_body(tx, "ca-xx"), "desk@example.net", None, by=BY, at=AT)
    office.send(local(before(100)))
    assert office.box.taken == []


def test_the_same_address_twice_is_one_change(small_office):
    office = small_office
    record = office.register()
    with office.engine.begin() as tx, pytest.raises(Stale):
        put_contact(tx, get_person(tx, record.person.id), "b@example.net", None, version=0, by=BY, at=AT)
