"""Letters as a mail server gets them: private on the way, whole, and nobody's text in a header."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from registry.delivery.bounces import read_bounce
from registry.delivery.mail import Account, Attempt, Letter, Outcome, Post, mail_address, write_message
from registry.settings import MistakenSettings, read_settings
from tests.support.postbox import Postbox, html, plain, receiving

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
SENDER = "register@example.org"
LETTER = Letter(
    ID, "ana@example.net", "College of X", "Your term ends", "Dear Ana,\n", "<p>Dear Ana,</p>\n", "en"
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, str]:
    made, path = trustme.CA(), tmp_path_factory.mktemp("mail") / "authority.pem"
    made.cert_pem.write_to_path(str(path))
    return made, str(path)


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def send(box: Postbox, letter: Letter = LETTER, **account: object) -> Attempt:
    chosen = {"host": "127.0.0.1", "port": box.port, "tls": "none", "sender": SENDER, **account}
    with Post(Account(**chosen)) as post:  # type: ignore[arg-type]  # as given
        return post.send(letter, within=60)


@pytest.fixture(scope="module")
def box() -> Iterator[Postbox]:
    with receiving() as made:
        yield made


def test_it_is_sent_privately_and_signed_in(authority):
    made, bundle = authority
    with receiving(certified(made, "127.0.0.1"), login=("desk", "secret")) as box:
        taken = send(box, tls="starttls", ca_bundle=bundle, user="desk", password="secret")
        wrong = send(box, tls="starttls", ca_bundle=bundle, user="desk", password="other")
        unknown = send(box, tls="starttls", user="desk", password="secret")
    assert taken == Attempt(Outcome.TAKEN)
    assert (wrong.outcome, unknown.outcome) == (Outcome.SERVER_AWAY, Outcome.SERVER_AWAY)
    assert box.sessions == [(True, True)]


def test_tls_may_begin_with_the_first_byte(authority):
    made, bundle = authority
    with receiving(certified(made, "127.0.0.1"), implicit=True) as box:
        assert send(box, tls="implicit", ca_bundle=bundle).outcome is Outcome.TAKEN
        assert send(box, tls="implicit").outcome is Outcome.SERVER_AWAY


def test_a_server_of_another_name_is_told_nothing(authority):
    made, bundle = authority
    with receiving(certified(made, "mail.example.org"), implicit=True) as box:
        assert send(box, tls="implicit", ca_bundle=bundle).outcome is Outcome.SERVER_AWAY


def test_a_server_without_starttls_is_told_nothing(box):
    box.taken.clear()
    assert send(box, tls="starttls").outcome is Outcome.SERVER_AWAY
    assert box.taken == []


@pytest.mark.parametrize(
    "text",
    [
        "Ana\r\nBcc: all@example.net",
        "Ana\nBcc: all@example.net",
        "Ana\r\n\r\nDear",
        "Ana\u2028Bcc: x",
        "Ana\x00",
    ],
)
def test_no_text_of_a_person_becomes_a_header(box, text):
    box.taken.clear()
    letter = Letter(ID, "ana@example.net", text, text, f"{text}\n", "<p>x</p>\n", "en")
    assert send(box, letter).outcome is Outcome.TAKEN
    ((to, message),) = box.taken
    assert to == "ana@example.net"
    assert message["Bcc"] is None
    assert set(message.keys()) == {
        *("From", "To", "Subject", "Message-ID", "Content-Language", "Auto-Submitted", "MIME-Version"),
        *("Content-Type", "X-Peer", "X-MailFrom", "X-RcptTo"),
    } & set(message.keys())
    assert str(message["Subject"]).splitlines() == [str(message["Subject"])]


def test_a_name_does_not_turn_the_direction_of_a_subject(box):
    letter = Letter(
        ID, "a@example.net", "College \u202exyz", "Ends \u2066\u202enever", "x\n", "<p>x</p>\n", "en"
    )
    message = write_message(letter, Account("h", 25, "none", SENDER))
    assert not set("\u202e\u2066") & set(str(message["Subject"]) + str(message["From"]))


def test_both_alternatives_say_the_same_in_any_script(box):
    box.taken.clear()
    text = "Kia ora Hēmi — ۱۴۰۵ مرحبا.\n.\nA line that begins with a full stop.\n"
    letter = Letter(ID, "a@example.net", "Ōtautahi", "Ināianei", text, f"<p>{text}</p>\n", "mi")
    assert send(box, letter).outcome is Outcome.TAKEN
    ((_, message),) = box.taken
    assert plain(message).replace("\r\n", "\n") == text
    assert "مرحبا" in html(message)
    assert str(message["Subject"]) == "Ināianei"
    assert message["List-Unsubscribe"] is None


def test_an_address_in_any_script_is_sent_to_where_the_server_can(box):
    box.taken.clear()
    address = mail_address("ana@bücher.example")
    assert address == "ana@xn--bcher-kva.example"
    assert mail_address("hēmi@example.net") == "hēmi@example.net"
    for to in (address, "hēmi@example.net"):
        letter = Letter(ID, to, "College", "Subject", "x\n", "<p>x</p>\n", "en")
        assert send(box, letter).outcome is Outcome.TAKEN
    assert [to for to, _ in box.taken] == [address, "hēmi@example.net"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "ana", "@example.net", "ana@", "ana@example", "a b@example.net", "ana@exa mple.net"),
        *("ana@example.net\r\nBcc: x@y.example", "<ana@example.net>", "a,b@example.net", "ana@-x.example"),
        *(
            f"{'a' * 65}@example.net",
            f"a@{'b.' * 130}example",
            "ana@example.net\x00",
            "ana\u0000@example.net",
        ),
    ],
)
def test_what_is_no_address_is_none(text):
    with pytest.raises(ValueError, match="mail address"):
        mail_address(text)


@pytest.mark.parametrize(
    ("answer", "outcome", "failure"),
    [
        ("550 5.1.1 unknown", Outcome.REFUSED, "550 5.1.1"),
        ("553 <ana@example.net> no", Outcome.REFUSED, "553"),
        ("451 4.7.1 later", Outcome.POSTPONED, "451 4.7.1"),
    ],
)
def test_answers_are_judged_by_their_codes(box, answer, outcome, failure):
    box.at_rcpt = lambda _: answer
    assert send(box) == Attempt(outcome, failure)
    box.at_rcpt, box.at_data = (lambda _: None), (lambda _: answer)
    assert send(box) == Attempt(outcome, failure)
    box.at_data = lambda _: None
    assert send(box) == Attempt(Outcome.TAKEN)


def report(
    action: str = "failed", status: str = "5.1.1", id_: str = ID, kind: str = "text/rfc822-headers"
) -> bytes:
    given_back = f"Message-ID: <{id_}@example.org>\nSubject: x\n"
    return f"""\
From: MAILER-DAEMON@mx.example.net
To: register@example.org
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ana@example.net
Action: {action}
Status: {status}

--b
Content-Type: {kind}

{given_back}
--b--
""".replace("\n", "\r\n").encode()


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_a_report_of_a_failure_names_the_letter(kind):
    found = read_bounce(report(kind=kind))
    assert found is not None
    assert (found.letter_id, found.status) == (ID, "5.1.1")


@pytest.mark.parametrize(
    "data",
    [
        report(action="delayed", status="4.4.1"),
        report(action="delivered", status="2.0.0"),
        report(id_="somebody-else"),
        b"",
        b"\x00\xff" * 500,
        b"Subject: Re: your letter\r\n\r\nI am away.",
        report().replace(b"multipart/report", b"multipart/mixed"),
    ],
)
def test_what_is_no_report_of_a_failure_of_ours_is_none(data):
    assert read_bounce(data) is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"MAIL_HOST": "mail.example.org"}, "MAIL_FROM"),
        ({"MAIL_HOST": "mail.example.org", "MAIL_FROM": SENDER, "MAIL_TLS": "none"}, "MAIL_TLS"),
        ({"MAIL_HOST": "mail.example.org", "MAIL_FROM": SENDER, "MAIL_USER": "desk"}, "MAIL_PASSWORD_FILE"),
        ({"MAIL_FROM": "nobody"}, "MAIL_FROM"),
        ({"MAIL_FROM": "a@b\r\nBcc: c@d.example"}, "MAIL_FROM"),
        ({"MAIL_PASSWORD_FILE": "/nowhere"}, "MAIL_PASSWORD_FILE"),
    ],
)
def test_settings_that_cannot_be_right_are_told_at_the_start(given, named):
    with pytest.raises(MistakenSettings, match=f"REGISTRY_{named}"):
        read_settings({f"REGISTRY_{name}": value for name, value in given.items()})


def test_the_password_is_the_first_line_of_its_file_and_never_shown(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("s3cret\n")
    given = {"HOST": "localhost", "FROM": SENDER, "TLS": "none", "USER": "desk", "PASSWORD_FILE": str(file)}
    account = Account.of(read_settings({f"REGISTRY_MAIL_{name}": value for name, value in given.items()}))
    assert account is not None
    assert account.password == "s3cret"
    assert "s3cret" not in repr(account)
