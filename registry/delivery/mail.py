"""Letters by SMTP (RFC 5321): written so that no text of a person ends up in a header, sent, and judged.

What comes of one is one of four: it was taken, it was refused for good, it was not taken this time, or nobody
knows: the server was given all of it and did not say what it made of it. An answer is told by its codes
(RFC 3463), never by its words, which quote addresses.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from types import TracebackType
from typing import Self

import idna

from registry.settings import Settings, password_of_mail

LONGEST_ADDRESS = 254
LONGEST_LOCAL_PART = 64
ENHANCED_CODE = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\U0010ffff-]+"
LOCAL_PART = re.compile(rf"{ATOM}([.]{ATOM})*")
"""Words with single full stops between them, none quoted (RFC 5321, section 4.1.2; RFC 6531, section 3.3)."""

TURNING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])
"""Characters that turn the direction of what follows: in a subject they would turn the reader's own list."""


class Outcome(StrEnum):
    """What came of an attempt."""

    TAKEN = "taken"
    REFUSED = "refused"
    POSTPONED = "postponed"
    UNKNOWN = "unknown"
    SERVER_AWAY = "server_away"
    """Nothing can be sent at the moment, to whomever."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one, and the codes that the server answered with."""

    outcome: Outcome
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to one person.

    :param id: makes the Message-ID, the same in each attempt.
    :param sender_name: who it comes from, in words.
    :param unsubscribe: the address that ends messages of this kind (RFC 8058), where that is possible.
    """

    id: str
    to: str
    sender_name: str
    subject: str
    text: str
    html: str
    language: str
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The SMTP server that takes letters, and as whom. ``seconds``: what each step may take."""

    host: str
    port: int
    tls: str
    sender: str
    reply_to: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    ca_bundle: str = ""
    seconds: int = 30

    @classmethod
    def of(cls, settings: Settings) -> Account | None:
        """The settings'; ``None`` where they name no server."""
        if not settings.mail_host:
            return None
        return cls(
            settings.mail_host,
            settings.mail_port,
            settings.mail_tls,
            settings.mail_from,
            settings.mail_reply_to,
            settings.mail_user,
            password_of_mail(settings),
            settings.mail_ca_bundle,
            settings.mail_seconds,
        )


def mail_address(text: str) -> str:
    """A mail address as it is kept: its domain in the form that the DNS knows (RFC 5891).

    :raises ValueError: nothing can be sent to it: in a sentence.
    """
    local, _, domain = text.strip().rpartition("@")
    try:
        known = idna.encode(domain, uts46=True).decode("ascii").lower()
    except (ValueError, IndexError) as error:  # idna.IDNAError is a ValueError
        raise ValueError("it is no mail address that can be sent to") from error
    if not LOCAL_PART.fullmatch(local) or not local.isprintable() or "." not in known:
        raise ValueError("it is no mail address that can be sent to")
    if len(local.encode()) > LONGEST_LOCAL_PART or len(f"{local}@{known}") > LONGEST_ADDRESS:
        raise ValueError("a mail address is not as long as that")
    return f"{local}@{known}"


def message_id(letter_id: str, sender: str) -> str:
    """The Message-ID (RFC 5322, section 3.6.4) of a letter."""
    return f"<{letter_id}@{sender.rpartition('@')[2]}>"


def write_message(letter: Letter, account: Account) -> EmailMessage:
    """The letter as it is sent: plain text, and the same in HTML."""
    message = EmailMessage(policy=SMTP)
    local, _, domain = account.sender.rpartition("@")
    message["From"] = Address(one_line(letter.sender_name), username=local, domain=domain)
    to, _, at = letter.to.rpartition("@")
    message["To"] = Address(username=to, domain=at)
    message["Subject"] = one_line(letter.subject)
    message["Message-ID"] = message_id(letter.id, account.sender)
    message["Auto-Submitted"] = "auto-generated"
    if account.reply_to:
        message["Reply-To"] = account.reply_to
    if letter.unsubscribe is not None:
        message["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = letter.language
    return message


def one_line(text: str) -> str:
    """A text for a header: one line, of printable characters, that turns no direction."""
    plain = "".join(c if c.isprintable() else " " for c in text.translate(TURNING))
    return " ".join(plain.split())


class Post:
    """A connection to the server, opened when it is needed and used for as many letters as it takes.

    To be used in a ``with``.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take leave."""
        self._leave()

    def send(self, letter: Letter, *, within: float) -> Attempt:
        """Send a letter.

        :param within: seconds after which its text is not handed over any more.
        """
        until = time.monotonic() + within
        message = write_message(letter, self._account)
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:  # what is wrong with TLS is an OSError
            self._break_off()
            return Attempt(Outcome.SERVER_AWAY, _failure(error))
        try:
            return self._hand_over(server, letter.to, message, until)
        except smtplib.SMTPNotSupportedError:
            return Attempt(Outcome.REFUSED, "5.6.7")
        except (OSError, smtplib.SMTPException) as error:
            self._break_off()
            return Attempt(Outcome.SERVER_AWAY, _failure(error))

    def _hand_over(self, server: smtplib.SMTP, to: str, message: EmailMessage, until: float) -> Attempt:
        international = not to.isascii()
        if international and not server.has_extn("smtputf8"):
            return Attempt(Outcome.REFUSED, "5.6.7")  # RFC 6531: the server cannot send to such an address
        written = message.as_bytes(policy=SMTP.clone(utf8=international, cte_type="7bit"))
        options = ["SMTPUTF8", "BODY=8BITMIME"] if international else []
        wishes = ["NOTIFY=FAILURE"] if server.has_extn("dsn") else []
        code, answer = server.mail(self._account.sender, options)
        if code != 250:
            self._leave()
            return Attempt(Outcome.SERVER_AWAY, _codes(code, answer))
        code, answer = server.rcpt(to, wishes)
        if code not in (250, 251):
            server.rset()
            return _judged(code, answer)
        if time.monotonic() > until:
            server.rset()
            return Attempt(Outcome.POSTPONED, "slow")
        try:
            code, answer = server.data(written)
        except smtplib.SMTPDataError as error:  # it did not want to be told at all
            return _judged(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPServerDisconnected):
            self._break_off()
            return Attempt(Outcome.UNKNOWN, "disconnected")
        return Attempt(Outcome.TAKEN) if code == 250 else _judged(code, answer)

    def _connected(self) -> smtplib.SMTP:
        if self._server is not None:
            return self._server
        account = self._account
        context = ssl.create_default_context(cafile=account.ca_bundle or None)
        if account.tls == "implicit":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                account.host, account.port, timeout=account.seconds, context=context
            )
        else:
            server = smtplib.SMTP(account.host, account.port, timeout=account.seconds)
        self._server = server
        if account.tls == "starttls":
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        if account.user:
            server.login(account.user, account.password)
        return server

    def _break_off(self) -> None:
        """Close the connection at once: who is not understood would not be waited for."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _leave(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def _judged(code: int, answer: bytes | str) -> Attempt:
    permanent = 500 <= code < 600
    return Attempt(Outcome.REFUSED if permanent else Outcome.POSTPONED, _codes(code, answer))


def _codes(code: int, answer: bytes | str) -> str:
    text = answer.decode("ascii", "replace") if isinstance(answer, bytes) else answer
    enhanced = ENHANCED_CODE.match(text)
    return f"{code} {enhanced[0]}" if enhanced else str(code)


def _failure(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _codes(error.smtp_code, error.smtp_error)
    return type(error).__name__
